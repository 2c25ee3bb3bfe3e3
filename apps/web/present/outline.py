"""In plain words, what a format means for so many entrants."""

from dataclasses import dataclass

from apps.web.present.names import FORMAT_LABELS, round_name
from apps.words import gettext as _
from apps.words import ngettext, said
from engine.bracket import Bracket
from engine.errors import EngineError
from engine.outline import Outline, RoundOutline, outline
from engine.stages import Format, StageSettings

MOST_BARS = 12  # rounds that are drawn, of a league a few of the many alike


@dataclass(frozen=True, slots=True)
class Bar:
    """A round in the picture: `matches` of them, `of` the most there are in any round."""

    name: str
    matches: int
    of: int
    best_of: int


@dataclass(frozen=True, slots=True)
class OutlineShown:
    """A format with what it comes to. `problem` instead of numbers when it cannot be played by so many."""

    format: str
    name: str
    idea: str
    matches: str = ""
    rounds: str = ""
    each: str = ""
    time: str = ""
    bars: tuple[Bar, ...] = ()
    problem: str = ""


def outline_shown(
    format: Format, settings: StageSettings, entrants: int, *, stations: int, match_minutes: int
) -> OutlineShown:
    """Return what a format means. No query; 4,096 entrants take some 20 ms."""
    idea = _ideas()[format]
    try:
        found = outline(format, settings, entrants, stations=stations, match_minutes=match_minutes)
    except EngineError as error:
        return OutlineShown(format.value, said(FORMAT_LABELS[format]), idea, problem=said(error.args[0]))
    return OutlineShown(
        format.value,
        said(FORMAT_LABELS[format]),
        idea,
        matches=_matches(found),
        rounds=_rounds(format, found),
        each=_each(found),
        time=_time(found.minutes, stations),
        bars=_bars(format, found),
    )


def _ideas() -> dict[Format, str]:
    return {
        Format.SINGLE_ELIMINATION: _("Who loses is out. The quickest way to a champion."),
        Format.DOUBLE_ELIMINATION: _("Who loses goes on in the lower bracket, and is out with the second loss."),
        Format.ROUND_ROBIN: _("Everybody meets everybody, and the table decides."),
        Format.SWISS: _("Nobody is out. In each round those meet who stand level."),
    }


def _matches(found: Outline) -> str:
    if found.with_reset:
        return _("{least} or {most} matches", least=found.matches, most=found.matches + 1)
    return ngettext("{count} match", "{count} matches", found.matches)


def _rounds(format: Format, found: Outline) -> str:
    main = max(row.last for row in found.rounds if row.bracket is Bracket.MAIN)
    lower = max((row.last for row in found.rounds if row.bracket is Bracket.LOWER), default=0)
    if format is Format.DOUBLE_ELIMINATION:
        return _("{upper} upper and {lower} lower rounds, then the grand final", upper=main, lower=lower)
    return ngettext("{count} round", "{count} rounds", main)


def _each(found: Outline) -> str:
    if found.least == found.most:
        return ngettext("Everybody plays {count} match.", "Everybody plays {count} matches.", found.most)
    return _("Everybody plays {least} to {most} matches.", least=found.least, most=found.most)


def _time(minutes: int, stations: int) -> str:
    hours, rest = divmod(-(-minutes // 5) * 5, 60)
    if not hours:
        took = _("{minutes} min", minutes=rest)
    elif not rest:
        took = _("{hours} h", hours=hours)
    else:
        took = _("{hours} h {minutes} min", hours=hours, minutes=rest)
    return ngettext("About {time} at {count} station", "About {time} at {count} stations", stations, time=took)


def _bars(format: Format, found: Outline) -> tuple[Bar, ...]:
    most = max(row.matches for row in found.rounds)
    return tuple(Bar(_name(format, row), row.matches, most, row.best_of) for row in found.rounds[:MOST_BARS])


def _name(format: Format, row: RoundOutline) -> str:
    return said(round_name(format, row.bracket, row.round, row.last))
