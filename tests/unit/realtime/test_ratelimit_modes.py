"""When the limiter leaves the backend that all share, what it does without it, and how it comes back."""

import asyncio
import logging

import pytest

from apps.tournaments.realtime.ratelimit import (
    NEVER_MS,
    PAUSE_SECONDS,
    RENEW_BATCH,
    Decision,
    Grant,
    Lease,
    Limit,
    Limiter,
    seat_in,
)

LIMIT = Limit(1, 10)


class Shared:
    """A backend that allows everything, or fails, and says what it was told."""

    def __init__(self) -> None:
        self.up = True
        self.takes, self.asked, self.renewals, self.released = 0, [], [], []
        self.held, self.gate, self.closed = set(), None, False
        self.renewing = asyncio.Event()

    async def answer(self):
        if self.gate:
            await self.gate.wait()
        if not self.up:
            raise ConnectionError("secret-host")

    async def take(self, buckets, cost):
        self.takes += 1
        self.asked.append((buckets, cost))
        await self.answer()
        return Decision(True, 1000, 0)

    async def peek(self, key, limit, cost):
        return await self.take([(key, limit)], cost)

    async def lease(self, lease):
        await self.answer()
        self.held.add(lease)
        return Grant(granted=True, count=len(self.held))

    async def renew(self, leases):
        self.renewals.append(leases)
        self.renewing.set()
        await self.answer()
        self.held |= set(leases)

    def release(self, leases):
        self.held -= set(leases)
        self.released += leases

    async def aclose(self):
        self.closed = True


class World:
    def __init__(self, **options) -> None:
        self.now, self.shared, self.modes = 100.0, Shared(), []
        self.limiter = Limiter(self.shared, clock=lambda: self.now, on_mode_change=self.modes.append, **options)

    async def fail(self, times: int) -> None:
        """Ask a backend that is down, again and again."""
        self.shared.up = False
        for _ in range(times):
            self.now += PAUSE_SECONDS
            await self.limiter.take("m", LIMIT)

    async def probe(self) -> None:
        await self.limiter.take("m", LIMIT)
        if self.limiter._probe:
            await self.limiter._probe


@pytest.fixture
def world():
    return World()


async def test_five_failures_in_a_row_open_the_breaker(world):
    await world.fail(4)
    assert world.limiter.mode == "redis"
    await world.fail(1)
    assert world.limiter.mode == "fallback"
    assert world.shared.takes == 5
    await world.fail(3)
    assert world.shared.takes == 5
    assert world.modes == ["fallback"]


async def test_an_answer_in_between_starts_the_count_again(world):
    for _ in range(3):
        await world.fail(4)
        world.shared.up = True
        world.now += PAUSE_SECONDS
        await world.limiter.take("m", LIMIT)
    assert world.modes == []


async def test_after_a_failure_nobody_waits_for_a_while(world):
    await world.fail(1)
    world.now += PAUSE_SECONDS - 0.001
    await world.limiter.take("m", LIMIT)
    assert await world.limiter.lease_all([Lease("ip", "a", 10), Lease("user", "a", 10)]) is None
    assert world.shared.takes == 1
    assert world.shared.held == set()
    world.shared.up = True
    world.now += 0.001
    assert (await world.limiter.take("m", LIMIT)).remaining == 1000
    await world.limiter.renew()
    assert world.shared.held == {Lease("ip", "a", 10), Lease("user", "a", 10)}


async def test_questions_that_failed_together_count_once(world):
    world.shared.up, world.shared.gate = False, asyncio.Event()
    questions = asyncio.gather(*(world.limiter.take("m", LIMIT) for _ in range(50)))
    await asyncio.sleep(0)
    world.now += 0.04
    world.shared.gate.set()
    await questions
    world.shared.gate = None
    await world.fail(3)
    assert world.modes == []
    await world.fail(1)
    assert world.modes == ["fallback"]


async def test_it_asks_again_once_a_second_and_nobody_waits_for_it(world):
    await world.fail(5)
    world.shared.gate = asyncio.Event()  # from here on it does not answer at all
    world.now += 0.999
    await world.limiter.take("m", LIMIT)
    assert world.limiter._probe is None
    world.now += 0.001
    for _ in range(10):
        await world.limiter.take("m", LIMIT)
        await asyncio.sleep(0)
        world.now += 5
    assert world.shared.takes == 6  # one probe at a time
    world.shared.gate.set()
    await world.limiter._probe
    assert world.modes == ["fallback"]
    await world.probe()
    assert world.shared.takes == 7
    world.shared.up = True
    await world.probe()  # within the same second
    assert world.shared.takes == 7
    world.now += 1
    await world.probe()
    assert world.modes == ["fallback", "redis"]


async def test_closed_it_asks_no_more(world):
    await world.fail(5)
    world.shared.up, world.shared.gate = True, asyncio.Event()
    world.now += 1
    await world.limiter.take("m", LIMIT)
    await asyncio.sleep(0)
    await world.limiter.aclose()
    world.shared.gate.set()
    await asyncio.wait([world.limiter._probe])
    assert world.modes == ["fallback"]


async def test_back_it_takes_five_new_failures_to_leave_again(world):
    await world.fail(5)
    world.shared.up = True
    world.now += 1
    await world.probe()
    await world.fail(4)
    assert world.limiter.mode == "redis"


async def test_it_is_told_what_is_held_before_it_is_asked_again(world):
    kept, released, new = (Lease("k", name, 10) for name in ("kept", "released", "new"))
    await world.limiter.lease_all([kept, released])
    await world.fail(5)
    world.shared.held.clear()
    await world.limiter.release([released])
    await world.limiter.lease(new)
    world.shared.up = True
    world.now += 1
    await world.probe()
    assert world.shared.held == {kept, new}
    assert world.limiter.mode == "redis"


async def test_alone_a_process_gives_its_share_of_the_rate():
    world = World(processes=4)
    await world.fail(5)
    decisions = [await world.limiter.take("n", Limit(8, 8)) for _ in range(3)]
    assert decisions == [(True, 1, 0), (True, 0, 0), (False, 0, 500)]


async def test_the_only_process_gives_the_whole_rate(world):
    await world.fail(5)
    assert (await world.limiter.take("n", Limit(8, 8))).remaining == 7


@pytest.mark.parametrize(("limit", "share", "granted"), [(10, 0.5, 5), (10, 0.2, 2), (1, 0.5, 1), (0, 0.5, 0)])
async def test_alone_a_process_gives_a_part_of_the_leases(limit, share, granted):
    world = World(lease_share=share)
    await world.fail(5)
    grants = [(await world.limiter.lease(Lease("k", str(n), limit))).granted for n in range(12)]
    assert grants == [True] * granted + [False] * (12 - granted)


async def test_leases_from_before_count_and_stay(world):
    for n in range(8):
        await world.limiter.lease(Lease("k", str(n), 10))
    await world.fail(5)
    assert not (await world.limiter.lease(Lease("k", "new", 10))).granted
    assert (await world.limiter.lease(Lease("k", "3", 10))).granted
    world.now += 50
    await world.limiter.renew()
    world.now += 50
    assert (await world.limiter.lease(Lease("k", "new", 10))).count == 8


async def test_a_connection_refused_alone_costs_nothing(world):
    await world.fail(5)
    assert await world.limiter.lease_all([Lease("ip", "a", 10), seat_in("t", "user:7", "a", 1)]) is None
    assert await world.limiter.lease_all([Lease("ip", "b", 10), seat_in("t", "user:8", "b", 1)]) is not None
    assert (await world.limiter.lease(Lease("ip", "nobody", 0))).count == 1


async def test_an_answer_that_got_lost_leaves_no_lease_behind(world):
    """Redis granted it, the answer did not come, the process alone refused it."""
    await world.limiter.lease(Lease("user", "a", 2))
    granted = world.shared.lease

    async def lose(lease):
        await granted(lease)
        raise TimeoutError

    world.shared.lease = lose
    assert await world.limiter.lease_all([Lease("user", "b", 2)]) is not None
    assert world.shared.held == {Lease("user", "a", 2)}


async def test_a_change_of_mode_is_logged_once_and_names_no_host(world, caplog):
    caplog.set_level(logging.WARNING)
    await world.fail(20)
    assert caplog.text.count("limits_mode") == 1
    assert "fallback" in caplog.text
    assert "ConnectionError" in caplog.text
    assert "secret-host" not in caplog.text


async def test_alone_from_the_start_it_is_exact_and_has_one_mode():
    limiter = Limiter(processes=4)
    assert limiter.mode == "memory"
    assert (await limiter.peek("m", Limit(1, 8))).remaining == 8
    assert (await limiter.take("m", Limit(1, 8), cost=8)).allowed
    assert [(await limiter.lease(Lease("k", str(n), 3))).granted for n in range(4)] == [True] * 3 + [False]
    await limiter.renew()
    await limiter.aclose()


async def test_alone_a_process_shows_its_share_without_taking_it():
    world = World(processes=4)
    assert (await world.limiter.peek("n", Limit(8, 8), cost=2)).remaining == 1000
    await world.fail(5)
    for _ in range(2):
        assert await world.limiter.peek("n", Limit(8, 8), cost=2) == (True, 2, 0)
    assert await world.limiter.peek("n", Limit(8, 8), cost=3) == (False, 0, NEVER_MS)
    await world.limiter.take("n", Limit(8, 8))
    assert await world.limiter.peek("n", Limit(8, 8)) == (True, 1, 0)


async def test_dear_questions_are_passed_on_and_answered_alone_as_dear():
    world = World()
    await world.limiter.take("n", LIMIT, cost=4)
    await world.limiter.peek("n", LIMIT, cost=3)
    assert world.shared.asked == [([("n", LIMIT)], 4), ([("n", LIMIT)], 3)]
    await world.fail(5)
    assert (await world.limiter.take("n", LIMIT, cost=4)).remaining == 6


async def test_what_is_held_is_renewed_in_parts_that_let_others_have_their_turn(world):
    held = [Lease("k", str(n), 1000) for n in range(10 * RENEW_BATCH + 1)]
    assert await world.limiter.lease_all(held) is None
    turns, world.shared.held = 0, set()

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    task = asyncio.create_task(others())
    async with asyncio.timeout(8):
        await world.limiter.renew()
    task.cancel()
    assert world.shared.held == set(held)
    assert turns >= 10
    assert [len(part) for part in world.shared.renewals] == [RENEW_BATCH] * 10 + [1]


async def test_what_is_released_while_others_are_renewed_is_not_renewed(world):
    held = [Lease("k", str(n), 1000) for n in range(RENEW_BATCH + 1)]
    await world.limiter.lease_all(held)
    world.shared.held, world.shared.gate = set(), asyncio.Event()
    renewing = asyncio.create_task(world.limiter.renew())
    await world.shared.renewing.wait()
    await world.limiter.release([held[-1]])
    world.shared.gate.set()
    await renewing
    assert held[-1] not in world.shared.held


async def test_a_refusal_gives_back_what_was_asked_for_and_nothing_else(world):
    kept = Lease("room", "a", 10)
    await world.limiter.lease(kept)
    await world.fail(5)
    leases = [Lease("ip", "a", 10), Lease("user", "a", 0), kept]
    assert await world.limiter.lease_all(leases) == leases[1]
    assert world.limiter.held == [kept]


async def test_one_that_is_cancelled_gives_back_what_it_was_waiting_for(world):
    world.shared.gate = asyncio.Event()
    leasing = asyncio.create_task(world.limiter.lease_all([Lease("ip", "a", 10), Lease("user", "a", 10)]))
    await asyncio.sleep(0)
    leasing.cancel()
    await asyncio.wait([leasing])
    assert leasing.cancelled()
    assert world.shared.released == [Lease("ip", "a", 10)]
    assert world.limiter.held == []


async def test_a_backend_that_is_away_is_not_told_what_was_released(world):
    lease = Lease("k", "m", 10)
    await world.limiter.lease(lease)
    await world.fail(4)
    await world.limiter.release([lease])
    assert world.shared.released == [lease]
    await world.fail(1)
    await world.limiter.release([lease])
    assert world.shared.released == [lease]


async def test_leases_last_as_long_as_one_says():
    now = 0.0
    limiter = Limiter(clock=lambda: now, lease_seconds=10)
    await limiter.lease(Lease("k", "a", 1))
    now = 9.999
    assert not (await limiter.lease(Lease("k", "b", 1))).granted
    now = 10.0
    assert (await limiter.lease(Lease("k", "b", 1))).granted


async def test_closing_closes_the_backend(world):
    await world.limiter.aclose()
    assert world.shared.closed


async def test_a_seat_is_given_and_given_back(world):
    grant = await world.limiter.room_try_join("tournament:7", "user:7", "c", 5)
    assert grant == Grant(granted=True, count=1)
    (seat,) = world.limiter.held
    assert (seat.key, seat.member, seat.limit, seat.holder) == ("{room:tournament:7}:seats", "user:7", 5, "c")
    await world.limiter.room_leave("tournament:7", "user:7", "c")
    assert world.shared.released == [seat]
    assert world.limiter.held == []
