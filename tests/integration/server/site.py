"""An application that does what its path says, on the server that the site runs on, and a client beside the attack."""

import asyncio
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from websockets.sync.client import connect

from apps.tournaments.realtime.bounds import Limits
from apps.tournaments.realtime.server import Config
from apps.tournaments.realtime.websocket import TAKE_OVER, WebSocket
from tests.server import DEADLINE, free_port, wait_for

ANSWER_SECONDS = 0.25  # for the client beside the attack, on a machine that does other work too
HOLD_SECONDS = 0.05  # of CPU, the longest that the event loop may be held
MIB = 1024 * 1024
PAGE = b"x" * (8 * MIB)


class Application:
    """An ASGI application. What it saw is kept for the test."""

    def __init__(self) -> None:
        self.sockets: list[WebSocket] = []
        self.codes: list[int] = []
        self.received: list[str] = []
        self.ended: list[type[BaseException]] = []
        self.cancelled = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        name = scope["type"] + scope["path"].replace("/", "_")
        await getattr(self, name)(scope, receive, send)

    async def http_page(self, scope: Any, receive: Any, send: Any) -> None:
        await self._respond(send, PAGE)

    async def http_hello(self, scope: Any, receive: Any, send: Any) -> None:
        await self._respond(send, b"hello")

    async def http_upload(self, scope: Any, receive: Any, send: Any) -> None:
        size = 0
        while (message := await receive()).get("more_body"):
            size += len(message["body"])
        if message["type"] == "http.disconnect":
            self.cancelled += 1
            return
        await self._respond(send, str(size + len(message["body"])).encode())

    async def websocket_echo(self, scope: Any, receive: Any, send: Any) -> None:
        await self._accept(scope, receive, send)
        while (message := await receive())["type"] == "websocket.receive":
            await send(message | {"type": "websocket.send"})
        self.codes.append(message["code"])

    async def websocket_taken(self, scope: Any, receive: Any, send: Any) -> None:
        """Return, and let the WebSocket echo by itself."""
        await self._accept(scope, receive, send)
        echo = Echo(self.codes)
        echo.socket = scope["extensions"][TAKE_OVER](echo)

    async def websocket_taken_late(self, scope: Any, receive: Any, send: Any) -> None:
        await self._accept(scope, receive, send)
        await asyncio.sleep(0.2)
        echo = Echo(self.codes)
        echo.socket = self.sockets[-1]
        scope["extensions"][TAKE_OVER](echo)

    async def websocket_early(self, scope: Any, receive: Any, send: Any) -> None:
        """Take the WebSocket over before there is one."""
        scope["extensions"][TAKE_OVER](Echo(self.codes))

    async def websocket_late(self, scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.2)
        await self.websocket_echo(scope, receive, send)

    async def websocket_never(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled += 1

    async def websocket_deaf(self, scope: Any, receive: Any, send: Any) -> None:
        """Take no message until the test lets go."""
        self.listen = asyncio.Event()
        await self._accept(scope, receive, send)
        await self.listen.wait()
        while (message := await receive())["type"] == "websocket.receive":
            self.received.append(message["text"])

    async def websocket_stream(self, scope: Any, receive: Any, send: Any) -> None:
        """Send numbered messages of 16 KiB, without end."""
        await self._accept(scope, receive, send)
        number = 0
        try:
            while True:
                await send({"type": "websocket.send", "text": f"{number:<16384}"})
                number += 1
        except BaseException as end:
            self.ended.append(type(end))
            raise

    async def websocket_brim(self, scope: Any, receive: Any, send: Any) -> None:
        """Write until the kernel takes no more, and close with a little left."""
        await self._accept(scope, receive, send)
        while not self.sockets[-1].buffered_bytes():
            await send({"type": "websocket.send", "text": "x" * 1024})
        await send({"type": "websocket.close", "code": 4000})

    async def websocket_bug(self, scope: Any, receive: Any, send: Any) -> None:
        await self._accept(scope, receive, send)
        await receive()
        raise RuntimeError("a bug")

    async def _accept(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        take_over = scope["extensions"].get(TAKE_OVER)
        if take_over is not None:
            self.sockets.append(take_over.__self__.websocket)

    async def _respond(self, send: Any, body: bytes) -> None:
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class Echo:
    """Answers each message with the same."""

    socket: WebSocket

    def __init__(self, codes: list[int]) -> None:
        self.codes = codes

    def message(self, data: str | bytes) -> None:
        self.socket.send(data)

    def backlog(self) -> int:
        return 0

    def heard(self) -> None:
        pass

    def writable(self, *, yes: bool) -> None:
        pass

    def ended(self, code: int, reason: str, *, by_client: bool) -> None:
        self.codes.append(code)


class Site(uvicorn.Server):
    """The server, in a thread of this process, and how long its event loop was held."""

    def __init__(self, limits: Limits) -> None:
        self.application = Application()
        self.address = f"127.0.0.1:{free_port()}"
        self.longest_hold = 0.0
        super().__init__(self.configuration(limits))

    def configuration(self, limits: Limits) -> uvicorn.Config:
        port = int(self.address.rpartition(":")[2])
        return Config(self.application, port=port, timeout_graceful_shutdown=1, limits=limits)

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.loop = asyncio.get_running_loop()
        self._clock = asyncio.create_task(self._measure())

    async def _measure(self) -> None:
        """Measure what this thread computes between two chances that others get. Other work here does not count."""
        while True:
            before = time.thread_time()
            await asyncio.sleep(0.001)
            self.longest_hold = max(self.longest_hold, time.thread_time() - before)

    @property
    def protocols(self) -> list[Any]:
        return list(self.server_state.connections)

    @property
    def websockets(self) -> list[WebSocket]:
        return [protocol for protocol in self.protocols if isinstance(protocol, WebSocket)]

    def is_empty(self) -> bool:
        return not self.server_state.connections and not self.server_state.tasks

    def in_loop(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function where the server runs, and return its value."""

        async def call() -> Any:
            return function(*arguments)

        return asyncio.run_coroutine_threadsafe(call(), self.loop).result(DEADLINE)

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """See that a second client is answered all the while, and the event loop never held long."""
        stop = threading.Event()
        seconds: list[float] = []
        failures: list[Exception] = []

        def ask() -> None:
            while not stop.is_set():
                started = time.monotonic()
                try:
                    client.send("still there?")
                    assert client.recv(timeout=DEADLINE) == "still there?"
                except Exception as failure:  # noqa: BLE001 - the test shows it
                    failures.append(failure)
                    return
                seconds.append(time.monotonic() - started)
                stop.wait(0.01)

        with connect(f"ws://{self.address}/echo", compression=None) as client:
            asking = threading.Thread(target=ask, name="bystander")
            asking.start()
            self.longest_hold = 0.0
            try:
                yield
                wait_for(lambda: failures or len(seconds) > 4)
            finally:
                stop.set()
                asking.join(2 * DEADLINE)
        assert not failures, failures
        assert statistics.median(seconds) < ANSWER_SECONDS
        assert self.longest_hold < HOLD_SECONDS
