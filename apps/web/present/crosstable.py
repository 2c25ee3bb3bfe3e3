"""Everybody's results in a league at a glance: all against all as a square, a Swiss by its rounds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.web.present.shown import MatchShown, entrant_name, match_shown
from apps.words import gettext
from engine.projection import State
from engine.stages import Format

Row = Mapping[str, Any]

SQUARE_MOST = 20  # entrants; a larger square is read by nobody
ROUNDS_MOST = 64  # entrants, where columns are rounds


@dataclass(frozen=True, slots=True)
class Played:
    """A result as one side sees it. `text` is "2–1", or of a Swiss "+3": won against the third. `title`: in full."""

    match: int
    text: str
    outcome: str
    title: str


@dataclass(frozen=True, slots=True)
class CrossLine:
    """`cells`: the results in each column; None on the diagonal, where nobody plays."""

    place: int
    entry: int
    name: str
    cells: tuple[tuple[Played, ...] | None, ...]


@dataclass(frozen=True, slots=True)
class CrossTable:
    """`heads`: (text, full name) of each column: the entrants, or with `is_by_round` the rounds."""

    heads: tuple[tuple[str, str], ...]
    lines: tuple[CrossLine, ...]
    is_by_round: bool = False


_SIGNS = {"won": "+", "lost": "\N{MINUS SIGN}", "drew": "="}


def cross_table(state: State, stage: Row, order: Sequence[int]) -> CrossTable | None:
    """Return the results among the entrants of one table, in its order; None for too many, or before the first."""
    is_swiss = stage["format"] == Format.SWISS
    among = set(order)
    rows = [row for row in state["matches"].values() if {row["home"], row["away"]} <= among]
    over = [shown for row in rows if (shown := match_shown(state, row, {})).home.outcome]
    if not over or len(order) > (ROUNDS_MOST if is_swiss else SQUARE_MOST):
        return None
    place = {entry: number for number, entry in enumerate(order, start=1)}
    found: dict[tuple[int, int], list[Played]] = {}
    for match in over:
        for own, other in ((match.home, match.away), (match.away, match.home)):
            column = match.round if is_swiss else place[other.entry or 0]
            played = _played(match, own, other, place[other.entry or 0] if is_swiss else None)
            found.setdefault((own.entry or 0, column), []).append(played)
    names = {entry: entrant_name(state, entry) or "?" for entry in order}
    if is_swiss:
        byes = {row["entry"]: row["byes"] for row in state["stage_entries"].values()}
        for entry in order:
            for number in byes.get(entry, ()):
                found[entry, number] = [Played(0, gettext("bye"), "won", gettext("bye"))]
        last = max(column for _entry, column in found)
        heads = [(str(number), gettext("Round {number}", number=number)) for number in range(1, last + 1)]
    else:
        heads = [(str(number), names[entry]) for entry, number in place.items()]
    lines = [
        CrossLine(
            number,
            entry,
            names[entry],
            tuple(
                None if column == number and not is_swiss else tuple(found.get((entry, column), ()))
                for column in range(1, len(heads) + 1)
            ),
        )
        for entry, number in place.items()
    ]
    return CrossTable(tuple(heads), tuple(lines), is_swiss)


def _played(match: MatchShown, own: Any, other: Any, opponent: int | None) -> Played:
    score = "–".join(filter(None, (own.score, other.score))) if own.score or other.score else "–"
    title = f"{own.name} {score} {other.name}"
    text = score if opponent is None else f"{_SIGNS[own.outcome]}{opponent}"
    return Played(match.id, text, own.outcome, title)
