"""Entries: register, wait, get in, withdraw, check in."""

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router

from apps.api import schemas
from apps.api.auth import ANYBODY, person
from apps.api.pagination import page
from apps.api.params import EntryId, IdempotencyKey, TournamentId, Window, actor
from apps.tournaments import permissions
from apps.tournaments.models import Entry, EntryStatus
from apps.tournaments.selectors import lists
from apps.tournaments.services import Done, admission, entries, reinstating, rosters, waitlist
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
    description=(
        "Or a team, with those who play. On the waitlist when the places are taken, pending where an organiser "
        "decides; see `status`. Late entry is possible where the tournament allows it, while a Swiss stage goes on."
    ),
)
def register(
    request: HttpRequest,
    tournament_id: TournamentId,
    body: schemas.Registration = NO_NAME,
    key: IdempotencyKey = None,
) -> Answer:
    done = entries.register(
        actor(request, key), tournament_id, name=body.name, code=body.code, team_id=body.team, roster=body.roster
    )
    return _answer(done)


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


@router.get(
    "/tournaments/{row:tournament_id}/invite-code",
    response=schemas.InviteCode,
    operation_id="getInviteCode",
    summary="What opens the tournament, for its organisers",
    description="It is in no other answer. A new one is made when it is changed to nothing.",
)
def invite_code(request: HttpRequest, tournament_id: TournamentId) -> Answer:
    tournament, role = lists.tournament_for(person(request), tournament_id)
    permissions.require("edit_tournament", person(request), role)
    return {"entry_rule": tournament.entry_rule, "invite_code": tournament.invite_code}


@router.patch(
    "/entries/{row:entry_id}",
    response=schemas.EntryAnswer,
    operation_id="updateEntry",
    summary="Give an entrant another name",
)
def update(request: HttpRequest, entry_id: EntryId, body: schemas.EntryChanges, key: IdempotencyKey = None) -> Answer:
    return _answer(entries.update(actor(request, key), entry_id, name=body.name))


@router.put(
    "/entries/{row:entry_id}/roster",
    response=schemas.EntryAnswer,
    operation_id="updateRoster",
    summary="Choose who plays for a team",
    description="Until the bracket is drawn.",
)
def update_roster(request: HttpRequest, entry_id: EntryId, body: schemas.Roster, key: IdempotencyKey = None) -> Answer:
    return _answer(rosters.update(actor(request, key), entry_id, players=body.players))


@router.post(
    "/entries/{row:entry_id}/approve",
    response=schemas.EntryAnswer,
    operation_id="approveEntry",
    summary="Let an entrant in",
    description=(
        "Who waits for approval, or was declined, disqualified or late. On the waitlist when the places are taken."
    ),
)
def approve(request: HttpRequest, entry_id: EntryId, key: IdempotencyKey = None) -> Answer:
    return _answer(admission.approve(actor(request, key), entry_id))


@router.post(
    "/entries/{row:entry_id}/decline",
    response=schemas.EntryAnswer,
    operation_id="declineEntry",
    summary="Turn down an entrant who waits for approval",
)
def decline(request: HttpRequest, entry_id: EntryId, key: IdempotencyKey = None) -> Answer:
    return _answer(admission.decline(actor(request, key), entry_id))


@router.post(
    "/entries/{row:entry_id}/claim",
    response=schemas.EntryAnswer,
    operation_id="claimPlace",
    summary="Take the place that is held for an entrant",
    description="Until `claim_by`; then it goes to the next on the waitlist. To decline it, withdraw.",
)
def claim(request: HttpRequest, entry_id: EntryId, key: IdempotencyKey = None) -> Answer:
    return _answer(waitlist.claim(actor(request, key), entry_id))


@router.post(
    "/entries/{row:entry_id}/disqualify",
    response=schemas.EntryAnswer,
    operation_id="disqualifyEntry",
    summary="Rule that an entrant may not go on",
    description="As withdrawing; in a round robin none of their results count any more.",
)
def disqualify(request: HttpRequest, entry_id: EntryId, key: IdempotencyKey = None) -> Answer:
    return _answer(entries.disqualify(actor(request, key), entry_id))


@router.post(
    "/entries/{row:entry_id}/reinstate",
    response=schemas.EntryAnswer,
    operation_id="reinstateEntry",
    summary="Take it back that an entrant was disqualified or withdrew",
    description="What was decided because of it is open again. Possible as long as nothing was built on it.",
)
def reinstate(request: HttpRequest, entry_id: EntryId, key: IdempotencyKey = None) -> Answer:
    return _answer(reinstating.reinstate(actor(request, key), entry_id))


@router.post(
    "/entries/{row:entry_id}/withdraw",
    response=schemas.EntryAnswer,
    operation_id="withdraw",
    summary="Leave the tournament",
    description=(
        "Before the bracket is made, the first on the waitlist takes the place, or has it held. After, the opponent of "
        "the present match and of the next one walks over."
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
