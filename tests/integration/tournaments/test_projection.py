"""
The log is the state: random tournaments, played by random commands, legal and illegal, by people of every role.

After each command: fold(events) == snapshot, for the public and for the staff, and no refused command left a trace.
"""

import copy
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.errors import AppError, Conflict
from apps.eventlog import log
from apps.eventlog.log import PUBLIC, STAFF
from apps.eventlog.models import Event
from apps.tournaments.events import EVENTS
from apps.tournaments.models import Entry, EntryStatus, Match, Role, Status, Tournament
from apps.tournaments.realtime.feed import belongs
from apps.tournaments.realtime.rooms import Room
from apps.tournaments.selectors.snapshots import match_snapshot, tournament_snapshot
from apps.tournaments.services import Actor, brackets, entries, matches, tournaments
from engine.bracket import Side
from engine.match_flow import OPEN, MatchState, Score
from engine.projection import COLLECTIONS, SINGULAR, fold
from tests import factories

pytestmark = pytest.mark.django_db


class RandomTournament:
    """A tournament that people of every role act on at random. Refused commands are part of the game."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.organizer = factories.make_user()
        self.users = [factories.make_user() for _ in range(10)]
        self.places = self.rng.randint(2, 9)
        cup = factories.make_tournament(
            self.organizer,
            capacity=self.places,
            check_in=self.rng.random() < 0.3,
            third_place_match=self.rng.random() < 0.5,
        )
        self.pk, self.stream = cup.pk, cup.stream
        self.earlier = []
        self.completed = {}

    def run(self, steps: int) -> None:
        start = self.rng.random()
        if start < 0.6:
            self.hurry_to_the_bracket()
        elif start < 0.8:
            self.command(tournaments.publish, Actor(self.organizer), self.pk)
            self.command(tournaments.open_registration, Actor(self.organizer), self.pk)
        for _ in range(steps):
            self.rng.choices(list(self.STEPS), weights=list(self.STEPS.values()))[0](self)
            if self.rng.random() < 0.3:
                self.check()
        self.check()

    def check(self) -> None:
        self.the_log_is_the_state()
        self.a_match_room_adds_up_too()
        self.the_rules_of_the_game_hold()

    def command(self, service, actor, *args, **kwargs):
        """Run a command that may be refused; a refusal appends nothing."""
        before = log.positions([self.stream])[self.stream].seq
        try:
            done = service(actor, *args, **kwargs)
        except AppError:
            assert log.positions([self.stream])[self.stream].seq == before
        else:
            assert done.seq >= before

    def somebody(self) -> Actor:
        return Actor(self.rng.choice([self.organizer, *self.users]))

    def staff(self) -> Actor:
        return Actor(self.organizer) if self.rng.random() < 0.9 else self.somebody()

    def any_match(self, *states: str) -> Match:
        """Return a match, most often one in a state that fits."""
        found = list(Match.objects.filter(tournament=self.pk).select_related("home__user", "away__user"))
        fitting = [match for match in found if match.state in states]
        if fitting and self.rng.random() < 0.8:
            found = fitting
        return self.rng.choice(found) if found else Match(pk=10**9)

    def any_entry(self) -> int:
        found = list(Entry.objects.filter(tournament=self.pk).values_list("pk", flat=True))
        return self.rng.choice(found) if found else 10**9

    def player(self, match: Match) -> Actor:
        entry = self.rng.choice([match.home, match.away])
        return Actor(entry.user) if entry and entry.user else self.somebody()

    def any_score(self) -> Score:
        home, away = self.rng.randint(0, 3), self.rng.randint(0, 3)
        if home == away and self.rng.random() < 0.7:
            return Score(home, away, 5, 4)
        return Score(home, away)

    # Steps

    def move(self) -> None:
        step = self.rng.choice([tournaments.publish, tournaments.open_registration, tournaments.close_registration])
        self.command(step, self.staff(), self.pk)

    def register(self) -> None:
        self.command(entries.register, self.somebody(), self.pk)

    def add(self) -> None:
        name = self.rng.choice(["Ada", "ada", "Bob", "", "x" * 61, "\u202eevil", "Зоя"])
        self.command(entries.add, self.staff(), self.pk, name=name)

    def withdraw(self) -> None:
        actor = self.staff() if self.rng.random() < 0.5 else self.somebody()
        self.command(entries.withdraw, actor, self.any_entry())

    def check_in(self) -> None:
        service = self.rng.choice([entries.check_in, entries.check_in, entries.revert_check_in])
        self.command(service, self.staff(), self.any_entry())

    def edit(self) -> None:
        capacity = self.rng.randint(1, 12)
        self.command(tournaments.edit, self.staff(), self.pk, capacity=capacity, name=f"Cup of {capacity}")

    def seed(self) -> None:
        confirmed = list(Entry.objects.filter(tournament=self.pk, status="confirmed").values_list("pk", flat=True))
        self.rng.shuffle(confirmed)
        if self.rng.random() < 0.5:
            self.command(entries.seed, self.staff(), self.pk, order=confirmed)
        else:
            self.command(entries.seed, self.staff(), self.pk, draw_seed=self.rng.randint(0, 99))

    def generate(self) -> None:
        self.command(brackets.generate, self.staff(), self.pk)

    def hurry_to_the_bracket(self) -> None:
        """A random walk gets here by itself too seldom."""
        organizer = Actor(self.organizer)
        self.command(tournaments.publish, organizer, self.pk)
        self.command(tournaments.open_registration, organizer, self.pk)
        for user in self.rng.sample(self.users, self.rng.randint(2, 10)):
            self.command(entries.register, Actor(user), self.pk)
        self.command(tournaments.close_registration, organizer, self.pk)
        for entry in Entry.objects.filter(tournament=self.pk, status="confirmed"):
            self.command(entries.check_in, organizer, entry.pk)
        self.command(brackets.generate, organizer, self.pk)

    def start(self) -> None:
        self.command(matches.start, self.staff(), self.any_match("ready").pk)

    def score(self) -> None:
        match = self.any_match("live")
        version = self.rng.choice([None, match.version, 3])
        self.command(matches.update_score, self.staff(), match.pk, self.any_score(), expected_version=version)

    def report(self) -> None:
        match = self.any_match("live", "ready", "pending_result")
        self.command(matches.report, self.player(match), match.pk, self.any_score())

    def confirm(self) -> None:
        match = self.any_match("pending_result")
        self.command(matches.confirm, self.player(match), match.pk)

    def finish(self) -> None:
        score = self.any_score() if self.rng.random() < 0.7 else None
        self.command(matches.finish, self.staff(), self.any_match("live", "pending_result").pk, score)

    def rule(self) -> None:
        match, side = self.any_match("ready", "live"), self.rng.choice(list(Side))
        if self.rng.random() < 0.5:
            self.command(matches.award_walkover, self.staff(), match.pk, winner=side)
        else:
            self.command(matches.forfeit, self.staff(), match.pk, loser=side)

    def change_staff(self) -> None:
        user = self.somebody().user
        if self.rng.random() < 0.7:
            role = self.rng.choice([Role.REFEREE, Role.ORGANIZER])
            self.command(tournaments.add_member, self.staff(), self.pk, username=user.username, role=role)
        else:
            self.command(tournaments.remove_member, self.staff(), self.pk, user.pk)

    def cancel(self) -> None:
        self.command(tournaments.cancel, self.staff(), self.pk)

    STEPS = {
        move: 2, register: 3, add: 2, withdraw: 1.5, check_in: 2, edit: 1, seed: 1, generate: 1, start: 6, score: 4,
        report: 3, confirm: 3, finish: 4, rule: 1, change_staff: 1, cancel: 0.1,
    }  # fmt: skip

    # What must hold

    def the_log_is_the_state(self) -> None:
        events = log.read(self.stream, after=0, limit=10_000)
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        for event in events:
            msgspec.json.decode(event.data, type=EVENTS[event.type])
        for audience in (PUBLIC, STAFF):
            seen = [(e.seq, msgspec.json.decode(e.data)) for e in events if e.audience in (PUBLIC, audience)]
            snapshot = tournament_snapshot(self.pk, audience=audience)
            assert snapshot.position.seq == len(events)
            assert fold(data for _, data in seen) == snapshot.data
            if audience == PUBLIC:
                self.earlier.append((len(events), copy.deepcopy(snapshot.data)))
                seq, state = self.rng.choice(self.earlier)
                assert fold((d for s, d in seen if s > seq), copy.deepcopy(state)) == snapshot.data

    def a_match_room_adds_up_too(self) -> None:
        events = log.read(self.stream, after=0, limit=10_000)
        for match in Match.objects.filter(tournament=self.pk).order_by("-number")[:2]:
            room = Room(self.stream, match.subject, PUBLIC)
            drawn = [e for e in events if e.type == "bracket_generated"][-1]
            own = [msgspec.json.decode(e.data) for e in events if e.seq > drawn.seq and belongs(e, room)]
            # What the room's snapshot was when the bracket was drawn: the match, and the tournament as it stood.
            first = next(m for m in msgspec.json.decode(drawn.data)["matches"] if m["id"] == match.pk)
            before = fold(msgspec.json.decode(e.data) for e in events if e.seq <= drawn.seq)
            state = match_snapshot(match.pk).data
            start = {"match": first, "tournament": before["tournament"], "stages": list(before["stages"].values())}
            folded = fold([start, *own])
            for part in ("tournament", "stages", "matches"):
                assert folded[part] == state[part]
            assert {str(e["entry"]["id"]): e["entry"] for e in own if "entry" in e}.items() <= state["entries"].items()

    def the_rules_of_the_game_hold(self) -> None:
        cup = Tournament.objects.get(pk=self.pk)
        confirmed = cup.entries.filter(status=EntryStatus.CONFIRMED).count()
        assert confirmed <= cup.capacity
        waiting = cup.entries.filter(status=EntryStatus.WAITLISTED).exists()
        if waiting and not cup.matches.exists() and cup.status != Status.CANCELLED:
            assert confirmed == cup.capacity, "a place is free and somebody waits"
        assert cup.members.filter(role=Role.ORGANIZER).exists()
        for match in cup.matches.all():
            if match.state in OPEN - {MatchState.SCHEDULED} or match.state == MatchState.COMPLETED:
                assert match.home_id
                assert match.away_id
            if match.state == MatchState.COMPLETED:
                result = (match.winner_id, match.home_score, match.away_score)
                assert self.completed.setdefault(match.pk, result) == result, "a result changed by itself"
        if cup.status not in (Status.CANCELLED, Status.COMPLETED):
            assert not cup.matches.exists() or cup.matches.filter(state__in=OPEN).exists()


def test_the_log_is_the_state_of_random_tournaments():
    @settings(max_examples=25)
    @given(seed=st.integers(0, 2**32))
    def walk(seed):
        RandomTournament(seed).run(steps=60)

    walk()
    # Walks that never get to a champion would prove little, so see what they did.
    rare = {"member_removed", "registration_checkin_reverted"}
    assert set(EVENTS) - rare <= set(Event.objects.values_list("type", flat=True))
    assert Tournament.objects.filter(status=Status.COMPLETED).count() > 3


@pytest.mark.parametrize("entrants", [2, 3, 5, 8, 16, 33])
def test_a_whole_tournament_folds_to_its_snapshot_at_every_seq(entrants):
    cup = factories.drawn(entrants, capacity=64)
    organizer = Actor(cup.created_by)
    states = {}

    def look():
        snapshot = tournament_snapshot(cup.pk, audience=PUBLIC)
        states[snapshot.position.seq] = copy.deepcopy(snapshot.data)

    look()
    rng = Random(entrants)
    while (match := cup.matches.filter(state=MatchState.READY).order_by("number").first()) is not None:
        matches.start(organizer, match.pk)
        matches.update_score(organizer, match.pk, Score(1, 1))
        look()
        matches.finish(organizer, match.pk, Score(rng.randint(2, 5), 1) if rng.random() < 0.5 else Score(1, 1, 3, 4))
        look()
    cup.refresh_from_db()
    assert cup.status == Status.COMPLETED
    assert cup.champion
    events = log.read(cup.stream, after=0, limit=10_000, audiences=[PUBLIC])
    for seq, state in states.items():
        assert fold(msgspec.json.decode(e.data) for e in events if e.seq <= seq) == state


def test_the_parts_of_an_event_are_named_as_the_fold_expects():
    for name, kind in EVENTS.items():
        for field in kind.__struct_fields__:
            assert field in {"tournament", "removed", *SINGULAR, *COLLECTIONS}, (name, field)


def test_a_completed_match_refuses_everything():
    cup = factories.drawn(2)
    match = factories.match_number(cup, 1)
    organizer = Actor(cup.created_by)
    matches.start(organizer, match.pk)
    matches.finish(organizer, match.pk, Score(1, 0))
    with pytest.raises(Conflict) as refusal:
        matches.update_score(organizer, match.pk, Score(2, 0))
    assert refusal.value.data == {"state": "completed", "possible": ["reopen_match"]}
