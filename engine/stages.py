"""How a stage is played: its format and the settings of each format."""

from dataclasses import dataclass, field
from enum import StrEnum

from engine.bracket import Bracket
from engine.results import Points

MAX_BEST_OF = 21


class Format(StrEnum):
    SINGLE_ELIMINATION = "single_elimination"
    DOUBLE_ELIMINATION = "double_elimination"
    ROUND_ROBIN = "round_robin"
    SWISS = "swiss"

    @property
    def is_league(self) -> bool:
        """Return whether entrants play for points rather than to stay in."""
        return self in (Format.ROUND_ROBIN, Format.SWISS)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSettings:
    """
    Every setting of every format; those of other formats have no effect.

    third_place_match: single elimination. grand_final_reset: double elimination. groups, legs (how often each pair
    meets): round robin. rounds (0: as many as one unbeaten entrant needs), ends_at_wins, ends_at_losses (0: off):
    Swiss. points, tie_breaks (see engine.standings; empty: as usual for the format), rule_year: both leagues.

    best_of: games of a match, of which one side has to win most. best_of_rounds overrides it: {"final": 5}, or
    {"lower 3": 5}; see `best_of_in`. advance: how many of each group go on to the next stage (0: all), and
    advance_rest: how many of the best that come right after them in all groups.
    """

    third_place_match: bool = True
    grand_final_reset: bool = True
    groups: int = 1
    legs: int = 1
    rounds: int = 0
    ends_at_wins: int = 0
    ends_at_losses: int = 0
    points: Points = field(default_factory=Points)
    tie_breaks: tuple[str, ...] = ()
    rule_year: int = 2026
    best_of: int = 1
    best_of_rounds: dict[str, int] = field(default_factory=dict)
    advance: int = 0
    advance_rest: int = 0


def best_of_in(settings: StageSettings, bracket: Bracket, round_: int, last_round: int) -> int:
    """
    Return how many games a match of this round has at most.

    The keys of `best_of_rounds`, the first that fits wins: "final" (the last of the main bracket and the grand final
    with its reset), "third_place", "main 2", "lower 2", "2" (round 2 of any bracket).
    """
    keys = [str(round_)]
    match bracket:
        case Bracket.GRAND_FINAL:
            keys = ["final"]
        case Bracket.THIRD_PLACE:
            keys = ["third_place"]
        case Bracket.LOWER:
            keys = [f"lower {round_}", str(round_)]
        case Bracket.MAIN:
            keys = [f"main {round_}", str(round_)]
            if round_ == last_round:
                keys = ["final", *keys]
    return next((settings.best_of_rounds[key] for key in keys if key in settings.best_of_rounds), settings.best_of)
