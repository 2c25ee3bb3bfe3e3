"""What is shown on stream: which match, and by which addresses."""

from typing import Any

from django.http import HttpRequest
from ninja import Router

from apps.api import schemas
from apps.api.auth import person
from apps.api.params import IdempotencyKey, TournamentId, actor
from apps.api.routers.tournaments import tournament_answer
from apps.tournaments import permissions
from apps.tournaments.selectors import lists
from apps.tournaments.selectors.overlays import addresses_of
from apps.tournaments.services import on_stream

router = Router(tags=["overlays"])
Answer = dict[str, Any]


@router.put(
    "/tournaments/{row:tournament_id}/on-stream",
    response=schemas.TournamentAnswer,
    operation_id="setOnStream",
    summary="Show a match on stream, or none",
    description="As a referee. The overlays follow it. It stays when it is over, until the next one is chosen.",
)
def set_on_stream(
    request: HttpRequest, tournament_id: TournamentId, body: schemas.OnStream, key: IdempotencyKey = None
) -> Answer:
    done = on_stream.set_on_stream(actor(request, key), tournament_id, match_id=body.match)
    return tournament_answer(request, done)


@router.get(
    "/tournaments/{row:tournament_id}/overlays",
    response=schemas.Overlays,
    operation_id="listOverlays",
    summary="The addresses of the overlays",
    description="As a referee. Whoever has one sees it, of a draft too. What can be added: docs/overlays.md.",
)
def list_overlays(request: HttpRequest, tournament_id: TournamentId) -> Answer:
    tournament, role = lists.tournament_for(person(request), tournament_id)
    permissions.require("set_on_stream", person(request), role, tournament_id=tournament_id)
    return {"addresses": addresses_of(tournament)}


@router.post(
    "/tournaments/{row:tournament_id}/overlays/renew",
    response=schemas.OverlaysAnswer,
    operation_id="renewOverlays",
    summary="End the addresses of the overlays so far",
    description="As an organiser.",
)
def renew(request: HttpRequest, tournament_id: TournamentId, key: IdempotencyKey = None) -> Answer:
    done = on_stream.renew_overlays(actor(request, key), tournament_id)
    tournament, _ = lists.tournament_for(person(request), tournament_id)
    return {"addresses": addresses_of(tournament), "seq": done.seq}
