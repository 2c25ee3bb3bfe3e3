"""
Role × action × door: whichever way an action comes in, the same people may do it.

The doors: a frame in a room, a request to the HTTP API, a form on a page. Who may is written down, literally, in
tests/integration/tournaments/test_permissions.py. An action that is missing here fails the test.
"""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from apps.accounts.models import User
from apps.errors import AppError
from apps.tournaments.permissions import ACTIONS
from apps.tournaments.realtime.actions import perform
from apps.tournaments.realtime.protocol import CLIENT_TYPES, decode
from apps.tournaments.realtime.rooms import RoomName
from tests.integration.tournaments.test_permissions import ATTEMPTS, HOOK, ROLES, STAFF, Scene
from tests.pictures import png

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("media")]

SCORE = {"home_score": 1, "away_score": 0}
HEADS = {"option": "heads"}
SETTINGS = {"name": "Other", "capacity": 16, "accent": "#112233"}
T, M, E = "tournaments/{s.cup.pk}", "matches/{s.match.pk}", "entries/{s.own.pk}"
I = "evidence/{s.image.pk}"  # noqa: E741 - as the others
ENTRY = "/t/{s.cup.pk}/entries/{s.own.pk}"
MANAGE = "/t/{s.cup.pk}/manage"
S, STATION = "stations/{s.station.pk}", f"{MANAGE}/schedule/stations/{{s.station.pk}}"
PAGE, STAGE = "/m/{s.match.pk}", "{s.stage.pk}"
PICTURE = {"file": png()}
LIST = {"file": b"name,seed\nZoe,9\n"}
DOCUMENT = {"file": b'{"format":"deltacrown/1","tournament":{"name":"New"},"stages":[{"number":1,"format":"swiss"}]}'}
H, HOOKS = "integrations/{s.hook}", MANAGE + "/integrations/{s.hook}"

# action: (method and address in the API, its body), (address of the form, its fields); a frame has the action's name
DOORS = {
    "create_tournament": (("POST", "tournaments", {"name": "New"}), ("/new/create/", SETTINGS)),
    "import_tournament": (("POST", "tournaments/import", DOCUMENT), ("/new/import/", DOCUMENT)),
    "register": (("POST", f"{T}/entries", {}), ("/t/{s.cup.pk}/register/", {})),
    "withdraw": (("POST", f"{E}/withdraw", None), (f"{ENTRY}/withdraw/", {})),
    "check_in": (("PUT", f"{E}/check-in", None), (f"{ENTRY}/check-in/", {})),
    "revert_check_in": (("DELETE", f"{E}/check-in", None), (f"{ENTRY}/revert-check-in/", {})),
    "claim_place": (("POST", f"{E}/claim", None), (f"{ENTRY}/claim/", {})),
    "update_roster": (("PUT", f"{E}/roster", {"players": []}), (f"{ENTRY}/roster/", {"player": 1})),
    "disqualify_entry": (("POST", f"{E}/disqualify", None), (f"{ENTRY}/disqualify/", {})),
    "approve_entry": (("POST", f"{E}/approve", None), (f"{ENTRY}/approve/", {})),
    "decline_entry": (("POST", f"{E}/decline", None), (f"{ENTRY}/decline/", {})),
    "update_entry": (("PATCH", E, {"name": "Zoe"}), (f"{ENTRY}/rename/", {"name": "Zoe"})),
    "reinstate_entry": (("POST", f"{E}/reinstate", None), (f"{ENTRY}/reinstate/", {})),
    "report_score": (("POST", f"{M}/report", SCORE), ("/m/{s.match.pk}/report/", SCORE)),
    "confirm_result": (("POST", f"{M}/confirm", {}), ("/m/{s.match.pk}/confirm/", {})),
    "start_veto": (("POST", f"{M}/veto/start", {}), ("/m/{s.match.pk}/veto/start/", {})),
    "veto_move": (("POST", f"{M}/veto/move", HEADS), ("/m/{s.match.pk}/veto/move/", HEADS)),
    "reset_veto": (("POST", f"{M}/veto/reset", {}), ("/m/{s.match.pk}/veto/reset/", {})),
    "start_match": (("POST", f"{M}/start", {}), ("/m/{s.match.pk}/start/", {})),
    "update_score": (("PUT", f"{M}/score", SCORE), ("/m/{s.match.pk}/score/", SCORE)),
    "complete_match": (("POST", f"{M}/complete", SCORE), ("/m/{s.match.pk}/finish/", SCORE)),
    "award_walkover": (("POST", f"{M}/walkover", {"winner": "home"}), ("/m/{s.match.pk}/walkover/", {"side": "away"})),
    "forfeit_match": (("POST", f"{M}/forfeit", {"loser": "home"}), ("/m/{s.match.pk}/forfeit/", {"side": "home"})),
    "check_in_match": (("PUT", f"{M}/check-in", {"side": "home"}), (f"{PAGE}/check-in/", {"side": "home"})),
    "dispute_result": (
        ("POST", f"{M}/dispute", {"text": "They left."}),
        (f"{PAGE}/dispute/", {"cause": "other", "text": "They left."}),
    ),
    "add_evidence": (("POST", f"{M}/evidence", PICTURE), (f"{PAGE}/evidence/", PICTURE)),
    "cancel_match": (("POST", f"{M}/cancel", {}), (f"{PAGE}/cancel/", {})),
    "take_kept_result": (("POST", f"{M}/take-kept", {}), (f"{PAGE}/take-kept/", {})),
    "reopen_match": (("POST", f"{M}/reopen", {"token": "{s.preview}"}), (f"{PAGE}/reopen/", {"token": "{s.preview}"})),
    "undo_reopening": (
        ("POST", "reopenings/{s.reopening.pk}/undo", None),
        (PAGE + "/reopenings/{s.reopening.pk}/undo/", {}),
    ),
    "pair_round": (("POST", f"{T}/pair-round", {}), (f"{MANAGE}/pair-round/", {})),
    "add_stage": (("POST", f"{T}/stages", {"format": "swiss"}), (f"{MANAGE}/stages/add/", {"format": "swiss"})),
    "edit_stage": (
        ("PATCH", f"stages/{STAGE}", {"name": "Playoffs"}),
        (f"{MANAGE}/stages/{STAGE}/save/", {"name": "Playoffs", "format": "single_elimination"}),
    ),
    "remove_stage": (("DELETE", f"stages/{STAGE}", None), (f"{MANAGE}/stages/{STAGE}/remove/", {})),
    "edit_tournament": (("PATCH", T, {"name": "Other"}), (f"{MANAGE}/settings/save/", SETTINGS)),
    "publish_tournament": (("POST", f"{T}/publish", None), (f"{MANAGE}/publish/", {})),
    "open_registration": (("POST", f"{T}/open-registration", None), (f"{MANAGE}/open-registration/", {})),
    "close_registration": (("POST", f"{T}/close-registration", None), (f"{MANAGE}/close-registration/", {})),
    "cancel_tournament": (("POST", f"{T}/cancel", None), (f"{MANAGE}/cancel/", {})),
    "add_entry": (("POST", f"{T}/entries/by-name", {"name": "Zoe"}), (f"{MANAGE}/entrants/add/", {"names": "Zoe"})),
    "import_entries": (("POST", f"{T}/entries/import", LIST), (f"{MANAGE}/entrants/import/", LIST)),
    "seed_entries": (("POST", f"{T}/seeds", {}), (f"{MANAGE}/entrants/draw/", {})),
    "generate_bracket": (("POST", f"{T}/bracket", None), (f"{MANAGE}/generate/", {})),
    "announce": (("POST", f"{T}/announcements", {"text": "Lunch."}), (f"{MANAGE}/announce/", {"text": "Lunch."})),
    "take_down_announcement": (("DELETE", f"{T}/announcements/1", None), (f"{MANAGE}/announcements/1/take-down/", {})),
    "make_staff_link": (
        ("POST", f"{T}/staff-links", {"role": "referee"}),
        (f"{MANAGE}/staff/links/make/", {"role": "referee", "uses": 1, "hours": 48}),
    ),
    "revoke_staff_link": (
        ("DELETE", "staff-links/{s.link.pk}", None),
        (MANAGE + "/staff/links/{s.link.pk}/revoke/", {}),
    ),
    "join_staff": (("POST", "staff-links/join", {"token": "{s.token}"}), ("/join/{s.token}/take/", {})),
    "add_member": (
        ("PUT", T + "/members/{s.own.user.username}", {"role": "referee"}),
        (f"{MANAGE}/staff/add/", {"username": "{s.own.user.username}", "role": "referee"}),
    ),
    "remove_member": (
        ("DELETE", T + "/members/{s.people[referee].username}", None),
        (MANAGE + "/staff/{s.people[referee].pk}/remove/", {}),
    ),
    "add_station": (("POST", f"{T}/stations", {"name": "B"}), (f"{MANAGE}/schedule/stations/add/", {"name": "B"})),
    "rename_station": (("PATCH", S, {"name": "B"}), (f"{STATION}/rename/", {"name": "B"})),
    "remove_station": (("DELETE", S, None), (f"{STATION}/remove/", {})),
    "plan_schedule": (
        ("POST", f"{T}/schedule", {}),
        (f"{MANAGE}/schedule/plan/", {"starts_at": "", "match_minutes": 30, "rest_minutes": 0}),
    ),
    "schedule_match": (
        ("PATCH", f"{M}/schedule", {"scheduled_at": "2099-11-22T18:00:00Z"}),
        ("/m/{s.match.pk}/schedule/", {"station": "{s.station.pk}", "scheduled_at": ""}),
    ),
    "call_match": (("POST", f"{M}/call", {}), ("/m/{s.match.pk}/call/", {})),
    "extend_deadline": (("PATCH", f"{M}/deadline", {"minutes": 5}), ("/m/{s.match.pk}/deadline/", {"minutes": 5})),
    "set_on_stream": (
        ("PUT", f"{T}/on-stream", {"match": None}),
        (f"{MANAGE}/on-stream/", {"match": "{s.match.pk}"}),
    ),
    "renew_overlays": (("POST", f"{T}/overlays/renew", None), (f"{MANAGE}/overlays/renew/", {})),
    "add_integration": (
        ("POST", f"{T}/integrations", {"url": HOOK}),
        (f"{MANAGE}/integrations/add/", {"kind": "webhook", "url": HOOK}),
    ),
    "edit_integration": (("PATCH", H, {"name": "Other"}), (f"{HOOKS}/save/", {"name": "Other"})),
    "remove_integration": (("DELETE", H, None), (f"{HOOKS}/remove/", {})),
    "test_integration": (("POST", f"{H}/test", None), (f"{HOOKS}/test/", {})),
    "replay_integration": (("POST", f"{H}/replay", {"first": 1}), (f"{HOOKS}/replay/", {"first": 1})),
    "report_entry": (("POST", f"{E}/reports", {"reason": "spam"}), (f"{ENTRY}/report/", {"reason": "spam"})),
    "report_evidence": (("POST", f"{I}/reports", {"reason": "spam"}), (f"/{I}/report/", {"reason": "spam"})),
    "hide_evidence": (("PUT", f"{I}/hidden", None), (f"/{I}/hide/", {})),
    "resolve_report": (
        ("POST", "reports/{s.report.pk}/resolve", {}),
        (MANAGE + "/reports/{s.report.pk}/resolve/", {}),
    ),
    "ban_user": (
        ("PUT", T + "/bans/{s.own.user.username}", {}),
        (f"{MANAGE}/bans/add/", {"username": "{s.own.user.username}"}),
    ),
    "unban_user": (
        ("DELETE", T + "/bans/{s.own.user.username}", None),
        (MANAGE + "/bans/{s.own.user.pk}/remove/", {}),
    ),
}  # fmt: skip

FRAMES = {
    "report_score": SCORE,
    "update_score": SCORE,
    "complete_match": SCORE,
    "award_walkover": {"winner": "home"},
    "forfeit_match": {"loser": "home"},
    "check_in_match": {"side": "home"},
    "dispute_result": {"text": "They left."},
    "veto_move": HEADS,
}
OUTCOMES = {
    200: "allowed",
    201: "allowed",
    204: "allowed",
    409: "allowed",
    401: "sign in",
    403: "denied",
    404: "hidden",
}


def browser(scene: Scene, role: str) -> Client:
    client = Client()
    person = scene.people[role]
    if isinstance(person, User):
        client.force_login(person)
    return client


def filled(scene: Scene, fields: dict) -> dict:
    """Return fields with what they name of the scene; a picture is a file that is sent."""
    values = {}
    for name, value in fields.items():
        values[name] = value.format(s=scene) if isinstance(value, str) else value
        if isinstance(value, bytes):
            values[name] = SimpleUploadedFile("screen.png", value, "image/png")
    return values


def through_the_api(scene: Scene, role: str, action: str) -> str:
    method, address, body = DOORS[action][0]
    if body is not None and "file" in body:
        sent, content_type = encode_multipart(BOUNDARY, filled(scene, body)), MULTIPART_CONTENT
    else:
        sent, content_type = json.dumps(filled(scene, body)) if body is not None else b"", "application/json"
    path = f"/api/v1/{address.format(s=scene)}"
    answer = browser(scene, role).generic(method, path, sent, content_type=content_type)
    return OUTCOMES.get(answer.status_code, f"{answer.status_code}: {answer.content!r}")


def through_a_page(scene: Scene, role: str, action: str) -> str:
    address, fields = DOORS[action][1]
    answer = browser(scene, role).post(address.format(s=scene), filled(scene, fields))
    if answer.status_code == 302:
        return "sign in" if "/accounts/login/" in answer["Location"] else "allowed"
    return OUTCOMES.get(answer.status_code, f"{answer.status_code}: {answer.content[:300]!r}")


def through_a_room(scene: Scene, role: str, action: str) -> str:
    data = dict(FRAMES.get(action, {}))
    if action in ("withdraw", "check_in", "claim_place"):
        data["entry_id"] = scene.own.pk
    elif action != "generate_bracket":
        data["match_id"] = scene.match.pk
    frame = decode(json.dumps({"type": action, "id": "x", "data": data}))
    try:
        perform(frame, scene.by(role), RoomName("tournament", scene.cup.pk), scene.cup.pk)
    except AppError as refusal:
        return OUTCOMES[refusal.http_status]
    return "allowed"


def test_every_action_has_its_doors():
    assert set(DOORS) == set(ACTIONS)
    rooms = CLIENT_TYPES - {"ping", "pong", "subscribe", "resync", "authenticate"}
    assert rooms <= set(ACTIONS)


@pytest.mark.parametrize("action", DOORS)
def test_the_same_people_may_whichever_door_they_take(action):
    build, _, allowed = ATTEMPTS[action]
    doors = [through_the_api, through_a_page] + ([through_a_room] if action in CLIENT_TYPES else [])
    scene = build()
    for door in doors:
        for role in ROLES:
            with scene.unchanged():
                outcome = door(scene, role, action)
            if role in allowed:
                assert outcome == "allowed", (door.__name__, role)
            elif action == "publish_tournament" and role not in STAFF:
                assert outcome in ("hidden", "sign in"), (door.__name__, role)
            else:
                assert outcome == ("sign in" if role == "guest" else "denied"), (door.__name__, role)
