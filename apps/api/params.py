"""Parameters that many operations share: ids in paths, the key of a retry, the window of a list."""

from django.http import HttpRequest
from django.urls import register_converter
from ninja import HeaderEx, P, PathEx
from pydantic import BaseModel, Field

from apps.api.auth import person
from apps.tournaments.services import Actor

MAX_ROW_ID = 10**18 - 1


class RowIdConverter:
    """An id as it stands in addresses and names of rooms: no sign, no leading zero, ASCII, and it fits a database."""

    regex = "[1-9][0-9]{0,17}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


register_converter(RowIdConverter, "row")

TournamentId = PathEx[int, P(ge=1, le=MAX_ROW_ID, description="The tournament.")]
EntryId = PathEx[int, P(ge=1, le=MAX_ROW_ID, description="The entry.")]
TeamId = PathEx[int, P(ge=1, le=MAX_ROW_ID, description="The team.")]
MatchId = PathEx[int, P(ge=1, le=MAX_ROW_ID, description="The match.")]
StationId = PathEx[int, P(ge=1, le=MAX_ROW_ID, description="The station.")]
StageId = PathEx[int, P(ge=1, le=MAX_ROW_ID, description="The stage.")]
ReopeningId = PathEx[int, P(ge=1, le=MAX_ROW_ID, description="The reopening.")]
EvidenceId = PathEx[int, P(ge=1, le=MAX_ROW_ID, description="The piece of evidence.")]
IntegrationId = PathEx[int, P(ge=1, le=MAX_ROW_ID, description="The integration.")]
NoticeId = PathEx[int, P(ge=1, le=MAX_ROW_ID, description="The announcement, by its number in the tournament.")]
StaffLinkId = PathEx[int, P(ge=1, le=MAX_ROW_ID, description="The invitation to the staff.")]
TokenId = PathEx[int, P(ge=1, le=MAX_ROW_ID, description="The API token.")]
ReportId = PathEx[int, P(ge=1, le=MAX_ROW_ID, description="The report.")]
Username = PathEx[str, P(min_length=1, max_length=150, pattern=r"^[A-Za-z0-9._-]+$", description="A user name.")]

IdempotencyKey = HeaderEx[
    str | None,
    P(
        alias="Idempotency-Key",
        min_length=1,
        max_length=64,
        pattern=r"^[A-Za-z0-9._:-]+$",
        description="Chosen by the client. The same request sent again under the same key has no second effect and "
        "gets the same `seq`.",
    ),
]


class Window(BaseModel):
    limit: int = Field(50, ge=1, le=200, description="How many at most.")
    offset: int = Field(0, ge=0, le=1_000_000, description="How many to skip.")


def actor(request: HttpRequest, key: str | None) -> Actor:
    """Return who gives a command, under the key that the client chose for it."""
    return Actor(person(request), key or "")
