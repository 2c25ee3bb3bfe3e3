"""The real server on a real port, for tests: in a thread of this process, so that both share the test database."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Self

import uvicorn
from django.db import connection
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from apps.tournaments.realtime.server import Config, Limits

DEADLINE = 10.0  # seconds to wait for something that happens at once on an idle machine
PATIENT = Limits(accept_seconds=60)  # the tests share the machine with each other


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_server(port: int = 0, **limits: float) -> Iterator[str]:
    """Serve the site, on any free port unless one is named; afterwards nothing of it is left running."""
    from deltacrown.asgi import application

    port = port or free_port()
    with serving(
        uvicorn.Server(Config(application, port=port, timeout_graceful_shutdown=1, limits=replace(PATIENT, **limits)))
    ):
        yield f"127.0.0.1:{port}"


@contextmanager
def serving(server: uvicorn.Server) -> Iterator[None]:
    """Run a server in a thread."""
    thread = threading.Thread(target=server.run, name="server", daemon=True)
    thread.start()
    try:
        wait_for(lambda: server.started)
        yield
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
    """
    A WebSocket client that reads the protocol's frames and follows its one rule.

    Presence comes whenever somebody else comes or goes; it is kept apart, so no test has to reckon with it.
    """

    socket: ClientConnection
    mine: int = -1
    presence: list[dict[str, Any]] = field(default_factory=list)

    async def send(self, type_: str, id_: str | None = None, **data: Any) -> None:
        message: dict[str, Any] = {"type": type_}
        if id_ is not None:
            message["id"] = id_
        if data:
            message["data"] = data
        await self.socket.send(json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        async with asyncio.timeout(DEADLINE):
            while (frame := json.loads(await self.socket.recv()))["type"] == "presence":
                self.presence.append(frame)
            return frame

    async def told(self, **expected: Any) -> None:
        """Return when the latest presence says this."""
        async with asyncio.timeout(DEADLINE):
            while not self.presence or not expected.items() <= self.presence[-1].items():
                frame = json.loads(await self.socket.recv())
                if frame["type"] == "presence":
                    self.presence.append(frame)

    async def until(self, type_: str) -> dict[str, Any]:
        """Return the next frame of this type; frames before it are read and left."""
        while (frame := await self.receive())["type"] != type_:
            pass
        return frame

    async def next_event(self) -> dict[str, Any]:
        """Return the next event that is new to this client, and check that no hole lies before it."""
        while True:
            frame = await self.receive()
            if "prev" in frame and frame["seq"] > self.mine:
                assert frame["prev"] <= self.mine, (self.mine, frame)
                self.mine = frame["seq"]
                return frame

    async def events_until(self, seq: int) -> list[dict[str, Any]]:
        """Return the events up to and including `seq`."""
        events = [await self.next_event()]
        while self.mine < seq:
            events.append(await self.next_event())
        return events

    async def closed(self) -> int:
        """Return the code with which the server closes."""
        async with asyncio.timeout(DEADLINE):
            with suppress(ConnectionClosed):
                while True:  # the close comes after all that was sent before
                    await self.socket.recv()
        assert self.socket.close_code is not None
        return self.socket.close_code


@asynccontextmanager
async def client(address: str, path: str, **options: Any) -> AsyncIterator[Client]:
    """Connect as a page of the site does, unless `options` say otherwise; `origin=None` is a program."""
    if "Origin" not in options.get("additional_headers", {}):
        options.setdefault("origin", f"http://{address}")
    async with connect(f"ws://{address}{path}", compression=None, **options) as socket_:
        yield Client(socket_)


class ServerProcess:
    """The site as its users run it, in a process of its own on the test database; it can be killed and come back."""

    def __init__(self, **environment: str) -> None:
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._environment = os.environ | {"DATABASE_URL": database_url(), "LOG_LEVEL": "INFO"} | environment
        self._process: subprocess.Popen[bytes] | None = None
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._log.close()

    def start(self) -> None:
        """Start, and wait until the site is ready."""
        command = [sys.executable, "manage.py", "run", "--no-demo", "--port", str(self.port)]
        self._process = subprocess.Popen(command, env=self._environment, stdout=self._log, stderr=self._log)
        wait_for(self._ready, seconds=30)

    def kill(self) -> None:
        """End the process as a crash would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask the process to end, as an operator would."""
        self._end(signal.SIGTERM)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def ended(self, *, seconds: float = 30) -> None:
        """Wait until the process has ended by itself."""
        assert self._process is not None
        self._process.wait(seconds)
        self._process = None

    def log(self) -> str:
        self._log.seek(0)
        return self._log.read().decode()

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self.ended()

    def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log()
        try:
            with urllib.request.urlopen(f"http://{self.address}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def database_url() -> str:
    """Return the URL of the database that the tests use."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{settings['NAME']}"
    user, password = settings["USER"], settings["PASSWORD"]
    return f"postgres://{user}:{password}@{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"
