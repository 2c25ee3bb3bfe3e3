"""
Who has a place for certain before the last match of a league, and who cannot get one any more.

Counted by points alone. An entrant ends between the points they have and those plus a best result in every match that
remains, so nobody whose most is less can end above them, however level entrants are separated. It holds as long as
results stand and nobody leaves; it may say nothing where a closer look at who meets whom would.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from engine.errors import InvalidField


class Fate(StrEnum):
    THROUGH = "through"
    OUT = "out"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Race:
    """
    One entrant of a league before its end. `remaining` matches, or more: too many only makes the answer more cautious.

    `stays`: whoever does not cannot take a place from anybody, nor have one.
    """

    entrant: int
    points: float
    remaining: int
    stays: bool = True


def fates(races: Iterable[Race], *, places: int, best: float, chances: int = 0) -> dict[int, Fate]:
    """
    Return for each entrant whether one of the first `places` is certain, or out of reach.

    Args:
        best: the most points that one match can bring; no match costs any.
        chances: how many places after these may still be enough. Whoever may get one of them is not out.

    Raises:
        InvalidField: `places` is not positive, or a number is negative.

    Cost: O(n log n).
    """
    field = list(races)
    if places < 1 or chances < 0 or best < 0 or any(race.remaining < 0 for race in field):
        raise InvalidField("places is at least 1, and chances, best and remaining are not negative.")
    most = sorted(race.points + race.remaining * best for race in field)
    least = sorted(race.points for race in field if race.stays)
    found = {}
    for race in field:
        own_most = race.points + race.remaining * best
        may_be_above = len(most) - bisect_left(most, race.points) - 1  # level may be above; without oneself
        surely_above = len(least) - bisect_right(least, own_most)
        if race.stays and may_be_above < places:
            found[race.entrant] = Fate.THROUGH
        elif not race.stays or surely_above >= places + chances:
            found[race.entrant] = Fate.OUT
        else:
            found[race.entrant] = Fate.OPEN
    return found
