"""Entries: who takes part."""

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from apps.api.schemas.common import Input, Page, RowId, Seq, ShortText, Time, TournamentRef
from apps.tournaments.models import EntryRule, EntryStatus
from apps.tournaments.services.tournaments import MAX_ROSTER


class Entry(BaseModel):
    id: int
    name: str
    status: EntryStatus
    seed: int | None = Field(description="1 is best; null before seeds are given.")
    checked_in: bool
    waitlisted_at: Time | None
    claim_by: Time | None = Field(description="Until when a place is held (`offered`).")
    team: int | None
    roster: list[str] = Field(description="The names of a team's players, as they were when it registered.")


class EntriesAnswer(BaseModel):
    seq: Seq
    entries: list[Entry]


class MyEntry(Entry):
    tournament: TournamentRef


class EntryPage(Page[Entry]):
    pass


class MyEntryPage(Page[MyEntry]):
    pass


Players = Annotated[list[RowId], Field(max_length=MAX_ROSTER, description="Users, members of the team.")]


class Registration(Input):
    name: ShortText = Field(default="", description="The name to play under; your user name when it is empty.")
    code: ShortText = Field(default="", description="Where the tournament is for invited people (`entry_rule` invite).")
    team: RowId | None = Field(default=None, description="Where teams take part: one that you are the captain of.")
    roster: Players | None = Field(default=None, description="Who plays for the team; all its members when absent.")


class NewEntry(Input):
    name: Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[^\x00]*$")]


class EntryChanges(NewEntry):
    """Another name."""


class Roster(Input):
    players: Players


class InviteCode(BaseModel):
    entry_rule: EntryRule
    invite_code: str = Field(description="Empty while there is none.")


class EntryAnswer(BaseModel):
    seq: Seq
    entry: Entry
