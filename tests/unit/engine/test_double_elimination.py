"""Structure and play of double eliminations, for every number of entrants."""

from collections import Counter, defaultdict
from functools import cache
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.bracket import Bracket, Place, Side
from engine.double_elimination import double_elimination, drop_mask
from engine.elimination import single_elimination
from engine.errors import InvalidField
from engine.placing import places
from engine.seeding import bracket_size
from tests.unit.engine.board import Board, champion, play

EVERY_FIELD = range(2, 129)
LARGE_FIELDS = [2**k + more for k in range(7, 12) for more in (1, 2**k // 2 + 1, 2**k)]

plan = cache(double_elimination)

# The first lower round in which two can meet again, by the size of the full bracket. For 8 to 64 these are the best
# of a search through common drop orders; see drop_mask for why no order does better.
FIRST_REMATCH = {4: 2, 8: 3, 16: 4, 32: 5, 64: 7, 128: 8, 256: 9, 512: 11, 1024: 13, 2048: 15, 4096: 16}


def for_every_field(fields=EVERY_FIELD):
    """Run a test for every number of entrants; one test each would spend the time on bookkeeping."""

    def decorate(test):
        def run():
            for n in fields:
                try:
                    test(n)
                except Exception as error:
                    error.add_note(f"with {n} entrants")
                    raise

        run.__name__ = test.__name__
        run.__doc__ = test.__doc__
        return run

    return decorate


def part(n, bracket):
    return [match for match in plan(n) if match.bracket is bracket]


def has_empty_lower_round(n):
    """Whether byes leave no match of the first lower round, which needs two neighbours that were played."""
    return n <= bracket_size(n) * 3 // 4


@for_every_field((*EVERY_FIELD, *LARGE_FIELDS))
def test_everybody_but_one_has_two_matches_to_lose(n):
    assert len(plan(n)) == 2 * n - 1
    assert len(double_elimination(n, reset=False)) == 2 * n - 2
    assert len(part(n, Bracket.MAIN)) == n - 1
    assert len(part(n, Bracket.LOWER)) == n - 2


@for_every_field((*EVERY_FIELD, *LARGE_FIELDS))
def test_numbers_are_an_order_of_play(n):
    assert [match.number for match in plan(n)] == list(range(1, 2 * n))
    for match in plan(n):
        assert all(place is None or place.match > match.number for place in (match.winner_to, match.loser_to))


@for_every_field((*EVERY_FIELD, *LARGE_FIELDS))
def test_each_side_is_fed_once_or_known_from_the_start(n):
    fed = Counter(place for match in plan(n) for place in (match.winner_to, match.loser_to) if place is not None)
    known = Counter(
        Place(match.number, side)
        for match in plan(n)
        for side, seed in ((Side.HOME, match.home_seed), (Side.AWAY, match.away_seed))
        if seed is not None
    )
    assert fed + known == Counter(Place(match.number, side) for match in plan(n) for side in Side)


@for_every_field((*EVERY_FIELD, *LARGE_FIELDS))
def test_upper_bracket_is_a_single_elimination(n):
    """So byes go to the best seeds in round 1, and never meet."""

    def drawn(matches):
        place = {match.number: (match.bracket, match.round, match.position) for match in matches}
        return [
            (
                *place[match.number],
                match.home_seed,
                match.away_seed,
                match.winner_to and (*place[match.winner_to.match], match.winner_to.side),
            )
            for match in matches
            if match.bracket is Bracket.MAIN
        ]

    final, *before = reversed(drawn(plan(n)))
    expected_final, *expected = reversed(drawn(single_elimination(n)))
    assert before == expected
    assert final[:-1] == expected_final[:-1]
    assert final[-1] == (Bracket.GRAND_FINAL, 1, 1, Side.HOME)


@for_every_field()
def test_each_upper_loser_drops_to_the_lower_bracket_once(n):
    """From a later round later, except that byes may spare a drop a match."""
    where = {match.number: match for match in plan(n)}
    drops = [(match.round, where[match.loser_to.match]) for match in part(n, Bracket.MAIN)]
    if n == 2:
        assert [(r, target.bracket) for r, target in drops] == [(1, Bracket.GRAND_FINAL)]
        return
    assert {target.bracket for _, target in drops} == {Bracket.LOWER}
    full_round = {r: max(1, 2 * (r - 1)) for r, _ in drops}
    for r, target in drops:
        lower_round = target.round + has_empty_lower_round(n)
        spared = (2, 3) if n < bracket_size(n) and r <= 2 else ()
        assert lower_round in (full_round[r], *spared)
    assert all(match.loser_to is None for match in part(n, Bracket.LOWER))


@for_every_field()
def test_rounds_count_from_one_without_gaps_and_halve_by_turns(n):
    for bracket in (Bracket.MAIN, Bracket.LOWER):
        sizes = Counter(match.round for match in part(n, bracket))
        assert sorted(sizes) == list(range(1, len(sizes) + 1))
    last_round = bracket_size(n).bit_length() - 1
    assert len(sizes) == (2 * (last_round - 1) - has_empty_lower_round(n) if n > 2 else 0)
    if n == bracket_size(n) > 2:
        assert [sizes[r] for r in sorted(sizes)] == [n >> r // 2 + 2 for r in range(len(sizes))]


@for_every_field()
def test_positions_go_down_the_page_so_that_no_lower_lines_cross(n):
    by_round = defaultdict(list)
    where = {match.number: match for match in plan(n)}
    for match in plan(n):
        by_round[match.bracket, match.round].append(match.position)
        if match.bracket is Bracket.LOWER and where[match.winner_to.match].bracket is Bracket.LOWER:
            target = where[match.winner_to.match]
            drops_in = any(m.loser_to and m.loser_to.match == target.number for m in part(n, Bracket.MAIN))
            assert drops_in or target.position == (match.position + 1) // 2
    for positions in by_round.values():
        assert positions == sorted(set(positions))


@for_every_field()
def test_both_champions_meet_and_the_lower_ones_win_leads_to_the_reset(n):
    final, reset = part(n, Bracket.GRAND_FINAL)
    feeders = [match for match in plan(n) if match.winner_to and match.winner_to.match == final.number]
    if n > 2:
        assert [(m.bracket, m.winner_to.side) for m in feeders] == [
            (Bracket.MAIN, Side.HOME),
            (Bracket.LOWER, Side.AWAY),
        ]
    assert (final.round, reset.round) == (1, 2)
    assert final.sends_on is Side.AWAY
    assert final.winner_to == Place(reset.number, Side.AWAY)
    assert final.loser_to == Place(reset.number, Side.HOME)
    assert (reset.winner_to, reset.loser_to, reset.sends_on) == (None, None, None)
    only = double_elimination(n, reset=False)[-1]
    assert (only.winner_to, only.loser_to, only.sends_on) == (None, None, None)


def test_known_drop_orders():
    """Of rounds 1, 2, … each, as positions from 0 of the upper matches whose losers drop to lower places 0, 1, …"""
    orders = {
        k: [[place ^ drop_mask(r, k) for place in range(2 ** (k - r))] for r in range(1, k + 1)] for k in range(1, 6)
    }
    assert orders[1] == [[0]]
    assert orders[2] == [[0, 1], [0]]
    assert orders[3] == [[0, 1, 2, 3], [1, 0], [0]]
    assert orders[4] == [[0, 1, 2, 3, 4, 5, 6, 7], [3, 2, 1, 0], [0, 1], [0]]
    assert orders[5][1:] == [[7, 6, 5, 4, 3, 2, 1, 0], [1, 0, 3, 2], [1, 0], [0]]


def test_losers_drop_as_the_orders_say_and_stand_above_those_who_were_there():
    for n in (4, 8, 16, 32, 64):
        where = {match.number: match for match in plan(n)}
        for match in part(n, Bracket.MAIN):
            if match.round > 1:
                mask = drop_mask(match.round, n.bit_length() - 1)
                assert match.loser_to.side is Side.HOME
                assert where[match.loser_to.match].position - 1 == (match.position - 1) ^ mask


def first_rematch(n):
    """
    Return the first lower round, counted as in a full bracket, in which two can meet who have met before.

    A lower side is a set of upper matches, whose losers may come to stand there. Any entrant of an upper match can win
    it, so the loser of one may have lost to whoever later loses a match that its winner passes through.
    """
    next_upper = {match.number: match.winner_to.match for match in part(n, Bracket.MAIN)}
    sides = defaultdict(set)
    for match in plan(n):
        if match.bracket is Bracket.MAIN:
            sides[match.loser_to].add(match.number)
        if match.bracket is Bracket.LOWER:
            home, away = (sides.pop(Place(match.number, side)) for side in Side)
            for these, others in ((home, away), (away, home)):
                for lost in these:
                    later = next_upper[lost]
                    while later in next_upper:
                        if later in others:
                            return match.round + has_empty_lower_round(n)
                        later = next_upper[later]
            sides[match.winner_to] |= home | away
    raise AssertionError("In a lower bracket somebody can always meet again.")


def test_full_brackets_reach_the_bound_of_rematches():
    assert {size: first_rematch(size) for size in FIRST_REMATCH} == FIRST_REMATCH


@for_every_field(range(3, 129))
def test_byes_bring_no_rematch_forward(n):
    assert first_rematch(n) >= FIRST_REMATCH[bracket_size(n)]


def assert_played_to_the_end(board, n):
    assert set(board.ended) == set(board.plan)
    won = champion(board)
    losses = board.losses()
    assert {e: losses[e] for e in range(1, n + 1) if e != won} == dict.fromkeys(set(range(1, n + 1)) - {won}, 2)
    final, reset = (board.ended[m.number] for m in board.plan.values() if m.bracket is Bracket.GRAND_FINAL)
    assert reset.cancelled == (final.winner == final.home)
    assert losses[won] == int(not reset.cancelled)
    if not reset.cancelled:
        assert (reset.home, reset.away) == (final.home, final.away)


@for_every_field()
def test_random_play_takes_two_losses_from_all_but_the_champion(n):
    for seed in range(4):
        rng = Random(f"{n} {seed}")
        board = play(plan(n), lambda _, home, away, rng=rng: rng.choice((home, away)))
        assert_played_to_the_end(board, n)


@given(st.integers(2, 300), st.data())
def test_any_order_of_play_takes_two_losses_from_all_but_the_champion(n, data):
    rng = data.draw(st.randoms(use_true_random=False))
    board = Board(plan(n))
    while board.ready:
        number = rng.choice(board.ready)
        board.end(number, rng.choice(board.pair(number)))
    assert_played_to_the_end(board, n)


@for_every_field()
def test_without_a_reset_the_grand_final_decides(n):
    rng = Random(n)
    board = play(double_elimination(n, reset=False), lambda _, home, away: rng.choice((home, away)))
    won = champion(board)
    losses = board.losses()
    final = board.ended[2 * n - 2]
    assert won == final.winner
    assert losses[won] == int(won == final.away)
    assert losses[final.home] <= 1
    assert all(losses[e] == 2 for e in range(1, n + 1) if e not in (final.home, final.away))


@for_every_field()
def test_while_favourites_win_places_are_the_seeds(n):
    ranked = places(play(plan(n)).ended.values())
    groups = defaultdict(set)
    for seed, rank in ranked:
        groups[rank].add(seed)
    assert set().union(*groups.values()) == set(range(1, n + 1))
    for rank, seeds in groups.items():
        assert seeds == set(range(rank, rank + len(seeds)))
    assert [len(groups[rank]) for rank in range(1, min(n, 4) + 1)] == [1] * min(n, 4)


@pytest.mark.parametrize("n", [-1, 0, 1, 4097, 10**6])
def test_a_field_that_does_not_fit_is_refused_with_the_limits(n):
    with pytest.raises(InvalidField, match="2 to 4096"):
        double_elimination(n)
