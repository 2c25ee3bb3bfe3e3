"""Tournaments: list, create, edit, lead from draft to bracket."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from apps.api import schemas
from apps.api.auth import ANYBODY, person
from apps.api.pagination import page
from apps.api.params import IdempotencyKey, TournamentId, Window, actor
from apps.tournaments.models import EntryStatus, Role, Status, Tournament
from apps.tournaments.selectors import lists
from apps.tournaments.services import Done, brackets, entries, tournaments
from apps.tournaments.state import entry_fields, match_fields, stage_fields, tournament_fields

router = Router(tags=["tournaments"])
Answer = dict[str, Any]

NO_SEEDING = schemas.Seeding()


@router.get(
    "",
    auth=ANYBODY,
    response=schemas.TournamentPage,
    operation_id="listTournaments",
    summary="List tournaments, newest first",
    description="Drafts are seen by their staff alone.",
)
def list_tournaments(request: HttpRequest, window: Query[Window], status: Query[list[Status]] = []) -> Answer:  # noqa: B006 - ninja copies it
    found = lists.visible_tournaments(person(request), statuses=status)
    return page(found, window, _item)


@router.post(
    "",
    response={201: schemas.TournamentAnswer},
    operation_id="createTournament",
    summary="Create a tournament",
    description="A draft with one stage that nobody else sees; you are its organiser.",
)
def create(
    request: HttpRequest, response: HttpResponse, body: schemas.NewTournament, key: IdempotencyKey = None
) -> Answer:
    done = tournaments.create(actor(request, key), **body.model_dump(exclude_unset=True))
    response["Location"] = f"{request.path}/{done.ids['tournament_id']}"
    return tournament_answer(request, done)


@router.get(
    "/{row:tournament_id}",
    auth=ANYBODY,
    response=schemas.TournamentDetail,
    operation_id="getTournament",
    summary="One tournament, with its stages",
)
def get(request: HttpRequest, tournament_id: TournamentId) -> Answer:
    tournament, role = lists.tournament_for(person(request), tournament_id)
    return {
        **tournament_fields(tournament),
        "confirmed_count": tournament.entries.filter(status=EntryStatus.CONFIRMED).count(),
        "stages": [stage_fields(stage) for stage in tournament.stages.order_by("number")],
        "role": _name(role),
    }


@router.patch(
    "/{row:tournament_id}",
    response=schemas.TournamentAnswer,
    operation_id="editTournament",
    summary="Change settings",
    description="What shaped the bracket (capacity, check_in, third_place_match) stays once there is one.",
)
def edit(
    request: HttpRequest, tournament_id: TournamentId, body: schemas.TournamentChanges, key: IdempotencyKey = None
) -> Answer:
    changes = body.model_dump(exclude_unset=True)
    return tournament_answer(request, tournaments.edit(actor(request, key), tournament_id, **changes))


@router.post(
    "/{row:tournament_id}/publish",
    response=schemas.TournamentAnswer,
    operation_id="publishTournament",
    summary="Show a draft to everybody",
)
def publish(request: HttpRequest, tournament_id: TournamentId, key: IdempotencyKey = None) -> Answer:
    return tournament_answer(request, tournaments.publish(actor(request, key), tournament_id))


@router.post(
    "/{row:tournament_id}/open-registration",
    response=schemas.TournamentAnswer,
    operation_id="openRegistration",
    summary="Let people enter",
)
def open_registration(request: HttpRequest, tournament_id: TournamentId, key: IdempotencyKey = None) -> Answer:
    return tournament_answer(request, tournaments.open_registration(actor(request, key), tournament_id))


@router.post(
    "/{row:tournament_id}/close-registration",
    response=schemas.TournamentAnswer,
    operation_id="closeRegistration",
    summary="Let nobody else enter",
    description="The waitlist keeps its order, and still moves up when somebody withdraws.",
)
def close_registration(request: HttpRequest, tournament_id: TournamentId, key: IdempotencyKey = None) -> Answer:
    return tournament_answer(request, tournaments.close_registration(actor(request, key), tournament_id))


@router.post(
    "/{row:tournament_id}/cancel",
    response=schemas.TournamentAnswer,
    operation_id="cancelTournament",
    summary="Call a tournament off, for good",
)
def cancel(request: HttpRequest, tournament_id: TournamentId, key: IdempotencyKey = None) -> Answer:
    return tournament_answer(request, tournaments.cancel(actor(request, key), tournament_id))


@router.post(
    "/{row:tournament_id}/seeds",
    response=schemas.SeedsAnswer,
    operation_id="seedEntries",
    summary="Give seeds, by hand, by rating or at random",
    description="A draw can be repeated: the same `draw_seed` and the same entrants give the same seeds.",
)
def seed(
    request: HttpRequest,
    tournament_id: TournamentId,
    body: schemas.Seeding = NO_SEEDING,
    key: IdempotencyKey = None,
) -> Answer:
    done = entries.seed(
        actor(request, key), tournament_id, order=body.order, draw_seed=body.draw_seed, by_rating=body.by_rating
    )
    tournament = _tournament(request, done)
    return {**_seeds(tournament), "seq": done.seq}


@router.post(
    "/{row:tournament_id}/bracket",
    response=schemas.BracketAnswer,
    operation_id="generateBracket",
    summary="Draw the next stage",
    description=(
        "The first is drawn of the confirmed entrants, by seed, then by registration; where the tournament checks in, "
        "who did not is dealt with as its `no_show_rule` says. A later one is drawn of those who qualified. "
        "Can be repeated until the stage's first match has begun; the earlier draw is replaced."
    ),
)
def bracket(request: HttpRequest, tournament_id: TournamentId, key: IdempotencyKey = None) -> Answer:
    return bracket_answer(request, brackets.generate(actor(request, key), tournament_id))


def bracket_answer(request: HttpRequest, done: Done) -> Answer:
    tournament = _tournament(request, done)
    matches = tournament.matches.order_by("stage", "number")
    return {**_seeds(tournament), "matches": [match_fields(match) for match in matches], "seq": done.seq}


def tournament_answer(request: HttpRequest, done: Done) -> Answer:
    return {"seq": done.seq, "tournament": tournament_fields(_tournament(request, done))}


def _item(row: Tournament) -> Answer:
    counted = row.confirmed_count  # type: ignore[attr-defined] # annotated by the selector
    return {**tournament_fields(row), "confirmed_count": counted}


def _seeds(tournament: Tournament) -> Answer:
    seeded = lists.entries_of(tournament, statuses=[EntryStatus.CONFIRMED])
    return {"tournament": tournament_fields(tournament), "entries": [entry_fields(entry) for entry in seeded]}


def _tournament(request: HttpRequest, done: Done) -> Tournament:
    return lists.tournament_for(person(request), done.ids["tournament_id"])[0]


def _name(role: Role) -> str:
    return role.name.lower()
