import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.bracket import Side
from engine.errors import IllegalStep, InvalidScore
from engine.match_flow import TRANSITIONS, MatchState, Score, Step, after, decided, possible

points = st.integers(0, 999)


@pytest.mark.parametrize("state", MatchState)
@pytest.mark.parametrize("step", Step)
def test_a_step_is_possible_exactly_when_the_table_has_it(state, step):
    if (state, step) in TRANSITIONS:
        assert after(state, step) is TRANSITIONS[state, step]
    else:
        with pytest.raises(IllegalStep) as refusal:
            after(state, step)
        assert refusal.value.possible == possible(state)
        for name in possible(state):
            assert name.replace("_", " ") in str(refusal.value)


def test_nothing_is_possible_in_a_completed_match():
    assert possible(MatchState.COMPLETED) == ()
    with pytest.raises(IllegalStep, match="nothing more"):
        after(MatchState.COMPLETED, Step.START)


def test_every_state_but_the_first_can_be_reached_and_every_one_but_the_last_left():
    assert set(TRANSITIONS.values()) == set(MatchState) - {MatchState.SCHEDULED}
    assert {state for state, _ in TRANSITIONS} == set(MatchState) - {MatchState.COMPLETED}


@given(points, points)
def test_the_side_that_is_ahead_wins(home, away):
    winner = Score(home, away).winner()
    assert winner is (None if home == away else Side.HOME if home > away else Side.AWAY)


@given(points, points, points)
def test_a_shootout_decides_a_level_score(level, home, away):
    score = Score(level, level, home, away)
    if home == away:
        with pytest.raises(InvalidScore, match="level"):
            decided(score)
    else:
        assert decided(score) is (Side.HOME if home > away else Side.AWAY)


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ((-1, 0), "0 to 999"),
        ((0, 1000), "0 to 999"),
        ((1, 1, -1, 0), "0 to 999"),
        ((1, 1, 3, None), "both sides"),
        ((2, 1, 4, 3), "not level"),
    ],
)
def test_numbers_that_cannot_be_a_score_are_refused(numbers, sentence):
    with pytest.raises(InvalidScore, match=sentence):
        Score(*numbers)


def test_a_level_score_without_a_shootout_decides_nothing():
    with pytest.raises(InvalidScore, match="needs a winner"):
        decided(Score(1, 1))
