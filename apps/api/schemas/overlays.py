"""The match on stream, and the addresses of overlays."""

from pydantic import BaseModel, Field

from apps.api.schemas.common import Input, RowId, Seq


class OnStream(Input):
    match: RowId | None = Field(description="null: none.")


class Overlays(BaseModel):
    addresses: dict[str, str] = Field(description="The path of each overlay on this site, with the key that opens it.")


class OverlaysAnswer(Overlays):
    seq: Seq
