"""Tokens for WebSocket rooms."""

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from apps.api.schemas.common import Input

RoomName = Annotated[str, StringConstraints(max_length=32, pattern=r"^(tournament|match):[1-9][0-9]{0,17}$")]


class RoomRequest(Input):
    room: RoomName = Field(examples=["tournament:7", "match:5"])


class RoomToken(BaseModel):
    token: str
    expires_in: int = Field(description="Seconds.")
    room: str
