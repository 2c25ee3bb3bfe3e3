"""
Fold events into the state of a tournament.

An event carries the new values of what it changed, as parts of the state: `tournament`, one `stage`, `entry`, `match`
and so on, or lists of them. Values are absolute, so applying an event twice changes nothing. The reducers of the
clients (clients/) are the same rule and give the same states.

The state is plain JSON: {"tournament": {…}, "stages": {"1": {…}}, "entries": {…}, "matches": {…}, …}.
"""

from collections.abc import Iterable, Mapping
from typing import Any

State = dict[str, Any]

COLLECTIONS = ("stages", "entries", "stage_entries", "matches", "stations", "staff")
SINGULAR = {
    "stage": "stages",
    "entry": "entries",
    "stage_entry": "stage_entries",
    "match": "matches",
    "station": "stations",
    "member": "staff",
}


def empty() -> State:
    """Return the state before the first event."""
    return {"tournament": {}, **{name: {} for name in COLLECTIONS}}


def apply(state: State, data: Mapping[str, Any]) -> State:
    """Change `state` in place by one event's data, and return it."""
    for name, gone in data.get("removed", {}).items():
        for row_id in gone:
            state[name].pop(str(row_id), None)
    state["tournament"].update(data.get("tournament", {}))
    for key, name in SINGULAR.items():
        if key in data:
            _merge(state[name], data[key])
    for name in COLLECTIONS:
        for row in data.get(name, ()):
            _merge(state[name], row)
    return state


def fold(events: Iterable[Mapping[str, Any]], state: State | None = None) -> State:
    """Return the state after all `events` (their data), from nothing or from a snapshot."""
    result = empty() if state is None else state
    for data in events:
        apply(result, data)
    return result


def _merge(rows: dict[str, Any], row: Mapping[str, Any]) -> None:
    rows.setdefault(str(row["id"]), {}).update(row)
