"""
A tournament of any format that people of every role act on at random. Refused commands are part of the game.

After each command that is looked at: the log adds up to the state, and the rules of the game hold
(`RandomTournament.check`).
"""

import copy
from collections import Counter
from random import Random

import msgspec

from apps.errors import AppError, Conflict
from apps.eventlog import log
from apps.eventlog.log import PUBLIC, STAFF
from apps.eventlog.models import Event
from apps.tournaments.events import EVENTS
from apps.tournaments.models import (
    Entry,
    EntryStatus,
    Match,
    Reopening,
    Role,
    Stage,
    StageState,
    Status,
    Tournament,
)
from apps.tournaments.models.entry import TAKES_A_PLACE
from apps.tournaments.realtime.feed import all_seen_in
from apps.tournaments.realtime.rooms import Room
from apps.tournaments.selectors.snapshots import match_snapshot, tournament_snapshot
from apps.tournaments.selectors.standings import stage_rows, tables_of
from apps.tournaments.services import (
    Actor,
    admission,
    brackets,
    entries,
    erasure,
    matches,
    on_stream,
    reopening,
    stages,
    tournaments,
    veto,
    waitlist,
)
from apps.tournaments.state import stage_fields
from engine.bracket import Bracket, Side
from engine.league import points_of, results_of
from engine.match_flow import OPEN, OVER, MatchState, Score
from engine.projection import fold
from engine.stages import Format
from tests import factories

# What makes results change that were there before.
REWRITES = {reopening.reopen, reopening.undo, brackets.generate, brackets.pair}


class RandomTournament:
    def __init__(self, seed: int) -> None:
        self.rng = rng = Random(seed)
        self.organizer = factories.make_user()
        self.users = [factories.make_user() for _ in range(10)]
        self.format = rng.choice(list(Format))
        cup = factories.make_tournament(
            self.organizer,
            capacity=rng.randint(2, 9),
            check_in=rng.random() < 0.3,
            format=self.format,
            stage=self.random_settings(self.format),
            match_check_in_minutes=rng.choice([0, 0, 10]),
            no_show_rule=rng.choice(["drop", "walkover"]),
            entry_rule=rng.choice(["open", "open", "open", "approval"]),
            claim_minutes=rng.choice([0, 0, 5]),
            late_entry=rng.random() < 0.5,
        )
        if rng.random() < 0.4:
            format = rng.choice(list(Format))  # noqa: A001
            stages.add(Actor(self.organizer), cup.pk, format=format, **self.random_settings(format))
        self.pk, self.stream = cup.pk, cup.stream
        self.earlier = []
        self.over = {}

    def random_settings(self, format) -> dict:
        rng = self.rng
        return {
            "third_place_match": rng.random() < 0.5,
            "grand_final_reset": rng.random() < 0.7,
            "groups": rng.choice([1, 1, 2]) if format is Format.ROUND_ROBIN else 1,
            "legs": rng.choice([1, 1, 2]),
            "best_of": rng.choice([1, 1, 3]),
            "advance": rng.choice([0, 2, 4]),
            "ends_at_losses": rng.choice([0, 0, 2]),
            "veto": {"pool": ["Ascent", "Bind", "Haven"], "seconds": rng.choice([0, 30])},
        }

    def run(self, steps: int) -> None:
        start = self.rng.random()
        if start < 0.8:
            self.hurry_to_the_bracket()
        elif start < 0.9:
            self.command(tournaments.publish, Actor(self.organizer), self.pk)
            self.command(tournaments.open_registration, Actor(self.organizer), self.pk)
        for _ in range(steps):
            step = self.rng.choices(list(self.STEPS), weights=list(self.STEPS.values()))[0]
            getattr(self, step.__name__)()
            if self.rng.random() < 0.3:
                self.check()
        self.check()

    def check(self) -> None:
        self.the_log_is_the_state()
        self.a_match_room_adds_up_too()
        self.the_rules_of_the_game_hold()
        for stage in Stage.objects.filter(tournament=self.pk).exclude(state=StageState.PENDING):
            self.a_stage_is_sound(stage)

    def command(self, service, actor, *args, **kwargs):
        """Run a command that may be refused; a refusal appends nothing."""
        before = log.positions([self.stream])[self.stream].seq
        try:
            done = service(actor, *args, **kwargs)
        except AppError:
            assert log.positions([self.stream])[self.stream].seq == before
        else:
            assert done.seq >= before
            if service in REWRITES:
                self.over = {}

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

    def any_score(self, best_of: int = 1) -> Score:
        rng = self.rng
        if best_of > 1 and rng.random() < 0.8:
            wins = [0, 0]
            games = []
            while max(wins) <= best_of // 2:
                side = rng.randint(0, 1)
                wins[side] += 1
                games.append((13, 7) if side == 0 else (5, 13))
            return Score.of_games(games) if rng.random() < 0.5 else Score(*wins)
        home, away = rng.randint(0, 3), rng.randint(0, 3)
        if home == away and rng.random() < 0.5:
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

    def decide_entry(self) -> None:
        service = self.rng.choice([admission.approve, admission.decline, waitlist.claim, entries.disqualify])
        self.command(service, self.staff(), self.any_entry())

    def rename(self) -> None:
        self.command(entries.update, self.staff(), self.any_entry(), name=self.rng.choice(["Ada", "Zoe"]))

    def check_in(self) -> None:
        service = self.rng.choice([entries.check_in, entries.check_in, entries.revert_check_in])
        self.command(service, self.staff(), self.any_entry())

    def edit(self) -> None:
        capacity = self.rng.randint(1, 12)
        self.command(tournaments.edit, self.staff(), self.pk, capacity=capacity, name=f"Cup of {capacity}")

    def edit_stage(self) -> None:
        stage = self.rng.choice(list(Stage.objects.filter(tournament=self.pk)))
        settings = self.rng.choice(
            [
                {"name": "Main stage"},
                {"best_of": 3},
                {"tie_breaks": ["points", "buchholz"]},
                {"advance": 2},
                {"legs": 9},
            ]
        )
        self.command(stages.edit, self.staff(), stage.pk, **settings)

    def add_or_remove_stage(self) -> None:
        last = Stage.objects.filter(tournament=self.pk).latest("number")
        if last.number > 1:
            self.command(stages.remove, self.staff(), last.pk)
        else:
            self.command(stages.add, self.staff(), self.pk, format=self.rng.choice(list(Format)), advance=2)

    def seed(self) -> None:
        confirmed = list(Entry.objects.filter(tournament=self.pk, status="confirmed").values_list("pk", flat=True))
        self.rng.shuffle(confirmed)
        if self.rng.random() < 0.5:
            self.command(entries.seed, self.staff(), self.pk, order=confirmed)
        else:
            self.command(entries.seed, self.staff(), self.pk, draw_seed=self.rng.randint(0, 99))

    def generate(self) -> None:
        self.command(brackets.generate, self.staff(), self.pk)

    def pair(self) -> None:
        self.command(brackets.pair, self.staff(), self.pk, again=self.rng.random() < 0.2)

    def hurry_to_the_bracket(self) -> None:
        """A random walk gets here by itself too seldom."""
        organizer = Actor(self.organizer)
        self.command(tournaments.publish, organizer, self.pk)
        self.command(tournaments.open_registration, organizer, self.pk)
        for user in self.rng.sample(self.users, self.rng.randint(2, 10)):
            self.command(entries.register, Actor(user), self.pk)
        if self.rng.random() < 0.5:
            self.command(entries.withdraw, organizer, self.any_entry())
        for entry in Entry.objects.filter(tournament=self.pk, status="pending"):
            self.command(admission.approve, organizer, entry.pk)
        self.command(tournaments.close_registration, organizer, self.pk)
        for entry in Entry.objects.filter(tournament=self.pk, status="confirmed"):
            if self.rng.random() < 0.9:
                self.command(entries.check_in, organizer, entry.pk)
        self.command(brackets.generate, organizer, self.pk)

    def be_here(self) -> None:
        match = self.any_match("check_in")
        self.command(matches.check_in, self.player(match), match.pk, side=self.rng.choice([None, *Side]))

    def choose_maps(self) -> None:
        """Start a veto, or go on with one; now and then take it back."""
        match = self.any_match("ready", "live")
        self.command(veto.start, self.player(match), match.pk)
        for _ in range(self.rng.randint(0, 5)):
            match = Match.objects.select_related("home__user", "away__user").filter(pk=match.pk).first() or match
            turn = (match.veto or {}).get("turn") or {"options": []}
            actor = self.staff() if self.rng.random() < 0.5 else self.player(match)
            self.command(veto.move, actor, match.pk, self.rng.choice([*turn["options"], "Bind"]))
        if self.rng.random() < 0.3:
            self.command(veto.reset, self.staff(), match.pk)

    def start(self) -> None:
        self.command(matches.start, self.staff(), self.any_match("ready", "check_in").pk)

    def score(self) -> None:
        match = self.any_match("live")
        version = self.rng.choice([None, match.version, 3])
        score = self.any_score(match.best_of)
        self.command(matches.update_score, self.staff(), match.pk, score, expected_version=version)

    def report(self) -> None:
        match = self.any_match("live", "ready", "pending_result")
        self.command(matches.report, self.player(match), match.pk, self.any_score(match.best_of))

    def confirm(self) -> None:
        match = self.any_match("pending_result")
        self.command(matches.confirm, self.player(match), match.pk)

    def dispute(self) -> None:
        match = self.any_match("pending_result", "live")
        self.command(matches.dispute, self.player(match), match.pk, text=self.rng.choice(["They left.", ""]))

    def finish(self) -> None:
        match = self.any_match("live", "pending_result", "disputed")
        score = self.any_score(match.best_of) if self.rng.random() < 0.8 else None
        self.command(matches.finish, self.staff(), match.pk, score, ruling="As seen.")

    def rule(self) -> None:
        match, side = self.any_match("ready", "live", "disputed"), self.rng.choice(list(Side))
        kind = self.rng.random()
        if kind < 0.4:
            self.command(matches.award_walkover, self.staff(), match.pk, winner=side)
        elif kind < 0.8:
            self.command(matches.forfeit, self.staff(), match.pk, loser=side)
        elif kind < 0.9:
            self.command(matches.forfeit, self.staff(), match.pk, loser=None)
        else:
            self.command(matches.cancel, self.staff(), match.pk)

    def reopen(self) -> None:
        match = self.any_match("completed", "forfeit", "cancelled")
        score = self.any_score(match.best_of) if self.rng.random() < 0.4 else None
        actor = self.staff()
        before = log.positions([self.stream])[self.stream].seq
        try:
            token = reopening.preview(actor, match.pk, score=score).token
        except AppError:
            token = "none"
        assert log.positions([self.stream])[self.stream].seq == before, "a preview changes nothing"
        self.command(reopening.reopen, actor, match.pk, token=token, score=score)

    def undo(self) -> None:
        last = Reopening.objects.filter(tournament=self.pk).order_by("-pk").first()
        if last is not None:
            self.command(reopening.undo, self.staff(), last.pk)

    def take_kept(self) -> None:
        fitting = [m for m in Match.objects.filter(tournament=self.pk, state="ready") if m.kept]
        match = self.rng.choice(fitting) if fitting else self.any_match("ready")
        self.command(matches.take_kept, self.staff(), match.pk)

    def put_on_stream(self) -> None:
        match = self.rng.choice([None, *Match.objects.filter(tournament=self.pk).values_list("pk", flat=True), 10**9])
        self.command(on_stream.set_on_stream, self.staff(), self.pk, match_id=match)
        if self.rng.random() < 0.1:
            self.command(on_stream.renew_overlays, self.staff(), self.pk)

    def change_staff(self) -> None:
        user = self.somebody().user
        if self.rng.random() < 0.7:
            role = self.rng.choice([Role.REFEREE, Role.ORGANIZER])
            self.command(tournaments.add_member, self.staff(), self.pk, username=user.username, role=role)
        else:
            self.command(tournaments.remove_member, self.staff(), self.pk, user.pk)

    def cancel(self) -> None:
        self.command(tournaments.cancel, self.staff(), self.pk)

    def erase_somebody(self) -> None:
        """Somebody deletes their account; another person comes in their place."""
        number = self.rng.randrange(len(self.users))
        user, name = self.users[number], self.users[number].username
        before = log.positions([self.stream])[self.stream].seq
        try:
            erasure.erase(user)
        except Conflict:  # the only organiser by now
            assert log.positions([self.stream])[self.stream].seq == before
            return
        assert list(Event.objects.filter(data__contains=f'"{name}"')) == []
        assert not Entry.objects.filter(name=name).exists()
        self.users[number] = factories.make_user()
        self.over = {}

    STEPS = {
        move: 1, register: 1, add: 1, withdraw: 1, decide_entry: 1, rename: 0.3, check_in: 1, edit: 0.5,
        edit_stage: 0.5, add_or_remove_stage: 0.3, seed: 0.5, generate: 1.5, pair: 3, be_here: 3, choose_maps: 2,
        start: 8, score: 3, report: 4, confirm: 4, dispute: 1.5, finish: 7, rule: 2, reopen: 2, undo: 1, take_kept: 1,
        put_on_stream: 1, change_staff: 0.5, cancel: 0.05, erase_somebody: 0.5,
    }  # fmt: skip

    # What must hold

    def the_log_is_the_state(self) -> None:
        events = log.read(self.stream, after=0, limit=100_000)
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        for event in events:
            msgspec.json.decode(event.data, type=EVENTS[event.type])
        for audience in (PUBLIC, STAFF):
            seen = [(e.seq, msgspec.json.decode(e.data)) for e in events if e.audience in (PUBLIC, audience)]
            snapshot = tournament_snapshot(self.pk, audience=audience)
            assert snapshot.position.seq == len(events)
            assert fold(data for _, data in seen) == snapshot.data
            if audience == PUBLIC:
                self.versions_grow_by_one(seen)
                self.earlier.append((len(events), copy.deepcopy(snapshot.data)))
                seq, state = self.rng.choice(self.earlier)
                assert fold((d for s, d in seen if s > seq), copy.deepcopy(state)) == snapshot.data

    @staticmethod
    def versions_grow_by_one(seen) -> None:
        versions = {}
        for _, data in seen:
            for change in [data["match"]] if "match" in data else data.get("matches", []):
                if "number" in change:  # made, or put back whole
                    versions[change["id"]] = change["version"]
                elif "version" in change:
                    assert change["version"] == versions[change["id"]] + 1
                    versions[change["id"]] += 1

    def a_match_room_adds_up_too(self) -> None:
        events = log.read(self.stream, after=0, limit=100_000)
        for match in Match.objects.filter(tournament=self.pk).order_by("-stage", "-number")[:2]:
            room = Room(self.stream, match.subject, PUBLIC)
            made = [e for e in events if any(m["id"] == match.pk for m in made_by(e))][-1]
            own = [msgspec.json.decode(e.data) for e in all_seen_in(events, room) if e.seq > made.seq]
            # What the room's snapshot was when the match was made: the match, and the tournament as it stood.
            first = next(m for m in made_by(made) if m["id"] == match.pk)
            before = fold(msgspec.json.decode(e.data) for e in events if e.seq <= made.seq)
            state = match_snapshot(match.pk).data
            start = {"match": first, "tournament": before["tournament"], "stages": list(before["stages"].values())}
            folded = fold([start, *own])
            for part in ("tournament", "stages", "matches"):
                assert folded[part] == state[part]
            named = {str(e["entry"]["id"]): e["entry"] for e in own if "entry" in e}
            assert all(state["entries"][pk] == named[pk] for pk in named.keys() & state["entries"].keys())

    def the_rules_of_the_game_hold(self) -> None:
        cup = Tournament.objects.get(pk=self.pk)
        taken = cup.entries.filter(status__in=TAKES_A_PLACE).count()
        assert taken <= cup.capacity
        waiting = cup.entries.filter(status=EntryStatus.WAITLISTED)
        waiting = waiting.exclude(checked_in_at=None) if cup.check_in_closed else waiting
        if waiting.exists() and not cup.matches.exists() and cup.status != Status.CANCELLED:
            assert taken == cup.capacity, "a place is free and somebody waits"
        assert cup.members.filter(role=Role.ORGANIZER).exists()
        for match in cup.matches.all():
            if match.veto and match.home_id and match.away_id:
                assert (match.veto["home"], match.veto["away"]) == (match.home_id, match.away_id)
            if match.state in OPEN - {MatchState.SCHEDULED} or match.state == MatchState.COMPLETED:
                assert match.home_id
                assert match.away_id
            if match.state in OVER:
                result = (match.winner_id, match.home_score, match.away_score, match.state)
                assert self.over.setdefault(match.pk, result) == result, "a result changed by itself"
                assert match.winner_id in (None, match.home_id, match.away_id)
            else:
                assert match.winner_id is None
        if cup.status == Status.COMPLETED:
            assert not cup.matches.filter(state__in=OPEN).exists()
            assert not cup.stages.exclude(state=StageState.COMPLETED).exists()
        else:
            assert cup.champion is None
        for stage in cup.stages.all():
            drawn = stage.matches.exists() or stage.entries.exists()
            assert drawn == (stage.state != StageState.PENDING)
            if stage.state == StageState.COMPLETED:
                assert not stage.matches.filter(state__in=OPEN).exists()

    def a_stage_is_sound(self, stage: Stage) -> None:
        rows, entrants = stage_rows(stage)
        pairs = Counter(frozenset((m["home"], m["away"])) for m in rows if m["home"] and m["away"])
        if stage.is_league:
            table = [line for lines in tables_of(stage).values() for line in lines]
            assert {line.entrant for line in table} == {e["entry"] for e in entrants if not e["annulled"]}
            points = points_of(stage_fields(stage))
            results = results_of(rows, entrants)
            given = sum(
                points.bye
                if result.away is None
                else points.win + points.loss
                if result.winner
                else 2 * (points.loss if result.forfeit else points.draw)
                for result in results
            )
            assert sum(line.points for line in table) == given
        if stage.format == Format.ROUND_ROBIN:
            assert set(pairs.values()) <= {stage.options.legs}
            group = {e["entry"]: e["group"] for e in entrants}
            assert all(group[m["home"]] == group[m["away"]] == m["group"] for m in rows)
        elif stage.format == Format.SWISS:
            for number in {m["round"] for m in rows}:
                paired = [e for m in rows if m["round"] == number for e in (m["home"], m["away"])]
                paired += [e["entry"] for e in entrants if number in e["byes"]]
                assert len(paired) == len(set(paired)), "somebody plays twice in a round"
        else:
            self.losses_are_those_of_an_elimination(stage, rows)

    @staticmethod
    def losses_are_those_of_an_elimination(stage: Stage, rows) -> None:
        lives = 2 if stage.format == Format.DOUBLE_ELIMINATION else 1
        lost = Counter()
        for m in rows:
            if m["state"] in (MatchState.COMPLETED, MatchState.FORFEIT) and m["bracket"] != Bracket.THIRD_PLACE:
                lost.update(e for e in (m["home"], m["away"]) if e is not None and e != m["winner"])
        assert all(times <= lives for times in lost.values())
        numbers = {m["number"]: m for m in rows}
        for m in rows:
            for to in ("winner_to", "loser_to"):
                after = m[to] and numbers[m[to]]
                if after and m["state"] in OPEN:
                    side = m[f"{to}_side"]
                    assert after[side] is None, "somebody has a place that nobody has won yet"
                    assert not after[f"{side}_closed"]


def made_by(event) -> list[dict]:
    """The matches that an event made, whole."""
    if event.type not in ("bracket_generated", "round_paired", "bracket_restored", "tournament_imported"):
        return []
    return msgspec.json.decode(event.data)["matches"]
