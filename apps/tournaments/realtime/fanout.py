"""
From the events of a room to its connections: encoded once, framed once, the same bytes to everybody, where the kernel
lets us with one system call for hundreds (uring.py).

What comes for a room while it is being written is joined into the next write, so events that come fast cost one write a
connection, and a quiet room waits for nothing. Between one write and the next a busy room gathers events for GATHER of
the time that a write takes: in a room of 10,000, 6 ms. A turn of the event loop writes to SLICE connections, of
whatever rooms.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Protocol

import structlog

from apps.tournaments.realtime.uring import BUFFER, Ring
from apps.tournaments.realtime.websocket import text_frame

logger = structlog.get_logger(__name__)

SLICE = 500  # connections, about 3 ms
RING_LEAST = 16  # connections; for fewer a ring costs more than it saves
GATHER = 0.1
LEAST_SECONDS = 0.001  # less is not worth a timer


class Prepared:
    """One frame that many connections get, made once. `text`: in UTF-8."""

    count = 1

    def __init__(self, text: bytes) -> None:
        self._text = text

    @cached_property
    def frames(self) -> bytes:
        """It as it goes over a WebSocket."""
        return text_frame(self._text)

    @cached_property
    def texts(self) -> list[str]:
        return [self._text.decode()]


class Batch:
    """`count` consecutive frames of events of one room; `first` and `last` are the seq of the first and the last."""

    def __init__(self, seqs: Sequence[int], texts: Sequence[bytes]) -> None:
        self._seqs, self._texts = seqs, texts
        self.first, self.last, self.count = seqs[0], seqs[-1], len(seqs)

    @cached_property
    def frames(self) -> bytes:
        """All of it as it goes over a WebSocket."""
        return b"".join(map(text_frame, self._texts))

    @cached_property
    def texts(self) -> list[str]:
        return [text.decode() for text in self._texts]

    @property
    def seqs(self) -> Sequence[int]:
        return self._seqs

    def after(self, seq: int) -> "Batch | None":
        """Return what comes after `seq`, None when nothing does."""
        known = sum(one <= seq for one in self._seqs)
        return Batch(self._seqs[known:], self._texts[known:]) if known < len(self._seqs) else None


class Member(Protocol):
    """A connection, as the fan-out sees it."""

    def deliver(self, batch: Batch) -> None:
        """Write the batch."""

    def accept(self, batch: Batch) -> "Direct | None":
        """Count the batch as written, and return whose socket takes its frames at once. None: `deliver` it instead."""

    def abort(self) -> None: ...


class Direct(Protocol):
    """A connection that is written to past its transport. `file`: its socket's descriptor."""

    file: int

    def write_rest(self, frames: bytes) -> None:
        """Write what the socket did not take."""

    def abort(self) -> None: ...


class Burst:
    """What one turn of the loop writes past the transports: frames to sockets, all with one system call."""

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._free = BUFFER
        self._to: list[Direct] = []
        self._sockets: list[int] = []
        self._runs: list[tuple[int, bytes]] = []

    def add(self, members: Iterable[Member], batch: Batch) -> Iterable[Member]:
        """Have the batch written to those who take it at once, each once a burst. Return the others."""
        frames = batch.frames
        if len(frames) > self._free:
            return members
        others: list[Member] = []
        before = len(self._sockets)
        for member in members:
            if (direct := member.accept(batch)) is None:
                others.append(member)
            else:
                self._to.append(direct)
                self._sockets.append(direct.file)
        self._free -= len(frames)
        self._runs.append((len(self._sockets) - before, frames))
        return others

    def write(self) -> None:
        """Write it."""
        if len(self._sockets) >= RING_LEAST:
            rest = self._ring.send(self._sockets, self._runs)
        else:
            rest = dict.fromkeys(range(len(self._sockets)), 0)
        if rest:
            everything = [frames for count, frames in self._runs for _ in range(count)]
            for place, taken in rest.items():
                direct = self._to[place]
                try:
                    direct.write_rest(everything[place][taken:])
                except Exception:
                    logger.exception("delivery_failed")
                    direct.abort()


class Outbox:
    """What is to be written to the members of a room, in their order, and how far that has come."""

    def __init__(self, members: Iterable[Member]) -> None:
        self._members = members
        self._seqs: list[int] = []
        self._texts: list[bytes] = []
        self._batch: Batch | None = None  # being written
        self._to: list[Member] = []
        self._left: set[Member] = set()  # since the batch began
        self._written = 0
        self._began = self._ended = self._took = 0.0
        self.is_queued = False  # in a Fanout, or gathering

    def add(self, seq: int, text: bytes) -> None:
        self._seqs.append(seq)
        self._texts.append(text)

    def leave(self, member: Member) -> None:
        """Write no more to somebody who is a member no longer, also not of what is being written."""
        if self._batch is not None:
            self._left.add(member)

    def write(self, most: int, now: float, burst: Burst | None = None) -> int:
        """Write to up to `most` members, or have that done by the burst. Return to how many."""
        if self._batch is None:
            if not self._seqs:
                return 0
            self._batch, self._seqs, self._texts = Batch(self._seqs, self._texts), [], []
            self._to, self._written, self._began = list(self._members), 0, now
        part = self._to[self._written : self._written + most]
        self._written += len(part)
        to: Iterable[Member] = [member for member in part if member not in self._left] if self._left else part
        if burst is not None:
            to = burst.add(to, self._batch)
        for member in to:
            try:
                member.deliver(self._batch)
            except Exception:
                logger.exception("delivery_failed")
                member.abort()  # it comes back and resumes; the others go on
        if self._written == len(self._to):
            self._batch, self._to = None, []
            self._left.clear()
            self._ended, self._took = now, now - self._began
        return len(part)

    def clear(self) -> None:
        """Write nothing of what is to be written."""
        self._seqs, self._texts, self._batch, self._to = [], [], None, []
        self._left.clear()

    @property
    def is_empty(self) -> bool:
        return self._batch is None and not self._seqs

    def gathers_for(self, now: float) -> float:
        """Return how many seconds to wait for more before the next batch: none unless the last one was just now."""
        wait = self._took * GATHER
        return wait if self._batch is None and now - self._ended < self._took and wait >= LEAST_SECONDS else 0


class Fanout:
    """Writes the outboxes that have something in them, in turns, until all are empty. By its ring, if it has one."""

    def __init__(self) -> None:
        self.ring: Ring | None = None
        self._queue: deque[Outbox] = deque()
        self._turn: asyncio.Handle | None = None

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def at(self, when: float, run: Callable[[], object]) -> asyncio.TimerHandle:
        """Call `run` at that time."""
        return asyncio.get_running_loop().call_at(when, run)

    def wake(self, outbox: Outbox) -> None:
        """Write an outbox, beginning in the next turn of the loop."""
        if not outbox.is_queued:
            outbox.is_queued = True
            self._put(outbox)

    def stop(self) -> None:
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        self._queue.clear()
        self.ring = None

    def _write(self) -> None:
        self._turn = None
        loop = asyncio.get_running_loop()
        left, now = SLICE, loop.time()
        if self.ring is not None and self.ring.is_broken:
            self.ring = None
        burst = None if self.ring is None else Burst(self.ring)
        try:
            for _ in range(len(self._queue)):  # each once: a burst writes to nobody twice
                outbox = self._queue.popleft()
                left -= outbox.write(left, now, burst) + 1
                if outbox.is_empty:
                    outbox.is_queued = False
                else:
                    self._put(outbox)
                if left <= 0:
                    break
        finally:
            if burst is not None:
                burst.write()
        if self._queue and self._turn is None:
            self._turn = loop.call_soon(self._write)

    def _put(self, outbox: Outbox) -> None:
        """Queue an outbox, now or when it has gathered enough."""
        loop = asyncio.get_running_loop()
        if wait := outbox.gathers_for(loop.time()):
            loop.call_later(wait, self._queue_up, outbox)
        else:
            self._queue_up(outbox)

    def _queue_up(self, outbox: Outbox) -> None:
        self._queue.append(outbox)
        if self._turn is None:
            self._turn = asyncio.get_running_loop().call_soon(self._write)
