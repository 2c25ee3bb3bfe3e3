"""Stations, the plan, and how far play is behind it."""

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from apps.api.schemas.common import ABSENT, Input, RowId, Seq, Time, TimeWithZone
from apps.api.schemas.matches import OnMatch
from apps.tournaments.services.deadlines import MAX_MINUTES as MAX_DEADLINE
from apps.tournaments.services.schedule import MAX_MINUTES
from engine.match_flow import MatchState

StationName = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[^\x00]*$")]


class Station(BaseModel):
    """A court, table or setup."""

    id: int
    name: str
    order: int = Field(description="As the organiser lists them.")


class NewStation(Input):
    name: StationName


class StationAnswer(BaseModel):
    seq: Seq
    station: Station


class StationList(BaseModel):
    items: list[Station]
    count: int


class StationRemoved(BaseModel):
    seq: Seq
    station_id: int


class Plan(Input):
    """What is absent stays as it is; without `starts_at`, the plan begins now."""

    starts_at: TimeWithZone = None
    match_minutes: Annotated[
        int, Field(ge=1, le=MAX_MINUTES, description="Of a match of one game; a best of N takes N times that.")
    ] = ABSENT
    rest_minutes: Annotated[int, Field(ge=0, le=MAX_MINUTES, description="Of an entrant between two matches.")] = ABSENT


class Slot(BaseModel):
    """A match in the schedule: as it is planned, and as things stand."""

    match: int
    number: int
    state: MatchState
    station: int | None
    scheduled_at: Time | None
    called_at: Time | None
    expected_at: Time = Field(description="When it began, or can begin.")
    expected_end: Time
    minutes_late: int = Field(description="Since it should have begun; 0 once it has.")


class Board(BaseModel):
    """Matches at one station by id: in play, overdue for more than five minutes, and still to come, in this order."""

    station: int | None = Field(description="null: matches without one.")
    now: list[int]
    late: list[int]
    next: list[int]


class Schedule(BaseModel):
    stations: list[Station]
    boards: list[Board]
    plan: list[Slot] = Field(description="All matches in play or with a time, in order of time.")
    expected_end: Time | None
    match_minutes: int
    rest_minutes: int


class ScheduleAnswer(Schedule):
    seq: Seq


class Booking(OnMatch):
    """What is absent stays; null takes it away."""

    station: RowId | None = None
    scheduled_at: TimeWithZone = None


class Deadline(OnMatch):
    minutes: int = Field(ge=1, le=MAX_DEADLINE, description="From now.")
