"""
Swiss pairing within one score group: the upper half against the lower half.

The first of the upper half meets the first of the lower half, and so on. Where they have met, the lower half is
transposed: everyone of the upper half, from the top, gets the first of the lower half who leaves a whole pairing for
those below. Where no transposition avoids every rematch, entrants are exchanged between the halves.

Source: FIDE Handbook C.04.3 (Dutch), transpositions and exchanges, without colours.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence

from engine.matching import optimal_matching

May = Callable[[int, int], bool]


def pair_group(members: Sequence[int], met: Sequence[Mapping[int, int]]) -> list[tuple[int, int]]:
    """
    Pair an even number of entrants of equal points, best first, with as few rematches as possible.

    Args:
        members: their ranks, ascending.
        met: for each rank, how often that entrant has met whom.

    Cost: O(n) without rematches, O(n^2) with a few. Only where somebody has met more than a quarter of the group can it
    be that no transposition is allowed (Hall); that takes a matching of all its pairs.
    """
    half = len(members) // 2
    upper, lower = members[:half], members[half:]
    transposition = first_transposition(half, lambda i, j: lower[j] not in met[upper[i]])
    if transposition is not None:
        return [(upper[i], lower[j]) for i, j in enumerate(transposition)]
    edges = []
    for i, first in enumerate(members):
        for j in range(i + 1, len(members)):
            times = met[first].get(members[j], 0)
            off = (j - i - half) ** 2
            edges.append((i, j, (*rematch_costs(times), off, off * (len(members) - i))))
    return [(members[i], members[j]) for i, j in optimal_matching(len(members), edges)]


def rematch_costs(times: int) -> tuple[int, int]:
    """Return the two first costs of a pair that has met so often: whether it is a rematch, and how many before that."""
    return min(times, 1), max(times - 1, 0)


def first_transposition(size: int, may: May) -> list[int] | None:
    """
    Return the lexicographically first order of 0..size-1 in which each place i has a j with may(i, j), or None.

    Cost: O(size) when every may(i, i) holds, O(size^2) when few do not; O(size^4) at the worst.
    """
    place = _some_transposition(size, may)
    if place is None:
        return None
    order = sorted(place, key=place.__getitem__)
    left = list(range(size))
    for i in range(size):
        for j in left:
            if j == order[i]:
                break
            if not may(i, j):
                continue
            # The place that loses j, and those that it displaces in turn, end with what `i` gives up.
            del place[order[i]]
            others = [order[i], *(other for other in left if other not in (j, order[i]))]
            chain = _chain(place[j], others, place, may)
            if chain is not None:
                _shift(place[j], chain, place)
                place[j] = i
                for changed in (j, *chain):
                    order[place[changed]] = changed
                break
            place[order[i]] = i
        left.remove(order[i])
    return order


def _some_transposition(size: int, may: May) -> dict[int, int] | None:
    """Return the place of each j, near its own where possible."""
    place: dict[int, int] = {}
    for i in range(size):
        if i not in place and may(i, i):
            place[i] = i
            continue
        chain = _chain(i, [*(j for j in range(size) if j not in place), *place], place, may)
        if chain is None:
            return None
        _shift(i, chain, place)
    return place


def _chain(start: int, candidates: Sequence[int], place: Mapping[int, int], may: May) -> list[int] | None:
    """Return the j that `start` takes, then the one that its former place takes, and so on to one that was free."""
    before: dict[int, int | None] = {}
    queue: deque[tuple[int, int | None]] = deque([(start, None)])
    while queue:
        i, its = queue.popleft()
        for j in candidates:
            if j in before or not may(i, j):
                continue
            before[j] = its
            if j not in place:
                chain = [j]
                while (previous := before[chain[-1]]) is not None:
                    chain.append(previous)
                return chain[::-1]
            queue.append((place[j], j))
    return None


def _shift(start: int, chain: Sequence[int], place: dict[int, int]) -> None:
    """Carry out what `_chain` found."""
    for j in chain:
        place[j], start = start, place.get(j, -1)
