"""Disputes about results, with their evidence."""

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from apps.api.schemas.common import Seq, Time
from apps.api.schemas.matches import OnMatch
from apps.tournaments.models import DisputeCause
from engine.bracket import Side

Reason = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[^\x00]*$")]


class Evidence(BaseModel):
    """An image; `GET /evidence/{id}` is its file."""

    id: int
    content_type: str
    size: int = Field(description="Bytes.")
    uploaded_by: str = Field(description="A user name.")
    uploaded_at: Time
    hidden: bool = Field(description="For the staff alone.")


class Dispute(BaseModel):
    """For the staff and both sides."""

    id: int
    match: int
    opened_by: Side | None = Field(description="null: two different reports opened it.")
    cause: DisputeCause
    text: str
    evidence: list[Evidence]
    opened_at: Time
    resolved_at: Time | None
    resolved_by: str | None = Field(description="A user name.")
    ruling: str


class NewDispute(OnMatch):
    cause: DisputeCause = Field(default=DisputeCause.OTHER, strict=False)
    text: Reason = Field(description="What happened, so that a referee can decide.")


class EvidenceAnswer(BaseModel):
    seq: Seq
    evidence: Evidence
