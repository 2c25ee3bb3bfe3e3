"""Tokens that open a WebSocket room."""

from typing import Any

from django.http import HttpRequest
from ninja import Router

from apps.accounts.tokens import issue_room_token
from apps.api import schemas
from apps.api.auth import ANYBODY_WITHOUT_CSRF, person, signed_in
from apps.tournaments.selectors import lists

router = Router(tags=["live state"])


@router.post(
    "/token",
    auth=ANYBODY_WITHOUT_CSRF,
    response=schemas.RoomToken,
    operation_id="issueRoomToken",
    summary="A short-lived token for one WebSocket room",
    description="For everybody: without signing in, it makes you a guest who watches. See docs/protocol.md.",
)
def token(request: HttpRequest, body: schemas.RoomRequest) -> dict[str, Any]:
    who = person(request)
    kind, _, row = body.room.partition(":")
    find = lists.tournament_for if kind == "tournament" else lists.match_for
    find(who, int(row))
    issued, lifetime = issue_room_token(body.room, signed_in(request))
    return {"token": issued, "expires_in": lifetime, "room": body.room}
