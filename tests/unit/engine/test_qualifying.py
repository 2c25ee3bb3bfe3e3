"""Who goes on from groups."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidField, InvalidTieBreak, Undecided
from engine.qualifying import Qualifier, qualified
from engine.standings import Standing


def line(entrant, rank, points=0, *, scored=0, conceded=0, wins=0, played=3):
    return Standing(entrant, rank, played, wins, 0, 0, 0, points, scored, conceded, {}, None)


def group(first, *points, **columns):
    """A standing of entrants `first`, `first` + 1, … with these points, best first."""
    return [line(first + i, i + 1, worth, **columns) for i, worth in enumerate(points)]


GROUPS = {2: group(20, 9, 4, 3, 1), 1: group(10, 7, 7, 2, 1), 3: group(30, 9, 6, 3, 0)}


def test_winners_come_first_then_seconds_in_the_order_of_groups():
    assert qualified(GROUPS, advance=2) == [
        Qualifier(10, 1, 1),
        Qualifier(20, 2, 1),
        Qualifier(30, 3, 1),
        Qualifier(11, 1, 2),
        Qualifier(21, 2, 2),
        Qualifier(31, 3, 2),
    ]


def test_the_best_of_the_next_place_go_on_best_first():
    assert qualified(GROUPS, advance=1, rest=2)[3:] == [Qualifier(11, 1, 2), Qualifier(31, 3, 2)]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (line(1, 2, 4), line(2, 2, 3, scored=9, wins=3)),
        (line(1, 2, 4, scored=3, conceded=1), line(2, 2, 4, scored=9, conceded=8, wins=3)),
        (line(1, 2, 4, scored=5, conceded=3), line(2, 2, 4, scored=4, conceded=2, wins=3)),
        (line(1, 2, 4, scored=5, conceded=3, wins=1), line(2, 2, 4, scored=5, conceded=3)),
    ],
)
def test_points_then_difference_then_score_then_wins_compare_the_rest(better, worse):
    groups = {1: [line(8, 1, 9), worse], 2: [line(9, 1, 9), better]}
    assert qualified(groups, advance=1, rest=1)[-1] == Qualifier(1, 2, 2)


def test_groups_of_different_sizes_are_compared_per_match():
    groups = {1: group(10, 9, 4, played=3), 2: group(20, 9, 3, 0, played=2)}
    assert qualified(groups, advance=1, rest=1)[-1] == Qualifier(21, 2, 2)
    even = {1: group(10, 9, 4, played=3), 2: group(20, 9, 3, played=2)}
    assert qualified(even, advance=1, rest=1)[-1] == Qualifier(11, 1, 2)


def test_lots_decide_last_and_without_them_nobody_is_chosen():
    groups = {1: group(10, 9, 3), 2: group(20, 9, 3)}
    with pytest.raises(Undecided, match=r"11 and 21 .* Draw lots"):
        qualified(groups, advance=1, rest=1)
    assert qualified(groups, advance=1, rest=1, lots={11: 2, 21: 1})[-1] == Qualifier(21, 2, 2)
    assert qualified(groups, advance=1, rest=2)[2:] == [Qualifier(11, 1, 2), Qualifier(21, 2, 2)]
    with pytest.raises(InvalidTieBreak, match="Entrant 21 has no lot"):
        qualified(groups, advance=1, rest=1, lots={11: 2})


def test_a_shared_rank_on_the_line_is_refused_and_elsewhere_is_not():
    tied = {1: [line(1, 1, 6), line(2, 2, 3), line(3, 2, 3), line(4, 4)]}
    for advance in (1, 3):
        assert len(qualified(tied, advance=advance)) == advance
    with pytest.raises(Undecided, match=r"2 and 3 of group 1 share place 2.* Draw lots"):
        qualified(tied, advance=2)
    with pytest.raises(Undecided, match="2 and 3"):
        qualified(tied, advance=1, rest=1)
    with pytest.raises(Undecided, match="2 and 3"):
        qualified({1: tied[1][:3]}, advance=1, rest=1)
    assert len(qualified(tied, advance=2, rest=1)) == 3


def test_none_named_is_all():
    assert len(qualified(GROUPS, advance=0)) == 12
    assert qualified({}, advance=2) == []
    assert len(qualified(GROUPS, advance=9)) == 12


def test_more_than_there_are_are_refused():
    with pytest.raises(InvalidField, match="4 cannot go on from place 2: 3 groups"):
        qualified(GROUPS, advance=1, rest=4)
    with pytest.raises(InvalidTieBreak, match=r"“buchholz”.*points"):
        qualified(GROUPS, advance=1, rest=1, parts=["buchholz"])


@given(
    st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=6), min_size=1, max_size=8),
    st.integers(0, 4),
    st.integers(0, 8),
)
def test_nobody_goes_on_in_front_of_somebody_better_of_the_same_group(points, advance, rest):
    groups = {number: group(100 * number, *sorted(worth, reverse=True)) for number, worth in enumerate(points, start=1)}
    rest = min(rest, sum(len(lines) > advance for lines in groups.values()))
    lots = {entrant.entrant: entrant.entrant for lines in groups.values() for entrant in lines}
    through = qualified(groups, advance=advance, rest=rest, lots=lots)
    assert len({qualifier.entrant for qualifier in through}) == len(through)
    for number, lines in groups.items():
        ranks = sorted(qualifier.rank for qualifier in through if qualifier.group == number)
        assert ranks == list(range(1, len(ranks) + 1))
        assert not advance or min(advance, len(lines)) <= len(ranks) <= advance + 1
        assert advance or len(ranks) == len(lines)
    assert not advance or len(through) == sum(min(advance, len(lines)) for lines in groups.values()) + rest
