"""Who is not let in, what is not understood, and how they are told."""

import asyncio
import json
import logging

import jwt
import pytest
from allauth.headless.tokens.strategies.jwt.internal import create_access_token
from asgiref.sync import sync_to_async
from django.contrib.sessions.backends.db import SessionStore
from prometheus_client import generate_latest
from websockets.datastructures import Headers
from websockets.exceptions import InvalidStatus

from apps.tournaments.models import Tournament
from tests import factories
from tests.rooms import refused, token_for
from tests.server import client, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cup(transactional_db: None) -> Tournament:
    return factories.drawn(2)


async def test_a_token_just_past_its_time_is_within_the_leeway(address, cup, settings):
    settings.WS_TOKEN_SECONDS = -20
    async with client(address, f"/ws/tournament/{cup.pk}/?token={token_for(f'tournament:{cup.pk}')}") as socket:
        assert (await socket.receive())["type"] == "connection_established"


def forged(cup: Tournament) -> dict[str, str]:
    room = f"tournament:{cup.pk}"
    good = token_for(room)
    header, payload, signature = good.split(".")
    claims = jwt.decode(good, options={"verify_signature": False})
    return {
        "empty": "",
        "another room": token_for(f"match:{cup.pk}"),
        "a changed signature": f"{header}.{payload}.{signature[::-1]}",
        "no signature": jwt.encode(claims, None, algorithm="none"),
        "another key": jwt.encode(claims, "x" * 40, algorithm="HS256"),
        "a refresh token's shape": jwt.encode({**claims, "token_use": "refresh"}, "y" * 40, algorithm="HS256"),
        "too long": good + "A" * 5000,
    }


@pytest.mark.parametrize(
    "kind",
    [
        "empty",
        "another room",
        "a changed signature",
        "no signature",
        "another key",
        "a refresh token's shape",
        "too long",
    ],
)
async def test_a_token_that_is_not_ours_4003(address, cup, kind):
    token = (await sync_to_async(forged)(cup))[kind]
    assert await refused(address, f"/ws/tournament/{cup.pk}/?token={token}") == (4003, "forbidden")


async def test_two_tokens_are_one_too_many(address, cup):
    token = token_for(f"tournament:{cup.pk}")
    assert (await refused(address, f"/ws/tournament/{cup.pk}/?token={token}&token={token}"))[0] == 4000
    both = await refused(
        address, f"/ws/tournament/{cup.pk}/?token={token}", subprotocols=["deltacrown.v1", f"bearer.{token}"]
    )
    assert both[0] == 4000


async def test_a_token_in_the_subprotocol_opens_the_room_and_is_not_echoed(address, cup):
    token = token_for(f"tournament:{cup.pk}")
    path = f"/ws/tournament/{cup.pk}/"
    async with client(address, path, subprotocols=["deltacrown.v1", f"bearer.{token}"]) as socket:
        assert (await socket.receive())["type"] == "connection_established"
        assert socket.socket.subprotocol == "deltacrown.v1"


async def test_a_blocked_or_deleted_user_4003(address, cup):
    user = await sync_to_async(factories.make_user)()
    token = await sync_to_async(token_for)(f"tournament:{cup.pk}", user)
    user.is_active = False
    await user.asave()
    assert (await refused(address, f"/ws/tournament/{cup.pk}/?token={token}"))[0] == 4003
    await user.adelete()
    assert (await refused(address, f"/ws/tournament/{cup.pk}/?token={token}"))[0] == 4003


async def test_a_draft_and_a_room_that_does_not_exist_look_the_same(address):
    draft = await sync_to_async(lambda: factories.fresh(factories.make_tournament()))()
    answers = []
    for number in (draft.pk, 10**15):
        token = token_for(f"tournament:{number}")
        answers.append(await refused(address, f"/ws/tournament/{number}/?token={token}"))
    assert answers == [(4404, "not_found")] * 2
    token = await sync_to_async(token_for)(draft.stream, draft.created_by)
    async with client(address, f"/ws/tournament/{draft.pk}/?token={token}") as own:
        assert (await own.receive())["data"]["role"] == "organizer"


@pytest.mark.parametrize("spelling", ["0", "003", "%D9%A3", "-1", "3.0", "3%0A", "1e3", "9" * 19, "abc", "+3", "%203"])
@pytest.mark.parametrize("kind", ["tournament", "match"])
async def test_an_id_in_another_spelling_4000(address, kind, spelling):
    assert await refused(address, f"/ws/{kind}/{spelling}/?token=x") == (4000, "bad_request")


@pytest.mark.parametrize("path", ["/ws/", "/ws/tournament/3", "/ws/other/3/", "/ws/tournament/3/4/", "/nothing/"])
async def test_an_address_without_a_room_is_refused_in_http(address, path):
    with pytest.raises(InvalidStatus) as refusal:
        async with client(address, path):
            pass
    assert refusal.value.response.status_code == 404


@pytest.mark.parametrize(
    "origin",
    [
        "https://good.example.evil.example",
        "https://evil.example#@good.example",
        "https://good.example@evil.example",
        "http://good.example",
        "https://good.example:444",
        "https://good.example/",
        "https://good.example.",
        "null",
        "http://[",
        "https://good.example:99999",
        "good.example",
        "",
        "*",
    ],
)
async def test_a_foreign_origin_4003(address, cup, settings, origin):
    settings.WS_ALLOWED_ORIGINS = ["https://good.example"]
    path = f"/ws/tournament/{cup.pk}/?token={token_for(f'tournament:{cup.pk}')}"
    assert await refused(address, path, additional_headers={"Origin": origin}) == (4003, "forbidden")


@pytest.mark.parametrize("origin", ["https://good.example", "https://GOOD.example", "https://good.example:443"])
async def test_a_listed_origin_is_let_in(address, cup, settings, origin):
    settings.WS_ALLOWED_ORIGINS = ["https://good.example"]
    path = f"/ws/tournament/{cup.pk}/?token={token_for(f'tournament:{cup.pk}')}"
    async with client(address, path, additional_headers={"Origin": origin}) as socket:
        assert (await socket.receive())["type"] == "connection_established"


async def test_a_program_without_an_origin_keeps_its_token_out_of_the_address(address, cup):
    token = token_for(f"tournament:{cup.pk}")
    path = f"/ws/tournament/{cup.pk}/"
    assert (await refused(address, f"{path}?token={token}", origin=None))[0] == 4003
    async with client(address, path, origin=None, subprotocols=["deltacrown.v1", f"bearer.{token}"]) as socket:
        assert (await socket.receive())["type"] == "connection_established"


async def test_two_origins_are_one_too_many(address, cup, settings):
    settings.WS_ALLOWED_ORIGINS = ["https://good.example"]
    path = f"/ws/tournament/{cup.pk}/?token={token_for(f'tournament:{cup.pk}')}"
    twice = Headers([("Origin", "https://good.example"), ("Origin", "https://good.example")])
    assert await refused(address, path, additional_headers=twice, origin=None) == (4003, "forbidden")


async def test_the_sites_own_origin_is_let_in_by_default(address, cup):
    path = f"/ws/tournament/{cup.pk}/?token={token_for(f'tournament:{cup.pk}')}"
    async with client(address, path, origin=f"http://{address}") as socket:
        assert (await socket.receive())["type"] == "connection_established"
    assert (await refused(address, path, additional_headers={"Origin": "http://127.0.0.1:1"}))[0] == 4003


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("not json", "invalid_json"),
        ("[" * 5000, "invalid_schema"),
        ('{"type": "ping", "id": "\\ud800"}', "invalid_json"),
        ('{"type": "update_score", "id": "a", "data": {"home_score": NaN}}', "invalid_json"),
        ("[]", "invalid_schema"),
        ("{}", "invalid_schema"),
        ("1", "invalid_schema"),
        ('{"type": 5}', "invalid_schema"),
        ('{"type": "ping", "extra": 1}', "invalid_schema"),
        ('{"type": "ping", "id": "has space"}', "invalid_schema"),
        ('{"type": "start_match", "data": {"match_id": 1}}', "invalid_schema"),
        ('{"type": "start_match", "id": "a", "data": {"match_id": true}}', "invalid_schema"),
        ('{"type": "start_match", "id": "a", "data": {"match_id": 1.5}}', "invalid_schema"),
        ('{"type": "start_match", "id": "a", "data": {"match_id": 99999999999999999999}}', "invalid_schema"),
        (
            '{"type": "update_score", "id": "a", "data": {"match_id": 1, "home_score": -1, "away_score": 0}}',
            "invalid_schema",
        ),
        (
            '{"type": "update_score", "id": "a", "data": {"match_id": 1, "home_score": 1000, "away_score": 0}}',
            "invalid_schema",
        ),
        ('{"type": "websocket.disconnect"}', "unsupported_message_type"),
        ('{"type": "__proto__"}', "unsupported_message_type"),
        ('{"type": "force_refund", "id": "a"}', "unsupported_message_type"),
        (b"{}", "invalid_schema"),
    ],
)
async def test_three_messages_that_cannot_be_read_end_the_connection_and_are_never_echoed(address, cup, frame, code):
    path = f"/ws/tournament/{cup.pk}/?token={token_for(f'tournament:{cup.pk}')}"
    async with client(address, path) as socket:
        await socket.until("snapshot")
        for _ in range(3):
            await socket.socket.send(frame)
            error = await socket.until("error")
            assert error["code"] == code
            assert "data" not in error
            assert error.get("id") in (None, "a")
        assert await socket.closed() == 4000


async def test_a_token_is_good_for_one_connection(address, cup):
    """Fifty at once, then once more: one is let in. What stands in an address may have been read by others."""
    path = f"/ws/tournament/{cup.pk}/?token={token_for(f'tournament:{cup.pk}')}"

    async def first_frame() -> dict:
        async with client(address, path) as socket:
            return await socket.receive()

    frames = await asyncio.gather(*(first_frame() for _ in range(50)))
    assert sorted(frame["type"] for frame in frames) == ["connection_established"] + ["error"] * 49
    assert {(f["code"], f["close_code"]) for f in frames if f["type"] == "error"} == {("forbidden", 4003)}
    assert await refused(address, path) == (4003, "forbidden")


async def test_an_access_token_is_good_as_long_as_it_lasts(address, cup):
    holder = await sync_to_async(lambda: factories.signed_in(factories.make_user()))()
    token = await sync_to_async(access_token)(holder)
    for _ in range(2):
        async with client(address, f"/ws/tournament/{cup.pk}/?token={token}") as socket:
            assert (await socket.receive())["data"]["username"] == holder.user.username


def access_token(holder) -> str:
    session = SessionStore(holder.session_key)
    return create_access_token(holder.user, session, {})


async def test_a_token_appears_in_no_log(address, cup, caplog, capfd):
    room = f"tournament:{cup.pk}"
    canaries = [token_for(room), token_for(room)]
    caplog.set_level(logging.DEBUG)
    async with client(address, f"/ws/tournament/{cup.pk}/?token={canaries[0]}") as socket:
        await socket.until("snapshot")
    await refused(address, f"/ws/tournament/{cup.pk}/?token=eyJcanary.canary.{canaries[0][-20:]}")
    offer = ["deltacrown.v1", f"bearer.{canaries[1]}"]
    async with client(address, f"/ws/tournament/{cup.pk}/", subprotocols=offer) as socket:
        await socket.until("snapshot")

    def of_the_server():
        return [r.getMessage() for r in caplog.records if not r.name.startswith("websockets.client")]

    wait_for(lambda: sum("connection_closed" in line for line in of_the_server()) == 3)
    server, written = of_the_server(), capfd.readouterr()
    for text in ("\n".join(server), written.out, written.err, generate_latest().decode()):
        for canary in canaries:
            assert canary not in text
            assert canary[-20:] not in text


async def test_a_bug_in_an_action_is_answered_and_the_connection_lives(address, cup, monkeypatch, caplog):
    def broken(*_args):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("apps.tournaments.realtime.consumers.perform", broken)
    match = await sync_to_async(factories.match_number)(cup, 1)
    path = f"/ws/match/{match.pk}/?token={await sync_to_async(token_for)(match.subject, cup.created_by)}"
    async with client(address, path) as socket:
        await socket.send("start_match", "a")
        error = await socket.until("error")
        assert (error["code"], error["id"]) == ("internal_error", "a")
        assert "secret" not in json.dumps(error)
        await socket.send("ping", "b")
        await socket.until("pong")
    assert "action_failed" in caplog.text


async def test_a_bug_in_the_connection_closes_4500(address, cup, monkeypatch, caplog):
    async def broken(*_args):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("apps.tournaments.realtime.history.past", broken)
    code = await refused(address, f"/ws/tournament/{cup.pk}/?token={token_for(f'tournament:{cup.pk}')}")
    assert code == (4500, "internal_error")
    assert "consumer_failed" in caplog.text
