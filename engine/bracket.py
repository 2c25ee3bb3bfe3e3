"""The words that all formats share: sides, places, matches before anyone has played."""

from dataclasses import dataclass
from enum import StrEnum

MIN_ENTRANTS = 2
MAX_ENTRANTS = 4096


class Side(StrEnum):
    HOME = "home"
    AWAY = "away"

    @property
    def other(self) -> "Side":
        return Side.AWAY if self is Side.HOME else Side.HOME


class Bracket(StrEnum):
    """Which part of a stage a match belongs to. Leagues (round robin, Swiss) have MAIN alone."""

    MAIN = "main"  # the upper bracket of a double elimination
    LOWER = "lower"
    GRAND_FINAL = "grand_final"  # round 1; round 2 is the reset
    THIRD_PLACE = "third_place"


@dataclass(frozen=True, slots=True)
class Place:
    """One side of one match."""

    match: int
    side: Side


@dataclass(frozen=True, slots=True)
class PlannedMatch:
    """
    A match of a stage before anyone has played.

    `number` counts from 1 in the order of play, `round` from 1 within its bracket, `position` from 1 downwards within
    its round. `home_seed` and `away_seed` are the entrants known from the start; None waits for an earlier match.
    `group` counts from 1 in a stage with groups and is 0 elsewhere.

    `sends_on`: winner and loser move on only when this side wins; else the match they would have met in is not
    played. It is how a grand final leads to its reset.
    """

    number: int
    bracket: Bracket
    round: int
    position: int
    home_seed: int | None
    away_seed: int | None
    winner_to: Place | None
    loser_to: Place | None
    group: int = 0
    sends_on: Side | None = None
