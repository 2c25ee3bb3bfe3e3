"""Random tournaments, round by round: who is paired, who has the bye, and that no other pairing is better."""

import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import combinations, permutations
from pathlib import Path
from random import Random

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidField
from engine.results import Points, Result
from engine.swiss import Pairing, Player, finished, pair_round, players_from, rounds_needed, why
from engine.swiss_groups import first_transposition

CHESS = Points(win=1, draw=0.5, loss=0, bye=1)
POINTS = [Points(), CHESS, Points(win=3, draw=1, loss=0, bye=1.5)]
seeds_of_chance = st.integers(0, 2**32)


def rounds_of(rng, n, rounds, points=None, *, coming_and_going=True):
    """
    Play a tournament and yield each round: the players who were to be paired, and their pairing.

    Some come late, some withdraw; matches are won, drawn, forfeited by one or by both.
    """
    points = points or rng.choice(POINTS)
    draws, upsets = rng.choice([0, 0.2, 0.6, 1]), rng.choice([0, 0.2, 0.5])
    active = {e: e for e in range(1, n + 1)}
    late = rng.sample(sorted(active), n // 6) if coming_and_going else []
    waiting = {e: active.pop(e) for e in late}
    results, awarded = [], {}
    for round_ in range(1, rounds + 1):
        if coming_and_going and round_ > 1:
            for entrant in [e for e in waiting if rng.random() < 0.5]:
                active[entrant] = waiting.pop(entrant)
                awarded[entrant] = rng.choice([0, 0.5, 1]) * (round_ - 1)
            for entrant in [e for e in active if rng.random() < 0.03]:
                del active[entrant]
        players = players_from(active, results, points, given=awarded)
        pairing = pair_round(players)
        yield players, pairing
        for home, away in pairing.pairs:
            chance = rng.random()
            better, worse = sorted((home, away))
            forfeit = rng.random() < 0.05
            winner = None if chance < draws else worse if chance < draws + upsets else better
            results.append(Result(round_, home, away, winner, forfeit=forfeit))
        if pairing.bye is not None:
            results.append(Result(round_, pairing.bye, None, pairing.bye))


def costs_of(players):
    """
    Return a function that says what a pair costs by the rules, the first number before the second.

    Written anew from what engine.swiss_floats promises, to compare with.
    """
    groups = defaultdict(list)
    for player in sorted(players, key=lambda p: p.seed):
        groups[player.points].append(player)
    scores = sorted(groups, reverse=True)

    def cost(a, b):
        high, low = sorted((a, b), key=lambda p: -p.points)
        times = high.opponents.count(low.entrant)
        squared = (high.points - low.points) ** 2
        if high.points == low.points:
            return (times > 0, max(times - 1, 0), 0, 0, 0, 0, 0)
        from_foot = len(groups[high.points]) - groups[high.points].index(high)
        from_head = groups[low.points].index(low)
        again = [(high.floated[i] == -1) + (low.floated[i] == 1) for i in (0, 1)]
        below = len(scores) - scores.index(high.points)
        return (times > 0, max(times - 1, 0), squared, squared * below, *again, (from_foot + from_head) ** 2)

    return cost


def total(players, pairs):
    by_id, cost = {p.entrant: p for p in players}, costs_of(players)
    return tuple(map(sum, zip(*(cost(by_id[a], by_id[b]) for a, b in pairs), strict=True)))


def least_total(players):
    """Return the least total of all pairings of everyone, by networkx."""
    cost = costs_of(players)
    edges = {(a.entrant, b.entrant): [int(4 * c) for c in cost(a, b)] for a, b in combinations(players, 2)}
    bounds = [max(column) * len(players) + 1 for column in zip(*edges.values(), strict=True)]
    graph = nx.Graph()
    for (a, b), costs in edges.items():
        weight = 0
        for bound, c in zip(bounds, costs, strict=True):
            weight = weight * bound + c
        graph.add_edge(a, b, weight=-weight)
    return total(players, nx.max_weight_matching(graph, maxcardinality=True))


def fewest_rematches(players):
    graph = nx.Graph()
    graph.add_nodes_from(p.entrant for p in players)
    graph.add_edges_from((a.entrant, b.entrant) for a, b in combinations(players, 2) if b.entrant not in a.opponents)
    return len(players) // 2 - len(nx.max_weight_matching(graph, maxcardinality=True))


def without(players, entrant):
    return [p for p in players if p.entrant != entrant]


class TestEveryRound:
    @given(st.integers(2, 40), st.integers(1, 14), seeds_of_chance)
    def test_everyone_who_plays_on_is_paired_or_has_the_bye_once(self, n, rounds, chance):
        for players, pairing in rounds_of(Random(chance), n, rounds):
            there = [e for pair in pairing.pairs for e in pair] + [e for e in [pairing.bye] if e is not None]
            assert sorted(there) == sorted(p.entrant for p in players)

    @given(st.integers(2, 16), st.integers(1, 20), seeds_of_chance)
    def test_rematches_are_as_few_as_can_be_and_reported(self, n, rounds, chance):
        for players, pairing in rounds_of(Random(chance), n, rounds):
            by_id = {p.entrant: p for p in players}
            repeats = tuple((home, away) for home, away in pairing.pairs if away in by_id[home].opponents)
            assert pairing.repeats == repeats
            assert len(repeats) == fewest_rematches(without(players, pairing.bye))

    @given(st.integers(2, 21), st.integers(1, 12), seeds_of_chance)
    def test_the_bye_goes_to_the_last_who_had_fewest_and_can_be_left_out(self, n, rounds, chance):
        for players, pairing in rounds_of(Random(chance), n, rounds):
            if pairing.bye is None:
                assert len(players) % 2 == 0
                continue
            by_id = {p.entrant: p for p in players}
            fewest = min((p.byes, p.walkovers) for p in players)
            candidates = [p for p in players if (p.byes, p.walkovers) == fewest]
            assert by_id[pairing.bye] in candidates
            assert by_id[pairing.bye].byes == 0 or all(p.byes for p in players)
            lower = [
                p for p in candidates if (p.points, -p.seed) < (by_id[pairing.bye].points, -by_id[pairing.bye].seed)
            ]
            assert all(fewest_rematches(without(players, p.entrant)) > len(pairing.repeats) for p in lower)
            assert len(pairing.repeats) == min(fewest_rematches(without(players, p.entrant)) for p in candidates)

    @given(st.integers(2, 40), st.integers(1, 12), seeds_of_chance)
    def test_no_other_pairing_is_better(self, n, rounds, chance):
        """Squared score differences above all; networkx minimises over all pairings of the same entrants."""
        for players, pairing in rounds_of(Random(chance), n, rounds):
            paired = without(players, pairing.bye)
            if paired:
                assert total(paired, pairing.pairs) == least_total(paired)

    @pytest.mark.parametrize("n", [64, 101, 150])
    def test_no_other_pairing_is_better_where_groups_are_large(self, n):
        """Here most groups are paired without a matching, and the table falls apart into independent parts."""
        for players, pairing in rounds_of(Random(n), n, 5):
            paired = without(players, pairing.bye)
            assert total(paired, pairing.pairs) == least_total(paired)

    @given(st.integers(2, 14), seeds_of_chance)
    def test_no_other_pairing_is_better_whatever_has_been(self, half, chance):
        """Standings that no tournament leads to, so that the same few are wanted above and below them."""
        rng = Random(chance)
        entrants = range(2 * half)
        met = {e: set() for e in entrants}
        for _ in range(rng.choice([0, 0, 3, 30])):
            a, b = rng.sample(entrants, 2)
            met[a].add(b)
            met[b].add(a)
        groups, often = rng.randint(1, 5), rng.choice([0.2, 0.5, 0.9])
        players = [
            Player(
                e,
                e,
                rng.randrange(groups) if rng.random() < often else 2,
                tuple(met[e]),
                floated=(rng.choice([-1, 0, 1]), rng.choice([-1, 0, 1])) if rng.random() < often else (0, 0),
            )
            for e in entrants
        ]
        assert total(players, pair_round(players).pairs) == least_total(players)

    def test_a_large_group_is_not_left_with_those_who_have_met(self):
        """Six who have met each other float into sixteen; the ten last of these could not be paired on their own."""
        met = {e: set() for e in range(22)}
        for a, b in [*combinations(range(6), 2), *((a, b) for a in range(12, 17) for b in range(17, 22))]:
            met[a].add(b)
            met[b].add(a)
        players = [Player(e, e, int(e < 6), tuple(met[e])) for e in range(22)]
        pairing = pair_round(players)
        assert pairing.repeats == ()
        assert total(players, pairing.pairs) == least_total(players)

    @given(st.integers(2, 40), st.integers(1, 10), seeds_of_chance)
    def test_other_names_and_another_order_give_the_same_pairing(self, n, rounds, chance):
        rng = Random(chance)
        for players, pairing in rounds_of(rng, n, rounds):
            names = dict(enumerate(rng.sample(range(1000), 2 * n), start=1))
            renamed = [
                replace(p, entrant=names[p.entrant], opponents=tuple(names[e] for e in p.opponents)) for p in players
            ]
            rng.shuffle(renamed)
            assert pair_round(renamed) == Pairing(
                tuple((names[home], names[away]) for home, away in pairing.pairs),
                names.get(pairing.bye),
                tuple((names[home], names[away]) for home, away in pairing.repeats),
            )

    @given(st.integers(2, 40), st.integers(1, 10), seeds_of_chance)
    def test_the_top_board_comes_first_and_who_was_away_more_often_is_at_home(self, n, rounds, chance):
        for players, pairing in rounds_of(Random(chance), n, rounds):
            by_id = {p.entrant: p for p in players}
            boards = [sorted((by_id[a].points, by_id[b].points), reverse=True) for a, b in pairing.pairs]
            assert boards == sorted(boards, reverse=True)
            for home, away in pairing.pairs:
                a, b = by_id[home], by_id[away]
                assert (a.home_balance, -a.points, a.seed) < (b.home_balance, -b.points, b.seed)


def test_another_process_pairs_the_same():
    """What a set or a hash decides would differ between processes."""
    program = (
        "from random import Random\n"
        "from tests.unit.engine.test_swiss import rounds_of\n"
        "print([pairing for n in (9, 40, 90) for _, pairing in rounds_of(Random(n), n, 8)])"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[3],
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


class TestScoreGroups:
    def test_round_one_is_the_upper_half_of_the_seeds_against_the_lower(self):
        for n in range(130):
            pairing = pair_round(players_from({e: e for e in range(1, n + 1)}, [], Points()))
            half = n // 2
            assert pairing == Pairing(tuple((e, e + half) for e in range(1, half + 1)), n if n % 2 else None, ())

    @given(st.integers(0, 6), st.floats(0, 1), seeds_of_chance)
    def test_the_first_transposition_that_is_allowed(self, size, density, chance):
        rng = Random(chance)
        met = {(i, j) for i in range(size) for j in range(size) if rng.random() < density}
        allowed = (list(p) for p in permutations(range(size)) if not met & set(enumerate(p)))
        assert first_transposition(size, lambda i, j: (i, j) not in met) == next(allowed, None)

    @given(st.integers(4, 60), seeds_of_chance)
    def test_the_lower_half_is_transposed_for_those_who_have_met(self, n, chance):
        """In one score group, the first of the upper half who can, meets the first of the lower half."""
        rng, half = Random(chance), n // 2
        met = {e: set() for e in range(2 * half)}
        for _ in range(half // 4):
            a, b = rng.sample(range(2 * half), 2)
            met[a].add(b)
            met[b].add(a)
        pairing = pair_round([Player(e, e, 0, tuple(met[e])) for e in met])
        order = first_transposition(half, lambda i, j: half + j not in met[i])
        assert {frozenset(pair) for pair in pairing.pairs} == {frozenset((i, half + j)) for i, j in enumerate(order)}

    def test_entrants_change_halves_where_no_transposition_is_allowed(self):
        met = {0: (3, 4, 5), 3: (0,), 4: (0,), 5: (0,)}
        pairing = pair_round([Player(e, e, 0, met.get(e, ())) for e in range(6)])
        assert set(pairing.pairs) == {(0, 2), (1, 4), (3, 5)}

    def test_the_last_of_an_odd_group_floats_to_the_first_of_the_next(self):
        players = [Player(e, e, points) for e, points in enumerate([3, 3, 3, 1, 1, 1, 1, 1])]
        assert set(pair_round(players).pairs) == {(0, 1), (2, 3), (4, 6), (5, 7)}

    def test_nobody_floats_twice_in_a_row_who_need_not(self):
        points = [3, 3, 3, 1, 1, 1, 1, 1]
        floated = {2: (-1, 0), 1: (0, -1), 3: (1, 0)}
        players = [Player(e, e, p, floated=floated.get(e, (0, 0))) for e, p in enumerate(points)]
        assert (0, 4) in pair_round(players).pairs

    def test_when_all_have_met_all_the_pairs_that_met_once_meet_again(self):
        opponents = {0: (1, 2, 3, 1), 1: (0, 2, 3, 0), 2: (0, 1, 3, 3), 3: (0, 1, 2, 2)}
        pairing = pair_round([Player(e, e, 4 - e, met) for e, met in opponents.items()])
        assert len(pairing.repeats) == 2
        assert not {(0, 1), (2, 3)} & set(pairing.repeats)


class TestEndOfTheStage:
    def test_after_the_rounds_needed_one_is_unbeaten_if_favourites_win(self):
        for n in [*range(1, 34), 63, 64, 65, 128]:
            results = []
            for round_ in range(1, rounds_needed(n) + 1):
                pairing = pair_round(players_from({e: e for e in range(n)}, results, Points()))
                results += [Result(round_, home, away, min(home, away)) for home, away in pairing.pairs]
                results += [Result(round_, bye, None, bye) for bye in [pairing.bye] if bye is not None]
            beaten = {e for r in results if r.away is not None for e in (r.home, r.away) if e != r.winner}
            assert set(range(n)) - beaten == {0}

    @given(seeds_of_chance)
    def test_sixteen_entrants_end_at_three_wins_or_losses_within_five_rounds(self, chance):
        rng, results, rounds = Random(chance), [], 0
        while active := set(range(16)) - finished(results, ends_at_wins=3, ends_at_losses=3):
            rounds += 1
            pairing = pair_round(players_from({e: e for e in active}, results, Points()))
            assert pairing.repeats == ()
            assert pairing.bye is None
            results += [Result(rounds, home, away, rng.choice((home, away))) for home, away in pairing.pairs]
        assert rounds == 5
        wins = Counter(r.winner for r in results)
        assert sorted(wins[e] for e in range(16)) == [0, 0, 1, 1, 1, 2, 2, 2] + [3] * 8

    def test_a_bye_and_a_walkover_are_wins_and_a_match_that_both_lost_counts_for_both(self):
        results = [
            Result(1, 1, None, 1),
            Result(1, 2, 3, 2, forfeit=True),
            Result(1, 4, 5, None, forfeit=True),
            Result(1, 6, 7, None),
        ]
        assert finished(results, ends_at_wins=1) == {1, 2}
        assert finished(results, ends_at_losses=1) == {3, 4, 5}
        assert finished(results) == frozenset()


class TestHistory:
    RESULTS = (
        Result(1, 1, 3, 1),
        Result(1, 2, 4, None),
        Result(1, 5, None, 5),
        Result(2, 5, 1, 1),
        Result(2, 4, 2, 2, forfeit=True),
        Result(2, 3, 6, None, forfeit=True),
        Result(3, 1, 4, 4),
        Result(3, 5, None, 5),
    )

    def test_points_opponents_and_floats_come_from_the_results(self):
        players = {p.entrant: p for p in players_from({e: e for e in range(1, 7)}, self.RESULTS, CHESS, given={6: 0.5})}
        assert [players[e].points for e in range(1, 7)] == [2, 1.5, 0, 1.5, 2, 0.5]
        assert players[1] == Player(1, 1, 2, (3, 5, 4), floated=(-1, 0), home_balance=1)
        assert players[2] == Player(2, 2, 1.5, (4, 4), walkovers=1)
        assert players[5] == Player(5, 5, 2, (1,), byes=2, floated=(-1, 0), home_balance=1)
        assert players[6] == Player(6, 6, 0.5, (3,), floated=(0, -1), home_balance=-1)

    def test_who_has_withdrawn_is_an_opponent_and_nothing_more(self):
        (player,) = players_from({1: 1}, self.RESULTS, CHESS)
        assert player.opponents == (3, 5, 4)
        assert pair_round([player]) == Pairing((), 1, ())

    def test_results_may_come_in_any_order(self):
        for order in permutations(self.RESULTS[3:]):
            shuffled = [*order, *self.RESULTS[:3]]
            again = players_from({e: e for e in range(1, 7)}, shuffled, CHESS)
            assert [replace(p, opponents=()) for p in again] == [
                replace(p, opponents=()) for p in players_from({e: e for e in range(1, 7)}, self.RESULTS, CHESS)
            ]


class TestWhy:
    NAMES = {1: "Ana", 2: "Ben"}

    @pytest.mark.parametrize(
        ("home", "away", "sentence"),
        [
            (Player(1, 1, 3), Player(2, 2, 3), "Ana and Ben: both on 3 points, not met before."),
            (Player(1, 1, 1), Player(2, 2, 1), "Ana and Ben: both on 1 point, not met before."),
            (
                Player(2, 1, 2.5),
                Player(1, 2, 4),
                "Ben and Ana: Ana floated down from 4 points to meet 2.5 points, not met before.",
            ),
            (
                Player(1, 1, 0, (2, 2)),
                Player(2, 2, 0, (1, 1)),
                "Ana and Ben: both on 0 points, met 2 times before, as no pairing of everyone avoids it.",
            ),
        ],
    )
    def test_a_pairing_is_explained_in_a_sentence(self, home, away, sentence):
        assert why(home, away, self.NAMES) == sentence

    @pytest.mark.parametrize(
        ("player", "reason"),
        [
            (Player(1, 1, 0.5), "of those who have had neither bye nor walkover"),
            (Player(1, 1, 6, byes=1), "everyone has had a bye or a walkover, and of those with the fewest byes"),
        ],
    )
    def test_so_is_a_bye(self, player, reason):
        lowest = f"Ana is the lowest that can be left out ({player.points} points)."
        assert why(player, None, self.NAMES) == f"Ana has the bye: {reason}, {lowest}"


@pytest.mark.parametrize(
    ("players", "sentence"),
    [
        ([Player(e, e) for e in range(4097)], "up to 4096 entrants, not 4097"),
        ([Player(1, 1), Player(2, 1)], "Two entrants have seed 1"),
        ([Player(7, 1), Player(7, 2)], "Two entrants have id 7"),
        ([Player(1, 1, 1 / 3), Player(2, 2)], "whole and half points"),
    ],
)
def test_what_cannot_be_paired_is_refused(players, sentence):
    with pytest.raises(InvalidField, match=sentence):
        pair_round(players)
