"""
One stream in this process: how far it has been passed on, and the rooms that are filters on it.

Hints may be late, doubled, out of order or lost; a feed passes events on in order, once. No clock and no loop but the
fan-out's, so tests can have their own.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from time import time

import msgspec

from apps.eventlog.log import PUBLIC, Position, Recorded
from apps.tournaments.realtime import metrics
from apps.tournaments.realtime.coalesce import Coalescer, conflated
from apps.tournaments.realtime.connection import Connection
from apps.tournaments.realtime.fanout import Batch, Fanout, Outbox, Prepared
from apps.tournaments.realtime.protocol import EventFrame, encoded
from apps.tournaments.realtime.rooms import Room, RoomName

RING = 512  # events kept in memory a stream, for those who come back


class RoomFeed:
    """The connections of one room in this process, and the seq of the last frame that was written to them."""

    def __init__(self, room: Room, fanout: Fanout) -> None:
        self.room = room
        self.last = 0
        # In the order in which they came: to write to 10,000 takes 6 % less than in the order of a set. Presumably it
        # is also the order of their memory, here and in the kernel.
        self.connections: dict[Connection, None] = {}
        self._fanout = fanout
        self._outbox = Outbox(self.connections)
        self._coalescer = Coalescer()
        self._timer: asyncio.TimerHandle | None = None
        self._deliveries = metrics.deliveries.labels(room.kind)

    def leave(self, connection: Connection) -> None:
        """Take a connection out; safe to call twice."""
        self.connections.pop(connection, None)
        self._outbox.leave(connection)

    def send(self, event: Recorded) -> None:
        """Write an event to everybody, now or, if it is a score of many, soon."""
        self._emit(self._coalescer.take(event, self._fanout.now))

    def close(self) -> None:
        """Wait for nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def reset(self) -> None:
        """Forget what a history that was replaced has left."""
        self.close()
        self.last = 0
        self._outbox.clear()
        self._coalescer = Coalescer()

    def _flush(self) -> None:
        self._timer = None
        self._emit(self._coalescer.flush(self._fanout.now))

    def _emit(self, events: list[Recorded]) -> None:
        for event in events:
            self._outbox.add(event.seq, event_text(event, prev=self.last))
            self.last = event.seq
        if events:
            self._deliveries.inc(len(self.connections) * len(events))
            self._fanout.wake(self._outbox)
        due = self._coalescer.due
        if due is None:
            self.close()
        elif self._timer is None:
            self._timer = self._fanout.at(due, self._flush)


class Feed:
    """
    `position` is how far the stream has been passed on; `ring` the events up to there.

    `heed` is called with every event that is passed on, before the rooms get it.
    """

    def __init__(self, stream: str, fanout: Fanout, heed: Callable[[Recorded], None] = lambda _: None) -> None:
        self.stream = stream
        self.heed = heed
        self.position: Position | None = None
        self.ring: deque[Recorded] = deque(maxlen=RING)
        self.rooms: dict[Room, RoomFeed] = {}
        self.early: dict[int, Recorded] = {}
        self.names: set[RoomName] = set()  # of hub.public
        self.snapshots: dict[Room, tuple[int, Prepared]] = {}
        self.building: dict[Room, asyncio.Future[tuple[int, Prepared]]] = {}
        self.joined_layer = False
        self.redactions = 0
        self.opening: asyncio.Future[None] | None = None
        self.recalling: asyncio.Future[None] | None = None
        self._fanout = fanout

    def room(self, room: Room) -> RoomFeed:
        """Return a room of this stream, opened if it is not."""
        found = self.rooms.get(room)
        if found is None:
            found = self.rooms[room] = RoomFeed(room, self._fanout)
        return found

    def leave(self, connection: Connection, room: Room) -> None:
        """Take a connection out of a room, which ends with its last."""
        members = self.rooms[room]
        members.leave(connection)
        if not members.connections:
            members.close()
            del self.rooms[room]

    def offer(self, events: Iterable[Recorded]) -> bool:
        """Take events in whatever order; pass on what continues the position. Return whether there is a hole."""
        if self.position is None:
            return False
        epoch, top = self.position.epoch, self.position.seq
        for event in events:
            if event.epoch == epoch and event.seq > top:
                self.early[event.seq] = event
        while (event_ := self.early.pop(top + 1, None)) is not None:
            top += 1
            self.position = Position(epoch, top)
            self.ring.append(event_)
            metrics.delays.observe(max(0.0, time() - datetime.fromisoformat(event_.at).timestamp()))
            self.heed(event_)
            shares = shares_of(event_)
            for room in self.rooms.values():
                if (seen := seen_in(event_, room.room, shares)) is not None:
                    room.send(seen)
        return bool(self.early)

    def since(self, seq: int) -> list[Recorded] | None:
        """Return the events after `seq` from memory, or None when memory does not reach back that far."""
        if self.position is None or seq > self.position.seq:
            return None
        if seq == self.position.seq:
            return []
        if not self.ring or self.ring[0].seq > seq + 1:
            return None
        return [event for event in self.ring if event.seq > seq]

    @property
    def remembers_all(self) -> bool:
        """Whether memory holds all that it could."""
        return self.position is None or len(self.ring) >= min(RING, self.position.seq)

    def recall(self, events: Iterable[Recorded]) -> None:
        """Take events of the past into memory: consecutive ones, up to the first that it has, or to the position."""
        if self.position is not None:
            first = self.ring[0].seq if self.ring else self.position.seq + 1
            older = [event for event in events if event.seq < first]
            if older and older[-1].seq == first - 1:
                self.ring = deque([*older, *self.ring], maxlen=RING)

    def missed(self, room: Room, seq: int) -> list[Recorded] | None:
        """
        Return what a room's connection that is at `seq` lacks, None when memory does not reach back that far.

        Nothing, when it is further than the feed (a snapshot may be), or when nothing will be passed on any more.
        """
        events = [] if self.position is None or seq > self.position.seq else self.since(seq)
        return None if events is None else conflated(all_seen_in(events, room))

    def forget_past(self) -> None:
        """Let go of what was said before the latest event: names in it were erased from the log."""
        self.redactions += 1
        self.snapshots.clear()
        self.ring = deque(list(self.ring)[-1:], maxlen=RING)

    def reset(self) -> None:
        """Forget everything: history was rewritten, and positions mean nothing any more."""
        self.position = None
        self.ring.clear()
        self.early.clear()
        self.snapshots.clear()
        for room in self.rooms.values():
            room.reset()


# Events that tell many matches something at once, each its own.
_OF_MANY_MATCHES = frozenset({"best_of_changed", "schedule_planned", "station_removed"})


def seen_in(event: Recorded, room: Room, shares: Mapping[str, Recorded] | None = None) -> Recorded | None:
    """
    Return an event as a room sees it, None if it does not concern it or may not be seen there. The only place that
    decides it.

    A match's room also hears of the tournament itself: its name, colour and announcements stand on the match's page,
    and a match of a cancelled tournament cannot go on. Of what concerns many matches it gets its share (`shares`: of
    `shares_of`, when they are at hand).
    """
    if event.audience not in (PUBLIC, room.audience):
        return None
    if room.subject in ("", event.subject) or event.type.startswith(("tournament_", "stage_", "announcement_")):
        return event
    return (shares_of(event) if shares is None else shares).get(room.subject)


def all_seen_in(events: Iterable[Recorded], room: Room) -> list[Recorded]:
    """Return the events that a room sees, as it sees them."""
    return [seen for event in events if (seen := seen_in(event, room)) is not None]


def shares_of(event: Recorded) -> Mapping[str, Recorded]:
    """Return what each match's room sees of an event that concerns many, by subject; of any other event nothing."""
    if event.type not in _OF_MANY_MATCHES:
        return {}
    data = msgspec.json.decode(event.data)
    shares = {}
    for match in data["matches"]:
        subject = f"match:{match['id']}"
        own = msgspec.Raw(msgspec.json.encode({**data, "matches": [match]}))
        shares[subject] = msgspec.structs.replace(event, subject=subject, data=own)
    return shares


def event_text(event: Recorded, *, prev: int) -> bytes:
    """Return the text of an event's frame, in UTF-8."""
    return encoded(EventFrame(type=event.type, seq=event.seq, prev=prev, at=event.at, data=event.data))


def batch(events: Sequence[Recorded], prev: int) -> Batch | None:
    """Return the frames of a room's events, for a connection that is at `prev`; None when there are none."""
    texts = []
    for event in events:
        texts.append(event_text(event, prev=prev))
        prev = event.seq
    return Batch([event.seq for event in events], texts) if events else None
