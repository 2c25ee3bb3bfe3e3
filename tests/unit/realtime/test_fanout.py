"""One frame for all, joined with what comes meanwhile, and a loop that is free between slices."""

import asyncio

from apps.tournaments.realtime.fanout import SLICE, Batch, Fanout, Outbox


class Member:
    def __init__(self) -> None:
        self.got: list[Batch] = []

    def deliver(self, batch: Batch) -> None:
        self.got.append(batch)

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
