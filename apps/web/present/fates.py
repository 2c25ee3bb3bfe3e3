"""Who is certain to go on from a league that is being played, and who cannot: the marks in its tables."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from engine.clinching import Fate, Race, fates
from engine.league import rounds_of, tables
from engine.match_flow import OPEN
from engine.projection import State
from engine.stages import Format
from engine.swiss import rounds_needed

Row = Mapping[str, Any]


def league_fates(state: State, stage: Row, *, following: Row | None) -> dict[int, str]:
    """
    Return "through" or "out" by entrant, of those of whom it is certain; in the last stage, who is first.

    Nothing is certain where points do not come first, or while somebody may still enter a Swiss. When the stage is over
    its table says it all.
    """
    parts = stage["tie_breaks"] or ["points"]
    late = stage["format"] == Format.SWISS and state["tournament"].get("late_entry")
    places = 1 if following is None else stage["advance"]
    if stage["state"] == "completed" or parts[0] != "points" or late or not places:
        return {}
    matches, rows = list(state["matches"].values()), list(state["stage_entries"].values())
    left = _left(stage, matches, rows)
    worth = stage["points"]
    stays = {entry["id"] for entry in state["entries"].values() if entry.get("status") == "confirmed"}
    found: dict[int, str] = {}
    for table in tables(stage, matches, rows).values():
        races = [Race(line.entrant, line.points, left[line.entrant], line.entrant in stays) for line in table]
        told = fates(
            races, places=places, best=max(worth["win"], worth["bye"]), chances=1 if stage["advance_rest"] else 0
        )
        found |= {entrant: fate.value for entrant, fate in told.items() if fate is not Fate.OPEN}
    return found if following is not None else {entrant: fate for entrant, fate in found.items() if fate == "through"}


def _left(stage: Row, matches: list[Row], rows: list[Row]) -> Counter[int]:
    """Return how many matches each entrant has to come, or more: in a Swiss, as if nobody had ended early."""
    left: Counter[int] = Counter()
    for row in matches:
        if row["state"] in OPEN:
            left.update(entry for entry in (row["home"], row["away"]) if entry is not None)
    if stage["format"] == Format.SWISS:
        to_come = (stage["rounds"] or rounds_needed(len(rows))) - rounds_of(matches, rows)
        left.update({row["entry"]: max(to_come, 0) for row in rows})
    return left
