"""Pick and ban before a match. How it stands is part of the match."""

from typing import Any

from django.http import HttpRequest
from ninja import Router

from apps.api import schemas
from apps.api.params import IdempotencyKey, MatchId, actor
from apps.tournaments.models import Match
from apps.tournaments.services import Done, veto
from apps.tournaments.state import match_fields

router = Router(tags=["matches"])
Answer = dict[str, Any]

ANY_VERSION = schemas.OnMatch()


@router.post(
    "/matches/{row:match_id}/veto/start",
    response=schemas.MatchAnswer,
    operation_id="startVeto",
    summary="Begin to settle what the games are played on",
    description="As a player of the match or a referee, once both entrants are here; the stage's `veto` says how.",
)
def start(
    request: HttpRequest, match_id: MatchId, body: schemas.OnMatch = ANY_VERSION, key: IdempotencyKey = None
) -> Answer:
    return _answer(veto.start(actor(request, key), match_id, expected_version=body.expected_version))


@router.post(
    "/matches/{row:match_id}/veto/move",
    response=schemas.MatchAnswer,
    operation_id="vetoMove",
    summary="Ban, pick, call the coin or choose a side",
    description="For your own side when it is its turn, as a referee for either. `conflict` names what is `possible`.",
)
def move(request: HttpRequest, match_id: MatchId, body: schemas.WithOption, key: IdempotencyKey = None) -> Answer:
    version = body.expected_version
    return _answer(veto.move(actor(request, key), match_id, body.option, expected_version=version))


@router.post(
    "/matches/{row:match_id}/veto/reset",
    response=schemas.MatchAnswer,
    operation_id="resetVeto",
    summary="Take a veto back, so that it can begin anew",
    description="As a referee.",
)
def reset(
    request: HttpRequest, match_id: MatchId, body: schemas.OnMatch = ANY_VERSION, key: IdempotencyKey = None
) -> Answer:
    return _answer(veto.reset(actor(request, key), match_id, expected_version=body.expected_version))


def _answer(done: Done) -> Answer:
    return {"seq": done.seq, "match": match_fields(Match.objects.get(pk=done.ids["match_id"]))}
