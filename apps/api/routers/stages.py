"""Stages: add, change and remove them, pair their rounds, see how everybody stands."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from apps.api import schemas
from apps.api.auth import ANYBODY, person
from apps.api.details import standings_detail
from apps.api.params import IdempotencyKey, StageId, TournamentId, actor
from apps.api.routers.tournaments import bracket_answer
from apps.tournaments.models import Stage
from apps.tournaments.selectors import lists
from apps.tournaments.services import Done, brackets, stages
from apps.tournaments.state import stage_fields

router = Router(tags=["stages"])
Answer = dict[str, Any]

THE_NEXT = schemas.Again()


@router.post(
    "/tournaments/{row:tournament_id}/stages",
    response={201: schemas.StageAnswer},
    operation_id="addStage",
    summary="Let the tournament go on with another stage",
    description="As an organiser. It is drawn when the one before is over, of those who qualified.",
)
def add(
    request: HttpRequest,
    response: HttpResponse,
    tournament_id: TournamentId,
    body: schemas.NewStage,
    key: IdempotencyKey = None,
) -> Answer:
    done = stages.add(actor(request, key), tournament_id, **body.model_dump(exclude_unset=True))
    response["Location"] = f"/api/v1/stages/{done.ids['stage_id']}"
    return _answer(request, done)


@router.get(
    "/stages/{row:stage_id}",
    auth=ANYBODY,
    response=schemas.Stage,
    operation_id="getStage",
    summary="How a stage is played",
)
def get(request: HttpRequest, stage_id: StageId) -> Answer:
    return stage_fields(lists.stage_for(person(request), stage_id)[0])


@router.patch(
    "/stages/{row:stage_id}",
    response=schemas.StageAnswer,
    operation_id="editStage",
    summary="Change how a stage is played",
    description=(
        "As an organiser. Once it is drawn, the name stays open to change, and until it is over `tie_breaks`, "
        "`rule_year`, `advance` and `advance_rest`."
    ),
)
def edit(request: HttpRequest, stage_id: StageId, body: schemas.StageChanges, key: IdempotencyKey = None) -> Answer:
    return _answer(request, stages.edit(actor(request, key), stage_id, **body.model_dump(exclude_unset=True)))


@router.delete(
    "/stages/{row:stage_id}",
    response=schemas.RemovalAnswer,
    operation_id="removeStage",
    summary="Take the last stage away",
    description="As an organiser, while it has not been drawn and is not the only one.",
)
def remove(request: HttpRequest, stage_id: StageId, key: IdempotencyKey = None) -> Answer:
    return {"seq": stages.remove(actor(request, key), stage_id).seq}


@router.get(
    "/stages/{row:stage_id}/standings",
    auth=ANYBODY,
    response=schemas.Standings,
    operation_id="getStandings",
    summary="How everybody stands, with the reason of each separation",
    description="A table for each group, best first. A bracket has ranks when it is over.",
)
def standings(request: HttpRequest, stage_id: StageId) -> Answer:
    return standings_detail(lists.stage_for(person(request), stage_id)[0])


@router.post(
    "/tournaments/{row:tournament_id}/pair-round",
    response=schemas.BracketAnswer,
    operation_id="pairRound",
    summary="Pair the next round of the Swiss stage",
    description="As an organiser, once the present round is over; or pair the present one `again`.",
)
def pair_round(
    request: HttpRequest, tournament_id: TournamentId, body: schemas.Again = THE_NEXT, key: IdempotencyKey = None
) -> Answer:
    return bracket_answer(request, brackets.pair(actor(request, key), tournament_id, again=body.again))


def _answer(request: HttpRequest, done: Done) -> Answer:
    stage: Stage = lists.stage_for(person(request), done.ids["stage_id"])[0]
    return {"seq": done.seq, "stage": stage_fields(stage)}
