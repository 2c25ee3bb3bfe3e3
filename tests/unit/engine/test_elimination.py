"""Structure of brackets, for every number of entrants."""

from collections import Counter
from random import Random

import pytest

from engine.bracket import MIN_ENTRANTS, Bracket, PlannedMatch, Side
from engine.elimination import single_elimination
from engine.errors import InvalidField
from engine.seeding import bracket_order, bracket_size, draw

EVERY_FIELD = range(MIN_ENTRANTS, 129)


def for_every_field(test):
    """Run a test for every number of entrants; one test each would spend the time on bookkeeping."""

    def run(self, third_place):
        for n in EVERY_FIELD:
            try:
                test(self, n, third_place)
            except AssertionError as error:
                error.add_note(f"with {n} entrants")
                raise

    run.__name__ = test.__name__
    return run


def play(matches: list[PlannedMatch], better=min) -> tuple[list, Counter]:
    """Play a bracket by its winner and loser paths. Return (match, home, away, winner) in order, and losses by seed."""
    sides: dict[tuple[int, Side], int] = {}
    results, losses = [], Counter()
    for match in matches:
        home = match.home_seed or sides.pop((match.number, Side.HOME))
        away = match.away_seed or sides.pop((match.number, Side.AWAY))
        winner = better(home, away)
        loser = away if winner == home else home
        losses[loser] += match.bracket is Bracket.MAIN
        results.append((match, home, away, winner))
        for place, seed in ((match.winner_to, winner), (match.loser_to, loser)):
            if place is not None:
                assert (place.match, place.side) not in sides, "two entrants in one place"
                sides[place.match, place.side] = seed
    assert not sides, "somebody was sent to a match that was not played"
    return results, losses


class TestSeedOrder:
    @pytest.mark.parametrize(
        ("size", "order"),
        [
            (1, [1]),
            (2, [1, 2]),
            (4, [1, 4, 2, 3]),
            (8, [1, 8, 4, 5, 2, 7, 3, 6]),
            (16, [1, 16, 8, 9, 4, 13, 5, 12, 2, 15, 7, 10, 3, 14, 6, 11]),
        ],
    )
    def test_known_orders(self, size, order):
        assert bracket_order(size) == order

    @pytest.mark.parametrize("size", [2, 4, 8, 16, 32, 64, 128])
    def test_every_first_round_pair_sums_to_size_plus_one(self, size):
        order = bracket_order(size)
        assert sorted(order) == list(range(1, size + 1))
        assert {a + b for a, b in zip(order[::2], order[1::2], strict=True)} == {size + 1}

    def test_bracket_size_is_the_next_power_of_two(self):
        for n in EVERY_FIELD:
            size = bracket_size(n)
            assert size // 2 < n <= size
            assert size & (size - 1) == 0

    def test_a_draw_is_replayed_by_its_seed_and_keeps_everyone(self):
        entrants = list(range(40))
        assert draw(entrants, Random(7)) == draw(entrants, Random(7))
        assert draw(entrants, Random(7)) != draw(entrants, Random(8))
        assert sorted(draw(entrants, Random(7))) == entrants
        assert entrants == list(range(40))


@pytest.mark.parametrize("third_place", [False, True])
class TestSingleElimination:
    @for_every_field
    def test_numbers_are_the_order_of_play(self, n, third_place):
        matches = single_elimination(n, third_place=third_place)
        assert [match.number for match in matches] == list(range(1, len(matches) + 1))
        for match in matches:
            for place in (match.winner_to, match.loser_to):
                assert place is None or place.match > match.number

    @for_every_field
    def test_n_minus_one_matches_and_one_loss_for_all_but_the_champion(self, n, third_place):
        matches = single_elimination(n, third_place=third_place)
        main = [match for match in matches if match.bracket is Bracket.MAIN]
        assert len(main) == n - 1
        rng = Random(n)
        results, losses = play(matches, lambda home, away: rng.choice((home, away)))
        champion = results[-1][3]
        assert {seed: losses[seed] for seed in range(1, n + 1)} == {
            seed: int(seed != champion) for seed in range(1, n + 1)
        }

    @for_every_field
    def test_byes_go_to_the_best_seeds_in_round_one_and_never_meet(self, n, third_place):
        matches = single_elimination(n, third_place=third_place)
        byes = bracket_size(n) - n
        first_round = {seed for m in matches if m.round == 1 for seed in (m.home_seed, m.away_seed) if seed}
        if bracket_size(n) > 2:
            assert set(range(1, n + 1)) - first_round == set(range(1, byes + 1))
        assert all(m.home_seed and m.away_seed for m in matches if m.round == 1 and m.bracket is Bracket.MAIN)

    @for_every_field
    def test_while_favourites_win_the_best_are_left(self, n, third_place):
        results, _ = play(single_elimination(n, third_place=third_place))
        rounds = bracket_size(n).bit_length() - 1
        for round_ in range(1, rounds + 1):
            met = [seed for m, h, a, _ in results if m.round == round_ and m.bracket is Bracket.MAIN for seed in (h, a)]
            still_in = bracket_size(n) >> (round_ - 1)
            if round_ == 1:
                assert max(met) == n
            else:
                assert sorted(met) == list(range(1, still_in + 1))

    @for_every_field
    def test_third_place_is_played_by_the_two_semi_final_losers(self, n, third_place):
        matches = single_elimination(n, third_place=third_place)
        deciders = [m for m in matches if m.bracket is Bracket.THIRD_PLACE]
        if not third_place or n < 4:
            assert deciders == []
            return
        (decider,) = deciders
        results, _ = play(matches)
        semis = [(h, a, w) for m, h, a, w in results if m.round == decider.round - 1]
        losers = {h if w == a else a for h, a, w in semis}
        assert len(semis) == 2
        assert [{h, a} for m, h, a, _ in results if m is decider] == [losers]
        assert matches[-1].bracket is Bracket.MAIN, "the final is last"

    @for_every_field
    def test_winners_of_neighbours_meet(self, n, third_place):
        matches = {m.number: m for m in single_elimination(n, third_place=third_place)}
        for match in matches.values():
            if match.winner_to is not None:
                target = matches[match.winner_to.match]
                assert (target.round, target.position) == (match.round + 1, (match.position + 1) // 2)
                assert match.winner_to.side is (Side.HOME if match.position % 2 else Side.AWAY)


@pytest.mark.parametrize("n", [-1, 0, 1, 4097, 10**6])
def test_a_field_that_does_not_fit_is_refused_with_the_limits(n):
    with pytest.raises(InvalidField, match="2 to 4096"):
        single_elimination(n)
