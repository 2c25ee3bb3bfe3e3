"""The parts of a room, each by itself: limits, the way in, broadcasts, the two consumers. No server and no socket."""

import asyncio
import json
import time
from typing import Any

import msgspec
import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from channels.routing import URLRouter
from django.contrib.auth.models import AnonymousUser

from apps.accounts.tokens import Identity
from apps.errors import ErrorCode
from apps.eventlog import log
from apps.tournaments.models import Status, Tournament
from apps.tournaments.realtime.consumers import TournamentConsumer
from apps.tournaments.realtime.drain import DrainMiddleware
from apps.tournaments.realtime.match_consumer import MatchConsumer
from apps.tournaments.realtime.middleware import (
    JWTAuthMiddleware,
    OriginMiddleware,
    RoomMiddleware,
    ScrubMiddleware,
    farewell,
    get_allowed_origins,
    get_origin,
)
from apps.tournaments.realtime.middleware_ratelimit import (
    HandshakeMiddleware,
    Limits,
    RateLimitMiddleware,
    limits,
)
from apps.tournaments.realtime.protocol import CloseCode
from apps.tournaments.realtime.ratelimit import Decision, Limit, Limiter, key
from apps.tournaments.realtime.record import RecordMiddleware
from apps.tournaments.realtime.utils import (
    broadcast_match_event,
    broadcast_tournament_event,
    send_error_to_channel,
    use_loop,
)
from apps.tournaments.selectors.snapshots import match_snapshot
from apps.tournaments.services import Actor, matches
from tests import factories
from tests.asgi import ACCEPT, GONE, Socket, nobody, scope_of
from tests.rooms import token_for
from tests.server import DEADLINE


@pytest.fixture(autouse=True)
def alone(settings) -> None:
    """One process without Redis."""
    settings.REDIS_URL = ""
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    limits.cache_clear()
    yield
    limits.cache_clear()


@pytest.fixture
def cup(transactional_db: None) -> Tournament:
    return factories.drawn(2)


def refusal(code: CloseCode) -> list[dict[str, Any]]:
    """Return what is sent to whoever is refused so that a browser can read it."""
    return [ACCEPT, {"type": "websocket.send", "text": farewell(code)}, {"type": "websocket.close", "code": code}]


# Limits ---------------------------------------------------------------------------------------------------------------


class Echo:
    """Accept, and take messages until the client has gone."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []

    async def __call__(self, scope, receive, send) -> None:
        await receive()
        await send(ACCEPT)
        while not self.received or self.received[-1]["type"] == "websocket.receive":
            self.received.append(await receive())


def message(text: str) -> dict[str, Any]:
    return {"type": "websocket.receive", "text": text}


def person(number: int) -> Identity:
    """Return somebody who is signed in."""
    user = factories.User(pk=number, username=f"user{number}")
    return Identity(f"user:{number}", user.username, user, "session", time.time() + 300, "")


async def test_rate_limiter_initialization(settings):
    own = Limits()
    assert (own.limiter.mode, own.limiter.held, own.leases()) == ("memory", [], {})
    settings.REDIS_URL = "redis://192.0.2.1:6379/0"  # nobody is there: it connects when it is asked
    assert Limits().limiter.mode == "redis"


async def test_connection_rate_limiter_allows_below_limit(settings):
    settings.WS_RATE_CONN_PER_USER = settings.WS_RATE_CONN_PER_IP = settings.WS_RATE_ROOM_MAX_MEMBERS = 2
    scope = scope_of("tournament:7", identity=person(5))
    socket = Socket(RateLimitMiddleware(Echo()), scope)
    assert await socket.sent() == ACCEPT
    held = [(lease.key, lease.member) for lease in limits().limiter.held]
    connection = scope["record"].id
    assert held == [
        ("{ip:192.0.2.1}:connections", connection),
        ("{user:5}:connections", connection),
        ("{room:tournament:7}:seats", "user:5"),
    ]
    socket.give(GONE)
    assert await socket.end() == []


async def test_message_rate_limiter_allows_below_limit(settings):
    settings.WS_RATE_MSG_RPS, settings.WS_RATE_MSG_BURST = 0.01, 5
    room = Echo()
    socket = Socket(RateLimitMiddleware(room), scope_of("tournament:7"))
    messages = [message(f"m{number}") for number in range(4)]
    for each in (*messages, GONE):
        socket.give(each)
    assert await socket.end() == [ACCEPT]
    assert room.received == [*messages, GONE]


async def test_rate_limiter_increment_count():
    counts, sockets = [], []
    for _ in range(2):
        sockets.append(Socket(RateLimitMiddleware(Echo()), scope_of("tournament:7", identity=person(5))))
        assert await sockets[-1].sent() == ACCEPT
        counts.append(limits().leases())
    # A place of the address and one of the person for each connection; the person's seat is held by both.
    assert counts == [{("connections",): 2, ("seats",): 1}, {("connections",): 4, ("seats",): 2}]
    assert (await limits().limiter.room_try_join("tournament:7", "user:5", "c", 1)).count == 1
    await limits().limiter.room_leave("tournament:7", "user:5", "c")
    for socket in sockets:
        socket.give(GONE)
        assert await socket.end() == []


async def test_rate_limiter_decrement_connection(settings):
    settings.WS_RATE_CONN_PER_USER = 1
    for _ in range(3):  # the one place is free again each time
        socket = Socket(RateLimitMiddleware(Echo()), scope_of("tournament:7", identity=person(5)))
        assert await socket.sent() == ACCEPT
        socket.give(GONE)
        assert await socket.end() == []
        assert limits().leases() == {}


async def test_rate_limiter_get_remaining_quota():
    now = 0.0
    limiter, limit = Limiter(clock=lambda: now), Limit(rate=1, burst=5)
    mine = key("user:5", "messages")
    await limiter.take(mine, limit, cost=3)
    assert await limiter.peek(mine, limit) == Decision(allowed=True, remaining=2, retry_after_ms=0)
    now = 1.0
    assert await limiter.peek(mine, limit) == Decision(allowed=True, remaining=3, retry_after_ms=0)
    assert await limiter.peek(key("user:6", "messages"), limit) == Decision(True, 5, 0)
    await limiter.aclose()


# The way in -----------------------------------------------------------------------------------------------------------


def test_middleware_initialization():
    """Cheapest first, and no token left in the scope for whatever stands outside."""
    from deltacrown.asgi import application

    layers, layer = [], application.application_mapping["websocket"]
    while not isinstance(layer, URLRouter):
        layers.append(type(layer))
        layer = layer.app
    assert layers == [
        ScrubMiddleware,
        RecordMiddleware,
        RoomMiddleware,
        DrainMiddleware,
        HandshakeMiddleware,
        OriginMiddleware,
        JWTAuthMiddleware,
        RateLimitMiddleware,
    ]


async def test_middleware_allows_authenticated_connection(cup):
    user = cup.created_by
    token = await sync_to_async(token_for)(cup.stream, user)
    seen = {}

    async def room(scope, receive, send) -> None:
        seen.update(scope)

    scope = scope_of(cup.stream, query_string=f"token={token}&since=e:1".encode())
    assert await Socket(JWTAuthMiddleware(room), scope).end() == []
    assert (seen["identity"].id, seen["user"], seen["record"].user) == (f"user:{user.pk}", user, f"user:{user.pk}")
    assert scope["query_string"] == b"since=e%3A1"


async def test_middleware_rejects_oversized_payload(settings):
    settings.WS_MAX_PAYLOAD_BYTES = 10
    room = Echo()
    socket = Socket(RateLimitMiddleware(room), scope_of("tournament:7"))
    assert await socket.sent() == ACCEPT
    socket.give(message("ééééé"))
    socket.give(message("éééééx"))  # 6 characters, 11 bytes
    too_large = CloseCode.PAYLOAD_TOO_LARGE
    assert await socket.end() == refusal(too_large)[1:]
    assert room.received == [message("ééééé"), {"type": "websocket.disconnect", "code": too_large}]


async def test_middleware_handles_missing_token():
    socket = Socket(JWTAuthMiddleware(nobody), scope_of("tournament:7"))
    assert await socket.end() == refusal(CloseCode.AUTHENTICATION_REQUIRED)


async def test_middleware_handles_malformed_token():
    socket = Socket(JWTAuthMiddleware(nobody), scope_of("tournament:7", query_string=b"token=a.b.c"))
    assert await socket.end() == refusal(CloseCode.FORBIDDEN)


async def test_middleware_handles_expired_token(settings):
    settings.WS_TOKEN_SECONDS = -1 - settings.JWT_LEEWAY_SECONDS
    query = f"token={token_for('tournament:7')}".encode()
    socket = Socket(JWTAuthMiddleware(nobody), scope_of("tournament:7", query_string=query))
    assert await socket.end() == refusal(CloseCode.TOKEN_EXPIRED)


# Broadcasts -----------------------------------------------------------------------------------------------------------


def last_event(stream: str) -> log.Recorded:
    seq = log.positions([stream])[stream].seq
    return log.read(stream, after=seq - 1, limit=1)[0]


@pytest.mark.django_db
def test_broadcast_tournament_event_basic():
    cup = factories.drawn(2)
    done = broadcast_tournament_event(cup.pk, "registration_closed")
    event = last_event(cup.stream)
    assert (done.stream, done.seq, done.ids) == (cup.stream, event.seq, {"tournament_id": cup.pk})
    assert (event.type, event.subject, event.audience) == ("registration_closed", "", "public")
    told = msgspec.json.decode(event.data)["tournament"]
    assert (told["id"], told["name"], told["status"]) == (cup.pk, cup.name, "registration_closed")


@pytest.mark.django_db
def test_broadcast_match_event_basic():
    cup = factories.drawn(2)
    match = factories.match_number(cup, 1)
    matches.start(Actor(cup.created_by), match.pk)
    done = broadcast_match_event(match.pk, "match_started")
    event = last_event(cup.stream)
    assert (done.stream, done.seq, done.ids) == (cup.stream, event.seq, {"match_id": match.pk})
    assert (event.type, event.subject, event.audience) == ("match_started", match.subject, "public")
    assert msgspec.json.decode(event.data) == {"match": match_snapshot(match.pk).data["matches"][str(match.pk)]}


async def test_send_error_to_channel():
    layer = get_channel_layer()
    process = await layer.new_channel("hub")
    use_loop(asyncio.get_running_loop())
    try:
        send_error_to_channel(f"{process}/c1", ErrorCode.CONFLICT, "Too late.")
        async with asyncio.timeout(DEADLINE):
            told = await layer.receive(process)
    finally:
        use_loop(None)
    frame = '{"type":"error","code":"conflict","message":"Too late."}'
    assert told == {"type": "connection.error", "connection": "c1", "frame": frame}


# The consumers --------------------------------------------------------------------------------------------------------


async def welcome_to(cup: Tournament) -> dict[str, Any]:
    """Return what the consumer of a tournament's room says first."""
    socket = Socket(TournamentConsumer.as_asgi(), scope_of(cup.stream))
    assert await socket.sent() == ACCEPT
    frames = [json.loads((await socket.sent())["text"]) for _ in range(2)]
    assert [frame["type"] for frame in frames] == ["connection_established", "snapshot"]
    socket.give(GONE)
    assert await socket.end() == []
    return frames[0]["data"]


async def test_consumer_get_allowed_origins(settings):
    scope = scope_of("tournament:7", headers=[(b"host", b"cup.example:8000")])
    settings.WS_ALLOWED_ORIGINS, settings.SITE_URL = [], ""
    assert get_allowed_origins(scope) == {("http", "cup.example", 8000), ("https", "cup.example", 8000)}
    settings.SITE_URL = "https://cup.example"
    assert get_allowed_origins(scope) == {("https", "cup.example", 443)}
    settings.WS_ALLOWED_ORIGINS = ["http://one.example", "https://TWO.example:444", "not an origin"]
    assert get_allowed_origins(scope) == {("http", "one.example", 80), ("https", "two.example", 444)}


async def test_consumer_get_max_payload_bytes(cup, settings):
    assert settings.WS_MAX_PAYLOAD_BYTES == 16_384
    assert (await welcome_to(cup))["max_payload_bytes"] == 16_384
    settings.WS_MAX_PAYLOAD_BYTES = 1000
    assert (await welcome_to(cup))["max_payload_bytes"] == 1000


async def test_consumer_heartbeat_constants(cup, settings):
    assert (settings.WS_HEARTBEAT_INTERVAL, settings.WS_HEARTBEAT_TIMEOUT) == (25, 50)
    settings.WS_HEARTBEAT_INTERVAL, settings.WS_HEARTBEAT_TIMEOUT = 7, 21
    welcome = await welcome_to(cup)
    assert (welcome["heartbeat_interval"], welcome["heartbeat_timeout"]) == (7, 21)


def test_consumer_get_origin_helper():
    def origin_of(*headers: tuple[bytes, bytes]) -> str | None:
        return get_origin(scope_of("tournament:7", headers=list(headers)))

    mine = (b"origin", b"https://cup.example")
    assert origin_of() is None
    assert origin_of((b"host", b"cup.example"), mine) == "https://cup.example"
    assert origin_of((b"origin", b"")) == ""
    assert origin_of(mine, mine) == "null"


async def test_match_consumer_missing_match_id():
    socket = Socket(RoomMiddleware(nobody), scope_of("match:1", path="/ws/match//"))
    assert await socket.end() == refusal(CloseCode.BAD_REQUEST)


async def test_match_consumer_invalid_match_id(transactional_db):
    """Well written, but no match has it."""
    socket = Socket(MatchConsumer.as_asgi(), scope_of("match:999999999"))
    assert await socket.end() == refusal(CloseCode.NOT_FOUND)


async def test_match_consumer_unauthorized_user(cup):
    """A match of a draft is not there for anybody but the staff."""
    match = await sync_to_async(factories.match_number)(cup, 1)
    await Tournament.objects.filter(pk=cup.pk).aupdate(status=Status.DRAFT)
    stranger = await sync_to_async(factories.make_user)()
    for user in (stranger, match.home.user, AnonymousUser()):
        assert await Socket(MatchConsumer.as_asgi(), scope_of(match.subject, user=user)).end() == refusal(
            CloseCode.NOT_FOUND
        )
    socket = Socket(MatchConsumer.as_asgi(), scope_of(match.subject, user=cup.created_by))
    assert await socket.sent() == ACCEPT
    assert json.loads((await socket.sent())["text"])["data"]["role"] == "organizer"
    socket.give(GONE)
    await socket.end()
