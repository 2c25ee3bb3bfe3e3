"""One run, from the first process to the verdict."""

import asyncio
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from signal import SIGKILL
from typing import Any

from channels.db import database_sync_to_async

from tests.chaos.crowd import Crowd, Seen, Stop, Watcher
from tests.chaos.faults import Faults, Pace
from tests.chaos.judge import Cup, Judge, Reader
from tests.chaos.processes import START_SECONDS, Worker, WriterProcess, until
from tests.chaos.stage import Stage, people_come, play_begins
from tests.chaos.staleness import Delay, delays, during, is_healthy
from tests.chaos.truth import Truth, read_log

REDIS_DOWN = ("redis restarted", "redis frozen")
CODES_OF_WRONG_CLOCKS = (4001, 4003)  # a token that will be made in an hour was never made
LOOK_SECONDS = 0.5
THREADS = 64  # the client asks for tokens in threads, and a frozen process holds each for seconds


@dataclass(frozen=True)
class Options:
    seed: int
    clients: int
    processes: int
    cups: int
    entrants: int
    rate: float  # commands of the writer, a second
    life: float  # commands until it dies
    stay: float  # seconds in which somebody stays connected
    quiet: float  # seconds until everybody has to be current when all is healed
    most_stale: float | None  # seconds; None reports only
    pace: Pace


@dataclass
class Result:
    options: Options
    seconds: float = 0
    judge: Judge | None = None
    seen: Seen = field(default_factory=Seen)
    faults: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    complaints: Counter[str] = field(default_factory=Counter)
    events: int = 0
    settled: float = 0
    lag: float = 0
    stale: dict[str, list[float]] = field(default_factory=dict)


class Run:
    def __init__(self, stage: Stage, options: Options) -> None:
        rng = random.Random(options.seed)
        self.options, self.result = options, Result(options)
        self.workers = [Worker(number, stage.environment, stage.folder) for number in range(options.processes)]
        self.writer = WriterProcess(stage.environment, stage.folder, options.seed, options.rate, options.life)
        people = people_come(options.clients, play_begins(options.cups, options.entrants), rng)
        seen, seed = self.result.seen, options.seed
        watchers = [
            Watcher(number, workers=self.workers, seen=seen, seed=seed, **person)
            for number, person in enumerate(people)
        ]
        self.crowd = Crowd(watchers, options.stay, options.seed)
        dials = [self.writer.dials, *(worker.dials for worker in self.workers)]
        self.faults = Faults(self.workers, stage.redis, stage.postgres, dials, self.crowd, options.pace, options.seed)

    async def __call__(self) -> Result:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
        began = time.monotonic()
        async with AsyncExitStack() as stack:
            for worker in self.workers:
                stack.push_async_callback(worker.end, SIGKILL)
            await asyncio.gather(*(worker.start() for worker in self.workers))
            watching = asyncio.create_task(self.crowd.live())
            stack.push_async_callback(_cancel, watching)
            measuring = asyncio.create_task(self._measure_lag())
            stack.push_async_callback(_cancel, measuring)
            await self.writer.start()
            stack.push_async_callback(self.writer.stop)
            await _first_of(self._begin(), watching)
            await _first_of(self.faults.run(), watching)
            await self.writer.stop()
            self.crowd.calm.set()
            await _first_of(self._settle(), watching)
        self.result.wrong["process ended by itself"] += sum(worker.crashes for worker in self.workers)
        self.result.seconds = time.monotonic() - began
        await database_sync_to_async(self._judge)()
        return self.result

    async def _begin(self) -> None:
        """Wait until there is something to break."""
        await until(
            lambda: self.writer.commits and any(one.room.status.kind == "live" for one in self.crowd.watchers),
            START_SECONDS,
        )

    async def _settle(self) -> None:
        """Wait until everybody has what the database has, or as long as that may take."""
        began = time.monotonic()
        waiting = self.crowd.watchers
        truth = Truth()
        while waiting and time.monotonic() < began + self.options.quiet:
            await database_sync_to_async(truth.read)()
            waiting = [watcher for watcher in waiting if not truth.is_current(watcher)]
            if not waiting:  # while the last became current, the first may have been told more
                waiting = [watcher for watcher in self.crowd.watchers if not truth.is_current(watcher)]
            await asyncio.sleep(LOOK_SECONDS)
        self.result.settled = time.monotonic() - began
        for watcher in waiting:
            status = watcher.room.status
            self.result.wrong[f"not current in the end: {'state' if status.kind == 'live' else status.kind}"] += 1

    def _judge(self) -> None:
        result = self.result
        cups, result.wrong["log with a hole"] = read_log()
        judge = result.judge = Judge(cups, result.seen.texts.all())
        for watcher in self.crowd.watchers:
            reader = Reader(judge, cup=watcher.cup, match=watcher.match, user=watcher.user)
            reader.read(watcher.tape)
            if watcher.room.position is None or reader.mine != watcher.room.position.seq:
                result.wrong["client and judge at different places"] += 1
            elif reader.state != watcher.room.state:
                result.wrong["client and judge of different states"] += 1
        judge.judge_snapshots()
        result.wrong += judge.wrong
        self._judge_commits(cups)
        self._judge_actions(cups)
        self._judge_delays(judge)
        result.events = sum(len(cup.events) for cup in cups.values())
        result.faults = Counter(window.kind for window in self.faults.windows) + self.writer.deaths
        for stop in result.seen.stopped:
            if stop.code in CODES_OF_WRONG_CLOCKS and self._had_a_wrong_clock(stop):
                result.seen.counts["wrong clock"] += 1
            else:
                result.wrong[f"client sent away for good with {stop.code}"] += 1
        for worker in self.workers:
            result.complaints += worker.complaints()

    def _had_a_wrong_clock(self, stop: Stop) -> bool:
        return any(
            window.kind.startswith("clock") and window.worker == stop.worker
            and window.begin <= stop.end and stop.begin <= window.end
            for window in self.faults.windows
        )  # fmt: skip

    def _judge_commits(self, cups: dict[int, Cup]) -> None:
        """What was committed is there for ever."""
        for stream, seq in self.writer.commits:
            if cups[int(stream.partition(":")[2])].at(seq) is None:
                self.result.wrong["committed event that is not in the log"] += 1

    def _judge_actions(self, cups: dict[int, Cup]) -> None:
        effects = Counter(event.command for cup in cups.values() for event in cup.events if event.command)
        self.result.wrong["action with two effects"] += sum(count > 1 for count in effects.values())
        self.result.wrong["action acknowledged without effect"] += sum(
            not effects[name] for name in self.result.seen.acked
        )

    def _judge_delays(self, judge: Judge) -> None:
        windows = self.faults.windows
        everybody: list[Delay] = [
            delay for watcher in self.crowd.watchers for delay in delays(watcher, judge, self.writer.commits)
        ]
        healthy = [delay for delay in everybody if is_healthy(delay, windows)]
        parts = {
            "all, behind frozen processes too": everybody,
            "on healthy processes": healthy,
            "the same, Redis down or frozen": [delay for delay in healthy if during(delay, windows, REDIS_DOWN)],
            "the same, hints broken": [delay for delay in healthy if during(delay, windows, ("hints broken",))],
        }
        self.result.stale = {name: sorted(delay.seconds for delay in part) for name, part in parts.items()}
        if self.options.most_stale is not None:
            most = self.options.most_stale + self.result.lag
            self.result.wrong[f"event later than {most:.1f} s"] = sum(delay.seconds > most for delay in healthy)

    async def _measure_lag(self) -> None:
        """How late this process itself is, which every delay contains."""
        while True:
            due = time.monotonic() + 0.1
            await asyncio.sleep(0.1)
            self.result.lag = max(self.result.lag, time.monotonic() - due)


async def _first_of(coroutine: Any, watching: asyncio.Task[None]) -> None:
    """Run to the end, unless those who watch fail before."""
    task = asyncio.ensure_future(coroutine)
    await asyncio.wait({task, watching}, return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        await _cancel(task)
        watching.result()
    task.result()


async def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
