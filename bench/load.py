"""
A crowd on one process of the site, then the same crowd with somebody in it who sends 10,000 messages a minute.

The site runs as `manage.py run` serves it, limits as by default, on a PostgreSQL and a Redis of its own. People come
through a trusted proxy, every fifth from one venue's address; all but the guests have an account and a session. Most
watch; some ping every 2 s, some go and come back to where they were, some take seconds to send their request, players
report and confirm results, referees count scores at a steady rate. The parts of a run:

  come    everybody connects, 50 at a time; a connection is there when it has its snapshot
  rest    nobody does anything for a heartbeat interval, 25 s
  calm    everybody does what they do
  flood   the same, and one more person pings 167 times a second; calm and flood take turns

Each delay is from the moment at which something was to be sent, so a late load generator counts as delay, too. At the
end the flooder sends 400 messages at once. Exit code 1 if anybody's state (snapshot and events applied by the client's
one rule) is not the database's, a connection ended that nobody closed, somebody but the flooder was refused anything,
the flooder was not refused as docs/protocol.md says, or the server logged an error.

Usage: .venv/bin/python bench/load.py [--people 1000] [--seconds 30] [--turns 2] [--scores 2] [--sqlite] [--seed 1]
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.crowd import Crowd, Times, gather, stale
from bench.messages import asyncio_run, connects
from bench.served import Cpu, Site, allow_many_files, cpu_of, cpu_of_family, rss_of, sign_in_people, surroundings
from bench.wire import Socket

PROXY = {"TRUSTED_PROXIES": "127.0.0.1"}
FLOOD_PER_SECOND = 10_000 / 60
MATCHES_PLAYED = 1  # in each part; there are 6
AT_ONCE = 400  # of the flooder, at the end
CALM_SECONDS = 5.0  # in which the flooder's budget fills up again
PATIENCE = 60.0


def main() -> None:
    parser = argparse.ArgumentParser(description="A crowd on one process of the site, and a flooder in it.")
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=30, help="of each calm and each flood")
    parser.add_argument("--turns", type=int, default=2, help="of calm and flood")
    parser.add_argument("--scores", type=float, default=2, help="a second")
    parser.add_argument("--sqlite", action="store_true", help="SQLite and limits in memory")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    allow_many_files(options.people + 1000)
    big = not options.sqlite
    with surroundings(postgres=big, redis=big) as environment, Site(environment | PROXY) as site:
        crowd = gather(options.people, site.address, options.seed)
        wrong = asyncio_run(Run(site, crowd, sign_in_people(1, "flooder")[0], options).run())
        complaints = site.complaints()
    for name, count in complaints.items():
        line("in the server's log", f"{count} × {name}")
    wrong += [name for name in complaints if not name.startswith("warning")]
    line("wrong", "; ".join(wrong) or "nothing")
    sys.exit(1 if wrong else 0)


class Run:
    """One crowd on one site. `wrong` says what should not be."""

    def __init__(self, site: Site, crowd: Crowd, flooder: Any, options: Any) -> None:
        self.site, self.crowd, self.flooder, self.options = site, crowd, flooder, options
        self.room = crowd.people[0].room
        self.wrong: list[str] = []

    async def run(self) -> list[str]:
        from channels.db import database_sync_to_async

        people = len(self.crowd.people)
        line("people", ", ".join(f"{count:,} {kind}" for kind, count in self.crowd.kinds.most_common()))
        await connects(self.site, self.room, [None] * 50)  # who come first load modules and open the database
        rss = rss_of(self.site.pid)

        meter = Meter(self.site)
        seconds = await self.crowd.come()
        line("come", f"{people / seconds:,.0f} connections a second, {meter.read(people)}")
        meter = Meter(self.site)
        await asyncio.sleep(heartbeat())
        line("rest", meter.read(people))
        now = rss_of(self.site.pid)
        each = (now - rss) / 1024 / people
        line("memory", f"{rss / 2**20:.1f} MiB before, {now / 2**20:.1f} with all, {each:.1f} KiB each")

        calm, flood = [], []
        for _ in range(self.options.turns):
            calm.append(await self._live("calm"))
            flood.append(await self._flood())
        line("", "")
        compare("ping → pong", calm, flood, lambda times: times.pongs)
        compare("action → ack", calm, flood, lambda times: times.acks)
        compare("action → event at others", calm, flood, Times.of_events)

        await self._hammer()
        left = await within(PATIENCE, database_sync_to_async(stale), self.crowd)
        line("in all", ", ".join(f"{count:,} {name}" for name, count in self.crowd.seen.counts.items()))
        line("memory at the end", f"{rss_of(self.site.pid) / 2**20:.1f} MiB")
        line("state", f"{people - left:,} of {people:,} have the database's")
        if left:
            self.wrong.append(f"{left} people with another state than the database")
        await self.crowd.go()
        return self.wrong + [f"{count} × {name}" for name, count in self.crowd.seen.wrong.items()]

    async def _live(self, name: str) -> Times:
        meter = Meter(self.site)
        times = await self.crowd.live(self.options.seconds, self.options.scores, MATCHES_PLAYED)
        await asyncio.sleep(1)
        deliveries = sum(map(len, times.arrivals.values()))
        line(name, f"{len(times.acks)} actions, {deliveries:,} deliveries, {meter.read(len(self.crowd.people))}")
        return times

    async def _flood(self) -> Times:
        flooding = asyncio.create_task(self._flood_for(self.options.seconds))
        times = await self._live("flood")
        flooders, seconds = await flooding
        last = flooders[-1]
        await within(PATIENCE, lambda: last.closed is None and last.unanswered())
        passed, refused = sum(each.pongs for each in flooders), sum(each.refused for each in flooders)
        sent = sum(each.sent for each in flooders)
        line("flooder", f"{sent:,} pings: {passed:,} passed, {refused:,} refused; {len(flooders) - 1} times thrown out")
        self.wrong += filter(None, [each.problem() for each in flooders])
        # A process that Redis answers late decides from a budget of its own.
        budgets, (rate, burst) = 1 if self.options.sqlite else 2, budget()
        if passed > budgets * (burst + rate * (seconds + 1)):
            self.wrong.append(f"{passed} of the flooder's messages passed")
        last.leave()
        return times

    async def _flood_for(self, seconds: float) -> tuple[list["Flooder"], float]:
        """Ping at a steady rate, and come back at once when thrown out. Return the connections and how long it took."""
        flooders = [await self._flooder()]
        started = time.perf_counter()
        for number in range(int(seconds * FLOOD_PER_SECOND)):
            await asyncio.sleep(started + number / FLOOD_PER_SECOND - time.perf_counter())
            if flooders[-1].closed is not None:
                flooders.append(await self._flooder())
            flooders[-1].ping()
        return flooders, time.perf_counter() - started

    async def _hammer(self) -> None:
        await asyncio.sleep(CALM_SECONDS)
        flooder = await self._flooder()
        for _ in range(AT_ONCE):
            flooder.ping()
        await within(PATIENCE, lambda: flooder.closed is None and flooder.unanswered())
        line(f"{AT_ONCE} at once", f"{flooder.pongs} passed, {flooder.refused} refused, closed with {flooder.closed}")
        self.wrong += filter(None, [flooder.problem()])

    async def _flooder(self) -> "Flooder":
        from apps.accounts.tokens import issue_room_token

        path = f"/ws/{self.room.replace(':', '/')}/"
        flooder = Flooder(self.site.address, path, issue_room_token(self.room, self.flooder)[0], "198.51.100.1")
        await flooder.open(self.site.address)
        await flooder.inside.wait()
        return flooder


class Flooder(Socket):
    """Sends more than anybody may, and counts the answers."""

    def __init__(self, *arguments: str) -> None:
        super().__init__(*arguments)
        self.sent = self.pongs = self.refused = 0
        self.farewells: list[int] = []
        self.strange: list[str] = []
        self.inside = asyncio.Event()

    def unanswered(self) -> int:
        return self.sent - self.pongs - self.refused

    def problem(self) -> str:
        """Return what is not as docs/protocol.md says: every message answered, or 4008 after many refusals."""
        from apps.tournaments.realtime.middleware_ratelimit import FLOOD
        from apps.tournaments.realtime.protocol import CloseCode

        expected = [] if self.closed is None else [CloseCode.RATE_LIMITED]
        good = self.closed == CloseCode.RATE_LIMITED and self.refused >= FLOOD if expected else not self.unanswered()
        if good and self.farewells == expected and not self.strange:
            return ""
        return (
            f"flooder: {self.unanswered()} unanswered, {self.farewells} and closed with {self.closed}, {self.strange}"
        )

    def ping(self) -> None:
        if self.closed is None:
            self.send(b'{"type":"ping"}')
            self.sent += 1

    def on_end(self) -> None:
        self.inside.set()

    def on_text(self, text: bytes) -> None:
        match frame := json.loads(text):
            case {"type": "pong"}:
                self.pongs += 1
            case {"type": "error", "code": "rate_limited", "close_code": code}:
                self.farewells.append(code)
            case {"type": "error", "code": "rate_limited", "retry_after_ms": wait} if wait > 0:
                self.refused += 1
            case {"type": "error"}:
                self.strange.append(str(frame))
            case {"type": "snapshot"}:
                self.inside.set()


class Meter:
    """Reads what processes used since it was made."""

    def __init__(self, site: Site) -> None:
        self._pid = site.pid
        self._started, self._before = time.perf_counter(), self._read()

    def _read(self) -> dict[str, Cpu]:
        used = {
            name: cpu_of_family(process) for name, process in (("PostgreSQL", "postgres"), ("Redis", "redis-server"))
        }
        return {"server": cpu_of(self._pid), **used, "load": cpu_of(os.getpid())}

    def read(self, people: int) -> str:
        seconds = time.perf_counter() - self._started
        used = {name: cpu - self._before[name] for name, cpu in self._read().items()}
        server = used.pop("server")
        others = ", ".join(f"{name} {cpu.total / seconds:.0%}" for name, cpu in used.items() if cpu.total)
        return (
            f"CPU {server.total / seconds:.0%} (user {server.user / seconds:.0%}, system {server.system / seconds:.0%})"
            f", {server.total / people * 1e6:,.0f} µs each in {seconds:.0f} s; {others}"
        )


async def within(seconds: float, question: Any, *arguments: Any) -> Any:
    """Ask until the answer is nothing, or time is over. Return the last answer."""
    deadline = time.monotonic() + seconds
    while True:
        answer = question(*arguments)
        if asyncio.iscoroutine(answer):
            answer = await answer
        if not answer or time.monotonic() > deadline:
            return answer
        await asyncio.sleep(0.2)


def budget() -> tuple[float, int]:
    from django.conf import settings

    return settings.WS_RATE_MSG_RPS, settings.WS_RATE_MSG_BURST


def heartbeat() -> float:
    from django.conf import settings

    return float(settings.WS_HEARTBEAT_INTERVAL)


def compare(name: str, calm: list[Times], flood: list[Times], delays: Any) -> None:
    """Print percentiles in calm, in flood, and the second as a multiple of the first."""
    before, beside = (percentiles(delay for times in part for delay in delays(times)) for part in (calm, flood))
    line(name, f"{'':<9}{'p50':>9}{'p99':>9}{'max':>9}")
    for title, values in (("calm", before), ("flood", beside)):
        line("", f"{title:<9}" + "".join(f"{value * 1000:9.1f}" for value in values[:3]) + f" ms, of {values[3]:,}")
    line("", f"{'ratio':<9}" + "".join(f"{b / a:9.2f}" for a, b in zip(before[:3], beside[:3], strict=True)))


def percentiles(delays: Iterable[float]) -> tuple[float, float, float, int]:
    ordered = sorted(delays)
    count = len(ordered)
    p50, p99 = (ordered[min(count - 1, int(count * part))] for part in (0.5, 0.99))
    return p50, p99, ordered[-1], count


def line(name: str, text: str) -> None:
    print(f"{name:<26} {text}", flush=True)


if __name__ == "__main__":
    main()
