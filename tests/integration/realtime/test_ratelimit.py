"""
Limits: the same tests in memory and on Redis; then what holds only across processes, and what holds when Redis is ill.

Redis's clock cannot be set. Where time has to pass, what Redis has stored is moved into the past instead.
"""

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import time
import uuid
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.tournaments.realtime.ratelimit import (
    LEASE_SECONDS,
    NEVER_MS,
    RENEW_SECONDS,
    Lease,
    Limit,
    Limiter,
    MemoryBackend,
    key,
    seat_in,
)
from apps.tournaments.realtime.ratelimit_redis import LINK_SECONDS, RedisBackend
from tests import services

ROOT = Path(__file__).parents[3]
PATIENT_S = 10.0  # for tests that are not about a Redis that does not answer
DEADLINE_S = 10.0
NOTICEABLE_S = 2.0  # 50 ms, and what a busy machine adds; each test would take 5 s or more if it waited for all


class MemoryWorld:
    """A limiter that is alone in its process, and its time."""

    slack_ms = 0

    def __init__(self) -> None:
        self.us = 0
        self.limiter = Limiter(clock=lambda: self.us / 1_000_000)

    async def pass_time(self, seconds: float) -> None:
        self.us += round(seconds * 1_000_000)

    async def aclose(self) -> None:
        await self.limiter.aclose()


class Deaf(MemoryBackend):
    """Fails a test on Redis that is answered by the fallback."""

    def refuse(self, *_):
        raise AssertionError("Redis did not answer in time")

    take_now = take_each_now = peek_now = lease_now = refuse


class RedisWorld:
    def __init__(self, url: str) -> None:
        self.prefix = uuid.uuid4().hex + ":"
        self.limiter = Limiter(RedisBackend(url, prefix=self.prefix, timeout_s=PATIENT_S))
        self.limiter._memory = Deaf()
        self.redis = redis.asyncio.Redis.from_url(url, decode_responses=True)
        self.began = time.monotonic()

    @property
    def slack_ms(self) -> float:
        """How much more time has passed than the test says."""
        return (time.monotonic() - self.began) * 1000 + 1

    async def keys(self) -> list[str]:
        return [name async for name in self.redis.scan_iter(match=f"{self.prefix}*", count=1000)]

    async def pass_time(self, seconds: float) -> None:
        ms = round(seconds * 1000)
        for name in await self.keys():
            left = await self.redis.pttl(name) - ms
            if left <= 0:
                await self.redis.delete(name)
            elif await self.redis.type(name) == "string":
                await self.redis.set(name, int(await self.redis.get(name)) - ms * 1000, px=left)
            else:
                for member, expiry in await self.redis.zrange(name, 0, -1, withscores=True):
                    await self.redis.zadd(name, {member: expiry - ms})
                await self.redis.pexpire(name, left)

    async def aclose(self) -> None:
        await self.limiter.aclose()
        await self.redis.aclose()


@asynccontextmanager
async def open_world(kind: str, url: str):
    world = MemoryWorld() if kind == "memory" else RedisWorld(url)
    try:
        yield world
    finally:
        await world.aclose()
    assert world.limiter.mode == kind


@pytest.fixture(params=["memory", "redis"])
async def world(request, redis_url):
    async with open_world(request.param, redis_url) as world:
        yield world


@pytest.fixture
async def redis_world(redis_url):
    async with open_world("redis", redis_url) as world:
        yield world


@pytest.fixture
def limiter(world):
    return world.limiter


async def count(limiter: Limiter, name: str) -> int:
    """How many members a limit has: what a refusal says."""
    refusal = await limiter.lease(Lease(name, "nobody", 0))
    assert not refusal.granted
    return refusal.count


USER, IP, SEATS = key("user:7", "conn"), key("ip:10.0.0.1", "conn"), key("room:t", "seats")


class TestMessages:
    async def test_a_burst_passes_then_the_next_one_waits_for_its_token(self, world, limiter):
        limit = Limit(rate=1, burst=5)
        decisions = [await limiter.take("m", limit) for _ in range(5)]
        assert [(d.allowed, d.remaining, d.retry_after_ms) for d in decisions] == [
            (True, n, 0) for n in (4, 3, 2, 1, 0)
        ]
        refusal = await limiter.take("m", limit)
        assert (refusal.allowed, refusal.remaining) == (False, 0)
        assert 1000 - world.slack_ms <= refusal.retry_after_ms <= 1000

    async def test_what_was_refused_passes_after_the_time_it_was_told_and_not_before(self, world, limiter):
        limit = Limit(rate=0.01, burst=2)  # a token every 100 s
        for _ in range(2):
            await limiter.take("m", limit)
        retry_after = (await limiter.take("m", limit)).retry_after_ms
        await world.pass_time((retry_after - 90_000) / 1000)
        assert not (await limiter.take("m", limit)).allowed
        await world.pass_time(90)
        assert (await limiter.take("m", limit)).allowed
        assert not (await limiter.take("m", limit)).allowed

    async def test_refusals_cost_nothing(self, world, limiter):
        limit = Limit(rate=0.01, burst=1)
        await limiter.take("m", limit)
        for _ in range(20):
            assert not (await limiter.take("m", limit)).allowed
        await world.pass_time(100)
        assert (await limiter.take("m", limit)).allowed

    async def test_the_steady_rate_passes_for_ever(self, world, limiter):
        limit = Limit(rate=1, burst=2)
        for _ in range(60):
            await world.pass_time(1)
            assert (await limiter.take("m", limit)).allowed

    async def test_abuse_48_a_little_more_than_the_rate_is_cut_to_the_rate(self, world, limiter):
        limit, attempts = Limit(rate=0.01, burst=5), 60
        allowed = 0
        for _ in range(attempts):
            allowed += (await limiter.take("m", limit)).allowed
            await world.pass_time(80)
        assert allowed == 5 + (attempts - 1) * 80 // 100

    async def test_a_bucket_fills_up_to_its_burst_and_no_further(self, world, limiter):
        limit = Limit(rate=0.1, burst=3)
        for _ in range(3):
            await limiter.take("m", limit)
        for seconds, tokens in ((10, 1), (10, 2), (10, 3), (10_000, 3)):
            await world.pass_time(seconds)
            assert (await limiter.peek("m", limit)).remaining == tokens

    async def test_looking_takes_nothing(self, world, limiter):
        limit = Limit(rate=1, burst=2)
        for _ in range(5):
            assert await limiter.peek("m", limit) == (True, 2, 0)
        await limiter.take("m", limit)
        assert (await limiter.peek("m", limit))[:2] == (True, 1)
        await limiter.take("m", limit)
        refusal = await limiter.peek("m", limit)
        assert refusal[:2] == (False, 0)
        assert 1000 - world.slack_ms <= refusal.retry_after_ms <= 1000

    async def test_a_dear_message_takes_as_many_tokens_or_none(self, world, limiter):
        limit = Limit(rate=1, burst=5)
        assert (await limiter.take("m", limit, cost=3)).remaining == 2
        refusal = await limiter.take("m", limit, cost=4)
        assert (refusal.allowed, refusal.remaining) == (False, 2)
        assert 2000 - world.slack_ms <= refusal.retry_after_ms <= 2000
        assert (await limiter.take("m", limit, cost=2)).remaining == 0

    async def test_more_than_the_burst_never_passes(self, limiter):
        limit = Limit(rate=1, burst=5)
        assert await limiter.take("m", limit, cost=6) == (False, 0, NEVER_MS)
        assert await limiter.peek("m", limit, cost=6) == (False, 0, NEVER_MS)
        assert (await limiter.take("m", limit, cost=5)).allowed

    @pytest.mark.parametrize("limit", [Limit(0, 5), Limit(5, 0), Limit(0, 0), Limit(-1, 5), Limit(5, -1)])
    async def test_a_limit_of_zero_blocks_all(self, world, limiter, limit):
        for _ in range(3):
            assert await limiter.take("m", limit) == (False, 0, NEVER_MS)
            await world.pass_time(1000)

    async def test_users_do_not_take_from_each_other(self, limiter):
        limit = Limit(rate=1, burst=1)
        for user in range(5):
            assert (await limiter.take(key(f"user:{user}", "msg"), limit)).allowed
        assert not (await limiter.take(key("user:0", "msg"), limit)).allowed

    async def test_two_buckets_give_both_or_neither(self, world, limiter):
        own, shared = ("own", Limit(rate=0.01, burst=3)), ("shared", Limit(rate=0.02, burst=2))
        decisions = [await limiter.take_each([own, shared]) for _ in range(2)]
        assert [d[:2] for d in decisions] == [(True, 1), (True, 0)]
        for buckets in ([own, shared], [shared, own]):
            refusal = await limiter.take_each(buckets)
            assert refusal[:2] == (False, 0)
            assert 50_000 - world.slack_ms <= refusal.retry_after_ms <= 50_000
        assert (await limiter.peek(*own)).remaining == 1
        await world.pass_time(50)
        assert (await limiter.take_each([own, shared])).allowed
        refusal = await limiter.take_each([own, shared])
        assert 50_000 - world.slack_ms <= refusal.retry_after_ms <= 50_000

    async def test_a_bucket_that_never_gives_keeps_the_others_full(self, limiter):
        full, never = ("full", Limit(rate=1, burst=2)), ("never", Limit(rate=0, burst=2))
        assert await limiter.take_each([full, never]) == (False, 0, NEVER_MS)
        assert (await limiter.peek(*full)).remaining == 2

    async def test_fifty_at_once_take_exactly_the_least_of_two_buckets(self, limiter):
        shared = ("shared", Limit(rate=0.001, burst=17))
        own = [(f"own:{n}", Limit(rate=0.001, burst=5)) for n in range(5)]
        decisions = await asyncio.gather(*(limiter.take_each([own[n % 5], shared]) for n in range(50)))
        assert sum(d.allowed for d in decisions) == 17
        left = [(await limiter.peek(*bucket)).remaining for bucket in own]
        assert sum(left) == 25 - 17

    async def test_a_lowered_limit_holds_at_once(self, world, limiter):
        await limiter.take("m", Limit(rate=1, burst=100), cost=100)
        refusal = await limiter.take("m", Limit(rate=1, burst=1))
        assert (refusal.allowed, refusal.remaining) == (False, 0)
        assert 100_000 - world.slack_ms <= refusal.retry_after_ms <= 100_000

    async def test_fifty_at_once_take_exactly_the_burst(self, limiter):
        limit = Limit(rate=0.001, burst=17)
        decisions = await asyncio.gather(*(limiter.take("m", limit) for _ in range(50)))
        assert sum(d.allowed for d in decisions) == 17
        assert sorted(d.remaining for d in decisions if d.allowed) == list(range(17))


class TestLeases:
    async def test_as_many_as_the_limit_are_given(self, limiter):
        grants = [await limiter.lease(Lease(USER, f"c{n}", 3)) for n in range(5)]
        assert [(g.granted, g.count) for g in grants] == [(True, 1), (True, 2), (True, 3), (False, 3), (False, 3)]

    async def test_zero_gives_none(self, limiter):
        assert not (await limiter.lease(Lease(USER, "c", 0))).granted

    async def test_fifty_at_once_get_exactly_the_limit(self, limiter):
        grants = await asyncio.gather(*(limiter.lease(Lease(USER, f"c{n}", 17)) for n in range(50)))
        assert sum(g.granted for g in grants) == 17
        assert await count(limiter, USER) == 17

    async def test_a_full_key_still_renews_its_own(self, limiter):
        await limiter.lease(Lease(USER, "c", 1))
        again = await limiter.lease(Lease(USER, "c", 1))
        assert (again.granted, again.count) == (True, 1)

    async def test_it_runs_out_by_itself(self, world, limiter):
        await limiter.lease(Lease(USER, "c", 1))
        await world.pass_time(LEASE_SECONDS - 5)
        assert not (await limiter.lease(Lease(USER, "d", 1))).granted
        await world.pass_time(5)
        assert (await limiter.lease(Lease(USER, "d", 1))).granted

    async def test_one_that_runs_out_leaves_the_others(self, world, limiter):
        await limiter.lease(Lease(USER, "c", 2))
        await world.pass_time(50)
        await limiter.lease(Lease(USER, "d", 2))
        await world.pass_time(50)
        assert await count(limiter, USER) == 1
        assert (await limiter.lease(Lease(USER, "e", 2))).granted
        assert not (await limiter.lease(Lease(USER, "f", 2))).granted

    async def test_renewing_keeps_it(self, world, limiter):
        await limiter.lease_all([Lease(IP, "c", 1), Lease(USER, "c", 1), seat_in("t", "user:7", "c", 1)])
        for _ in range(10):
            await world.pass_time(LEASE_SECONDS - 5)
            await limiter.renew()
            for lease in (Lease(IP, "d", 1), Lease(USER, "d", 1), seat_in("t", "user:8", "d", 1)):
                assert not (await limiter.lease(lease)).granted

    async def test_one_that_is_renewed_no_more_runs_out_beside_others_that_are(self, world, limiter):
        for name in "cd":
            await limiter.lease_all([Lease(USER, name, 5), seat_in("t", f"user:{name}", name, 5)])
        await limiter.renew()
        for name in "cd":
            assert (await limiter.room_try_join("t", "user:7", name, 5)).count == 3
        await limiter.renew()
        limiter._held = {lease: None for lease in limiter._held if "c" not in (lease.member, lease.holder)}
        for _ in range(2):
            await world.pass_time(40)
            await limiter.renew()
        assert (await count(limiter, USER), await count(limiter, SEATS)) == (1, 2)
        await limiter.room_leave("t", "user:7", "d")
        assert await count(limiter, SEATS) == 1

    async def test_renewing_brings_back_what_was_lost_whatever_the_limit(self, world, limiter):
        await limiter.lease(Lease(USER, "c", 1))
        await limiter.room_try_join("t", "user:7", "c", 1)
        await world.pass_time(LEASE_SECONDS)
        assert (await limiter.lease(Lease(USER, "d", 1))).granted
        await limiter.renew()
        assert await count(limiter, USER) == 2
        assert await count(limiter, SEATS) == 1

    async def test_released_it_is_free_at_once(self, limiter):
        lease = Lease(USER, "c", 1)
        await limiter.lease(lease)
        await limiter.release([lease])
        assert (await limiter.lease(Lease(USER, "d", 1))).granted

    async def test_releasing_twice_or_without_having_it_takes_nothing_from_others(self, limiter):
        lease = Lease(USER, "c", 2)
        await limiter.lease(lease)
        await limiter.lease(Lease(USER, "d", 2))
        for _ in range(2):
            await limiter.release([lease, Lease(USER, "stranger", 2), Lease("{nothing}:here", "c", 2)])
        await limiter.release([])
        assert await count(limiter, USER) == 1

    async def test_released_it_is_not_renewed(self, limiter):
        lease = Lease(USER, "c", 1)
        await limiter.lease(lease)
        await limiter.release([lease])
        await limiter.renew()
        assert await count(limiter, USER) == 0

    async def test_released_while_others_are_renewed_it_stays_released(self, limiter):
        leases = [Lease(USER, f"c{n}", 1000) for n in range(450)]
        await limiter.lease_all(leases)
        renewing = asyncio.create_task(limiter.renew())
        while leases:
            await limiter.release([leases.pop(), leases.pop(len(leases) // 2)])
            await asyncio.sleep(0)
        await renewing
        assert await count(limiter, USER) == 0

    async def test_a_connection_gets_all_or_nothing(self, limiter):
        await limiter.lease_all([Lease(IP, "a", 5), Lease(USER, "a", 1), seat_in("t", "user:7", "a", 5)])
        refused = await limiter.lease_all([Lease(IP, "b", 5), Lease(USER, "b", 1), seat_in("t", "user:7", "b", 5)])
        assert refused == Lease(USER, "b", 1)
        assert (await count(limiter, IP), await count(limiter, USER)) == (1, 1)
        assert await count(limiter, SEATS) == 1

    async def test_a_connection_refused_by_the_last_limit_costs_nothing(self, limiter):
        assert await limiter.lease_all([Lease(IP, "a", 5), seat_in("t", "user:7", "a", 1)]) is None
        for n in range(20):
            assert await limiter.lease_all([Lease(IP, f"b{n}", 5), seat_in("t", "user:8", f"b{n}", 1)]) is not None
        assert await count(limiter, IP) == 1

    async def test_of_fifty_connections_at_once_exactly_the_limit_are_let_in(self, limiter):
        async def connect(n: int) -> bool:
            leases = [Lease(IP, f"c{n}", 1000), Lease(USER, f"c{n}", 17), seat_in("t", f"guest:{n}", f"c{n}", 1000)]
            return await limiter.lease_all(leases) is None

        assert sum(await asyncio.gather(*map(connect, range(50)))) == 17
        assert await count(limiter, IP) == await count(limiter, SEATS) == 17

    async def test_a_connection_that_goes_away_while_it_is_let_in_holds_nothing(self, limiter):
        for turns in range(12):
            leases = [Lease(IP, f"c{turns}", 50), Lease(USER, f"c{turns}", 50), seat_in("t", "user:7", f"c{turns}", 50)]
            task = asyncio.create_task(limiter.lease_all(leases))
            for _ in range(turns):
                await asyncio.sleep(0)
            if task.cancel():
                await asyncio.wait([task])
            if task.cancelled():
                assert [await count(limiter, name) for name in (IP, USER, SEATS)] == [0, 0, 0]
            else:
                await limiter.release(leases)


class TestRooms:
    async def test_two_tabs_hold_two_leases_and_one_seat(self, limiter):
        for tab in ("a", "b"):
            assert await limiter.lease_all([Lease(USER, tab, 10), seat_in("t", "user:7", tab, 1)]) is None
        assert await count(limiter, USER) == 2
        assert await count(limiter, SEATS) == 1
        assert not (await limiter.room_try_join("t", "user:8", "c", 1)).granted

    async def test_a_seat_is_free_when_the_last_tab_leaves(self, limiter):
        for tab in ("a", "b"):
            await limiter.room_try_join("t", "user:7", tab, 1)
        await limiter.room_leave("t", "user:7", "a")
        await limiter.room_leave("t", "user:7", "a")
        assert not (await limiter.room_try_join("t", "user:8", "c", 1)).granted
        await limiter.room_leave("t", "user:7", "b")
        assert (await limiter.room_try_join("t", "user:8", "c", 1)).granted

    async def test_a_seat_is_free_when_the_last_lease_runs_out(self, world, limiter):
        await limiter.room_try_join("t", "user:7", "a", 1)
        await world.pass_time(50)
        await limiter.room_try_join("t", "user:7", "b", 1)
        await world.pass_time(50)
        assert not (await limiter.room_try_join("t", "user:8", "c", 1)).granted
        await world.pass_time(25)
        assert (await limiter.room_try_join("t", "user:8", "c", 1)).granted

    async def test_a_tab_that_leaves_does_not_prolong_the_lease_of_one_that_died(self, world, limiter):
        await limiter.room_try_join("t", "user:7", "died", 1)
        await world.pass_time(50)
        await limiter.room_try_join("t", "user:7", "left", 1)
        await limiter.room_leave("t", "user:7", "left")
        assert not (await limiter.room_try_join("t", "user:8", "c", 1)).granted
        await world.pass_time(25)
        assert (await limiter.room_try_join("t", "user:8", "c", 1)).granted

    async def test_a_tab_that_died_does_not_keep_the_seat_of_those_that_left(self, world, limiter):
        await limiter.room_try_join("t", "user:7", "died", 1)
        await world.pass_time(50)
        await limiter.room_try_join("t", "user:7", "left", 1)
        await world.pass_time(50)
        await limiter.room_leave("t", "user:7", "left")
        assert (await limiter.room_try_join("t", "user:8", "c", 1)).granted

    async def test_of_fifty_people_at_once_exactly_the_capacity_get_seats(self, limiter):
        joins = [limiter.room_try_join("t", f"user:{n}", f"{n}/{tab}", 17) for n in range(50) for tab in range(2)]
        grants = await asyncio.gather(*joins)
        assert sum(g.granted for g in grants) == 34  # both tabs of 17 people
        assert max(g.count for g in grants) == 17

    async def test_rooms_are_counted_apart(self, limiter):
        assert (await limiter.room_try_join("tournament:1", "user:7", "c", 1)).granted
        assert (await limiter.room_try_join("match:1", "user:7", "c", 1)).granted


class TestModels:
    """Random histories against the plainest thing that could be meant. Time goes in steps that dwarf Redis's own."""

    @pytest.mark.parametrize("kind", ["memory", "redis"])
    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        burst=st.integers(1, 6),
        steps=st.lists(st.tuples(st.integers(0, 4), st.integers(1, 7), st.booleans()), min_size=1, max_size=25),
    )
    def test_a_bucket_is_a_token_bucket(self, kind, redis_url, burst, steps):
        async def history() -> None:
            limit, tokens = Limit(rate=1 / 60, burst=burst), burst
            async with open_world(kind, redis_url) as world:
                for minutes, cost, look in steps:
                    await world.pass_time(minutes * 60)
                    tokens = min(burst, tokens + minutes)
                    ask = world.limiter.peek if look else world.limiter.take
                    decision = await ask("m", limit, cost)
                    assert decision.allowed == (cost <= tokens)
                    if cost > burst:
                        assert decision.retry_after_ms == NEVER_MS
                        continue
                    if cost <= tokens:
                        tokens -= 0 if look else cost
                        assert decision.retry_after_ms == 0
                    else:
                        wait_ms = (cost - tokens) * 60_000
                        assert wait_ms - world.slack_ms <= decision.retry_after_ms <= wait_ms
                    assert decision.remaining == tokens

        asyncio.run(history())

    places = st.builds(
        Lease,
        key=st.sampled_from([USER, IP]),
        member=st.sampled_from("abc"),
        limit=st.integers(0, 3),
        holder=st.sampled_from(["x", "y", "z"]),
    )
    plain = st.builds(Lease, key=st.just("{plain}:conn"), member=st.sampled_from("abcd"), limit=st.integers(0, 3))

    @pytest.mark.parametrize("kind", ["memory", "redis"])
    @settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        steps=st.lists(
            st.tuples(
                st.sampled_from(["lease", "lease", "release", "renew", "die"]), places | plain, st.integers(0, 2)
            ),
            min_size=1,
            max_size=25,
        )
    )
    def test_leases_are_those_given_less_those_given_back_or_run_out(self, kind, redis_url, steps):
        async def history() -> None:
            now, expiry = 0, {}
            held = set()

            def members(name: str) -> set[str]:
                return {lease.member for lease, until in expiry.items() if lease.key == name and until > now}

            async with open_world(kind, redis_url) as world:
                for what, lease, thirds in steps:
                    await world.pass_time(thirds * 25)
                    now += thirds * 25
                    if what == "lease":
                        before = members(lease.key)
                        grant = await world.limiter.lease(lease)
                        assert grant.granted == (lease.member in before or len(before) < lease.limit)
                        if grant.granted:
                            expiry[lease] = now + 75
                            held.add(lease)
                    elif what == "release":
                        await world.limiter.release([lease])
                        expiry.pop(lease, None)
                        held.discard(lease)
                    elif what == "renew":
                        await world.limiter.renew()
                        expiry.update(dict.fromkeys(held, now + 75))
                    else:  # forgotten by its process, as if that had been killed
                        world.limiter._held.pop(lease, None)
                        held.discard(lease)
                    for name in (USER, IP, "{plain}:conn"):
                        assert await count(world.limiter, name) == len(members(name))

        asyncio.run(history())


class TestSharedRedis:
    async def test_everything_stored_has_an_expiry(self, redis_world):
        limiter = redis_world.limiter
        await limiter.take("m", Limit(0.1, 5), cost=3)
        await limiter.take("fast", Limit(1_000_000, 5))
        await limiter.lease_all([Lease(IP, "c", 5), Lease(USER, "c", 5), seat_in("t", "user:7", "c", 5)])
        await limiter.room_try_join("t", "user:7", "d", 5)
        await limiter.renew()
        await limiter.room_leave("t", "user:7", "d")
        names = {name: await redis_world.redis.pttl(name) for name in await redis_world.keys()}
        assert {name.removeprefix(redis_world.prefix) for name in names} >= {
            "rl:m",
            "lease:{ip:10.0.0.1}:conn",
            "lease:{user:7}:conn",
            "lease:{room:t}:seats",
            "lease:{room:t}:seats:user:7",
        }
        # -1 would be no expiry, -2 is gone by now; what has less than a millisecond left says 0.
        assert all(0 <= left <= LEASE_SECONDS * 1000 or left == -2 for left in names.values()), names

    async def test_what_is_stored_lasts_exactly_as_long_as_it_matters(self, redis_world):
        await redis_world.limiter.take("m", Limit(0.1, 5), cost=3)
        await redis_world.limiter.lease_all([Lease(USER, "c", 5), seat_in("t", "user:7", "c", 5)])
        lasting = {"rl:m": 30_000}
        lasting |= dict.fromkeys((f"lease:{USER}", f"lease:{SEATS}", f"lease:{SEATS}:user:7"), 75_000)
        assert set(await redis_world.keys()) == {redis_world.prefix + name for name in lasting}
        for name, ms in lasting.items():
            left = await redis_world.redis.pttl(redis_world.prefix + name)
            assert ms - redis_world.slack_ms <= left <= ms

    async def test_a_bucket_is_the_microsecond_at_which_it_will_be_full(self, redis_world):
        async def now() -> int:
            seconds, microseconds = await redis_world.redis.time()
            return seconds * 1_000_000 + microseconds

        before = await now()
        await redis_world.limiter.take("m", Limit(rate=1, burst=5), cost=2)
        full_at = int(await redis_world.redis.get(redis_world.prefix + "rl:m"))
        assert before + 2_000_000 <= full_at <= await now() + 2_000_000

    async def test_tokens_drip_all_the_time_and_not_by_the_second(self, redis_world):
        limiter, limit = redis_world.limiter, Limit(rate=1000, burst=100_000)
        before = time.monotonic()
        await limiter.take("m", limit, cost=limit.burst)
        after = time.monotonic()
        while time.monotonic() < after + 0.05:
            at_least = (time.monotonic() - after) * limit.rate - 1
            remaining = (await limiter.peek("m", limit)).remaining
            assert at_least <= remaining <= (time.monotonic() - before) * limit.rate

    async def test_nothing_is_left_when_everybody_has_left(self, redis_world):
        for n in range(5):
            await redis_world.limiter.lease_all([Lease(IP, f"c{n}", 5), seat_in("t", f"user:{n % 2}", f"c{n}", 5)])
        await redis_world.limiter.release(list(redis_world.limiter._held))
        await redis_world.limiter.peek("m", Limit(1, 1))
        assert await redis_world.keys() == []

    async def test_the_clocks_of_the_processes_do_not_matter(self, redis_url, redis_world, monkeypatch):
        here, limit = redis_world.limiter, Limit(0.01, 2)
        await here.take("m", limit)
        await here.lease(Lease(USER, "c", 1))
        now = time.time
        monkeypatch.setattr(time, "time", lambda: now() + 86_400)
        backend = RedisBackend(redis_url, prefix=redis_world.prefix, timeout_s=PATIENT_S)
        there = Limiter(backend, clock=lambda: time.monotonic() - 1_000_000)
        assert (await there.take("m", limit)).allowed
        assert not (await there.take("m", limit)).allowed
        assert not (await here.take("m", limit)).allowed
        assert not (await there.lease(Lease(USER, "d", 1))).granted
        await there.aclose()

    async def test_abuse_49_scripts_flushed_in_the_middle_change_nothing(self, redis_world):
        limiter, limit = redis_world.limiter, Limit(0.001, 17)

        async def flush() -> None:
            for _ in range(10):
                await redis_world.redis.script_flush()

        joins = [limiter.room_try_join("t", f"user:{n}", f"c{n}", 17) for n in range(300)]
        takes = [limiter.take("m", limit) for _ in range(300)]
        grants, decisions, _ = await asyncio.gather(asyncio.gather(*joins), asyncio.gather(*takes), flush())
        assert sum(g.granted for g in grants) == sum(d.allowed for d in decisions) == 17

    async def test_one_that_was_closed_opens_again(self, redis_world):
        await redis_world.limiter.take("m", Limit(0.01, 2))
        await redis_world.limiter.aclose()
        assert (await redis_world.limiter.take("m", Limit(0.01, 2))).remaining == 0

    async def test_a_question_asked_while_it_closes_is_answered(self, redis_world):
        limiter, limit = redis_world.limiter, Limit(0.01, 100)
        for n in range(10):
            before, _, after = await asyncio.gather(
                limiter.take("m", limit), limiter.aclose(), limiter.take("m", limit), return_exceptions=True
            )
            assert {before.remaining, after.remaining} == {98 - 2 * n, 99 - 2 * n}

    def test_an_address_that_is_none_is_refused_at_the_start(self):
        with pytest.raises(ValueError, match="scheme"):
            RedisBackend("localhost:6379")

    def test_every_loop_gets_a_connection_of_its_own(self, redis_url):
        backend = RedisBackend(redis_url, prefix=uuid.uuid4().hex, timeout_s=PATIENT_S)

        async def take() -> int:
            remaining = (await backend.take([("m", Limit(0.01, 5))], 1)).remaining
            await backend.aclose()
            return remaining

        assert [asyncio.run(take()) for _ in range(3)] == [4, 3, 2]

    def test_a_lease_outlives_two_renewals_that_fail_and_no_more_than_75_s(self):
        assert 2 * RENEW_SECONDS < LEASE_SECONDS <= 75


PROCESS = """
import asyncio, json, os, sys
from apps.tournaments.realtime.ratelimit import Lease, Limit, Limiter, seat_in
from apps.tournaments.realtime.ratelimit_redis import RedisBackend

async def main(url, prefix, lease_seconds):
    me = os.getpid()
    limiter = Limiter(RedisBackend(url, prefix=prefix, timeout_s=10, lease_seconds=float(lease_seconds)))

    async def connect(n):
        name = f"{me}/{n}"
        leases = [Lease("ip", name, 1000), Lease("user", name, 25), seat_in("open", f"guest:{name}", name, 1000)]
        return await limiter.lease_all(leases) is None

    async def join(n):
        return (await limiter.room_try_join("full", f"guest:{me}/{n}", f"{me}/{n}", 25)).granted

    async def say(n):
        return (await limiter.take("m", Limit(0.001, 25))).allowed

    await limiter.peek("m", Limit(1, 1))
    print("ready", flush=True)
    sys.stdin.readline()
    counts = [sum(await asyncio.gather(*(do(n) for n in range(40)))) for do in (connect, join, say)]
    print(json.dumps(counts), flush=True)
    while True:
        await asyncio.sleep(float(lease_seconds) / 4)
        await limiter.renew()
        print("renewed", flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
def start(redis_url, redis_world):
    """Start processes that connect, join and send when told to, and then renew until they are killed."""
    with ExitStack() as stack:

        def start(lease_seconds: float) -> subprocess.Popen[str]:
            command = [sys.executable, "-c", PROCESS, redis_url, redis_world.prefix, str(lease_seconds)]
            process = subprocess.Popen(
                command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=1
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield start


def tell(process: subprocess.Popen[str]) -> None:
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("go\n")


class TestSeveralProcesses:
    async def test_together_they_let_in_exactly_the_limit(self, start, redis_world):
        processes = [start(75) for _ in range(2)]
        for process in processes:
            tell(process)
        connected, joined, allowed = map(sum, zip(*(json.loads(p.stdout.readline()) for p in processes), strict=True))
        assert (connected, joined, allowed) == (25, 25, 25)
        assert [await count(redis_world.limiter, name) for name in ("ip", "user")] == [25, 25]

    async def test_abuse_44_what_a_killed_process_held_is_free_after_the_leases_lifetime(self, start, redis_world):
        lease_seconds = 0.8
        process = start(lease_seconds)
        tell(process)
        assert json.loads(process.stdout.readline()) == [25, 25, 25]
        for _ in range(6):
            assert process.stdout.readline() == "renewed\n"
        assert [await count(redis_world.limiter, name) for name in ("ip", "user")] == [25, 25]
        process.kill()
        process.wait()
        killed = time.monotonic()
        assert await count(redis_world.limiter, "user") == 25
        while any([await count(redis_world.limiter, n) for n in ("ip", "user", "{room:full}:seats")]):
            assert time.monotonic() - killed < lease_seconds + 1
        assert (await redis_world.limiter.room_try_join("full", "user:1", "c", 25)).count == 1
        while any("guest" in name for name in await redis_world.keys()):  # gone a ms after what they held
            assert time.monotonic() - killed < lease_seconds + 1


class OwnRedis:
    """A Redis that a test may stop, freeze and start again, at one address."""

    def __init__(self, stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
        self.stack, self.monkeypatch = stack, monkeypatch
        self.url = ""
        self.start()

    def start(self) -> None:
        self.server = self.stack.enter_context(ExitStack())
        self.url = self.server.enter_context(services.redis_server())
        port = int(self.url.rpartition(":")[2].partition("/")[0])
        self.monkeypatch.setattr(services, "_free_port", lambda: port)
        with redis.Redis.from_url(self.url) as client:
            self.pid = client.info("server")["process_id"]

    def stop(self) -> None:
        self.pid = None
        self.server.close()

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        if self.pid is not None:
            os.kill(self.pid, signal.SIGCONT)

    def run(self, *command: str):
        with redis.Redis.from_url(self.url, decode_responses=True) as client:
            return client.execute_command(*command)


@pytest.fixture
def own_redis(monkeypatch):
    with ExitStack() as stack:
        own = OwnRedis(stack, monkeypatch)
        yield own
        own.thaw()


@pytest.fixture
async def watched(own_redis):
    """A limiter with the timeout of the product, and its changes of mode."""
    modes = []
    limiter = Limiter(RedisBackend(own_redis.url), processes=2, on_mode_change=modes.append)
    limiter.modes = modes
    await limiter.peek("m", Limit(1, 1))
    yield limiter
    await limiter.aclose()


async def until(limiter: Limiter, mode: str) -> None:
    """Ask until the limiter is in a mode. No answer takes noticeably long, none raises."""
    deadline = time.monotonic() + DEADLINE_S
    while limiter.mode != mode:
        assert time.monotonic() < deadline, f"still {limiter.mode}"
        began = time.monotonic()
        await limiter.take("poll", Limit(1000, 1000))
        assert time.monotonic() - began < NOTICEABLE_S
        await asyncio.sleep(0.005)


class TestIllRedis:
    async def test_abuse_49_stopped_the_fallback_enforces_and_started_again_it_is_told_what_is_held(
        self, own_redis, watched, caplog
    ):
        caplog.set_level(logging.WARNING)
        seat = seat_in("t", "user:7", "c", 2)
        assert await watched.lease_all([Lease(IP, "c", 4), Lease(USER, "c", 4), seat]) is None
        own_redis.stop()
        await until(watched, "fallback")

        # Two processes share the rate: each gives half of it.
        decisions = [await watched.take("m", Limit(0.01, 10)) for _ in range(7)]
        assert [d.allowed for d in decisions] == [True] * 5 + [False] * 2
        assert 150_000 < decisions[-1].retry_after_ms <= 200_000
        assert (await watched.peek("m", Limit(0.01, 10))).remaining == 0
        # Half of 4 leases, and the one from before counts; half of 2 seats is the one that is taken.
        assert [(await watched.lease(Lease(USER, name, 4))).granted for name in "def"] == [True, False, False]
        assert not (await watched.room_try_join("t", "user:8", "d", 2)).granted
        assert (await watched.room_try_join("t", "user:7", "d", 2)).granted
        await watched.room_leave("t", "user:7", "c")

        own_redis.start()
        await until(watched, "redis")
        held = {name: own_redis.run("ZCARD", f"lease:{name}") for name in (IP, USER, SEATS)}
        assert list(held.values()) == [1, 2, 1]
        assert own_redis.run("ZRANGE", "lease:{room:t}:seats:user:7", 0, -1) == ["d"]
        assert watched.modes == ["fallback", "redis"]
        assert caplog.text.count("limits_mode") == 2

    async def test_abuse_49_frozen_nobody_waits_longer_than_50_ms_and_soon_nobody_at_all(self, own_redis, watched):
        own_redis.freeze()
        waits = []
        while watched.mode == "redis":
            began = time.monotonic()
            await watched.take("m", Limit(1000, 1000))
            waits.append(time.monotonic() - began)
            await asyncio.sleep(0)
        assert sum(wait > 0.04 for wait in waits) >= 5
        assert max(waits) < NOTICEABLE_S
        began = time.monotonic()
        for n in range(1000):
            await watched.take("m", Limit(1000, 1000))
            await watched.lease(Lease(USER, f"c{n}", 10))
        assert time.monotonic() - began < NOTICEABLE_S
        own_redis.thaw()
        await until(watched, "redis")
        assert watched.modes == ["fallback", "redis"]

    async def test_frozen_a_connection_does_not_wait_once_for_every_limit(self, own_redis, watched):
        leases = [Lease(f"{{user:7}}:{n}", "c", 10) for n in range(100)]
        own_redis.freeze()
        began = time.monotonic()
        assert await watched.lease_all(leases) is None
        assert time.monotonic() - began < NOTICEABLE_S
        own_redis.thaw()

    async def test_frozen_a_crowd_does_not_wait_one_after_the_other(self, own_redis, watched):
        own_redis.freeze()
        began = time.monotonic()
        grants = await asyncio.gather(*(watched.lease(Lease(USER, f"c{n}", 34)) for n in range(200)))
        assert time.monotonic() - began < NOTICEABLE_S
        assert sum(g.granted for g in grants) == 17
        assert watched.mode == "redis"  # one hiccup, however many it hit

    async def test_abuse_49_flapping_costs_one_line_a_change_and_no_exception(self, own_redis, watched, caplog):
        caplog.set_level(logging.WARNING)
        for _ in range(2):
            own_redis.freeze()
            await until(watched, "fallback")
            own_redis.thaw()
            await until(watched, "redis")
        assert watched.modes == ["fallback", "redis"] * 2
        assert caplog.text.count("limits_mode") == 4

    async def test_a_restart_between_two_questions_is_not_even_noticed(self, own_redis):
        limiter = Limiter(RedisBackend(own_redis.url, timeout_s=PATIENT_S))
        limiter._memory = Deaf()
        await limiter.lease(Lease(USER, "c", 1))
        own_redis.stop()
        own_redis.start()
        assert (await limiter.take("m", Limit(0.01, 4))).allowed
        await limiter.renew()
        assert not (await limiter.lease(Lease(USER, "d", 1))).granted
        await limiter.aclose()

    async def test_one_that_takes_no_writes_is_not_back(self, own_redis, watched):
        own_redis.run("CONFIG", "SET", "maxmemory", "1")
        await until(watched, "fallback")
        watched._probed_at = float("-inf")
        await watched.take("m", Limit(1, 1))
        await watched._probe
        assert watched.mode == "fallback"
        own_redis.run("CONFIG", "SET", "maxmemory", "0")
        await until(watched, "redis")

    async def test_one_that_was_never_there_is_lived_without(self, own_redis):
        own_redis.stop()
        limiter = Limiter(RedisBackend(own_redis.url))
        await until(limiter, "fallback")
        assert (await limiter.take("m", Limit(1, 1))).allowed
        assert not (await limiter.take("m", Limit(1, 1))).allowed
        await limiter.aclose()

    async def test_closing_sends_what_was_released_and_does_not_wait_for_ever(self, own_redis, watched):
        leases = [Lease(USER, f"c{n}", 1000) for n in range(300)]
        await watched.lease_all(leases)
        await watched.release(leases)
        await watched.aclose()
        assert own_redis.run("ZCARD", f"lease:{USER}") == 0
        own_redis.freeze()
        await watched.release([Lease(USER, f"c{n}", 1000) for n in range(1000)])  # ten times what goes at once
        began = time.monotonic()
        await watched.aclose()
        assert time.monotonic() - began < LINK_SECONDS + NOTICEABLE_S

    async def test_everybody_who_asks_one_that_is_gone_is_told_at_once(self, own_redis):
        backend = RedisBackend(own_redis.url, timeout_s=PATIENT_S)
        await backend.take([("m", Limit(1, 9))], 1)
        own_redis.stop()
        asking = [backend.take([("m", Limit(1, 9))], 1) for _ in range(3)]
        answers = await asyncio.gather(*asking, return_exceptions=True)
        assert [isinstance(answer, redis.ConnectionError) for answer in answers] == [True] * 3
        await backend.aclose()

    async def test_the_time_that_a_message_waits_is_not_enough_for_renewing_and_need_not_be(self, own_redis):
        backend = RedisBackend(own_redis.url, timeout_s=0)
        for question in (backend.take([("m", Limit(1, 9))], 1), backend.lease(Lease(IP, "c", 1))):
            with pytest.raises(TimeoutError):
                await question
        await backend.renew([Lease(USER, "c", 1)])
        assert own_redis.run("ZCARD", f"lease:{USER}") == 1
        await backend.aclose()
