"""A connection without a server: the real consumer in this loop, so that a test can choose what happens in between."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

from django.contrib.auth.models import AnonymousUser
from uvicorn.protocols.utils import ClientDisconnected

from apps.accounts.models import User
from apps.accounts.tokens import Identity
from apps.tournaments.realtime.consumers import TournamentConsumer
from apps.tournaments.realtime.hub import hub
from apps.tournaments.realtime.match_consumer import MatchConsumer
from apps.tournaments.realtime.record import Record
from apps.tournaments.realtime.rooms import RoomName
from tests.server import DEADLINE


class Visitor:
    """Somebody in a room. `frames` is what the server sent, `presence` what it said of who watches."""

    def __init__(self, room: RoomName, user: User | None = None, since: str = "") -> None:
        self.room, self.user, self.since = room, user, since
        self.frames: list[dict[str, Any]] = []
        self.presence: list[dict[str, Any]] = []
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._gone = False
        self._pings = 0
        name = f"user:{user.pk}" if user else f"guest:{id(self)}"
        identity = Identity(name, "name", user, session="", expires_at=time.time() + 3600, ticket="")
        self.scope = {
            "changes": hub.changes,
            "read_token": partial(asyncio.sleep, 0, identity),
            "room": room,
            "record": Record(),
            "identity": identity,
            "user": user or AnonymousUser(),
            "query_string": f"since={since}".encode(),
        }
        self.consumer = (TournamentConsumer if room.kind == "tournament" else MatchConsumer)()
        self._inbox.put_nowait({"type": "websocket.connect"})
        self.task = asyncio.create_task(self._run())

    def of(self, *types: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["type"] in types]

    async def until(self, type_: str, count: int = 1) -> dict[str, Any]:
        """Return the frame of this type that came as the `count`th."""
        await eventually(lambda: len(self.of(type_)) >= count or self.task.done())
        return self.of(type_)[count - 1]

    def say(self, type_: str) -> None:
        self._inbox.put_nowait({"type": "websocket.receive", "text": json.dumps({"type": type_})})

    async def settle(self) -> None:
        """Return when all that was said has been answered, and the role is clear and shown."""
        await self._ping()
        await eventually(lambda: self.task.done() or not self.consumer.looking)
        await self._ping()  # its answer comes after what was written while the role became clear

    async def _ping(self) -> None:
        self.say("ping")
        self._pings += 1
        await eventually(lambda: self.task.done() or len(self.of("pong")) == self._pings)

    def leave(self, how: str = "close") -> None:
        """Close, vanish, or be cancelled by a server that stops."""
        if how == "cancel":
            self.task.cancel()
            return
        self._gone = how == "vanish"
        self._inbox.put_nowait({"type": "websocket.disconnect", "code": 1006 if self._gone else 1000})

    async def left(self) -> None:
        self.leave()
        await self.task
        await eventually(lambda: not self.consumer.looking)

    async def _run(self) -> None:
        with suppress(ClientDisconnected):  # as the server does
            await self.consumer.run(self.scope, self._inbox.get, self._take)

    async def _take(self, message: dict[str, Any]) -> None:
        if self._gone:
            raise ClientDisconnected
        await asyncio.sleep(0)
        if message["type"] == "websocket.send":
            frame = json.loads(message["text"])
            if frame["type"] == "presence":
                self.presence.append(frame)
            else:
                self.take(frame)

    def take(self, frame: dict[str, Any]) -> None:
        self.frames.append(frame)


async def eventually(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not condition():  # noqa: ASYNC110 - whatever a test waits for
            await asyncio.sleep(0.001)


def gate(function: Callable[..., Awaitable[Any]]) -> tuple[Callable[..., Awaitable[Any]], asyncio.Event, asyncio.Event]:
    """Return a function whose first call waits, with its answer, for the second event; the first says that it does."""
    waits, opened = asyncio.Event(), asyncio.Event()

    async def gated(*arguments: Any) -> Any:
        answer = await function(*arguments)
        if not waits.is_set():
            waits.set()
            await opened.wait()
        return answer

    return gated, waits, opened
