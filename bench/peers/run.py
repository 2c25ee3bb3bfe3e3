"""
What a delivery and a connection cost here and elsewhere: this site, and other servers that send one event to many.

Each server is one process (nginx: a master and one worker) on this machine, and shares it with the load generator,
load.c. The event is one of about 230 bytes. The parts of a measurement:

  connect   everybody connects, 200 handshakes under way; memory and CPU of a connection
  first     one event: when the last one has it
  closed    four events under way for some seconds, after one second that does not count: deliveries and CPU
  paced     two events a second for 15 s, at the largest size: delays

The servers take turns within a repeat, so that ratios come from one hour; figures are medians of the repeats. Of this
site everything is measured that an event passes: a transaction that appends to the log, the hint, the hub, limits and
heartbeats; limits are raised where one address stands for all. Its subscribers are guests, each with a token of their
own, and are counted when they have the snapshot. Afterwards, for this site alone:

  rooms     the cost of a delivery to 10,000 in one room, and to 10 in each of 1,000 rooms, from the hint on: what an
            event costs the database is the same for both, and would hide what rooms cost. In waves, an event in every
            room at once, so 10,000 deliveries are under way in both; and with few events under way
  storm     all are cut off, 20 events are missed, all come back where they were

Exit code 1 if a subscriber of this site missed an event, got one twice, or lost the connection.

Usage: make bench [ARGS="--quick --only deltacrown --only nchan"]
"""

import argparse
import os
import signal
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.peers import chart, report
from bench.peers.load import Load, LoadError
from bench.peers.peers import DELTACROWN, LARGE, PEERS, SMALL, Kit, Peer, Server, serve
from bench.peers.report import Figures, Measured
from bench.served import ROOT, allow_many_files, surroundings

WINDOW = 4
RATE = 2
FIRST_ONES = 20  # they load modules and fill caches, before anything is counted
SETTLE_SECONDS = 2.0
LEAST_CPU = 0.05  # the kernel counts in steps of 0.01 s
ROOMS, EACH = 1_000, 10
WORKLOADS = {"in waves": ["waves"], "4 events under way": ["closed", WINDOW], "one": ["closed", 1]}  # waves come first
MISSED = 20  # events, while everybody is cut off
PATIENCE = 60.0
PER = 100_000

# One address and one crowd stand for thousands. The limits work; they are set so that nobody meets them.
RAISED = {
    "WS_RATE_CONN_PER_IP": "100000",
    "WS_RATE_HANDSHAKE_RPS_IP": "100000",
    "WS_RATE_HANDSHAKE_BURST_IP": "100000",
    "WS_TOKEN_SECONDS": "7200",
}
WRONG = ("missing", "gaps", "duplicates", "closed", "failed")


def main() -> None:
    options = read_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # leaves the blocks, so nothing stays
    allow_many_files(max(options.sockets) + 200)
    os.environ |= RAISED
    started = time.monotonic()
    load_average = os.getloadavg()[0]
    with (
        tempfile.TemporaryDirectory(prefix="deltacrown-bench-") as folder,
        surroundings(postgres=options.postgres, redis=options.postgres) as environment,
    ):
        kit = Kit(Path(folder), ROOT / "var" / "bench")
        bench = Bench(kit, Path(folder), environment, options)
        peers = available(kit, options.only)
        measured = compare(bench, peers)
        say("", *report.table(peers, measured), "", *report.circumstances(kit, peers, load_average), "")
        if options.chart:
            options.chart.write_text(chart.draw(report.bars(peers, measured)))
        if DELTACROWN in peers and not options.no_extras:
            say("", *rooms_lines(bench), "")
            storm(bench)
    say(f"{time.monotonic() - started:.0f} s")
    if bench.wrong:
        sys.exit("This site: " + "; ".join(bench.wrong))


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What a delivery and a connection cost here and elsewhere.")
    names = [peer.name for peer in PEERS]
    helps = f"of {', '.join(names)}; may be repeated"
    parser.add_argument("--only", action="append", choices=names, metavar="NAME", help=helps)
    parser.add_argument("--sockets", type=int, nargs="+", default=[SMALL, LARGE])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3, help="of events as fast as they go")
    parser.add_argument("--paced", type=float, default=15, help="seconds of two events a second")
    parser.add_argument("--quick", action="store_true", help="1,000 sockets, once, 1 s; 100 rooms")
    parser.add_argument("--postgres", action="store_true", help="this site on PostgreSQL and Redis instead of SQLite")
    parser.add_argument("--no-extras", action="store_true", help="without rooms and storm")
    parser.add_argument("--chart", type=Path, help="write an SVG of the CPU figures")
    options = parser.parse_args()
    options.rooms = ROOMS
    if options.quick:
        options.sockets, options.repeats, options.seconds, options.paced, options.rooms = [SMALL], 1, 1, 3, 100
    return options


def available(kit: Kit, only: Sequence[str] | None) -> list[Peer]:
    """Return the servers that can run here, and say in one line which cannot and why."""
    wanted = [peer for peer in PEERS if not only or peer.name in only]
    missing = {peer.name: needs for peer in wanted if (needs := peer.needs(kit))}
    if missing:
        say("Not measured: " + "; ".join(f"{name} needs {needs}" for name, needs in missing.items()))
    return [peer for peer in wanted if peer.name not in missing]


class Bench:
    """One run of the program. `wrong` says what this site should not have done."""

    def __init__(self, kit: Kit, folder: Path, environment: dict[str, str], options: argparse.Namespace) -> None:
        from tests import factories

        self.kit, self.folder, self.environment, self.options = kit, folder, environment, options
        self.wrong: list[str] = []
        self.cup = factories.drawn(16).stream

    @contextmanager
    def running(
        self, peer: Peer, count: int, streams: Sequence[str] = (), **environment: str
    ) -> Iterator[tuple[Server, Load]]:
        """Start a server and its crowd of `count`; nobody has connected yet."""
        from tests.server import free_port

        streams, extra = streams or [self.cup], {}
        if peer is DELTACROWN:
            (self.folder / "streams").write_text("\n".join(streams))
            extra = self.environment | {"STREAMS": str(self.folder / "streams")} | environment
        port = free_port()
        with (
            serve(peer, self.kit, port, extra) as server,
            Load(self.kit.load, port, peer.speech, rooms=len(streams)) as load,
        ):
            if peer is DELTACROWN:
                self.invite(load, count, streams)
            else:
                load.tell("paths", self._write_paths([peer.path]))
            yield server, load

    def invite(self, load: Load, count: int, streams: Sequence[str], since: str = "") -> None:
        """Give each of the crowd a token of its own; `since` is where they were."""
        from apps.accounts.tokens import issue_room_token

        rooms = (streams[number % len(streams)] for number in range(count))
        tail = f"&since={since}" if since else ""
        paths = [f"/ws/{room.replace(':', '/')}/?token={issue_room_token(room, None)[0]}{tail}" for room in rooms]
        load.tell("paths", self._write_paths(paths))

    def check(self, peer: Peer, part: str, answer: dict[str, Any]) -> bool:
        """Tell whether everything arrived once; remember what did not, of this site."""
        found = {name: answer[name] for name in WRONG if answer.get(name)}
        if found and peer is DELTACROWN:
            self.wrong.append(f"{part}: " + ", ".join(f"{count} {name}" for name, count in found.items()))
        return not found

    def _write_paths(self, paths: Sequence[str]) -> Path:
        file = self.folder / "paths"
        file.write_text("\n".join(paths) + "\n")
        return file


def compare(bench: Bench, peers: Sequence[Peer]) -> Measured:
    """Measure the servers in turn, as often as wanted."""
    options, measured = bench.options, defaultdict(list)
    for repeat in range(options.repeats):
        for count in options.sockets:
            for peer in (peer for peer in peers if count <= peer.most):
                is_largest = count == max(size for size in options.sockets if size <= peer.most)
                figures = measure(bench, peer, count, paced=is_largest)
                measured[peer.name, count].append(figures)
                shown = "  ".join(f"{name} {value:,.5g}" for name, value in figures.items())
                say(f"{repeat + 1}  {peer.name:<16} {count:>6,}  {shown}")
    return measured


def measure(bench: Bench, peer: Peer, count: int, *, paced: bool) -> Figures:
    """Return the figures of one server at one size, as far as it got."""
    figures: Figures = {}
    with bench.running(peer, count) as (server, load):
        try:
            figures |= connected(bench, peer, count, server, load)
            figures |= published(bench, peer, server, load, paced=paced)
        except LoadError as error:
            print(f"{peer.name}: {error}", file=sys.stderr)
            bench.check(peer, str(error), {"failed": 1})
    return figures


def connected(bench: Bench, peer: Peer, count: int, server: Server, load: Load) -> Figures:
    first_ones = min(FIRST_ONES, count // 2)
    load.tell("connect", first_ones)
    load.tell("hold", 0.5)
    rss, cpu = server.rss(), server.cpu()
    answer = load.tell("connect", count)
    cpu, new = server.cpu() - cpu, count - first_ones
    bench.check(peer, "connect", answer)
    load.tell("hold", SETTLE_SECONDS)
    figures = {"in": answer["in"], "connects": new / answer["seconds"], "kib": (server.rss() - rss) / 1024 / new}
    if cpu >= LEAST_CPU:
        figures["connects_cpu"] = new / cpu
    return figures


def published(bench: Bench, peer: Peer, server: Server, load: Load, *, paced: bool) -> Figures:
    options = bench.options
    load.tell("once")  # the publisher comes, and what the first event finds cold gets warm
    once = load.tell("once")
    load.tell("closed", WINDOW, 1)
    cpu = server.cpu()
    closed = load.tell("closed", WINDOW, options.seconds)
    cpu = server.cpu() - cpu
    figures = {
        "first": once["ms"],
        "rate": closed["deliveries"] / closed["seconds"],
        "cpu": cpu / max(closed["deliveries"], 1) * PER,
    }
    is_whole = bench.check(peer, "first", once) & bench.check(peer, "closed", closed)
    if paced:
        answer = load.tell("paced", RATE, options.paced)
        is_whole &= bench.check(peer, "paced", answer)
        figures |= {name: answer[name] for name in ("p50", "p99", "max")}
        figures["delivered"] = answer["deliveries"] / max(answer["wanted"], 1)
    return figures | {"whole": float(is_whole)}


def rooms_lines(bench: Bench) -> list[str]:
    """What a delivery costs as rooms grow: in one room of few, in many of few, and in one of many."""
    from tests import factories

    rooms = bench.options.rooms
    everybody = rooms * EACH
    streams = [factories.publish(factories.make_tournament()).stream for _ in range(rooms)]
    layouts = {
        f"one room of {EACH}": ([bench.cup], EACH),
        f"{rooms:,} rooms of {EACH}": (streams, everybody),
        f"one room of {everybody:,}": ([bench.cup], everybody),
    }
    found = defaultdict(list)
    for _ in range(bench.options.repeats):
        for title, (names, count) in layouts.items():
            found[title].append(in_rooms(bench, names, count))
            say(f"{title}: " + ", ".join(f"{name} {per:.3f}" for name, per in found[title][-1].items()))
    lines = ["| CPU s of 100,000 deliveries | " + " | ".join(WORKLOADS) + " |", "|---" * (len(WORKLOADS) + 1) + "|"]
    for title, runs in found.items():
        cells = (f"{statistics.median(run[name] for run in runs):.2f}" for name in WORKLOADS)
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return lines


def in_rooms(bench: Bench, streams: Sequence[str], count: int) -> Figures:
    figures: Figures = {}
    with bench.running(DELTACROWN, count, streams, WITHOUT_LOG="1") as (server, load):
        bench.check(DELTACROWN, "rooms", load.tell("connect", count))
        load.tell("hold", SETTLE_SECONDS)
        for name, command in WORKLOADS.items():
            load.tell(*command, 1)
            cpu = server.cpu()
            answer = load.tell(*command, bench.options.seconds)
            figures[name] = (server.cpu() - cpu) / answer["deliveries"] * PER
            bench.check(DELTACROWN, "rooms", answer)
    return figures


def storm(bench: Bench) -> None:
    """Cut off everybody, and see how long it takes until all have what they missed."""
    from apps.eventlog import log

    def stand() -> Any:
        return log.positions([bench.cup])[bench.cup]

    for count in bench.options.sockets:
        with bench.running(DELTACROWN, count) as (server, load):
            load.tell("connect", count)
            load.tell("once")
            load.tell("drop")
            before = stand()
            load.tell("publish", MISSED)
            until(lambda seq=before.seq + MISSED: stand().seq == seq)
            bench.invite(load, count, [bench.cup], f"{before.epoch}:{before.seq}")
            cpu = server.cpu()
            answer = load.tell("resume", count)
            cpu = server.cpu() - cpu
        bench.check(DELTACROWN, "storm", answer | {"missing": count - answer["resumed"]})
        say(
            f"Storm: {count:,} are cut off, miss {MISSED} events and come back: {answer['current']:,} are current after"
            f" {answer['seconds']:.1f} s, {answer['resumed']:,} without a new snapshot; {cpu / count * 1000:.2f} ms of"
            " CPU each."
        )


def say(*lines: str) -> None:
    print("\n".join(lines), flush=True)


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > deadline:
            sys.exit("The events were not appended in time.")
        time.sleep(0.1)


if __name__ == "__main__":
    main()
