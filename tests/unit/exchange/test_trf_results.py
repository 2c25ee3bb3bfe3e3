"""From a report to the engine's results, and back."""

import pytest
from hypothesis import given

from apps.errors import BadRequest
from apps.tournaments.exchange.trf import TrfPlayer, TrfRound, TrfTournament, read_trf, write_trf
from apps.tournaments.exchange.trf_results import League, league_of, scoring_of, tournament_of
from engine.results import Points, Result
from tests.unit.exchange.trf_files import leagues, tournaments


def player(number, points, *rounds):
    return TrfPlayer(number=number, name=f"P{number}", points=points, rounds=tuple(TrfRound(*r) for r in rounds))


def report(*players, **more):
    return TrfTournament(players=players, **more)


class TestFromAReport:
    def test_white_is_at_home_and_starting_numbers_become_seeds(self):
        league = league_of(report(player(7, 0, (3, "w", "0")), player(3, 1, (7, "b", "1"))))
        assert league.names == ("P3", "P7")
        assert league.results == (Result(1, 2, 1, 1, 0, 1),)

    @pytest.mark.parametrize(
        ("pair", "expected"),
        [
            ("10", Result(1, 1, 2, 1, 1, 0)),
            ("WL", Result(1, 1, 2, 1, 1, 0)),
            ("==", Result(1, 1, 2, None, 0, 0)),
            ("DD", Result(1, 1, 2, None, 0, 0)),
            ("-+", Result(1, 1, 2, 2, forfeit=True)),
            ("--", Result(1, 1, 2, None, forfeit=True)),
            ("00", Result(1, 1, 2, None, forfeit=True)),
        ],
    )
    def test_every_outcome_of_a_game(self, pair, expected):
        mine, theirs = pair
        assert league_of(report(player(1, 0, (2, "-", mine)), player(2, 0, (1, "-", theirs)))).results == (expected,)

    def test_only_byes_with_full_points_are_results(self):
        rounds = [(None, "-", code) for code in "UFHZ+=-"]
        league = league_of(report(player(1, 0, *rounds)))
        assert [league.byes[i, 1] for i in range(1, 8)] == list("UFHZFHZ")
        assert league.results == tuple(Result(i, 1, None, 1) for i in (1, 2, 5))

    def test_a_game_that_is_not_played_yet_is_no_result(self):
        assert league_of(report(player(1, 0, (2, "w", "")), player(2, 0, (1, "b", "")))).results == ()

    @pytest.mark.parametrize("pair", ["11", "=0", "1-", "+0", "1 "])
    def test_two_results_that_cannot_both_be_true_are_refused(self, pair):
        mine, theirs = pair.replace(" ", "?")
        theirs = theirs.replace("?", "")
        with pytest.raises(BadRequest, match=r"In round 1 player 1 has .* cannot both be true"):
            league_of(report(player(1, 0, (2, "w", mine)), player(2, 0, (1, "b", theirs))))

    @pytest.mark.parametrize(
        ("points", "expected"),
        [
            ((1.5, 0.5, 1), Points(1, 0.5, 0, 1)),
            ((1.5, 0.5, 0.5), Points(1, 0.5, 0, 0.5)),
            ((4, 1, 3), Points(3, 1, 0, 3)),
            ((3, 1, 2), Points(2, 1, 0, 2)),
            ((9, 1, 3), None),
        ],
    )
    def test_what_a_result_is_worth_follows_from_the_points(self, points, expected):
        rounds = ([(2, "w", "1"), (2, "b", "=")], [(1, "b", "0"), (1, "w", "=")], [(None, "-", "U"), (None, "-", "Z")])
        players = [player(i, total, *own) for i, (total, own) in enumerate(zip(points, rounds, strict=True), 1)]
        assert scoring_of(report(*players)) == expected

    def test_what_the_file_says_a_result_is_worth_goes_first(self):
        assert scoring_of(report(player(1, 7), scoring=Points(5, 2, 1, 0))) == Points(5, 2, 1, 0)

    @given(tournaments())
    def test_any_report_can_be_taken_over(self, tournament):
        league = league_of(tournament)
        assert len(league.names) == len(tournament.players)
        games = sum(r.opponent is not None and r.result != "" for p in tournament.players for r in p.rounds)
        assert 2 * sum(result.away is not None for result in league.results) == games


class TestToAReport:
    @given(leagues())
    def test_a_league_comes_back_from_its_report(self, given_league):
        names, ratings, results, byes = given_league
        league = League(names=names, ratings=ratings, results=results, byes=byes, scoring=Points(3, 1, 0, 2), rounds=9)
        back = league_of(read_trf(write_trf(tournament_of(league, name="Cup", kind="Swiss"))))
        assert (back.names, back.ratings, back.byes) == (names, ratings, byes)
        assert sorted(back.results, key=lambda result: (result.round, result.home)) == list(results)
        assert (back.scoring, back.rounds) == (league.scoring, 9)

    def test_points_are_added_up_or_taken_as_given(self):
        results = (Result(1, 1, 2, 1, 1, 0), Result(1, 3, None, 3), Result(2, 3, 1, None, 1, 1))
        league = League(names=("A", "B", "C"), results=results, byes={(2, 2): "H"}, scoring=Points(3, 1, 0, 2))
        assert [p.points for p in tournament_of(league, name="", kind="").players] == [4, 1, 3]
        stated = tournament_of(league, name="", kind="", points=[9, 8, 7], ranks=[1, 2, 2]).players
        assert [(p.points, p.rank) for p in stated] == [(9, 1), (8, 2), (7, 2)]

    def test_a_bye_does_not_replace_a_match(self):
        league = League(names=("A", "B"), results=(Result(1, 1, 2, 1),), byes={(1, 1): "Z"})
        assert league_of(tournament_of(league, name="", kind="")).byes == {}

    def test_long_names_are_cut(self):
        assert tournament_of(League(names=("x" * 60,)), name="", kind="").players[0].name == "x" * 33

    def test_two_results_in_a_round_are_refused(self):
        league = League(names=("A", "B"), results=(Result(1, 1, 2, 1), Result(1, 1, None, 1)))
        with pytest.raises(BadRequest, match="A has two results in round 1"):
            tournament_of(league, name="", kind="")
