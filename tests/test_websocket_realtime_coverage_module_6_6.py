"""A room under clients that err, leave, flood and fall silent: a real server on a real port, real WebSockets."""

import asyncio
import json
import logging
import time

import pytest
from asgiref.sync import sync_to_async

from apps.eventlog import log
from apps.tournaments.models import Match, Tournament
from apps.tournaments.realtime.hub import hub
from apps.tournaments.realtime.middleware_ratelimit import limits
from apps.tournaments.services import Actor, matches
from engine.match_flow import Score
from tests import factories
from tests.rooms import answers, open_room, path, refused, send_pings
from tests.server import client, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("every_score")]


@pytest.fixture
def cup(transactional_db: None) -> Tournament:
    return factories.drawn(2)


@pytest.fixture
def live(cup: Tournament) -> Match:
    """The match of the cup, being played."""
    match = factories.match_number(cup, 1)
    matches.start(Actor(cup.created_by), match.pk)
    return factories.match_number(cup, 1)


@sync_to_async
def score(match: Match, home: int) -> int:
    """Let the home side score up to `home`, and return the event's seq."""
    return matches.update_score(Actor(match.tournament.created_by), match.pk, Score(home, 0)).seq


async def becomes_true(condition) -> None:
    """Wait for the server's thread while the client's loop runs on."""
    await asyncio.to_thread(wait_for, condition)


# Who is not let in ----------------------------------------------------------------------------------------------------


async def test_connection_without_tournament_id(address):
    assert await refused(address, "/ws/tournament//?token=x") == (4000, "bad_request")


async def test_connection_with_anonymous_user(address, cup):
    assert await refused(address, f"/ws/tournament/{cup.pk}/") == (4001, "authentication_required")


async def test_connection_with_malformed_jwt_token(address, cup):
    assert await refused(address, f"/ws/tournament/{cup.pk}/?token=nonsense") == (4003, "forbidden")


async def test_connection_with_expired_jwt_token(address, cup, settings):
    settings.WS_TOKEN_SECONDS = -31  # beyond the leeway
    assert await refused(address, await path(cup.stream)) == (4002, "token_expired")


async def test_invalid_origin_rejection(address, cup):
    origin = {"Origin": "https://evil.example"}
    assert await refused(address, await path(cup.stream), additional_headers=origin) == (4003, "forbidden")


async def test_oversized_payload_rejection(address, cup):
    """16,384 bytes pass, in one piece or in two; one more is too large."""

    def ping(size: int) -> str:
        frame = json.dumps({"type": "ping", "id": "x"})
        return frame[:-1] + " " * (size - len(frame)) + "}"

    async with client(address, await path(cup.stream)) as socket:
        await socket.socket.send(ping(16384))
        assert (await socket.until("pong"))["id"] == "x"
        await socket.socket.send([ping(16384)[:9000], ping(16384)[9000:]])
        await socket.until("pong")
        await socket.socket.send(ping(16385))
        error = await socket.until("error")
        assert (error["code"], await socket.closed()) == ("payload_too_large", 4009)


async def test_invalid_message_schema(address, cup, live):
    async with client(address, await path(live.subject, cup.created_by)) as socket:
        await open_room(socket)
        await socket.send("update_score", "a", home_score=1)
        error = await socket.receive()
        message = "The fields do not fit this type of message: one is missing, unknown, or out of range."
        assert error == {"type": "error", "code": "invalid_schema", "message": message, "id": "a"}
        await socket.send("ping", "still-here")
        assert (await socket.receive())["id"] == "still-here"
    assert (await Match.objects.aget(pk=live.pk)).version == live.version


async def test_permission_denied_for_privileged_action(address, cup, live):
    before = await sync_to_async(log.positions)([cup.stream])
    player = (await sync_to_async(factories.match_number)(cup, 1)).home.user
    async with client(address, await path(live.subject, player)) as socket:
        welcome, _ = await open_room(socket)
        assert welcome["role"] == "player"
        await socket.send("update_score", "mine", home_score=9, away_score=0)
        error = await socket.receive()
        assert (error["type"], error["code"], error["id"]) == ("error", "permission_denied", "mine")
    assert await sync_to_async(log.positions)([cup.stream]) == before
    assert (await Match.objects.aget(pk=live.pk)).home_score == 0


# Coming and going, many at once ---------------------------------------------------------------------------------------


async def test_abrupt_disconnect_cleanup(address, cup, live, caplog):
    caplog.set_level(logging.INFO)
    async with client(address, await path(cup.stream)) as stays, client(address, await path(live.subject)) as vanishes:
        await open_room(stays)
        await open_room(vanishes)
        assert limits().leases() == {("connections",): 2, ("seats",): 2}
        vanishes.socket.transport.abort()
        await becomes_true(lambda: limits().leases() == {("connections",): 1, ("seats",): 1})
        assert len(hub.connections) == 1
        assert [room.subject for room in hub.feeds[cup.stream].rooms] == [""]
        await becomes_true(lambda: len(closings(caplog)) == 1)
        (closing,) = closings(caplog)
        assert (closing["code"], closing["initiator"], closing["room"]) == (1006, "client", live.subject)
        assert [event["seq"] for event in await stays.events_until(await score(live, 1))] == [stays.mine]


def closings(caplog) -> list[dict]:
    """Return what was logged of connections that ended."""
    lines = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    return [line for line in lines if line["event"] == "connection_closed"]


async def test_rapid_reconnection(address, cup, live):
    """Who comes back twenty times at once gets, each time, exactly what happened meanwhile."""
    async with client(address, await path(cup.stream)) as socket:
        _, snapshot = await open_room(socket)
    mine = snapshot["seq"]
    for goals in range(1, 21):
        seq = await score(live, goals)
        async with client(address, await path(cup.stream, since=f"{snapshot['epoch']}:{mine}")) as socket:
            assert (await socket.receive())["data"]["resumed"] is True
            socket.mine = mine
            event = await socket.next_event()
            assert (event["prev"], event["seq"], event["data"]["match"]["home_score"]) == (mine, seq, goals)
            mine = socket.mine
    await becomes_true(lambda: not hub.connections)


async def test_concurrent_connections_same_user(address, cup, live):
    user = cup.created_by
    async with (
        client(address, await path(cup.stream, user)) as one,
        client(address, await path(cup.stream, user)) as two,
        client(address, await path(cup.stream, user)) as three,
    ):
        for socket in (one, two, three):
            welcome, _ = await open_room(socket)
            assert welcome["user_id"] == f"user:{user.pk}"
        seq = await score(live, 1)
        for socket in (one, two, three):
            assert [event["seq"] for event in await socket.events_until(seq)] == [seq]
        await two.socket.close()
        await becomes_true(lambda: len(hub.connections) == 2)
        seq = await score(live, 2)
        for socket in (one, three):
            assert [event["seq"] for event in await socket.events_until(seq)] == [seq]


async def test_rapid_message_burst(address, cup, settings):
    """What is over the burst is dropped, with the time to wait; the connection stays."""
    settings.WS_RATE_MSG_RPS, settings.WS_RATE_MSG_BURST = 0.01, 5
    async with client(address, await path(cup.stream)) as socket:
        await open_room(socket)
        await send_pings(socket, 8)
        pongs, refusals = await answers(socket, 8)
        assert pongs == 5
        assert [r["code"] for r in refusals] == ["rate_limited"] * 3
        assert all(90_000 < r["retry_after_ms"] <= 100_000 and "close_code" not in r for r in refusals)
        await score_reaches(socket, cup)


async def score_reaches(socket, cup: Tournament) -> None:
    """See that the server's own messages still come."""
    match = await sync_to_async(factories.match_number)(cup, 1)
    seq = (await sync_to_async(matches.start)(Actor(cup.created_by), match.pk)).seq
    assert (await socket.events_until(seq))[-1]["type"] == "match_started"


async def test_rate_limit_recovery_after_cooldown(address, cup, settings):
    settings.WS_RATE_MSG_RPS, settings.WS_RATE_MSG_BURST = 1, 1
    async with client(address, await path(cup.stream)) as socket:
        await open_room(socket)
        await send_pings(socket, 2)
        pongs, (refusal,) = await answers(socket, 2)
        assert pongs == 1
        await asyncio.sleep(refusal["retry_after_ms"] / 1000)
        await socket.send("ping", "after")
        assert (await socket.receive())["id"] == "after"


async def test_different_users_independent_rate_limits(address, cup, settings):
    settings.WS_RATE_MSG_RPS, settings.WS_RATE_MSG_BURST = 0.01, 4
    users = [await sync_to_async(factories.make_user)() for _ in range(2)]
    async with (
        client(address, await path(cup.stream, users[0])) as one,
        client(address, await path(cup.stream, users[1])) as other,
    ):
        for socket in (one, other):
            await open_room(socket)
        await send_pings(one, 6)
        assert (await answers(one, 6))[0] == 4
        await send_pings(other, 4)
        assert (await answers(other, 4))[0] == 4


async def test_room_isolation_no_cross_tournament_broadcast(address, cup, live):
    other = await sync_to_async(factories.drawn)(2)
    other_match = await sync_to_async(factories.match_number)(other, 1)
    rooms = (cup.stream, live.subject, other.stream, other_match.subject)
    async with (
        client(address, await path(rooms[0])) as here,
        client(address, await path(rooms[1])) as here_match,
        client(address, await path(rooms[2])) as there,
        client(address, await path(rooms[3])) as there_match,
    ):
        for socket in (here, here_match, there, there_match):
            await open_room(socket)
        for goals in range(1, 6):
            seq = await score(live, goals)
        for socket in (here, here_match):
            assert len(await socket.events_until(seq)) == 5
        began = there.mine
        seq = (await sync_to_async(matches.start)(Actor(other.created_by), other_match.pk)).seq
        for socket in (there, there_match):
            # The very next frames: nothing of the other tournament came before them.
            first, second = await socket.receive(), await socket.receive()
            assert [first["type"], second["type"]] == ["tournament_started", "match_started"]
            assert (first["seq"], second["prev"], second["seq"]) == (began + 1, began + 1, seq)


# Heartbeats and closing -----------------------------------------------------------------------------------------------


def the_connection():
    """Return the server's side of the only connection."""
    (connection,) = hub.connections
    return connection


def seconds_silent(connection) -> float:
    return time.monotonic() - connection.heard_at  # what the event loop's clock counts too


async def test_server_sends_ping_automatically(address, cup, settings):
    settings.WS_HEARTBEAT_INTERVAL = 0.1
    before = time.time() * 1000
    async with client(address, await path(cup.stream)) as socket:
        await socket.until("snapshot")
        frames = [await socket.receive() for _ in range(3)]  # nothing was sent from here
    assert [frame["type"] for frame in frames] == ["ping"] * 3
    stamps = [frame["timestamp"] for frame in frames]
    assert stamps == sorted(set(stamps))
    assert before - 1000 < stamps[0] <= stamps[-1] <= time.time() * 1000


async def test_client_pong_response_resets_timeout(address, cup, settings):
    settings.WS_HEARTBEAT_INTERVAL = 0.1
    async with client(address, await path(cup.stream)) as socket:
        await socket.until("snapshot")
        connection = the_connection()
        for _ in range(3):  # more silence in all than is allowed in one piece
            connection.heard_at -= settings.WS_HEARTBEAT_TIMEOUT - 10
            await socket.until("ping")
            await socket.send("pong")
            await becomes_true(lambda: seconds_silent(connection) < 10)
        await socket.send("ping", "still-here")
        assert (await socket.until("pong"))["id"] == "still-here"


async def test_heartbeat_timeout_disconnects_client(address, cup, settings):
    settings.WS_HEARTBEAT_INTERVAL = 0.1
    async with client(address, await path(cup.stream)) as socket:
        await socket.until("snapshot")
        the_connection().heard_at -= settings.WS_HEARTBEAT_TIMEOUT
        error = await socket.until("error")
        assert (error["code"], error["close_code"]) == ("bad_request", 4004)
        assert await socket.closed() == 4004


async def test_graceful_close_with_custom_code(address, cup, caplog):
    caplog.set_level(logging.INFO)
    async with client(address, await path(cup.stream)) as socket:
        await open_room(socket)
        await socket.socket.close(code=4321, reason="done")
        assert (socket.socket.close_code, socket.socket.close_reason) == (4321, "done")
    await becomes_true(lambda: len(closings(caplog)) == 1)
    (closing,) = closings(caplog)
    assert (closing["code"], closing["initiator"], closing["resumed"]) == (4321, "client", False)


async def test_heartbeat_task_cancellation_on_disconnect(address, cup):
    async with client(address, await path(cup.stream)) as last:
        await open_room(last)
        async with client(address, await path(cup.stream)) as first:
            await open_room(first)
        await becomes_true(lambda: len(hub.connections) == 1)
        tasks = list(hub._tasks)
        assert "Hub._sweep" in [task.get_coro().__qualname__ for task in tasks]
        assert not any(task.done() for task in tasks)
    await becomes_true(lambda: all(task.cancelled() for task in tasks))
    assert hub._tasks == []
