"""
The words and numbers that a page shows for a state, as the server writes them and the browser keeps them current.

static/web/js/shown.js is the same rule in the browser. Whatever a `data-bind` names is computed here first, so
that a page looks the same after a reload as it did before.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.projection import State

Row = Mapping[str, Any]
Feeders = dict[tuple[int | None, int, str], str]

STATUS_LABELS = {
    "draft": "Draft",
    "published": "Upcoming",
    "registration_open": "Registration open",
    "registration_closed": "Registration closed",
    "live": "Live",
    "completed": "Completed",
    "cancelled": "Cancelled",
}
STATE_LABELS = {
    "scheduled": "Upcoming",
    "ready": "Ready",
    "live": "Live",
    "pending_result": "To confirm",
    "completed": "Finished",
}
REASON_LABELS = {"walkover": "Walkover", "forfeit": "Forfeit"}


@dataclass(frozen=True, slots=True)
class SideShown:
    """
    One side of a match. `name` is None when it cannot be known from the state.

    `outcome` is "won", "lost" or ""; `score` and `shootout` are text, empty where there is nothing to show.
    """

    entry: int | None
    name: str | None
    seed: str
    score: str
    shootout: str
    outcome: str


@dataclass(frozen=True, slots=True)
class MatchShown:
    """`label` is the state in a word; `leading` is who is ahead (": Argentina wins"), "" for a level score."""

    id: int
    number: int
    round: int
    position: int
    bracket: str
    state: str
    label: str
    home: SideShown
    away: SideShown
    version: int
    home_points: int
    away_points: int
    home_shootout: str
    away_shootout: str
    leading: str
    started_at: str | None
    completed_at: str | None
    winner_to: int | None
    loser_to: int | None
    reported_by: str | None


@dataclass(frozen=True, slots=True)
class Counts:
    """`places` reads "12 of 16"; `left` is how many places are free."""

    confirmed: int
    waitlisted: int
    checked_in: int
    capacity: int
    left: int
    places: str
    matches: int
    completed: int
    live: int
    ready: int
    pending: int
    progress: str


def feeders(state: State) -> Feeders:
    """Return where the entrant of each waiting side comes from: "Winner of 3", "Loser of 13"."""
    found: Feeders = {}
    for row in state["matches"].values():
        for what, to in (("Winner", "winner_to"), ("Loser", "loser_to")):
            if row.get(to) is not None:
                found[row.get("stage"), row[to], str(row[f"{to}_side"])] = f"{what} of {row['number']}"
    return found


def match_shown(state: State, row: Row, known: Feeders | None = None) -> MatchShown:
    """Return a match as a card, a row or a page shows it. `known`: the result of `feeders`, when it is at hand."""
    sources = feeders(state) if known is None else known
    home, away = _side(state, row, "home", sources), _side(state, row, "away", sources)
    return MatchShown(
        id=row["id"],
        number=row["number"],
        round=row["round"],
        position=row["position"],
        bracket=row["bracket"],
        state=row["state"],
        label=_label(row),
        home=home,
        away=away,
        version=row["version"],
        home_points=row["home_score"],
        away_points=row["away_score"],
        home_shootout=_text(row["home_shootout"]),
        away_shootout=_text(row["away_shootout"]),
        leading=_leading(row, home, away),
        started_at=row["started_at"],
        completed_at=row["completed_at"],
        winner_to=row["winner_to"],
        loser_to=row["loser_to"],
        reported_by=row["reported_by"],
    )


def counts(state: State) -> Counts:
    """Return the numbers in a tournament's head and tabs."""
    entries = list(state["entries"].values())
    confirmed = [row for row in entries if row["status"] == "confirmed"]
    states = [row["state"] for row in state["matches"].values()]
    capacity = state["tournament"].get("capacity", 0)
    completed = states.count("completed")
    return Counts(
        confirmed=len(confirmed),
        waitlisted=sum(row["status"] == "waitlisted" for row in entries),
        checked_in=sum(bool(row["checked_in"]) for row in confirmed),
        capacity=capacity,
        left=max(capacity - sum(row["status"] in ("confirmed", "offered") for row in entries), 0),
        places=f"{len(confirmed)} of {capacity}",
        matches=len(states),
        completed=completed,
        live=states.count("live"),
        ready=states.count("ready"),
        pending=states.count("pending_result"),
        progress=f"{completed} of {len(states)}",
    )


def entrant_name(state: State, entry_id: int | None) -> str | None:
    """Return an entrant's name, or None when the state does not hold it."""
    name = state["entries"].get(str(entry_id), {}).get("name")
    return None if name is None else str(name)


def _side(state: State, row: Row, side: str, sources: Feeders) -> SideShown:
    entry_id = row[side]
    if entry_id is not None:
        name = entrant_name(state, entry_id)
    elif row[f"{side}_closed"]:
        name = "Nobody"
    else:
        name = sources.get((row["stage"], row["number"], side))
    outcome = ""
    if row["state"] == "completed" and entry_id is not None:
        outcome = "won" if row["winner"] == entry_id else "lost"
    score, shootout = _score(row, side, outcome)
    seed = state["entries"].get(str(entry_id), {}).get("seed")
    return SideShown(entry_id, name, _text(seed), score, shootout, outcome)


def _score(row: Row, side: str, outcome: str) -> tuple[str, str]:
    if row["state"] in ("scheduled", "ready"):
        return "", ""
    if row["state"] == "completed" and row["reason"] == "walkover":
        return ("w/o" if outcome == "won" else ""), ""
    if row["state"] == "completed" and row["reason"] == "forfeit":
        return {"won": "W", "lost": "FF"}.get(outcome, ""), ""
    numbers = row["report"] if row["state"] == "pending_result" and row["report"] else row
    return _text(numbers[f"{side}_score"]), _text(numbers[f"{side}_shootout"])


def _leading(row: Row, home: SideShown, away: SideShown) -> str:
    if row["state"] not in ("live", "pending_result"):
        return ""
    points = [(int(s.score or 0), int(s.shootout or 0)) for s in (home, away)]
    if points[0] == points[1]:
        return ""
    return f": {(home if points[0] > points[1] else away).name or ''} wins"


def _label(row: Row) -> str:
    if row["state"] == "completed":
        if row["winner"] is None:
            return "Not played"
        return REASON_LABELS.get(row["reason"], STATE_LABELS["completed"])
    return STATE_LABELS[row["state"]]


def _text(value: Any) -> str:
    return "" if value is None else str(value)
