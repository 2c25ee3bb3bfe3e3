"""One frame for all, joined with what comes meanwhile, and a loop that is free between slices."""

import asyncio
from collections.abc import Sequence

from apps.tournaments.realtime.fanout import RING_LEAST, SLICE, Batch, Fanout, Outbox
from apps.tournaments.realtime.uring import BUFFER


class Member:
    """`file`: where it takes batches at once; -1: it does not."""

    def __init__(self, file: int = -1) -> None:
        self.got: list[Batch] = []
        self.file = file
        self.rest: list[bytes] = []

    def deliver(self, batch: Batch) -> None:
        self.got.append(batch)

    def accept(self, batch: Batch) -> "Member | None":
        if self.file < 0:
            return None
        self.got.append(batch)
        return self

    def write_rest(self, frames: bytes) -> None:
        self.rest.append(frames)

    def abort(self) -> None:
        raise AssertionError("nobody is thrown out here")

    @property
    def seqs(self) -> list[int]:
        return [seq for batch in self.got for seq in batch.seqs]


def room(size: int) -> tuple[Outbox, set[Member]]:
    members = {Member() for _ in range(size)}
    return Outbox(members), members


async def rest(*outboxes: Outbox) -> None:
    async with asyncio.timeout(10):
        while not all(outbox.is_empty for outbox in outboxes):  # noqa: ASYNC110 - the fan-out's own turns
            await asyncio.sleep(0)


async def test_what_one_turn_brings_is_one_batch_and_the_same_for_all():
    fanout, (outbox, members) = Fanout(), room(3)
    for seq in (1, 2, 3):
        outbox.add(seq, b"x")
        fanout.wake(outbox)
    assert not any(member.got for member in members)
    await rest(outbox)
    assert {id(batch) for member in members for batch in member.got} == {id(next(iter(members)).got[0])}
    assert next(iter(members)).seqs == [1, 2, 3]


async def test_a_large_room_is_written_in_slices_and_what_comes_meanwhile_is_joined():
    fanout, (outbox, members) = Fanout(), room(3 * SLICE)
    outbox.add(1, b"x")
    fanout.wake(outbox)
    most = before = 0
    for seq in range(2, 6):
        await asyncio.sleep(0)
        now = sum(len(member.got) for member in members)
        most, before = max(most, now - before), now
        outbox.add(seq, b"x")
        fanout.wake(outbox)
    assert 0 < most <= SLICE
    await rest(outbox)
    assert all(member.seqs == [1, 2, 3, 4, 5] for member in members)
    assert max(len(member.got) for member in members) < 5


async def test_a_small_room_does_not_wait_for_a_large_one():
    fanout, (large, _), (small, (member,)) = Fanout(), room(10 * SLICE), room(1)
    for outbox in (large, small):
        outbox.add(1, b"x")
        fanout.wake(outbox)
    for _ in range(3):
        await asyncio.sleep(0)
    assert member.seqs == [1]
    assert not large.is_empty
    await rest(large)


async def test_whoever_leaves_while_the_room_is_written_gets_no_more_of_it():
    fanout, (outbox, members) = Fanout(), room(2 * SLICE)
    outbox.add(1, b"x")
    fanout.wake(outbox)
    await asyncio.sleep(0)
    late = {member for member in members if not member.got}
    gone = set(list(late)[:100])
    members -= gone
    for member in gone:
        outbox.leave(member)
    await rest(outbox)
    assert not any(member.got for member in gone)
    assert all(member.seqs == [1] for member in members)


async def test_nothing_is_written_after_a_stop():
    fanout, (outbox, (member,)) = Fanout(), room(1)
    outbox.add(1, b"x")
    fanout.wake(outbox)
    fanout.stop()
    await asyncio.sleep(0.01)
    assert member.got == []


class Broken(Member):
    aborted = 0

    def deliver(self, batch: Batch) -> None:
        raise RuntimeError("a bug")

    def abort(self) -> None:
        self.aborted += 1


async def test_one_that_fails_is_aborted_and_the_others_get_everything(caplog):
    members = {Member() for _ in range(3)}
    broken = Broken()
    outbox, fanout = Outbox({*members, broken}), Fanout()
    for seq in (1, 2):
        outbox.add(seq, b"x")
        fanout.wake(outbox)
        await rest(outbox)
    assert all(member.seqs == [1, 2] for member in members)
    assert broken.aborted == 2
    assert caplog.text.count("delivery_failed") == 2


async def test_what_was_cleared_is_written_to_nobody():
    fanout, (outbox, members) = Fanout(), room(2 * SLICE)
    outbox.add(1, b"x")
    fanout.wake(outbox)
    await asyncio.sleep(0)
    outbox.add(2, b"x")
    outbox.clear()
    outbox.add(3, b"x")
    fanout.wake(outbox)
    await rest(outbox)
    assert {tuple(member.seqs) for member in members} == {(1, 3), (3,)}


def test_what_comes_after_a_position_is_a_batch_of_its_own():
    batch = Batch([3, 5, 8], [b"a", b"b", b"c"])
    assert batch.after(8) is None
    rest_ = batch.after(4)
    assert rest_ is not None
    assert (rest_.first, rest_.last, rest_.texts) == (5, 8, ["b", "c"])
    assert rest_.frames == b"\x81\x01b\x81\x01c"


class Ring:
    """A ring that notes what it is given; `takes` says how many bytes a socket takes, if not all."""

    is_broken = False

    def __init__(self, takes: dict[int, int] | None = None) -> None:
        self.takes = takes or {}
        self.calls: list[tuple[list[int], list[tuple[int, bytes]]]] = []

    def send(self, sockets: Sequence[int], runs: Sequence[tuple[int, bytes]]) -> dict[int, int]:
        assert sum(count for count, _ in runs) == len(sockets) == len(set(sockets))
        assert len(sockets) <= SLICE
        assert sum(len(frames) for _, frames in runs) <= BUFFER
        self.calls.append((list(sockets), list(runs)))
        return {place: self.takes[one] for place, one in enumerate(sockets) if one in self.takes}


def fanout_with(ring: Ring) -> Fanout:
    fanout = Fanout()
    fanout.ring = ring
    return fanout


async def test_what_a_turn_brings_to_many_rooms_is_one_call_and_who_takes_nothing_at_once_is_written_to():
    ring = Ring()
    fanout, rooms = fanout_with(ring), [[Member(10 * number + one) for one in range(10)] for number in range(3)]
    rooms[1][4].file = -1
    outboxes = [Outbox(members) for members in rooms]
    for number, outbox in enumerate(outboxes):
        outbox.add(number, b"%d" % number)
        fanout.wake(outbox)
    await rest(*outboxes)
    expected = [(10, b"\x81\x010"), (9, b"\x81\x011"), (10, b"\x81\x012")]
    assert ring.calls == [([one for one in range(30) if one != 14], expected)]
    assert all(len(member.got) == 1 for members in rooms for member in members)


async def test_what_a_socket_did_not_take_is_left_to_its_transport():
    ring = Ring({3: 0, RING_LEAST: 2})
    fanout, members = fanout_with(ring), [Member(one) for one in range(1, RING_LEAST + 1)]
    outbox = Outbox(members)
    outbox.add(1, b"abc")
    fanout.wake(outbox)
    await rest(outbox)
    assert {member.file: member.rest for member in members if member.rest} == {
        3: [b"\x81\x03abc"],
        RING_LEAST: [b"abc"],
    }


async def test_a_few_are_written_to_one_by_one():
    ring = Ring()
    fanout, members = fanout_with(ring), [Member(one) for one in range(RING_LEAST - 1)]
    outbox = Outbox(members)
    outbox.add(1, b"abc")
    fanout.wake(outbox)
    await rest(outbox)
    assert ring.calls == []
    assert all(member.rest == [b"\x81\x03abc"] for member in members)


async def test_more_than_a_ring_holds_goes_to_the_transports():
    ring = Ring()
    fanout, rooms = fanout_with(ring), [[Member(100 * number + one) for one in range(100)] for number in range(2)]
    outboxes = [Outbox(members) for members in rooms]
    for number, outbox in enumerate(outboxes):
        outbox.add(number, b"x" * (BUFFER - 10))
        fanout.wake(outbox)
    await rest(*outboxes)
    assert [sockets for sockets, _ in ring.calls] == [list(range(100))]
    assert all(len(member.got) == 1 for members in rooms for member in members)


async def test_nobody_is_in_one_call_twice_whatever_comes_while_a_room_is_written():
    # A part of the first batch that a socket did not take would be followed by the second.
    ring = Ring()
    fanout = fanout_with(ring)
    large, small = Outbox([Member(one) for one in range(SLICE - 50)]), [Member(SLICE + one) for one in range(300)]
    outbox = Outbox(small)
    for one in (large, outbox):
        one.add(1, b"x")
        fanout.wake(one)
    await asyncio.sleep(0)
    assert len(ring.calls) == 1
    outbox.add(2, b"y")
    await rest(large, outbox)
    assert all(member.seqs == [1, 2] for member in small)


async def test_a_ring_that_broke_is_given_up_and_nobody_misses_anything():
    ring = Ring()
    fanout, members = fanout_with(ring), [Member(one) for one in range(RING_LEAST)]
    outbox = Outbox(members)
    ring.takes = {member.file: 0 for member in members}
    ring.is_broken = False
    outbox.add(1, b"a")
    fanout.wake(outbox)
    await rest(outbox)
    ring.is_broken = True
    outbox.add(2, b"b")
    fanout.wake(outbox)
    await rest(outbox)
    assert fanout.ring is None
    assert len(ring.calls) == 1
    assert all(member.rest == [b"\x81\x01a"] and member.seqs == [1, 2] for member in members)


async def test_one_whose_rest_cannot_be_written_is_aborted(caplog):
    class Stuck(Broken):
        def write_rest(self, frames: bytes) -> None:
            raise RuntimeError("a bug")

    ring, stuck = Ring({0: 0}), Stuck(0)
    fanout, others = fanout_with(ring), [Member(one) for one in range(1, RING_LEAST)]
    outbox = Outbox([stuck, *others])
    outbox.add(1, b"a")
    fanout.wake(outbox)
    await rest(outbox)
    assert stuck.aborted == 1
    assert "delivery_failed" in caplog.text
    assert all(member.seqs == [1] for member in others)
