"""Stations, plans and bookings: nobody and nothing is ever booked twice, whatever people do in whatever order."""

from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.errors import AppError, BadRequest, Conflict
from apps.eventlog import log
from apps.eventlog.models import Event
from apps.tournaments.models import Match, Station, Tournament
from apps.tournaments.selectors.schedule import LATE_AFTER, minute_of, moment_of, schedule_of
from apps.tournaments.selectors.snapshots import tournament_snapshot
from apps.tournaments.services import Actor, deadlines, matches, reopening, schedule, stations, tournaments, unit
from apps.tournaments.services.bookings import open_matches, timetable_of
from engine.bracket import Side
from engine.conflicts import Clash, conflicts
from engine.match_flow import BEGUN, OPEN, Score
from engine.stages import Format
from tests import factories
from tests.integration.tournaments.test_formats import the_log_is_the_state
from tests.integration.tournaments.walk import RandomTournament

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Clock:
    """The present of all services."""

    def __init__(self):
        self.now = NOON

    def __call__(self):
        return self.now

    def tick(self, **delta):
        self.now += timedelta(**delta)


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(unit, "present", clock)
    return clock


def by(cup):
    return Actor(cup.created_by)


def with_stations(cup, count=2):
    for number in range(1, count + 1):
        stations.add(by(cup), cup.pk, name=f"Court {number}")
    return cup


def planned(cup, **chosen):
    """Plan a tournament and return its matches by number."""
    schedule.plan(by(cup), cup.pk, **chosen)
    return {match.number: match for match in cup.matches.order_by("number")}


def types(cup):
    return [event.type for event in log.read(cup.stream, after=0, limit=10_000)]


def at(minutes):
    return NOON + timedelta(minutes=minutes)


class Venue(RandomTournament):
    """A random tournament in a place with stations, run by somebody who plans, moves and calls at random."""

    def __init__(self, seed, clock):
        clock.now = NOON
        self.clock = clock
        super().__init__(seed)
        minutes = self.rng.choice([0, 5, 10])
        self.command(tournaments.edit, Actor(self.organizer), self.pk, match_check_in_minutes=minutes)
        for number in range(self.rng.randint(1, 3)):
            self.command(stations.add, Actor(self.organizer), self.pk, name=f"Table {number}")

    def command(self, service, actor, *args, **kwargs):
        super().command(service, actor, *args, **kwargs)
        self.nothing_is_booked_twice()

    def any_station(self):
        return self.rng.choice([None, *Station.objects.filter(tournament=self.pk).values_list("pk", flat=True)])

    def time_goes_by(self):
        self.clock.tick(minutes=self.rng.randint(0, 25), seconds=self.rng.randint(0, 59))
        deadlines.sweep(self.clock.now)

    def change_stations(self):
        station = self.any_station() or 10**9
        change = self.rng.random()
        if change < 0.4:
            self.command(stations.add, self.staff(), self.pk, name=self.rng.choice(["Table A", "Table B", ""]))
        elif change < 0.7:
            self.command(stations.rename, self.staff(), station, name=f"Table {self.rng.randint(0, 9)}")
        else:
            self.command(stations.remove, self.staff(), station)

    def plan(self):
        rng = self.rng
        lengths = {"match_minutes": rng.choice([5, 20, 45]), "rest_minutes": rng.choice([0, 10])}
        starts_at = rng.choice([None, self.clock.now + timedelta(minutes=rng.randint(-60, 60))])
        before = log.positions([self.stream])[self.stream].seq
        actor = self.staff()
        self.command(schedule.plan, actor, self.pk, starts_at=starts_at, **(lengths if rng.random() < 0.5 else {}))
        if any(e.type == "schedule_planned" for e in log.read(self.stream, after=before, limit=9)):
            self.what_was_planned_is_without_a_conflict(starts_at)

    def move_match(self):
        match = self.any_match("scheduled", "ready", "check_in", "live")
        moves = {"station_id": self.any_station()}
        if match.state not in BEGUN or self.rng.random() < 0.2:
            at = self.clock.now + timedelta(minutes=self.rng.randint(-5, 90))
            moves["scheduled_at"] = self.rng.choice([at, at, at, None])
        for name in self.rng.choice([[], ["station_id"], ["scheduled_at"]]):
            moves.pop(name, None)
        self.command(schedule.schedule, self.staff(), match.pk, **moves)

    def call(self):
        match = self.any_match("ready", "check_in")
        try:
            schedule.call(self.staff(), match.pk)
        except AppError:
            return
        here = [m for m in Match.objects.filter(tournament=self.pk) if is_on_its_way(m) and m.pk != match.pk]
        match.refresh_from_db()
        for other in here:
            assert match.station_id is None or other.station_id != match.station_id
            assert not {other.home_id, other.away_id} & {match.home_id, match.away_id}

    def extend(self):
        match = self.any_match("check_in", "pending_result")
        self.command(deadlines.extend, self.staff(), match.pk, minutes=self.rng.randint(0, 30))

    STEPS = {step: weight / 2 for step, weight in RandomTournament.STEPS.items()} | {
        time_goes_by: 7, change_stations: 2, plan: 8, move_match: 12, call: 6, extend: 1.5, RandomTournament.cancel: 0,
    }  # fmt: skip

    def nothing_is_booked_twice(self):
        length = Tournament.objects.get(pk=self.pk).match_minutes
        booked = Match.objects.filter(tournament=self.pk, state__in=OPEN - BEGUN, scheduled_at__isnull=False)
        for one, other in combinations(booked, 2):
            ends = [m.scheduled_at + timedelta(minutes=length * m.best_of) for m in (one, other)]
            if one.scheduled_at < ends[1] and other.scheduled_at < ends[0]:
                assert one.station_id is None or one.station_id != other.station_id, "a station is booked twice"
                entrants = {one.home_id, one.away_id} & {other.home_id, other.away_id} - {None}
                assert not entrants, "an entrant is booked twice"

    def what_was_planned_is_without_a_conflict(self, starts_at):
        cup = Tournament.objects.get(pk=self.pk)
        rows = {match.pk: match for match in open_matches(cup)}
        table = timetable_of(cup, rows.values(), minute_of(self.clock.now))
        stay = {pk for pk, m in rows.items() if m.state in BEGUN or m.called_at or m.state == "check_in"}
        moved = rows.keys() - stay
        found = conflicts(table.fixtures, table.bookings, rest=cup.rest_minutes)
        assert not [c for c in found if not stay.issuperset(c.matches)]
        begin = max(self.clock.now, starts_at or self.clock.now)
        assert all(rows[pk].station_id and rows[pk].scheduled_at >= begin.replace(microsecond=0) for pk in moved)


def is_on_its_way(match):
    return match.state == "live" or (match.called_at is not None and match.state in ("ready", "check_in"))


def test_nothing_is_ever_booked_twice_whatever_people_do(clock):
    @settings(max_examples=12)
    @given(seed=st.integers(0, 2**32))
    def walk(seed):
        Venue(seed, clock).run(steps=60)

    walk()
    # Walks in which everything was refused would prove little.
    assert {"schedule_planned", "match_scheduled", "match_called", "station_added"} <= set(
        Event.objects.values_list("type", flat=True)
    )


class TestPlan:
    def test_a_bracket_on_two_courts(self):
        cup = with_stations(factories.drawn(4))
        plan = planned(cup, starts_at=at(60), match_minutes=20, rest_minutes=10)
        courts = list(cup.stations.values_list("pk", flat=True))
        assert [(m.station_id, m.scheduled_at) for m in plan.values()] == [
            (courts[0], at(60)),
            (courts[1], at(60)),
            (courts[0], at(90)),
            (courts[1], at(90)),
        ]
        assert types(cup)[-2:] == ["tournament_updated", "schedule_planned"]
        the_log_is_the_state(cup)

    def test_a_best_of_three_takes_three_times_as_long(self):
        cup = with_stations(factories.drawn(4, stage={"best_of": 3, "third_place_match": False}), 1)
        plan = planned(cup, match_minutes=20)
        assert [m.scheduled_at for m in plan.values()] == [at(0), at(60), at(120)]

    def test_it_does_not_begin_in_the_past(self, clock):
        cup = with_stations(factories.drawn(2))
        clock.tick(minutes=30, seconds=20)
        assert planned(cup, starts_at=NOON)[1].scheduled_at == at(31)

    def test_a_plan_after_delays_moves_what_has_not_begun_and_nothing_else(self, clock):
        cup = with_stations(factories.drawn(4, third_place_match=False), 1)
        planned(cup, match_minutes=30)
        first = factories.match_number(cup, 1)
        matches.start(by(cup), first.pk)
        clock.tick(minutes=50)
        plan = planned(cup)
        assert [m.scheduled_at for m in plan.values()] == [at(0), at(55), at(85)]
        seq = log.positions([cup.stream])[cup.stream].seq
        assert planned(cup).keys() == plan.keys()
        assert log.positions([cup.stream])[cup.stream].seq == seq, "a plan that changes nothing says nothing"

    def test_a_round_that_is_paired_later_is_planned_later(self):
        cup = with_stations(factories.drawn(4, format=Format.SWISS))
        planned(cup)
        factories.play(cup, matches_at_most=3)
        plan = planned(cup)
        assert plan[4].scheduled_at is not None
        the_log_is_the_state(cup)

    def test_without_a_station_or_without_a_match_there_is_no_plan(self):
        bare, undrawn, over = factories.drawn(2), factories.open_with_entries(2), factories.drawn(2)
        factories.play(over)
        for cup, refusal, sentence in (
            (bare, BadRequest, "no station to play on"),
            (with_stations(undrawn), Conflict, "Draw the bracket"),
            (with_stations(over), Conflict, "nothing is left to plan"),
        ):
            with pytest.raises(refusal, match=sentence):
                schedule.plan(by(cup), cup.pk)

    @pytest.mark.parametrize(
        ("chosen", "field"),
        [
            ({"match_minutes": 0}, "match_minutes"),
            ({"match_minutes": 1441}, "match_minutes"),
            ({"rest_minutes": -1}, "rest_minutes"),
            ({"starts_at": datetime(2026, 11, 22)}, "starts_at"),  # noqa: DTZ001
            ({"starts_at": NOON.replace(year=2101)}, "starts_at"),
        ],
    )
    def test_lengths_and_times_that_make_no_sense_are_refused(self, chosen, field):
        cup = with_stations(factories.drawn(2))
        with pytest.raises(BadRequest) as refusal:
            schedule.plan(by(cup), cup.pk, **chosen)
        assert refusal.value.data["field"] == field

    def test_whoever_is_on_the_way_to_a_court_is_not_sent_elsewhere(self, clock):
        cup = with_stations(factories.drawn(8, third_place_match=False))
        plan = planned(cup, match_minutes=30)
        third = plan[3]
        schedule.call(by(cup), third.pk)
        clock.tick(minutes=7)
        again = planned(cup)
        assert (again[3].station_id, again[3].scheduled_at) == (third.station_id, third.scheduled_at)
        assert again[3].called_at == NOON
        assert [again[n].scheduled_at for n in (1, 2)] == [at(7), at(37)], "they share the other court"

    def test_a_check_in_whose_match_is_put_off_is_closed_again(self, clock):
        cup = with_stations(factories.drawn(2, match_check_in_minutes=10), 1)
        match = factories.match_number(cup, 1)
        schedule.call(by(cup), match.pk)
        matches.check_in(by(cup), match.pk, side=Side.HOME)
        planned(cup, starts_at=at(60))
        match.refresh_from_db()
        assert (match.state, match.deadline_at, match.home_checked_in, match.called_at) == ("ready", None, False, None)
        assert deadlines.sweep(at(59)) == 0
        assert deadlines.sweep(at(60)) == 1
        the_log_is_the_state(cup)


class TestByHand:
    def test_a_match_gets_a_time_and_a_station_one_by_one(self):
        cup = with_stations(factories.drawn(2))
        match, court = factories.match_number(cup, 1), cup.stations.get(name="Court 2")
        schedule.schedule(by(cup), match.pk, scheduled_at=at(10) + timedelta(seconds=42))
        schedule.schedule(by(cup), match.pk, station_id=court.pk)
        match.refresh_from_db()
        assert (match.scheduled_at, match.station) == (at(10), court)
        schedule.schedule(by(cup), match.pk, scheduled_at=None, station_id=None)
        match.refresh_from_db()
        assert (match.scheduled_at, match.station) == (None, None)
        assert types(cup)[-3:] == ["match_scheduled"] * 3
        the_log_is_the_state(cup)

    def test_a_station_that_is_taken_is_refused_with_who_takes_it(self):
        cup = with_stations(factories.drawn(4))
        plan = planned(cup, match_minutes=20)
        with pytest.raises(Conflict) as refusal:
            schedule.schedule(by(cup), plan[2].pk, station_id=plan[1].station_id)
        assert refusal.value.message == (
            "Court 1 would have two matches at once: match 1, until 22 Nov 2026, 12:20 UTC, "
            "and match 2, from 22 Nov 2026, 12:00 UTC."
        )
        assert refusal.value.data["conflicts"] == [
            {"clash": "station", "matches": [plan[1].pk, plan[2].pk], "subject": plan[1].station_id}
        ]
        for number in (3, 4):  # which wait for it
            schedule.schedule(by(cup), plan[number].pk, scheduled_at=None)
        schedule.schedule(by(cup), plan[2].pk, station_id=plan[1].station_id, scheduled_at=at(20))

    def test_an_entrant_cannot_be_in_two_places(self):
        cup = factories.drawn(4, format=Format.ROUND_ROBIN)
        first = factories.match_number(cup, 1)
        later = cup.matches.filter(home=first.home).exclude(pk=first.pk).first()
        later = later or cup.matches.filter(away=first.home).exclude(pk=first.pk).first()
        schedule.schedule(by(cup), first.pk, scheduled_at=at(0))
        with pytest.raises(Conflict, match=f"{first.home.name} would play two matches at once"):
            schedule.schedule(by(cup), later.pk, scheduled_at=at(29))
        schedule.schedule(by(cup), later.pk, scheduled_at=at(30))

    def test_nobody_plays_a_final_before_it_is_known_who_plays_it(self):
        cup = factories.drawn(8, third_place_match=False)
        schedule.schedule(by(cup), factories.match_number(cup, 1).pk, scheduled_at=at(60))
        semi, final = factories.match_number(cup, 5), factories.match_number(cup, 7)
        for match in (semi, final):
            with pytest.raises(Conflict, match="waits for match 1, which is over on 22 Nov 2026, 13:30 UTC"):
                schedule.schedule(by(cup), match.pk, scheduled_at=at(89))
        schedule.schedule(by(cup), final.pk, scheduled_at=at(90))
        with pytest.raises(Conflict, match="Match 7 waits for match 1"):
            schedule.schedule(by(cup), factories.match_number(cup, 1).pk, scheduled_at=at(61))

    def test_a_match_in_play_takes_its_court_for_as_long_as_it_goes_on(self, clock):
        cup = with_stations(factories.drawn(4, third_place_match=False), 1)
        plan = planned(cup, match_minutes=30)
        matches.start(by(cup), plan[1].pk)
        schedule.schedule(by(cup), plan[3].pk, scheduled_at=None)
        clock.tick(minutes=45)
        with pytest.raises(Conflict, match="Court 1 would have two matches"):
            schedule.schedule(by(cup), plan[2].pk, scheduled_at=at(46))
        schedule.schedule(by(cup), plan[2].pk, scheduled_at=at(50))

    def test_of_a_match_in_play_only_the_station_changes_and_of_one_that_is_over_nothing(self):
        cup = with_stations(factories.drawn(2))
        match = factories.match_number(cup, 1)
        matches.start(by(cup), match.pk)
        with pytest.raises(Conflict, match="only its station can change"):
            schedule.schedule(by(cup), match.pk, scheduled_at=at(5))
        schedule.schedule(by(cup), match.pk, station_id=cup.stations.first().pk)
        matches.finish(by(cup), match.pk, Score(1, 0))
        with pytest.raises(Conflict, match="The match is over"):
            schedule.schedule(by(cup), match.pk, station_id=None)

    def test_times_that_have_passed_and_stations_of_others_are_refused(self, clock):
        cup, other = with_stations(factories.drawn(2)), with_stations(factories.drawn(2))
        match = factories.match_number(cup, 1)
        clock.tick(minutes=1)
        with pytest.raises(BadRequest, match="22 Nov 2026, 12:00 UTC has passed"):
            schedule.schedule(by(cup), match.pk, scheduled_at=NOON)
        with pytest.raises(BadRequest, match="no such station"):
            schedule.schedule(by(cup), match.pk, station_id=other.stations.first().pk)

    def test_what_was_shown_must_be_what_is_changed(self):
        cup = factories.drawn(2)
        match = factories.match_number(cup, 1)
        schedule.schedule(by(cup), match.pk, scheduled_at=at(5))
        with pytest.raises(Conflict, match="has changed since"):
            schedule.schedule(by(cup), match.pk, scheduled_at=at(6), expected_version=match.version)


class TestCall:
    def test_a_call_is_written_down_and_opens_the_check_in(self):
        cup = factories.drawn(2, match_check_in_minutes=10)
        match = factories.match_number(cup, 1)
        schedule.call(by(cup), match.pk)
        match.refresh_from_db()
        assert (match.called_at, match.state, match.deadline_at) == (NOON, "check_in", at(10))
        assert types(cup)[-2:] == ["match_called", "match_check_in_opened"]

    def test_who_is_here_already_is_called_without_another_check_in(self):
        cup = factories.drawn(2, match_check_in_minutes=10)
        match = factories.match_number(cup, 1)
        schedule.call(by(cup), match.pk)
        for side in Side:
            matches.check_in(by(cup), match.pk, side=side)
        schedule.call(by(cup), match.pk)
        match.refresh_from_db()
        assert match.state == "ready"

    def test_a_match_that_waits_or_has_begun_is_not_called(self):
        cup = factories.drawn(4)
        with pytest.raises(Conflict, match="still to come"):
            schedule.call(by(cup), factories.match_number(cup, 4).pk)
        first = factories.match_number(cup, 1)
        matches.start(by(cup), first.pk)
        with pytest.raises(Conflict, match="has begun"):
            schedule.call(by(cup), first.pk)

    def test_one_match_at_a_time_is_called_to_a_station(self):
        cup = with_stations(factories.drawn(4), 1)
        plan = planned(cup)
        schedule.call(by(cup), plan[1].pk)
        with pytest.raises(Conflict, match="Court 1 is taken: match 1 has been called there"):
            schedule.call(by(cup), plan[2].pk)
        matches.start(by(cup), plan[1].pk)
        with pytest.raises(Conflict, match="Court 1 is taken: match 1 is being played there"):
            schedule.call(by(cup), plan[2].pk)
        matches.finish(by(cup), plan[1].pk, Score(1, 0))
        schedule.call(by(cup), plan[2].pk)

    def test_nobody_is_called_away_from_a_match(self):
        cup = factories.drawn(3, format=Format.ROUND_ROBIN)
        first, second = factories.match_number(cup, 1), factories.match_number(cup, 2)
        matches.start(by(cup), first.pk)
        with pytest.raises(Conflict, match="is busy: match 1 is being played"):
            schedule.call(by(cup), second.pk)


class TestStations:
    def test_names_are_unique_and_kept_in_order(self):
        cup = with_stations(factories.drawn(2), 3)
        with pytest.raises(Conflict, match="a station court 1 already"):
            stations.add(by(cup), cup.pk, name="court 1")
        second = cup.stations.get(name="Court 2")
        with pytest.raises(Conflict, match="already"):
            stations.rename(by(cup), second.pk, name="COURT 3")
        with pytest.raises(BadRequest, match="name is missing"):
            stations.rename(by(cup), second.pk, name="  ")
        stations.rename(by(cup), second.pk, name="court 2")
        assert list(cup.stations.order_by("order").values_list("name", flat=True)) == ["Court 1", "court 2", "Court 3"]
        the_log_is_the_state(cup)

    def test_what_was_planned_at_a_station_that_goes_keeps_its_time(self):
        cup = with_stations(factories.drawn(4))
        plan = planned(cup)
        schedule.call(by(cup), plan[2].pk)
        stations.remove(by(cup), plan[2].station_id)
        match = factories.match_number(cup, 2)
        assert (match.station_id, match.scheduled_at, match.called_at) == (None, plan[2].scheduled_at, None)
        the_log_is_the_state(cup)


class TestReopening:
    def test_what_is_played_again_has_given_its_court_away(self, clock):
        cup = with_stations(factories.drawn(4, third_place_match=False), 1)
        plan = planned(cup, match_minutes=30)
        factories.play(cup, matches_at_most=1)
        clock.tick(minutes=10)
        planned(cup)
        assert factories.match_number(cup, 2).scheduled_at == at(10)
        reopening.reopen(by(cup), plan[1].pk, token=reopening.preview(by(cup), plan[1].pk).token)
        again = factories.match_number(cup, 1)
        assert (again.state, again.station, again.scheduled_at) == ("ready", None, None)
        the_log_is_the_state(cup)

    def test_a_corrected_result_stays_where_it_was_played(self):
        cup = with_stations(factories.drawn(2), 1)
        plan = planned(cup)
        factories.play(cup)
        token = reopening.preview(by(cup), plan[1].pk, score=Score(5, 0)).token
        reopening.reopen(by(cup), plan[1].pk, token=token, score=Score(5, 0))
        assert factories.match_number(cup, 1).station_id == plan[1].station_id

    def test_an_undo_does_not_take_a_court_from_whoever_got_it_in_the_meantime(self, clock):
        cup = with_stations(factories.drawn(4), 1)
        planned(cup, match_minutes=30)
        factories.play(cup, matches_at_most=2)
        final, third = factories.match_number(cup, 4), factories.match_number(cup, 3)
        matches.start(by(cup), final.pk)
        first = factories.match_number(cup, 1)
        done = reopening.reopen(by(cup), first.pk, token=reopening.preview(by(cup), first.pk).token)
        assert factories.match_number(cup, 4).station is None
        other = factories.match_number(cup, 1)
        schedule.schedule(by(cup), third.pk, scheduled_at=None)
        schedule.schedule(by(cup), other.pk, scheduled_at=at(10), station_id=final.station_id)
        with pytest.raises(Conflict):
            reopening.undo(by(cup), done.ids["reopening_id"])

    def test_an_undo_after_its_station_has_gone_leaves_the_match_without_one(self):
        cup = with_stations(factories.drawn(2), 1)
        plan = planned(cup)
        factories.play(cup)
        done = reopening.reopen(by(cup), plan[1].pk, token=reopening.preview(by(cup), plan[1].pk).token)
        stations.remove(by(cup), plan[1].station_id)
        reopening.undo(by(cup), done.ids["reopening_id"])
        match = factories.match_number(cup, 1)
        assert (match.state, match.station_id) == ("completed", None)
        the_log_is_the_state(cup)


class TestBoard:
    def board(self, cup, now):
        return schedule_of(tournament_snapshot(cup.pk, audience="public").data, now)

    def numbers(self, slots):
        return [slot.match["number"] for slot in slots]

    def test_each_station_says_what_is_played_what_is_late_and_what_is_next(self):
        cup = with_stations(factories.drawn(8, third_place_match=False))
        plan = planned(cup, match_minutes=30)
        matches.start(by(cup), plan[1].pk)
        board = self.board(cup, at(LATE_AFTER + 1))
        one, two = board.lanes
        assert (one.station["name"], two.station["name"]) == ("Court 1", "Court 2")
        assert [self.numbers(part) for part in (one.now, one.late, one.next)] == [[1], [], [3, 5, 7]]
        assert [self.numbers(part) for part in (two.now, two.late, two.next)] == [[], [2], [4, 6]]
        assert self.numbers(self.board(cup, at(LATE_AFTER)).lanes[1].late) == []

    def test_the_end_is_put_off_by_what_is_late(self):
        cup = with_stations(factories.drawn(4, third_place_match=False))
        planned(cup, match_minutes=30)
        assert self.board(cup, NOON).ends_at == at(60)
        assert self.board(cup, at(20)).ends_at == at(80)
        late = self.board(cup, at(20)).slots
        assert [(slot.match["number"], slot.begins) for slot in late] == [(1, at(20)), (2, at(20)), (3, at(50))]

    def test_without_a_plan_there_is_no_end(self):
        board = self.board(factories.drawn(2), NOON)
        assert (board.lanes, board.slots, board.ends_at) == ([], [], None)

    def test_a_match_without_a_station_has_a_lane_of_its_own(self):
        cup = factories.drawn(2)
        matches.start(by(cup), factories.match_number(cup, 1).pk)
        (lane,) = self.board(cup, at(3)).lanes
        assert lane.station is None
        assert self.numbers(lane.now) == [1]


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_minute_is_the_one_in_which_a_moment_lies(moment):
    assert moment_of(minute_of(moment)) == moment.replace(second=0, microsecond=0)
    assert minute_of(log.iso(moment)) == minute_of(moment)


def test_every_clash_that_can_be_refused_is_known():
    assert {clash.value for clash in Clash} == {"station", "entrant", "feeder", "rest", "closed"}
