"""Everybody meets everybody, for every number of entrants."""

from collections import Counter, defaultdict

import pytest

from engine.bracket import Bracket
from engine.errors import InvalidField
from engine.round_robin import grouped_round_robin, round_robin

EVERY_GROUP = [(n, legs) for n in range(2, 65) for legs in (1, 2)]


def by_round(matches):
    rounds = defaultdict(list)
    for match in matches:
        rounds[match.round].append((match.home_seed, match.away_seed))
    return rounds


def test_the_table_of_four():
    assert by_round(round_robin(4)) == {1: [(1, 4), (3, 2)], 2: [(4, 2), (1, 3)], 3: [(3, 4), (2, 1)]}


def test_each_pair_meets_once_in_each_leg():
    for n, legs in EVERY_GROUP:
        met = Counter(frozenset((m.home_seed, m.away_seed)) for m in round_robin(n, legs=legs))
        assert met == {frozenset((a, b)): legs for b in range(1, n + 1) for a in range(1, b)}, (n, legs)


def test_everybody_plays_in_every_round_but_one_who_is_idle_if_their_number_is_odd():
    for n, legs in EVERY_GROUP:
        rounds = by_round(round_robin(n, legs=legs))
        assert sorted(rounds) == list(range(1, legs * (n - 1 + n % 2) + 1)), (n, legs)
        for pairs in rounds.values():
            playing = [seed for pair in pairs for seed in pair]
            assert len(set(playing)) == len(playing) == n - n % 2, (n, legs)


def test_home_and_away_are_shared_out_and_mirrored_in_the_second_leg():
    for n in range(2, 65):
        balance = Counter()
        for match in round_robin(n):
            balance[match.home_seed] += 1
            balance[match.away_seed] -= 1
        assert {abs(balance[seed]) for seed in range(1, n + 1)} == ({0} if n % 2 else {1}), n
        first, second = (list(by_round(m).values()) for m in (round_robin(n), round_robin(n, legs=2)))
        assert second == first + [[(away, home) for home, away in pairs] for pairs in first], n


def test_home_and_away_alternate_as_far_as_they_can():
    """De Werra: n - 2 repetitions are the fewest for an even n, none for an odd one."""
    for n in range(2, 65):
        was_home, repetitions = {}, 0
        for match in round_robin(n):
            for seed, is_home in ((match.home_seed, True), (match.away_seed, False)):
                repetitions += was_home.get(seed) is is_home
                was_home[seed] = is_home
        assert repetitions == (0 if n % 2 else n - 2), n


def test_numbers_and_positions_count_up_and_nobody_is_sent_on():
    for n, legs in EVERY_GROUP:
        matches = round_robin(n, legs=legs, group=3, first_number=41)
        assert [m.number for m in matches] == list(range(41, 41 + len(matches)))
        assert [(m.round, m.position) for m in matches] == [
            (round_, position) for round_, pairs in by_round(matches).items() for position in range(1, len(pairs) + 1)
        ]
        assert {(m.bracket, m.group, m.winner_to, m.loser_to) for m in matches} == {(Bracket.MAIN, 3, None, None)}


def test_groups_are_played_round_by_round():
    sizes = [4, 5, 2]
    matches = grouped_round_robin(sizes, legs=2, first_number=10)
    assert [m.number for m in matches] == list(range(10, 10 + len(matches)))
    in_order = [(m.round, m.group, m.position) for m in matches]
    assert in_order == sorted(in_order)
    for group, size in enumerate(sizes, start=1):
        own = [m for m in matches if m.group == group]
        assert by_round(own) == by_round(round_robin(size, legs=2))


def test_one_group_alone_is_a_stage_without_groups():
    assert grouped_round_robin([6], legs=2, first_number=5) == round_robin(6, legs=2, first_number=5)


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        (lambda: round_robin(1), "2 to 128 entrants, not 1"),
        (lambda: round_robin(129), "not 129"),
        (lambda: round_robin(4, legs=0), "1 to 4 times, not 0"),
        (lambda: round_robin(4, legs=5), "not 5"),
        (lambda: grouped_round_robin([]), "at least one group"),
        (lambda: grouped_round_robin([4, 1]), "not 1"),
        (lambda: grouped_round_robin([64] * 65), "4096 entrants, not 4160"),
    ],
)
def test_what_cannot_be_a_round_robin_is_refused_with_the_limits(plan, sentence):
    with pytest.raises(InvalidField, match=sentence):
        plan()
