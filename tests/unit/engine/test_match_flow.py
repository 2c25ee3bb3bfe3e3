import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.bracket import Side
from engine.errors import IllegalStep, InvalidScore
from engine.match_flow import (
    BEGUN,
    OPEN,
    OVER,
    TRANSITIONS,
    MatchState,
    Score,
    Step,
    after,
    check_score,
    decided,
    possible,
    score_of,
    won,
)

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


@pytest.mark.parametrize("state", OVER)
def test_a_match_that_is_over_can_only_be_reopened(state):
    assert possible(state) == ("reopen_match",)
    with pytest.raises(IllegalStep, match="Possible now: reopen match"):
        after(state, Step.START)


def test_who_cannot_do_anything_is_told_what_is_waited_for():
    assert [state for state in MatchState if not possible(state)] == [MatchState.SCHEDULED]
    with pytest.raises(IllegalStep, match=r"still to come.*matches that lead to it"):
        after(MatchState.SCHEDULED, Step.START)


def test_every_state_can_be_reached_and_left():
    assert set(TRANSITIONS.values()) == set(MatchState)
    assert {state for state, _ in TRANSITIONS} == set(MatchState)
    assert set(MatchState) == OVER | OPEN
    assert BEGUN < OPEN


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


games = st.lists(st.tuples(points, points), max_size=5).map(tuple)


@given(games)
def test_a_score_of_games_counts_who_won_each(played):
    score = Score.of_games(played)
    assert (score.home, score.away) == won(played)
    assert score_of(score.fields()) == score


@given(st.integers(0, 4).map(lambda half: 2 * half + 1), st.data())
def test_a_best_of_ends_when_one_side_has_most_games_and_not_before(best_of, data):
    needed = best_of // 2 + 1
    played, wins = [], [0, 0]
    while max(wins) < needed:
        if best_of > 1 and played:
            with pytest.raises(InvalidScore):
                decided(Score.of_games(played), best_of=best_of)
        side = data.draw(st.integers(0, 1))
        wins[side] += 1
        played.append((1, 0) if side == 0 else (0, 1))
    winner = Side.HOME if wins[0] > wins[1] else Side.AWAY
    if best_of == 1:
        assert decided(Score(*wins)) is winner
        return
    assert decided(Score.of_games(played), best_of=best_of) is winner
    assert decided(Score(*wins), best_of=best_of) is winner
    with pytest.raises(InvalidScore, match=r"leave out|too many"):
        check_score(Score.of_games([*played, (1, 0)]), best_of=best_of)


@pytest.mark.parametrize(
    ("score", "best_of", "sentence"),
    [
        (Score(1, 0), 3, "a side needs 2 games"),
        (Score(3, 0), 3, "too many"),
        (Score.of_games([(13, 7)]), 1, "single game"),
    ],
)
def test_a_score_that_is_no_result_of_its_best_of_is_refused(score, best_of, sentence):
    with pytest.raises(InvalidScore, match=sentence):
        decided(score, best_of=best_of)


def test_games_have_to_add_up():
    with pytest.raises(InvalidScore, match="add up to 1–0"):
        Score(2, 0, games=((13, 7),))


def test_a_league_match_can_end_level_once_all_games_are_played():
    assert decided(Score(1, 1), draws=True) is None
    assert decided(Score(1, 1), best_of=2, draws=True) is None
    with pytest.raises(InvalidScore, match="2 games are played"):
        decided(Score(0, 0), best_of=2, draws=True)
