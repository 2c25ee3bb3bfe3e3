"""Ratings follow the results of rated tournaments, whatever becomes of these results."""

import pytest

from apps.tournaments.models import Match, Rating
from apps.tournaments.services import Actor, brackets, entries, matches, ratings, reopening, tournaments
from engine.bracket import Side
from engine.match_flow import Score
from engine.ratings import RatedMatch, fold_ratings
from tests import factories

pytestmark = pytest.mark.django_db


def rated_cup(players, **settings):
    cup = factories.open_registration(factories.make_tournament(game="Chess", rated=True, **settings))
    for user in players:
        factories.enter(cup, user)
    return factories.draw(cup)


def as_stored():
    return {
        row.user_id: (round(row.mu, 9), round(row.sigma, 9), row.matches) for row in Rating.objects.filter(game="Chess")
    }


def as_folded(results):
    folded = fold_ratings(RatedMatch(*result) for result in results)
    return {pk: (round(r.mu, 9), round(r.sigma, 9), r.matches) for pk, r in folded.items()}


def results_of(*cups):
    played = Match.objects.filter(tournament__in=cups, state="completed").order_by("completed_at", "pk")
    return [(m.home.user_id, m.away.user_id, m.winner and m.winner.user_id) for m in played]


@pytest.fixture
def players():
    return [factories.make_user() for _ in range(4)]


def test_each_result_is_folded_into_what_was_known_before(players):
    first = rated_cup(players)
    factories.play(first)
    second = rated_cup(players)
    factories.play(second, lambda match: Score(0, 1))
    assert as_stored() == as_folded(results_of(first, second))
    assert sum(row.matches for row in Rating.objects.all()) == 2 * 8


def test_a_result_that_is_taken_back_leaves_no_trace(players):
    cup = rated_cup(players)
    factories.play(cup, matches_at_most=1)
    before = as_stored()
    second = factories.match_number(cup, 2)
    matches.start(Actor(cup.created_by), second.pk)
    matches.finish(Actor(cup.created_by), second.pk, Score(1, 0))
    assert as_stored() != before
    by = Actor(cup.created_by)
    done = reopening.reopen(by, second.pk, token=reopening.preview(by, second.pk).token)
    assert as_stored() == before
    reopening.undo(by, done.ids["reopening_id"])
    assert as_stored() == as_folded(results_of(cup))


def test_a_forfeit_says_nothing_about_strength(players):
    cup = rated_cup(players)
    matches.forfeit(Actor(cup.created_by), factories.match_number(cup, 1).pk, loser=Side.HOME)
    assert not Rating.objects.exists()


def test_names_without_an_account_are_not_rated(players):
    cup = factories.publish(factories.make_tournament(game="Chess", rated=True))
    for name in ("Ada", "Bob"):
        entries.add(Actor(cup.created_by), cup.pk, name=name)
    brackets.generate(Actor(cup.created_by), cup.pk)
    factories.play(cup)
    assert not Rating.objects.exists()


def test_a_tournament_that_is_no_longer_rated_does_not_count(players):
    cup = rated_cup(players)
    factories.play(cup)
    tournaments.edit(Actor(cup.created_by), cup.pk, rated=False)
    assert not Rating.objects.exists()
    tournaments.edit(Actor(cup.created_by), cup.pk, rated=True)
    assert as_stored() == as_folded(results_of(cup))


def test_computing_all_again_gives_the_same(players):
    cup = rated_cup(players)
    factories.play(cup)
    before = as_stored()
    Rating.objects.update(mu=0)
    assert ratings.recompute("Chess") == 4
    assert as_stored() == before
