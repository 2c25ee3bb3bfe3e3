"""
What a connection gets before the live events: what it missed, or a snapshot.

Missed events come from memory, which is filled from the log when it is needed. A snapshot is built once for a room and
a moment, however many ask.
"""

import asyncio
from dataclasses import dataclass

import msgspec
from channels.db import database_sync_to_async

from apps.eventlog import log
from apps.eventlog.log import Position, Recorded
from apps.tournaments.realtime import metrics
from apps.tournaments.realtime.coalesce import conflated
from apps.tournaments.realtime.fanout import Batch, Prepared
from apps.tournaments.realtime.feed import RING, Feed, all_seen_in, batch
from apps.tournaments.realtime.hub import STAFF_CHANGES
from apps.tournaments.realtime.protocol import Snapshot, encoded
from apps.tournaments.realtime.rooms import Room
from apps.tournaments.selectors import snapshots

REPLAY_LIMIT = 300  # more events than this are slower to send and to apply than a snapshot


@dataclass(frozen=True, slots=True)
class Past:
    """
    What to write before the live frames. After it the connection is at `seq`, and its client at `mine`: the last frame
    that it has. `resumed`: no snapshot needed.
    """

    frames: Prepared | Batch | None
    seq: int
    mine: int
    resumed: bool


def read_since(text: str) -> Position | None:
    """Return the position in `?since=<epoch>:<seq>`, or None when it is not one."""
    epoch, _, seq = text.partition(":")
    if epoch and seq.isascii() and seq.isdigit() and len(seq) <= 18:  # noqa: PLR2004 - digits of a 64-bit number
        return Position(epoch, int(seq))
    return None


async def past(feed: Feed, room: Room, since: Position | None) -> Past:
    """Return what brings a connection from `since` (None: from nothing) to the present."""
    if since is not None and (resumed := await _resume(feed, room, since)) is not None:
        metrics.resumes.labels("replay").inc()
        return resumed
    metrics.resumes.labels("snapshot").inc()
    seq, frame = await _snapshot(feed, room)
    return Past(frame, seq, seq, resumed=False)


async def _resume(feed: Feed, room: Room, since: Position) -> Past | None:
    if feed.position is None or since.epoch != feed.position.epoch:
        return None
    events = feed.since(since.seq)
    if events is None and since.seq < feed.position.seq:
        await _recall(feed)
        events = feed.since(since.seq)
    if events is None or len(events) > REPLAY_LIMIT:
        return None
    if any(event.type in STAFF_CHANGES for event in events):
        return None  # whoever it was has the state of another audience
    missed = conflated(all_seen_in(events, room))
    seq, mine = (found[-1].seq if found else since.seq for found in (events, missed))
    return Past(batch(missed, since.seq), seq, mine, resumed=True)


async def _snapshot(feed: Feed, room: Room) -> tuple[int, Prepared]:
    """Return a snapshot that is not older than the feed is now."""
    while True:
        wanted = feed.position.seq if feed.position else 0
        known = feed.snapshots.get(room)
        if known is not None and known[0] >= wanted:
            return known
        building = feed.building.get(room)
        if building is None:
            building = feed.building[room] = asyncio.ensure_future(_build(feed, room))
        built = await asyncio.shield(building)
        if built[0] >= wanted:
            return built


async def _build(feed: Feed, room: Room) -> tuple[int, Prepared]:
    try:
        with metrics.snapshot_seconds.time():
            position, data = await _load(room)
        frame = Snapshot(epoch=position.epoch, seq=position.seq, data=msgspec.Raw(data))
        built = feed.snapshots[room] = (position.seq, Prepared(encoded(frame)))
        return built
    finally:
        del feed.building[room]


async def _recall(feed: Feed) -> None:
    """
    Fill a feed's memory from the log, once however many ask: after a restart everybody comes back, and it is empty.

    It reaches further back than anything that would be replayed.
    """
    if feed.recalling is None:
        if feed.position is None or feed.remembers_all:
            return
        feed.recalling = asyncio.ensure_future(_do_recall(feed, feed.position))
    await asyncio.shield(feed.recalling)


async def _do_recall(feed: Feed, position: Position) -> None:
    redactions = feed.redactions
    try:
        events = await _read(feed.stream, max(0, position.seq - RING))
        if feed.position is not None and feed.position.epoch == position.epoch and feed.redactions == redactions:
            feed.recall([event for event in events if event.epoch == position.epoch])
    finally:
        feed.recalling = None


@database_sync_to_async
def _read(stream: str, after: int) -> list[Recorded]:
    return log.read(stream, after=after, limit=RING)


@database_sync_to_async
def _load(room: Room) -> tuple[Position, bytes]:
    if room.subject:
        snapshot = snapshots.match_snapshot(int(room.subject.partition(":")[2]))
    else:
        snapshot = snapshots.tournament_snapshot(int(room.stream.partition(":")[2]), audience=room.audience)
    return snapshot.position, msgspec.json.encode(snapshot.data)
