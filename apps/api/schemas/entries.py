"""Entries: who takes part."""

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from apps.api.schemas.common import Input, Page, Seq, ShortText, TournamentRef
from apps.tournaments.models import EntryStatus


class Entry(BaseModel):
    id: int
    name: str
    status: EntryStatus
    seed: int | None = Field(description="1 is best; null before seeds are given.")
    checked_in: bool


class MyEntry(Entry):
    tournament: TournamentRef


class EntryPage(Page[Entry]):
    pass


class MyEntryPage(Page[MyEntry]):
    pass


class Registration(Input):
    name: ShortText = Field(default="", description="The name to play under; your user name when it is empty.")


class NewEntry(Input):
    name: Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[^\x00]*$")]


class EntryAnswer(BaseModel):
    seq: Seq
    entry: Entry
