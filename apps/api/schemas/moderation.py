"""Reports about names and images, and bans: for the staff."""

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from apps.api.schemas.common import Input, Page, Seq, Time
from apps.tournaments.models import Complaint

_Text = Annotated[str, StringConstraints(max_length=1000, pattern=r"^[^\x00]*$")]
_Line = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]


class NewAbuseReport(Input):
    reason: Annotated[Complaint, Field(strict=False)]
    text: _Text = ""


class AbuseReportAnswer(BaseModel):
    report: int


class AbuseReport(BaseModel):
    id: int
    entry: int | None = Field(description="Whose name is meant; null for an image.")
    evidence: int | None
    shown: str = Field(description="The name as it stood, or the file.")
    reason: Complaint
    text: str
    created_at: Time
    resolved_at: Time | None
    note: str = Field(description="What was done about it.")


class AbuseReportPage(Page[AbuseReport]):
    pass


class Resolution(Input):
    note: _Line = ""


class HiddenAnswer(BaseModel):
    evidence: int
    hidden: bool


class NewBan(Input):
    reason: _Line = Field(default="", description="For the staff.")


class Ban(BaseModel):
    user: int
    username: str
    reason: str
    created_at: Time


class BanPage(Page[Ban]):
    pass


class BanAnswer(BaseModel):
    seq: Seq
    user: int
