"""
One connection as the hub sees it: something to write to that never makes the writer wait.

It knows how far it has been brought (`seq`), so it gets every event after that once, whatever comes between, and which
frame its client has (`mine`, which is less where the events since then are not for its room). It is `live` while it
takes events as they come. When it is not (its past is still to be written, it is not clear what its
holder may see, its client reads too slowly), nothing is kept for it: it catches up from the feed's memory.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Any

from apps.accounts.tokens import Identity
from apps.tournaments.realtime.fanout import Batch, Direct, Prepared
from apps.tournaments.realtime.farewell import farewell
from apps.tournaments.realtime.protocol import RESTART, CloseCode, ServerRestarting, encode
from apps.tournaments.realtime.record import Record
from apps.tournaments.realtime.websocket import WebSocket, text_frame

MAX_QUEUED_CHARS = 4 * 1024 * 1024  # a snapshot of 128 entrants has about 60,000
SLOW_CHARS = 256 * 1024  # more waiting than this: the client reads too slowly for events as they come


class Connection(ABC):
    """
    All times are those of the event loop's clock. `rights_changed` is called when the holder's role may have changed,
    `caught_up` when the client reads again.
    """

    __slots__ = (
        "_is_held",
        "caught_up",
        "closed_with",
        "expires_at",
        "heard_at",
        "identity",
        "is_behind",
        "live",
        "mine",
        "ping_at",
        "record",
        "rights_changed",
        "seq",
        "warned",
    )

    def __init__(self, identity: Identity, record: Record, *, now: float, ping_at: float, expires_at: float) -> None:
        self.identity = identity
        self.record = record
        self.heard_at = now
        self.ping_at = ping_at
        self.expires_at = expires_at
        self.warned = True  # until the welcome, which comes before anything else
        self.rights_changed: Callable[[], None] = _nothing
        self.caught_up: Callable[[], None] = _nothing
        self.closed_with: int | None = None  # by whoever was first
        self.seq = self.mine = 0
        self.live = False
        self.is_behind = False
        self._is_held = True

    @property
    @abstractmethod
    def queued(self) -> int:
        """How many bytes, or characters, wait for the client."""

    @abstractmethod
    def put(self, what: Prepared | Batch) -> None:
        """Write frames, unless the connection is closed."""

    @abstractmethod
    def _close(self, code: int) -> None: ...

    @abstractmethod
    def abort(self) -> None:
        """End the connection at once, also when its client does not read."""

    def write(self, text: str) -> None:
        """Write one frame that is for nobody else."""
        self.put(Prepared(text.encode()))

    def deliver(self, batch: Batch) -> None:
        """Write the next events of the room."""
        if self.live:
            if batch.first > self.seq:
                self.seq = self.mine = batch.last
                self.put(batch)
            elif (rest := batch.after(self.seq)) is not None:
                self.seq = self.mine = rest.last
                self.put(rest)

    def accept(self, batch: Batch) -> Direct | None:
        """Count the next events of the room as written, and return whose socket takes them at once, if there is one."""
        return None

    def bring(self, frames: Prepared | Batch | None, seq: int, mine: int) -> None:
        """Write what brings it to `seq`, and its client to `mine`."""
        if frames is not None:
            self.put(frames)
        self.seq, self.mine = seq, mine

    def hold(self) -> None:
        """Take no more events."""
        self._is_held, self.live = True, False

    def release(self) -> None:
        """Take events as they come, after `seq`; or, if the client reads too slowly, when it has caught up."""
        self._is_held = False
        self.live = not self.is_behind and self.closed_with is None

    def close(self, code: CloseCode) -> None:
        """Close with `code` after sending what waits and saying why."""
        if self.closed_with is None:
            self.closed_with, self.live = code, False
            self._close(code)

    def restart(self, retry_after_ms: int) -> None:
        """Close because this process ends, and say when to come back."""
        if self.closed_with is None:
            self.write(encode(ServerRestarting(retry_after_ms=retry_after_ms)))
            self.closed_with, self.live = RESTART, False
            self._close(RESTART)

    def _reads(self, *, slowly: bool) -> None:
        self.is_behind = slowly
        if slowly:
            self.live = False
        elif not self._is_held and self.closed_with is None:
            self.caught_up()


class SocketConnection(Connection):
    """
    On an open `WebSocket` of this server. When its client is silent it has no task and no queue.

    `take` is awaited for each message, in order, from `serve` on; `left` once, after the last. `file` is its socket's.
    """

    __slots__ = (
        "_delivered",
        "_inbox",
        "_is_clear",
        "_is_serving",
        "_transport",
        "_worker",
        "file",
        "left",
        "take",
        "websocket",
    )

    websocket: WebSocket
    _transport: asyncio.Transport

    def __init__(self, identity: Identity, record: Record, *, take: Any, left: Any, **times: float) -> None:
        super().__init__(identity, record, **times)
        self.take, self.left = take, left
        self._delivered = 0  # frames that the record does not know of yet
        self._is_clear = False  # certain that the transport has nothing left to write
        self._inbox: list[str | bytes] | None = None  # an empty one would be most of what a silent connection weighs
        self._is_serving = False
        self._worker: asyncio.Task[None] | None = None

    def use(self, websocket: WebSocket) -> None:
        """Be on this one, before anything else."""
        self.websocket, self._transport = websocket, websocket.transport
        is_plain = self._transport.get_extra_info("sslcontext") is None
        self.file = self._transport.get_extra_info("socket").fileno() if is_plain else -1

    @property
    def queued(self) -> int:
        return self.websocket.buffered_bytes()

    def deliver(self, batch: Batch) -> None:
        # Where there is no io_uring, 10,000 wait for this, one after the other. Through `put` and `WebSocket.write`,
        # which look at more objects of each connection, it is 2.2 µs of user time, so it is 1.2, uvloop's share
        # included. They need not be asked: a live connection is open, and its client reads. (What a slow client takes
        # is measured from when it falls behind; then nothing comes this way, so it need not be counted in
        # `WebSocket.written`.)
        transport = self._transport
        if self.live and batch.first > self.seq and not transport.is_closing():
            self.seq = self.mine = batch.last
            self._delivered += batch.count
            self._is_clear = False
            transport.write(batch.frames)
        else:
            super().deliver(batch)

    def accept(self, batch: Batch) -> Direct | None:
        # As `deliver`, for a socket that the fan-out writes to itself, past the transport.
        if self.live and batch.first > self.seq and (self._is_clear or self._is_drained()):
            self.seq = self.mine = batch.last
            self._delivered += batch.count
            return self
        return None

    def _is_drained(self) -> bool:
        self._is_clear = self.file >= 0 and not self._transport.get_write_buffer_size()
        return self._is_clear

    def write_rest(self, frames: bytes) -> None:
        self._is_clear = False
        self._transport.write(frames)

    def put(self, what: Prepared | Batch) -> None:
        self._is_clear = False
        if self.websocket.write(what.frames):
            self.record.sent += what.count

    def _close(self, code: int) -> None:
        if code != RESTART:
            self.websocket.write(text_frame(farewell(CloseCode(code)).encode()))
        self.websocket.close(code)

    def abort(self) -> None:
        self.websocket.abort()

    def serve(self) -> None:
        """Handle what has come, and what comes from now on."""
        self._is_serving = True
        if self._inbox or self.websocket.is_over:
            self._work_on()

    # Receiver of the WebSocket --------------------------------------------------------------------------------------

    def message(self, data: str | bytes) -> None:
        self.record.received += 1
        if self._inbox is None:
            self._inbox = []
        self._inbox.append(data)
        self._work_on()

    def backlog(self) -> int:
        return len(self._inbox) if self._inbox else 0

    def heard(self) -> None:
        self.heard_at = asyncio.get_running_loop().time()
        self._is_clear = False  # a ping has been answered, perhaps

    def writable(self, *, yes: bool) -> None:
        self._reads(slowly=not yes)

    def ended(self, code: int, reason: str, *, by_client: bool) -> None:
        # The transport tells it before it gives the socket back, whose number may then be another connection's.
        self.file, self._is_clear = -1, False
        self.record.sent += self._delivered
        self.record.closed(code, "client" if by_client else "server")
        self.closed_with, self.live = self.closed_with or code, False
        self._work_on()

    def _work_on(self) -> None:
        if self._is_serving and self._worker is None:
            self._worker = asyncio.get_running_loop().create_task(self._work())

    async def _work(self) -> None:
        while self._inbox:
            await self.take(self._inbox.pop(0))
            self.websocket.pace()
        self._inbox = self._worker = None
        if self.websocket.is_over:
            self._is_serving = False
            await self.left()


class ASGIConnection(Connection):
    """On another server, or in a test: frames wait in a queue of bounded size until the server has taken them."""

    __slots__ = ("_aborted", "_queue", "_queued", "_send", "_wake")

    def __init__(self, send: Any, identity: Identity, record: Record, **times: float) -> None:
        super().__init__(identity, record, **times)
        self._send = send
        self._queue: deque[str] = deque()
        self._queued = 0
        self._wake = asyncio.Event()
        self._aborted = asyncio.Event()

    @property
    def queued(self) -> int:
        return self._queued

    async def aborted(self) -> None:
        """Return when the connection is not to be waited for any longer."""
        await self._aborted.wait()

    def put(self, what: Prepared | Batch) -> None:
        for text in what.texts:
            if self.closed_with is not None:
                return
            if self._queued + len(text) > MAX_QUEUED_CHARS:
                self.close(CloseCode.SLOW_CONSUMER)
                return
            self._queue.append(text)
            self._queued += len(text)
            self._wake.set()
        if self._queued > SLOW_CHARS and not self.is_behind:
            self._reads(slowly=True)

    def _close(self, code: int) -> None:
        if code == CloseCode.SLOW_CONSUMER:  # whoever cannot keep up is sent no more of it
            self._queue.clear()
        self._wake.set()

    def abort(self) -> None:
        self._aborted.set()

    async def drain(self) -> None:
        """Send what is written, until the connection is closed from here. Runs beside the reader."""
        while self.closed_with is None:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                text = self._queue.popleft()
                self._queued -= len(text)
                await self._send({"type": "websocket.send", "text": text})
            if self.is_behind:
                self._reads(slowly=False)
        if self.closed_with != RESTART:
            await self._send({"type": "websocket.send", "text": farewell(CloseCode(self.closed_with))})
        await self._send({"type": "websocket.close", "code": int(self.closed_with)})


def _nothing() -> None:
    pass
