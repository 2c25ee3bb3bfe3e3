"""
Send the site a million messages, good and broken, and see that every answer is one that docs/protocol.md lists.

The site runs in a process of its own, as `manage.py run` serves it. Clients come as organisers, players and guests, say
up to a hundred messages and leave, or are closed: messages of every type with values at random, messages with one thing
wrong, texts that are no message, frames that are no text, frames that break WebSocket's rules. Each message that is
read must be answered exactly once (a `pong` never). First without limits; then a tenth as many with the limits as by
default, from a few addresses.

Fails when an answer or a close code is not documented, a message is not answered, the log of the site has more than
information, or something of a client remains: a connection, room, lease, or an open file; memory that still grows.

Usage: .venv/bin/python bench/fuzz.py [--messages 1000000] [--connections 16] [--seed 1]
"""

import argparse
import asyncio
import json
import random
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any, get_args

import msgspec
import uvloop
from msgspec import inspect

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.served import Site, rss_of, surroundings
from bench.wire import PING, TEXT, Socket, frame
from tests.documented import answers
from tests.integration.server.wire import BINARY
from tests.integration.server.wire import frame as raw_frame

BATCH = 100  # messages of one client
OFTEN = 0.6  # that a field is there which may be left out
FLOOD, FLOODS = 150, 0.05  # messages of one who floods, and how often one does
BROKEN = 3  # after so many messages that cannot be read the server closes
PATIENCE = 60.0  # seconds, for all answers of one client
MEMORY_MIB = 48  # by which the process may grow after the first fifth
METRICS_TOKEN = "figures"  # noqa: S105 - of the site that this starts
GAUGES = ("rt_connections", "rt_rooms", "rt_streams", "rt_leases")
UNASKED = {"connection_established", "ping", "presence", "token_expiring"}
ODD: list[Any] = [
    None, True, 0, -1, 1000, 1.5, 2**31, 2**53 + 1, 2**64, 10**400, float("nan"), float("inf"), "", "0", "\0", "\ud800",
    "__proto__", "' OR 1=1 --", "<script>", "\u202e\ufeff", "é" * 500, [], {}, [[[[]]]], {"": {"": {}}}, ["home"],
]  # fmt: skip


SENT = {
    "cheap": 75, "any": 10, "broken": 10, "binary": 0.5, "ping frame": 1, "too large": 0.1, "against the rules": 0.1,
}  # fmt: skip
ILLEGAL = [frame(b"", 15), frame(b"\xff\xfe"), b"\xff" * 20, raw_frame(TEXT, b"x" * 66_000)]


class Dice:
    """Random messages, made from what protocol.py declares."""

    def __init__(self, seed: int, *, limited: bool) -> None:
        from apps.tournaments.realtime import protocol

        self.rng, self.limited = random.Random(seed), limited  # noqa: S311
        self.decode, self.unreadable = protocol.decode, protocol.Unreadable
        kinds = {kind.__struct_config__.tag: inspect.type_info(kind) for kind in get_args(protocol.AnyMessage)}
        self.needed = {protocol.WithScore: ("home_score", "away_score")}  # or games, which fit seldom by chance
        rare = {"resync": 1, "authenticate": 0.2}
        self.cheap = [kinds[tag] for tag in ("ping", "pong", "subscribe")]
        self.all, self.weights = list(kinds.values()), [rare.get(tag, 4) for tag in kinds]

    def batch(self) -> "Batch":
        """Return what one client sends, up to what makes the server close; with limits, sometimes a flood."""
        batch = Batch()
        if self.limited and self.rng.random() < FLOODS:
            for _ in range(FLOOD):
                batch.add(frame(b'{"type": "ping"}'))
        while batch.messages < BATCH and batch.broken < BROKEN and not batch.is_last:
            self._add(batch)
        return batch

    def _add(self, batch: "Batch") -> None:
        rng = self.rng
        match rng.choices(list(SENT), list(SENT.values()))[0]:
            case "against the rules":
                batch.add(rng.choice(ILLEGAL), last=True)
            case "too large":
                batch.add(frame(b" " * 16_385), last=True)
            case "binary":
                batch.add(frame(rng.randbytes(20), BINARY), broken=True)
            case "ping frame":
                batch.data += frame(rng.randbytes(9), PING)  # no message
            case kind:
                self._add_text(batch, getattr(self, f"_{kind}")())

    def _add_text(self, batch: "Batch", text: str) -> None:
        try:
            kind = type(self.decode(text)).__struct_config__.tag
        except self.unreadable:
            batch.add(frame(text.encode()), broken=True)
        else:
            if kind != "pong" or not self.limited:  # which is answered when it is refused, and only then
                batch.add(frame(text.encode()), answered=kind != "pong", last=kind == "authenticate")

    def _cheap(self) -> str:
        return json.dumps(self._value(self.rng.choice(self.cheap)))

    def _any(self) -> str:
        return json.dumps(self._value(self._kind()))

    def _broken(self) -> str:
        """Return a message with one thing wrong, perhaps; or none at all."""
        rng = self.rng
        message = self._value(self._kind())
        part = rng.choice([message, message.get("data") or message])
        match rng.randrange(5):
            case 0:
                part[rng.choice(list(part))] = rng.choice(ODD)
            case 1:
                del part[rng.choice(list(part))]
            case 2:
                part[str(rng.choice(ODD))] = rng.choice(ODD)
            case 3:
                return json.dumps(rng.choice(ODD))
            case _:
                text = json.dumps(message)
                return text[: rng.randrange(len(text))] + rng.choice(["", "\0", "é", "}"])
        return json.dumps(message)

    def _kind(self) -> Any:
        return self.rng.choices(self.all, self.weights)[0]

    def _value(self, kind: Any) -> Any:  # noqa: PLR0911 - one for each type
        rng = self.rng
        match kind:
            case inspect.Metadata():
                return self._value(kind.type)
            case inspect.UnionType():
                return self._value(rng.choice(kind.types))
            case inspect.LiteralType():
                return rng.choice(kind.values)
            case inspect.FloatType():
                return rng.uniform(-1e12, 1e12)
            case inspect.IntType():
                return rng.randint(kind.ge, rng.choice([kind.ge + 9, kind.ge + 40, kind.le]))
            case inspect.StrType():
                return "".join(rng.choices("azAZ09._:-", k=rng.randint(1, 64)))
            case inspect.DictType():
                return {}
            case inspect.ListType():
                return [self._value(kind.item_type) for _ in range(rng.randrange(4))]
            case inspect.StructType():
                needed = self.needed.get(kind.cls, ())
                there = [f for f in kind.fields if f.required or f.name in needed or rng.random() < OFTEN]
                fields = {f.encode_name: self._value(f.type) for f in there}
                return fields if kind.tag is None else {"type": kind.tag} | fields
        return None


class Batch:
    """What one client sends, and how many answers that makes."""

    def __init__(self) -> None:
        self.data = b""
        self.messages = self.answers = self.broken = 0
        self.is_last = False

    def add(self, data: bytes, *, answered: bool = True, broken: bool = False, last: bool = False) -> None:
        self.data += data
        self.messages += 1
        self.answers += answered
        self.broken += broken
        self.is_last = last


class Client(Socket):
    """Says its batch as soon as the room is open, and leaves when all of it is answered."""

    def __init__(self, *arguments: str, batch: Batch, seen: Counter[str]) -> None:
        super().__init__(*arguments)
        self.batch, self.seen = batch, seen
        self.missing = -1  # the snapshot comes first
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def on_text(self, text: bytes) -> None:
        answer = msgspec.json.decode(text)
        if fault := answers().fault(answer):
            self.seen[f"UNDOCUMENTED {fault}"] += 1
        is_event = "prev" in answer
        self.seen["an event" if is_event else " ".join(["frame", answer["type"], answer.get("code", "")]).strip()] += 1
        if is_event or answer["type"] in UNASKED:
            return
        if self.missing < 0:
            self.missing = self.batch.answers
            self.transport.write(self.batch.data)
        else:
            self.missing -= 1
        if not self.missing:
            self.leave()

    def on_end(self) -> None:
        self.seen[f"HTTP {self.status}" if self.status != 101 else f"close {self.closed}"] += 1  # noqa: PLR2004
        if self.status == 101 and self.closed not in answers().closes | {1000}:  # noqa: PLR2004
            self.seen[f"UNDOCUMENTED close code {self.closed}"] += 1
        if not self.done.done():
            self.done.set_result(None)


class People:
    """Who comes: a few tournaments, and for each an organiser, a player of a match, and guests."""

    def __init__(self) -> None:
        from apps.tournaments.services import Actor, matches
        from tests import factories

        self.chairs: list[tuple[str, Any]] = []
        for number in range(4):
            cup = factories.drawn(16)
            match = factories.match_number(cup, 1)
            if number:  # in the first one organisers can draw again, which replaces the matches
                matches.start(Actor(cup.created_by), match.pk)
            organizer, player = factories.signed_in(cup.created_by), factories.signed_in(match.home.user)
            self.chairs += [(cup.stream, organizer), (cup.stream, None), (match.subject, player), (match.subject, None)]

    def come(self, rng: random.Random) -> tuple[str, str]:
        """Return a path and a token."""
        from apps.accounts.tokens import issue_room_token

        room, holder = rng.choice(self.chairs)
        return f"/ws/{room.replace(':', '/')}/", issue_room_token(room, holder)[0]


class Run:
    """Some clients at a time, until so many messages have been sent."""

    def __init__(self, site: Site, people: People, dice: Dice, *, messages: int, connections: int) -> None:
        self.site, self.people, self.dice, self.wanted, self.connections = site, people, dice, messages, connections
        self.seen: Counter[str] = Counter()
        self.sent = self.clients = 0
        self.early = 0

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(self.connections):
                group.create_task(self._come_and_go())

    async def _come_and_go(self) -> None:
        while self.sent < self.wanted:
            batch = self.dice.batch()
            self.sent += batch.messages
            self.clients += 1
            ip = f"10.0.0.{self.dice.rng.randrange(8)}"
            client = Client(self.site.address, *self.people.come(self.dice.rng), ip, batch=batch, seen=self.seen)
            await client.open(self.site.address)
            try:
                async with asyncio.timeout(PATIENCE):
                    await client.done
            except TimeoutError:
                self.seen[f"UNANSWERED {client.missing} messages"] += 1
                client.transport.abort()
            if not self.early and self.sent > self.wanted / 5:
                self.early = rss_of(self.site.pid)


def main() -> None:
    parser = argparse.ArgumentParser(description="Every answer is documented, and nothing remains.")
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--connections", type=int, default=16, help="at a time")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    with surroundings() as environment:
        people = People()
        environment |= {"TRUSTED_PROXIES": "127.0.0.1", "METRICS_TOKEN": METRICS_TOKEN}
        faults = fuzz("without limits", environment | {"WS_RATE_ENABLED": "0"}, people, options, options.messages)
        faults += fuzz("with the limits as by default", environment, people, options, options.messages // 10)
    if faults:
        sys.exit("\n".join(["", *faults]))


def fuzz(
    title: str, environment: dict[str, str], people: People, options: argparse.Namespace, messages: int
) -> list[str]:
    """Run, print what came, and return what should not have come or remains."""
    limited = "WS_RATE_ENABLED" not in environment
    with Site(environment) as site:
        run = Run(site, people, Dice(options.seed, limited=limited), messages=messages, connections=options.connections)
        asyncio_run(Run(site, people, Dice(0, limited=limited), messages=500, connections=4).run())
        remains(site, files=10**6)
        files = open_files(site)  # with what the first clients opened for all
        began = time.perf_counter()
        asyncio_run(run.run())
        seconds = time.perf_counter() - began
        print(f"\n{title}, seed {options.seed}: {run.sent:,} messages of {run.clients:,} clients in {seconds:,.0f} s")
        for what, number in sorted(run.seen.items()):
            print(f"  {number:>10,}  {what}")
        left, grown = remains(site, files), (rss_of(site.pid) - run.early) / 2**20
        print(f"  left at the end: {left or 'nothing'}; memory since the first fifth: {grown:+.0f} MiB")
        faults = [what for what in run.seen if what.startswith(("UN", "HTTP 5"))]
        faults += [f"in the log: {number} x {line}" for line, number in site.complaints().items()]
        faults += [f"left: {name} {value}" for name, value in left.items()]
        faults += [f"grown by {grown:.0f} MiB"] if grown > MEMORY_MIB else []
        return [f"{title}: {fault}" for fault in faults]


def asyncio_run(main: Any) -> Any:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


def remains(site: Site, files: int) -> dict[str, float]:
    """Return what of the clients is still there, and how many more files are open; waits a while for nothing."""
    deadline = time.monotonic() + PATIENCE / 2
    while True:
        left = {name: value for name, value in figures(site).items() if name.startswith(GAUGES) and value}
        more = open_files(site) - files
        left |= {"open files": more} if more > 0 else {}
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.5)


def figures(site: Site) -> dict[str, float]:
    headers = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    request = urllib.request.Request(f"http://{site.address}/metrics", headers=headers)
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")}


def open_files(site: Site) -> int:
    figures(site)  # a request opens what the first one opens
    return sum(1 for _ in Path(f"/proc/{site.pid}/fd").iterdir())


if __name__ == "__main__":
    main()
