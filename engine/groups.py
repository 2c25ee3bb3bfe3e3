"""Groups: who is drawn into which, and how those who qualify are seated in the bracket that follows."""

from collections.abc import Hashable, Sequence
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

from engine.errors import InvalidField
from engine.seeding import bracket_order, bracket_size
from engine.text import gettext as _

T = TypeVar("T")
H = TypeVar("H", bound=Hashable)

WINNER, RUNNER_UP = 1, 2


class Qualifier(NamedTuple, Generic[H]):
    """Who goes on to the next stage: the group they come from and their rank in it, both from 1."""

    entrant: H
    group: int
    rank: int


class Seating(StrEnum):
    """
    How qualifiers are seated.

    BY_RESULT: better results, better seeds; group mates far apart.
    CROSSED: fixed by the names of the groups, as in the World Cup. Groups are neighbours in twos: winner 1 meets
    runner-up 2 in the upper half, winner 2 meets runner-up 1 in the lower half. For two of each of 2, 4, 8, ... groups.
    """

    BY_RESULT = "by_result"
    CROSSED = "crossed"


def snake(entrants: Sequence[T], groups: int) -> list[list[T]]:
    """
    Deal entrants, best first, into groups 1..g, then g..1, and so on. Sizes differ by one at most.

    Raises:
        InvalidField: no groups, or a group would stay empty.
    """
    if not 1 <= groups <= len(entrants):
        raise InvalidField(
            _(
                "{count} entrants can be dealt into 1 to {count} groups, not {groups}.",
                count=len(entrants),
                groups=groups,
            )
        )
    dealt: list[list[T]] = [[] for _ in range(groups)]
    for index, entrant in enumerate(entrants):
        turn, place = divmod(index, groups)
        dealt[groups - 1 - place if turn % 2 else place].append(entrant)
    return dealt


def seat_qualifiers(qualified: Sequence[Qualifier[H]], *, seating: Seating = Seating.BY_RESULT) -> list[H]:
    """
    Return the qualifiers in the order of seeds for `single_elimination`.

    Args:
        qualified: any number of each group, best first within each rank (winners, runners-up, the best of the rest).

    By result, seeds are first given in order: all winners, then all runners-up, and so on; the best have the byes, and
    winners meet runners-up. Then, where group mates stand in the same part of the bracket, entrants change places with
    a neighbour in the order, until **every part (half, quarter, ..., match of round 1) holds the qualifiers of a group
    as evenly as the other part of the same parent: their numbers differ by one at most**. So two of a group stand in
    opposite halves, and four in four quarters. With up to 2^j of a group nobody leaves the 2^j seeds (1 to 2^j, the
    next 2^j, ...) that their results put them among. When two of every group go on, the byes stay with the best
    entrants, seed 1 is the best winner, and a winner meets a runner-up first. With other numbers, distance from group
    mates comes before all this: of winners 1 and 2 and runner-up 2 alone, winner 2 has the bye.

    Raises:
        InvalidField: somebody is named twice, or the groups do not suit the seating.

    Cost: O(n log n).
    """
    if len({q.entrant for q in qualified}) < len(qualified) or len({q[1:] for q in qualified}) < len(qualified):
        raise InvalidField(_("Each qualifier and each rank of a group can be seated only once."))
    match seating:
        case Seating.BY_RESULT:
            return [q.entrant for q in _apart(sorted(qualified, key=lambda q: q.rank))]
        case Seating.CROSSED:
            return _crossed(qualified)


def _crossed(qualified: Sequence[Qualifier[H]]) -> list[H]:
    at = {(q.group, q.rank): q.entrant for q in qualified}
    groups = sorted({q.group for q in qualified})
    complete = set(at) == {(group, rank) for group in groups for rank in (WINNER, RUNNER_UP)}
    if not complete or len(groups) < 2 or bracket_size(len(groups)) != len(groups):  # noqa: PLR2004
        raise InvalidField(
            _(
                "Groups can be crossed when there are 2, 4, 8, ... of them and two of each go on. Change these "
                "numbers, or seat by result."
            )
        )
    pairs = list(zip(groups[::2], groups[1::2], strict=True))
    upper = [entrant for one, two in pairs for entrant in (at[one, WINNER], at[two, RUNNER_UP])]
    lower = [entrant for one, two in pairs for entrant in (at[two, WINNER], at[one, RUNNER_UP])]
    by_seed = dict(zip(bracket_order(len(qualified)), upper + lower, strict=True))
    return [by_seed[seed] for seed in sorted(by_seed)]


def _apart(seeded: list[Qualifier[H]]) -> list[Qualifier[H]]:
    """
    Separate group mates, part by part from the whole bracket downwards.

    The seeds of a part, in order, fall in twos on its upper and lower half (1 | 2, 4 | 3, ... of the whole). To split
    every two and also every two mates of a group means to give everybody one of two colours so that both kinds of
    twos differ. Everybody is in one of each kind at most, so the twos form chains and rings of even length, and each
    of these has two colourings. A last seed without a second has its half fixed, and its chain with it; for the other
    chains, what matters more decides: who has a bye, the best seed, ranks in order, better seeds in place.
    """
    seeded = list(seeded)
    size = bracket_size(len(seeded))
    byes = size - len(seeded)
    line = {seed: index for index, seed in enumerate(bracket_order(size))}
    width = size
    while width > 2:  # noqa: PLR2004 - a match of round 1 needs no split
        parts: dict[int, list[int]] = {}
        for seed in range(1, len(seeded) + 1):
            parts.setdefault(line[seed] // width, []).append(seed)
        for seeds in parts.values():
            holders = [seeded[seed - 1] for seed in seeds]
            in_upper = [line[seed] % width < width // 2 for seed in seeds]
            twos = list(zip(seeds[::2], seeds[1::2], strict=False))
            by_weight = sorted(
                range(len(twos)),
                key=lambda i: (
                    not twos[i][0] <= byes < twos[i][1],
                    i > 0,
                    holders[2 * i].rank == holders[2 * i + 1].rank,
                    i,
                ),
            )
            upper = _colour([holder.group for holder in holders], in_upper, [2 * i for i in by_weight])
            for i, (better, other) in enumerate(twos):
                if upper[2 * i] != in_upper[2 * i]:
                    seeded[better - 1], seeded[other - 1] = seeded[other - 1], seeded[better - 1]
        width //= 2
    return seeded


def _colour(groups: Sequence[int], in_upper: Sequence[bool], by_weight: Sequence[int]) -> list[bool]:
    """Return who goes to the upper half. Seats 2i and 2i + 1 are twos; `by_weight` says whose chain to begin first."""
    partners: list[list[int]] = [[i ^ 1] if i ^ 1 < len(groups) else [] for i in range(len(groups))]
    waiting: dict[int, int] = {}
    for i, group in enumerate(groups):
        mate = waiting.pop(group, None)
        if mate is None:
            waiting[group] = i
        else:
            partners[i].append(mate)
            partners[mate].append(i)
    alone = [len(groups) - 1] if len(groups) % 2 else []
    upper: dict[int, bool] = {}
    for first in (*alone, *by_weight):
        chain = [] if first in upper else [first]
        upper.setdefault(first, in_upper[first])
        while chain:
            i = chain.pop()
            for partner in partners[i]:
                if partner not in upper:
                    upper[partner] = not upper[i]
                    chain.append(partner)
    return [upper[i] for i in range(len(groups))]
