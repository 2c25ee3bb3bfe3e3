"""The entrants of a state, as lists show them."""

from collections.abc import Mapping
from typing import Any

from apps.tournaments.text import words_of
from apps.words import said
from engine.projection import State
from engine.text import gettext as _

Row = Mapping[str, Any]

# Why somebody does not take part, in a word or two.
GONE_LABELS = {
    "withdrawn": _("withdrew"),
    "no_show": _("did not check in"),
    "declined": _("declined"),
    "expired": _("did not claim the place"),
    "disqualified": _("disqualified"),
}


def listed(state: State, *, sought: str = "") -> dict[str, list[Row]]:
    """
    Return the entries of a state in lists: confirmed by seed, pending, offered, waitlisted in order, gone.

    `sought`: words that have to begin words of the names that are left.
    """
    rows = [row for row in state["entries"].values() if _answers(row, words_of(sought))]
    by_seed = sorted(
        (row for row in rows if row["status"] == "confirmed"),
        key=lambda row: (row["seed"] is None, row["seed"] or 0, row["id"]),
    )
    return {
        "confirmed": by_seed,
        "pending": [row for row in rows if row["status"] == "pending"],
        "offered": _in_order(row for row in rows if row["status"] == "offered"),
        "waitlist": [row for row in waitlist(state) if _answers(row, words_of(sought))],
        "gone": [{**row, "why": said(GONE_LABELS[row["status"]])} for row in rows if row["status"] in GONE_LABELS],
    }


def waitlist(state: State) -> list[Row]:
    """Return who waits for a place, whose turn is next first."""
    return _in_order(row for row in state["entries"].values() if row["status"] == "waitlisted")


def _answers(row: Row, sought: list[str]) -> bool:
    words = words_of(" ".join((row["name"], *row["roster"]))) if sought else []
    return all(any(word.startswith(one) for word in words) for one in sought)


def _in_order(rows: Any) -> list[Row]:
    return sorted(rows, key=lambda row: (row["waitlisted_at"] or "", row["id"]))
