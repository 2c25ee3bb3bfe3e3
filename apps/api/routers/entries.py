"""Entries: register, withdraw, check in."""

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router

from apps.api import schemas
from apps.api.auth import ANYBODY, person
from apps.api.pagination import page
from apps.api.params import EntryId, IdempotencyKey, TournamentId, Window, actor
from apps.tournaments.models import Entry, EntryStatus
from apps.tournaments.selectors import lists
from apps.tournaments.services import Done, entries
from apps.tournaments.state import entry_fields

router = Router(tags=["entries"])
Answer = dict[str, Any]

NO_NAME = schemas.Registration()


@router.get(
    "/tournaments/{row:tournament_id}/entries",
    auth=ANYBODY,
    response=schemas.EntryPage,
    operation_id="listEntries",
    summary="Who takes part, by seed, then by registration",
)
def list_entries(
    request: HttpRequest,
    tournament_id: TournamentId,
    window: Query[Window],
    status: Query[list[EntryStatus]] = [],  # noqa: B006 - ninja copies it
) -> Answer:
    tournament, _ = lists.tournament_for(person(request), tournament_id)
    return page(lists.entries_of(tournament, statuses=status), window, entry_fields)


@router.post(
    "/tournaments/{row:tournament_id}/entries",
    response={201: schemas.EntryAnswer},
    operation_id="register",
    summary="Register yourself",
    description="On the waitlist when the places are taken; see `status`.",
)
def register(
    request: HttpRequest,
    tournament_id: TournamentId,
    body: schemas.Registration = NO_NAME,
    key: IdempotencyKey = None,
) -> Answer:
    return _answer(entries.register(actor(request, key), tournament_id, name=body.name))


@router.post(
    "/tournaments/{row:tournament_id}/entries/by-name",
    response={201: schemas.EntryAnswer},
    operation_id="addEntry",
    summary="Enter somebody who has no account",
    description="As an organiser; the staff acts for them.",
)
def add(
    request: HttpRequest, tournament_id: TournamentId, body: schemas.NewEntry, key: IdempotencyKey = None
) -> Answer:
    return _answer(entries.add(actor(request, key), tournament_id, name=body.name))


@router.post(
    "/entries/{row:entry_id}/withdraw",
    response=schemas.EntryAnswer,
    operation_id="withdraw",
    summary="Leave the tournament",
    description=(
        "Before the bracket is made, the first on the waitlist takes the place. After, the opponent of the present "
        "match and of the next one walks over."
    ),
)
def withdraw(request: HttpRequest, entry_id: EntryId, key: IdempotencyKey = None) -> Answer:
    return _answer(entries.withdraw(actor(request, key), entry_id))


@router.put(
    "/entries/{row:entry_id}/check-in",
    response=schemas.EntryAnswer,
    operation_id="checkIn",
    summary="Say that an entrant is here",
)
def check_in(request: HttpRequest, entry_id: EntryId, key: IdempotencyKey = None) -> Answer:
    return _answer(entries.check_in(actor(request, key), entry_id))


@router.delete(
    "/entries/{row:entry_id}/check-in",
    response=schemas.EntryAnswer,
    operation_id="revertCheckIn",
    summary="Take a check-in back",
)
def revert_check_in(request: HttpRequest, entry_id: EntryId, key: IdempotencyKey = None) -> Answer:
    return _answer(entries.revert_check_in(actor(request, key), entry_id))


def _answer(done: Done) -> Answer:
    return {"seq": done.seq, "entry": entry_fields(Entry.objects.get(pk=done.ids["entry_id"]))}
