"""
Swiss pairing between score groups: who leaves their group, and whom they meet there.

What is least, the first before the second, and so on:

1. rematches, and then how often those pairs have met already
2. the sum of the squared score differences
3. the same, each counted by how many score groups are below: differences belong to the foot of the table
4. entrants who float as they did in the last round; then, as in the round before it
5. how far those who float are from the foot of their group, and those whom they meet from the head of theirs

That is a matching of the whole table, and too slow as one. Two facts make it small without changing the result,
where t is the most opponents that anybody has met:

- A pair (x, y) with more than 4t entrants strictly between them in points is never in the best pairing. With each such
  entrant z and their opponent z', they could swap for a smaller sum. A swap is a rematch only if z or z' is one of the
  2t whom x or y has met, so at most 4t of the swaps are.
- A group of 2t + 2 or more pairs itself without rematches whoever floats, as each can meet half of the others (Dirac).
  Such a roomy group takes floats from above and from below independently, so the table falls apart there: no pair of
  the best pairing reaches across it, as (a + b)^2 > a^2 + b^2. Each part alone costs no more than its share of a whole
  pairing, so parts that fit together are the best one. If they take too many out of a roomy group, or somebody twice,
  it counts as a small one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise

from engine.matching import Costs, Edge, optimal_matching
from engine.swiss_groups import rematch_costs

_NOTHING: Costs = (0,) * 8


@dataclass(frozen=True)
class Table:
    """
    The entrants of a round by rank: 0 is the first by points, then by seed.

    points: in halves. met: how often each has met whom. floated: in the last round and in the one before it, -1 for
    down and 1 for up.
    """

    points: Sequence[int]
    met: Sequence[Mapping[int, int]]
    floated: Sequence[tuple[int, int]]

    @cached_property
    def most_met(self) -> int:
        return max(map(len, self.met), default=0)

    @cached_property
    def groups(self) -> list[range]:
        """The score groups from the top, as ranks."""
        n = len(self.points)
        starts = [i for i in range(n) if i == 0 or self.points[i] != self.points[i - 1]]
        return [range(a, b) for a, b in pairwise([*starts, n])]

    @cached_property
    def group_of(self) -> list[int]:
        return [number for number, group in enumerate(self.groups) for _ in group]

    def again(self, rank: int, way: int) -> tuple[int, int]:
        """Return 1 for the last round and 1 for the one before it if they floated that way."""
        last, last_but_one = self.floated[rank]
        return int(last == way), int(last_but_one == way)


def floats(table: Table) -> list[tuple[int, int]]:
    """
    Return the pairs of different points, as ranks (higher, lower); an even number of entrants.

    What is left of each score group can be paired within it, with as few rematches as possible.

    Cost: a matching for each run of small groups, and for each border of two roomy ones; see bench/swiss.py.
    """
    needed = 2 * table.most_met + 2
    # Seldom does more than one float over a border. A few more do no harm, and too many are found out below.
    roomy = {number for number, group in enumerate(table.groups) if len(group) >= needed + 4}
    while True:
        pairs = [pair for part in _parts(table, roomy) for pair in part.pairs()]
        left = [len(group) for group in table.groups]
        floating: set[int] = set()
        crowded: set[int] = set()
        for rank in (rank for pair in pairs for rank in pair):
            number = table.group_of[rank]
            left[number] -= 1
            if rank in floating or left[number] < needed:
                crowded.add(number)
            floating.add(rank)
        if not crowded & roomy:
            return pairs
        roomy -= crowded


@dataclass(frozen=True)
class _Part:
    """Small groups in a row, between the roomy group above and the one below them."""

    table: Table
    upper: range | None
    small: Sequence[int]
    lower: range | None

    def pairs(self) -> list[tuple[int, int]]:
        """
        Return the pairs of different points in this part.

        Those of a roomy group who do not float are paired within it. How many float over a border is odd or even as the
        number of all above it is; where that leaves one of those listed here, somebody else of the group takes them.
        """
        if not self.small and (self.upper is None or self.lower is None or self.lower.start % 2 == 0):
            return []
        from_upper = self._candidates(self.upper, -1)
        from_lower = self._candidates(self.lower, 1)
        ranks = sorted([*from_upper, *self.small, *from_lower])
        edges = self._edges(ranks)
        vertices = len(ranks)
        for candidates, above in (
            (from_upper, self.upper.stop if self.upper else 0),
            (from_lower, self.lower.start if self.lower else 0),
        ):
            if candidates and (len(candidates) - above) % 2:
                edges += [(ranks.index(rank), vertices, _NOTHING) for rank in candidates]
                vertices += 1
        found = [(ranks[i], ranks[j]) for i, j in optimal_matching(vertices, edges) if j < len(ranks)]
        return [(x, y) for x, y in found if self.table.points[x] != self.table.points[y]]

    def _candidates(self, group: range | None, way: int) -> list[int]:
        """
        Return those of a roomy group who may float, best first: -1 down, 1 up.

        Everybody of the small groups could come, and each finds one among so many whom they have not met.
        """
        if group is None:
            return []
        order = sorted(group, key=lambda rank: (*self.table.again(rank, way), rank * way))
        return order[: len(self.small) + self.table.most_met + 1]

    def _edges(self, ranks: Sequence[int]) -> list[Edge]:
        table, edges = self.table, list[Edge]()
        group_of, groups, reach = table.group_of, table.groups, 4 * table.most_met
        roomy = {group_of[group.start] for group in (self.upper, self.lower) if group is not None}
        for (i, x), (j, y) in combinations(enumerate(ranks), 2):
            high, low = group_of[x], group_of[y]
            if high == low and high in roomy:
                edges.append((i, j, _NOTHING))
            elif groups[low].start - groups[high].stop <= reach:
                edges.append((i, j, self._costs(x, y, groups[high], groups[low])))
        return edges

    def _costs(self, x: int, y: int, high: range, low: range) -> Costs:
        table = self.table
        rematch = rematch_costs(table.met[x].get(y, 0))
        if high == low:
            return (*rematch, *_NOTHING[2:])
        squared = (table.points[x] - table.points[y]) ** 2
        below = len(table.groups) - table.group_of[x]
        down, up = table.again(x, -1), table.again(y, 1)
        depth, height = high.stop - x, y - low.start
        # The square, as two floaters who are level should not be paired with the first and the second in reverse.
        return *rematch, squared, squared * below, down[0] + up[0], down[1] + up[1], (depth + height) ** 2, depth


def _parts(table: Table, roomy: set[int]) -> Iterable[_Part]:
    """Cut the table at every roomy group, which belongs to the part above it and to the one below it."""
    groups: list[range | None] = [None, *table.groups, None]
    cuts = [0, *(number + 1 for number in sorted(roomy)), len(groups) - 1]
    for above, below in pairwise(cuts):
        small = [rank for group in groups[above + 1 : below] for rank in group or ()]
        yield _Part(table, groups[above], small, groups[below])
