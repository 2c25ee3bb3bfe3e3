"""
Every operation keeps the promises of its OpenAPI document, whatever is sent to it and whoever sends it.

Requests are drawn from the document, legal and illegal ones; ids are drawn from tournaments, entries and matches in
every state, so that each operation also succeeds. Each request finds the same world: what it changed is rolled back.
"""

from dataclasses import dataclass

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from apps.api.api import api
from apps.tournaments.models import Entry, Match, Status, Tournament
from apps.tournaments.services import Actor, brackets, entries, matches, tournaments
from engine.match_flow import Score
from tests import factories
from tests.factories import PASSWORD
from tests.integration.api.client import sign_in

pytestmark = pytest.mark.django_db

EXAMPLES = 24
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
OPERATIONS = sorted(
    operation["operationId"]
    for operations in api.get_openapi_schema()["paths"].values()
    for operation in operations.values()
)


@dataclass
class World:
    """Ids and rooms that exist, and access tokens of people in every role; "" is a guest."""

    ids: dict[str, list]
    rooms: list[str]
    tokens: list[str]


@pytest.fixture
def world():
    ann = factories.make_user("ann", password=PASSWORD)
    admin = factories.make_user("admin2", password=PASSWORD, is_superuser=True)
    stranger = factories.make_user("stranger", password=PASSWORD)
    staff = Actor(admin)

    factories.make_tournament(admin)
    factories.publish(factories.make_tournament(admin))
    factories.open_with_entries(2, admin, capacity=2)
    check_in = factories.open_with_entries(1, admin, check_in=True)
    here = factories.enter(check_in, ann)
    entries.check_in(Actor(ann), here.pk)
    factories.enter(factories.open_with_entries(1, admin, check_in=True), ann)

    tournaments.cancel(staff, factories.make_tournament(admin).pk)
    for steps in range(4):
        cup = factories.open_registration(factories.make_tournament(admin))
        factories.enter(cup, ann)
        for _ in range(2):
            factories.enter(cup, factories.make_user())
        tournaments.close_registration(staff, cup.pk)
        brackets.generate(staff, cup.pk)
        # Seeds 2 and 3 meet; ann, the first seed, waits in the final.
        match, final = cup.matches.select_related("home", "away").order_by("number")
        if steps == 1:
            matches.start(staff, match.pk)
        elif steps > 1:
            matches.forfeit(staff, match.pk, loser="away") if match.state == "live" else matches.award_walkover(
                staff, match.pk, winner="home"
            )
            if steps == 3:
                final.refresh_from_db()
                matches.report(Actor(final.away.user), final.pk, Score(1, 2))

    tournament_ids = list(Tournament.objects.values_list("pk", flat=True))
    match_ids = list(Match.objects.values_list("pk", flat=True))
    assert set(Tournament.objects.values_list("status", flat=True)) >= {*Status} - {Status.COMPLETED}
    return World(
        ids={
            "tournament_id": [*tournament_ids, 10**18 - 1],
            "entry_id": [*Entry.objects.values_list("pk", flat=True), 10**18 - 1],
            "match_id": [*match_ids, 10**18 - 1],
            "username": ["ann", "stranger", "admin2", "nobody"],
        },
        rooms=[f"tournament:{tournament_ids[-1]}", f"match:{match_ids[0]}", f"tournament:{tournament_ids[0]}"],
        tokens=[*(sign_in(user)["access_token"] for user in (admin, ann, stranger)), "", "not-a-token"],
    )


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_the_operation_does_as_documented(operation_id, world):
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())
    operation = schema.find_operation_by_id(operation_id)
    succeeded = []

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def run(data):
        mode = data.draw(st.sampled_from([GenerationMode.POSITIVE, GenerationMode.POSITIVE, GenerationMode.NEGATIVE]))
        case = data.draw(operation.as_strategy(generation_mode=mode))
        for name, values in world.ids.items():
            if name in (case.path_parameters or {}) and mode is GenerationMode.POSITIVE:
                case.path_parameters[name] = data.draw(st.sampled_from(values))
        if operation_id == "issueRoomToken" and mode is GenerationMode.POSITIVE:
            case.body = {"room": data.draw(st.sampled_from(world.rooms))}
        token = data.draw(st.sampled_from(world.tokens))
        headers = {"Authorization": f"Bearer {token}"} if token else None
        with transaction.atomic():
            response = case.call(headers=headers)
            transaction.set_rollback(True)
        case.validate_response(response, checks=CHECKS)
        succeeded.append(200 <= response.status_code < 300)

    run()
    assert any(succeeded), "no request got through, so what a success answers was not looked at"
