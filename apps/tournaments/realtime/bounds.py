"""
What one client may take of the server, and the part of keeping it there that HTTP and WebSockets share.

Both parse what arrives in slices, one a turn of the loop, and stop reading while something waits to be parsed; both
give up a client that does not read.
"""

import asyncio
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

KIB = 1024


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


class Bounded(asyncio.Protocol):
    """One deadline at a time, and a watch on a client that does not read. A subclass sets what is declared here."""

    limits: Limits
    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    written = 0  # bytes, of a protocol that counts what it writes

    _unparsed: bytearray | None = None  # what arrived and waits
    _turn: asyncio.Handle | None = None
    _deadline: asyncio.TimerHandle | None = None
    _watch: asyncio.TimerHandle | None = None
    _drained = 0
    _drained_at = 0.0

    @abstractmethod
    def parse(self, data: bytes) -> None:
        """Parse the next slice of what arrived, and act on it."""

    @abstractmethod
    def ready(self) -> bool:
        """Return whether what was parsed has gone its way, so that more may be. Whatever changes it calls `pace`."""

    def connection_lost(self, exc: Exception | None) -> None:
        self.relax()
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._unparsed is None and len(data) <= self.limits.at_once and self.ready():
            self.parse(data)  # as nearly always; nothing is copied
            return
        self.unparsed(data)
        if self._turn is None:
            self._parse_slice()

    def unparsed(self, data: bytes) -> None:
        """Keep bytes to be parsed later; `pace` says when."""
        if self._unparsed is None:
            self._unparsed = bytearray()
        self._unparsed += data

    def _parse_slice(self) -> None:
        self._turn = None
        waiting = self._unparsed
        if waiting and self.ready() and not self.transport.is_closing():
            data = bytes(waiting[: self.limits.at_once])
            del waiting[: self.limits.at_once]
            self.parse(data)
        self.pace()

    def pace(self) -> None:
        """Parse on in the next turn if that may be; read on only when everything read has been parsed."""
        if self._unparsed is None or self.transport.is_closing():
            return
        if not self._unparsed:
            self._unparsed = None
            self.transport.resume_reading()
            return
        self.transport.pause_reading()
        if self._turn is None and self.ready():
            self._turn = self.loop.call_soon(self._parse_slice)

    def forget_unparsed(self) -> None:
        """Drop what arrived and was not parsed, and read on."""
        if self._unparsed is not None:
            self._unparsed = None
            if not self.transport.is_closing():
                self.transport.resume_reading()

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
