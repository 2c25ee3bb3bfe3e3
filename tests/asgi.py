"""The server's side of a WebSocket, for tests of the parts of the stack without a server."""

import asyncio
import time
from typing import Any

from django.contrib.auth.models import AnonymousUser

from apps.accounts.tokens import Identity
from apps.tournaments.realtime.record import Record
from apps.tournaments.realtime.rooms import RoomName
from tests.server import DEADLINE

CONNECT = {"type": "websocket.connect"}
ACCEPT = {"type": "websocket.accept", "subprotocol": None}
GONE = {"type": "websocket.disconnect", "code": 1000}


class Socket:
    """The server's side of a connection: what an ASGI application receives and sends."""

    def __init__(self, application: Any, scope: dict[str, Any]) -> None:
        self._received: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._task = asyncio.ensure_future(application(scope, self._received.get, self._sent.put))
        self.give(CONNECT)

    def give(self, message: dict[str, Any]) -> None:
        self._received.put_nowait(message)

    async def sent(self) -> dict[str, Any]:
        async with asyncio.timeout(DEADLINE):
            return await self._sent.get()

    async def end(self) -> list[dict[str, Any]]:
        """Return what was sent and not looked at until the application ended."""
        async with asyncio.timeout(DEADLINE):
            await self._task
        return [self._sent.get_nowait() for _ in range(self._sent.qsize())]


def guest() -> Identity:
    return Identity("guest:1", "guest", None, "", time.time() + 300, "")


def scope_of(room: str, **others: Any) -> dict[str, Any]:
    kind, _, room_id = room.partition(":")
    scope = {
        "type": "websocket",
        "path": f"/ws/{kind}/{room_id}/",
        "query_string": b"",
        "headers": [],
        "client": ("192.0.2.1", 5000),
        "subprotocols": [],
        "identity": guest(),
        "user": AnonymousUser(),
    }
    scope |= {"room": RoomName(kind, int(room_id))} | others
    return {"record": Record.of(scope)} | scope


async def nobody(scope, receive, send) -> None:
    raise AssertionError("this connection must not get here")
