"""The demo on its real data, with a clock that jumps instead of waiting."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import User
from apps.eventlog import log
from apps.eventlog.models import Event, Stream
from apps.tournaments.management import demo
from apps.tournaments.management.replay import Replay
from apps.tournaments.management.results import WORLD_CUP, ResultsError, import_results, read_results
from apps.tournaments.models import Match, Status, Tournament
from apps.tournaments.services import Actor, matches
from engine.match_flow import Score
from tests import factories

pytestmark = pytest.mark.django_db


class FakeTime:
    """A clock that stands still until somebody sleeps."""

    def __init__(self, stop_after: float = float("inf")) -> None:
        self.now, self.stop_after = 0.0, stop_after

    def sleep(self, seconds: float) -> bool:
        self.now += seconds
        return self.now >= self.stop_after

    def clock(self) -> float:
        return self.now


@pytest.fixture
def organizer(db: None) -> Actor:
    return Actor(factories.make_user("fifa"))


def run(actor: Actor, tournament: Tournament, time: FakeTime, **options) -> bool:
    options = {"seconds": 20, "pause": 3, "at_once": 2, **options}
    results = read_results(WORLD_CUP)
    return Replay(actor, tournament, results, sleep=time.sleep, clock=time.clock, **options).run()


def test_the_import_puts_every_team_in_its_real_place(organizer):
    results = read_results(WORLD_CUP)
    cup = import_results(organizer, results)
    first = cup.matches.filter(round=1).order_by("position").select_related("home", "away")
    assert [(m.home.name, m.away.name) for m in first] == [(f.home, f.away) for f in results.rounds[0]]
    assert cup.status == Status.REGISTRATION_CLOSED
    assert cup.seeding == "manual"


def test_the_replay_plays_every_match_to_its_real_result_and_argentina_wins(organizer):
    cup = import_results(organizer, read_results(WORLD_CUP))
    time = FakeTime()
    assert run(organizer, cup, time)
    cup.refresh_from_db()
    assert cup.champion.name == "Argentina"
    assert cup.runner_up.name == "France"
    assert cup.third_place.name == "Croatia"
    played = {(m.home.name, m.away.name): m for m in cup.matches.select_related("home", "away")}
    for fixture in read_results(WORLD_CUP).fixtures():
        assert played[fixture.home, fixture.away].score == fixture.final_score()
    assert 16 * 20 / 2 < time.now < 16 * 25


def test_scores_tick_goal_by_goal_and_only_upwards(organizer):
    cup = import_results(organizer, read_results(WORLD_CUP))
    run(organizer, cup, FakeTime())
    final = cup.matches.latest("number")
    last = (0, 0, 0, 0)
    steps = 0
    for event in log.read(cup.stream, after=0, limit=1000):
        if event.subject != final.subject or event.type != "score_updated":
            continue
        change = json.loads(bytes(event.data))["match"]
        score = tuple(
            change.get(name) or was
            for name, was in zip(("home_score", "away_score", "home_shootout", "away_shootout"), last, strict=True)
        )
        assert sum(score) == sum(last) + 1
        last, steps = score, steps + 1
    assert last == (3, 3, 4, 2)
    assert steps == 12


@pytest.mark.parametrize("moment", [1, 15, 19.9, 47, 100, 150, 200])
def test_a_replay_that_was_interrupted_goes_on(organizer, moment):
    cup = import_results(organizer, read_results(WORLD_CUP))
    assert not run(organizer, cup, FakeTime(stop_after=moment))
    cup.refresh_from_db()
    assert cup.status in (Status.REGISTRATION_CLOSED, Status.LIVE)
    assert run(organizer, cup, FakeTime())
    cup.refresh_from_db()
    assert cup.champion.name == "Argentina"


def test_a_person_may_decide_a_match_while_the_replay_runs(organizer):
    cup = import_results(organizer, read_results(WORLD_CUP))
    meddled = []

    class Meddling(FakeTime):
        def sleep(self, seconds):
            live = Match.objects.filter(tournament=cup, state="live").order_by("number").first()
            if live is not None and not meddled:
                meddled.append(live.pk)
                matches.finish(organizer, live.pk, Score(9, 0))
            return super().sleep(seconds)

    assert run(organizer, cup, Meddling())
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


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("not json", "not a file of results"),
        ('{"name": "x"}', "rounds"),
        ('{"name": "x", "rounds": []}', "rounds of"),
        ('{"name": "x", "rounds": [[{"home": "a", "away": "b", "score": [1, -1]}]]}', "0 to 999"),
        ('{"name": "x", "rounds": [[], [{"home": "a", "away": "b", "score": [1, 0]}]]}', "4, 2, 1"),
    ],
)
def test_a_file_that_is_no_knockout_is_refused(tmp_path, text, sentence):
    file = tmp_path / "results.json"
    file.write_text(text)
    with pytest.raises(ResultsError, match=sentence):
        read_results(file)


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


def test_the_demo_continues_what_runs_starts_afresh_and_forgets_the_oldest():
    people, results = demo.ensure_people(), read_results(WORLD_CUP)
    first = demo.current(people, results)
    assert demo.current(people, results) == first
    names = []
    for _ in range(demo.KEEP + 2):
        cup = demo.current(people, results)
        assert run(Actor(people.referee), cup, FakeTime(), seconds=0.1, pause=0)
        names.append(cup.stream)
        demo.discard_old()
    left = [cup.stream for cup in Tournament.objects.order_by("pk")]
    assert left == names[-demo.KEEP :]
    assert list(Stream.objects.order_by("pk").values_list("name", flat=True)) == left
    assert not Event.objects.exclude(stream__name__in=left).exists()


def test_the_demo_removes_nobody_elses_tournament():
    theirs = factories.drawn(2)
    matches.start(Actor(theirs.created_by), theirs.matches.get().pk)
    matches.finish(Actor(theirs.created_by), theirs.matches.get().pk, Score(1, 0))
    demo.discard_old()
    assert Tournament.objects.filter(pk=theirs.pk, status=Status.COMPLETED).exists()
