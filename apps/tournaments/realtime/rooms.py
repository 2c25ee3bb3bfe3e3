"""The names of rooms: one spelling each, so that no second name can open the same room."""

import re
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from apps.tournaments.models import Role
from apps.tournaments.permissions import Person, audience_of, role_of, side_in
from engine.bracket import Side

_PATH = re.compile(r"/ws/(tournament|match)/([^/]*)/")
_CANONICAL_ID = re.compile(r"[1-9][0-9]{0,17}")  # ASCII digits; fits 64 bits


class BadRoomId(ValueError):
    """Raised for an id that is missing or not in its one spelling."""


@dataclass(frozen=True, slots=True)
class RoomName:
    """A room as its address says it: "tournament:7" or "match:5"."""

    kind: Literal["tournament", "match"]
    id: int

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


class Room(NamedTuple):
    """
    A room as the hub sees it: a filter on a stream. `subject` "" is the whole tournament, "match:5" one match;
    `audience` is what its members may see.
    """

    stream: str
    subject: str
    audience: str

    @property
    def kind(self) -> str:
        return "match" if self.subject else "tournament"


@dataclass(frozen=True, slots=True)
class Opened:
    """A room that somebody may see: as what, and which part of the log. The last two in a match's room only."""

    room: Room
    tournament_id: int
    role: Role
    is_public: bool
    match_id: int | None = None
    side: Side | None = None

    @property
    def is_participant(self) -> bool | None:
        return None if self.match_id is None else self.side is not None

    def seen_as(self, role: Role) -> "Opened":
        """Return what somebody who plays no part in it sees of the same room."""
        room = self.room._replace(audience=audience_of(role))
        return replace(self, room=room, role=role, side=None)

    def seen_by(self, person: Person) -> "Opened":
        """Return what a person sees of the same room now. Cost: one query, in a match's room two."""
        seen = self.seen_as(role_of(person, self.tournament_id))
        return seen if self.match_id is None else replace(seen, side=side_in(person, self.match_id))


def room_of_path(path: str) -> RoomName | None:
    """
    Return the room at an address, or None when no room is there.

    Raises:
        BadRoomId: the address of a room with an id that is not canonical ("003", "٣", "").
    """
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    kind, room_id = found.groups()
    if not _CANONICAL_ID.fullmatch(room_id):
        raise BadRoomId
    return RoomName("tournament" if kind == "tournament" else "match", int(room_id))
