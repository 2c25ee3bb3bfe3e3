"""Where a tournament's events are delivered to. For its organisers; docs/integrations.md is for who receives them."""

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Status

from apps.api import schemas
from apps.api.auth import person
from apps.api.pagination import page
from apps.api.params import IntegrationId, TournamentId, Window, actor
from apps.integrations import services
from apps.integrations.selectors import (
    attempt_fields,
    attempts_of,
    endpoint_fields,
    endpoint_for,
    endpoints_of,
)

router = Router(tags=["integrations"])
Answer = dict[str, Any]


@router.get(
    "/tournaments/{row:tournament_id}/integrations",
    response=schemas.IntegrationPage,
    operation_id="listIntegrations",
    summary="Webhooks and channels of a tournament, for its organisers",
)
def list_integrations(request: HttpRequest, tournament_id: TournamentId, window: Query[Window]) -> Answer:
    _, found = endpoints_of(person(request), tournament_id)
    return page(found, window, endpoint_fields)


@router.post(
    "/tournaments/{row:tournament_id}/integrations",
    response={201: schemas.NewIntegrationAnswer},
    operation_id="addIntegration",
    summary="Have events delivered to an address, from now on",
    description="At most ten. A webhook gets every public event, signed; a channel of Discord some of them, in words.",
)
def add(request: HttpRequest, tournament_id: TournamentId, body: schemas.NewIntegration) -> Answer:
    made = services.add(actor(request, None), tournament_id, **body.model_dump())
    return {"integration": endpoint_fields(made.endpoint), "secret": made.secret}


@router.get(
    "/integrations/{row:integration_id}",
    response=schemas.Integration,
    operation_id="getIntegration",
    summary="One of them, and how deliveries go",
)
def get(request: HttpRequest, integration_id: IntegrationId) -> Answer:
    return endpoint_fields(endpoint_for(person(request), integration_id))


@router.patch(
    "/integrations/{row:integration_id}",
    response=schemas.IntegrationAnswer,
    operation_id="editIntegration",
    summary="Rename it, choose other events, switch it off or on",
    description="A webhook that is switched on again gets everything that it missed.",
)
def edit(request: HttpRequest, integration_id: IntegrationId, body: schemas.IntegrationChanges) -> Answer:
    services.edit(actor(request, None), integration_id, **body.model_dump(exclude_unset=True))
    return _answer(request, integration_id)


@router.delete(
    "/integrations/{row:integration_id}",
    response={204: None},
    operation_id="removeIntegration",
    summary="Deliver nothing there any more",
)
def remove(request: HttpRequest, integration_id: IntegrationId) -> Status[None]:
    services.remove(actor(request, None), integration_id)
    return Status(204, None)


@router.post(
    "/integrations/{row:integration_id}/test",
    response=schemas.IntegrationAnswer,
    operation_id="testIntegration",
    summary="Send a test",
    description="What came of it is among the attempts, seconds later. A webhook gets the type `test`.",
)
def test(request: HttpRequest, integration_id: IntegrationId) -> Answer:
    services.test(actor(request, None), integration_id)
    return _answer(request, integration_id)


@router.post(
    "/integrations/{row:integration_id}/replay",
    response=schemas.IntegrationAnswer,
    operation_id="replayIntegration",
    summary="Deliver the events from a seq on once more",
    description="Under the ids that they had. Not to channels for people.",
)
def replay(request: HttpRequest, integration_id: IntegrationId, body: schemas.ReplayRequest) -> Answer:
    services.replay(actor(request, None), integration_id, first=body.first)
    return _answer(request, integration_id)


@router.get(
    "/integrations/{row:integration_id}/attempts",
    response=schemas.AttemptPage,
    operation_id="listAttempts",
    summary="The last hundred attempts to deliver, the latest first",
)
def attempts(request: HttpRequest, integration_id: IntegrationId, window: Query[Window]) -> Answer:
    return page(attempts_of(endpoint_for(person(request), integration_id)), window, attempt_fields)


def _answer(request: HttpRequest, integration_id: int) -> Answer:
    return {"integration": endpoint_fields(endpoint_for(person(request), integration_id))}
