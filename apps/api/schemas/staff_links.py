"""Invitations to the staff of a tournament, by a link."""

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from apps.api.schemas.common import Input, Page, Seq, Time
from apps.api.schemas.members import StaffRole
from apps.tournaments.services.staff_links import MAX_HOURS, MAX_USES


class StaffLink(BaseModel):
    id: int
    role: StaffRole
    uses: int = Field(description="How many people can join by it.")
    used: int
    expires_at: Time
    revoked: bool
    token: str | None = Field(description="What to join with, and the end of the link's address; null: it is over.")


class StaffLinkPage(Page[StaffLink]):
    pass


class NewStaffLink(Input):
    role: StaffRole
    uses: Annotated[int, Field(ge=1, le=MAX_USES)] = 1
    hours: Annotated[int, Field(ge=1, le=MAX_HOURS, description="How long it holds.")] = 48


class StaffLinkAnswer(BaseModel):
    seq: Seq
    link: StaffLink


class JoinStaff(Input):
    token: Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[^\x00]*$")]


class Joined(BaseModel):
    seq: Seq
    tournament: int = Field(description="Whose staff you are on.")
