"""Past events without the names of a person who is gone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True)
class Redaction:
    """
    Whose names are replaced: those of their `entries` (by id, each with the name that it gets), and `username` by
    `name` in rosters of teams, on the staff, and among the banned.
    """

    user: int
    username: str
    name: str
    entries: Mapping[int, str]

    def rewritten(self, data: str) -> str | None:
        """Return an event's data (JSON) without the names, None when they are not in it."""
        event = msgspec.json.decode(data)
        replaced = [*self._in_entries(event), *self._in_people(event)]
        return msgspec.json.encode(event).decode() if any(replaced) else None

    def _in_entries(self, event: dict[str, Any]) -> Iterator[bool]:
        for change in _parts(event, "entry", "entries"):
            if change["id"] in self.entries:
                yield _set(change, "name", self.entries[change["id"]])
            # User names stand in rosters alone: an entrant may call itself what somebody else signs in with.
            roster = [self.name if player == self.username else player for player in change.get("roster", ())]
            yield _set(change, "roster", roster)

    def _in_people(self, event: dict[str, Any]) -> Iterator[bool]:
        for person in (*_parts(event, "member", "staff"), *_parts(event, "banned", "")):
            if person["id"] == self.user:
                yield _set(person, "username", self.name)


def _parts(event: dict[str, Any], one: str, many: str) -> Iterator[dict[str, Any]]:
    if one in event:
        yield event[one]
    yield from event.get(many, ())


def _set(change: dict[str, Any], field: str, value: Any) -> bool:
    """Replace a field that is there; return whether that changed it."""
    if change.get(field, value) == value:
        return False
    change[field] = value
    return True
