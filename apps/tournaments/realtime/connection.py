"""One WebSocket as the hub sees it: something to write to that never makes the writer wait."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from apps.accounts.tokens import Identity
from apps.tournaments.realtime.middleware import farewell
from apps.tournaments.realtime.protocol import CloseCode
from apps.tournaments.realtime.record import Record

MAX_QUEUED_CHARS = 4 * 1024 * 1024  # a snapshot of 128 entrants has about 60,000


class ASGIConnection:
    """
    All times are those of the event loop's clock. `rights_changed` is called when the holder's role may have changed.

    Frames wait in a queue of bounded size until the server has taken the ones before.

    While it holds (from joining until the past has been written, and while it is not clear what the holder may see),
    frames of events are kept back; `skip` forgets those that the past contains, `release` lets the others go.
    """

    def __init__(
        self, send: Any, identity: Identity, record: Record, *, now: float, ping_at: float, expires_at: float
    ) -> None:
        self.identity = identity
        self.record = record
        self.heard_at = now
        self.ping_at = ping_at
        self.expires_at = expires_at
        self.warned = True  # until the welcome, which comes before anything else
        self.rights_changed: Callable[[], None] = lambda: None
        self.closed_with: CloseCode | None = None
        self._send = send
        self._queue: deque[str] = deque()
        self.queued = 0  # characters
        self._held: list[tuple[int, str]] | None = []
        self._wake = asyncio.Event()

    def write(self, text: str) -> None:
        if self.closed_with is not None:
            return
        if self.queued + len(text) > MAX_QUEUED_CHARS:
            self.close(CloseCode.SLOW_CONSUMER)
            return
        self._queue.append(text)
        self.queued += len(text)
        self._wake.set()

    def deliver(self, seq: int, text: str) -> None:
        if self._held is None:
            self.write(text)
        else:
            self._held.append((seq, text))

    def hold(self) -> None:
        if self._held is None:
            self._held = []

    def skip(self, seq: int) -> None:
        """Forget the frames that are held back of events up to `seq`."""
        self._held = [frame for frame in self._held or [] if frame[0] > seq]

    def release(self) -> None:
        """Write the frames that were held back, and hold no more."""
        held, self._held = self._held or [], None
        for _, text in held:
            self.write(text)

    def close(self, code: CloseCode) -> None:
        """Close with `code` after sending what waits and saying why. Whoever cannot keep up is sent no more of it."""
        if self.closed_with is None:
            self.closed_with = code
            if code is CloseCode.SLOW_CONSUMER:
                self._queue.clear()
            self._wake.set()

    async def drain(self) -> None:
        """Send what is written, until the connection is closed from here. Runs beside the reader."""
        while self.closed_with is None:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                text = self._queue.popleft()
                self.queued -= len(text)
                await self._send({"type": "websocket.send", "text": text})
        await self._send({"type": "websocket.send", "text": farewell(self.closed_with)})
        await self._send({"type": "websocket.close", "code": int(self.closed_with)})
