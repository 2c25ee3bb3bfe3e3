"""People in the rooms of one tournament: they watch, ping, come back, start slowly; some play and some count scores."""

import asyncio
import itertools
import json
import random
import time
from array import array
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import msgspec

from bench.wire import Socket

MATCHES = 8  # of the first round of 16; on the first ones referees count, the others are played by their players
REFEREES = 2
# Parts of all. Whoever is no player, no referee and none of these is a spectator.
PARTS = {"guest": 0.10, "in a match's room": 0.10, "pinger": 0.05, "returning": 0.04, "slow starter": 0.01}
VENUE_MOST = 500  # every fifth sits in one venue behind one address, up to so many; of the others, four share one
AT_ONCE = 50  # connections under way
PING_SECONDS = 2.0
STAY_SECONDS = 10.0  # on average, of those who return
AWAY_SECONDS = (0.0, 2.0)
SLOW_SECONDS = (1.0, 6.0)  # from the first half of the request to the second


class Head(msgspec.Struct):
    """What a client needs to know of any frame."""

    type: str
    seq: int = -1
    prev: int = -1
    id: str = ""
    code: str = ""
    data: msgspec.Raw = msgspec.Raw()


class Welcome(msgspec.Struct):
    seq: int
    epoch: str
    resumed: bool


@dataclass
class Times:
    """What was measured in one part of a run, in seconds."""

    acks: list[float] = field(default_factory=list)
    pongs: list[float] = field(default_factory=list)
    sent: dict[int, float] = field(default_factory=dict)  # by the event that came of it: when an action was sent
    arrivals: dict[int, "array[float]"] = field(default_factory=lambda: defaultdict(lambda: array("d")))

    def of_events(self) -> list[float]:
        """Return how long each took from the action to each of those who saw it live."""
        return [at - self.sent[seq] for seq in self.sent for at in self.arrivals[seq]]


@dataclass
class Seen:
    """What all people together got."""

    times: Times = field(default_factory=Times)
    counts: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    events: dict[int, msgspec.Raw] = field(default_factory=dict)  # data by seq
    frames: dict[bytes, tuple[int, int]] = field(default_factory=dict)  # a room gets one text: it is decoded once


class Person:
    """Somebody in a room, across all their connections, who follows the one rule of docs/protocol.md."""

    def __init__(self, kind: str, room: str, holder: Any, seen: Seen, *, address: str, ip: str) -> None:
        self.kind, self.room, self.holder, self.seen = kind, room, holder, seen
        self.address, self.ip = address, ip
        self.epoch, self.mine = "", -1
        self.snapshot = b""
        self.applied: list[int] = []  # since the snapshot
        self.live_from = 0  # older events are what a connection had missed, late by its own fault
        self.pinged = 0.0
        self.ids = itertools.count(1)
        self.asked: dict[str, tuple[float, asyncio.Future[None]]] = {}
        self.line: Line

    def token(self) -> str:
        from apps.accounts.tokens import issue_room_token

        return issue_room_token(self.room, self.holder)[0]

    async def come(self, *, slow: float = 0) -> None:
        """Connect, and wait for the snapshot, or for the word that what was missed follows."""
        path = f"/ws/{self.room.replace(':', '/')}/" + (f"?since={self.epoch}:{self.mine}" if self.epoch else "")
        self.line = Line(self, path, self.token(), slow)
        await self.line.open(self.address)
        await self.line.inside

    async def go(self, *, rudely: bool = False) -> None:
        """Leave, with a close or without a word."""
        if rudely:
            self.line.leaving = True
            self.line.transport.abort()
        else:
            self.line.leave()
        await self.line.gone

    def ping(self) -> None:
        if not self.pinged and self.line.closed is None:
            self.pinged = time.perf_counter()
            self.line.send(b'{"type":"ping"}')

    def act(self, type_: str, planned: float, **data: int) -> asyncio.Future[None]:
        """Send an action that was to be sent at `planned`. The future is done when it is acknowledged."""
        id_, acknowledged = f"a{next(self.ids)}", asyncio.get_running_loop().create_future()
        self.asked[id_] = planned, acknowledged
        self.line.send(json.dumps({"type": type_, "id": id_, "data": data}).encode())
        return acknowledged

    def take(self, text: bytes) -> None:
        """Read a frame."""
        event = self.seen.frames.get(text)
        if event is None:
            head = msgspec.json.decode(text, type=Head)
            if head.prev < 0:
                self._take_other(head)
                return
            event = self.seen.frames[text] = head.seq, head.prev
            known = self.seen.events.setdefault(head.seq, head.data)
            if msgspec.json.decode(known) != msgspec.json.decode(head.data):
                self.seen.wrong["event told in two versions"] += 1
        seq, prev = event
        if seq <= self.mine:
            return
        if prev > self.mine:
            self.seen.wrong["hole"] += 1
            self.line.send(b'{"type":"resync"}')
            return
        self.mine = seq
        self.applied.append(seq)
        self.seen.counts["events"] += 1
        if seq > self.live_from:
            self.seen.times.arrivals[seq].append(time.perf_counter())

    def _take_other(self, head: Head) -> None:
        match head.type:
            case "connection_established":
                welcome = msgspec.json.decode(head.data, type=Welcome)
                self.epoch, self.live_from = welcome.epoch, welcome.seq
                if welcome.resumed:
                    self.seen.counts["resumed"] += 1
                    self.line.enter()
            case "snapshot":
                self.mine, self.snapshot, self.applied = head.seq, bytes(head.data), []
                self.seen.counts["snapshots"] += 1
                self.line.enter()
            case "ping":
                self.line.send(b'{"type":"pong"}')
            case "presence":
                pass
            case "pong":
                self.seen.times.pongs.append(time.perf_counter() - self.pinged)
                self.pinged = 0.0
            case "ack":
                planned, acknowledged = self.asked.pop(head.id)
                self.seen.times.acks.append(time.perf_counter() - planned)
                self.seen.times.sent[head.seq] = planned
                acknowledged.set_result(None)
            case "token_expiring":
                self.line.send(b'{"type":"authenticate","data":{"token":"%s"}}' % self.token().encode())
            case _:
                self.seen.wrong[f"{head.type} {head.code} for a {self.kind}"] += 1
                if head.id in self.asked:
                    self.asked.pop(head.id)[1].set_result(None)


class Line(Socket):
    """One connection of a person."""

    def __init__(self, person: Person, path: str, token: str, slow: float) -> None:
        super().__init__(person.address, path, token, person.ip)
        self.person, self.slow = person, slow
        self.inside: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.on_text = person.take  # type: ignore[method-assign] # one call less for each frame

    def enter(self) -> None:
        if not self.inside.done():
            self.inside.set_result(None)

    def connection_made(self, transport: Any) -> None:
        if self.slow:
            half = len(self._head) // 2
            self._head, rest = self._head[:half], self._head[half:]
            asyncio.get_running_loop().call_later(self.slow, transport.write, rest)
        super().connection_made(transport)

    def on_end(self) -> None:
        if not self.leaving:
            self.person.seen.wrong[f"connection ended, HTTP {self.status}, code {self.closed}"] += 1
        self.person.pinged = 0.0
        for _, acknowledged in self.person.asked.values():
            acknowledged.set_result(None)
        self.person.asked.clear()
        self.enter()
        self.gone.set_result(None)


class Crowd:
    """All people, and what they do. `rest` and `live` are parts of a run."""

    def __init__(self, people: list[Person], matches: list[int], seed: int) -> None:
        self.people, self.matches, self.seen = people, matches, people[0].seen
        self.kinds = Counter(person.kind for person in people)
        self._random = random.Random(seed)  # noqa: S311
        self._players = self._of("player")
        self._pairs = list(zip(self._players[::2], self._players[1::2], strict=True))

    def _of(self, kind: str) -> list[Person]:
        return [person for person in self.people if person.kind == kind]

    async def come(self) -> float:
        """Connect all, some at a time, the slow ones beside them. Return how many seconds the others took."""
        gate = asyncio.Semaphore(AT_ONCE)
        started = last = time.perf_counter()

        async def one(person: Person) -> None:
            nonlocal last
            if person.kind == "slow starter":
                await person.come(slow=self._random.uniform(*SLOW_SECONDS))
                return
            async with gate:
                await person.come()
            last = time.perf_counter()

        await asyncio.gather(*map(one, self.people))
        return last - started

    async def go(self) -> None:
        await asyncio.gather(*(person.go() for person in self.people))

    async def live(self, seconds: float, scores: float, matches: int) -> Times:
        """Let everybody do what they do: so many scores a second, and the players play so many matches."""
        times = self.seen.times = Times()
        until = time.perf_counter() + seconds
        jobs = [self._ping(person, until) for person in self._of("pinger")]
        jobs += [self._return(person, until) for person in self._of("returning")]
        jobs += [self._count(*each, until, scores / REFEREES) for each in zip(self._of("referee"), self.matches)]  # noqa: B905
        jobs += [self._play(self._random.uniform(0, seconds)) for _ in range(min(matches, len(self._pairs)))]
        await asyncio.gather(*jobs)
        return times

    async def _ping(self, person: Person, until: float) -> None:
        await asyncio.sleep(self._random.uniform(0, PING_SECONDS))
        while time.perf_counter() < until:
            person.ping()
            await asyncio.sleep(PING_SECONDS)

    async def _return(self, person: Person, until: float) -> None:
        while (stay := self._random.expovariate(1 / STAY_SECONDS)) < until - time.perf_counter():
            await asyncio.sleep(stay)
            await person.go(rudely=self._random.random() < 0.5)  # noqa: PLR2004 - every other one
            await asyncio.sleep(self._random.uniform(*AWAY_SECONDS))
            await person.come()

    async def _count(self, referee: Person, match: int, until: float, per_second: float) -> None:
        """Send scores at a steady rate, whether they are acknowledged in time or not."""
        waiting, planned = [], time.perf_counter() + self._random.uniform(0, 1 / per_second)
        while planned < until:
            await asyncio.sleep(planned - time.perf_counter())
            away, home = self._random.randrange(1000), self._random.randrange(1000)
            waiting.append(referee.act("update_score", planned, match_id=match, home_score=home, away_score=away))
            planned += 1 / per_second
        await asyncio.gather(*waiting)

    async def _play(self, wait: float) -> None:
        """One player reports the result, the other confirms it."""
        home, away = self._pairs.pop()
        await asyncio.sleep(wait)
        await home.act("report_score", time.perf_counter(), home_score=3, away_score=1)
        await away.act("confirm_result", time.perf_counter())


def gather(count: int, address: str, seed: int) -> Crowd:
    """Make a tournament in play and so many people, not yet connected; all but the guests have an account."""
    from apps.tournaments.models import Role
    from apps.tournaments.services import Actor, matches, tournaments
    from bench.served import sign_in_people
    from tests import factories

    cup, seen = factories.drawn(2 * MATCHES), Seen()
    organizer = Actor(cup.created_by)
    games = [factories.match_number(cup, number + 1) for number in range(MATCHES)]
    for game in games:
        matches.start(organizer, game.pk)
    fans, people = iter(sign_in_people(count)), []

    def add(kind: str, room: str, holder: Any) -> None:
        people.append(Person(kind, room, holder, seen, address=address, ip=_ip(len(people))))

    for number in range(REFEREES):
        user = factories.make_user(f"referee{number}")
        tournaments.add_member(organizer, cup.pk, username=user.username, role=Role.REFEREE)
        add("referee", cup.stream, factories.signed_in(user))
    for game in games[REFEREES:]:
        for user in (game.home.user, game.away.user):
            add("player", f"match:{game.pk}", factories.signed_in(user))
    rooms = itertools.cycle(f"match:{game.pk}" for game in games)
    for kind, part in PARTS.items():
        for _ in range(int(count * part)):
            add(
                kind,
                next(rooms) if kind == "in a match's room" else cup.stream,
                next(fans) if kind != "guest" else None,
            )
    while len(people) < count:
        add("spectator", cup.stream, next(fans))
    return Crowd(people, [game.pk for game in games], seed)


def stale(crowd: Crowd) -> int:
    """Return how many do not hold the state that the database has: their snapshot with the events applied to it."""
    from apps.tournaments.models import Match
    from apps.tournaments.selectors.snapshots import match_snapshot, tournament_snapshot
    from engine.projection import fold

    truth: dict[tuple[str, str], Any] = {}
    histories = Counter(
        (person.room, "staff" if person.kind == "referee" else "public", person.snapshot, tuple(person.applied))
        for person in crowd.people
    )
    found = 0
    tournament = Match.objects.get(pk=crowd.matches[0]).tournament_id
    for (room, audience, snapshot, applied), people in histories.items():
        if (room, audience) not in truth:
            kind, _, id_ = room.partition(":")
            there = match_snapshot(int(id_)) if kind == "match" else tournament_snapshot(tournament, audience=audience)
            truth[room, audience] = msgspec.json.decode(msgspec.json.encode(there.data))
        if not snapshot:
            found += people
            continue
        events = (msgspec.json.decode(crowd.seen.events[seq]) for seq in applied)
        found += people * (fold(events, msgspec.json.decode(snapshot)) != truth[room, audience])
    return found


def _ip(number: int) -> str:
    if number % 5 == 0 and number < 5 * VENUE_MOST:
        return "192.0.2.1"
    household = number // 4
    return f"10.{household >> 16 & 255}.{household >> 8 & 255}.{household & 255}"
