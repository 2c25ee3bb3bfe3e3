"""What a connection gets before the live events, without a server: the events it missed, or a snapshot."""

import asyncio
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from asgiref.sync import sync_to_async
from django.db import transaction
from django.utils import timezone

from apps.errors import NotFound
from apps.eventlog import log
from apps.eventlog.log import PUBLIC, STAFF, NewEvent, Position
from apps.tournaments.models import Tournament
from apps.tournaments.realtime import history, metrics
from apps.tournaments.realtime.feed import Feed
from apps.tournaments.realtime.history import REPLAY_LIMIT, past, read_since
from apps.tournaments.realtime.rooms import Room
from apps.tournaments.selectors.snapshots import match_snapshot, tournament_snapshot
from tests import factories
from tests.fanout import AtOnce

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cup(transactional_db: None) -> Tournament:
    return factories.drawn(2)


@pytest.fixture
def room(cup) -> Room:
    return Room(cup.stream, "", PUBLIC)


@pytest.fixture
def feed(cup) -> Feed:
    """A feed that has just been opened: it stands where the log does, and remembers nothing."""
    feed = Feed(cup.stream, AtOnce())
    feed.position = log.positions([cup.stream])[cup.stream]
    return feed


def happen(cup, count: int = 1, **fields) -> list[log.Recorded]:
    """Append events to a tournament's stream."""
    event = NewEvent(**{"type": "bracket_updated", "data": "{}"} | fields)
    with transaction.atomic():
        return log.append(cup.stream, [event] * count, at=timezone.now())


class Loads:
    """How often a snapshot was read from the rows, and a gate that the readers wait at."""

    def __init__(self, load) -> None:
        self.count, self.load = 0, load
        self.read, self.gate = asyncio.Event(), asyncio.Event()
        self.gate.set()

    async def __call__(self, room):
        self.count += 1
        loaded = await self.load(room)
        self.read.set()
        await self.gate.wait()
        return loaded


@pytest.fixture
def loads(monkeypatch) -> Iterator[Loads]:
    loads = Loads(history._load)
    monkeypatch.setattr(history, "_load", loads)
    return loads


def figure(result: str) -> float:
    return metrics.resumes.labels(result)._value.get()


def frames(found: history.Past) -> list[dict[str, Any]]:
    return [msgspec.json.decode(text) for text in found.frames.texts] if found.frames else []


def chain(found: history.Past) -> list[tuple[int, int]]:
    return [(frame["prev"], frame["seq"]) for frame in frames(found)]


class TestResuming:
    async def test_what_was_missed_comes_from_memory(self, cup, feed, room, monkeypatch):
        monkeypatch.setattr(history, "_read", None)  # the log is not asked
        start = feed.position
        feed.offer(await sync_to_async(happen)(cup, 3))
        before = figure("replay")
        found = await past(feed, room, Position(start.epoch, start.seq + 1))
        assert chain(found) == [(start.seq + n, start.seq + n + 1) for n in (1, 2)]
        assert (found.seq, found.resumed) == (start.seq + 3, True)
        assert figure("replay") == before + 1
        frame = frames(found)[0]
        assert (frame["type"], frame["data"]) == ("bracket_updated", {})

    async def test_what_memory_has_not_comes_from_the_log(self, cup, feed, room):
        events = await sync_to_async(happen)(cup, 3)
        feed.position = await sync_to_async(lambda: log.positions([cup.stream])[cup.stream])()
        start = events[0].seq - 1
        found = await past(feed, room, Position(feed.position.epoch, start))
        assert chain(found) == [(start + n, start + n + 1) for n in (0, 1, 2)]
        assert (found.seq, found.resumed) == (start + 3, True)

    async def test_the_log_is_read_once_however_many_come_back_and_then_not_again(self, cup, feed, room, monkeypatch):
        events = await sync_to_async(happen)(cup, 5)
        feed.position = await sync_to_async(lambda: log.positions([cup.stream])[cup.stream])()
        read, reads = history._read, []

        async def counted(stream, after):
            reads.append(after)
            return await read(stream, after)

        monkeypatch.setattr(history, "_read", counted)
        start = events[0].seq - 1
        asking = (past(feed, room, Position(feed.position.epoch, start + n % 5)) for n in range(20))
        assert all(found.resumed for found in await asyncio.gather(*asking))
        feed.offer(await sync_to_async(happen)(cup))
        assert (await past(feed, room, Position(feed.position.epoch, start))).resumed
        assert reads == [0]

    async def test_memory_that_was_forgotten_is_filled_again(self, cup, feed, room):
        events = await sync_to_async(happen)(cup, 3)
        feed.position = await sync_to_async(lambda: log.positions([cup.stream])[cup.stream])()
        since = Position(feed.position.epoch, events[0].seq - 1)
        for _ in range(2):
            assert (await past(feed, room, since)).resumed
            feed.ring.clear()

    async def test_what_happens_while_the_log_is_read_is_not_lost(self, cup, feed, room, monkeypatch):
        events = await sync_to_async(happen)(cup, 3)
        feed.position = await sync_to_async(lambda: log.positions([cup.stream])[cup.stream])()
        read, start = history._read, events[0].seq - 1

        async def slowly(stream, after):
            found = await read(stream, after)
            feed.offer(await sync_to_async(happen)(cup, 2))
            return found

        monkeypatch.setattr(history, "_read", slowly)
        found = await past(feed, room, Position(feed.position.epoch, start))
        assert chain(found) == [(start + n, start + n + 1) for n in range(5)]
        assert found.seq == feed.position.seq == start + 5

    async def test_whoever_missed_nothing_gets_nothing(self, feed, room):
        found = await past(feed, room, feed.position)
        assert found == history.Past(None, feed.position.seq, feed.position.seq, resumed=True)

    async def test_only_what_is_for_the_room_and_linked_past_the_rest(self, cup, feed, room):
        start = feed.position.seq
        events = []
        for audience in (STAFF, PUBLIC, STAFF, PUBLIC, STAFF):
            events += await sync_to_async(happen)(cup, audience=audience)
        feed.offer(events)
        found = await past(feed, room, Position(feed.position.epoch, start))
        assert chain(found) == [(start, start + 2), (start + 2, start + 4)]
        assert (found.seq, found.mine) == (start + 5, start + 4)

    @pytest.mark.parametrize(("missed", "resumed"), [(REPLAY_LIMIT, True), (REPLAY_LIMIT + 1, False)])
    @pytest.mark.parametrize("source", ["memory", "log"])
    async def test_more_than_300_events_are_not_replayed(self, cup, feed, room, missed, resumed, source):
        start = feed.position
        events = await sync_to_async(happen)(cup, missed)
        if source == "memory":
            feed.offer(events)
        else:
            feed.position = Position(start.epoch, events[-1].seq)
        found = await past(feed, room, start)
        assert (found.resumed, found.seq, REPLAY_LIMIT) == (resumed, events[-1].seq, 300)
        assert len(frames(found)) == (missed if resumed else 1)

    @pytest.mark.parametrize("kind", ["member_added", "member_removed"])
    async def test_a_change_of_the_staff_is_not_replayed(self, cup, feed, room, kind):
        start = feed.position
        feed.offer(await sync_to_async(happen)(cup))
        feed.offer(await sync_to_async(happen)(cup, type=kind, audience=STAFF))
        feed.offer(await sync_to_async(happen)(cup))
        assert not (await past(feed, room, start)).resumed
        assert (await past(feed, room, Position(start.epoch, start.seq + 2))).resumed

    async def test_another_epoch_and_a_position_that_is_still_to_come_get_a_snapshot(self, cup, feed, room):
        at = feed.position
        for since in (Position("other", at.seq), Position(at.epoch, at.seq + 1), None):
            before = figure("snapshot")
            found = await past(feed, room, since)
            assert (found.resumed, found.seq, found.mine, len(frames(found))) == (False, at.seq, at.seq, 1)
            assert figure("snapshot") == before + 1

    async def test_a_feed_that_is_not_open_has_nothing_to_resume(self, cup, room):
        position = await sync_to_async(lambda: log.positions([cup.stream])[cup.stream])()
        found = await past(Feed(cup.stream, AtOnce()), room, position)
        assert (found.resumed, found.seq) == (False, position.seq)


class TestSnapshots:
    @pytest.mark.parametrize("audience", [PUBLIC, STAFF])
    async def test_of_a_tournament_as_its_audience_sees_it(self, cup, feed, audience):
        found = await past(feed, Room(cup.stream, "", audience), None)
        expected = await sync_to_async(tournament_snapshot)(cup.pk, audience=audience)
        position = expected.position
        assert frames(found) == [
            {"type": "snapshot", "epoch": position.epoch, "seq": position.seq, "data": expected.data}
        ]
        assert ("staff" in expected.data and bool(expected.data["staff"])) == (audience == STAFF)

    async def test_of_a_match(self, cup, feed):
        match = await sync_to_async(factories.match_number)(cup, 1)
        found = await past(feed, Room(cup.stream, match.subject, PUBLIC), None)
        expected = await sync_to_async(match_snapshot)(match.pk)
        assert frames(found)[0]["data"] == expected.data

    async def test_one_is_built_for_all_who_ask_at_a_time(self, feed, room, loads):
        loads.gate.clear()
        asking = asyncio.gather(*(past(feed, room, None) for _ in range(20)))
        await loads.read.wait()
        loads.gate.set()
        assert len({found.frames for found in await asking}) == 1
        assert loads.count == 1
        assert feed.building == {}

    async def test_it_is_kept_until_something_happens(self, cup, feed, room, loads):
        first, second = [await past(feed, room, None) for _ in range(2)]
        assert (first, loads.count) == (second, 1)
        feed.offer(await sync_to_async(happen)(cup))
        assert (await past(feed, room, None)).seq == first.seq + 1
        assert loads.count == 2

    async def test_each_room_has_its_own(self, cup, feed, room, loads):
        of_staff = Room(cup.stream, "", STAFF)
        await past(feed, room, None)
        assert (await past(feed, of_staff, None)).frames != (await past(feed, room, None)).frames
        assert feed.snapshots.keys() == {room, of_staff}
        assert loads.count == 2

    async def test_one_that_was_overtaken_while_it_was_built_is_built_again(self, cup, feed, room, loads):
        loads.gate.clear()
        before = feed.position.seq
        early = asyncio.ensure_future(past(feed, room, None))
        await loads.read.wait()
        feed.offer(await sync_to_async(happen)(cup))
        late = asyncio.ensure_future(past(feed, room, None))
        await asyncio.sleep(0)
        loads.gate.set()
        assert ((await early).seq, (await late).seq) == (before, before + 1)
        assert loads.count == 2

    async def test_who_leaves_while_it_is_built_takes_it_from_nobody(self, feed, room, loads):
        loads.gate.clear()
        leaves, stays = (asyncio.ensure_future(past(feed, room, None)) for _ in range(2))
        await loads.read.wait()
        leaves.cancel()
        await asyncio.wait([leaves])
        loads.gate.set()
        assert (await stays).seq == feed.position.seq
        assert loads.count == 1

    async def test_one_that_failed_is_tried_again_by_the_next(self, cup, feed, room, loads):
        load = loads.load

        async def broken(room):
            raise NotFound("gone")

        loads.load = broken
        with pytest.raises(NotFound):
            await past(feed, room, None)
        assert feed.building == {}
        loads.load = load
        assert (await past(feed, room, None)).seq == feed.position.seq

    async def test_building_one_is_timed(self, feed, room):
        def built() -> float:
            return sum(
                sample.value for sample in metrics.snapshot_seconds.collect()[0].samples if "_count" in sample.name
            )

        before = built()
        await past(feed, room, None)
        assert built() == before + 1


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("e:0", Position("e", 0)),
        (f"e:{'9' * 18}", Position("e", 10**18 - 1)),
        (f"e:{'9' * 19}", None),
        ("e:007", Position("e", 7)),
        ("e", None),
        ("e:", None),
        (":1", None),
        (":", None),
        ("", None),
        ("e:f:1", None),
        ("e:-1", None),
        ("e:٣", None),
        ("e:1 ", None),
    ],
)
def test_a_position_in_an_address_has_one_form(text, position):
    assert read_since(text) == position
