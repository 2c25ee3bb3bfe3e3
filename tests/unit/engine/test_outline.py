"""What a format comes to before it is played, compared with what is drawn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.bracket import Bracket
from engine.errors import InvalidField
from engine.outline import outline, planned
from engine.stages import Format, StageSettings


@given(
    format=st.sampled_from(Format),
    entrants=st.integers(2, 40),
    stations=st.integers(1, 8),
    best_of=st.sampled_from([1, 3, 5]),
)
def test_it_counts_the_matches_that_there_will_be_and_no_station_plays_two_at_once(format, entrants, stations, best_of):
    settings = StageSettings(best_of=best_of)
    found = outline(format, settings, entrants, stations=stations, match_minutes=10)
    assert sum(row.matches for row in found.rounds) == found.matches
    if format is not Format.SWISS:
        plan = planned(format, settings, entrants)
        assert found.matches + found.with_reset == len(plan)
    work = found.matches * best_of * 10
    assert -(-work // stations) <= found.minutes <= work
    assert 0 < found.least <= found.most


def test_what_is_known_of_sixteen():
    def of(format, **settings):
        return outline(format, StageSettings(**settings), 16, stations=4, match_minutes=30)

    single = of(Format.SINGLE_ELIMINATION, third_place_match=False)
    assert (single.matches, single.minutes, single.least, single.most) == (15, 150, 1, 4)
    double = of(Format.DOUBLE_ELIMINATION)
    assert (double.matches, double.with_reset, double.least, double.most) == (30, True, 2, 8)
    assert (of(Format.ROUND_ROBIN).matches, of(Format.SWISS).matches) == (120, 32)
    assert of(Format.ROUND_ROBIN, groups=4).most == 3


def test_longer_rounds_take_longer():
    longer = StageSettings(best_of_rounds={"final": 5})
    rounds = outline(Format.SINGLE_ELIMINATION, longer, 8, stations=1, match_minutes=10).rounds
    assert [(row.round, row.best_of) for row in rounds if row.bracket is Bracket.MAIN] == [(1, 1), (2, 1), (3, 5)]


def test_nobody_plays_alone():
    with pytest.raises(InvalidField):
        outline(Format.SINGLE_ELIMINATION, StageSettings(), 1, stations=1, match_minutes=10)
