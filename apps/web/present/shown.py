"""
The words and numbers that a page shows for a state, as the server writes them and the browser keeps them current.

static/web/js/shown.js is the same rule in the browser. Whatever a `data-bind` names is computed here first, so
that a page looks the same after a reload as it did before.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.words import gettext, said
from engine.match_flow import OVER
from engine.projection import State
from engine.text import gettext as _
from engine.text import gettext_noop

Row = Mapping[str, Any]
Feeders = dict[tuple[int | None, int, str], str]

STATUS_LABELS = {
    "draft": _("Draft"),
    "published": _("Upcoming"),
    "registration_open": _("Registration open"),
    "registration_closed": _("Registration closed"),
    "live": _("Live"),
    "completed": _("Completed"),
    "cancelled": _("Cancelled"),
}
STATE_LABELS = {
    "scheduled": _("Upcoming"),
    "check_in": _("Check-in"),
    "ready": _("Ready"),
    "live": _("Live"),
    "pending_result": _("To confirm"),
    "disputed": _("Disputed"),
    "completed": _("Finished"),
}
FORFEIT_LABELS = {"walkover": _("Walkover"), "forfeit": _("Forfeit"), "no_show": _("No-show")}
NOBODY_WON_LABELS = {"walkover": _("Not played"), "forfeit": _("Double forfeit"), "no_show": _("Nobody came")}
# What stands where the score would: of the winner, of the loser, and of both when nobody won.
UNPLAYED_SCORES = {
    "walkover": (_("w/o"), "", ""),
    "forfeit": (_("W"), _("FF"), _("FF")),
    "no_show": (_("W"), _("NS"), _("NS")),
}
LEAGUES = ("round_robin", "swiss")
BEFORE_PLAY = ("scheduled", "check_in", "ready")


@dataclass(frozen=True, slots=True)
class SideShown:
    """
    One side of a match. `name` is None when it cannot be known from the state.

    `outcome` is "won", "lost", "drew" or ""; `score` and `shootout` are text, empty where there is nothing to show.
    `here` is "here" or "away" while the match's check-in runs, else "".
    """

    entry: int | None
    name: str | None
    seed: str
    score: str
    shootout: str
    outcome: str
    here: str


@dataclass(frozen=True, slots=True)
class MatchShown:
    """
    `label` is the state in a word; `leading` is who has won if the match ends now (": Argentina wins"), else "".

    `game`: of a best-of-N, the score of each of its N games ("13–7"), empty where it was not played; else no items.
    `games`: those that were played, "13–7, 9–13".
    """

    id: int
    stage: int
    number: int
    round: int
    position: int
    group: int
    bracket: str
    best_of: int
    is_league: bool
    state: str
    label: str
    over: bool
    home: SideShown
    away: SideShown
    version: int
    home_points: int
    away_points: int
    home_shootout: str
    away_shootout: str
    game: list[str]
    games: str
    leading: str
    deadline_at: str | None
    started_at: str | None
    completed_at: str | None
    winner_to: int | None
    loser_to: int | None
    reported_by: str | None
    on_stream: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """`places` reads "12 of 16"; `left` is how many places are free; `waiting` is what needs a referee's word."""

    confirmed: int
    waitlisted: int
    checked_in: int
    capacity: int
    left: int
    places: str
    matches: int
    over: int
    live: int
    ready: int
    pending: int
    disputed: int
    waiting: int
    progress: str


_WINNER_OF, _LOSER_OF = gettext_noop("Winner of {number}"), gettext_noop("Loser of {number}")


def feeders(state: State) -> Feeders:
    """Return where the entrant of each waiting side comes from: "Winner of 3", "Loser of 13"."""
    found: Feeders = {}
    for row in state["matches"].values():
        for text, to in ((_WINNER_OF, "winner_to"), (_LOSER_OF, "loser_to")):
            if row.get(to) is not None:
                found[row.get("stage"), row[to], str(row[f"{to}_side"])] = gettext(text, number=row["number"])
    return found


def match_shown(state: State, row: Row, known: Feeders | None = None) -> MatchShown:
    """Return a match as a card, a row or a page shows it. `known`: the result of `feeders`, when it is at hand."""
    sources = feeders(state) if known is None else known
    home, away = _side(state, row, "home", sources), _side(state, row, "away", sources)
    return MatchShown(
        id=row["id"],
        stage=row["stage"],
        number=row["number"],
        round=row["round"],
        position=row["position"],
        group=row["group"],
        bracket=row["bracket"],
        best_of=row["best_of"],
        is_league=state["stages"].get(str(row["stage"]), {}).get("format") in LEAGUES,
        state=row["state"],
        label=_label(row),
        over=row["state"] in OVER,
        home=home,
        away=away,
        version=row["version"],
        home_points=row["home_score"],
        away_points=row["away_score"],
        home_shootout=_text(row["home_shootout"]),
        away_shootout=_text(row["away_shootout"]),
        game=_games(row),
        games=", ".join(filter(None, _games(row))),
        leading=_leading(row, home, away),
        deadline_at=row["deadline_at"],
        started_at=row["started_at"],
        completed_at=row["completed_at"],
        winner_to=row["winner_to"],
        loser_to=row["loser_to"],
        reported_by=row["reported_by"],
        on_stream=state["tournament"].get("on_stream") == row["id"],
    )


def counts(state: State) -> Counts:
    """Return the numbers in a tournament's head and tabs."""
    entries = list(state["entries"].values())
    confirmed = [row for row in entries if row["status"] == "confirmed"]
    states = [row["state"] for row in state["matches"].values()]
    capacity = state["tournament"].get("capacity", 0)
    over = sum(state in OVER for state in states)
    pending, disputed = states.count("pending_result"), states.count("disputed")
    return Counts(
        confirmed=len(confirmed),
        waitlisted=sum(row["status"] == "waitlisted" for row in entries),
        checked_in=sum(bool(row["checked_in"]) for row in confirmed),
        capacity=capacity,
        left=max(capacity - sum(row["status"] in ("confirmed", "offered") for row in entries), 0),
        places=gettext("{count} of {total}", count=len(confirmed), total=capacity),
        matches=len(states),
        over=over,
        live=states.count("live"),
        ready=states.count("ready"),
        pending=pending,
        disputed=disputed,
        waiting=pending + disputed,
        progress=gettext("{count} of {total}", count=over, total=len(states)),
    )


def entrant_name(state: State, entry_id: int | None) -> str | None:
    """Return an entrant's name, or None when the state does not hold it."""
    name = state["entries"].get(str(entry_id), {}).get("name")
    return None if name is None else str(name)


def _side(state: State, row: Row, side: str, sources: Feeders) -> SideShown:
    entry_id = row[side]
    if entry_id is not None:
        name = entrant_name(state, entry_id)
    elif row["state"] == "cancelled":
        name = "–"
    elif row[f"{side}_closed"]:
        name = gettext("Nobody")
    else:
        name = sources.get((row["stage"], row["number"], side))
    outcome = _outcome(row, entry_id)
    score, shootout = _score(row, side, outcome)
    seed = state["entries"].get(str(entry_id), {}).get("seed")
    here = ""
    if row["state"] == "check_in":
        here = "here" if row[f"{side}_checked_in"] else "away"
    return SideShown(entry_id, name, _text(seed), score, shootout, outcome, here)


def _outcome(row: Row, entry_id: int | None) -> str:
    if row["state"] not in ("completed", "forfeit") or entry_id is None:
        return ""
    if row["winner"] is None:
        return "drew" if row["state"] == "completed" else "lost"
    return "won" if row["winner"] == entry_id else "lost"


def _score(row: Row, side: str, outcome: str) -> tuple[str, str]:
    if row["state"] in BEFORE_PLAY or row["state"] == "cancelled":
        return "", ""
    if row["state"] == "forfeit":
        won, lost, both = UNPLAYED_SCORES.get(row["reason"], ("", "", ""))
        return said(both if row["winner"] is None else won if outcome == "won" else lost), ""
    numbers = _stated(row)
    if numbers is None:
        return "?", ""
    return _text(numbers[f"{side}_score"]), _text(numbers[f"{side}_shootout"])


def _stated(row: Row) -> Row | None:
    """Return where the score stands: in the report that waits, in the row, or nowhere while it is disputed."""
    if row["state"] == "disputed" and row["report"]:
        return None
    return row["report"] if row["state"] == "pending_result" and row["report"] else row


def _games(row: Row) -> list[str]:
    if row["best_of"] == 1:
        return []
    numbers = None if row["state"] in BEFORE_PLAY else _stated(row)
    games = [] if numbers is None else numbers.get("games") or []
    played = [f"{game['home']}–{game['away']}" for game in games]
    return played + [""] * (row["best_of"] - len(played))


def _leading(row: Row, home: SideShown, away: SideShown) -> str:
    if row["state"] not in ("live", "pending_result"):
        return ""
    points = [(int(s.score or 0), int(s.shootout or 0)) for s in (home, away)]
    enough = row["best_of"] // 2 + 1 if row["best_of"] > 1 else 0
    if points[0] == points[1] or max(points)[0] < enough:
        return ""
    return gettext(": {name} wins", name=(home if points[0] > points[1] else away).name or "")


def _label(row: Row) -> str:
    state, is_reset = row["state"], row["bracket"] == "grand_final" and row["round"] > 1
    if state == "completed" and row["winner"] is None:
        return gettext("Draw")
    if state == "forfeit":
        return forfeit_label(row["reason"], nobody_won=row["winner"] is None)
    if state == "cancelled" and row["home"] is None and row["away"] is None:
        return gettext("Not needed") if is_reset else gettext("Not played")
    if state == "cancelled":
        return gettext("Cancelled")
    return gettext("If needed") if state == "scheduled" and is_reset else said(STATE_LABELS[state])


def forfeit_label(reason: str | None, *, nobody_won: bool) -> str:
    """Return what it is called when a match was decided without being played."""
    labels = NOBODY_WON_LABELS if nobody_won else FORFEIT_LABELS
    return said(labels.get(reason or "", FORFEIT_LABELS["forfeit"]))


def _text(value: Any) -> str:
    return "" if value is None else str(value)
