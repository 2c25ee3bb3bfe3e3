"""Schedules: nothing is lost, nobody and nothing is in two places, and no match could begin earlier."""

from collections import Counter, defaultdict
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.conflicts import Clash, Conflict, conflicts
from engine.elimination import single_elimination
from engine.errors import InvalidSchedule
from engine.round_robin import grouped_round_robin, round_robin
from engine.schedule import Assignment, Fixture, Station, plan_schedule

MINUTES = st.integers(1, 60)
REST = st.integers(0, 20)


def fixtures_of(plans, minutes=lambda plan: 30, first=0):
    """Return the fixtures of planned matches; numbers and seeds count from `first`, seeds of a group on their own."""
    feeders = defaultdict(list)
    for plan in plans:
        for place in (plan.winner_to, plan.loser_to):
            if place is not None:
                feeders[place.match].append(plan.number + first)
    return [
        Fixture(
            match=plan.number + first,
            minutes=minutes(plan),
            entrants=tuple(first + 100 * plan.group + seed for seed in (plan.home_seed, plan.away_seed) if seed),
            feeders=tuple(feeders[plan.number]),
            round=plan.round,
        )
        for plan in plans
    ]


def end_of(fixtures, plan):
    """Return when the last match of a plan is over."""
    minutes = {fixture.match: fixture.minutes for fixture in fixtures}
    return max(a.start + minutes[a.match] for a in plan)


def stations_of(count):
    return [Station(number) for number in range(1, count + 1)]


@st.composite
def events(draw):
    """One to three brackets and leagues in one venue; some share entrants, one may wait for all of another."""
    found = []
    for _ in range(draw(st.integers(1, 3))):
        match draw(st.sampled_from(["bracket", "league", "groups"])):
            case "bracket":
                plans = single_elimination(draw(st.integers(2, 12)), third_place=draw(st.booleans()))
            case "league":
                plans = round_robin(draw(st.integers(2, 6)), legs=draw(st.integers(1, 2)))
            case _:
                plans = grouped_round_robin(draw(st.lists(st.integers(2, 4), min_size=1, max_size=3)))
        lengths = draw(st.lists(MINUTES, min_size=3, max_size=3))
        fixtures = fixtures_of(plans, lambda plan, lengths=lengths: lengths[plan.round % 3], first=1000 * len(found))
        if found and draw(st.booleans()):
            before = tuple(fixture.match for fixture in found[-1])
            fixtures = [replace(f, feeders=f.feeders or before) for f in fixtures]
        if draw(st.booleans()):
            fixtures = [replace(f, entrants=tuple(e % 100 for e in f.entrants)) for f in fixtures]
        found.append(fixtures)
    return [fixture for fixtures in found for fixture in fixtures]


@st.composite
def stations(draw):
    """Up to five stations, of which the first is always open."""
    later = st.builds(
        lambda opens, length: (opens, opens + length) if length else (opens, None),
        st.integers(0, 200),
        st.integers(0, 200),
    )
    hours = [(None, None), *draw(st.lists(later, max_size=4))]
    return [Station(number, *pair) for number, pair in enumerate(hours, start=1)]


class TestPlan:
    @given(events(), stations(), REST, st.integers(-50, 300))
    def test_every_match_is_planned_without_a_conflict(self, fixtures, places, rest, start):
        plan = plan_schedule(fixtures, places, start=start, rest=rest)
        assert Counter(a.match for a in plan) == Counter(f.match for f in fixtures)
        assert {a.station for a in plan} <= {place.id for place in places}
        assert min(a.start for a in plan) >= start
        assert conflicts(fixtures, plan, stations=places, rest=rest) == []

    @given(events(), stations(), REST)
    def test_it_is_never_longer_than_one_match_after_another(self, fixtures, places, rest):
        end = end_of(fixtures, plan_schedule(fixtures, places, rest=rest))
        assert end <= sum(f.minutes + rest for f in fixtures)

    @given(events(), stations(), REST, st.data())
    def test_no_match_could_begin_earlier_while_the_others_stay(self, fixtures, places, rest, data):
        plan = plan_schedule(fixtures, places, rest=rest)
        minutes = {f.match: f.minutes for f in fixtures}
        moments = {0, *(place.opens or 0 for place in places)}
        moments |= {a.start + minutes[a.match] + pause for a in plan for pause in (0, rest)}
        chosen = data.draw(st.sampled_from(plan))
        others = [a for a in plan if a is not chosen]
        for start in (moment for moment in moments if moment < chosen.start):
            for place in places:
                moved = [*others, Assignment(chosen.match, place.id, start)]
                assert conflicts(fixtures, moved, stations=places, rest=rest), (chosen, place, start)

    @given(events(), stations(), REST, st.randoms(use_true_random=False))
    def test_the_order_in_which_matches_are_given_makes_no_difference(self, fixtures, places, rest, rng):
        shuffled = list(fixtures)
        rng.shuffle(shuffled)
        assert plan_schedule(shuffled, places, rest=rest) == plan_schedule(fixtures, places, rest=rest)

    @given(events(), stations(), REST, st.data())
    def test_what_has_begun_stays_and_the_rest_is_planned_around_it(self, fixtures, places, rest, data):
        before = plan_schedule(fixtures, places, rest=rest)
        now = data.draw(st.integers(0, before[-1].start + 1))
        begun = [a for a in before if a.start < now]
        late = {a.match: data.draw(st.integers(0, 15)) for a in begun[-3:]}
        fixtures = [replace(f, minutes=f.minutes + late.get(f.match, 0)) for f in fixtures]
        now += data.draw(st.integers(0, 60))
        plan = plan_schedule(fixtures, places, start=now, rest=rest, fixed=begun)
        assert Counter(a.match for a in plan) == Counter(f.match for f in fixtures)
        assert set(begun) <= set(plan)
        assert min((a.start for a in plan if a not in begun), default=now) >= now
        known = conflicts(fixtures, begun, stations=places, rest=rest)
        assert conflicts(fixtures, plan, stations=places, rest=rest) == known

    def test_what_leads_to_a_pinned_match_is_planned_first(self):
        bracket = fixtures_of(single_elimination(4))
        league = fixtures_of(round_robin(6), first=100)
        final = Assignment(3, 1, 60)
        plan = plan_schedule(bracket + league, stations_of(1), fixed=[final])
        assert [a.match for a in plan][:3] == [1, 2, 3]
        assert final in plan
        assert conflicts(bracket + league, plan) == []

    @pytest.mark.parametrize("rest", [0, 10])
    def test_a_league_with_a_station_for_every_pair_takes_a_round_at_a_time(self, rest):
        for n in range(2, 21, 2):
            fixtures = fixtures_of(round_robin(n))
            plan = plan_schedule(fixtures, stations_of(n // 2), rest=rest)
            assert end_of(fixtures, plan) == (n - 1) * 30 + (n - 2) * rest, n

    def test_a_league_on_fewer_stations_leaves_none_of_them_idle(self):
        for n in range(6, 21):
            for count in range(1, n // 2 - 1):
                fixtures = fixtures_of(round_robin(n))
                end = end_of(fixtures, plan_schedule(fixtures, stations_of(count)))
                assert end == -(-len(fixtures) // count) * 30, (n, count)

    def test_a_bracket_with_enough_stations_takes_as_long_as_its_longest_path(self):
        for n in range(2, 65):
            fixtures = fixtures_of(single_elimination(n, third_place=True))
            rounds = (n - 1).bit_length()
            end = end_of(fixtures, plan_schedule(fixtures, stations_of(32), rest=10))
            assert end == rounds * 30 + (rounds - 1) * 10, n

    def test_rounds_of_a_league_stay_in_order_even_if_the_last_takes_longest(self):
        plans = round_robin(5)
        fixtures = fixtures_of(plans, lambda plan: 60 if plan.round == 5 else 30)
        planned = plan_schedule(fixtures, stations_of(1))
        assert [a.match for a in planned] == [plan.number for plan in plans]

    def test_the_longer_way_to_the_final_goes_first(self):
        short_side = Fixture(match=1, minutes=10)
        long_side = [Fixture(match=2, minutes=10), Fixture(match=3, minutes=30, feeders=(2,))]
        final = Fixture(match=4, minutes=10, feeders=(1, 3))
        plan = plan_schedule([short_side, *long_side, final], stations_of(1))
        assert [a.match for a in plan] == [2, 3, 1, 4]


class TestConflicts:
    @given(st.data())
    def test_exactly_the_pairs_that_overlap_are_found(self, data):
        small = st.integers(1, 3)
        fixtures = [
            Fixture(
                match=match,
                minutes=data.draw(st.integers(1, 20)),
                entrants=tuple(data.draw(st.sets(small, max_size=2))),
                feeders=tuple(data.draw(st.sets(st.integers(1, match - 1), max_size=2))) if match > 1 else (),
            )
            for match in range(1, data.draw(st.integers(1, 8)) + 1)
        ]
        placed = [Assignment(f.match, data.draw(small), data.draw(st.integers(0, 60))) for f in fixtures]
        placed = data.draw(st.permutations(placed))[data.draw(st.integers(0, 2)) :]
        rest = data.draw(st.integers(0, 10))
        hours = [Station(1, 10, 50), Station(2, None, 40), Station(3, 5)]

        by_match = {f.match: f for f in fixtures}
        expected = set()
        for a, b in combinations(sorted(placed, key=lambda a: (a.start, a.match)), 2):
            end = a.start + by_match[a.match].minutes
            if a.station == b.station and b.start < end:
                expected.add(Conflict(Clash.STATION, (a.match, b.match), a.station))
            for entrant in set(by_match[a.match].entrants) & set(by_match[b.match].entrants):
                if b.start < end + rest:
                    clash = Clash.ENTRANT if b.start < end else Clash.REST
                    expected.add(Conflict(clash, (a.match, b.match), entrant))
        for feeder in placed:
            for a in placed:
                pause = a.start - feeder.start - by_match[feeder.match].minutes
                if feeder.match in by_match[a.match].feeders and pause < rest:
                    expected.add(Conflict(Clash.FEEDER if pause < 0 else Clash.REST, (feeder.match, a.match)))
        for a in placed:
            station = hours[a.station - 1]
            end = a.start + by_match[a.match].minutes
            if a.start < (station.opens or 0) or end > (station.closes or 1000):
                expected.add(Conflict(Clash.CLOSED, (a.match,), a.station))

        found = conflicts(fixtures, placed, stations=hours, rest=rest)
        assert set(found) == expected
        assert len(found) == len(expected)

    @pytest.mark.parametrize(
        ("conflict", "sentence"),
        [
            (Conflict(Clash.STATION, (4, 7), 2), "Station 2 has matches 4 and 7 at the same time."),
            (Conflict(Clash.ENTRANT, (4, 7), 9), "Entrant 9 plays matches 4 and 7 at the same time."),
            (Conflict(Clash.FEEDER, (4, 7)), "Match 7 begins before match 4, which it waits for, is over."),
            (Conflict(Clash.REST, (4, 7), 9), "Entrant 9 has too little rest between matches 4 and 7."),
            (Conflict(Clash.REST, (4, 7)), "Match 7 begins too soon after match 4"),
            (Conflict(Clash.CLOSED, (4,), 2), "Station 2 is not open for all of match 4."),
        ],
    )
    def test_a_conflict_is_a_sentence(self, conflict, sentence):
        assert str(conflict).startswith(sentence)


def test_of_nothing_there_is_an_empty_plan():
    assert plan_schedule([], stations_of(1)) == []


ONE = Fixture(match=1, minutes=30)


@pytest.mark.parametrize(
    ("given_", "sentence"),
    [
        ({"stations": []}, "no station to play on"),
        ({"stations": [Station(1), Station(1)]}, "station is named twice"),
        ({"stations": [Station(1, 0, 20), Station(2, 50, 70)]}, "Match 1 takes 30 minutes, and no station is open"),
        ({"fixtures": [ONE, ONE]}, "Match 1 is among the matches to plan twice"),
        ({"fixtures": [replace(ONE, minutes=0)]}, "at least 1 minute, not 0"),
        ({"fixtures": [replace(ONE, feeders=(2,))]}, "Match 1 waits for match 2"),
        ({"fixtures": [replace(ONE, feeders=(2,)), replace(ONE, match=2, feeders=(1,))]}, "none can begin: 1, 2"),
        ({"fixed": [Assignment(2, 1, 0)]}, "Match 2 has a time, but it is not among"),
        ({"fixed": [Assignment(1, 1, 0), Assignment(1, 1, 5)]}, "Match 1 has two times"),
        ({"rest": -1}, "0 minutes or more, not -1"),
    ],
)
def test_what_cannot_be_planned_is_refused_with_the_reason(given_, sentence):
    with pytest.raises(InvalidSchedule, match=sentence):
        plan_schedule(**{"fixtures": [ONE], "stations": stations_of(1)} | given_)
