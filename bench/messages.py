"""
What the server computes for one message and for one connection, limits in memory and limits in Redis.

The site runs in a process of its own (SQLite), as `manage.py run` serves it; its CPU is read from /proc, before and
after, so what the load and Redis compute is not in it. Each figure is the median of some runs.

  message   `--people` signed-in people, each on one connection, keep `--window` pings under way: a frame comes in,
            passes the limits of the person and of the address and the schema, and is answered with a pong. The limits
            are set so high that nothing is refused; every check is made. With a window of 1 every message is read and
            answered by itself, as in life; with more of them, what one read brings shares its cost.
  connect   from the TCP connection to the snapshot of a tournament with 16 entrants, limits as by default, a new token
            and an address of its own for each: guests, and people with a session. Closing is not in the figure.

`--profile` prints in which functions the server's threads spend their time (cProfile, which distorts the figures).

Usage: .venv/bin/python bench/messages.py [--runs 3] [--seconds 4] [--connects 1000] [--only memory|redis] [--profile]
"""

import argparse
import asyncio
import pstats
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import uvloop

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.served import Cpu, Site, allow_many_files, cpu_of, cpu_of_family, sign_in_people, surroundings
from bench.wire import Socket, frame

PING = frame(b'{"type":"ping"}')
PONG = b'{"type":"pong"'
PRESENCE = b'{"type":"presence"'
SNAPSHOT = b'{"type":"snapshot"'
GOALS = {"memory": 60, "redis": 120}  # µs a message
CONNECTS_GOAL = 800  # a second of one core, limits in memory
AT_ONCE = 50  # connections under way
WARM_UP_SECONDS = 0.5
PATIENCE = 60.0
ENDLESS = "1000000000"
NO_REFUSALS = dict.fromkeys(
    ("WS_RATE_MSG_RPS", "WS_RATE_MSG_BURST", "WS_RATE_MSG_RPS_IP", "WS_RATE_MSG_BURST_IP"), ENDLESS
)


def main() -> None:
    parser = argparse.ArgumentParser(description="What the server computes for one message and for one connection.")
    parser.add_argument("--runs", type=int, default=3, help="of which the median is reported")
    parser.add_argument("--seconds", type=float, default=4, help="of one run with messages")
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--window", type=int, nargs="+", default=[1, 8], help="pings under way on a connection")
    parser.add_argument("--connects", type=int, default=1000, help="of one run with connections; 0: leave them out")
    parser.add_argument("--only", choices=("memory", "redis"), help="limits in memory, or in Redis, alone")
    parser.add_argument("--postgres", action="store_true", help="PostgreSQL instead of SQLite")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    allow_many_files(2 * max(options.connects, options.people) + 500)
    backends = [options.only] if options.only else ["memory", "redis"]
    with surroundings(postgres=options.postgres, redis="redis" in backends) as environment:
        from tests import factories

        cup = factories.drawn(16).stream
        people = sign_in_people(max(options.people, options.connects))
        lines = []
        for backend in backends:
            lines += of_backend(backend, environment, cup, people, options)
    print()
    print("\n".join(lines))


def of_backend(backend: str, environment: dict[str, str], cup: str, people: list[Any], options: Any) -> list[str]:
    """Measure with the limits in memory or in Redis. Return the lines of the table."""
    environment = environment | {"TRUSTED_PROXIES": "127.0.0.1", "WS_TOKEN_SECONDS": "3600"}
    if backend == "memory":
        environment.pop("REDIS_URL", None)
    lines = []
    with ExitStack() as stack:
        profile = None
        if options.profile:
            profile = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "profile"
        with Site(environment | NO_REFUSALS, profile=profile) as site:
            for window in options.window:
                talk = Talk(site, cup, people[: options.people], window)
                lines.append(
                    messages_line(backend, window, [talk.measure(options.seconds) for _ in range(options.runs)])
                )
                print(lines[-1], flush=True)
        if profile:
            show(profile, f"messages, {backend}")
        if options.connects:
            with Site(environment, profile=profile) as site:
                asyncio_run(connects(site, cup, people[:AT_ONCE]))  # the first ones find caches empty
                for kind, crowd in (("guests", [None] * options.connects), ("signed in", people[: options.connects])):
                    runs = [asyncio_run(connects(site, cup, crowd)) for _ in range(options.runs)]
                    lines.append(connects_line(backend, kind, runs, options.connects))
                    print(lines[-1], flush=True)
            if profile:
                show(profile, f"connections, {backend}")
    return lines


class Measured:
    """What a run cost: how much was done in how many seconds, the server's CPU and that of Redis."""

    def __init__(self, done: int, seconds: float, server: Cpu, redis: Cpu) -> None:
        self.done, self.seconds, self.server, self.redis = done, seconds, server, redis

    def micros(self, cpu: float) -> float:
        return cpu / self.done * 1e6


class Meter:
    """Reads the clocks at the start and at the end."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._redis, self._server, self._clock = cpu_of_family("redis-server"), cpu_of(site.pid), time.perf_counter()

    def stop(self, done: int) -> Measured:
        seconds, server = time.perf_counter() - self._clock, cpu_of(self._site.pid) - self._server
        return Measured(done, seconds, server, cpu_of_family("redis-server") - self._redis)


class Talk:
    """People who ping as fast as they are answered."""

    def __init__(self, site: Site, cup: str, people: Sequence[Any], window: int) -> None:
        self.site, self.cup, self.people, self.window = site, cup, people, window

    def measure(self, seconds: float) -> Measured:
        return asyncio_run(self._measure(seconds))

    async def _measure(self, seconds: float) -> Measured:
        sockets = await enter(self.site, self.cup, self.people, Pinger)
        for socket in sockets:
            socket.start(self.window)
        await asyncio.sleep(WARM_UP_SECONDS)
        before, meter = sum(socket.pongs for socket in sockets), Meter(self.site)
        await asyncio.sleep(seconds)
        measured = meter.stop(sum(socket.pongs for socket in sockets) - before)
        await part(sockets)
        if strange := {text for socket in sockets for text in socket.strange}:
            sys.exit(f"The server said something else than pong: {strange}")
        return measured


class Entrant(Socket):
    """Waits for the snapshot."""

    def __init__(self, *arguments: str) -> None:
        super().__init__(*arguments)
        self.inside: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def on_text(self, text: bytes) -> None:
        if text.startswith(SNAPSHOT):
            self.inside.set_result(None)

    def on_end(self) -> None:
        self.gone.set_result(None)
        if not self.inside.done():
            self.inside.set_exception(ConnectionError(f"HTTP {self.status}, closed with {self.closed}"))


class Pinger(Entrant):
    """Pings, and pings again for every pong."""

    pongs = 0
    pinging = False

    def __init__(self, *arguments: str) -> None:
        super().__init__(*arguments)
        self.strange: list[bytes] = []
        self._fresh = 0

    def start(self, window: int) -> None:
        self.pinging = True
        self.transport.write(PING * window)

    def leave(self) -> None:
        self.pinging = False
        super().leave()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._fresh and self.pinging:
            self.transport.write(PING * self._fresh)
        self._fresh = 0

    def on_text(self, text: bytes) -> None:
        if text.startswith(PONG):
            self.pongs += 1
            self._fresh += 1
        elif self.pinging:
            if not text.startswith(PRESENCE):  # which nobody asked for
                self.strange.append(text)
        else:
            super().on_text(text)


async def connects(site: Site, cup: str, crowd: Sequence[Any]) -> Measured:
    tokens = issue(cup, crowd)
    meter = Meter(site)
    sockets = await enter(site, cup, crowd, Entrant, tokens)
    measured = meter.stop(len(crowd))
    await part(sockets)
    return measured


async def enter(site: Site, cup: str, crowd: Sequence[Any], kind: Any, tokens: Sequence[str] = ()) -> list[Any]:
    """Connect each of the crowd, some at a time, until all have the snapshot."""
    tokens = tokens or issue(cup, crowd)
    path, gate = f"/ws/{cup.replace(':', '/')}/", asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> Any:
        socket = kind(site.address, path, tokens[number], address_of(number))
        async with gate:
            await socket.open(site.address)
            await socket.inside
        return socket

    async with asyncio.timeout(PATIENCE):
        return await asyncio.gather(*(one(number) for number in range(len(crowd))))


async def part(sockets: Sequence[Any]) -> None:
    for socket in sockets:
        socket.leave()
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(socket.gone for socket in sockets))


def issue(cup: str, crowd: Sequence[Any]) -> list[str]:
    from apps.accounts.tokens import issue_room_token

    return [issue_room_token(cup, person)[0] for person in crowd]


def address_of(number: int) -> str:
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def asyncio_run(main: Any) -> Any:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


def messages_line(backend: str, window: int, runs: list[Measured]) -> str:
    middle = median(runs)
    micros, goal = middle.micros(middle.server.total), GOALS[backend]
    return (
        f"{'message, ' + backend + f', window {window}':<30} {micros:7.1f} µs"
        f"  (user {middle.micros(middle.server.user):6.1f}, system {middle.micros(middle.server.system):5.1f};"
        f" Redis {middle.micros(middle.redis.total):5.1f})  {middle.done / middle.seconds:8,.0f} a second"
        f"   goal ≤ {goal} µs: {verdict(micros <= goal)}   runs {spread(runs)}"
    )


def connects_line(backend: str, kind: str, runs: list[Measured], count: int) -> str:
    middle = median(runs)
    rate = count / middle.server.total
    goal = f"   goal ≥ {CONNECTS_GOAL} a CPU second: {verdict(rate >= CONNECTS_GOAL)}" if backend == "memory" else ""
    return (
        f"{'connect, ' + backend + ', ' + kind:<30} {middle.micros(middle.server.total):7.0f} µs"
        f"  (user {middle.micros(middle.server.user):6.0f}, system {middle.micros(middle.server.system):5.0f};"
        f" Redis {middle.micros(middle.redis.total):5.0f})  {rate:8,.0f} a CPU second{goal}   runs {spread(runs)}"
    )


def median(runs: list[Measured]) -> Measured:
    """Return the run whose cost is in the middle."""
    cost = statistics.median_low(run.micros(run.server.total) for run in runs)
    return next(run for run in runs if run.micros(run.server.total) == cost)


def spread(runs: list[Measured]) -> str:
    return " ".join(f"{run.micros(run.server.total):.0f}" for run in runs)


def verdict(good: bool) -> str:  # noqa: FBT001 - the question is in the call
    return "met" if good else "MISSED"


def show(profile: Path, title: str) -> None:
    print(f"\n{title}: functions by the time in themselves, then with what they call", flush=True)
    statistics_ = pstats.Stats(str(profile)).strip_dirs()
    statistics_.sort_stats("tottime").print_stats(40)
    statistics_.sort_stats("cumtime").print_stats(60)


if __name__ == "__main__":
    main()
