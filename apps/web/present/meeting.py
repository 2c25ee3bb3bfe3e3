"""Whom the winner of a match meets next. static/web/js/meeting.js is the same rule in the browser."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.web.present.shown import entrant_name
from apps.words import gettext
from engine.bracket import Side
from engine.match_flow import OVER
from engine.projection import State

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sends:
    """Matches by (stage, number), and who sends somebody to a side: (stage, number, side) to (row, is the winner)."""

    rows: Mapping[tuple[int, int], Row]
    to: Mapping[tuple[int, int, str], tuple[Row, bool]]


def sends(state: State) -> Sends:
    """Return where entrants come from, in all matches of a state. Cost: O(matches)."""
    rows = {(row["stage"], row["number"]): row for row in state["matches"].values()}
    to = {
        (row["stage"], row[f"{what}_to"], row[f"{what}_to_side"]): (row, what == "winner")
        for row in rows.values()
        for what in ("winner", "loser")
        if row[f"{what}_to"] is not None
    }
    return Sends(rows, to)


def winner_meets(state: State, row: Row, known: Sends) -> str:
    """Return "Winner meets Ada", "… Ada or Bob", "… the winner of 12"; "" when it is over or nobody comes after."""
    following = known.rows.get((row["stage"], row["winner_to"] or 0))
    if row["state"] in OVER or following is None:
        return ""
    side = Side(row["winner_to_side"]).other
    if name := entrant_name(state, following[side]):
        return gettext("Winner meets {name}", name=name)
    source = known.to.get((row["stage"], following["number"], side))
    if following[f"{side}_closed"] or source is None or source[0] is row:
        return ""  # in the reset of a grand final both meet again
    other, is_winner = source
    names = [entrant_name(state, other["home"]), entrant_name(state, other["away"])]
    if is_winner and all(names):
        return gettext("Winner meets {name} or {other}", name=names[0], other=names[1])
    if is_winner:
        return gettext("Winner meets the winner of {number}", number=other["number"])
    return gettext("Winner meets the loser of {number}", number=other["number"])
