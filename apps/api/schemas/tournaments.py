"""Tournaments and their stages."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from apps.api.schemas.announcements import Announcement
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
from apps.api.schemas.stages import Stage, StageSettings
from apps.tournaments.models import EntryRule, NoShowRule, Participation, Status
from apps.tournaments.services.tournaments import MAX_ROSTER
from engine.bracket import MAX_ENTRANTS, MIN_ENTRANTS
from engine.stages import Format
from engine.text import gettext_noop as _

RoleName = Literal["spectator", "player", "referee", "organizer", "admin"]
TournamentName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")]
Capacity = Annotated[int, Field(ge=MIN_ENTRANTS, le=MAX_ENTRANTS)]
Minutes = Annotated[int, Field(ge=0)]
InviteCode = Annotated[str, StringConstraints(max_length=40, pattern=r"^[^\x00]*$")]


class Tournament(BaseModel):
    id: int
    name: str
    game: str
    description: str
    accent: str = Field(description="The tournament's colour, #rrggbb.")
    status: Status
    capacity: int = Field(description="Places; who registers later goes on the waitlist.")
    starts_at: Time | None
    match_minutes: int = Field(description="How long a match of one game takes in the schedule.")
    rest_minutes: int = Field(description="How long an entrant rests between two matches of the schedule.")
    participation: Participation
    roster_min: int = Field(description="Players of a team, the captain included.")
    roster_max: int
    entry_rule: EntryRule = Field(description="Who gets in: anybody, whom an organiser accepts, who knows the code.")
    rating_min: float | None
    rating_max: float | None
    late_entry: bool = Field(description="Entrants can join a Swiss stage that has begun.")
    claim_minutes: int = Field(description="How long a free place is held for the first on the waitlist; 0: not.")
    check_in: bool = Field(description="Entrants say that they are here before the draw.")
    check_in_opens_at: Time | None
    check_in_closes_at: Time | None
    check_in_closed: bool = Field(description="Who did not check in has been dealt with.")
    no_show_rule: NoShowRule = Field(description="Who does not check in is left out, or walked over.")
    match_check_in_minutes: int = Field(description="How long both sides have to check in to a match; 0: no check-in.")
    confirm_minutes: int = Field(description="After how long a report counts that nobody answered; 0: never.")
    notices: list[Announcement] = Field(description="Announcements that stand, the oldest first.")
    rated: bool
    seeding: Literal["", "manual", "random", "rating"] = Field(description='"" is by registration.')
    draw_seed: int | None = Field(description="Replays a random draw.")
    champion: int | None = Field(description="An entry, as are the next two.")
    runner_up: int | None
    third_place: int | None
    on_stream: int | None = Field(description="The match that is shown on stream.")


class TournamentItem(Tournament):
    confirmed_count: int = Field(description="Entrants with a place.")


class TournamentPage(Page[TournamentItem]):
    pass


class TournamentDetail(TournamentItem):
    stages: list[Stage]
    role: RoleName = Field(description="What you are in this tournament.")


class Settings(Input):
    """See the fields of `Tournament`. What is absent is as usual, or stays as it is."""

    game: ShortText = ABSENT
    description: Text = ABSENT
    accent: Colour = ABSENT
    capacity: Capacity = ABSENT
    starts_at: TimeWithZone = None
    participation: Annotated[Participation, Field(strict=False)] = ABSENT
    roster_min: Annotated[int, Field(ge=1, le=MAX_ROSTER)] = ABSENT
    roster_max: Annotated[int, Field(ge=1, le=MAX_ROSTER)] = ABSENT
    entry_rule: Annotated[EntryRule, Field(strict=False)] = ABSENT
    invite_code: Annotated[InviteCode, Field(description="Opens a tournament with `entry_rule` invite.")] = ABSENT
    rating_min: float | None = None
    rating_max: float | None = None
    late_entry: bool = ABSENT
    claim_minutes: Minutes = ABSENT
    check_in: bool = ABSENT
    check_in_opens_at: TimeWithZone = None
    check_in_closes_at: TimeWithZone = None
    no_show_rule: Annotated[NoShowRule, Field(strict=False)] = ABSENT
    match_check_in_minutes: Minutes = ABSENT
    confirm_minutes: Minutes = ABSENT
    rated: bool = ABSENT
    third_place_match: Annotated[bool, Field(description="Of the first stage.")] = ABSENT


class NewTournament(Settings):
    name: TournamentName
    format: Annotated[Format, Field(strict=False, description="Of the first stage.")] = ABSENT
    stage: Annotated[StageSettings, Field(description="How the first stage is played.")] = ABSENT


class TournamentChanges(Settings):
    """What is absent stays as it is."""

    name: TournamentName = ABSENT


class Seeding(Input):
    """Seeds by hand (`order`), by rating, or drawn at random (no field, or `draw_seed` to repeat a draw)."""

    order: list[RowId] | None = Field(default=None, max_length=MAX_ENTRANTS, description="Entries, strongest first.")
    draw_seed: int | None = Field(default=None, ge=0, le=MAX_SAFE_INTEGER)
    by_rating: bool = Field(default=False, description="Strongest first, unrated last; see the ratings of the game.")

    @model_validator(mode="after")
    def _one_way(self) -> "Seeding":
        if (self.order is not None) + (self.draw_seed is not None) + self.by_rating > 1:
            kind, message = "seeding", _("Give an order, a draw_seed or by_rating, not two of them")
            raise PydanticCustomError(kind, message)
        return self


class TournamentAnswer(BaseModel):
    seq: Seq
    tournament: Tournament


class SeedsAnswer(TournamentAnswer):
    entries: list[Entry]


class BracketAnswer(SeedsAnswer):
    matches: list[Match]


class Again(Input):
    again: bool = Field(default=False, description="Pair the present round anew, instead of the next one.")
