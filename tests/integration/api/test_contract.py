"""
Every operation keeps the promises of its OpenAPI document, whatever is sent to it and whoever sends it.

Requests are drawn from the document, legal and illegal ones; ids are drawn from tournaments, entries and matches in
every state, so that each operation also succeeds. Each request finds the same world: what it changed is rolled back.
"""

from dataclasses import dataclass
from itertools import product

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
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

from apps.accounts.models import ApiToken
from apps.api.api import api
from apps.integrations import services as integrations
from apps.integrations import tokens
from apps.integrations.models import Endpoint
from apps.tournaments.models import Entry, Match, Role, Status, Tournament
from apps.tournaments.services import Actor, brackets, entries, matches, tournaments
from engine.bracket import Side
from engine.match_flow import MatchState, Score
from tests import factories
from tests.factories import PASSWORD
from tests.integration.api.client import sign_in

pytestmark = pytest.mark.django_db

EXAMPLES = 20
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
SCORE = {"home_score": 2, "away_score": 1}
BODIES = {
    "createTournament": {"name": "Cup"},
    "editTournament": {"name": "Cup"},
    "addEntry": {"name": "New"},
    "addMember": {"role": "referee"},
    "updateScore": SCORE,
    "reportScore": SCORE,
    "awardWalkover": {"winner": "home"},
    "forfeitMatch": {"loser": "home"},
    "editProfile": {"first_name": "Ann"},
    "addIntegration": {"url": "https://bot.example.org/"},
    "editIntegration": {"active": False},
    "replayIntegration": {"first": 1},
    "createToken": {"name": "Bot", "scopes": ["play"]},
}
OPERATIONS = sorted(
    operation["operationId"]
    for operations in api.get_openapi_schema()["paths"].values()
    for operation in operations.values()
)


@dataclass
class World:
    """Ids that exist, and one that does not; access tokens of people in every role, "" for a guest."""

    ids: dict[str, list]
    room: str
    tokens: list[str]


@pytest.fixture
def world():
    ann = factories.make_user("ann", password=PASSWORD)
    admin = factories.make_user("admin2", password=PASSWORD, is_superuser=True)
    stranger = factories.make_user("stranger", password=PASSWORD)
    staff = Actor(admin)

    draft = factories.make_tournament(admin)
    tournaments.add_member(staff, draft.pk, username="ann", role=Role.REFEREE)
    factories.publish(factories.make_tournament(admin))
    factories.open_with_entries(2, admin, capacity=2)
    check_in = factories.open_with_entries(1, admin, check_in=True)
    here = factories.enter(check_in, ann)
    entries.check_in(Actor(ann), here.pk)
    factories.enter(factories.open_with_entries(1, admin, check_in=True), ann)

    tournaments.cancel(staff, factories.make_tournament(admin).pk)
    for step in range(5):
        play(ann, staff, until=step)

    integrations.add(staff, draft.pk, url="https://bot.example.org/hook")
    for user in (ann, admin):
        tokens.create(user, name="Bot", scopes=["organise"])

    assert set(Tournament.objects.values_list("status", flat=True)) == set(Status)
    assert set(Match.objects.values_list("state", flat=True)) == set(MatchState)
    rows = {"tournament_id": Tournament, "entry_id": Entry, "match_id": Match}
    rows |= {"integration_id": Endpoint, "token_id": ApiToken}
    ids = {name: [*sorted(model.objects.values_list("pk", flat=True)), 10**18 - 1] for name, model in rows.items()}
    return World(
        ids={**ids, "username": ["ann", "admin2", "nobody"]},
        room=f"match:{ids['match_id'][0]}",
        tokens=[*(sign_in(user)["access_token"] for user in (admin, ann, stranger)), "", "not-a-token"],
    )


def play(ann, staff, *, until):
    """Play a tournament of three in which ann waits in the final: 4 steps to the end."""
    cup = factories.open_registration(factories.make_tournament(staff.user))
    for user in (ann, factories.make_user(), factories.make_user()):
        factories.enter(cup, user)
    tournaments.close_registration(staff, cup.pk)
    brackets.generate(staff, cup.pk)
    semi, final = (factories.match_number(cup, number) for number in (1, 2))
    steps = [
        lambda: matches.start(staff, semi.pk),
        lambda: matches.forfeit(staff, semi.pk, loser=Side.AWAY),
        lambda: matches.report(Actor(semi.home.user), final.pk, Score(1, 2)),
        lambda: matches.confirm(Actor(ann), final.pk),
    ]
    for step in steps[:until]:
        step()


@pytest.fixture
def schema():
    # A request would close the connection that holds the test's transaction; Django's own test client does the same.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def send(case, token):
    """Send a request, look at the answer, and undo what it did. Returns the status."""
    with transaction.atomic():
        response = case.call(headers={"Authorization": f"Bearer {token}"} if token else None)
        transaction.set_rollback(True)
    case.validate_response(response, checks=CHECKS)
    return response.status_code


def test_whatever_is_sent_the_answer_is_as_documented(world, schema, subtests):
    for operation_id in OPERATIONS:
        with subtests.test(operation_id):
            send_anything(schema.find_operation_by_id(operation_id), world)


def send_anything(operation, world):
    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def run(data):
        mode = data.draw(st.sampled_from(GenerationMode))
        case = data.draw(operation.as_strategy(generation_mode=mode))
        if mode is GenerationMode.POSITIVE:
            for name in world.ids.keys() & (case.path_parameters or {}).keys():
                case.path_parameters[name] = data.draw(st.sampled_from(world.ids[name]))
            if isinstance(case.body, dict) and "room" in case.body:
                case.body["room"] = data.draw(st.sampled_from([case.body["room"], world.room]))
        send(case, data.draw(st.sampled_from(world.tokens)))

    run()


def test_somebody_succeeds_somewhere_and_the_answer_is_as_documented(world, schema, subtests):
    bodies = {**BODIES, "issueRoomToken": {"room": world.room}}
    for operation_id in OPERATIONS:
        operation = schema.find_operation_by_id(operation_id)
        body = bodies.get(operation_id)
        ids = [world.ids[parameter.name] for parameter in operation.path_parameters]
        with subtests.test(operation_id):
            assert any(succeeds(operation, body, *each) for each in product(world.tokens, *ids))


def succeeds(operation, body, token, *ids):
    names = (parameter.name for parameter in operation.path_parameters)
    extra = {} if body is None else {"body": body, "media_type": "application/json"}
    return send(operation.Case(path_parameters=dict(zip(names, ids, strict=True)), **extra), token) < 300
