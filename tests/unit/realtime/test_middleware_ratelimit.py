"""What one connection holds and may send, without a server: leases, tickets, budgets, sizes, and who renews them."""

import asyncio
import time
from collections import Counter

import msgspec
import pytest
from prometheus_client import generate_latest

from apps.accounts.models import User
from apps.tournaments.realtime import metrics, middleware_ratelimit
from apps.tournaments.realtime.middleware_ratelimit import (
    FLOOD,
    HandshakeMiddleware,
    Limits,
    RateLimitMiddleware,
    limits,
)
from apps.tournaments.realtime.ratelimit import LEASE_SECONDS, Lease, Limit, Limiter
from apps.tournaments.realtime.ratelimit_redis import RedisBackend
from apps.tournaments.realtime.rooms import RoomName
from tests.unit.realtime.asgi import HTTP_ANSWERS, Application, Wire, guest, scope

PING = {"type": "websocket.receive", "text": '{"type": "ping"}'}
SEATS = "{room:tournament:7}:seats"


@pytest.fixture(autouse=True)
async def fresh(settings):
    settings.REDIS_URL = ""
    limits.cache_clear()
    yield
    assert not limits().limiter.held
    assert limits()._connections == 0
    assert limits()._renewing is None
    limits.cache_clear()


def member(number: int = 7, **fields):
    return guest(f"user:{number}", user=User(pk=number), **fields)


class Connection:
    """A connection that stays open until it is told to leave."""

    def __init__(self, *messages, app=None, **fields) -> None:
        self.app, self.wire, self.scope = app or Application(), Wire(*messages), scope(**fields)
        self.left, self.waiting = asyncio.Event(), asyncio.Event()

    async def receive(self):
        if not self.wire.coming:
            self.waiting.set()
            await self.left.wait()
        return await self.wire.receive()

    async def __aenter__(self):
        self.task = asyncio.create_task(RateLimitMiddleware(self.app)(self.scope, self.receive, self.wire.send))
        waiting = asyncio.create_task(self.waiting.wait())
        async with asyncio.timeout(10):
            await asyncio.wait([self.task, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        return self

    async def __aexit__(self, *_):
        self.left.set()
        await self.task

    @property
    def frames(self):
        """What was written to the client, without the sentences."""
        frames = [msgspec.json.decode(m["text"]) for m in self.wire.sent if m["type"] == "websocket.send"]
        for frame in frames:
            assert frame.pop("message").endswith(".")
        return frames

    @property
    def outcome(self):
        """The error code and the close code, None when it was let in."""
        if self.wire.sent == [{"type": "websocket.accept"}]:
            return None
        accept, _, close = self.wire.sent
        assert accept["type"] == "websocket.accept"
        assert close == {"type": "websocket.close", "code": self.frames[0]["close_code"]}
        return self.frames[0]["code"], close["code"]


async def outcome(**fields):
    async with Connection(**fields) as connection:
        return connection.outcome


def figure(limit: str) -> float:
    return metrics.limited.labels(limit)._value.get()


class TestPlaces:
    async def test_a_connection_holds_its_address_its_person_and_its_seat_until_it_leaves(self, settings):
        settings.WS_RATE_CONN_PER_IP, settings.WS_RATE_CONN_PER_USER, settings.WS_RATE_ROOM_MAX_MEMBERS = 4, 3, 2
        async with Connection(identity=member()) as connection:
            own = connection.scope["record"].id
            held = limits().limiter.held
            assert held == [
                Lease("{ip:198.51.100.1}:connections", own, 4),
                Lease("{user:7}:connections", own, 3),
                Lease(SEATS, "user:7", 2, own),
            ]
            assert [lease.limit for lease in held] == [4, 3, 2]
            assert limits().leases() == Counter({("connections",): 2, ("seats",): 1})
            assert connection.app.scope == {**connection.scope, "gate": connection.app.scope["gate"]}
        assert connection.app.got == [{"type": "websocket.disconnect", "code": 1000}]

    async def test_a_guest_has_no_limit_of_their_own(self):
        async with Connection() as connection:
            own = connection.scope["record"].id
            assert [lease.key for lease in limits().limiter.held] == ["{ip:198.51.100.1}:connections", SEATS]
            assert limits().limiter.held[1] == Lease(SEATS, "guest:1", 0, own)

    @pytest.mark.parametrize(
        ("setting", "limit", "error", "code"),
        [
            ("WS_RATE_CONN_PER_IP", "connections", "connection_limit_exceeded", 4008),
            ("WS_RATE_CONN_PER_USER", "connections", "connection_limit_exceeded", 4008),
            ("WS_RATE_ROOM_MAX_MEMBERS", "seats", "room_full", 4010),
        ],
    )
    async def test_whoever_finds_no_place_is_told_which_and_when_to_come_back(
        self, settings, setting, limit, error, code
    ):
        setattr(settings, setting, 1)
        before = figure(limit)
        whom = (lambda n: member()) if setting == "WS_RATE_CONN_PER_USER" else member
        async with Connection(identity=whom(1)) as first:
            assert first.outcome is None
            waits = []
            for _ in range(40):
                async with Connection(identity=whom(2), subprotocols=["deltacrown.v1"]) as second:
                    assert second.outcome == (error, code)
                    assert second.wire.sent[0]["subprotocol"] == "deltacrown.v1"
                    assert second.app.got == []
                    waits.append(second.frames[0]["retry_after_ms"])
                    assert len(limits().limiter.held) == 3
            assert all(5_000 <= wait < 10_000 for wait in waits)
            assert max(waits) - min(waits) > 1_000
        assert figure(limit) == before + 40
        assert await outcome(identity=whom(2)) is None

    async def test_who_never_accepts_holds_nothing(self):
        async def refuses(scope, receive, send):
            await receive()
            assert limits().limiter.held == []
            await send({"type": "websocket.close", "code": 4404})

        connection = Connection(app=refuses)
        await RateLimitMiddleware(refuses)(connection.scope, connection.receive, connection.wire.send)
        assert connection.wire.sent == [{"type": "websocket.close", "code": 4404}]

    async def test_a_consumer_that_breaks_gives_everything_back(self):
        async def breaks(scope, receive, send):
            await send({"type": "websocket.accept"})
            assert len(limits().limiter.held) == 2
            raise RuntimeError("a bug")

        connection = Connection()
        with pytest.raises(RuntimeError, match="a bug"):
            await RateLimitMiddleware(breaks)(connection.scope, connection.receive, connection.wire.send)

    async def test_switched_off_there_are_no_places_to_take(self, settings):
        settings.WS_RATE_ENABLED = False
        settings.WS_RATE_CONN_PER_IP = settings.WS_RATE_CONN_PER_USER = settings.WS_RATE_ROOM_MAX_MEMBERS = 0
        async with Connection(identity=member()) as connection:
            assert connection.outcome is None
            assert limits().limiter.held == []

    async def test_rooms_and_addresses_are_counted_apart(self, settings):
        settings.WS_RATE_CONN_PER_IP = settings.WS_RATE_ROOM_MAX_MEMBERS = 1
        async with Connection():
            elsewhere = {"client": ("198.51.100.2", 5), "room": RoomName("match", 7), "identity": guest("guest:2")}
            assert await outcome(**elsewhere) is None
            assert await outcome(**elsewhere | {"room": RoomName("tournament", 7)}) == ("room_full", 4010)

    async def test_an_address_that_nobody_knows_is_one_for_all(self, settings):
        settings.WS_RATE_CONN_PER_IP = 1
        async with Connection(client=None):
            assert limits().limiter.held[0].key == "{ip:unknown}:connections"
            assert await outcome(client=None) == ("connection_limit_exceeded", 4008)

    async def test_behind_a_proxy_the_address_is_that_of_the_client(self, settings):
        settings.TRUSTED_PROXIES = ["198.51.100.0/24"]
        async with Connection(headers=[(b"x-forwarded-for", b"203.0.113.9")]):
            assert limits().limiter.held[0].key == "{ip:203.0.113.9}:connections"


class TestTickets:
    async def test_one_opens_one_connection_until_it_has_expired(self):
        limits().limiter = Limiter(clock=lambda: now)
        now, before = 0.0, figure("tickets")
        soon = {"ticket": "t", "expires_at": time.time() + 100}
        assert await outcome(identity=guest(**soon)) is None
        for _ in range(2):
            now += 60
            async with Connection(identity=guest(**soon)) as again:
                assert again.outcome == ("forbidden", 4003)
                assert "retry_after_ms" not in again.frames[0]
                assert limits().limiter.held == []
        assert figure("tickets") == before + 2
        assert await outcome(identity=guest(**soon | {"ticket": "other"})) is None

    async def test_it_stays_used_for_as_long_as_it_could_be_read(self, settings):
        """Its lifetime, what clocks may differ by, and a second."""
        settings.JWT_LEEWAY_SECONDS = 30
        now = 0.0
        limiter = limits().limiter = Limiter(clock=lambda: now)
        async with Connection(identity=guest(ticket="t", expires_at=time.time() + 100)):
            name = "{ticket:t}:use"
            left = limiter._memory._full_at[name] / 1_000_000
            assert 125 < left <= 131

    async def test_one_past_its_time_is_used_up_for_a_moment(self, settings):
        settings.JWT_LEEWAY_SECONDS = 30
        limiter = limits().limiter = Limiter(clock=lambda: 0.0)
        async with Connection(identity=guest(ticket="t", expires_at=time.time() - 1000)):
            assert limiter._memory._full_at["{ticket:t}:use"] == 1_000_000

    async def test_what_is_no_ticket_opens_as_many_as_it_likes(self):
        for _ in range(3):
            assert await outcome(identity=guest(ticket="")) is None

    async def test_whoever_found_no_place_can_come_back_with_the_same(self, settings):
        ticket = guest(ticket="t", expires_at=time.time() + 100)
        settings.WS_RATE_ROOM_MAX_MEMBERS = 0
        assert await outcome(identity=ticket) == ("room_full", 4010)
        settings.WS_RATE_ROOM_MAX_MEMBERS = 1
        assert await outcome(identity=ticket) is None


class TestMessages:
    async def test_what_is_within_the_budget_passes_as_it_is(self, settings):
        settings.WS_RATE_MSG_RPS, settings.WS_RATE_MSG_BURST = 0.01, 2
        before = figure("messages")
        async with Connection(PING, PING, PING, PING) as connection:
            assert connection.app.got == [PING, PING]
            assert [(f["type"], f["code"]) for f in connection.frames] == [("error", "rate_limited")] * 2
            assert all(99_000 < f["retry_after_ms"] <= 100_000 and "close_code" not in f for f in connection.frames)
        assert figure("messages") == before + 2

    async def test_an_address_has_a_budget_beside_each_persons(self, settings):
        settings.WS_RATE_MSG_RPS_IP, settings.WS_RATE_MSG_BURST_IP = 0.01, 3
        async with Connection(PING, PING) as one, Connection(PING, PING, identity=guest("guest:2")) as two:
            assert (len(one.app.got), len(two.app.got)) == (2, 1)
            assert 99_000 < two.frames[0]["retry_after_ms"] <= 100_000
        async with Connection(PING, client=("198.51.100.2", 5)) as elsewhere:
            assert elsewhere.app.got == [PING]

    async def test_a_person_has_one_budget_wherever_they_come_from(self, settings):
        settings.WS_RATE_MSG_RPS, settings.WS_RATE_MSG_BURST = 0.01, 1
        async with Connection(PING) as one, Connection(PING, client=("198.51.100.2", 5)) as two:
            assert (len(one.app.got), len(two.app.got)) == (1, 0)

    async def test_a_flood_ends_the_connection(self, settings):
        settings.WS_RATE_MSG_BURST = 0
        async with Connection(*[PING] * (FLOOD + 5)) as connection:
            assert [f["code"] for f in connection.frames] == ["rate_limited"] * (FLOOD + 1)
            assert [f.get("close_code") for f in connection.frames] == [None] * FLOOD + [4008]
            assert connection.frames[0]["retry_after_ms"] == 3_600_000
            assert connection.wire.sent[-1] == {"type": "websocket.close", "code": 4008}
            assert connection.app.got == [{"type": "websocket.disconnect", "code": 4008}]
        assert FLOOD == 60

    async def test_only_refusals_in_a_row_are_a_flood(self, settings):
        settings.WS_RATE_MSG_RPS, settings.WS_RATE_MSG_BURST = 1, 1
        now, later = 0.0, dict(PING)
        limits().limiter = Limiter(clock=lambda: now)

        class Patient(Connection):
            async def receive(self):
                nonlocal now
                message = await super().receive()
                now += message is later
                return message

        async with Patient(PING, *[PING] * FLOOD, later, *[PING] * FLOOD, later) as connection:
            assert connection.app.got == [PING, later, later]
            assert len(connection.frames) == 2 * FLOOD
            assert not any("close_code" in frame for frame in connection.frames)

    async def test_budgets_are_named_after_whose_they_are(self):
        async with Connection(PING), Connection(PING, identity=member()):
            names = limits().limiter._memory._full_at.keys()
            assert names == {"{guest:1}:messages", "{user:7}:messages", "{ip:198.51.100.1}:messages"}

    @pytest.mark.parametrize(
        ("message", "passes"),
        [
            ({"text": "x" * 10}, True),
            ({"text": "x" * 11}, False),
            ({"text": "é" * 5}, True),
            ({"text": "é" * 5 + "x"}, False),
            ({"text": "\ud800" * 3}, True),
            ({"text": "\ud800" * 4}, False),
            ({"text": ""}, True),
            ({"bytes": b"x" * 10}, True),
            ({"bytes": b"x" * 11}, False),
            ({"bytes": b"x" * 11, "text": None}, False),
            ({"bytes": None, "text": "x"}, True),
            ({"text": "", "bytes": b"x" * 11}, True),
            ({"bytes": None}, True),
            ({}, True),
        ],
    )
    async def test_a_message_is_as_large_as_its_bytes(self, settings, message, passes):
        settings.WS_MAX_PAYLOAD_BYTES = 10
        message = {"type": "websocket.receive"} | message
        async with Connection(message) as connection:
            if passes:
                assert connection.app.got == [message]
                assert connection.frames == []
            else:
                assert connection.app.got == [{"type": "websocket.disconnect", "code": 4009}]
                assert connection.frames == [{"type": "error", "code": "payload_too_large", "close_code": 4009}]
                assert connection.wire.sent[-1] == {"type": "websocket.close", "code": 4009}

    async def test_a_message_of_nothing_has_no_size(self, settings):
        settings.WS_MAX_PAYLOAD_BYTES = 0
        async with Connection({"type": "websocket.receive"}) as connection:
            assert connection.app.got == [{"type": "websocket.receive"}]

    async def test_switched_off_only_the_size_counts(self, settings):
        settings.WS_RATE_ENABLED = False
        settings.WS_RATE_MSG_BURST = settings.WS_RATE_MSG_BURST_IP = 0
        async with Connection(*[PING] * 100) as connection:
            assert connection.app.got == [PING] * 100

    async def test_what_the_server_sends_passes_as_it_is(self):
        sent = [{"type": "websocket.send", "text": "x"}, {"type": "websocket.close", "code": 4003}]

        async def says(scope, receive, send):
            for message in sent:
                await send(message)

        connection = Connection()
        await RateLimitMiddleware(says)(connection.scope, connection.receive, connection.wire.send)
        assert connection.wire.sent == sent


class TestHandshakes:
    async def attempt(self, **fields) -> list[dict]:
        app, wire, given = Application(), Wire(), scope(**fields)
        await HandshakeMiddleware(app)(given, wire.receive, wire.send)
        assert (app.scope is given) == (wire.sent == [{"type": "websocket.accept"}])
        assert wire.coming == []
        return wire.sent

    async def test_so_many_from_one_address_then_429(self, settings):
        settings.WS_RATE_HANDSHAKE_RPS_IP, settings.WS_RATE_HANDSHAKE_BURST_IP = 0.0101, 2
        before = figure("handshakes")
        for _ in range(2):
            assert await self.attempt() == [{"type": "websocket.accept"}]
        assert await self.attempt(extensions=HTTP_ANSWERS) == [
            {"type": "websocket.http.response.start", "status": 429, "headers": [(b"retry-after", b"100")]},
            {"type": "websocket.http.response.body", "body": b""},
        ]
        assert await self.attempt(extensions={}) == [{"type": "websocket.close"}]
        assert figure("handshakes") == before + 2
        assert await self.attempt(client=("198.51.100.2", 5)) == [{"type": "websocket.accept"}]
        assert limits().handshakes._full_at.keys() == {"{ip:198.51.100.1}:handshakes", "{ip:198.51.100.2}:handshakes"}

    async def test_a_server_that_cannot_answer_in_http_closes(self, settings):
        settings.WS_RATE_HANDSHAKE_BURST_IP = 0
        wire, given = Wire(), scope()
        del given["extensions"]
        await HandshakeMiddleware(Application())(given, wire.receive, wire.send)
        assert wire.sent == [{"type": "websocket.close"}]

    async def test_switched_off_they_are_not_counted(self, settings):
        settings.WS_RATE_ENABLED, settings.WS_RATE_HANDSHAKE_BURST_IP = False, 0
        assert await self.attempt() == [{"type": "websocket.accept"}]


class TestRenewing:
    async def test_leases_last_as_long_as_their_connection(self, monkeypatch):
        monkeypatch.setattr(middleware_ratelimit, "RENEW_SECONDS", 0.001)
        now, renewed = 0.0, asyncio.Event()

        class Watched(Limiter):
            async def renew(self):
                await super().renew()
                renewed.set()

        limiter = limits().limiter = Watched(clock=lambda: now)
        async with Connection() as connection:
            for _ in range(3):
                now += 50
                for _ in range(2):  # the first may have begun before
                    renewed.clear()
                    async with asyncio.timeout(10):
                        await renewed.wait()
            assert (await limiter.lease(Lease(SEATS, "nobody", 0))).count == 1
            renewing = limits()._renewing
            async with Connection(identity=guest("guest:2")):
                pass
            assert limits()._renewing is renewing
            assert not renewing.done()
            connection.left.set()
        await asyncio.wait([renewing])
        assert renewing.cancelled()

    async def test_leases_are_not_renewed_all_the_time(self):
        now = 0.0
        limiter = limits().limiter = Limiter(clock=lambda: now)
        async with Connection():
            now += 10
            for _ in range(50):
                await asyncio.sleep(0)
            assert max(limiter._memory._expiry.values()) == LEASE_SECONDS * 1_000_000

    async def test_the_last_to_leave_closes_what_was_open_for_all(self):
        closed = []

        async def aclose():
            closed.append(len(limits().limiter.held))

        limits().limiter.aclose = aclose
        async with Connection():
            async with Connection(identity=guest("guest:2")):
                pass
            assert closed == []
        assert closed == [0]

    async def test_a_refusal_of_the_only_one_leaves_nothing_running(self, settings):
        settings.WS_RATE_CONN_PER_IP = 0
        assert await outcome() == ("connection_limit_exceeded", 4008)

    async def test_who_is_cancelled_while_it_waits_for_a_place_is_not_counted(self):
        class Stuck:
            async def lease(self, lease):
                await asyncio.Event().wait()

            def release(self, leases):
                pass

            async def aclose(self):
                pass

        own = Limits()
        own.limiter = Limiter(Stuck())
        acquiring = asyncio.create_task(own.acquire([Lease("k", "m", 1)]))
        await asyncio.sleep(0)
        assert own._connections == 1
        acquiring.cancel()
        await asyncio.wait([acquiring])
        assert acquiring.cancelled()
        assert own._connections == 0


class TestProcess:
    def test_without_redis_it_is_alone(self, settings):
        assert Limits().limiter.mode == "memory"
        assert limits() is limits()

    async def test_with_redis_it_shares(self, settings):
        settings.REDIS_URL, settings.WS_RATE_REDIS_TIMEOUT = "redis://127.0.0.1:1/0", 3.5
        settings.WS_RATE_PROCESSES = 4
        limiter = Limits().limiter
        assert limiter.mode == "redis"
        assert isinstance(limiter._shared, RedisBackend)
        assert limiter._shared._timeout_s == 3.5
        assert limiter._shared._url == settings.REDIS_URL
        # Nobody is at that address: this process alone gives a quarter.
        assert (await limiter.take("m", Limit(1, 8))).remaining == 1
        await limiter.aclose()

    async def test_the_page_of_figures_says_what_is_held_and_who_decides(self):
        async with Connection(identity=member()):
            text = generate_latest().decode()
        assert 'rt_leases{limit="connections"} 2.0' in text
        assert 'rt_leases{limit="seats"} 1.0' in text
        assert 'rt_limits_mode{mode="memory"} 1.0' in text
