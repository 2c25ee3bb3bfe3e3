"""Who goes on from the groups of a stage."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from engine.errors import InvalidField, InvalidTieBreak, Undecided
from engine.groups import Qualifier
from engine.standings import Standing
from engine.text import Listed
from engine.text import gettext as _

REST_PARTS = ("points", "score_difference", "scored", "wins", "draw")

_OF_STANDING: Mapping[str, Callable[[Standing], float]] = {
    "points": lambda line: line.points,
    "score_difference": lambda line: line.scored - line.conceded,
    "scored": lambda line: line.scored,
    "wins": lambda line: line.wins,
}


def qualified(
    groups: Mapping[int, Sequence[Standing]],
    *,
    advance: int,
    rest: int = 0,
    parts: Sequence[str] = REST_PARTS,
    lots: Mapping[int, int] | None = None,
) -> list[Qualifier[int]]:
    """
    Return who goes on: all group winners by group, then all seconds, and so on; last the best of the rest, best first.

    Args:
        groups: the standings of each group, by its number.
        advance: how many of each group go on; 0: everybody.
        rest: how many of those in the next place go on, of all groups together.
        parts: what compares these, of REST_PARTS. Where groups have different sizes, it is per match played.
        lots: of each entrant, the lowest the best (see engine.standings.draw_lots). Without them, those who are level
            across the line are undecided.

    Raises:
        Undecided: entrants share a rank across the line between in and out.
        InvalidField: fewer groups have a next place than `rest` asks for.
        InvalidTieBreak: a part that cannot compare entrants of different groups.
    """
    if unknown := [part for part in parts if part not in REST_PARTS]:
        raise InvalidTieBreak(
            _(
                "“{part}” does not compare entrants of different groups. There are: {parts}.",
                part=unknown[0],
                parts=Listed(REST_PARTS),
            )
        )
    numbers = sorted(groups)
    places = advance or max(map(len, groups.values()), default=0)
    through = [
        Qualifier(groups[number][place].entrant, number, place + 1)
        for place in range(places)
        for number in numbers
        if place < len(groups[number])
    ]
    next_best = [(number, groups[number][places]) for number in numbers if places < len(groups[number])]
    if advance and rest > len(next_best):
        raise InvalidField(
            _(
                "{rest} cannot go on from place {place}: {count} groups have one.",
                rest=rest,
                place=places + 1,
                count=len(next_best),
            )
        )
    for number, line in next_best:
        if rest < len(next_best):
            _refuse_shared(number, groups[number][places - 1], line)
        if rest and places + 1 < len(groups[number]):
            _refuse_shared(number, line, groups[number][places + 1])
    if next_best and rest:
        per_match = len({len(lines) for lines in groups.values()}) > 1
        through += [
            Qualifier(line.entrant, number, places + 1)
            for number, line in _best(next_best, rest, parts, lots or {}, per_match=per_match)
        ]
    return through


def _best(
    candidates: Sequence[tuple[int, Standing]],
    count: int,
    parts: Sequence[str],
    lots: Mapping[int, int],
    *,
    per_match: bool,
) -> Sequence[tuple[int, Standing]]:
    """Return the `count` best candidates, best first."""
    if lots and (without := [line.entrant for _, line in candidates if line.entrant not in lots]):
        raise InvalidTieBreak(
            _("Entrant {entrant} has no lot. Draw one for each entrant, or give none at all.", entrant=without[0])
        )

    def key(candidate: tuple[int, Standing]) -> list[Fraction]:
        line = candidate[1]
        matches = line.played if per_match and line.played else 1
        return [
            Fraction(lots.get(line.entrant, 0)) if part == "draw" else -Fraction(_OF_STANDING[part](line)) / matches
            for part in parts
        ]

    ordered = sorted(candidates, key=key)
    if count < len(ordered) and key(ordered[count - 1]) == key(ordered[count]):
        one, other = ordered[count - 1][1].entrant, ordered[count][1].entrant
        raise Undecided(
            _("Entrants {one} and {other} are level for the last place that goes on. Draw lots.", one=one, other=other)
        )
    return ordered[:count]


def _refuse_shared(group: int, upper: Standing, lower: Standing) -> None:
    if upper.rank == lower.rank:
        raise Undecided(
            _(
                "Entrants {entrant} and {other} of group {group} share place {rank}, and the line "
                "between who goes on and who does not is between them. Draw lots.",
                entrant=upper.entrant,
                other=lower.entrant,
                group=group,
                rank=upper.rank,
            )
        )
