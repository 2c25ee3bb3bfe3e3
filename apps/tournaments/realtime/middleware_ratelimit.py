"""
What one connection, person, address and room may use: handshakes, connections, seats, messages, bytes.

`HandshakeMiddleware` stands before anything that costs something. `RateLimitMiddleware` stands next to the consumer:
connections and seats are taken when the consumer accepts, so whoever is refused before costs no place, and whoever is
refused here gets an answer that a browser can read. The server's own messages are never limited.
"""

import asyncio
import random
from collections import Counter as Tally
from contextlib import suppress
from functools import cache
from http import HTTPStatus
from time import time
from typing import Any, NoReturn

import structlog
from django.conf import settings
from msgspec import UNSET, UnsetType

from apps.accounts.tokens import Identity
from apps.errors import ErrorCode
from apps.tournaments.realtime import metrics
from apps.tournaments.realtime.farewell import farewell, refuse_in_http
from apps.tournaments.realtime.middleware import App, Scope, accepted_subprotocol
from apps.tournaments.realtime.protocol import CloseCode, ErrorFrame, encode
from apps.tournaments.realtime.ratelimit import (
    RENEW_SECONDS,
    Decision,
    Lease,
    Limit,
    Limiter,
    MemoryBackend,
    key,
    seat_in,
)
from apps.tournaments.realtime.ratelimit_redis import RedisBackend
from apps.tournaments.realtime.record import Record

logger = structlog.get_logger(__name__)

RETRY_MS = 5_000  # how long whoever found no place waits at least; the same again at random spreads them
FLOOD = 60  # messages refused in a row, after which nobody believes in a mistake any more


class Limits:
    """The limiter of this process, and the leases of its connections while there are any."""

    def __init__(self) -> None:
        redis = (
            RedisBackend(settings.REDIS_URL, timeout_s=settings.WS_RATE_REDIS_TIMEOUT) if settings.REDIS_URL else None
        )
        self.limiter = Limiter(redis, processes=settings.WS_RATE_PROCESSES)
        self.handshakes = MemoryBackend()
        self._connections = 0
        self._renewing: asyncio.Task[None] | None = None

    async def acquire(self, leases: list[Lease]) -> Lease | None:
        """Take the places of a connection, all or none. Return the one that was not free."""
        self._connections += 1
        try:
            refused = await self.limiter.lease_all(leases)
        except BaseException:
            self._connections -= 1
            raise
        if refused is not None:
            await self._leave()
        elif self._renewing is None:
            self._renewing = asyncio.create_task(self._renew())
        return refused

    async def release(self, leases: list[Lease]) -> None:
        await self.limiter.release(leases)
        await self._leave()

    async def redeem(self, identity: Identity) -> bool:
        """Use up a ticket. Return whether it was good; what is no ticket is good as long as it lasts."""
        if not identity.ticket:
            return True
        lifetime = max(identity.expires_at + settings.JWT_LEEWAY_SECONDS - time(), 0) + 1
        # A bucket that is full again when the token has expired.
        once = await self.limiter.take(key(f"ticket:{identity.ticket}", "use"), Limit(1 / lifetime, 1))
        return once.allowed

    async def _leave(self) -> None:
        """Keep nothing running or connected for nobody."""
        self._connections -= 1
        if self._connections:
            return
        if self._renewing is not None:
            self._renewing.cancel()
            self._renewing = None
        await self.limiter.aclose()

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            await self.limiter.renew()

    def leases(self) -> Tally[tuple[str, ...]]:
        """Return how many leases are held, by what they are for."""
        return Tally((lease.key.rpartition(":")[2],) for lease in self.limiter.held)


@cache
def limits() -> Limits:
    """Return the limits of this process."""
    return Limits()


metrics.gauges.add("rt_leases", "Places held by connections.", ("limit",), lambda: limits().leases())
metrics.gauges.add(
    "rt_limits_mode",
    "Who decides on limits: 1 for the present mode.",
    ("mode",),
    lambda: Tally([(limits().limiter.mode,)]),
)


class HandshakeMiddleware:
    """So many attempts to connect a second from one address; more are refused in HTTP, before a token is looked at."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if settings.WS_RATE_ENABLED:
            limit = Limit(settings.WS_RATE_HANDSHAKE_RPS_IP, settings.WS_RATE_HANDSHAKE_BURST_IP)
            decision = limits().handshakes.take_now(key(f"ip:{scope['record'].address}", "handshakes"), limit)
            if not decision.allowed:
                metrics.limited.labels("handshakes").inc()
                wait = -(-decision.retry_after_ms // 1000)
                await refuse_in_http(scope, receive, send, HTTPStatus.TOO_MANY_REQUESTS, retry_after_s=wait)
                return
        await self.app(scope, receive, send)


class RateLimitMiddleware:
    """Leases for the connection, a seat in the room, a budget of messages, a size for each of them."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        guard = _Guard(scope, receive, send)
        try:
            await self.app({**scope, "gate": guard.gate}, guard.receive, guard.send)
        except _Refused:
            pass
        finally:
            if not guard.record.rests:
                await guard.place.leave()


class _Refused(Exception):
    """Ends the consumer that accepted a connection for which there was no place."""


class Gate:
    """What one connection may say, and how often in a row it was refused. In scope["gate"]."""

    __slots__ = ("_ip_bucket", "_own_bucket", "_refusals")

    def __init__(self, own_bucket: str, ip_bucket: str) -> None:
        self._own_bucket, self._ip_bucket = own_bucket, ip_bucket
        self._refusals = 0

    async def judge(self, data: str | bytes) -> str | CloseCode | None:
        """Return what is to be said instead of taking a message, or with what to close; None when it may pass."""
        if _size(data) > settings.WS_MAX_PAYLOAD_BYTES:
            return CloseCode.PAYLOAD_TOO_LARGE
        decision = await self._budget()
        if decision is None:
            self._refusals = 0
            return None
        self._refusals += 1
        metrics.limited.labels("messages").inc()
        if self._refusals > FLOOD:
            return CloseCode.RATE_LIMITED
        text = "Too many messages; this one was dropped. Send it again after the time given."
        return encode(ErrorFrame(code=ErrorCode.RATE_LIMITED, message=text, retry_after_ms=decision.retry_after_ms))

    async def _budget(self) -> Decision | None:
        """Take a message from the budgets of person and address. Return the refusal, None when both allow it."""
        if not settings.WS_RATE_ENABLED:
            return None
        decision = await limits().limiter.take_each(
            (
                (self._own_bucket, _limit(settings.WS_RATE_MSG_RPS, settings.WS_RATE_MSG_BURST)),
                (self._ip_bucket, _limit(settings.WS_RATE_MSG_RPS_IP, settings.WS_RATE_MSG_BURST_IP)),
            )
        )
        return None if decision.allowed else decision


class _Place:
    """The leases of one connection, from its acceptance on."""

    __slots__ = ("_leases",)

    def __init__(self) -> None:
        self._leases: list[Lease] | None = None

    async def take(self, leases: list[Lease]) -> Lease | None:
        """Take all leases or none. Return the one that was not free."""
        refused = await limits().acquire(leases)
        if refused is None:
            self._leases = leases
        return refused

    async def leave(self) -> None:
        leases, self._leases = self._leases, None
        if leases is not None:
            await limits().release(leases)


class _Guard:
    """One connection at the door, and after it where the server leaves messages to the application."""

    def __init__(self, scope: Scope, receive: Any, send: Any) -> None:
        self.scope, self._receive, self._send = scope, receive, send
        self.identity: Identity = scope["identity"]
        self.record: Record = scope["record"]
        self.place = _Place()
        self.closed = False
        self.sending = asyncio.Lock()
        ip = self.record.address
        self.ip_lease = key(f"ip:{ip}", "connections")
        self.gate = Gate(key(self.identity.id, "messages"), key(f"ip:{ip}", "messages"))

    async def send(self, message: dict[str, Any]) -> None:
        """Pass on what is sent, but nothing after a close: consumer and guard may both close, and not know it yet."""
        async with self.sending:  # a slow client lets several wait, and the close must be the last of them
            if self.closed:
                return
            if message["type"] == "websocket.accept":
                await self._take_place()
            self.closed = message["type"] == "websocket.close"
            await self._send(message)

    async def receive(self) -> dict[str, Any]:
        """Return the next message that may pass. What may not is answered here."""
        while True:
            message: dict[str, Any] = await self._receive()
            if message["type"] != "websocket.receive":
                return message
            if self.closed:
                continue
            text = message.get("text")
            match await self.gate.judge(message.get("bytes") or b"" if text is None else text):
                case None:
                    return message
                case CloseCode() as code:
                    return await self._close(code)
                case str() as answer:
                    with suppress(OSError):  # the client has gone, as the next message says
                        await self.send({"type": "websocket.send", "text": answer})

    async def _take_place(self) -> None:
        """Take the connection's leases, then its ticket: whoever finds no place can come back with the same one."""
        leases = self._leases() if settings.WS_RATE_ENABLED else []
        refused = await self.place.take(leases)
        if refused is not None:
            if refused == leases[-1]:
                metrics.limited.labels("seats").inc()
                await self._refuse(CloseCode.ROOM_FULL, ErrorCode.ROOM_FULL)
            metrics.limited.labels("connections").inc()
            await self._refuse(CloseCode.RATE_LIMITED, ErrorCode.CONNECTION_LIMIT_EXCEEDED)
        self.record.endings.append(self.place.leave)
        if not await limits().redeem(self.identity):
            metrics.limited.labels("tickets").inc()
            await self._refuse(CloseCode.FORBIDDEN, ErrorCode.FORBIDDEN)

    def _leases(self) -> list[Lease]:
        """Return what a connection takes, in order: what one address, one person, all together can use up."""
        connection = self.record.id
        leases = [Lease(self.ip_lease, connection, settings.WS_RATE_CONN_PER_IP)]
        if self.identity.user is not None:  # every token makes another guest, so a limit for each would limit nobody
            own = key(self.identity.id, "connections")
            leases.append(Lease(own, connection, settings.WS_RATE_CONN_PER_USER))
        room = str(self.scope["room"])
        return [*leases, seat_in(room, self.identity.id, connection, settings.WS_RATE_ROOM_MAX_MEMBERS)]

    async def _refuse(self, code: CloseCode, error: ErrorCode) -> NoReturn:
        wait: int | UnsetType = UNSET
        if code is not CloseCode.FORBIDDEN:
            wait = RETRY_MS + random.randrange(RETRY_MS)  # noqa: S311 - spreads clients out
        await self._send({"type": "websocket.accept", "subprotocol": accepted_subprotocol(self.scope)})
        await self._send({"type": "websocket.send", "text": farewell(code, error=error, retry_after_ms=wait)})
        await self._send({"type": "websocket.close", "code": int(code)})
        raise _Refused

    async def _close(self, code: CloseCode) -> dict[str, Any]:
        """Say why and close; to the consumer it looks as if the client had left."""
        with suppress(OSError):
            await self.send({"type": "websocket.send", "text": farewell(code)})
            await self.send({"type": "websocket.close", "code": int(code)})
        return {"type": "websocket.disconnect", "code": int(code)}


@cache
def _limit(rate: float, burst: int) -> Limit:
    return Limit(rate, burst)


def _size(data: str | bytes) -> int:
    """Return the size of a message in bytes, as it came over the wire."""
    return len(data) if isinstance(data, bytes) or data.isascii() else len(data.encode("utf-8", "surrogatepass"))
