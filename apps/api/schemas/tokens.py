"""Tokens for programs, and the address of a calendar."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from apps.api.schemas.common import Input, Page, RowId, ShortText, Time, TimeWithZone

ScopeName = Literal["read", "play", "referee", "organise"]


class NewApiToken(Input):
    name: ShortText = Field(description="What you call it, for example after the program that gets it.")
    scopes: Annotated[list[ScopeName], Field(max_length=10)] = Field(
        [],
        description="`read`: what everybody sees, and your own matches and entries; every token has it. `play`: enter, "
        "check in, report. `referee`, `organise`: what you may do as such. Never more than you may do yourself.",
    )
    tournament: RowId | None = Field(None, description="The only tournament in which it counts.")
    expires_at: TimeWithZone = None


class ApiToken(BaseModel):
    id: int
    name: str
    ending: str = Field(description="The last characters of the token.")
    scopes: list[ScopeName]
    tournament: int | None
    created_at: Time
    expires_at: Time | None
    used_at: Time | None = Field(description="To the minute.")


class ApiTokenPage(Page[ApiToken]):
    pass


class NewApiTokenAnswer(BaseModel):
    api_token: ApiToken
    token: str = Field(description="To be sent as `Authorization: Bearer <token>`. Shown now and never again.")


class NewCalendarAnswer(BaseModel):
    url: str = Field(description="To subscribe to. Whoever has it sees your matches. Shown now and never again.")
