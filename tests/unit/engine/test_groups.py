"""Groups are dealt evenly, and their qualifiers stay out of each other's way."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.bracket import Side
from engine.elimination import single_elimination
from engine.errors import InvalidField
from engine.groups import Qualifier, Seating, seat_qualifiers, snake
from engine.seeding import bracket_size


def qualifiers(ranks):
    """Return qualifiers (group and rank are the entrant too) of the groups that each rank names, best first."""
    return [Qualifier((group, rank), group, rank) for rank, groups in enumerate(ranks, start=1) for group in groups]


@st.composite
def any_stage(draw):
    """1 to 12 groups, up to 5 of each go on, and some of the best that come right after them; in any order."""
    groups = list(range(1, draw(st.integers(1, 12)) + 1))
    complete = draw(st.integers(1, 5))
    ranks = [draw(st.permutations(groups)) for _ in range(complete + 1)]
    ranks[-1] = ranks[-1][: draw(st.integers(0, len(groups) - 1))]
    chosen = qualifiers(ranks)
    return chosen if len(chosen) > 1 else qualifiers([[1], [1]])


@st.composite
def two_of_each(draw):
    groups = list(range(1, draw(st.integers(2, 40)) + 1))
    return qualifiers([draw(st.permutations(groups)), draw(st.permutations(groups))])


def meetings(seeded):
    """Return (match, who may come from above, who may come from below) of the bracket of these entrants."""
    sides = {}
    found = []
    for match in single_elimination(len(seeded)):
        home, away = (
            {seeded[seed - 1]} if seed else sides[match.number, side]
            for side, seed in ((Side.HOME, match.home_seed), (Side.AWAY, match.away_seed))
        )
        found.append((match, home, away))
        if match.winner_to:
            sides[match.winner_to.match, match.winner_to.side] = home | away
    return found


class TestSnake:
    def test_it_turns_at_both_ends(self):
        assert snake("ABCDEFGHIJ", 4) == [list("AHI"), list("BGJ"), list("CF"), list("DE")]

    @given(st.integers(1, 200), st.data())
    def test_everybody_is_dealt_once_and_sizes_differ_by_one_at_most(self, n, data):
        groups = data.draw(st.integers(1, n))
        dealt = snake(range(n), groups)
        assert sorted(e for group in dealt for e in group) == list(range(n))
        assert len(dealt) == groups
        assert max(map(len, dealt)) - min(map(len, dealt)) <= 1

    @given(st.integers(1, 20), st.integers(1, 10))
    def test_after_every_second_turn_groups_are_equally_strong(self, groups, turns):
        dealt = snake(range(groups * 2 * turns), groups)
        assert len({sum(group) for group in dealt}) == 1

    @pytest.mark.parametrize("groups", [-1, 0, 4])
    def test_a_group_without_entrants_is_refused(self, groups):
        with pytest.raises(InvalidField, match="1 to 3 groups"):
            snake("ABC", groups)


class TestSeatedByResult:
    def test_four_groups_of_two(self):
        ranks = [[1, 2, 3, 4], [1, 2, 3, 4]]
        first_round = [(h, a) for m, h, a in meetings(seat_qualifiers(qualifiers(ranks))) if m.round == 1]
        assert first_round == [
            ({(1, 1)}, {(3, 2)}),
            ({(4, 1)}, {(2, 2)}),
            ({(2, 1)}, {(4, 2)}),
            ({(3, 1)}, {(1, 2)}),
        ]

    @given(any_stage())
    def test_each_part_of_the_bracket_holds_a_group_as_evenly_as_its_sister(self, qualified):
        seeded = seat_qualifiers(qualified)
        assert Counter(seeded) == Counter(q.entrant for q in qualified)
        for _, upper, lower in meetings(seeded):
            balance = Counter(group for group, _ in upper)
            balance.subtract(group for group, _ in lower)
            assert set(balance.values()) <= {-1, 0, 1}

    @given(any_stage())
    def test_group_mates_meet_in_round_one_only_if_there_are_more_of_them_than_first_matches(self, qualified):
        size = bracket_size(len(qualified))
        most = max(Counter(q.group for q in qualified).values())
        for match, home, away in meetings(seat_qualifiers(qualified)):
            if match.round == 1 and most <= size // 2:
                assert {group for group, _ in home}.isdisjoint(group for group, _ in away)

    @given(any_stage())
    def test_nobody_leaves_the_seeds_among_which_their_results_put_them(self, qualified):
        block = bracket_size(max(Counter(q.group for q in qualified).values()))
        before = [q.entrant for q in qualified]
        for index, entrant in enumerate(seat_qualifiers(qualified)):
            assert before.index(entrant) // block == index // block

    @given(two_of_each())
    def test_two_of_a_group_can_meet_in_the_final_only(self, qualified):
        for match, home, away in meetings(seat_qualifiers(qualified)):
            if match.winner_to is not None:
                assert {group for group, _ in home}.isdisjoint(group for group, _ in away)

    @given(two_of_each())
    def test_with_two_of_each_group_the_best_have_the_byes_and_winners_begin_against_runners_up(self, qualified):
        seeded = seat_qualifiers(qualified)
        byes = bracket_size(len(seeded)) - len(seeded)
        assert set(seeded[:byes]) == {q.entrant for q in qualified[:byes]}
        assert seeded[0] == qualified[0].entrant
        for match, home, away in meetings(seeded):
            if match.round == 1:
                ranks = {rank for _, rank in home | away}
                assert ranks in ({1, 2}, {2})

    @given(any_stage())
    def test_names_of_groups_and_the_order_of_ranks_make_no_difference(self, qualified):
        renamed = [q._replace(group=100 - q.group) for q in sorted(qualified, key=lambda q: -q.rank)]
        assert seat_qualifiers(renamed) == seat_qualifiers(qualified)

    def test_a_bye_goes_to_another_winner_before_group_mates_meet_at_once(self):
        assert seat_qualifiers(qualifiers([[1, 2], [2]])) == [(2, 1), (1, 1), (2, 2)]
        assert seat_qualifiers(qualifiers([[1, 2], [1]])) == [(1, 1), (2, 1), (1, 2)]

    def test_who_has_a_bye_counts_for_more_than_which_of_the_best_two_is_first(self):
        seeded = seat_qualifiers(qualifiers([[1, 2, 3, 4, 5, 6, 7], [2, 7, 3, 1, 4, 5]]))
        assert seeded[:3] == [(2, 1), (1, 1), (3, 1)]

    def test_winners_are_seeded_above_runners_up_before_winners_are_kept_in_order(self):
        seeded = seat_qualifiers(qualifiers([[1, 2, 3, 4, 5], [3, 4, 5, 1, 2]]))
        assert seeded[:5] == [(1, 1), (2, 1), (4, 1), (3, 1), (5, 1)]

    @pytest.mark.parametrize(
        "twice", [[Qualifier("A", 1, 1), Qualifier("A", 2, 1)], [Qualifier("A", 1, 1), Qualifier("B", 1, 1)]]
    )
    def test_nobody_is_seated_twice(self, twice):
        with pytest.raises(InvalidField, match="only once"):
            seat_qualifiers(twice)


class TestCrossed:
    # FIFA World Cup 2022: winner and runner-up of groups A to H.
    FIRST_TWO = (
        ("Netherlands", "Senegal"),
        ("England", "USA"),
        ("Argentina", "Poland"),
        ("France", "Australia"),
        ("Japan", "Spain"),
        ("Morocco", "Croatia"),
        ("Brazil", "Switzerland"),
        ("Portugal", "South Korea"),
    )
    # Its knockout matches as they were played, in the order of the bracket.
    PLAYED = (
        [
            ("Netherlands", "USA"),
            ("Argentina", "Australia"),
            ("Japan", "Croatia"),
            ("Brazil", "South Korea"),
            ("England", "Senegal"),
            ("France", "Poland"),
            ("Morocco", "Spain"),
            ("Portugal", "Switzerland"),
        ],
        [("Netherlands", "Argentina"), ("Croatia", "Brazil"), ("England", "France"), ("Morocco", "Portugal")],
        [("Argentina", "Croatia"), ("France", "Morocco")],
        [("Argentina", "France")],
    )

    def test_eight_groups_are_seated_as_in_the_world_cup_of_2022_up_to_the_final(self):
        qualified = [
            Qualifier(team, group, rank)
            for group, teams in enumerate(self.FIRST_TWO, start=1)
            for rank, team in enumerate(teams, start=1)
        ]
        seeded = seat_qualifiers(qualified, seating=Seating.CROSSED)
        won_in_round = Counter(team for pairs in self.PLAYED for pair in pairs for team in pair)
        won_in_round["Argentina"] += 1
        sides, met = {}, {}
        for match in single_elimination(16):
            home = seeded[match.home_seed - 1] if match.home_seed else sides[match.number, Side.HOME]
            away = seeded[match.away_seed - 1] if match.away_seed else sides[match.number, Side.AWAY]
            met.setdefault(match.round, []).append((home, away))
            if match.winner_to:
                sides[match.winner_to.match, match.winner_to.side] = max(home, away, key=won_in_round.__getitem__)
        assert tuple(sorted(met.items())) == tuple(enumerate(self.PLAYED, start=1))

    @pytest.mark.parametrize("groups", [2, 4, 8, 16])
    def test_mates_are_in_opposite_halves_and_neighbours_cross(self, groups):
        everybody = range(1, groups + 1)
        seeded = seat_qualifiers(qualifiers([everybody, everybody]), seating=Seating.CROSSED)
        *earlier, (_, upper, lower) = meetings(seeded)
        assert {group for group, _ in upper} == {group for group, _ in lower} == set(everybody)
        for match, home, away in earlier:
            if match.round == 1:
                ((winner, first), (runner_up, second)) = (*home, *away)
                assert (first, second) == (1, 2)
                assert {winner, runner_up} in [{a, b} for a, b in list(pairwise(everybody))[::2]]

    @pytest.mark.parametrize(
        "ranks", [[[1, 2, 3], [1, 2, 3]], [[1], [1]], [[1, 2], [1]], [[1, 2], [1, 2], [1]], [[1, 2]], []]
    )
    def test_other_numbers_are_refused(self, ranks):
        with pytest.raises(InvalidField, match="seat by result"):
            seat_qualifiers(qualifiers(ranks), seating=Seating.CROSSED)
