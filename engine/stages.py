"""How a stage is played: its format and the settings of each format."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from engine import veto_script
from engine.bracket import MAX_ENTRANTS, Bracket
from engine.errors import InvalidSettings
from engine.groups import Seating
from engine.results import Points
from engine.text import Listed
from engine.text import gettext as _
from engine.tiebreaks import Part
from engine.veto_script import VetoSettings

MAX_BEST_OF = 21
MAX_GROUPS = 64
MAX_ROUNDS = 99
MAX_POINTS = 100
RULE_YEARS = (2024, 2026)

ROUND_KEY = re.compile(
    r"final|semi_finals|quarter_finals|upper_final|lower_final|grand_final|third_place|((main|lower) )?[1-9][0-9]?"
)


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
    advance_rest: how many of the best that come right after them in all groups. seating: how an elimination seats those
    who come from groups. veto: how it is settled what the games are played on.
    """

    third_place_match: bool = True
    grand_final_reset: bool = True
    groups: int = 1
    legs: int = 1
    rounds: int = 0
    ends_at_wins: int = 0
    ends_at_losses: int = 0
    points: Points = field(default_factory=Points)
    tie_breaks: list[str] = field(default_factory=list)
    rule_year: int = 2026
    best_of: int = 1
    best_of_rounds: dict[str, int] = field(default_factory=dict)
    advance: int = 0
    advance_rest: int = 0
    seating: Seating = Seating.BY_RESULT
    veto: VetoSettings = field(default_factory=VetoSettings)


_OUTCOMES = {"win": _("win"), "draw": _("draw"), "loss": _("loss"), "bye": _("bye")}


def check(format: Format, settings: StageSettings) -> None:
    """
    Pass settings that a stage of this format can be played with.

    Raises:
        InvalidSettings: says which setting, and what it can be.
    """
    _range("groups", settings.groups, 1, MAX_GROUPS)
    _range("legs", settings.legs, 1, 2)
    _range("rounds", settings.rounds, 0, MAX_ROUNDS)
    _range("ends_at_wins", settings.ends_at_wins, 0, MAX_ROUNDS)
    _range("ends_at_losses", settings.ends_at_losses, 0, MAX_ROUNDS)
    _range("advance", settings.advance, 0, MAX_ENTRANTS)
    _range("advance_rest", settings.advance_rest, 0, MAX_ENTRANTS)
    if settings.rule_year not in RULE_YEARS:
        message = _("{name} is one of {names}.", name="rule_year", names=Listed(RULE_YEARS))
        raise InvalidSettings(message)
    for value in (settings.best_of, *settings.best_of_rounds.values()):
        _range("best_of", value, 1, MAX_BEST_OF)
        if not format.is_league and value % 2 == 0:
            message = _(
                "A best of {value} can end level, and a bracket needs a winner. Choose {less} or {more}.",
                value=value,
                less=value - 1,
                more=value + 1,
            )
            raise InvalidSettings(message)
    for key in settings.best_of_rounds:
        if not ROUND_KEY.fullmatch(key):
            message = _(
                "“{key}” names no round. Write final, semi_finals, quarter_finals, upper_final, lower_final, "
                "grand_final, third_place, 2, main 2 or lower 2.",
                key=key,
            )
            raise InvalidSettings(message)
    for name, outcome in _OUTCOMES.items():
        points = getattr(settings.points, name)
        if not 0 <= points <= MAX_POINTS or points * 2 != int(points * 2):
            message = _(
                "Points for a {outcome} are a number from 0 to {most}, in halves.", outcome=outcome, most=MAX_POINTS
            )
            raise InvalidSettings(message)
    if settings.points.win < settings.points.draw or settings.points.draw < settings.points.loss:
        message = _("A win cannot be worth less than a draw, nor a draw less than a loss.")
        raise InvalidSettings(message)
    for part in settings.tie_breaks:
        Part.parse(part)
    veto_script.check(settings.veto)


def _range(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        message = _("{name} is a number from {least} to {most}.", name=name, least=least, most=most)
        raise InvalidSettings(message)


def best_of_in(settings: StageSettings, bracket: Bracket, round_: int, last_round: int) -> int:
    """
    Return how many games a match of this round has at most. `last_round`: of its bracket, 0 in a league.

    The keys of `best_of_rounds`, the first that fits wins: "grand_final" (and its reset), "upper_final" (the last of
    the main bracket), "final" (either), "semi_finals" and "quarter_finals" (the rounds of the main bracket before its
    last), "lower_final", "third_place", "main 2", "lower 2", "2" (round 2 of any bracket).
    """
    keys = [str(round_)]
    match bracket:
        case Bracket.GRAND_FINAL:
            keys = ["grand_final", "final"]
        case Bracket.THIRD_PLACE:
            keys = ["third_place"]
        case Bracket.LOWER:
            keys = [f"lower {round_}", str(round_)]
            if round_ == last_round:
                keys = ["lower_final", *keys]
        case Bracket.MAIN:
            from_the_end = _LAST_OF_MAIN.get(last_round - round_, ()) if last_round else ()
            keys = [*from_the_end, f"main {round_}", str(round_)]
    return next((settings.best_of_rounds[key] for key in keys if key in settings.best_of_rounds), settings.best_of)


_LAST_OF_MAIN = {0: ("upper_final", "final"), 1: ("semi_finals",), 2: ("quarter_finals",)}


def last_rounds(rounds: Iterable[tuple[Bracket, int]]) -> dict[Bracket, int]:
    """Return the last round of each bracket, from the bracket and round of every match of a stage."""
    last: dict[Bracket, int] = {}
    for bracket, round_ in rounds:
        last[bracket] = max(last.get(bracket, 0), round_)
    return last
