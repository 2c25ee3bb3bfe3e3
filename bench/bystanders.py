"""
What those in a large room feel of the others: of events back to back, and of clients that do not read.

The site runs in a process of its own (SQLite), as `manage.py run` serves it; load.c is the crowd. Beside the crowd
20 people ping without pause, each 10 times a second, and time the pong; they are in another room, so only the process
is shared.

  calm      the crowd is there and nothing happens
  events    four events under way all the while, to everybody
  stalled   the same, and some of the crowd (--stalled) have stopped reading

In between 2 events a second for some seconds: from publishing to the last byte of each at its subscriber.

Usage: .venv/bin/python bench/bystanders.py [--people 10000] [--stalled 200] [--seconds 6]
"""

import argparse
import asyncio
import os
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Self

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.messages import Entrant, asyncio_run
from bench.peers.peers import DELTACROWN, Kit
from bench.peers.run import RAISED, ROOT, Bench
from bench.served import allow_many_files, surroundings
from bench.wire import UPGRADE, frame

PINGERS, EVERY_SECONDS = 20, 0.1
PING = frame(b'{"type":"ping"}')
SMALL_WINDOW = 4096


class Pinger(Entrant):
    """Pings regularly, and notes how long each pong took."""

    def __init__(self, *arguments: str) -> None:
        super().__init__(*arguments)
        self.times: list[float] = []
        self._asked = 0.0

    async def ping(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self._asked = time.perf_counter()
            self.transport.write(PING)
            await asyncio.sleep(EVERY_SECONDS)

    def on_text(self, text: bytes) -> None:
        if text.startswith(b'{"type":"pong"'):
            self.times.append(time.perf_counter() - self._asked)
        elif text.startswith(b'{"type":"ping"'):
            self.transport.write(frame(b'{"type":"pong"}'))
        else:
            super().on_text(text)


class Beside(threading.Thread):
    """The people beside the crowd, for as long as a block lasts."""

    def __init__(self, address: str, room: str, tokens: list[str]) -> None:
        super().__init__(name="beside")
        self._address, self._room, self._tokens = address, room, tokens
        self._stop_asked = threading.Event()
        self.times: list[float] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_asked.set()
        self.join()

    def run(self) -> None:
        asyncio_run(self._ping())

    async def _ping(self) -> None:
        path = f"/ws/{self._room.replace(':', '/')}/"
        pingers = [Pinger(self._address, path, token, f"10.9.0.{n}") for n, token in enumerate(self._tokens)]
        for pinger in pingers:
            await pinger.open(self._address)
            await pinger.inside
        await asyncio.gather(*(pinger.ping(self._stop_asked) for pinger in pingers))
        for pinger in pingers:
            self.times += pinger.times
            pinger.leave()


def main() -> None:
    parser = argparse.ArgumentParser(description="What those in a large room feel of the others.")
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--stalled", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=6)
    options = parser.parse_args()
    allow_many_files(options.people + options.stalled + 500)
    os.environ |= RAISED
    options.rooms = 0
    with tempfile.TemporaryDirectory(prefix="deltacrown-bench-") as folder, surroundings() as environment:
        bench = Bench(Kit(Path(folder), ROOT / "var" / "bench"), Path(folder), environment, options)
        measure(bench, options)


def measure(bench: Bench, options: Any) -> None:
    from apps.accounts.tokens import issue_room_token
    from tests import factories

    other = factories.drawn(2).stream

    def beside() -> Beside:
        return Beside(address, other, [issue_room_token(other, None)[0] for _ in range(PINGERS)])

    with bench.running(DELTACROWN, options.people) as (server, load):
        address = f"127.0.0.1:{server.port}"
        bench.check(DELTACROWN, "connect", load.tell("connect", options.people))
        load.tell("once")
        with beside() as calm:
            load.tell("hold", options.seconds)
        say("calm", calm.times)
        with beside() as events:
            bench.check(DELTACROWN, "closed", load.tell("closed", 4, options.seconds))
        say("events", events.times)
        before = load.tell("paced", 2, options.seconds)
        stalled = [stall(address, bench.cup) for _ in range(options.stalled)]
        load.tell("closed", 4, options.seconds)
        with beside() as slow:
            bench.check(DELTACROWN, "stalled", load.tell("closed", 4, options.seconds))
        say(f"events, {options.stalled} stalled", slow.times)
        after = load.tell("paced", 2, options.seconds)
        for name in ("p50", "p99"):
            print(f"2 a second, {name}: {before[name]:.0f} ms, beside the stalled {after[name]:.0f} ms")
        for one in stalled:
            one.close()
    print("; ".join(bench.wrong) or "everybody else got everything")


def stall(address: str, room: str) -> socket.socket:
    """Enter the room and read nothing."""
    from apps.accounts.tokens import issue_room_token

    host, _, port = address.rpartition(":")
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_WINDOW)
    one.connect((host, int(port)))
    path = f"/ws/{room.replace(':', '/')}/"
    token = issue_room_token(room, None)[0]
    one.sendall(UPGRADE.format(path=path, address=address, token=token, ip="10.8.0.1").encode())
    return one


def say(title: str, times: list[float]) -> None:
    ordered = sorted(times)
    p50, p99 = (ordered[int(len(ordered) * part)] * 1000 for part in (0.5, 0.99))
    print(f"ping → pong, {title}: p50 {p50:.1f}, p99 {p99:.1f}, max {ordered[-1] * 1000:.1f} ms", flush=True)


if __name__ == "__main__":
    main()
