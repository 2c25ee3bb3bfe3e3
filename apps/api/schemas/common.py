"""
What the schemas of the API are built from.

An `Input` is strict: unknown fields are refused, a number is not a string, and text is bounded. The services decide
what a value means; a schema only keeps out what could not mean anything.
"""

from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from apps.tournaments.models import Status
from engine.text import gettext_noop as _

T = TypeVar("T")

MAX_SAFE_INTEGER = 2**53 - 1  # the largest that JavaScript reads exactly


def _no_nul(at_most: int) -> StringConstraints:
    return StringConstraints(max_length=at_most, pattern=r"^[^\x00]*$")


ShortText = Annotated[str, _no_nul(60)]
Line = Annotated[str, _no_nul(150)]
LongText = Annotated[str, _no_nul(2000)]
Text = Annotated[str, _no_nul(4000)]
RowId = Annotated[int, Field(ge=1, le=MAX_SAFE_INTEGER)]
Points = Annotated[int, Field(ge=0, le=999)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1, description="Refuse if the match has changed since this version.")]
Seq = Annotated[int, Field(description="The position in the tournament's log at which the command took effect.")]
Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


def _with_zone(value: object) -> datetime | None:
    if value is None:
        return None
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        kind, message = "time", _("A time is written with its zone, for example 2026-11-22T18:00:00Z")
        raise PydanticCustomError(kind, message)
    return time


TimeWithZone = Annotated[datetime | None, BeforeValidator(_with_zone)]


# The default of a field that a change may leave out; None itself is refused unless the type allows it.
ABSENT: Any = Field(default=None)


class Input(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class Page(BaseModel, Generic[T]):
    items: list[T]
    count: int = Field(description="How many there are in all.")


class TournamentRef(BaseModel):
    id: int
    name: str
    status: Status
