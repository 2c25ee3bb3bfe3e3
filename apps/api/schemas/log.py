"""The state of a tournament and the events that lead to it."""

from typing import Any

from pydantic import BaseModel, Field

from apps.api.schemas.common import Time
from apps.api.schemas.entries import Entry
from apps.api.schemas.matches import Match
from apps.api.schemas.members import Member
from apps.api.schemas.schedule import Station
from apps.api.schemas.stages import Stage, StageEntry
from apps.api.schemas.tournaments import Tournament


class State(BaseModel):
    """All rows by their ids. `staff` is empty unless you belong to it."""

    tournament: Tournament
    stages: dict[str, Stage]
    entries: dict[str, Entry]
    stage_entries: dict[str, StageEntry]
    matches: dict[str, Match]
    stations: dict[str, Station]
    staff: dict[str, Member]


class Snapshot(BaseModel):
    """The state as of `seq`; the events after it are at `/events?after=<seq>` and in the tournament's room."""

    epoch: str = Field(description="Changes only when history was rewritten; then a `seq` of before means nothing.")
    seq: int
    data: State


class LoggedEvent(BaseModel):
    """The same event that the WebSocket sends. `data` holds the new values of what changed."""

    type: str
    seq: int
    prev: int = Field(description="The seq of the event before, of those that you may see.")
    at: Time
    subject: str = Field(description='"match:5", or "" when the event is not about one match.')
    data: dict[str, Any]


class EventPage(BaseModel):
    epoch: str
    head: int = Field(description="The newest seq of the log, whoever may see it.")
    more: bool = Field(description="Ask again, after the last seq of this page.")
    events: list[LoggedEvent]
