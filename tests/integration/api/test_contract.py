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

from apps.accounts.models import ApiToken, User
from apps.api.api import api
from apps.integrations import services as integrations
from apps.integrations import tokens
from apps.integrations.models import Endpoint
from apps.tournaments.models import (
    Entry,
    Evidence,
    Match,
    Reopening,
    Report,
    Role,
    StaffLink,
    Stage,
    Station,
    Status,
    Team,
    Tournament,
)
from apps.tournaments.services import (
    Actor,
    bans,
    brackets,
    disputes,
    entries,
    matches,
    notices,
    reopening,
    reports,
    staff_links,
    stages,
    stations,
    teams,
    tournaments,
    veto,
)
from engine.bracket import Side
from engine.match_flow import MatchState, Score
from engine.stages import Format
from tests import factories
from tests.factories import PASSWORD
from tests.integration.api.client import sign_in
from tests.pictures import png

pytestmark = pytest.mark.django_db

EXAMPLES = 12
PARTS = 3  # which different processes can try
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
SCORE = {"home_score": 2, "away_score": 1}
QUERIES = {"listRatings": {"game": "Chess"}}
DOCUMENT = b'{"format":"deltacrown/1","tournament":{"name":"Cup"},"stages":[{"number":1,"format":"swiss"}]}'
BODIES = {
    "importTournament": {"file": DOCUMENT},
    "importEntries": {"file": b"name,seed\nNew,17\n"},
    "createTournament": {"name": "Cup"},
    "editTournament": {"name": "Cup"},
    "addEntry": {"name": "New"},
    "addMember": {"role": "referee"},
    "updateScore": SCORE,
    "reportScore": SCORE,
    "checkInMatch": {"side": "home"},
    "disputeResult": {"text": "They left."},
    "addEvidence": {"file": png()},
    "addStage": {"format": "swiss"},
    "editStage": {"name": "Playoffs"},
    "awardWalkover": {"winner": "home"},
    "forfeitMatch": {"loser": "home"},
    "vetoMove": {"option": "heads"},
    "editProfile": {"first_name": "Ann"},
    "updateEntry": {"name": "Other"},
    "createTeam": {"name": "Greens"},
    "editTeam": {"tag": "G"},
    "inviteToTeam": {"username": "stranger"},
    "announce": {"text": "Lunch."},
    "makeStaffLink": {"role": "referee"},
    "addStation": {"name": "Court 9"},
    "renameStation": {"name": "Court 9"},
    "setOnStream": {"match": None},
    "scheduleMatch": {"scheduled_at": "2099-11-22T18:00:00Z"},
    "extendDeadline": {"minutes": 5},
    "addIntegration": {"url": "https://bot.example.org/"},
    "editIntegration": {"active": False},
    "replayIntegration": {"first": 1},
    "createToken": {"name": "Bot", "scopes": ["play"]},
    "reportEntry": {"reason": "spam"},
    "reportEvidence": {"reason": "spam"},
    "reportTeam": {"reason": "spam"},
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
    preview: str
    invitation: str
    tokens: list[str]


@pytest.fixture
def world(media):
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

    who_waits_and_teams(ann, admin)

    tournaments.cancel(staff, factories.make_tournament(admin).pk)
    finals = [play(ann, staff, until=step) for step in range(5)]
    matches.report(Actor(ann), play(ann, staff, until=3), Score(1, 0))
    disputes.add_evidence(Actor(ann), Match.objects.get(state="disputed").pk, png())
    taken_back(ann, staff)
    league(ann, staff)
    choosing(staff)
    told_of(ann, staff)

    integrations.add(staff, draft.pk, url="https://bot.example.org/hook")
    notices.announce(staff, draft.pk, text="Lunch at one.")
    staff_links.make(staff, draft.pk, role=Role.REFEREE)
    out = factories.drawn(4, admin)
    entries.disqualify(staff, out.entries.first().pk)
    for user in (ann, admin):
        tokens.create(user, name="Bot", scopes=["organise"])

    assert set(Tournament.objects.values_list("status", flat=True)) == set(Status)
    assert set(Match.objects.values_list("state", flat=True)) == set(MatchState)
    for cup in Tournament.objects.all():
        stations.add(staff, cup.pk, name="Court 1")
    rows = {"tournament_id": Tournament, "entry_id": Entry, "match_id": Match, "stage_id": Stage}
    rows |= {"station_id": Station, "team_id": Team}
    rows |= {"reopening_id": Reopening, "evidence_id": Evidence, "report_id": Report}
    rows |= {"integration_id": Endpoint, "token_id": ApiToken, "link_id": StaffLink}
    ids = {name: [*sorted(model.objects.values_list("pk", flat=True)), 10**18 - 1] for name, model in rows.items()}
    return World(
        ids={**ids, "notice_id": [1, 10**18 - 1], "username": ["ann", "admin2", "nobody"]},
        room=f"match:{ids['match_id'][0]}",
        preview=reopening.preview(staff, finals[-1]).token,
        invitation=draft.staff_links.get().token,
        tokens=[*(sign_in(user)["access_token"] for user in (admin, ann, stranger)), "", "not-a-token"],
    )


def who_waits_and_teams(ann, admin):
    """Ann waits for approval, has a place held, leads a team that plays, is in another and invited to a third."""
    factories.enter(factories.open_with_entries(0, admin, entry_rule="approval"), ann)
    cup = factories.open_with_entries(2, admin, capacity=2, claim_minutes=60)
    factories.enter(cup, ann)
    entries.withdraw(Actor(admin), cup.entries.first().pk)
    cup = factories.open_registration(factories.make_tournament(admin, participation="team"))
    own = teams.create(Actor(ann), name="Reds").ids["team_id"]
    entries.register(Actor(ann), cup.pk, team_id=own)
    for name, answer in (("Blues", True), ("Whites", False)):
        team = teams.create(Actor(admin), name=name).ids["team_id"]
        teams.invite(Actor(admin), team, username="ann")
        if answer:
            teams.accept(Actor(ann), team)


def play(ann, staff, *, until):
    """Play a tournament of three in which ann waits in the final: 4 steps to the end. Return the final."""
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
    return final.pk


def taken_back(ann, staff):
    """Reopen a match whose result is offered again."""
    cup = factories.open_registration(factories.make_tournament(staff.user))
    factories.enter(cup, ann)
    factories.enter(cup, factories.make_user())
    factories.draw(cup)
    factories.play(cup)
    [match] = cup.matches.all()
    reopening.reopen(staff, match.pk, token=reopening.preview(staff, match.pk).token)


def league(ann, staff):
    """Leave a Swiss between two rounds, with a stage to follow; and in a round robin a match that waits for people."""
    swiss = factories.drawn(4, staff.user, format=Format.SWISS)
    stages.add(staff, swiss.pk, format=Format.SINGLE_ELIMINATION)
    factories.play(swiss, matches_at_most=2)
    groups = factories.open_registration(factories.make_tournament(staff.user, format=Format.ROUND_ROBIN))
    for user in (ann, factories.make_user(), factories.make_user()):
        factories.enter(groups, user)
    factories.draw(groups)
    waiting, cancelled, _ = groups.matches.order_by("number")
    Match.objects.filter(pk=waiting.pk).update(state=MatchState.CHECK_IN)
    matches.cancel(staff, cancelled.pk)


def choosing(staff):
    """Leave a match that could begin a veto, and one whose coin is to be called."""
    for begins in (False, True):
        cup = factories.drawn(2, staff.user, stage={"veto": {"pool": ["Bind", "Haven"]}})
        if begins:
            veto.start(staff, cup.matches.get().pk)


def told_of(ann, staff):
    """Report a name, hide an image beside one that is shown, ban ann from a tournament."""
    cup = factories.open_with_entries(1, staff.user)
    reports.report_entry(Actor(ann), cup.entries.get().pk, reason="spam")
    bans.ban(staff, cup.pk, username="ann")
    image = disputes.add_evidence(staff, Match.objects.get(state="disputed").pk, png("blue"))
    reports.hide_evidence(staff, image.ids["evidence_id"])


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
    headers = {"Accept-Encoding": "identity"}  # what calls an application directly does not unpack
    if token:
        headers["Authorization"] = f"Bearer {token}"
    with transaction.atomic():
        response = case.call(headers=headers)
        transaction.set_rollback(True)
    case.validate_response(response, checks=CHECKS)
    return response.status_code


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_is_sent_the_answer_is_as_documented(world, schema, subtests, part):
    for operation_id in OPERATIONS[part::PARTS]:
        with subtests.test(operation_id):
            send_anything(schema.find_operation_by_id(operation_id), world)


def send_anything(operation, world):
    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def run(data):
        mode = data.draw(st.sampled_from(GenerationMode))
        case = data.draw(operation.as_strategy(generation_mode=mode))
        if mode is GenerationMode.POSITIVE:
            for name in sorted(world.ids.keys() & (case.path_parameters or {}).keys()):
                case.path_parameters[name] = data.draw(st.sampled_from(world.ids[name]))
            if isinstance(case.body, dict) and "room" in case.body:
                case.body["room"] = data.draw(st.sampled_from([case.body["room"], world.room]))
        send(case, data.draw(st.sampled_from(world.tokens)))

    run()


def test_somebody_succeeds_somewhere_and_the_answer_is_as_documented(world, schema, subtests):
    ann = User.objects.get(username="ann").pk
    bodies = {
        **BODIES,
        "issueRoomToken": {"room": world.room},
        "reopenMatch": {"token": world.preview},
        "updateRoster": {"players": [ann]},
        "handOverTeam": {"user": ann},
        "joinStaff": {"token": world.invitation},
    }
    for operation_id in OPERATIONS:
        operation = schema.find_operation_by_id(operation_id)
        body = bodies.get(operation_id)
        ids = [world.ids[parameter.name] for parameter in operation.path_parameters]
        with subtests.test(operation_id):
            assert any(succeeds(operation, body, *each) for each in product(world.tokens, *ids))


def succeeds(operation, body, token, *ids):
    names = (parameter.name for parameter in operation.path_parameters)
    media_type = "multipart/form-data" if body is not None and "file" in body else "application/json"
    extra = {} if body is None else {"body": body, "media_type": media_type}
    extra["query"] = QUERIES.get(operation.definition.raw["operationId"], {})
    return send(operation.Case(path_parameters=dict(zip(names, ids, strict=True)), **extra), token) < 300
