"""
uvicorn, with bounds on what one client may take: time on the event loop, memory, patience.

Both protocols parse what arrives in slices, one a turn of the loop, and stop reading while something waits to be
parsed; both give up a client that does not read. Written against uvicorn 0.54 and websockets 17, whose methods it
overrides; tests/integration/server fails when one of them is gone.
"""

import asyncio
import codecs
import logging
import socket
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from time import monotonic
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.datastructures import Headers
from websockets.exceptions import ProtocolError
from websockets.frames import DATA_OPCODES, CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Origin

KIB = 1024
HANDLE = "deltacrown.connection"  # in scope["extensions"]
_UTF8 = codecs.getincrementaldecoder("utf-8")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may take. Sizes are in bytes, times in seconds."""

    # Parsed in one turn of the loop. A frame is at least 6 bytes long, a request 18, so this is also how many of them
    # there are, and how many messages meet an application that does not yield from one to the next.
    at_once: int = 2 * KIB
    waiting_messages: int = 8  # more are not parsed until the application has taken these
    fragments: int = 64  # of one message
    control_frames: int = 100  # pings and pongs within `control_seconds`
    control_seconds: float = 10
    # Above the first the application's `send` waits and nothing more is parsed. The second only a writer reaches that
    # does not look; its connection is aborted.
    unsent_high: int = 64 * KIB
    unsent_most: int = 4 * KIB * KIB
    # The kernel would take up to 4 MiB for a client that does not read. It doubles the value.
    socket_buffer: int = 64 * KIB
    head: int = 16 * KIB  # a request's line and headers
    head_seconds: float = 10
    body_seconds: float = 60
    accept_seconds: float = 5  # from the upgrade request to the application's answer
    stall_seconds: float = 10  # without a byte going out, while more than `unsent_high` wait, or anything of a page
    close_seconds: float = 10  # for the client to answer a close, and to take what was written before
    linger_seconds: float = 2  # for a client that is thrown out to read why


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


class _Bounded(asyncio.Protocol):
    """What both protocols have in common. One deadline at a time, and a watch on a client that does not read."""

    config: Config
    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    written = 0  # bytes written past the flow control of uvicorn

    _turn: asyncio.Handle | None = None
    _deadline: asyncio.TimerHandle | None = None
    _watch: asyncio.TimerHandle | None = None
    _drained = 0
    _drained_at = 0.0

    @property
    def limits(self) -> Limits:
        return self.config.limits

    @abstractmethod
    def parse(self, data: bytes) -> None:
        """Parse the next slice of what arrived, and act on it."""

    @abstractmethod
    def ready(self) -> bool:
        """Return whether what was parsed has gone its way, so that more may be. Whatever changes it calls `pace`."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._unparsed = bytearray()
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.relax()
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unparsed += data
        if self._turn is None:
            self._parse_slice()

    def _parse_slice(self) -> None:
        self._turn = None
        if self._unparsed and self.ready() and not self.transport.is_closing():
            data = bytes(self._unparsed[: self.limits.at_once])
            del self._unparsed[: self.limits.at_once]
            self.parse(data)
        self.pace()

    def pace(self) -> None:
        """Parse on in the next turn if that may be; read on only when everything read has been parsed."""
        if self.transport.is_closing():
            return
        if not self._unparsed:
            self.transport.resume_reading()
            return
        self.transport.pause_reading()
        if self._turn is None and self.ready():
            self._turn = self.loop.call_soon(self._parse_slice)

    def within(self, seconds: float, otherwise: Callable[[], object]) -> None:
        """Call `otherwise` in so many seconds, unless there is a new deadline before, or none: `relax`."""
        self.relax()
        self._deadline = self.loop.call_later(seconds, otherwise)

    def relax(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._drained, self._drained_at = self._progress(), self.loop.time()
        self._look()

    def resume_writing(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        super().resume_writing()
        self.pace()

    def _progress(self) -> int:
        """Return a number that grows when the client takes something."""
        return self.written - self.transport.get_write_buffer_size()

    def _look(self) -> None:
        progress, now = self._progress(), self.loop.time()
        if progress > self._drained:
            self._drained, self._drained_at = progress, now
        elif now - self._drained_at >= self.limits.stall_seconds:
            # Not close: that waits until the client has taken everything.
            self.transport.abort()
            return
        self._watch = self.loop.call_later(self.limits.stall_seconds / 4, self._look)


class RoomHttpProtocol(_Bounded, HttpToolsProtocol):
    """Requests, with bounds on the size and the time of their heads, and on the time of their bodies."""

    config: Config
    _in_head = True
    _head = 0  # bytes of it so far

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        super().connection_made(transport)
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
        self._unparsed.clear()
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


class RoomProtocol(_Bounded, WebSocketsSansIOProtocol):
    """
    A WebSocket. Fails one that abuses the protocol, and says so: 1002, 1007, 1008, 1009.

    The application that does not answer an upgrade in time is cancelled, and the client gets 503; an exception in it
    closes with 1011.
    """

    config: Config
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
        # uvicorn tells three lines of every connection; record.py tells one, and what matters.
        self.logger = logging.getLogger("deltacrown.websocket")
        self.conn.parser.close()  # which refers to what refers to it, and would wait for the garbage collector
        self.conn = _Parser(config)
        self.close_timeout = self.limits.close_seconds
        self.read_paused = True  # what uvicorn believes, so that it leaves reading to `pace`

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(self.limits.unsent_high)
        self.transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDBUF, self.limits.socket_buffer
        )

    def connection_lost(self, exc: Exception | None) -> None:
        if self.conn.state is State.OPEN:
            # Before uvicorn's 1005, which is for a close without a code.
            self.queue.put_nowait({"type": "websocket.disconnect", "code": CloseCode.ABNORMAL_CLOSURE})
        super().connection_lost(exc)

    def eof_received(self) -> None:
        super().eof_received()
        # The transport closes now, but not before the client has taken everything.
        self.within(self.limits.close_seconds, self.transport.abort)

    def shutdown(self) -> None:
        if not self.writable.is_set():
            self.transport.abort()  # the server would wait for a client that does not read
        elif not self.transport.is_closing():
            super().shutdown()

    # In -------------------------------------------------------------------------------------------------------------

    def ready(self) -> bool:
        if self.close_sent:  # messages are dropped now; the client's close is looked for among them
            return self.writable.is_set()
        room = self.queue.qsize() < self.limits.waiting_messages
        return self.handshake_complete and room and self.writable.is_set()

    def data_received(self, data: bytes) -> None:
        if not self.handshake_initiated:
            self._read_head(data)
        elif self.conn.parser_exc is None:
            super().data_received(data)

    def _read_head(self, data: bytes) -> None:
        """Read the upgrade request. It comes whole, from RoomHttpProtocol."""
        self.parse(data)
        if not self.handshake_initiated:
            # websockets has stricter rules for heads. It has an answer to some of what breaks them.
            answer = b"".join(self.conn.data_to_send())
            self.transport.write(answer or self.conn.reject(HTTPStatus.BAD_REQUEST, "").serialize())
            self.transport.close()

    def parse(self, data: bytes) -> None:
        self.conn.receive_data(data)
        self.handle_events()
        if self.conn.parser_exc is not None:
            self.handle_parser_exception()

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.handshake_complete:
            self.within(self.limits.accept_seconds, self._accept_overdue)

    def handle_parser_exception(self) -> None:
        """Send the close that the parser has prepared, and hang up when the client has read it, or after a while."""
        if (close := self.conn.close_sent) is not None:
            self.queue.put_nowait({"type": "websocket.disconnect", "code": close.code, "reason": close.reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        # Closing a socket with unread data in it resets the connection, and the client would never see the close. So
        # what still comes is read, and dropped.
        self._unparsed.clear()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        if self.close_timer is not None:
            self.close_timer.cancel()
        self.close_timer = self.loop.call_later(self.limits.linger_seconds, self.transport.abort)

    # The application ------------------------------------------------------------------------------------------------

    async def run_asgi(self) -> None:
        self._task = asyncio.current_task()
        self.app = self._given_up(self.app)
        cast("dict[str, Any]", self.scope["extensions"])[HANDLE] = Handle(self)
        await super().run_asgi()
        if not self.disconnected:
            self.within(self.limits.close_seconds, self.transport.abort)

    def _given_up(self, app: Any) -> Any:
        """Return the application, which has ended as if the client had left when it was cancelled for being slow."""

        async def application(scope: Any, receive: Any, send: Any) -> Any:
            try:
                return await app(scope, receive, send)
            except asyncio.CancelledError:
                if not self._is_overdue:
                    raise
                raise ClientDisconnected from None

        return application

    async def receive(self) -> Any:
        message = await self.queue.get()
        self.pace()
        return message

    async def send(self, message: Any) -> None:
        waited_for = not self.handshake_complete
        await super().send(message)
        if waited_for and (self.handshake_complete or self.close_sent):
            self.relax()
        self.pace()

    def send_500_response(self) -> None:
        super().send_500_response()
        if self.conn.state is State.OPEN and not self.transport.is_closing():
            self.conn.send_close(CloseCode.INTERNAL_ERROR)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
            self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)
            self.pace()

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


class _Parser(ServerProtocol):
    """websockets' parser, with bounds on what the RFC leaves open."""

    def __init__(self, config: Config) -> None:
        super().__init__(max_size=config.ws_max_size, logger=logging.getLogger("deltacrown.websocket"))
        self._limits = config.limits
        self._fragments = 0
        self._text: codecs.IncrementalDecoder | None = None
        self._controls = 0
        self._controls_since = 0.0

    def process_origin(self, headers: Headers) -> Origin | None:
        return None  # the application decides, and answers so that a browser can read it; two origins are no exception

    def recv_frame(self, frame: Frame) -> None:
        limits = self._limits
        match frame.opcode:
            case Opcode.TEXT | Opcode.BINARY:
                self._fragments = 1
                self._text = _UTF8() if frame.opcode is Opcode.TEXT else None
            case Opcode.CONT:
                self._fragments += 1
                if self._fragments > limits.fragments:
                    self._refuse("too many fragments")
                    return
            case Opcode.PING | Opcode.PONG:
                now = monotonic()
                if now - self._controls_since > limits.control_seconds:
                    self._controls, self._controls_since = 0, now
                self._controls += 1
                if self._controls > limits.control_frames:
                    self._refuse("too many pings")
                    return
            case Opcode.CLOSE:
                # It may come in the middle of a message (RFC 6455, 5.4); websockets calls that an error.
                self.current_size = None
        if frame.opcode in DATA_OPCODES and self._text is not None:
            # Here and not in uvicorn, which finds bad UTF-8 only when the message is complete, and stumbles over it
            # when a close has come with it.
            self._text.decode(bytes(frame.data), frame.fin)
            if frame.fin:
                self._text = None
        super().recv_frame(frame)

    def _refuse(self, reason: str) -> None:
        self.fail(CloseCode.POLICY_VIOLATION, reason)
        self.parser_exc = ProtocolError(reason)


class Handle:
    """What the fan-out may do with an open WebSocket, beside the application's `send`. Nothing here waits."""

    __slots__ = ("_protocol",)

    def __init__(self, protocol: RoomProtocol) -> None:
        self._protocol = protocol

    def buffered_bytes(self) -> int:
        """Return how many bytes wait in this process for the client to take them."""
        return self._protocol.transport.get_write_buffer_size()

    def write_frame(self, data: bytes) -> bool:
        """
        Write whole frames as they go over the wire: made once, for all connections (a server's are not masked).

        Return whether they were written: not before the handshake nor after a close. A connection with more than
        `Limits.unsent_most` unsent is aborted.
        """
        protocol = self._protocol
        transport = protocol.transport
        if protocol.conn.state is not State.OPEN or transport.is_closing():
            return False
        if transport.get_write_buffer_size() > protocol.limits.unsent_most:
            transport.abort()
            return False
        protocol.written += len(data)
        transport.write(data)
        return True

    def abort(self) -> None:
        """End the connection at once, without a close frame. The only way to be rid of a client that does not read."""
        self._protocol.transport.abort()
