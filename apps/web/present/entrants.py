"""The entrants of a state, as lists show them."""

from collections.abc import Mapping
from typing import Any

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


def listed(state: State) -> dict[str, list[Row]]:
    """Return the entries of a state in lists: confirmed by seed, pending, offered, waitlisted in order, gone."""
    rows = list(state["entries"].values())
    by_seed = sorted(
        (row for row in rows if row["status"] == "confirmed"),
        key=lambda row: (row["seed"] is None, row["seed"] or 0, row["id"]),
    )
    return {
        "confirmed": by_seed,
        "pending": [row for row in rows if row["status"] == "pending"],
        "offered": _in_order(row for row in rows if row["status"] == "offered"),
        "waitlist": waitlist(state),
        "gone": [{**row, "why": said(GONE_LABELS[row["status"]])} for row in rows if row["status"] in GONE_LABELS],
    }


def waitlist(state: State) -> list[Row]:
    """Return who waits for a place, whose turn is next first."""
    return _in_order(row for row in state["entries"].values() if row["status"] == "waitlisted")


def _in_order(rows: Any) -> list[Row]:
    return sorted(rows, key=lambda row: (row["waitlisted_at"] or "", row["id"]))
