"""A fan-out without an event loop: what is to be written is written at once, and the clock is the test's."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from apps.tournaments.realtime.fanout import Batch, Fanout, Outbox


class Timer:
    def __init__(self, when: float, run: Callable[[], object]) -> None:
        self.when, self.run, self.cancelled = when, run, False

    def cancel(self) -> None:
        self.cancelled = True


class AtOnce(Fanout):
    """`pass_time` moves the clock, and calls what is due meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 0.0
        self.timers: list[Timer] = []

    @property
    def now(self) -> float:
        return self.time

    def at(self, when: float, run: Callable[[], object]) -> asyncio.TimerHandle:
        self.timers.append(Timer(when, run))
        return self.timers[-1]  # type: ignore[return-value] # all that is asked of it

    def wake(self, outbox: Outbox) -> None:
        while not outbox.is_empty:
            outbox.write(1, self.time)

    def pass_time(self, seconds: float) -> None:
        until = self.time + seconds
        while due := [timer for timer in self.timers if not timer.cancelled and timer.when <= until]:
            timer = min(due, key=lambda one: one.when)
            self.timers.remove(timer)
            self.time = max(self.time, timer.when)
            timer.run()
        self.time = until


def frames_of(batch: Batch) -> list[dict[str, Any]]:
    """Return the frames in a batch, decoded."""
    frames = [msgspec.json.decode(text) for text in batch.texts]
    assert [frame["seq"] for frame in frames] == list(batch.seqs)
    return frames
