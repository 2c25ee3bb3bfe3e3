"""
Round robin: everybody meets everybody.

The rounds are those of the circle method: number the n - 1 places of a circle (n if n is odd); in round r the place r
meets whoever stands in the middle (nobody, if n is odd), and the places equally far from r on both sides meet. FIDE's
Berger tables have the same rounds in another order, chosen for a game where the middle changes colour every time.
Sides follow D. de Werra, "Scheduling in sports" (1981): home and away alternate for everybody but for one repetition
each of n - 2 entrants, the fewest possible, and for everybody without exception if n is odd.
"""

from collections.abc import Sequence
from dataclasses import replace

from engine.bracket import MAX_ENTRANTS, MIN_ENTRANTS, Bracket, PlannedMatch
from engine.errors import InvalidField
from engine.text import gettext as _

MAX_IN_GROUP = 128  # 8,128 matches in one leg
MAX_LEGS = 4


def round_robin(entrants: int, *, legs: int = 1, group: int = 0, first_number: int = 1) -> list[PlannedMatch]:
    """
    Return the matches of one group in the order of play. Seeds 1..entrants count within the group.

    For 4: 1-4 and 3-2, then 4-2 and 1-3, then 3-4 and 2-1. Each pair meets `legs` times; every second leg mirrors the
    one before, home and away changed. One entrant is idle in each round if their number is odd.

    Args:
        entrants: 2 to 128.
        legs: 1 to 4.
        group: of all matches; see `PlannedMatch`.
        first_number: of the first match; the others count on.

    Raises:
        InvalidField: too few or too many entrants or legs.

    Cost: O(legs · entrants²). There are legs · entrants · (entrants - 1) / 2 matches.
    """
    if not MIN_ENTRANTS <= entrants <= MAX_IN_GROUP:
        raise InvalidField(
            _(
                "A round-robin group takes {least} to {most} entrants, not {entrants}.",
                least=MIN_ENTRANTS,
                most=MAX_IN_GROUP,
                entrants=entrants,
            )
        )
    if not 1 <= legs <= MAX_LEGS:
        raise InvalidField(
            _("Each pair of a round robin meets 1 to {most} times, not {legs}.", most=MAX_LEGS, legs=legs)
        )
    leg = _leg(entrants)
    mirrored = [[(away, home) for home, away in pairs] for pairs in leg]
    rounds = [pairs for number in range(legs) for pairs in (mirrored if number % 2 else leg)]
    places = [
        (round_, position, home, away)
        for round_, pairs in enumerate(rounds, start=1)
        for position, (home, away) in enumerate(pairs, start=1)
    ]
    return [
        PlannedMatch(number, Bracket.MAIN, round_, position, home, away, None, None, group)
        for number, (round_, position, home, away) in enumerate(places, start=first_number)
    ]


def grouped_round_robin(sizes: Sequence[int], *, legs: int = 1, first_number: int = 1) -> list[PlannedMatch]:
    """
    Return the matches of all groups of a stage: round 1 of every group, then round 2, and so on.

    Args:
        sizes: entrants of group 1, 2, ...; 2 to 128 each, 4096 together. One group alone is group 0.

    Raises:
        InvalidField: as `round_robin`; no group; more entrants than a stage takes.
    """
    if not sizes:
        raise InvalidField(_("A round robin needs at least one group."))
    if sum(sizes) > MAX_ENTRANTS:
        raise InvalidField(
            _("A stage takes up to {most} entrants, not {entrants}.", most=MAX_ENTRANTS, entrants=sum(sizes))
        )
    groups = range(1, len(sizes) + 1) if len(sizes) > 1 else range(1)
    matches = [m for group, size in zip(groups, sizes, strict=True) for m in round_robin(size, legs=legs, group=group)]
    matches.sort(key=lambda match: (match.round, match.group, match.position))
    return [replace(match, number=number) for number, match in enumerate(matches, start=first_number)]


def _leg(entrants: int) -> list[list[tuple[int, int]]]:
    """Return (home, away) of each round of one leg."""
    circle = entrants - 1 + entrants % 2
    rounds = []
    for place in range(1, circle + 1):
        pairs = []
        if circle < entrants:
            pairs.append((place, entrants) if place % 2 else (entrants, place))
        for distance in range(1, circle // 2 + 1):
            before, after = (place - 1 - distance) % circle + 1, (place - 1 + distance) % circle + 1
            pairs.append((before, after) if distance % 2 else (after, before))
        rounds.append(pairs)
    return rounds
