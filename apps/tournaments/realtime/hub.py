"""
All rooms of a process: who is in them, and where their events come from.

For each stream with an open room the process keeps a feed (feed.py). Events come as hints over the bus, in any order,
possibly twice, possibly not at all; what does not come is read from the log. Everything here runs on one event loop;
only the log is read in a thread.
"""

import asyncio
import random
from collections import Counter as Tally
from collections.abc import Coroutine, Iterable, Sequence
from contextlib import suppress
from time import time
from typing import Any

import msgspec
import structlog
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db import Error as DatabaseErrors

from apps.accounts import revocation
from apps.eventlog import log
from apps.eventlog.log import Recorded
from apps.tournaments.models import Role
from apps.tournaments.realtime import metrics, presence
from apps.tournaments.realtime.connection import Connection
from apps.tournaments.realtime.fanout import Fanout, Prepared
from apps.tournaments.realtime.feed import Feed
from apps.tournaments.realtime.protocol import CloseCode, ServerPing, TokenExpiring, encode, encoded
from apps.tournaments.realtime.rooms import Opened, Room, RoomName
from apps.tournaments.realtime.uring import open_ring
from apps.tournaments.realtime.utils import ERROR, PRESENCE, group_name, read_hint, send_gossip, use_loop
from apps.tournaments.selectors.lists import players_of
from engine.bracket import Side

logger = structlog.get_logger(__name__)

POLL_SECONDS = 1.0  # a lost hint costs at most this
BUS_SECONDS = 0.3  # how long anybody waits for the bus; one that hangs must not keep people, or the poll, from the log
REORDER_SECONDS = 0.02  # how long a hint may overtake the one before it, until the log is asked
READ_LIMIT = 1000
SWEEP_SECONDS = 0.5
SWEEP_SLICE = 500  # connections looked at, or closed, in one turn of the loop
TOKEN_WARNING_SECONDS = 60
STAFF_CHANGES = ("member_added", "member_removed")


class Hub:
    """All rooms of a process. Its tasks run while it has connections; without any it holds nothing."""

    def __init__(self) -> None:
        self.feeds: dict[str, Feed] = {}
        self.fanout = Fanout()
        self.presence = presence.Presence()
        self.connections: dict[Connection, Room] = {}
        self.public: dict[RoomName, Opened] = {}  # what guests see of the rooms that are open: no draft ever
        # How often somebody's rights changed, or a stream began to be followed, which may have changed some before.
        self.changes = 0
        self._starting: asyncio.Future[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._repairs: dict[str, asyncio.Task[None]] = {}
        self._channel = ""
        self._bus_up = True

    async def join(self, connection: Connection, room: Room, side: Side | None = None) -> Feed:
        """Put a connection in a room and return the stream's feed, open. A live one is written every event."""
        self.connections[connection] = room
        self.presence.join(connection, room, connection.identity.id, side)
        feed = self.feeds.get(room.stream)
        if feed is None:
            feed = self.feeds[room.stream] = Feed(room.stream, self.fanout, self._heed_tournament)
        feed.room(room).connections[connection] = None
        await self._start()
        await self._open(feed)
        return feed

    def move(self, connection: Connection, room: Room, side: Side | None = None) -> None:
        """
        Put a connection that is in a room into another one of the same stream instead.

        The feed goes on where it is: one that began anew could be past the next change of the holder's own role.
        """
        before, feed = self.connections[connection], self.feeds[room.stream]
        self.presence.leave(connection, before, connection.identity.id)
        self.presence.join(connection, room, connection.identity.id, side)
        if room != before:
            self.connections[connection] = room
            feed.room(room).connections[connection] = None
            feed.leave(connection, before)

    def leave(self, connection: Connection) -> None:
        """Take a connection out; safe to call twice, or for one that never joined."""
        room = self.connections.pop(connection, None)
        if room is not None:
            self._take_out(connection, room)
        if not self.connections:
            self._stop()

    def remember(self, feed: Feed, name: RoomName, opened: Opened) -> None:
        """Keep what guests see of a room for as long as its feed is followed. Once published, it stays so."""
        if opened.is_public and name not in self.public:
            feed.names.add(name)
            self.public[name] = opened.seen_as(Role.SPECTATOR)

    def _take_out(self, connection: Connection, room: Room) -> None:
        self.presence.leave(connection, room, connection.identity.id)
        feed = self.feeds[room.stream]
        feed.leave(connection, room)
        if not feed.rooms:
            del self.feeds[room.stream]
            for name in feed.names:
                self.public.pop(name, None)
            self._leave_layer(feed)

    def channel(self, connection: Connection) -> str:
        """Return the address at which `send_error_to_channel` finds a connection."""
        return f"{self._channel}/{connection.record.id}"

    # Events in ------------------------------------------------------------------------------------------------------

    def _hear(self, message: dict[str, Any]) -> None:
        """Take what came over the bus."""
        if message.get("type") == PRESENCE:
            if (gossip := presence.read(message)) is not None:
                self.presence.hear(gossip, asyncio.get_running_loop().time())
            return
        if message.get("type") != ERROR:
            self.receive(read_hint(message))
            return
        for connection in list(self.connections):
            if connection.record.id == message.get("connection"):
                connection.write(str(message.get("frame")))

    def receive(self, events: Sequence[Recorded]) -> None:
        """Take the events of one hint."""
        if not events:
            return
        feed = self.feeds.get(events[0].stream)
        if feed is not None and feed.offer(events):
            self._repair(feed, delay=REORDER_SECONDS)

    async def catch_up(self, feed: Feed) -> None:
        """Read from the log what the feed has not passed on yet."""
        while (position := feed.position) is not None:
            events = await _read(feed.stream, position.seq)
            if events and events[0].epoch != position.epoch:
                self._reset(feed)
                return
            metrics.repairs.inc(len(events))
            feed.offer(events)
            if len(events) < READ_LIMIT:
                return

    async def reach(self, feed: Feed, seq: int) -> None:
        """Pass on what there is up to `seq`, instead of waiting for hints."""
        if feed.position is not None and feed.position.seq < seq:
            await self.catch_up(feed)

    def _repair(self, feed: Feed, *, delay: float) -> None:
        running = self._repairs.get(feed.stream)
        if running is not None and not running.done():
            return

        async def repair() -> None:
            await asyncio.sleep(delay)
            if feed.early:
                try:
                    await self.catch_up(feed)
                except DatabaseErrors as error:
                    logger.warning("repair_failed", error=type(error).__name__)  # the poll will try again

        self._repairs[feed.stream] = _spawn(repair())

    def _reset(self, feed: Feed) -> None:
        """History was rewritten: positions mean nothing any more. Everybody reconnects and starts from a snapshot."""
        logger.warning("stream_epoch_changed", stream=feed.stream)
        metrics.resets.inc()
        feed.reset()
        _close_all(feed, CloseCode.INTERNAL_ERROR)

    # Whose access ended ---------------------------------------------------------------------------------------------

    def _heed_accounts(self, event: Recorded) -> None:
        """Close the connections of a session that ended, or of a user whose access did; look again at whose changed."""
        self.changes += 1
        ended = msgspec.json.decode(event.data, type=revocation.Ended)
        user = f"user:{ended.user}"
        for connection in list(self.connections):
            if connection.identity.id == user or (ended.session and connection.identity.session == ended.session):
                if event.type == revocation.RIGHTS_CHANGED:
                    connection.rights_changed()
                else:
                    connection.close(CloseCode.AUTHENTICATION_REQUIRED)

    def _heed_tournament(self, event: Recorded) -> None:
        if event.type in STAFF_CHANGES:
            self._heed_staff(event)
        elif event.type == "bracket_generated":
            self._heed_draw(event)
        elif event.type == "bracket_updated":
            self._heed_place(event)
        elif event.type == "person_erased" and (feed := self.feeds.get(event.stream)) is not None:
            feed.forget_past()

    def _heed_draw(self, event: Recorded) -> None:
        """Close the rooms of matches that a new draw has replaced."""
        removed = msgspec.json.decode(event.data).get("removed", {}).get("matches", [])
        gone = {f"match:{match_id}" for match_id in removed}
        for match_id in removed:
            self.public.pop(RoomName("match", match_id), None)
        for connection, room in list(self.connections.items()):
            if room.stream == event.stream and room.subject in gone:
                connection.close(CloseCode.NOT_FOUND)

    def _heed_staff(self, event: Recorded) -> None:
        """Have those looked at again who joined or left the staff: they may see other things now."""
        self.changes += 1
        changed = msgspec.json.decode(event.data)
        ids = changed.get("removed", {}).get("staff") or [changed["member"]["id"]]
        self._look_again(event.stream, ids)

    def _heed_place(self, event: Recorded) -> None:
        """Have those looked at again who watch a match in which they play from now on."""
        self.changes += 1

        async def look_again(match_id: int) -> None:
            with suppress(DatabaseErrors):  # until they come back they count as watchers
                self._look_again(event.stream, await database_sync_to_async(players_of)(match_id), event.subject)

        feed = self.feeds.get(event.stream)
        if feed is not None and event.subject and any(room.subject == event.subject for room in feed.rooms):
            _spawn(look_again(int(event.subject.removeprefix("match:"))))

    def _look_again(self, stream: str, user_ids: Iterable[int], subject: str | None = None) -> None:
        people = {f"user:{user_id}" for user_id in user_ids}
        for connection, room in list(self.connections.items()):
            if room.stream == stream and subject in (None, room.subject) and connection.identity.id in people:
                connection.rights_changed()

    # Tasks ----------------------------------------------------------------------------------------------------------

    async def _start(self) -> None:
        if self._starting is None or (self._starting.done() and self._starting.exception() is not None):
            self._starting = asyncio.ensure_future(self._do_start())
        await asyncio.shield(self._starting)

    async def _do_start(self) -> None:
        self.fanout.ring = self.fanout.ring or open_ring()
        use_loop(asyncio.get_running_loop(), self.receive)
        await self._open_channel()
        await database_sync_to_async(log.ensure)(revocation.STREAM)
        accounts = self.feeds[revocation.STREAM] = Feed(revocation.STREAM, self.fanout, self._heed_accounts)
        await self._open(accounts)
        jobs = (self._poll(), self._sweep(), presence.tell(self.presence, send_gossip))
        self._tasks += [asyncio.create_task(job) for job in jobs]

    def _stop(self) -> None:
        for gossip in self.presence.stop():
            send_gossip(gossip.stream, presence.encode(gossip))
        use_loop(None)
        if self._starting is not None:
            self._starting.cancel()
        for feed in self.feeds.values():
            self._leave_layer(feed)
            for room in feed.rooms.values():
                room.close()
        self.fanout.stop()
        self.feeds.clear()
        self.public.clear()
        for task in (*self._tasks, *self._repairs.values()):
            task.cancel()
        self._starting, self._tasks, self._repairs, self._channel = None, [], {}, ""

    async def _open(self, feed: Feed) -> None:
        """Find the feed's position, once however many wait for it. Subscribe first: nothing can fall between."""
        if feed.position is None:
            if feed.opening is None:
                feed.opening = asyncio.ensure_future(self._do_open(feed))
            await asyncio.shield(feed.opening)

    async def _do_open(self, feed: Feed) -> None:
        try:
            await self._join_layer(feed)
            positions = await database_sync_to_async(log.positions)([feed.stream])
            feed.position = positions.get(feed.stream)  # None: a tournament that was deleted
            self.changes += 1
        finally:
            feed.opening = None

    async def _open_channel(self) -> None:
        """Have an address on the bus. Without one the poll does its work, and tries again."""
        layer = get_channel_layer()
        if layer is None or self._channel:
            return
        try:
            async with asyncio.timeout(BUS_SECONDS):
                self._channel = await layer.new_channel("hub")  # type: ignore[call-arg] # the stubs forget the prefix
        except Exception as error:  # noqa: BLE001
            self._bus(up=False, error=error)
        else:
            self._tasks.append(asyncio.create_task(self._listen(layer, self._channel)))

    async def _join_layer(self, feed: Feed) -> None:
        layer = get_channel_layer()
        if layer is None or feed.joined_layer or not self._channel:
            return
        try:
            async with asyncio.timeout(BUS_SECONDS):
                await layer.group_add(group_name(feed.stream), self._channel)
        except Exception as error:  # noqa: BLE001 - the poll takes over, and tries again
            self._bus(up=False, error=error)
        else:
            feed.joined_layer = True
            self._bus(up=True)

    def _leave_layer(self, feed: Feed) -> None:
        """Leave a feed's group soon, unless it is followed again by then; a later life has another channel."""
        channel = self._channel

        async def leave() -> None:
            layer = get_channel_layer()
            if layer is not None and (feed.stream not in self.feeds or channel != self._channel):
                with suppress(Exception):  # a group forgets a process that is gone by itself
                    await layer.group_discard(group_name(feed.stream), channel)

        if feed.joined_layer:
            _spawn(leave())

    def _bus(self, *, up: bool, error: Exception | None = None) -> None:
        """Log a change of the bus's state once, not every second."""
        if up is not self._bus_up:
            self._bus_up = up
            logger.warning("bus_up" if up else "bus_down", error=type(error).__name__ if error else None)

    async def _listen(self, layer: Any, channel: str) -> None:
        """Receive hints: one channel for the whole process."""
        while True:
            try:
                message = await layer.receive(channel)
                self._bus(up=True)
                self._hear(message)
            except (InvalidToken, ValueError):  # not ours; waiting after each would let whoever sends them hold us up
                logger.warning("hint_unreadable")
            except Exception as error:  # noqa: BLE001 - the poll keeps the feeds current meanwhile
                self._bus(up=False, error=error)
                await asyncio.sleep(POLL_SECONDS)

    async def _poll(self) -> None:
        """Compare every feed with the log: one query a second, whatever the number of rooms and connections."""
        clock = asyncio.get_running_loop().time
        took = 0.0
        while True:
            # From one look to the next, however long one takes; jittered, to spread processes out.
            await asyncio.sleep(max(0, POLL_SECONDS * random.uniform(0.8, 1.2) - took))  # noqa: S311
            began = clock()
            try:
                await self.compare()
            except Exception as error:  # noqa: BLE001 - whatever it is, the next look must come
                logger.warning("poll_failed", error=type(error).__name__)
            took = clock() - began

    async def compare(self) -> None:
        """Find out which feeds the log is ahead of, and read what they miss."""
        await self._open_channel()
        feeds = list(self.feeds.values())
        await asyncio.gather(*(self._open(feed) for feed in feeds if feed.position is None))
        await asyncio.gather(*(self._join_layer(feed) for feed in feeds if not feed.joined_layer))
        positions = await database_sync_to_async(log.positions)([feed.stream for feed in feeds])
        for feed in feeds:
            mine, theirs = feed.position, positions.get(feed.stream)
            if mine is None:
                continue
            if theirs is None:  # a tournament that was deleted
                _close_all(feed, CloseCode.NOT_FOUND)
            elif theirs.epoch != mine.epoch:
                self._reset(feed)
            elif theirs.seq > mine.seq:
                await self.catch_up(feed)

    async def _sweep(self) -> None:
        """
        Deadlines of all connections: ping what is due, close what has been silent too long or whose token has ended.

        One task for all, every half second: a deadline is kept within a second, and no connection has a timer.
        """
        clock = asyncio.get_running_loop().time
        due = clock()
        while True:
            now, ping = clock(), Prepared(encoded(ServerPing(timestamp=int(time() * 1000))))
            interval, timeout = settings.WS_HEARTBEAT_INTERVAL, settings.WS_HEARTBEAT_TIMEOUT
            for number, connection in enumerate(list(self.connections)):
                if number % SWEEP_SLICE == SWEEP_SLICE - 1:
                    await asyncio.sleep(0)
                try:
                    _look_at(connection, now, ping, interval=interval, timeout=timeout)
                except Exception:
                    logger.exception("sweep_failed")  # for this one; the others have their deadlines
            metrics.loop_lag.observe(max(0.0, now - due))
            pause = min(SWEEP_SECONDS, interval / 4)
            due = clock() + pause
            await asyncio.sleep(pause)

    # Figures --------------------------------------------------------------------------------------------------------

    def add_gauges(self, gauges: metrics.Gauges) -> None:
        """Show what is here now. Read from another thread, so always from a copy."""
        gauges.add("rt_connections", "Open connections.", ("kind", "role"), self._count_connections)
        gauges.add("rt_rooms", "Rooms with somebody in them.", ("kind",), self._count_rooms)
        gauges.add("rt_viewers", "Who is in them: a person once a room.", ("kind",), self.presence.viewers)
        gauges.add("rt_streams", "Streams that are followed.", (), lambda: Tally({(): len(self.feeds)}))
        gauges.add(
            "rt_queued_chars_max", "The longest queue of a connection, in characters or bytes.", (), self._longest_queue
        )
        gauges.add("rt_io_uring", "1 with io_uring.", (), lambda: Tally({(): int(self.fanout.ring is not None)}))
        gauges.add("rt_bus_up", "1 while the channel layer works.", (), lambda: Tally({(): int(self._bus_up)}))

    def busiest(self, most: int) -> list[tuple[str, int]]:
        """Return the rooms with most connections in this process: "tournament:7" or "match:5", and how many."""
        here: Tally[str] = Tally()
        for feed in list(self.feeds.values()):
            for room, found in list(feed.rooms.items()):
                here[room.subject or room.stream] += len(found.connections)
        return here.most_common(most)

    def _count_connections(self) -> Tally[tuple[str, ...]]:
        everyone = list(self.connections.items())
        return Tally((room.kind, connection.record.role or "joining") for connection, room in everyone)

    def _count_rooms(self) -> Tally[tuple[str, ...]]:
        return Tally((room.kind,) for feed in list(self.feeds.values()) for room in list(feed.rooms))

    def _longest_queue(self) -> Tally[tuple[str, ...]]:
        return Tally({(): max((connection.queued for connection in list(self.connections)), default=0)})


hub = Hub()
hub.add_gauges(metrics.gauges)
_background: set[asyncio.Task[None]] = set()


def _close_all(feed: Feed, code: CloseCode) -> None:
    for room in feed.rooms.values():
        for connection in list(room.connections):
            connection.close(code)


def _look_at(connection: Connection, now: float, ping: Prepared, *, interval: float, timeout: float) -> None:
    if now - connection.heard_at >= timeout:
        connection.close(CloseCode.HEARTBEAT_TIMEOUT)
    elif now >= connection.expires_at:
        connection.close(CloseCode.TOKEN_EXPIRED)
    else:
        if now >= connection.ping_at:
            connection.ping_at = now + interval
            connection.put(ping)
        left = connection.expires_at - now
        if left <= TOKEN_WARNING_SECONDS and not connection.warned:
            connection.warned = True
            connection.write(encode(TokenExpiring(in_ms=int(left * 1000))))


def _spawn(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Run beside; the loop alone would let a task be collected while it runs."""
    task = asyncio.create_task(coroutine)
    _background.add(task)
    task.add_done_callback(_background.discard)
    return task


@database_sync_to_async
def _read(stream: str, after: int) -> list[Recorded]:
    return log.read(stream, after=after, limit=READ_LIMIT)
