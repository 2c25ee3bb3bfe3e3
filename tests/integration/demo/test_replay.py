"""The demo on its real data, with a clock that jumps instead of waiting."""

from collections import Counter
from contextlib import suppress
from io import StringIO
from itertools import combinations
from random import Random
from unittest.mock import DEFAULT, Mock

import msgspec
import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import User
from apps.eventlog import log
from apps.eventlog.models import Event, Stream
from apps.tournaments.management import demo
from apps.tournaments.management.replay import Replay
from apps.tournaments.management.results import (
    WORLD_CUP,
    Fixture,
    Group,
    Results,
    ResultsError,
    fixture_of,
    import_results,
    read_results,
)
from apps.tournaments.models import Entry, Match, StageEntry, StageState, Status, Tournament
from apps.tournaments.selectors.standings import tables_of
from apps.tournaments.services import Actor, brackets, matches, reopening, tournaments
from engine.match_flow import Score
from tests import factories

pytestmark = pytest.mark.django_db

CUP = read_results(WORLD_CUP)
A_FINAL = Results(name="A final", rounds=[[Fixture("Ada", "Ben", (2, 1))]])


class Killed(Exception):
    """The process is gone, between two commands."""


def raising(error):
    def call(*args, **kwargs):
        raise error

    return call


class FakeTime:
    """A clock that stands still until somebody sleeps, and that may be the last thing that somebody looks at."""

    def __init__(self, *, stop_after: float = float("inf"), killed_after: float = float("inf")) -> None:
        self.now, self.stop_after, self.looks = 0.0, stop_after, killed_after

    def sleep(self, seconds: float) -> bool:
        self.now += seconds
        return self.now >= self.stop_after

    def clock(self) -> float:
        self.looks -= 1
        if self.looks < 0:
            raise Killed
        return self.now


@pytest.fixture
def organizer(db: None) -> Actor:
    return Actor(factories.make_user("fifa"))


def replay(actor: Actor, tournament: Tournament, time: FakeTime, results: Results = CUP) -> Replay:
    return Replay(actor, tournament, results, seconds=20, pause=3, at_once=2, sleep=time.sleep, clock=time.clock)


def run(actor: Actor, tournament: Tournament, time: FakeTime, results: Results = CUP) -> bool:
    return replay(actor, tournament, time, results).run()


def pairs(found):
    return [(match.home.name, match.away.name) for match in found.select_related("home", "away")]


def finishes_as_it_did(cup):
    """Compare all that the tournament came to with what the file says about reality."""
    groups, knockout = cup.stages.order_by("number")
    for stage, fixtures in ((groups, CUP.in_groups()), (knockout, CUP.in_knockout())):
        real = Counter((frozenset(f.names), f.turned() if f.home > f.away else f) for f in fixtures)
        played = Counter()
        for match in stage.matches.select_related("home", "away"):
            assert match.state == "completed"
            f = Fixture(match.home.name, match.away.name, (match.home_score, match.away_score))
            if match.home_shootout is not None:
                f = msgspec.structs.replace(f, shootout=(match.home_shootout, match.away_shootout))
            played[frozenset(f.names), f.turned() if f.home > f.away else f] += 1
        assert played == real
    rows = StageEntry.objects.filter(stage=groups).select_related("entry").order_by("group", "rank")
    for number, (group, table) in enumerate(zip(CUP.groups.values(), tables_of(groups).values(), strict=True), start=1):
        assert [(row.entry.name, row.rank) for row in rows if row.group == number] == [
            (name, rank) for rank, name in enumerate(group.order, start=1)
        ]
        assert [Entry.objects.get(pk=line.entrant).name for line in table] == group.order
    for number, round_ in enumerate(CUP.rounds, start=1):
        in_round = knockout.matches.filter(round=number, bracket="main").order_by("position")
        assert pairs(in_round) == [fixture.names for fixture in round_]
    cup = factories.fresh(cup)
    assert cup.status == Status.COMPLETED
    assert (cup.champion.name, cup.runner_up.name, cup.third_place.name) == ("Argentina", "France", "Croatia")


def score_steps(cup):
    """Return the scores that each match went through, in order, by the id of the match."""
    state, steps = {}, {}
    for event in log.read(cup.stream, after=0, limit=10_000):
        if event.type == "score_updated":
            change = msgspec.json.decode(bytes(event.data))["match"]
            score = state.setdefault(change["id"], {"home_score": 0, "away_score": 0})
            score |= {name: value for name, value in change.items() if "score" in name or "shootout" in name}
            steps.setdefault(change["id"], []).append(dict(score))
    return steps


def test_the_import_puts_every_team_into_its_real_group_and_every_match_into_its_real_round(organizer):
    cup = import_results(organizer, CUP)
    assert cup.status == Status.REGISTRATION_CLOSED
    assert cup.seeding == "manual"
    groups, knockout = cup.stages.order_by("number")
    for number, group in enumerate(CUP.groups.values(), start=1):
        members = groups.entries.filter(group=number).values_list("entry__name", flat=True)
        assert set(members) == set(group.order)
        for round_number, round_ in enumerate(group.rounds, start=1):
            planned = pairs(groups.matches.filter(group=number, round=round_number))
            assert {frozenset(pair) for pair in planned} == {frozenset(fixture.names) for fixture in round_}
    hosts_and_first_pot = ["Qatar", "England", "Argentina", "France", "Spain", "Belgium", "Brazil", "Portugal"]
    assert list(cup.entries.filter(seed__lte=8).order_by("seed").values_list("name", flat=True)) == hosts_and_first_pot
    assert knockout.state == StageState.PENDING


def test_a_knockout_alone_is_drawn_with_every_team_in_its_real_place(organizer):
    alone = msgspec.structs.replace(CUP, groups={})
    cup = import_results(organizer, alone)
    assert pairs(cup.matches.filter(round=1).order_by("position")) == [fixture.names for fixture in CUP.rounds[0]]
    assert run(organizer, cup, FakeTime(), alone)
    assert factories.fresh(cup).champion.name == "Argentina"


class Watching(FakeTime):
    """Notes how long how many matches were live at once."""

    def __init__(self, cup: Tournament, **end: float) -> None:
        super().__init__(**end)
        self.cup, self.seconds = cup, {1: Counter(), 2: Counter()}

    def sleep(self, seconds):
        live = self.cup.matches.filter(state="live")
        stage = self.cup.stages.exclude(state=StageState.PENDING).latest("number").number
        self.seconds[stage][len(live)] += seconds
        if stage == 1:
            assert len({match.group for match in live}) == len(live)
        elif any(match.winner_to is None for match in live):
            assert len(live) == 1
        return super().sleep(seconds)


def test_everything_comes_as_it_did_goal_by_goal_and_all_groups_play_side_by_side(organizer):
    cup = import_results(organizer, CUP)
    time = Watching(cup)
    assert run(organizer, cup, time)
    finishes_as_it_did(cup)
    steps = score_steps(cup)
    for match in cup.matches.select_related("stage", "home", "away"):
        fixture = fixture_of(CUP, match)
        goals = sum(fixture.score) + sum(fixture.shootout or ())
        assert [sum(score or 0 for score in step.values()) for step in steps.get(match.pk, [])] == [
            *range(1, goals + 1)
        ]
    assert 4 * 60 < time.now < 8 * 60
    assert time.seconds[1][6] + time.seconds[1][7] > sum(time.seconds[1].values()) / 2
    assert time.seconds[2].keys() == {0, 1, 2}


@pytest.mark.parametrize("seed", range(2))
def test_a_replay_that_is_stopped_or_killed_at_any_moment_goes_on(organizer, seed, monkeypatch):
    cup = import_results(organizer, CUP)
    draw = Mock(wraps=brackets.generate, side_effect=[Killed, DEFAULT])
    monkeypatch.setattr(brackets, "generate", draw)
    rng, ended, interruptions = Random(seed), False, 0
    while not ended:
        how = rng.choice([{"stop_after": rng.uniform(0, 60)}, {"killed_after": rng.randint(2, 300)}])
        with suppress(Killed):
            ended = run(organizer, cup, Watching(cup, **how))
        interruptions += not ended
    assert interruptions > 5
    assert draw.call_count == 2
    finishes_as_it_did(cup)
    for match in cup.matches.all():
        totals = [sum(score or 0 for score in step.values()) for step in score_steps(cup).get(match.pk, [])]
        assert totals == list(range(1, len(totals) + 1))


def test_after_an_interruption_all_matches_in_play_go_on_at_once(organizer):
    cup = import_results(organizer, CUP)
    for _ in range(8):
        assert not run(organizer, cup, FakeTime(stop_after=10))
        in_play = set(cup.matches.filter(state="live").values_list("pk", flat=True))
        resumed = replay(organizer, cup, FakeTime(stop_after=0))
        assert not resumed.run()
        assert in_play <= {item.match.pk for item in resumed.playing}


def test_a_result_that_is_taken_back_is_played_again_and_the_knockout_drawn_again(organizer):
    cup = import_results(organizer, CUP)
    taken_back = []

    class Meddling(FakeTime):
        def sleep(self, seconds):
            if not taken_back and cup.matches.filter(stage__number=2, state="live").count() == 2:
                match = cup.matches.filter(stage__number=1).latest("number")
                effects = reopening.preview(organizer, match.pk)
                reopening.reopen(organizer, match.pk, token=effects.token)
                taken_back.append(match)
                assert not cup.matches.filter(stage__number=2).exists()
            return super().sleep(seconds)

    assert run(organizer, cup, Meddling())
    assert taken_back
    finishes_as_it_did(cup)


def test_a_person_may_decide_a_match_while_the_replay_runs(organizer):
    cup = import_results(organizer, A_FINAL)
    meddled = []

    class Meddling(FakeTime):
        def sleep(self, seconds):
            live = Match.objects.filter(tournament=cup, state="live").order_by("number").first()
            if live is not None and not meddled:
                meddled.append(live.pk)
                matches.finish(organizer, live.pk, Score(9, 0))
            return super().sleep(seconds)

    assert run(organizer, cup, Meddling(), A_FINAL)
    assert Match.objects.get(pk=meddled[0]).home_score == 9


def test_the_commands_set_up_and_play(organizer):
    out = StringIO()
    call_command("import_results", organizer="fifa", stdout=out)
    cup = Tournament.objects.get()
    assert f"manage.py replay {cup.pk}" in out.getvalue()
    call_command("replay", cup.pk, seconds=0, pause=0, stdout=out)
    assert "Argentina is the champion." in out.getvalue()


def test_a_tournament_without_a_bracket_cannot_be_replayed(organizer):
    cup = factories.make_tournament(organizer.user)
    with pytest.raises(CommandError, match="has no match that can be played; it is draft"):
        call_command("replay", cup.pk, seconds=0)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("import_results", "--organizer=nobody"), "Nobody has the user name nobody"),
        (("import_results", "no-such-file.json", "--organizer=fifa"), "cannot be read"),
        (("replay", "999"), "There is no tournament 999"),
    ],
)
def test_commands_say_what_is_wrong(organizer, arguments, sentence):
    with pytest.raises(CommandError, match=sentence):
        call_command(*arguments)


def group(*scores, names="abc"):
    met = [Fixture(home, away, score) for (home, away), score in zip(combinations(names, 2), scores, strict=True)]
    return Group([met], list(names))


KNOCKOUT = [[Fixture("a", "e", (1, 0)), Fixture("d", "b", (1, 0))], [Fixture("a", "d", (1, 0))]]
TWO = {"A": group((1, 0), (1, 0), (1, 0)), "B": group((1, 0), (1, 0), (1, 0), names="def")}


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (b"not json", "not a file of results"),
        ({"name": "x"}, "rounds"),
        (Results("x", []), "rounds of"),
        (Results("x", [[Fixture("a", "b", (1, -1))]]), "0 to 999"),
        (Results("x", [[], [Fixture("a", "b", (1, 0))]]), "4, 2, 1"),
        (Results("x", [[Fixture("a", "b", (1, 1))]]), "no winner of a and b"),
        (Results("x", KNOCKOUT, groups={"A": TWO["A"]}), "1 groups"),
        (Results("x", KNOCKOUT[1:], groups=TWO), "2 groups"),
        (Results("x", KNOCKOUT, groups=TWO | {"B": group((1, 0), names="de")}), "different sizes"),
        (Results("x", KNOCKOUT, groups=TWO | {"B": Group([], list("def"))}), "a group B in which"),
        (Results("x", KNOCKOUT, groups=TWO | {"B": Group(TWO["A"].rounds, list("def"))}), "a group B in which"),
        (Results("x", KNOCKOUT, groups=TWO | {"B": group((1, 0), (1, 1000), (0, 0), names="def")}), "0 to 999"),
    ],
)
def test_a_file_that_describes_no_tournament_is_refused(tmp_path, file, sentence):
    path = tmp_path / "results.json"
    path.write_bytes(file if isinstance(file, bytes) else msgspec.json.encode(file))
    with pytest.raises(ResultsError, match=sentence):
        read_results(path)


def test_groups_of_any_size_are_imported_with_the_matches_of_their_top_seed_in_the_real_order(organizer, tmp_path):
    path = tmp_path / "results.json"
    path.write_bytes(msgspec.json.encode(Results("x", KNOCKOUT, groups=TWO)))
    results = read_results(path)
    cup = import_results(organizer, results)
    assert [pair for pair in map(set, pairs(cup.matches.filter(group=1).order_by("round"))) if "a" in pair] == [
        {"a", "b"},
        {"a", "c"},
    ]
    assert run(organizer, cup, FakeTime(), results)
    assert factories.fresh(cup).champion.name == "a"


def test_entrants_who_never_met_stop_the_replay(organizer):
    cup = factories.drawn(2, organizer.user)
    with pytest.raises(ResultsError, match="has no match of"):
        run(organizer, cup, FakeTime())


def test_demo_people_get_passwords_once_and_can_sign_in_with_them():
    people = demo.ensure_people()
    assert set(people.passwords) == {"demo-organiser", "demo-referee"}
    for name, password in people.passwords.items():
        assert User.objects.get(username=name).check_password(password)
    assert demo.ensure_people().passwords == {}


def play(people, results, time, **options):
    return demo.play(people, results, seconds=1, pause=0, sleep=time.sleep, clock=time.clock, **options)


def test_the_demo_continues_what_runs_starts_afresh_and_forgets_the_oldest():
    people = demo.ensure_people()
    first = demo.current(people, A_FINAL)
    assert demo.current(people, A_FINAL) == first
    names = []
    for _ in range(demo.KEEP + 2):
        names.append(demo.current(people, A_FINAL).stream)
        assert not play(people, A_FINAL, FakeTime(stop_after=0.5))
        assert play(people, A_FINAL, FakeTime())
        demo.discard_old()
    left = [cup.stream for cup in Tournament.objects.order_by("pk")]
    assert left == names[-demo.KEEP :]
    assert list(Stream.objects.order_by("pk").values_list("name", flat=True)) == left
    assert not Event.objects.exclude(stream__name__in=left).exists()


def test_a_demo_that_was_killed_while_it_was_set_up_leaves_nothing_behind(monkeypatch):
    people = demo.ensure_people()
    with monkeypatch.context() as patched:
        patched.setattr(tournaments, "add_member", raising(Killed))
        with pytest.raises(Killed):
            demo.current(people, CUP)
    assert not Tournament.objects.exists()
    assert demo.current(people, CUP).status == Status.REGISTRATION_CLOSED


def test_a_demo_that_somebody_led_away_from_reality_is_called_off_and_a_fresh_one_begins():
    people = demo.ensure_people()
    cup = demo.current(people, CUP)
    for match in cup.matches.filter(group=1, round=1):
        matches.start(Actor(people.referee), match.pk)
        matches.finish(Actor(people.referee), match.pk, Score(9, 9))  # Senegal will be third, and Ecuador second
    assert play(people, CUP, FakeTime())
    assert factories.fresh(cup).status == Status.CANCELLED
    assert cup.stages.get(number=1).state == StageState.COMPLETED
    assert demo.current(people, CUP) != cup


def test_the_demo_removes_nobody_elses_tournament():
    theirs = factories.drawn(2)
    matches.start(Actor(theirs.created_by), theirs.matches.get().pk)
    matches.finish(Actor(theirs.created_by), theirs.matches.get().pk, Score(1, 0))
    demo.discard_old()
    assert Tournament.objects.filter(pk=theirs.pk, status=Status.COMPLETED).exists()
