"""
How many watch a room, over all processes, and whether a match's players are there. Counts; never who.

Each process counts its own connections, a person once. To the other processes on a stream it says its counts soon
after they changed, and again every REFRESH_SECONDS, so a message that is lost, late or doubled is made good by the
next. What a process said holds for EXPIRY_SECONDS: one that was killed is forgotten.

`Presence` is pure: its clock is the caller's, and what is to be sent is what `look` returns.
"""

import asyncio
from collections import Counter as Tally
from collections.abc import Callable
from itertools import count
from math import inf
from typing import Annotated, Any, NamedTuple
from typing import Protocol as Interface
from uuid import uuid4

import msgspec
import structlog
from msgspec import Meta, Struct

from apps.tournaments.realtime import protocol
from apps.tournaments.realtime.fanout import SLICE, Prepared
from apps.tournaments.realtime.rooms import Room
from engine.bracket import Side

logger = structlog.get_logger(__name__)

TICK_SECONDS = 0.25  # between two looks at what there is to say
TELL_SECONDS = 1.0  # between two frames of a room
GRACE_SECONDS = 10.0  # a player who left is shown as here for this long: a reload does not flicker
GOSSIP_SECONDS = 1.0  # between two messages about a stream
REFRESH_SECONDS = 10.0
EXPIRY_SECONDS = 30.0

GUEST = "guest:"
_Text = Annotated[str, Meta(max_length=64)]


class Member(Interface):
    """A connection, as far as it matters here; `live` when all that comes first has been written to it."""

    live: bool

    def put(self, what: Prepared) -> None: ...


class Counts(Struct, frozen=True):
    """The members of a room in one process, and whether its players are among them."""

    viewers: Annotated[int, Meta(ge=0, le=10**9)] = 0
    home: bool = False
    away: bool = False


class Gossip(Struct, frozen=True):
    """What a process says of its rooms of a stream, by subject; no rooms: it has left. `number` grows."""

    process: _Text
    number: Annotated[int, Meta(ge=0)]
    stream: _Text
    rooms: Annotated[dict[_Text, Counts], Meta(max_length=10_000)]


class Look(NamedTuple):
    """What is to be sent: messages to other processes, and frames, each to some members of a room."""

    gossip: list[Gossip]
    frames: list[tuple[protocol.Presence, list[Member]]]


class _Said(NamedTuple):
    """What another process said last, and until when it holds."""

    number: int
    rooms: dict[str, Counts]
    until: float


class Presence:
    """The presence in all rooms of a process. Joining and leaving cost the same however many are there."""

    def __init__(self) -> None:
        self.process = uuid4().hex
        self._numbers = count()
        self._streams: dict[str, _Stream] = {}

    def join(self, member: Member, room: Room, person: str, side: Side | None = None) -> None:
        """Count a connection in; `person` is whose it is ("user:7"), `side` the one that they play in the match."""
        stream = self._streams.get(room.stream)
        if stream is None:
            stream = self._streams[room.stream] = _Stream(room.stream)
        stream.room(room.subject).join(member, person, side)
        stream.wake_at = -inf

    def leave(self, member: Member, room: Room, person: str) -> None:
        """Count a connection out that was counted in."""
        stream = self._streams[room.stream]
        stream.room(room.subject).leave(member, person)
        stream.wake_at = -inf

    def hear(self, gossip: Gossip, now: float) -> None:
        """Take what a process says; its own words come back to it as well."""
        stream = self._streams.get(gossip.stream)
        if stream is not None and gossip.process != self.process:
            stream.hear(gossip, now)

    def look(self, now: float) -> Look:
        """Return what is to be sent now."""
        look = Look([], [])
        for stream in list(self._streams.values()):
            if stream.wake_at <= now:
                rooms = stream.look(now, look.frames)
                if rooms is not None:
                    look.gossip.append(self._gossip(stream, rooms))
                if stream.is_over:
                    del self._streams[stream.name]
        return look

    def stop(self) -> list[Gossip]:
        """Forget everything. Return what the others are to hear: that this process has left."""
        left = [self._gossip(stream, {}) for stream in self._streams.values() if stream.said]
        self._streams.clear()
        return left

    def viewers(self) -> Tally[tuple[str, ...]]:
        """Return how many watch in this process by the kind of room. Safe in another thread."""
        tally: Tally[tuple[str, ...]] = Tally()
        for stream in list(self._streams.values()):
            for subject, room in list(stream.rooms.items()):
                tally["match" if subject else "tournament",] += room.viewers
        return tally

    def _gossip(self, stream: "_Stream", rooms: dict[str, Counts]) -> Gossip:
        return Gossip(self.process, next(self._numbers), stream.name, rooms)


class _Stream:
    def __init__(self, name: str) -> None:
        self.name = name
        self.rooms: dict[str, _Room] = {}
        self.said: dict[str, Counts] = {}  # to the others
        self.wake_at = -inf  # when to look again
        self._others: dict[str, _Said] = {}
        self._said_at: float | None = None
        self._is_asked = False

    @property
    def is_over(self) -> bool:
        return not self.rooms and not self.said

    def room(self, subject: str) -> "_Room":
        room = self.rooms.get(subject)
        if room is None:
            room = self.rooms[subject] = _Room(is_match=bool(subject))
        return room

    def hear(self, gossip: Gossip, now: float) -> None:
        before = self._others.get(gossip.process)
        if before is not None and gossip.number <= before.number:
            return
        if gossip.rooms and not (before and before.rooms):
            self._is_asked = True  # whoever is new here does not know what was said before
        self._others[gossip.process] = _Said(gossip.number, gossip.rooms, now + EXPIRY_SECONDS)
        self.wake_at = -inf

    def look(self, now: float, frames: list[tuple[protocol.Presence, list[Member]]]) -> dict[str, Counts] | None:
        """Add the frames that are due. Return what is to be said to the others, None when nothing is."""
        self._others = {name: said for name, said in self._others.items() if now < said.until}
        for subject, room in list(self.rooms.items()):
            elsewhere = [said.rooms[subject] for said in self._others.values() if subject in said.rooms]
            if ready := room.look(elsewhere, now):
                frames.append((room.frame, ready))
            if room.is_over(now):
                del self.rooms[subject]
        if self._said_at is None:
            self._said_at = now  # not at once: who comes and goes quickly is no news
        here = {subject: room.counts() for subject, room in self.rooms.items() if room.members}
        news = here != self.said or self._is_asked
        to_say = None
        if now >= self._said_at + (GOSSIP_SECONDS if news else REFRESH_SECONDS):
            if here or self.said:
                to_say = here
            self.said, self._said_at, self._is_asked, news = here, now, False, False
        if news or not all(room.is_quiet(now) for room in self.rooms.values()):
            self.wake_at = now
        else:
            self.wake_at = min([self._said_at + REFRESH_SECONDS, *(said.until for said in self._others.values())])
        return to_say


class _Room:
    def __init__(self, *, is_match: bool) -> None:
        self.members: set[Member] = set()
        self.frame = protocol.Presence(viewers=0)  # as of the last look
        self._people: dict[str, int] = {}  # by how many connections somebody is here
        self._guests = 0
        self._players: dict[str, Side] = {}
        self._here_until = dict.fromkeys(Side, -inf) if is_match else {}  # by anybody's word; inf: is here
        self._owed: set[Member] = set()  # who does not have the present frame
        self._told = self.frame
        self._told_at = -inf

    def join(self, member: Member, person: str, side: Side | None) -> None:
        self.members.add(member)
        self._owed.add(member)
        if person.startswith(GUEST):
            self._guests += 1
            return
        self._people[person] = self._people.get(person, 0) + 1
        if side is None:
            self._players.pop(person, None)
        else:
            self._players[person] = side

    def leave(self, member: Member, person: str) -> None:
        self.members.discard(member)
        self._owed.discard(member)
        if person.startswith(GUEST):
            self._guests -= 1
        elif self._people[person] > 1:
            self._people[person] -= 1
        else:
            del self._people[person]
            self._players.pop(person, None)

    @property
    def viewers(self) -> int:
        return self._guests + len(self._people)

    def counts(self) -> Counts:
        sides = self._players.values()
        return Counts(self.viewers, Side.HOME in sides, Side.AWAY in sides)

    def look(self, elsewhere: list[Counts], now: float) -> list[Member]:
        """Return to whom `frame` is to be told now."""
        everywhere = [self.counts(), *elsewhere]
        for side, until in self._here_until.items():
            if any(getattr(counts, side) for counts in everywhere):
                self._here_until[side] = inf
            elif until == inf:
                self._here_until[side] = now + GRACE_SECONDS
        self.frame = protocol.Presence(
            viewers=quantised(sum(counts.viewers for counts in everywhere)),
            **{side: now < until for side, until in self._here_until.items()},
        )
        if now < self._told_at + TELL_SECONDS:
            return []
        if self.frame != self._told:
            self._owed = set(self.members)
        ready = [member for member in self._owed if member.live]
        if ready:
            self._owed.difference_update(ready)
            self._told, self._told_at = self.frame, now
        return ready

    def is_quiet(self, now: float) -> bool:
        """Whether nothing will happen unless somebody comes, goes, or speaks."""
        return not self._owed and self.frame == self._told and not self._is_in_grace(now)

    def is_over(self, now: float) -> bool:
        return not self.members and now >= self._told_at + TELL_SECONDS and not self._is_in_grace(now)

    def _is_in_grace(self, now: float) -> bool:
        return any(now < until < inf for until in self._here_until.values())


def quantised(viewers: int) -> int:
    """Return the number that is told: exact up to 100, above that its first two digits."""
    step: int = 10 ** max(0, len(str(viewers)) - 2)
    return viewers - viewers % step


def read(message: dict[str, Any]) -> Gossip | None:
    """Return what a message of the bus says, None when it is not readable."""
    try:
        return _decode(message["gossip"])
    except (KeyError, TypeError, msgspec.MsgspecError):
        logger.warning("gossip_unreadable")
        return None


async def tell(presence: Presence, send: Callable[[str, bytes], None]) -> None:
    """Send what is to be sent, as long as it runs; `send` gives a stream's message to the bus."""
    clock = asyncio.get_running_loop().time
    while True:
        await asyncio.sleep(TICK_SECONDS)
        look = presence.look(clock())
        for gossip in look.gossip:
            send(gossip.stream, encode(gossip))
        for frame, members in look.frames:
            prepared = Prepared(protocol.encoded(frame))
            for number, member in enumerate(members, start=1):
                member.put(prepared)
                if number % SLICE == 0:
                    await asyncio.sleep(0)


encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Gossip).decode
