"""What breaks, and when. Several lanes of faults run beside each other; within a lane one fault follows another."""

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from redis.asyncio import Redis

from tests.chaos.crowd import Crowd
from tests.chaos.dials import Dials
from tests.chaos.processes import START_SECONDS, Worker, begin_again, until
from tests.services import Service

HOUR = 3600.0


class Window(NamedTuple):
    """While a fault lasted. `worker`: the one that it hit, None if it was not one."""

    kind: str
    begin: float
    end: float
    worker: int | None = None


@dataclass(frozen=True)
class Pace:
    """In seconds. `pause`: at most, between two faults of a lane. Each fault comes `rounds` times, or for `minutes`."""

    frozen: float
    down: float
    pause: float
    rounds: int = 0
    minutes: float = 0


@dataclass
class Faults:
    workers: list[Worker]
    redis: Service
    postgres: Service
    dials: list[Dials]  # of every process that has a bus
    crowd: Crowd
    pace: Pace
    seed: int
    windows: list[Window] = field(default_factory=list)

    async def run(self) -> None:
        """Run all lanes; whatever happens, all is healed afterwards, but for what has ended."""
        try:
            async with asyncio.TaskGroup() as group:
                for number, lane in enumerate(self.LANES):
                    group.create_task(self._lane(lane, random.Random(f"{self.seed} lane {number}")))
        finally:
            for dials in self.dials:
                dials.turn(clock=0, bus=0)

    async def _lane(self, lane: "tuple[Fault, ...]", rng: random.Random) -> None:
        end = time.monotonic() + self.pace.minutes * 60
        left = self.pace.rounds
        while left > 0 or self.pace.minutes:
            left -= 1
            for fault in rng.sample(lane, len(lane)):
                await asyncio.sleep(rng.uniform(0.1, 1) * self.pace.pause)
                if self.pace.minutes and time.monotonic() > end:
                    return
                await fault(self, rng)

    @asynccontextmanager
    async def _window(self, kind: str, worker: Worker | None = None) -> AsyncIterator[None]:
        begin = time.monotonic()
        try:
            yield
        finally:
            self.windows.append(Window(kind, begin, time.monotonic(), worker and worker.number))

    # The site's processes -------------------------------------------------------------------------------------------

    async def worker_killed(self, rng: random.Random) -> None:
        worker = rng.choice(self.workers)
        async with self._window("worker killed", worker):
            await worker.end(signal.SIGKILL)
            await asyncio.sleep(rng.uniform(0, 1))
            await worker.start()

    async def worker_drained(self, rng: random.Random) -> None:
        worker = rng.choice(self.workers)
        async with self._window("worker drained", worker):
            await worker.end(signal.SIGTERM)
            await worker.start()

    async def worker_frozen(self, rng: random.Random) -> None:
        worker = rng.choice(self.workers)
        async with self._window("worker frozen", worker):
            worker.send(signal.SIGSTOP)
            try:
                await asyncio.sleep(self.pace.frozen)
            finally:
                worker.send(signal.SIGCONT)

    # Redis ----------------------------------------------------------------------------------------------------------

    async def redis_restarted(self, rng: random.Random) -> None:
        async with self._window("redis restarted"):
            self.redis.send(rng.choice((signal.SIGKILL, signal.SIGTERM)))
            await until(lambda: self.redis.has_ended, START_SECONDS)
            await asyncio.sleep(self.pace.down)
            await begin_again(self.redis)

    async def redis_frozen(self, rng: random.Random) -> None:
        async with self._window("redis frozen"):
            self.redis.send(signal.SIGSTOP)
            try:
                await asyncio.sleep(self.pace.down)
            finally:
                self.redis.send(signal.SIGCONT)

    async def redis_flushed(self, rng: random.Random) -> None:
        async with self._window("redis flushed"):
            await self._command("FLUSHALL")

    async def subscribers_killed(self, rng: random.Random) -> None:
        async with self._window("subscribers killed"):
            await self._command("CLIENT", "KILL", "TYPE", "pubsub")

    async def _command(self, *words: str) -> None:
        async with Redis.from_url(self.redis.url, socket_timeout=START_SECONDS) as client:
            await client.execute_command(*words)

    # PostgreSQL -----------------------------------------------------------------------------------------------------

    async def postgres_restarted(self, rng: random.Random) -> None:
        async with self._window("postgres restarted"):
            self.postgres.send(signal.SIGQUIT)  # immediate: as after a crash
            await until(lambda: self.postgres.has_ended, START_SECONDS)
            await asyncio.sleep(rng.uniform(0, self.pace.down / 2))
            await begin_again(self.postgres)

    # Clocks, hints, readers -------------------------------------------------------------------------------------------

    async def clock_jumped(self, rng: random.Random) -> None:
        worker = rng.choice(self.workers)
        for hours in rng.sample((-1, 1), 2):
            async with self._window(f"clock {hours:+} h", worker):
                worker.dials.turn(clock=hours * HOUR)
                await asyncio.sleep(self.pace.down)
                worker.dials.turn(clock=0)

    async def hints_broken(self, rng: random.Random) -> None:
        async with self._window("hints broken"):
            for dials in self.dials:
                dials.turn(bus=0.6)
            await asyncio.sleep(self.pace.frozen)
            for dials in self.dials:
                dials.turn(bus=0)

    async def readers_stalled(self, rng: random.Random) -> None:
        async with self._window("readers stalled"):
            await self.crowd.stall(0.05, self.pace.frozen)

    LANES = (
        (worker_killed, worker_drained, worker_frozen),
        (redis_restarted, redis_frozen, redis_flushed, subscribers_killed),
        (postgres_restarted, clock_jumped, hints_broken),
        (readers_stalled,),
    )


Fault = Callable[[Faults, random.Random], Awaitable[None]]
