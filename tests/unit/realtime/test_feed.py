"""A feed passes events on in order, once, without a hole, whatever order they come in."""

import re

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from apps.eventlog.log import PUBLIC, STAFF, Position, Recorded
from apps.tournaments.realtime.feed import Feed, seen_in
from apps.tournaments.realtime.history import REPLAY_LIMIT, read_since
from apps.tournaments.realtime.rooms import Room
from tests.fanout import AtOnce, frames_of

STREAM = "tournament:7"
ROOMS = [Room(STREAM, subject, audience) for subject in ("", "match:1", "match:2") for audience in (PUBLIC, STAFF)]

AT = "2026-01-01T00:00:00.000Z"


def event(
    seq: int,
    *,
    subject: str = "",
    audience: str = PUBLIC,
    epoch: str = "e",
    type_: str = "x",
    data: bytes = b"{}",
) -> Recorded:
    return Recorded(
        stream=STREAM,
        epoch=epoch,
        seq=seq,
        type=type_,
        audience=audience,
        subject=subject,
        data=msgspec.Raw(data),
        at=AT,
    )


class Watcher:
    """A connection that keeps to the client's rule."""

    heard_at = ping_at = 0.0

    def __init__(self, mine: int = 0) -> None:
        self.mine, self.seen = mine, []

    def deliver(self, batch) -> None:
        for frame in frames_of(batch):
            assert frame["prev"] <= self.mine < frame["seq"]
            self.mine = frame["seq"]
            self.seen.append(self.mine)


def feed_with(watchers: dict[Room, Watcher], at: int = 0) -> Feed:
    feed = Feed(STREAM, AtOnce())
    feed.position = Position("e", at)
    for room, watcher in watchers.items():
        feed.room(room).connections[watcher] = None
    return feed


events_of_a_stream = st.lists(
    st.tuples(st.sampled_from(["", "match:1", "match:2"]), st.sampled_from([PUBLIC, STAFF])), min_size=1, max_size=30
).map(lambda kinds: [event(n, subject=s, audience=a) for n, (s, a) in enumerate(kinds, start=1)])


@given(events_of_a_stream, st.data())
def test_lost_doubled_and_reordered_hints_end_in_the_log_once_and_in_order(log, data):
    watchers = {room: Watcher() for room in ROOMS}
    feed = feed_with(watchers)
    hints = data.draw(st.lists(st.sampled_from(log), max_size=60))
    for hint in hints:
        feed.offer([hint])
        assert not any(early <= feed.position.seq for early in feed.early)
    feed.offer(log)  # what a read of the log brings
    assert feed.position.seq == len(log)
    assert not feed.early
    for room, watcher in watchers.items():
        assert watcher.seen == [e.seq for e in log if seen_in(e, room)]


@given(events_of_a_stream)
def test_no_event_reaches_a_room_that_it_is_not_for(log):
    watchers = {room: Watcher() for room in ROOMS}
    feed_with(watchers).offer(log)
    for room, watcher in watchers.items():
        for seq in watcher.seen:
            assert log[seq - 1].audience == PUBLIC or room.audience == STAFF
            assert room.subject in ("", log[seq - 1].subject) or log[seq - 1].type.startswith("tournament_")


def test_a_match_hears_of_its_tournament_but_not_of_its_neighbours():
    room = Room(STREAM, "match:1", PUBLIC)
    assert seen_in(event(1, type_="tournament_cancelled"), room)
    assert not seen_in(event(2, type_="tournament_note", audience=STAFF), room)
    assert not seen_in(event(3, subject="match:2", type_="match_started"), room)
    assert not seen_in(event(4, type_="registration_created"), room)


def test_of_a_plan_a_match_hears_its_own_part_and_a_match_that_stays_nothing():
    plan = event(1, type_="schedule_planned", data=b'{"matches":[{"id":1,"station":4},{"id":2,"station":5}]}')
    for subject, part in (
        ("", [{"id": 1, "station": 4}, {"id": 2, "station": 5}]),
        ("match:2", [{"id": 2, "station": 5}]),
    ):
        seen = seen_in(plan, Room(STREAM, subject, PUBLIC))
        assert msgspec.json.decode(seen.data) == {"matches": part}
        assert (seen.seq, seen.type) == (1, "schedule_planned")
    assert seen_in(plan, Room(STREAM, "match:3", PUBLIC)) is None
    watchers = {room: Watcher() for room in ROOMS}
    feed = feed_with(watchers)
    feed.offer([plan, event(2, subject="match:1", type_="match_called")])
    assert [watchers[room].seen for room in ROOMS] == [[1, 2], [1, 2], [1, 2], [1, 2], [1], [1]]
    assert [e.seq for e in feed.missed(Room(STREAM, "match:2", PUBLIC), 0)] == [1]


def test_a_personal_event_reaches_no_room():
    for room in ROOMS:
        assert not seen_in(event(1, audience="user:5"), room)


def test_events_of_another_epoch_are_not_passed_on():
    watcher = Watcher()
    feed = feed_with({ROOMS[0]: watcher})
    feed.offer([event(1, epoch="other")])
    assert watcher.seen == []
    assert feed.position == Position("e", 0)


def test_a_feed_that_is_not_open_yet_passes_nothing_on():
    feed = Feed(STREAM, AtOnce())
    assert feed.offer([event(1)]) is False
    assert feed.since(0) is None


@given(st.integers(0, 40), st.integers(1, 40), st.integers(0, 80))
def test_memory_answers_only_what_it_can_answer_whole(start, length, since):
    feed = feed_with({}, at=start)
    feed.offer([event(n) for n in range(start + 1, start + length + 1)])
    found = feed.since(since)
    if start <= since <= start + length:
        assert [e.seq for e in found] == list(range(since + 1, start + length + 1))
    else:
        assert found is None


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 60), st.integers(0, 60))
def test_memory_that_is_filled_from_the_log_has_no_hole(at, later, first, count):
    feed = feed_with({}, at=at)
    feed.offer([event(n) for n in range(at + 1, at + later + 1)])
    feed.recall([event(n) for n in range(first, first + count)])
    seqs = [e.seq for e in feed.ring]
    if seqs:
        assert seqs == list(range(seqs[0], at + later + 1))
    assert set(range(at + 1, at + later + 1)) <= set(seqs)
    if first <= at < first + count:
        assert seqs[0] == min(first, at + 1)


@given(st.text("abc:019-٣ ", max_size=20))
def test_a_position_in_an_address_is_read_or_ignored(text):
    position = read_since(text)
    well_formed = re.fullmatch(r"([^:]+):([0-9]{1,18})", text)
    assert (position is not None) == (well_formed is not None)
    if position is not None:
        assert (position.epoch, position.seq) == (well_formed[1], int(well_formed[2]))


def test_a_replay_fits_into_memory():
    feed = Feed(STREAM, AtOnce())
    assert feed.ring.maxlen is not None
    assert feed.ring.maxlen >= REPLAY_LIMIT
