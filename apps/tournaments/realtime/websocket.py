"""
An open WebSocket on its transport: from the acceptance to the end, whoever uses it.

It holds little. The parser, which is most of what a WebSocket weighs, is borrowed for as long as a frame is incomplete;
a connection that only listens has none. What is written are finished frames: a server's are not masked, so the same
bytes serve every connection.
"""

import asyncio
import codecs
import logging
from time import monotonic
from typing import Any, Protocol

from websockets.exceptions import ProtocolError
from websockets.frames import DATA_OPCODES, Close, CloseCode, Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from apps.tournaments.realtime.bounds import Bounded, Limits

TAKE_OVER = "deltacrown.take_over"  # in scope["extensions"]: gives the open WebSocket to a Receiver, and returns it
_UTF8 = codecs.getincrementaldecoder("utf-8")
_SHORT, _MEDIUM = 126, 65_536  # lengths from which a frame's head is longer (RFC 6455, 5.2)


class Receiver(Protocol):
    """Who uses a WebSocket. Nothing here waits."""

    def message(self, data: str | bytes) -> None:
        """Take a message."""

    def backlog(self) -> int:
        """Return how many messages wait to be handled. When it falls, call `WebSocket.pace`."""

    def heard(self) -> None:
        """Frames came, of whatever kind."""

    def writable(self, *, yes: bool) -> None:
        """The client reads more slowly than is written; or it has caught up."""

    def ended(self, code: int, reason: str, *, by_client: bool) -> None:
        """No message comes any more, and nothing can be written. Called once, with the first close of either side."""


def text_frame(text: bytes) -> bytes:
    """Return a text message as it goes over the wire."""
    return _head(Opcode.TEXT, len(text)) + text


def _head(opcode: Opcode, size: int) -> bytes:
    if size < _SHORT:
        return bytes((0x80 | opcode, size))
    if size < _MEDIUM:
        return bytes((0x80 | opcode, 126)) + size.to_bytes(2)
    return bytes((0x80 | opcode, 127)) + size.to_bytes(8)


class WebSocket(Bounded):
    """
    Fails a client that abuses the protocol, and says so: 1002, 1007, 1008, 1009. Aborts one that does not read.

    `everybody` is the server's set of connections, which a stopping server closes.
    """

    _parser: "Parser | None" = None  # while a frame or a message is incomplete, and from the first close on
    _parts: list[bytes] | None = None  # of a message in fragments
    _is_text = False
    _is_over = False  # no more messages, nothing to be written
    _is_failed = False
    _is_paused = False
    _controls = 0
    _controls_since = 0.0

    def __init__(
        self,
        transport: asyncio.Transport,
        receiver: Receiver,
        parsers: "Parsers",
        everybody: set[Any],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.transport, self.receiver, self.loop = transport, receiver, loop
        self.limits = parsers.limits
        self._parsers, self._everybody = parsers, everybody
        everybody.add(self)
        transport.set_protocol(self)

    @property
    def is_over(self) -> bool:
        """Whether it is closed, from whichever side."""
        return self._is_over

    # Out ------------------------------------------------------------------------------------------------------------

    def write(self, frames: bytes) -> bool:
        """
        Write finished frames. Return whether they were written: not after a close.

        A connection with more than `Limits.unsent_most` unsent is aborted.
        """
        transport = self.transport
        if self._is_over or transport.is_closing():
            return False
        if self._is_paused and transport.get_write_buffer_size() > self.limits.unsent_most:
            transport.abort()
            return False
        self.written += len(frames)
        transport.write(frames)
        return True

    def send(self, data: str | bytes) -> bool:
        """Write one message."""
        if isinstance(data, str):
            return self.write(text_frame(data.encode()))
        return self.write(_head(Opcode.BINARY, len(data)) + data)

    def buffered_bytes(self) -> int:
        """Return how many bytes wait in this process for the client to take them."""
        size: int = self.transport.get_write_buffer_size()
        return size

    def close(self, code: int, reason: str = "") -> None:
        """Close after what was written, and hang up when the client has answered, or after `Limits.close_seconds`."""
        if self._is_over or self.transport.is_closing():
            return
        payload = Close(code, reason).serialize()
        self.write(_head(Opcode.CLOSE, len(payload)) + payload)
        if self._parser is None:
            self._parser = self._parsers.lend(self)
        self._parser.closing(Close(code, reason))
        self.within(self.limits.close_seconds, self.transport.abort)
        self._end(code, reason, by_client=False)
        self.pace()

    def hang_up(self) -> None:
        """End the connection when the client has taken what was written, without a close frame."""
        if not self.transport.is_closing():
            self.transport.close()
            self.within(self.limits.close_seconds, self.transport.abort)

    def abort(self) -> None:
        """End the connection at once. The only way to be rid of a client that does not read."""
        self.transport.abort()

    def shutdown(self) -> None:
        """Called by a server that stops."""
        if self._is_paused:
            self.transport.abort()  # the server would wait for a client that does not read
        else:
            self.close(CloseCode.SERVICE_RESTART)
            self.transport.close()

    # In -------------------------------------------------------------------------------------------------------------

    def ready(self) -> bool:
        # After a close messages are dropped; the client's close is looked for among them.
        return not self._is_paused and (self._is_over or self.receiver.backlog() < self.limits.waiting_messages)

    def data_received(self, data: bytes) -> None:
        if not self._is_failed:
            super().data_received(data)

    def parse(self, data: bytes) -> None:
        parser = self._parser
        if parser is None:
            parser = self._parser = self._parsers.lend(self)
        parser.receive_data(data)
        if parser.writes:
            answer = b"".join(parser.data_to_send())
            self.written += len(answer)
            self.transport.write(answer)
        frames = parser.events_received()
        if frames and not self._is_over:
            self.receiver.heard()
        for frame in frames:
            self._take(frame)  # type: ignore[arg-type] # a server's parser gives a request first, and then frames
        if parser.parser_exc is not None:
            self._fail(parser)
        elif parser.is_idle and self._parts is None:
            self._parser = None
            self._parsers.give_back(parser)

    def _take(self, frame: Frame) -> None:
        match frame.opcode:
            case Opcode.TEXT | Opcode.BINARY:
                self._is_text = frame.opcode is Opcode.TEXT
                if frame.fin:
                    self._message(bytes(frame.data))
                else:
                    self._parts = [bytes(frame.data)]
            case Opcode.CONT:
                if self._parts is not None:
                    self._parts.append(bytes(frame.data))
                    if frame.fin:
                        parts, self._parts = self._parts, None
                        self._message(b"".join(parts))
            case Opcode.CLOSE:
                self._closed()

    def _message(self, data: bytes) -> None:
        if not self._is_over:
            self.receiver.message(data.decode() if self._is_text else data)

    def _closed(self) -> None:
        """Hang up: the client has closed, or answered a close. The parser has written the answer to it."""
        close = self._parser and self._parser.close_rcvd
        if close:
            self._end(close.code, close.reason, by_client=True)
        self.hang_up()

    def _fail(self, parser: "Parser") -> None:
        """Hang up when the client has read the close that the parser has written, or after a while."""
        self._is_failed = True
        if (close := parser.close_sent) is not None:
            self._end(close.code, close.reason, by_client=False)
        # Closing a socket with unread data in it resets the connection, and the client would never see the close. So
        # what still comes is read, and dropped.
        self.forget_unparsed()
        if self.transport.can_write_eof() and not self.transport.is_closing():
            self.transport.write_eof()
        self.within(self.limits.linger_seconds, self.transport.abort)

    def _end(self, code: int, reason: str, *, by_client: bool) -> None:
        if not self._is_over:
            self._is_over = True
            self.receiver.ended(code, reason, by_client=by_client)

    # The transport --------------------------------------------------------------------------------------------------

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._everybody.discard(self)
        if self._parser is not None:
            self._parser.parser.close()  # which refers to what refers to it, and would wait for the garbage collector
            self._parser = None
        try:
            if self._is_paused:
                self._is_paused = False
                self.receiver.writable(yes=True)  # nobody need wait any longer
        finally:
            self._end(CloseCode.ABNORMAL_CLOSURE, "", by_client=True)

    def eof_received(self) -> None:
        # The transport closes now, but not before the client has taken everything.
        self.within(self.limits.close_seconds, self.transport.abort)

    def pause_writing(self) -> None:
        self._is_paused = True
        super().pause_writing()
        self.receiver.writable(yes=False)

    def resume_writing(self) -> None:
        self._is_paused = False
        super().resume_writing()
        self.receiver.writable(yes=True)

    # What the parser asks, frame by frame ---------------------------------------------------------------------------

    def too_many_controls(self) -> bool:
        """Count a ping or pong. Return whether there were too many lately."""
        now = monotonic()
        if now - self._controls_since > self.limits.control_seconds:
            self._controls, self._controls_since = 0, now
        self._controls += 1
        return self._controls > self.limits.control_frames


class Parser(ServerProtocol):
    """websockets' parser of frames, with bounds on what the RFC leaves open. `socket` is whose bytes it parses."""

    socket: WebSocket

    def __init__(self, limits: Limits, max_size: int | None) -> None:
        super().__init__(state=State.OPEN, max_size=max_size, logger=logging.getLogger("deltacrown.websocket"))
        self._limits = limits
        self._is_between_frames = True
        self._fragments = 0
        self._text: codecs.IncrementalDecoder | None = None

    @property
    def is_idle(self) -> bool:
        """Whether it knows nothing that the next frame depends on, so that anybody's next frame can be parsed."""
        return self._is_between_frames and self.current_size is None and self._state is State.OPEN

    def receive_data(self, data: bytes | bytearray) -> None:
        self._is_between_frames = False
        super().receive_data(data)

    def closing(self, close: Close) -> None:
        """Know that a close was sent."""
        self.close_sent = close
        self.state = State.CLOSING

    def recv_frame(self, frame: Frame) -> None:
        match frame.opcode:
            case Opcode.TEXT | Opcode.BINARY:
                self._fragments = 1
                self._text = _UTF8() if frame.opcode is Opcode.TEXT else None
            case Opcode.CONT:
                self._fragments += 1
                if self._fragments > self._limits.fragments:
                    self._refuse("too many fragments")
                    return
            case Opcode.PING | Opcode.PONG:
                if self.socket.too_many_controls():
                    self._refuse("too many pings")
                    return
            case Opcode.CLOSE:
                # It may come in the middle of a message (RFC 6455, 5.4); websockets calls that an error.
                self.current_size = None
        if frame.opcode in DATA_OPCODES and self._text is not None:
            # As it comes, not when the message is complete: a client may send on for long what is bad already.
            self._text.decode(bytes(frame.data), frame.fin)
            if frame.fin:
                self._text = None
        super().recv_frame(frame)
        self._is_between_frames = not self.reader.buffer

    def _refuse(self, reason: str) -> None:
        self.fail(CloseCode.POLICY_VIOLATION, reason)
        self.parser_exc = ProtocolError(reason)


class Parsers:
    """The parsers of a server that nobody needs at the moment: few, because most frames come whole."""

    _MOST = 64

    def __init__(self, limits: Limits, max_size: int | None) -> None:
        self.limits = limits
        self._max_size = max_size
        self._idle: list[Parser] = []

    def lend(self, socket: WebSocket) -> Parser:
        parser = self._idle.pop() if self._idle else Parser(self.limits, self._max_size)
        parser.socket = socket
        return parser

    def give_back(self, parser: Parser) -> None:
        del parser.socket
        if len(self._idle) < self._MOST:
            self._idle.append(parser)
