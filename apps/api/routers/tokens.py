"""What a person gives to programs: API tokens, and the address of their calendar. No token can give any of it."""

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Status

from apps.accounts import api_tokens
from apps.accounts.models import ApiToken
from apps.api import schemas
from apps.api.auth import IN_PERSON, user
from apps.api.pagination import page
from apps.api.params import TokenId, Window
from apps.eventlog.log import iso
from apps.integrations import calendars, tokens

router = Router(tags=["me"], auth=IN_PERSON)
Answer = dict[str, Any]


@router.get(
    "/tokens", response=schemas.ApiTokenPage, operation_id="listTokens", summary="Your API tokens, newest first"
)
def list_tokens(request: HttpRequest, window: Query[Window]) -> Answer:
    return page(api_tokens.of(user(request)), window, _fields)


@router.post(
    "/tokens",
    response={201: schemas.NewApiTokenAnswer},
    operation_id="createToken",
    summary="Make a token for a program of yours",
    description="It outlives a new password, and ends when you revoke it.",
)
def create(request: HttpRequest, body: schemas.NewApiToken) -> Answer:
    row, token = tokens.create(user(request), **body.model_dump())
    return {"api_token": _fields(row), "token": token}


@router.delete(
    "/tokens/{row:token_id}",
    response={204: None},
    operation_id="revokeToken",
    summary="Revoke a token, at once",
)
def revoke(request: HttpRequest, token_id: TokenId) -> Status[None]:
    api_tokens.revoke(user(request), token_id)
    return Status(204, None)


@router.post(
    "/calendar",
    response=schemas.NewCalendarAnswer,
    operation_id="createCalendar",
    summary="Get a secret address for a calendar of your matches; the one before ends",
)
def create_calendar(request: HttpRequest) -> Answer:
    token = calendars.new_token(user(request))
    return {"url": request.build_absolute_uri(calendars.path_of(token))}


@router.delete("/calendar", response={204: None}, operation_id="endCalendar", summary="End the calendar's address")
def end_calendar(request: HttpRequest) -> Status[None]:
    calendars.end(user(request))
    return Status(204, None)


def _fields(row: ApiToken) -> Answer:
    return {
        "id": row.pk,
        "name": row.name,
        "ending": row.ending,
        "scopes": row.scopes,
        "tournament": row.tournament,
        "created_at": iso(row.created_at),
        "expires_at": row.expires_at and iso(row.expires_at),
        "used_at": row.used_at and iso(row.used_at),
    }
