"""Tournaments and their stages."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from apps.api.schemas.common import (
    ABSENT,
    MAX_SAFE_INTEGER,
    Input,
    Page,
    RowId,
    Seq,
    ShortText,
    Text,
    Time,
    TimeWithZone,
)
from apps.api.schemas.entries import Entry
from apps.api.schemas.matches import Match
from apps.api.schemas.veto import VetoSettings
from apps.tournaments.models import Status
from engine.bracket import MAX_ENTRANTS, MIN_ENTRANTS
from engine.stages import Format

RoleName = Literal["spectator", "player", "referee", "organizer", "admin"]
TournamentName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")]
Capacity = Annotated[int, Field(ge=MIN_ENTRANTS, le=MAX_ENTRANTS)]


class Tournament(BaseModel):
    id: int
    name: str
    game: str
    description: str
    accent: str = Field(description="The tournament's colour, #rrggbb.")
    status: Status
    capacity: int = Field(description="Places; who registers later goes on the waitlist.")
    check_in: bool = Field(description="Only entrants who checked in are drawn.")
    starts_at: Time | None
    seeding: Literal["", "manual", "random"] = Field(description='How seeds were given; "" is by registration.')
    draw_seed: int | None = Field(description="Replays a random draw.")
    champion: int | None = Field(description="An entry, as are the next two.")
    runner_up: int | None
    third_place: int | None


class TournamentItem(Tournament):
    confirmed_count: int = Field(description="Entrants with a place.")


class TournamentPage(Page[TournamentItem]):
    pass


class Stage(BaseModel):
    """One part of a tournament, played in one format."""

    id: int
    number: int
    format: Format
    third_place_match: bool
    veto: VetoSettings


class TournamentDetail(TournamentItem):
    stages: list[Stage]
    role: RoleName = Field(description="What you are in this tournament.")


class NewTournament(Input):
    name: TournamentName
    game: ShortText = ""
    description: Text = ""
    accent: Colour = "#2f6fed"
    capacity: Capacity = 16
    check_in: bool = False
    starts_at: TimeWithZone = None
    third_place_match: bool = True


class TournamentChanges(Input):
    """What is absent stays as it is."""

    name: TournamentName = ABSENT
    game: ShortText = ABSENT
    description: Text = ABSENT
    accent: Colour = ABSENT
    capacity: Capacity = ABSENT
    check_in: bool = ABSENT
    starts_at: TimeWithZone = None
    third_place_match: bool = ABSENT


class Seeding(Input):
    """Seeds by hand (`order`), or drawn at random (neither field, or `draw_seed` to repeat a draw)."""

    order: list[RowId] | None = Field(default=None, max_length=MAX_ENTRANTS, description="Entries, strongest first.")
    draw_seed: int | None = Field(default=None, ge=0, le=MAX_SAFE_INTEGER)

    @model_validator(mode="after")
    def _one_way(self) -> "Seeding":
        if self.order is not None and self.draw_seed is not None:
            kind, message = "seeding", "Give an order or a draw_seed, not both"
            raise PydanticCustomError(kind, message)
        return self


class TournamentAnswer(BaseModel):
    seq: Seq
    tournament: Tournament


class SeedsAnswer(TournamentAnswer):
    entries: list[Entry]


class BracketAnswer(SeedsAnswer):
    matches: list[Match]
