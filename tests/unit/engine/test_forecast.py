"""A forecast keeps the plan's order and stations, and moves nothing further than what stands in its way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.conflicts import conflicts
from engine.errors import InvalidSchedule
from engine.forecast import forecast
from engine.schedule import Assignment, Fixture, Station, plan_schedule


@st.composite
def plans(draw):
    """A plan without conflicts, of matches some of which lead to others; the rest that it was made with."""
    fixtures = []
    for match in range(1, draw(st.integers(1, 12)) + 1):
        feeders = draw(st.sets(st.integers(1, match - 1), max_size=2)) if match > 1 else ()
        entrants = draw(st.sets(st.integers(1, 6), max_size=2))
        minutes = draw(st.integers(1, 40))
        fixtures.append(Fixture(match=match, minutes=minutes, entrants=tuple(entrants), feeders=tuple(feeders)))
    rest = draw(st.integers(0, 15))
    stations = [Station(number) for number in range(1, draw(st.integers(1, 3)) + 1)]
    return fixtures, plan_schedule(fixtures, stations, rest=rest), rest


@given(plans())
def test_what_is_on_time_is_expected_when_it_is_planned(plan):
    fixtures, planned, rest = plan
    assert forecast(fixtures, planned, now=0, rest=rest) == planned


@given(plans(), st.integers(0, 200))
def test_a_delay_pushes_what_waits_for_it_and_nothing_else(plan, now):
    fixtures, planned, rest = plan
    expected = forecast(fixtures, planned, now=now, rest=rest)
    assert conflicts(fixtures, expected, rest=rest) == []
    was = {a.match: a for a in planned}
    minutes = {f.match: f.minutes for f in fixtures}
    ends = {a.start + minutes[a.match] + pause for a in expected for pause in (0, rest)}
    for a in expected:
        assert a.station == was[a.match].station
        assert a.start >= max(now, was[a.match].start)
        assert a.start in {now, was[a.match].start} | ends
    if now <= planned[0].start:
        assert expected == planned


def test_a_match_that_takes_longer_makes_the_next_at_its_station_late():
    fixtures = [Fixture(match=1, minutes=45), Fixture(match=2, minutes=30), Fixture(match=3, minutes=30)]
    planned = [Assignment(1, 1, 0), Assignment(2, 1, 30), Assignment(3, 2, 30)]
    expected = forecast(fixtures, planned, now=20, begun={1})
    assert expected == [Assignment(1, 1, 0), Assignment(3, 2, 30), Assignment(2, 1, 45)]


def test_a_match_of_which_nothing_is_known_is_refused():
    with pytest.raises(InvalidSchedule, match="Match 2 has a time"):
        forecast([Fixture(match=1, minutes=30)], [Assignment(2, 1, 0)], now=0)
