"""The state of a tournament and its log, as the WebSocket sends them, for whoever prefers to ask."""

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import BaseModel, Field

from apps.api import schemas
from apps.api.auth import ANYBODY, person
from apps.api.params import TournamentId
from apps.api.schemas.common import MAX_SAFE_INTEGER
from apps.eventlog import log
from apps.eventlog.log import PUBLIC
from apps.tournaments.permissions import audience_of
from apps.tournaments.selectors.history import parse_moment, tournament_snapshot_at
from apps.tournaments.selectors.lists import tournament_for
from apps.tournaments.selectors.snapshots import tournament_snapshot

router = Router(tags=["live state"])


class After(BaseModel):
    after: int = Field(0, ge=0, le=MAX_SAFE_INTEGER, description="The seq that you have.")
    limit: int = Field(200, ge=1, le=1000, description="How many at most.")


class Moment(BaseModel):
    at: str = Field(
        "",
        max_length=40,
        description="A moment of the past: a seq, or a time with its zone. Without it, the present.",
        examples=["41", "2026-11-22T14:05:00Z"],
    )


@router.get(
    "/{row:tournament_id}/snapshot",
    auth=ANYBODY,
    response=schemas.Snapshot,
    operation_id="getSnapshot",
    summary="The whole state of a tournament, and its position in the log",
    description="Now, or after any event of its past. Moments at which it was a draft are for its staff.",
)
def snapshot(request: HttpRequest, tournament_id: TournamentId, moment: Query[Moment]) -> HttpResponse:
    _, role = tournament_for(person(request), tournament_id)
    audience = audience_of(role)
    if moment.at:
        taken = tournament_snapshot_at(tournament_id, parse_moment(moment.at), audience=audience)
    else:
        taken = tournament_snapshot(tournament_id, audience=audience)
    return _json({"epoch": taken.position.epoch, "seq": taken.position.seq, "data": taken.data})


@router.get(
    "/{row:tournament_id}/events",
    auth=ANYBODY,
    response=schemas.EventPage,
    operation_id="listEvents",
    summary="What happened after a position, in order",
    description=(
        "`snapshot` plus the events after its `seq` is the present state. Numbers that are missing are events that "
        "only the staff may see."
    ),
)
def events(request: HttpRequest, tournament_id: TournamentId, window: Query[After]) -> HttpResponse:
    tournament, role = tournament_for(person(request), tournament_id)
    audiences = {PUBLIC, audience_of(role)}
    # One more than asked for tells whether there are more. Read before the position, which is then never older.
    found = log.read(tournament.stream, after=window.after, limit=window.limit + 1, audiences=audiences)
    position = log.positions([tournament.stream])[tournament.stream]
    shown = found[: window.limit]
    seqs = [window.after, *(event.seq for event in shown)]
    return _json(
        {
            "epoch": position.epoch,
            "head": position.seq,
            "more": len(found) > len(shown),
            "events": [
                {
                    "type": event.type,
                    "seq": event.seq,
                    "prev": prev,
                    "at": event.at,
                    "subject": event.subject,
                    "data": event.data,
                }
                for prev, event in zip(seqs, shown, strict=False)
            ],
        }
    )


def _json(body: object) -> HttpResponse:
    """Answer as it is: states and events are written by one place, and are too large to be checked again here."""
    return HttpResponse(msgspec.json.encode(body), content_type="application/json")
