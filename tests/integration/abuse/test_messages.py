"""Messages that are too large, no messages at all, or carry what they should not."""

import asyncio
import html
import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from allauth.headless.tokens.strategies.jwt.internal import create_access_token
from asgiref.sync import sync_to_async
from django.contrib.sessions.backends.db import SessionStore

from apps.accounts.tokens import issue_room_token
from apps.eventlog import log
from tests import factories
from tests.integration.realtime.door import path, with_token
from tests.rooms import refused
from tests.server import client

pytestmark = pytest.mark.django_db(transaction=True)


def ping(size: int) -> str:
    frame = json.dumps({"type": "ping", "id": "x"})
    return frame[:-1] + " " * (size - len(frame)) + "}"


async def test_abuse_23_16384_bytes_pass_and_one_more_4009_in_one_piece_or_many(address, cup):
    for too_large in (ping(16_385), [ping(16_385)[:9000], ping(16_385)[9000:]], ping(16_381) + "\u00e9" * 2):
        async with client(address, path(cup)) as socket:
            await socket.until("snapshot")
            for fits in (ping(16_384), [ping(16_384)[:9000], ping(16_384)[9000:]]):
                await socket.socket.send(fits)
                assert (await socket.until("pong"))["id"] == "x"
            await socket.socket.send(too_large)
            assert (await socket.until("error"))["code"] == "payload_too_large"
            assert await socket.closed() == 4009


async def test_abuse_29_binary_frames_are_refused_and_the_third_closes_4000(address, cup):
    async with client(address, path(cup)) as socket:
        await socket.until("snapshot")
        for data in (b'{"type": "ping"}', b"\xff\xfe", b""):
            await socket.socket.send(data)
            assert (await socket.until("error"))["code"] == "invalid_schema"
        assert await socket.closed() == 4000


def start_match(match_id: str) -> str:
    return '{"type": "start_match", "id": "a", "data": {"match_id": ' + match_id + "}}"


def update_score(home: str) -> str:
    return '{"type": "update_score", "id": "a", "data": {"match_id": 1, "away_score": 0, "home_score": ' + home + "}}"


SENTENCES = {
    "This is not JSON. Send one JSON object a frame.",
    'A message is one JSON object with a "type".',
    "The fields do not fit this type of message: one is missing, unknown, or out of range.",
}
NOT_JSON = [
    "canary",
    "",
    '{"type": "ping"',
    '{"type": "ping"} {"type": "ping"}',
    "{'type': 'ping'}",
    '{"type": "ping", "id": "canary\\ud800"}',
    '{"type": "ping", "id": "canary\n"}',
    '{"type": "\\ud800\\ud800"}',
    update_score("NaN"),
    update_score("-Infinity"),
    update_score("01"),
    "\ufeff" + '{"type": "ping"}',
]
NOT_A_MESSAGE = [
    '"canary"',
    "1",
    "null",
    "[]",
    '[{"type": "ping"}]',
    "{}",
    '{"type": null}',
    '{"type": 5}',
    '{"type": ["ping"]}',
    '{"type": "ping", "canary": 1}',
    '{"type": "ping", "id": "canary canary"}',
    '{"type": "ping", "id": "canary\\u0000"}',
    '{"type": "ping", "id": "\u0663"}',
    '{"type": "ping", "id": 1}',
    '{"type": "ping", "id": "' + "i" * 65 + '"}',
    '{"type": "ping", "id": ""}',
    '{"type": "ping", "data": {"timestamp": "1"}}',
    '{"type": "ping", "data": {"__proto__": {}}}',
    '{"type": "start_match", "data": {"match_id": 1}}',
    '{"type": "start_match", "id": "a", "data": null}',
    '{"type": "start_match", "id": "a", "data": {"match_id": 1, "match_id": "1"}}',
    '{"type": "award_walkover", "id": "a", "data": {"match_id": 1, "winner": "both"}}',
    start_match("true"),
    start_match("1.5"),
    start_match("-1"),
    start_match("0"),
    start_match('"1"'),
    start_match(str(2**64)),
    update_score("true"),
    update_score("-1"),
    update_score("1000"),
    update_score("null"),
    update_score("[0]"),
    "[" * 5000,
    '{"type": "ping", "data": ' * 500 + "1" + "}" * 500,
]
HUGE = {start_match("9" * 5000), update_score("1e400"), '{"type": "ping", "timestamp": 1e400}', "[" * 16_000}


async def test_abuse_32_what_is_no_message_is_refused_without_an_echo_and_the_third_closes_4000(
    address, cup, settings, caplog
):
    settings.WS_RATE_ENABLED = False
    before = await sync_to_async(log.positions)([cup.stream])
    frames = [(frame, "invalid_json") for frame in NOT_JSON]
    frames += [(frame, "invalid_schema") for frame in (*NOT_A_MESSAGE, *HUGE)]
    frames += [("canary", "invalid_json")] * (-len(frames) % 3)
    async with client(address, path(cup)) as witness:
        await witness.until("snapshot")
        for first in range(0, len(frames), 3):
            async with client(address, path(cup)) as socket:
                await socket.until("snapshot")
                for frame, code in frames[first : first + 3]:
                    await socket.socket.send(frame)
                    error = await socket.receive()
                    assert (error.pop("type"), error.pop("code")) == ("error", code), frame[:80]
                    assert error.pop("message") in SENTENCES
                    assert error in ({}, {"id": "a"})
                assert await socket.closed() == 4000
        await witness.send("ping", "p")
        assert (await witness.receive())["type"] == "pong", "something was broadcast"
    assert await sync_to_async(log.positions)([cup.stream]) == before
    assert "canary" not in caplog.text
    assert "Traceback" not in caplog.text


async def test_abuse_32_of_a_key_that_comes_twice_the_last_counts(address, cup):
    async with client(address, path(cup)) as socket:
        await socket.until("snapshot")
        await socket.socket.send('{"type": "ping", "id": "first", "id": "second"}')
        assert (await socket.until("pong"))["id"] == "second"


async def call(address: str, method: str, path_: str, body: dict, holder) -> tuple[int, dict]:
    """Send a request to the API as somebody who is signed in, and return status and body."""
    session = SessionStore(holder.session_key)
    token = await sync_to_async(create_access_token)(holder.user, session, {})
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = Request(f"http://{address}/api/v1{path_}", json.dumps(body).encode(), headers, method=method)
    try:
        with await asyncio.to_thread(urlopen, request) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        return error.code, json.load(error)


async def test_abuse_33_text_that_breaks_what_stands_around_it_is_refused_or_made_plain(address, cup):
    organizer = await sync_to_async(factories.signed_in)(cup.created_by)
    breaking = [
        "\x1b[2J",
        "\ud800",
        "\ue000",
        "e" + "\u0301" * 50,
        "\u202egnp.exe",
        "\u2066name\u2069",
        "in\u200bvisible",
    ]
    breaking += ["\ufeffname", " \n\t "]
    bounded = ["a\0b", "\0" * 16 * 1024, "x" * 101, "\U0001f469\u200d\U0001f467" * 100]
    async with client(address, path(cup)) as socket:
        await socket.until("snapshot")
        for name, refused_with in [(name, 400) for name in breaking] + [(name, 422) for name in bounded]:
            status, _ = await call(address, "PATCH", f"/tournaments/{cup.pk}", {"name": name}, organizer)
            assert status == refused_with, name[:20]
        for name, plain in (
            ("  Cafe\u0301 \n Cup ", "Caf\u00e9 Cup"),
            ("\U0001f469\u200d\U0001f467\u200d\U0001f466 Cup", "\U0001f469\u200d\U0001f467\u200d\U0001f466 Cup"),
        ):
            status, _ = await call(address, "PATCH", f"/tournaments/{cup.pk}", {"name": name}, organizer)
            assert status == 200
            assert (await socket.receive())["data"]["tournament"]["name"] == plain


async def test_abuse_34_markup_is_text_in_frames_and_on_pages(address, cup):
    organizer = await sync_to_async(factories.signed_in)(cup.created_by)
    address_of_cup = f"/tournaments/{cup.pk}"
    for name in ("<script>alert(1)</script>", "</script><img src=x onerror=alert(1)>", "'\"><svg onload=alert(1)>"):
        async with client(address, path(cup)) as socket:
            await socket.until("snapshot")
            changed = {"name": name, "description": name}
            assert (await call(address, "PATCH", address_of_cup, changed, organizer))[0] == 200
            assert (await socket.receive())["data"]["tournament"]["name"] == name
        for page in ("", "bracket/", "matches/", "entrants/", "activity/"):
            with await asyncio.to_thread(urlopen, f"http://{address}/t/{cup.pk}/{page}") as answer:
                text = answer.read().decode()
            assert name not in text, page
            assert html.escape(name) in text, page


async def test_abuse_35_no_type_reaches_anything_but_the_protocols_messages(address, cup):
    inner = [
        "websocket.disconnect",
        "websocket.close",
        "websocket.receive",
        "eventlog.hint",
        "connection.error",
        "_private",
    ]
    names = [
        "__proto__",
        "constructor",
        "__class__",
        "_act",
        "close",
        "run",
        "PING",
        "ping ",
        "force_refund",
        "snapshot",
    ]
    for type_ in inner + names:
        async with client(address, path(cup)) as socket:
            await socket.until("snapshot")
            await socket.send(type_, "a")
            assert (await socket.until("error"))["code"] == "unsupported_message_type", type_
            await socket.send("ping", "still-here")
            assert (await socket.until("pong"))["id"] == "still-here"


async def test_abuse_36_nobody_is_in_before_their_token_and_nobody_gets_in_by_a_message(address, cup, holder):
    """The token comes with the request, so there is no open connection that waits for somebody to say who they are."""
    assert await refused(address, f"/ws/tournament/{cup.pk}/") == (4001, "authentication_required")
    async with client(address, path(cup)) as socket:
        await socket.send("hello", "a")
        assert [(await socket.receive())["type"] for _ in range(2)] == ["connection_established", "snapshot"]
        assert (await socket.receive())["code"] == "unsupported_message_type"
    used = issue_room_token(cup.stream, holder)[0]
    async with client(address, with_token(cup, used)) as socket:
        await socket.until("snapshot")
        await socket.send("authenticate", "again", token=used)
        assert await socket.closed() == 4003
