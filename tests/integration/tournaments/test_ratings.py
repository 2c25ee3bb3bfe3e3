"""Ratings follow the results of rated tournaments, whatever becomes of these results."""

import pytest
from django.core.management import call_command

from apps.errors import BadRequest
from apps.tournaments.models import Match, Rating
from apps.tournaments.selectors.ratings import ratings_in, ratings_of
from apps.tournaments.services import Actor, brackets, entries, matches, ratings, reopening, teams, tournaments
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


def seeded_by_rating(players):
    """The user names by seed in a new tournament of the same game."""
    cup = factories.open_registration(factories.make_tournament(game="Chess"))
    for user in players:
        factories.enter(cup, user)
    entries.add(Actor(cup.created_by), cup.pk, name="Nobody")
    entries.seed(Actor(cup.created_by), cup.pk, by_rating=True)
    cup.refresh_from_db()
    assert (cup.seeding, cup.draw_seed) == ("rating", None)
    return [entry.name for entry in cup.entries.order_by("seed")]


def test_seeds_by_rating_follow_the_results_and_what_is_undone(players):
    cup = rated_cup(players)
    names = [user.username for user in players]
    assert seeded_by_rating(players) == [*names, "Nobody"], "nobody is rated, so they stay as they registered"
    by, first = Actor(cup.created_by), factories.match_number(cup, 1)
    matches.start(by, first.pk)
    matches.finish(by, first.pk, Score(0, 1))
    won, lost = first.away.user, first.home.user
    others = [user.username for user in players if user not in (won, lost)]
    assert seeded_by_rating(players) == [won.username, lost.username, *others, "Nobody"]
    token = reopening.preview(by, first.pk).token
    reopening.reopen(by, first.pk, token=token)
    assert seeded_by_rating(players) == [*names, "Nobody"]


def test_a_strength_that_is_uncertain_counts_for_less(players):
    for user, mu, sigma in zip(players, (25, 30, 28, 26), (1, 8, 2, 1), strict=True):
        Rating.objects.create(game="Chess", user=user, mu=mu, sigma=sigma, matches=1)
    a, b, c, d = (user.username for user in players)
    assert seeded_by_rating(players) == [d, a, c, b, "Nobody"]
    assert [row.user.username for row in ratings_in("Chess")] == [d, a, c, b]


def test_teams_are_seeded_by_their_own_ratings(players):
    cup = factories.open_registration(factories.make_tournament(game="Chess", participation="team"))
    for user, name in zip(players, ("Reds", "Blues", "Greens"), strict=False):
        team = teams.create(Actor(user), name=name).ids["team_id"]
        Rating.objects.create(game="Chess", user=user, mu=40, sigma=1, matches=9)
        if name != "Reds":
            Rating.objects.create(game="Chess", team_id=team, mu=30 + len(name), sigma=1, matches=9)
        entries.register(Actor(user), cup.pk, team_id=team)
    entries.seed(Actor(cup.created_by), cup.pk, by_rating=True)
    assert list(cup.entries.order_by("seed").values_list("name", flat=True)) == ["Greens", "Blues", "Reds"]
    assert [(row.team and row.team.name) for row in ratings_of(players[1])] == [None, "Blues"]


def test_without_a_game_there_are_no_ratings_to_seed_by():
    cup = factories.open_with_entries(2)
    with pytest.raises(BadRequest, match="which one is played"):
        entries.seed(Actor(cup.created_by), cup.pk, by_rating=True)


def test_the_command_computes_all_games_again(players, capsys):
    factories.play(rated_cup(players))
    before = as_stored()
    Rating.objects.update(mu=0)
    call_command("recompute_ratings")
    assert as_stored() == before
    assert capsys.readouterr().out == "Chess: 4 matches\n"
    call_command("recompute_ratings", "Go")
    assert capsys.readouterr().out == "Go: 0 matches\n"


def test_computing_all_again_gives_the_same(players):
    cup = rated_cup(players)
    factories.play(cup)
    before = as_stored()
    Rating.objects.update(mu=0)
    assert ratings.recompute("Chess") == 4
    assert as_stored() == before
