"""
What one connection was and did: counted while it lasts, told in one log line when it ends.

The line is the only one that a normal connection writes. It says who (never with which token), where, how long, how
much, and how it ended; no address but a keyed hash of it, and nothing that was sent.
"""

from collections.abc import Awaitable, Callable
from hashlib import blake2b
from time import monotonic
from typing import Any, Self
from uuid import uuid4

import structlog
from django.conf import settings

from apps.client_ip import client_ip
from apps.tournaments.realtime import metrics
from apps.tournaments.realtime.protocol import CloseCode
from apps.tournaments.realtime.rooms import RoomName

logger = structlog.get_logger(__name__)

Ending = Callable[[], Awaitable[None]]

NO_CODE, GONE = 1005, 1006  # RFC 6455, 7.4.1
# A client may close with 2,000 other codes, which would make as many labels.
_KNOWN_CODES = {*CloseCode, *range(1000, 1016)}


class Record:
    """
    One connection, in scope["record"]. `id` is its name: in the log, in leases, in the address of its errors.
    `address` is where the client is, as far as it can be known; `endings` are awaited when it has ended, in order.

    The layers below fill in what they find out: room, user, role, whether it resumed.
    """

    __slots__ = (
        "address",
        "code",
        "endings",
        "id",
        "initiator",
        "received",
        "rests",
        "resumed",
        "role",
        "room",
        "sent",
        "started",
        "status",
        "user",
    )

    def __init__(self, address: str = "") -> None:
        self.address = address
        self.id = uuid4().hex
        self.started = monotonic()
        self.status = 0  # of the HTTP answer; 101 when it was accepted
        self.room: RoomName | None = None
        self.user = ""
        self.role = ""
        self.resumed: bool | None = None  # None: it never got its welcome
        self.received = 0
        self.sent = 0
        self.code: int | None = None  # of the first close, from either side
        self.initiator = ""
        self.rests = False  # goes on without the application, and calls `end` by itself
        self.endings: list[Ending] = []

    @classmethod
    def of(cls, scope: dict[str, Any]) -> Self:
        """Return the record of a connection that has just been asked for."""
        peer = scope.get("client")
        return cls(client_ip(peer[0] if peer else None, scope["headers"]))

    def closed(self, code: int, initiator: str) -> None:
        if self.code is None:
            self.code, self.initiator = code, initiator

    async def end(self) -> None:
        """Give back what the connection holds, and write it down."""
        for ending in self.endings:
            await ending()
        self.endings.clear()
        _write(self)


class RecordMiddleware:
    """Keep a connection's record, and write it down when the connection has ended."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        record = Record.of(scope)

        async def receive_recorded() -> dict[str, Any]:
            message: dict[str, Any] = await receive()
            if message["type"] == "websocket.receive":
                record.received += 1
            elif message["type"] == "websocket.disconnect":
                record.closed(message.get("code") or NO_CODE, "client")
            return message

        async def send_recorded(message: dict[str, Any]) -> None:
            match message["type"]:
                case "websocket.send":
                    record.sent += 1
                case "websocket.close":
                    record.closed(message.get("code") or 1000, "server")
                case "websocket.accept":
                    record.status = 101
                case "websocket.http.response.start":
                    record.status = message["status"]
            await send(message)

        try:
            await self.app({**scope, "record": record}, receive_recorded, send_recorded)
        finally:
            if not record.rests:
                await record.end()


def _write(record: Record) -> None:
    if record.status != 101:  # noqa: PLR2004 - refused in HTTP, where the proxy has its own log
        metrics.handshakes.labels(str(record.status or 503)).inc()
        return
    code, initiator = record.code or GONE, record.initiator or "server"
    label = str(int(code)) if code in _KNOWN_CODES else "other"
    metrics.handshakes.labels(label if record.resumed is None else "accepted").inc()
    metrics.closes.labels(label, initiator).inc()
    lasted = monotonic() - record.started
    metrics.ages.observe(lasted)
    logger.info(
        "connection_closed",
        connection=record.id,
        room=str(record.room or ""),
        user=record.user,
        role=record.role,
        address=_hidden(record.address),
        code=int(code),
        initiator=initiator,
        resumed=record.resumed,
        seconds=round(lasted, 3),
        received=record.received,
        sent=record.sent,
    )


def _hidden(address: str) -> str:
    """Return what tells one address from another to whoever reads the log, and does not tell which it is."""
    return blake2b(address.encode(), key=settings.SECRET_KEY.encode()[:64], digest_size=6).hexdigest()
