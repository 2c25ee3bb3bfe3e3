"""What one connection, person, address and room may use, over a real server."""

import asyncio
import time
from contextlib import AsyncExitStack

import pytest
from asgiref.sync import sync_to_async
from uvicorn.protocols.utils import ClientDisconnected
from websockets.exceptions import InvalidStatus

from apps.accounts.tokens import Identity, issue_room_token
from apps.tournaments.models import Tournament
from apps.tournaments.realtime.middleware_ratelimit import RateLimitMiddleware
from apps.tournaments.realtime.record import Record
from tests import factories
from tests.rooms import answers, send_pings
from tests.server import ServerProcess, client

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cup(transactional_db: None) -> Tournament:
    return factories.drawn(2)


@pytest.fixture
def holder(transactional_db: None):
    return factories.signed_in(factories.make_user())


def path(cup, holder=None) -> str:
    return f"/ws/tournament/{cup.pk}/?token={issue_room_token(cup.stream, holder)[0]}"


async def at_once(addresses, paths, **options):
    """Open connections at the same time, and hold them until all have an answer. Return the first frames."""
    async with AsyncExitStack() as stack:
        targets = [(addresses[n % len(addresses)], p) for n, p in enumerate(paths)]

        async def one(address, p):
            socket = await stack.enter_async_context(client(address, p, **options))
            return await socket.receive()

        return await asyncio.gather(*(one(*target) for target in targets))


def outcomes(frames):
    kinds = ["in" if f["type"] == "connection_established" else (f["code"], f["close_code"]) for f in frames]
    return {kind: kinds.count(kind) for kind in kinds}


class TestConnections:
    async def test_abuse_43_exactly_so_many_of_one_person(self, address, cup, holder, settings):
        settings.WS_RATE_CONN_PER_USER = 5
        frames = await at_once([address], [path(cup, holder) for _ in range(50)])
        assert outcomes(frames) == {"in": 5, ("connection_limit_exceeded", 4008): 45}
        refusals = [frame for frame in frames if frame["type"] == "error"]
        assert all(5_000 <= frame["retry_after_ms"] < 10_000 for frame in refusals)

    async def test_one_person_does_not_use_up_anothers(self, address, cup, holder, settings):
        settings.WS_RATE_CONN_PER_USER = 1
        other = await sync_to_async(lambda: factories.signed_in(factories.make_user()))()
        frames = await at_once([address], [path(cup, holder), path(cup, other), path(cup), path(cup)])
        assert outcomes(frames) == {"in": 4}

    async def test_exactly_so_many_from_one_address(self, address, cup, settings):
        settings.WS_RATE_CONN_PER_IP = 4
        frames = await at_once([address], [path(cup) for _ in range(7)])
        assert outcomes(frames) == {"in": 4, ("connection_limit_exceeded", 4008): 3}

    async def test_leaving_frees_the_place_and_a_refusal_takes_none(self, address, cup, holder, settings):
        settings.WS_RATE_CONN_PER_USER = 1
        for _ in range(3):
            frames = await at_once([address], [path(cup, holder) for _ in range(3)])
            assert outcomes(frames)["in"] == 1

    async def test_whoever_is_refused_for_another_reason_takes_no_place(self, address, cup, holder, settings):
        settings.WS_RATE_CONN_PER_USER = 1
        gone = f"/ws/tournament/{10**9}/?token={issue_room_token(f'tournament:{10**9}', holder)[0]}"
        async with client(address, gone) as lost:
            assert await lost.closed() == 4404
            async with client(address, path(cup, holder)) as socket:
                assert (await socket.receive())["type"] == "connection_established"

    async def test_abuse_47_exactly_so_many_over_two_processes(self, cup, holder, redis_url):
        # A machine that is busy with other tests must not make a process decide alone.
        limits = {"WS_RATE_CONN_PER_USER": "5", "WS_RATE_ROOM_MAX_MEMBERS": "6", "WS_RATE_REDIS_TIMEOUT": "8"}
        environment = {"REDIS_URL": redis_url} | limits
        with ServerProcess(**environment) as one, ServerProcess(**environment) as two:
            both = [one.address, two.address]
            frames = await at_once(both, [path(cup, holder) for _ in range(12)])
            assert outcomes(frames) == {"in": 5, ("connection_limit_exceeded", 4008): 7}
            for _ in range(2):  # whoever leaves makes room
                frames = await at_once(both, [path(cup) for _ in range(12)])
                assert outcomes(frames) == {"in": 6, ("room_full", 4010): 6}


class TestRooms:
    async def test_a_full_room_takes_nobody_until_somebody_leaves(self, address, cup, settings):
        settings.WS_RATE_ROOM_MAX_MEMBERS = 2
        frames = await at_once([address], [path(cup) for _ in range(5)])
        assert outcomes(frames) == {"in": 2, ("room_full", 4010): 3}
        frames = await at_once([address], [path(cup) for _ in range(2)])
        assert outcomes(frames) == {"in": 2}

    async def test_two_tabs_of_one_person_are_one_member(self, address, cup, holder, settings):
        settings.WS_RATE_ROOM_MAX_MEMBERS = 1
        frames = await at_once([address], [path(cup, holder) for _ in range(3)])
        assert outcomes(frames) == {"in": 3}

    async def test_rooms_are_counted_apart(self, address, cup, settings):
        settings.WS_RATE_ROOM_MAX_MEMBERS = 1
        match = await sync_to_async(factories.match_number)(cup, 1)
        of_match = f"/ws/match/{match.pk}/?token={issue_room_token(match.subject, None)[0]}"
        frames = await at_once([address], [path(cup), of_match])
        assert outcomes(frames) == {"in": 2}


class TestMessages:
    async def test_two_connections_of_one_person_share_a_budget(self, address, cup, holder, settings):
        settings.WS_RATE_MSG_RPS, settings.WS_RATE_MSG_BURST = 0.01, 4
        async with client(address, path(cup, holder)) as one, client(address, path(cup, holder)) as two:
            for socket in (one, two):
                await socket.until("snapshot")
            await send_pings(one, 3)
            assert (await answers(one, 3))[0] == 3
            await send_pings(two, 3)
            assert (await answers(two, 3))[0] == 1

    async def test_an_address_has_a_budget_of_its_own(self, address, cup, settings):
        settings.WS_RATE_MSG_RPS_IP, settings.WS_RATE_MSG_BURST_IP = 0.01, 3
        async with client(address, path(cup)) as one, client(address, path(cup)) as two:
            for socket in (one, two):
                await socket.until("snapshot")
            await send_pings(one, 2)
            await send_pings(two, 2)
            assert (await answers(one, 2))[0] + (await answers(two, 2))[0] == 3

    async def test_abuse_30_a_flood_that_goes_on_ends_the_connection(self, address, cup, settings):
        settings.WS_RATE_MSG_RPS, settings.WS_RATE_MSG_BURST = 0.01, 1
        async with client(address, path(cup)) as socket:
            await socket.until("snapshot")
            await send_pings(socket, 70)
            assert await socket.closed() == 4008

    async def test_what_the_server_sends_is_never_limited(self, address, cup, settings):
        settings.WS_RATE_MSG_RPS, settings.WS_RATE_MSG_BURST = 0.01, 1
        settings.WS_HEARTBEAT_INTERVAL = 0.05
        async with client(address, path(cup)) as socket:
            for _ in range(10):
                await socket.until("ping")


class TestHandshakes:
    async def test_abuse_51_so_many_attempts_a_second_from_one_address_then_429(self, address, cup, settings):
        settings.WS_RATE_HANDSHAKE_RPS_IP, settings.WS_RATE_HANDSHAKE_BURST_IP = 0.01, 3
        for _ in range(3):
            async with client(address, path(cup)) as socket:
                await socket.receive()
        with pytest.raises(InvalidStatus) as refusal:
            async with client(address, path(cup)):
                pass
        assert refusal.value.response.status_code == 429
        assert 95 < int(refusal.value.response.headers["Retry-After"]) <= 100

    async def test_refused_attempts_count_too(self, address, cup, settings):
        settings.WS_RATE_HANDSHAKE_RPS_IP, settings.WS_RATE_HANDSHAKE_BURST_IP = 0.01, 2
        for _ in range(2):
            async with client(address, f"/ws/tournament/{cup.pk}/?token=x") as socket:
                assert await socket.closed() == 4003
        with pytest.raises(InvalidStatus):
            async with client(address, path(cup)):
                pass


async def test_switched_off_nothing_is_limited_but_the_size(address, cup, holder, settings):
    settings.WS_RATE_ENABLED = False
    settings.WS_RATE_CONN_PER_USER = settings.WS_RATE_CONN_PER_IP = settings.WS_RATE_ROOM_MAX_MEMBERS = 0
    settings.WS_RATE_MSG_BURST = settings.WS_RATE_HANDSHAKE_BURST_IP = 0
    async with client(address, path(cup, holder)) as one, client(address, path(cup, holder)) as two:
        await two.until("snapshot")
        for number in range(50):
            await one.send("ping", f"p{number}")
        await one.until("pong")
        await one.socket.send("x" * 16_385)
        assert await one.closed() == 4009


async def test_a_limit_of_zero_lets_nobody_in(address, cup, settings):
    settings.WS_RATE_CONN_PER_IP = 0
    assert outcomes(await at_once([address], [path(cup)])) == {("connection_limit_exceeded", 4008): 1}


class TestBothClose:
    """The consumer and the limits both may close, and neither knows of the other's close at once."""

    async def talk(self, app, *messages: dict) -> list[str]:
        """Run an application behind the limits, with these messages for it. Return the types of what went out."""
        inbox, sent = iter([{"type": "websocket.connect"}, *messages, {"type": "websocket.disconnect"}]), []

        async def receive() -> dict:
            return next(inbox)

        async def send(message: dict) -> None:
            sent.append(message["type"].removeprefix("websocket."))
            if app == self.client_is_gone and sent[-1] == "send":
                raise ClientDisconnected

        guest = Identity("guest:1", "guest", None, session="", expires_at=time.time() + 300, ticket="")
        scope = {
            "identity": guest,
            "record": Record(),
            "room": "tournament:1",
            "client": ("192.0.2.1", 1),
            "headers": [],
        }
        await RateLimitMiddleware(app)(scope, receive, send)
        return sent

    async def consumer_closes(self, scope, receive, send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close"})
        assert (await receive())["type"] == "websocket.disconnect"

    async def consumer_has_more_to_say(self, scope, receive, send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        assert (await receive())["type"] == "websocket.disconnect"
        await send({"type": "websocket.send", "text": "late"})

    async def client_is_gone(self, scope, receive, send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        assert (await receive())["type"] == "websocket.disconnect"

    async def test_after_the_consumers_close_no_message_is_answered(self, settings):
        settings.WS_RATE_MSG_BURST = 0
        message = {"type": "websocket.receive", "text": "x"}
        assert await self.talk(self.consumer_closes, *[message] * 100) == ["accept", "close"]

    async def test_after_the_close_of_the_limits_the_consumer_says_nothing(self):
        message = {"type": "websocket.receive", "text": "x" * 16_385}
        assert await self.talk(self.consumer_has_more_to_say, message) == ["accept", "send", "close"]

    async def test_an_answer_that_finds_nobody_is_no_fault(self, settings):
        settings.WS_RATE_MSG_BURST = 0
        message = {"type": "websocket.receive", "text": "x"}
        assert await self.talk(self.client_is_gone, message) == ["accept", "send"]
