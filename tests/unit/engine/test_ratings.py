"""Ratings are OpenSkill's, and depend on nothing but the matches and their order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openskill.models import PlackettLuce

from engine.errors import InvalidScore
from engine.ratings import RatedMatch, Rating, expected, fold_ratings

PEOPLE = range(8)
matches = (
    st.lists(st.sampled_from(PEOPLE), min_size=2, max_size=2, unique=True)
    .flatmap(lambda sides: st.tuples(st.just(sides), st.sampled_from([*sides, None])))
    .map(lambda drawn: RatedMatch(*drawn[0], drawn[1]))
)
histories = st.lists(matches, max_size=40)
ratings = st.builds(Rating, st.floats(-20, 80), st.floats(0.1, 12), st.integers(0, 9))


def close(rating):
    return pytest.approx((rating.mu, rating.sigma), abs=1e-9, rel=0)


@given(histories)
def test_they_are_what_openskill_says_when_it_is_asked_directly(history):
    model = PlackettLuce()
    direct = {person: model.rating() for person in PEOPLE}
    for match in history:
        draw = match.winner is None
        loser = match.away if match.winner == match.home else match.home
        first, second = (match.home, match.away) if draw else (match.winner, loser)
        ((direct[first],), (direct[second],)) = model.rate(
            [[direct[first]], [direct[second]]], **({"ranks": [0, 0]} if draw else {"scores": [3, 1]})
        )
    folded = fold_ratings(history)
    assert set(folded) == {side for match in history for side in (match.home, match.away)}
    for person, rating in folded.items():
        assert (rating.mu, rating.sigma) == close(direct[person])
        assert rating.ordinal == pytest.approx(direct[person].ordinal(), abs=1e-9)
        assert rating.matches == sum(person in (match.home, match.away) for match in history)


@given(histories, histories)
def test_folding_in_two_parts_is_folding_at_once(first, second):
    start = fold_ratings(first)
    unchanged = dict(start)
    assert fold_ratings(second, start) == fold_ratings(first + second)
    assert start == unchanged


@given(histories, matches, st.data())
def test_without_a_match_only_those_it_led_to_are_rated_otherwise(history, extra, data):
    at = data.draw(st.integers(0, len(history)))
    with_it = fold_ratings([*history[:at], extra, *history[at:]])
    touched = {extra.home, extra.away}
    for match in history[at:]:
        if touched & {match.home, match.away}:
            touched |= {match.home, match.away}
    without = fold_ratings(history)
    for person in set(without) - touched:
        assert without[person] == with_it[person]
    for person in (extra.home, extra.away):
        assert with_it[person].matches - 1 == without.get(person, Rating()).matches


def test_the_order_of_matches_counts():
    beaten_once, upset = RatedMatch("a", "b", "a"), RatedMatch("b", "c", "c")
    early, late = fold_ratings([upset, beaten_once]), fold_ratings([beaten_once, upset])
    assert early["c"].mu > late["c"].mu, "b was not known to lose yet"


@given(ratings, ratings)
def test_the_winner_rises_the_loser_falls_and_a_draw_brings_them_together(home, away):
    start = {"home": home, "away": away}
    won = fold_ratings([RatedMatch("home", "away", "home")], start)
    assert won["home"].mu >= home.mu
    assert won["away"].mu <= away.mu
    drawn = fold_ratings([RatedMatch("home", "away", None)], start)
    assert (drawn["home"].mu - home.mu) * (away.mu - home.mu) >= 0
    assert (drawn["away"].mu - away.mu) * (home.mu - away.mu) >= 0


@given(ratings, ratings)
def test_chances_add_up_to_one_and_favour_the_better(one, other):
    assert expected(one, other) + expected(other, one) == pytest.approx(1)
    assert 0 <= expected(one, other) <= 1
    assert expected(one, other) >= 0.5 or one.mu <= other.mu


def test_matches_make_a_rating_count_for_more():
    assert Rating(30, 8).ordinal < Rating(25, 2).ordinal
    assert expected(Rating(30, 2), Rating(25, 2)) > expected(Rating(30, 8), Rating(25, 8)) > 0.5


@pytest.mark.parametrize("match", [RatedMatch(1, 1, 1), RatedMatch(1, 2, 3)])
def test_a_match_without_two_sides_or_won_by_a_third_is_refused(match):
    with pytest.raises(InvalidScore, match="two entrants"):
        fold_ratings([match])
