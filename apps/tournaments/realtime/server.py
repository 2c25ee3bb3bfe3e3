"""
uvicorn, with bounds on what one client may take: time on the event loop, memory, patience.

Requests and upgrades are uvicorn's; an open WebSocket is our own (websocket.py). Written against uvicorn 0.54 and
websockets 17, whose methods it overrides; tests/integration/server fails when one of them is gone.
"""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.datastructures import Headers
from websockets.frames import CloseCode
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Origin

from apps.tournaments.realtime.bounds import KIB, Bounded, Limits
from apps.tournaments.realtime.websocket import TAKE_OVER, Parsers, Receiver, WebSocket


class Config(uvicorn.Config):
    """How the site is served, by `manage.py run` and in tests alike. `app` may be the path to import it from."""

    def __init__(
        self,
        app: Any,
        *,
        host: str = "127.0.0.1",
        port: int = 8000,
        timeout_graceful_shutdown: int = 5,
        limits: Limits | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.parsers = Parsers(self.limits, max_size=64 * KIB)
        super().__init__(
            app,
            host=host,
            port=port,
            http=RoomHttpProtocol,
            ws=RoomProtocol,
            ws_max_size=64 * KIB,
            # Compression costs 34 KiB a connection, and one frame could not be shared by all.
            ws_per_message_deflate=False,
            # The protocol has heartbeats of its own, which a browser can see.
            ws_ping_interval=None,
            # The queue for a burst of reconnecting clients; the kernel takes less where somaxconn is less.
            backlog=4096,
            timeout_graceful_shutdown=timeout_graceful_shutdown,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            # uvicorn would believe X-Forwarded-For from this machine, whoever wrote it; apps.client_ip knows better.
            proxy_headers=False,
        )


class Server(uvicorn.Server):
    """A server that lets its connections go one after the other before it stops. `drain` returns when they have."""

    def __init__(self, config: Config, drain: Callable[[Callable[[], bool]], Awaitable[None]]) -> None:
        super().__init__(config)
        self._drain = drain

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Listening still: who asks whether this process is ready is told that it is not, and who connects, to go on.
        await self._drain(lambda: self.force_exit)
        await super().shutdown(sockets)


class RoomHttpProtocol(Bounded, HttpToolsProtocol):
    """Requests, with bounds on the size and the time of their heads, and on the time of their bodies."""

    config: Config
    _in_head = True
    _head = 0  # bytes of it so far

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        super().connection_made(transport)
        self.limits = self.config.limits
        self.flow = _Flow(self)
        # So that anything the client leaves unread is noticed, the last bytes of a response too.
        transport.set_write_buffer_limits(0)
        self.within(self.limits.head_seconds, self._head_overdue)

    def ready(self) -> bool:
        return not self.flow.read_paused and not self.pipeline

    def parse(self, data: bytes) -> None:
        HttpToolsProtocol.data_received(self, data)
        if self.transport.is_closing() or self.transport.get_protocol() is not self or not self._in_head:
            return
        self._head += len(data)
        if self._head > self.limits.head:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self._deadline is None and self._idle():
            self.within(self.limits.head_seconds, self._head_overdue)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._in_head = False
        self.within(self.limits.body_seconds, self.transport.abort)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head, self._head = True, 0
        self.relax()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self.pace()

    def handle_websocket_upgrade(self) -> None:
        self.relax()
        if self.scope["http_version"] == "1.0":  # which has no upgrades (RFC 9110, 7.8); uvicorn would answer with 101
            self._refuse(HTTPStatus.BAD_REQUEST)
            return
        # A client has to await the answer before it sends more; uvicorn drops what comes with the request.
        self.forget_unparsed()
        super().handle_websocket_upgrade()

    def _idle(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn's type leaves out that there is none at first
        return cycle is None or cycle.response_complete

    def _head_overdue(self) -> None:
        if self._head:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            self.transport.close()

    def _refuse(self, status: HTTPStatus) -> None:
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
        self.transport.write(head.encode())
        self.transport.close()


class _Flow(FlowControl):
    """uvicorn's wish to read or not, which `pace` heeds: left to itself it would read although something waits."""

    def __init__(self, protocol: RoomHttpProtocol) -> None:
        super().__init__(protocol.transport)
        self._protocol = protocol

    def pause_reading(self) -> None:
        self.read_paused = True

    def resume_reading(self) -> None:
        self.read_paused = False
        self._protocol.pace()


class RoomProtocol(Bounded, WebSocketsSansIOProtocol):
    """
    The way to a WebSocket: the upgrade, and the application's answer to it. With its acceptance a `WebSocket` takes the
    transport over, whose messages come here as long as the application asks for them.

    The application that does not answer in time is cancelled, and the client gets 503; an exception in it closes with
    1011.
    """

    config: Config
    websocket: WebSocket | None = None
    _task: asyncio.Task[None] | None = None
    _is_overdue = False

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.limits = config.limits
        # uvicorn tells three lines of every connection; record.py tells one, and what matters.
        self.logger = logging.getLogger("deltacrown.websocket")
        self.conn.parser.close()  # which refers to what refers to it, and would wait for the garbage collector
        self.conn = _Handshake(logger=self.logger)
        self.read_paused = True  # what uvicorn believes, so that it leaves reading to `pace`

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(self.limits.unsent_high)
        self.transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDBUF, self.limits.socket_buffer
        )

    def ready(self) -> bool:
        return False  # what comes before the acceptance waits for it

    def data_received(self, data: bytes) -> None:
        if self.handshake_initiated:
            super().data_received(data)
            return
        # The upgrade request. It comes whole, from RoomHttpProtocol.
        self.parse(data)
        if not self.handshake_initiated:
            # websockets has stricter rules for heads. It has an answer to some of what breaks them.
            answer = b"".join(self.conn.data_to_send())
            self.transport.write(answer or self.conn.reject(HTTPStatus.BAD_REQUEST, "").serialize())
            self.transport.close()

    def parse(self, data: bytes) -> None:
        self.conn.receive_data(data)
        self.handle_events()

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.handshake_complete:
            self.within(self.limits.accept_seconds, self._accept_overdue)

    # The application ------------------------------------------------------------------------------------------------

    async def run_asgi(self) -> None:
        self._task = asyncio.current_task()
        cast("dict[str, Any]", self.scope["extensions"])[TAKE_OVER] = self.take_over
        try:
            await self.app(self.scope, self.receive, self.send)
        except ClientDisconnected:
            pass
        except asyncio.CancelledError:
            if not self._is_overdue:
                self._fail()
                raise
        except Exception:
            self.logger.exception("Exception in ASGI application\n")
            self._fail()
        else:
            if not self.handshake_complete and not self.close_sent:  # which a refusal in HTTP is
                self.logger.error("ASGI callable returned without completing handshake.")
                self._fail()
        if self.websocket is None:
            self.transport.close()
        elif isinstance(self.websocket.receiver, _Application) and not self.websocket.is_over:
            self.websocket.hang_up()

    async def receive(self) -> Any:
        message = await self.queue.get()
        if self.websocket is not None:
            self.websocket.pace()
        return message

    async def send(self, message: Any) -> None:
        if self.websocket is None:
            await self._answer(message)
            return
        await self.writable.wait()  # a client that reads slowly makes its application wait
        sent = True
        match message["type"]:
            case "websocket.send":
                text = message.get("text")
                sent = self.websocket.send(message["bytes"] if text is None else text)
            case "websocket.close" if not self.websocket.is_over:
                self.websocket.close(message.get("code", 1000), message.get("reason") or "")
        if not sent:
            raise ClientDisconnected

    async def _answer(self, message: Any) -> None:
        """Send what answers the upgrade. An acceptance opens the WebSocket."""
        await super().send(message)
        if not self.handshake_complete and not self.close_sent:
            return
        self.relax()
        if not self.close_sent and not self.transport.is_closing():
            self.connections.discard(self)
            receiver = _Application(self.queue, self.writable)
            self.websocket = WebSocket(self.transport, receiver, self.config.parsers, self.connections, self.loop)
            if self._unparsed:
                self.websocket.unparsed(bytes(self._unparsed))
                self.websocket.pace()

    def take_over(self, receiver: Receiver) -> WebSocket:
        """
        Give the open WebSocket to another receiver, for which it goes on when the application has returned.

        To be called after the acceptance. What has come by then is passed on.
        """
        if self.websocket is None:
            if self.transport.is_closing():
                raise ClientDisconnected
            raise RuntimeError("there is no WebSocket before the acceptance")
        self.websocket.receiver = receiver
        while not self.queue.empty():
            event: Any = self.queue.get_nowait()
            if event["type"] == "websocket.receive":
                receiver.message(event["bytes"] if event.get("text") is None else event["text"])
            elif event["type"] == "websocket.disconnect":
                receiver.ended(event["code"], event["reason"], by_client=True)
        return self.websocket

    def _fail(self) -> None:
        if self.websocket is not None:
            self.websocket.close(CloseCode.INTERNAL_ERROR)
        else:
            self.send_500_response()

    def _accept_overdue(self) -> None:
        response = self.conn.reject(HTTPStatus.SERVICE_UNAVAILABLE, "")
        response.headers["Retry-After"] = "5"
        self.conn.send_response(response)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.handshake_complete = self.close_sent = True
        self.transport.close()
        self._is_overdue = True
        if self._task is not None:
            self._task.cancel()


class _Application:
    """The receiver of a WebSocket whose application asks for its messages, as ASGI has it."""

    def __init__(self, queue: "asyncio.Queue[Any]", writable: asyncio.Event) -> None:
        self._queue, self._writable = queue, writable

    def message(self, data: str | bytes) -> None:
        self._queue.put_nowait({"type": "websocket.receive", "text" if isinstance(data, str) else "bytes": data})

    def backlog(self) -> int:
        return self._queue.qsize()

    def heard(self) -> None:
        pass

    def writable(self, *, yes: bool) -> None:
        if yes:
            self._writable.set()
        else:
            self._writable.clear()

    def ended(self, code: int, reason: str, *, by_client: bool) -> None:
        self._queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})


class _Handshake(ServerProtocol):
    def process_origin(self, headers: Headers) -> Origin | None:
        return None  # the application decides, and answers so that a browser can read it; two origins are no exception
