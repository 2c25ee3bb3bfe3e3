"""A real HTTP server on loopback that is told how to behave, and remembers what it got."""

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from typing import Any, Self

from tests.server import DEADLINE, wait_for


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def seq(self) -> int:
        return int(self.json["seq"])


Behaviour = Callable[["Handler"], None]


class Receiver:
    """
    `plan(…)` says what is done with the next requests, one after the other; after them each is answered with 204.

    `at_once` is the most requests that were under way at the same time.
    """

    def __init__(self, context: SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self.at_once = 0
        self.closing = threading.Event()
        self._plan: deque[Behaviour] = deque()
        self._context = context
        self._lock = threading.Lock()
        self._under_way = 0
        self._server: Any = None
        self.port = 0

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        """Listen, at the same port as before."""
        receiver = self

        class Bound(Handler):
            def setup(self) -> None:
                self.receiver = receiver
                with receiver._lock:
                    receiver.connections += 1
                super().setup()

        ThreadingHTTPServer.allow_reuse_address = True
        self.closing.clear()
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Bound)
        self._server.daemon_threads = False
        self.port = self._server.server_port
        if self._context is not None:
            self._server.socket = self._context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), name="receiver").start()

    def close(self) -> None:
        """Go down; who is hanging is let go."""
        self.closing.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def url(self) -> str:
        scheme = "http" if self._context is None else "https"
        return f"{scheme}://127.0.0.1:{self.port}/hook?key=very-secret"

    def plan(self, *behaviours: Behaviour) -> None:
        self._plan.extend(behaviours)

    def has(self, count: int) -> "list[Request]":
        """Wait until there are so many requests, and return them."""
        wait_for(lambda: len(self.requests) >= count)
        return self.requests

    @contextmanager
    def taking(self, request: Request) -> Iterator[Behaviour]:
        with self._lock:
            self.requests.append(request)
            self._under_way += 1
            self.at_once = max(self.at_once, self._under_way)
            behaviour = self._plan.popleft() if self._plan else status(204)
        try:
            yield behaviour
        finally:
            with self._lock:
                self._under_way -= 1


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = DEADLINE
    receiver: Receiver

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.path, headers, self.rfile.read(length))
        with self.receiver.taking(request) as behaviour:
            behaviour(self)

    def log_message(self, *_: object) -> None:
        pass


def status(code: int, body: bytes = b"", **headers: str) -> Behaviour:
    """Answer with a status; `Retry_After="5"` is a header."""

    def behave(handler: Handler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        if code != 204:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return behave


def hang(handler: Handler) -> None:
    """Answer nothing until the receiver closes."""
    handler.receiver.closing.wait(DEADLINE)
    handler.close_connection = True


def drip(handler: Handler) -> None:
    """Answer one byte after the other and come to no end, each in time for a patient reader."""
    for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 10_000:
        if handler.receiver.closing.wait(0.02):
            break
        try:
            handler.wfile.write(bytes([byte]))
        except OSError:
            break
    handler.close_connection = True


def close_early(handler: Handler) -> None:
    """Close the connection without an answer."""
    handler.close_connection = True


def close_after(code: int = 204) -> Behaviour:
    """Answer, and close the connection without having said so."""

    def behave(handler: Handler) -> None:
        status(code)(handler)
        handler.close_connection = True

    return behave


def babble(handler: Handler) -> None:
    """Answer with something that is not HTTP."""
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
    handler.close_connection = True


def flood(handler: Handler) -> None:
    """Answer 200 with a body that never ends."""
    handler.send_response(200)
    handler.end_headers()
    try:
        while not handler.receiver.closing.is_set():
            handler.wfile.write(b"x" * 65_536)
    except OSError:
        pass
    handler.close_connection = True


def doing(act: Callable[[], object], then: Behaviour | None = None) -> Behaviour:
    """Do something before the answer."""

    def behave(handler: Handler) -> None:
        act()
        (then or status(204))(handler)

    return behave
