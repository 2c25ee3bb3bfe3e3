"""The staff of a tournament."""

from typing import Literal

from pydantic import BaseModel, Field

from apps.api.schemas.common import Input, Page, Seq

StaffRole = Literal["referee", "organizer"]


class Member(BaseModel):
    id: int = Field(description="The user.")
    username: str
    role: StaffRole


class MemberPage(Page[Member]):
    pass


class Appointment(Input):
    role: StaffRole


class MemberAnswer(BaseModel):
    seq: Seq
    member: Member


class RemovalAnswer(BaseModel):
    seq: Seq
