"""Places of elimination stages, of ordinary ones and of those in which entrants did not turn up."""

from collections import Counter
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.bracket import Bracket
from engine.double_elimination import double_elimination
from engine.elimination import single_elimination
from engine.placing import Ended, places
from tests.unit.engine.board import Board, champion, play

PLANS = {
    "single": single_elimination,
    "single with third place": lambda n: single_elimination(n, third_place=True),
    "double": double_elimination,
    "double without reset": lambda n: double_elimination(n, reset=False),
}


def randomly(rng):
    return lambda _match, home, away: rng.choice((home, away))


def ranks(ranked):
    return [rank for _, rank in ranked]


class TestUsualRanks:
    """The tables that organisers know, whoever wins."""

    @pytest.mark.parametrize(
        ("kind", "n", "expected"),
        [
            ("single", 2, [1, 2]),
            ("single", 3, [1, 2, 3]),
            ("single", 5, [1, 2, 3, 3, 5]),
            ("single", 8, [1, 2, 3, 3, 5, 5, 5, 5]),
            ("single with third place", 3, [1, 2, 3]),
            ("single with third place", 4, [1, 2, 3, 4]),
            ("single with third place", 9, [1, 2, 3, 4, 5, 5, 5, 5, 9]),
            ("double", 2, [1, 2]),
            ("double", 3, [1, 2, 3]),
            ("double", 5, [1, 2, 3, 4, 5]),
            ("double", 6, [1, 2, 3, 4, 5, 5]),
            ("double", 8, [1, 2, 3, 4, 5, 5, 7, 7]),
            ("double", 16, [1, 2, 3, 4, 5, 5, 7, 7, 9, 9, 9, 9, 13, 13, 13, 13]),
            ("double without reset", 12, [1, 2, 3, 4, 5, 5, 7, 7, 9, 9, 9, 9]),
        ],
    )
    def test_ranks_are_shared_by_round(self, kind, n, expected):
        for seed in range(10):
            board = play(PLANS[kind](n), randomly(Random(seed)))
            assert ranks(places(board.ended.values())) == expected

    @pytest.mark.parametrize("kind", PLANS)
    def test_favourites_end_in_the_order_of_their_seeds(self, kind):
        for n in range(2, 129):
            ranked = places(play(PLANS[kind](n)).ended.values())
            for rank, size in Counter(ranks(ranked)).items():
                assert {seed for seed, r in ranked if r == rank} == set(range(rank, rank + size)), n


class TestOrder:
    def test_third_place_match_parts_the_semi_final_losers(self):
        board = play(PLANS["single with third place"](4), lambda _, home, away: max(home, away))
        semi_finals = [board.ended[number] for number in (1, 2)]
        losers = {match.home if match.winner == match.away else match.away for match in semi_finals}
        third, fourth = places(board.ended.values())[2:]
        assert ({third[0], fourth[0]}, third[0]) == (losers, max(losers))
        assert (third[1], fourth[1]) == (3, 4)

    def test_the_reset_decides_when_it_was_played(self):
        for winner, loser in ((1, 2), (2, 1)):
            first_final_and_reset = {6: 2, 7: winner}
            board = play(double_elimination(4), lambda m, h, a, by=first_final_and_reset: by.get(m.number, min(h, a)))
            assert places(board.ended.values())[:2] == [(winner, 1), (loser, 2)]

    def test_ties_are_listed_by_match_whatever_the_order_of_the_input(self):
        ended = list(play(double_elimination(32), randomly(Random(3))).ended.values())
        ranked = places(ended)
        out_in = {}
        for match in sorted(ended, key=lambda m: m.number):
            out_in |= dict.fromkeys((match.home, match.away), match.number)
        for (one, rank), (other, other_rank) in pairwise(ranked):
            assert rank < other_rank or out_in[one] < out_in[other]
        Random(4).shuffle(ended)
        assert places(ended) == ranked

    def test_the_better_half_is_whoever_was_still_in(self):
        """Chaining: the best k of 8 in a double elimination are those who were in when k were left."""
        board = play(double_elimination(8), randomly(Random(5)))
        ranked = [entrant for entrant, _ in places(board.ended.values())]
        for k, lower_round in ((6, 1), (4, 2), (3, 3), (2, 4)):
            out = {
                entrant
                for match in board.ended.values()
                if match.bracket is Bracket.LOWER and match.round <= lower_round
                for entrant in (match.home, match.away)
                if entrant != match.winner
            }
            assert set(ranked[k:]) == out


def nobody_wins(*lost):
    """Let favourites win all matches but these, (bracket, round, position), which both sides forfeit."""
    return lambda match, home, away: None if (match.bracket, match.round, match.position) in lost else min(home, away)


class TestNobodyWon:
    @pytest.mark.parametrize(
        ("kind", "n", "last", "expected"),
        [
            ("single", 2, (Bracket.MAIN, 1, 1), [2, 2]),
            ("single", 8, (Bracket.MAIN, 3, 1), [2, 2, 3, 3, 5, 5, 5, 5]),
            ("single with third place", 8, (Bracket.MAIN, 3, 1), [2, 2, 3, 4, 5, 5, 5, 5]),
            ("double", 2, (Bracket.MAIN, 1, 1), [2, 2]),
            ("double", 2, (Bracket.GRAND_FINAL, 1, 1), [2, 2]),
            ("double", 8, (Bracket.GRAND_FINAL, 1, 1), [2, 2, 3, 4, 5, 5, 7, 7]),
            ("double without reset", 8, (Bracket.GRAND_FINAL, 1, 1), [2, 2, 3, 4, 5, 5, 7, 7]),
        ],
    )
    def test_in_a_final_so_the_first_place_stays_empty(self, kind, n, last, expected):
        board = play(PLANS[kind](n), nobody_wins(last))
        assert champion(board) is None
        assert ranks(places(board.ended.values())) == expected

    def test_in_a_reset(self):
        ended = [
            Ended(1, Bracket.MAIN, 1, 1, 2, 1),
            Ended(2, Bracket.GRAND_FINAL, 1, 1, 2, 2),
            Ended(3, Bracket.GRAND_FINAL, 2, 1, 2, None),
        ]
        assert places(ended) == [(1, 2), (2, 2)]

    def test_in_a_final_that_one_alone_could_have_come_to(self):
        ended = [
            Ended(1, Bracket.MAIN, 1, 1, 4, 1),
            Ended(2, Bracket.MAIN, 1, 2, 3, None),
            Ended(3, Bracket.MAIN, 2, 1, None, None),
        ]
        assert places(ended) == [(1, 2), (4, 3), (2, 3), (3, 3)]

    def test_in_a_semi_final_so_the_final_is_a_walkover(self):
        board = play(single_elimination(8), nobody_wins((Bracket.MAIN, 2, 2)))
        assert champion(board) == 1
        assert places(board.ended.values()) == [(1, 1), (4, 2), (2, 2), (3, 2), (8, 5), (5, 5), (7, 5), (6, 5)]

    def test_in_a_semi_final_so_third_place_goes_to_the_only_one_who_can_come(self):
        board = play(single_elimination(4, third_place=True), nobody_wins((Bracket.MAIN, 1, 2)))
        assert places(board.ended.values()) == [(1, 1), (4, 2), (2, 3), (3, 3)]

    def test_in_a_third_place_match_so_both_are_third(self):
        board = play(single_elimination(4, third_place=True), nobody_wins((Bracket.THIRD_PLACE, 2, 1)))
        assert places(board.ended.values()) == [(1, 1), (2, 2), (4, 3), (3, 3)]

    def test_in_the_upper_bracket_so_both_are_out_where_its_losers_come_in(self):
        """With six entrants the losers of both rounds 1 and 2 come into round 1 of the lower bracket."""
        for n, upper_round, lower_round in ((8, 1, 1), (8, 2, 2), (8, 3, 4), (6, 1, 1), (6, 2, 1), (6, 3, 3)):
            position = 2 if upper_round == 1 else 1
            board = play(double_elimination(n), nobody_wins((Bracket.MAIN, upper_round, position)))
            place = dict(places(board.ended.values()))
            (match,) = (m for m in board.ended.values() if m.winner is None and m.home is not None)
            lower = {
                (m.round, place[entrant])
                for m in board.ended.values()
                if m.bracket is Bracket.LOWER
                for entrant in (m.home, m.away)
                if entrant not in (None, m.winner)
            }
            assert place[match.home] == place[match.away]
            assert all(rank > place[match.home] for round_, rank in lower if round_ < lower_round)
            assert all(rank == place[match.home] for round_, rank in lower if round_ == lower_round)
            assert all(rank < place[match.home] for round_, rank in lower if round_ > lower_round)


@given(st.sampled_from(sorted(PLANS)), st.integers(2, 40), st.floats(0, 1), st.randoms(use_true_random=False))
def test_whoever_fails_to_turn_up_everybody_has_a_place(kind, n, double_forfeits, rng):
    board = Board(PLANS[kind](n))
    while board.ready:
        number = rng.choice(board.ready)
        winner = None if rng.random() < double_forfeits else rng.choice(board.pair(number))
        board.end(number, winner)
    ranked = places(board.ended.values())
    assert sorted(entrant for entrant, _ in ranked) == list(range(1, n + 1))
    won = champion(board)
    assert [entrant for entrant, rank in ranked if rank == 1] == [won] * (won is not None)
    for rank in set(ranks(ranked)):
        better = sum(r < rank for r in ranks(ranked))
        assert rank - better in ((1,) if won is not None else (1, 2))
    place = dict(ranked)
    for match in board.ended.values():
        for entrant in (match.home, match.away):
            moves_on = match.bracket is Bracket.GRAND_FINAL or (match.bracket is Bracket.MAIN and "double" in kind)
            if None not in (entrant, match.winner) and entrant != match.winner and not moves_on:
                assert place[match.winner] < place[entrant]


def test_nothing_played_has_no_places():
    assert places([]) == []
    assert places([Ended(1, Bracket.MAIN, 1, None, None, None)]) == []
