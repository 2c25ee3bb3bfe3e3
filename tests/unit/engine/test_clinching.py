"""A certain place is one in every way that a league can end, and a lost one is in none."""

from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.clinching import Fate, Race, fates
from engine.errors import InvalidField
from engine.results import Points, Result
from engine.stages import Format
from engine.standings import standings

ENTRANTS = (1, 2, 3, 4)
PAIRS = list(combinations(ENTRANTS, 2))
POINTS = (Points(3, 1, 0), Points(2, 1, 0), Points(3, 2, 1), Points(1, 0.5, 0))


def result(number, pair, outcome):
    """A match that home wins (0), away wins (1) or nobody (2)."""
    score = ((2, 0), (0, 1), (1, 1))[outcome]
    return Result(number, *pair, winner=(*pair, None)[outcome], home_score=score[0], away_score=score[1])


def places_of(results, points, parts):
    """The place of each, where level entrants may get any of those they share: (best, worst)."""
    table = standings(ENTRANTS, results, format=Format.ROUND_ROBIN, rounds=6, points=points, parts=parts)
    ranks = [row.rank for row in table]
    return {row.entrant: (row.rank, row.rank + ranks.count(row.rank) - 1) for row in table}


@given(
    played=st.lists(st.sampled_from([0, 1, 2]), min_size=3, max_size=6),
    order=st.permutations(PAIRS),
    points=st.sampled_from(POINTS),
    parts=st.sampled_from([["points"], ["points", "head_to_head"], ["points", "score_difference", "scored"]]),
    places=st.integers(1, 3),
    chances=st.integers(0, 1),
)
def test_what_is_certain_is_so_in_every_end_of_a_league(played, order, points, parts, places, chances):
    so_far = [result(number, order[number - 1], outcome) for number, outcome in enumerate(played, start=1)]
    left = order[len(played) :]
    now = standings(ENTRANTS, so_far, format=Format.ROUND_ROBIN, rounds=6, points=points, parts=parts)
    races = [Race(row.entrant, row.points, sum(row.entrant in pair for pair in left)) for row in now]
    races_of = {race.entrant: race for race in races}
    told = fates(races, places=places, best=points.win, chances=chances)
    ends = [
        places_of(so_far + [result(6 - n, pair, end) for n, (pair, end) in enumerate(ending)], points, parts)
        for ending in product(*([(pair, end) for end in (0, 1, 2)] for pair in left))
    ]
    for entrant in ENTRANTS:
        best, worst = min(end[entrant][0] for end in ends), max(end[entrant][1] for end in ends)
        if told[entrant] is Fate.THROUGH:
            assert worst <= places
        if told[entrant] is Fate.OUT:
            assert best > places + chances
        others = [row.points for row in now if row.entrant != entrant]
        if not left and max(others) < races_of[entrant].points:  # nothing is open about who has most
            assert told[entrant] is Fate.THROUGH


def test_a_lead_that_nobody_can_catch_is_certain_and_a_level_one_is_not():
    race = [Race(1, 9, 1), Race(2, 6, 1), Race(3, 2, 1), Race(4, 2, 1)]
    assert fates(race, places=1, best=3)[1] is Fate.OPEN  # 2 can draw level
    assert fates(race, places=2, best=3) == {1: Fate.THROUGH, 2: Fate.THROUGH, 3: Fate.OUT, 4: Fate.OUT}
    assert fates(race, places=2, best=3, chances=1)[3] is Fate.OPEN


def test_who_leaves_takes_no_place_from_anybody():
    race = [Race(1, 9, 0, stays=False), Race(2, 3, 0), Race(3, 0, 0)]
    assert fates(race, places=1, best=3) == {1: Fate.OUT, 2: Fate.OPEN, 3: Fate.OUT}


def test_places_are_positive():
    with pytest.raises(InvalidField, match="at least 1"):
        fates([], places=0, best=3)
