"""The real server on a real port, for tests: in a thread of this process, so that both share the test database."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from websockets.asyncio.client import ClientConnection, connect

DEADLINE = 10.0  # seconds to wait for something that happens at once on an idle machine


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_server() -> Iterator[str]:
    """Serve the site and yield "127.0.0.1:port"; afterwards nothing of it is left running."""
    from deltacrown.asgi import application

    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(
            application,
            port=port,
            lifespan="off",
            log_config=None,
            ws="websockets-sansio",
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=1,
        )
    )
    thread = threading.Thread(target=server.run, name="server", daemon=True)
    thread.start()
    try:
        wait_for(lambda: server.started)
        yield f"127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(DEADLINE)
        assert not thread.is_alive(), "the server did not stop"


def wait_for(condition: Any, *, seconds: float = DEADLINE) -> Any:
    """Return the first truthy value of `condition()`, asked again and again until the deadline."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)
    return value


@dataclass
class Client:
    """A WebSocket client that reads the protocol's frames and follows its one rule."""

    socket: ClientConnection
    mine: int = -1

    async def send(self, type_: str, id_: str | None = None, **data: Any) -> None:
        message: dict[str, Any] = {"type": type_}
        if id_ is not None:
            message["id"] = id_
        if data:
            message["data"] = data
        await self.socket.send(json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        async with asyncio.timeout(DEADLINE):
            return json.loads(await self.socket.recv())

    async def until(self, type_: str) -> dict[str, Any]:
        """Return the next frame of this type; frames before it are read and left."""
        while (frame := await self.receive())["type"] != type_:
            pass
        return frame

    async def events_until(self, seq: int) -> list[dict[str, Any]]:
        """Return the events up to and including `seq`, checking that no hole and no duplicate is among them."""
        events = []
        while not events or events[-1]["seq"] < seq:
            frame = await self.receive()
            if "prev" in frame:
                assert frame["prev"] <= self.mine < frame["seq"], (self.mine, frame)
                self.mine = frame["seq"]
                events.append(frame)
        return events

    async def closed(self) -> int:
        """Return the code with which the server closes."""
        async with asyncio.timeout(DEADLINE):
            await self.socket.wait_closed()
        assert self.socket.close_code is not None
        return self.socket.close_code


@asynccontextmanager
async def client(address: str, path: str, **options: Any) -> AsyncIterator[Client]:
    async with connect(f"ws://{address}{path}", compression=None, **options) as socket_:
        yield Client(socket_)
