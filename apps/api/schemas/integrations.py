"""Where a tournament's events are delivered to."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from apps.api.schemas.common import ABSENT, MAX_SAFE_INTEGER, Input, Page, ShortText, Time

KindName = Literal["webhook", "discord"]
EventName = Annotated[str, StringConstraints(max_length=40, pattern=r"^[a-z_]+$")]
Types = Annotated[list[EventName], Field(max_length=100)]
Url = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[!-~]*$")]


class NewIntegration(Input):
    kind: KindName = "webhook"
    url: Url = Field(
        description="https; for Discord what “Copy webhook URL” gives.", examples=["https://bot.example.org/"]
    )
    name: ShortText = Field("", description="What you call it; else its host.")
    types: Types = Field([], description="The events to deliver; none: every public one, or all that Discord is told.")


class IntegrationChanges(Input):
    """What is absent stays as it is."""

    name: ShortText = ABSENT
    types: Types = ABSENT
    active: bool = ABSENT


class ReplayRequest(Input):
    first: int = Field(ge=1, le=MAX_SAFE_INTEGER, description="The seq of the first event to deliver again.")


class Integration(BaseModel):
    id: int
    tournament: int
    kind: KindName
    name: str
    host: str = Field(description="All that is shown of the address, the rest of which may be secret.")
    types: list[str]
    active: bool
    off_reason: str = Field(description="Why the site has switched it off; empty when an organiser did.")
    cursor: int = Field(description="The seq up to which everything has been delivered.")
    failures: int = Field(description="Attempts that failed since the last that did not.")
    error: str = Field(description="What went wrong with the latest attempt.")
    next_attempt_at: Time | None = Field(description="When what failed is tried again.")
    created_at: Time
    created_by: str | None


class IntegrationPage(Page[Integration]):
    pass


class IntegrationAnswer(BaseModel):
    integration: Integration


class NewIntegrationAnswer(BaseModel):
    integration: Integration
    secret: str = Field(description="Checks signatures. Shown now and never again; empty for Discord.")


class Attempt(BaseModel):
    seq: int
    type: str
    number: int = Field(description="The how manieth for this event.")
    at: Time
    status: int | None = Field(description="Of the answer; null when there was none.")
    milliseconds: int
    error: str


class AttemptPage(Page[Attempt]):
    pass
