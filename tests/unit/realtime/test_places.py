"""The places of a process's connections are renewed while they are held; nothing runs or stays connected for nobody."""

import asyncio

import pytest

from apps.tournaments.realtime.middleware_ratelimit import Limits
from apps.tournaments.realtime.ratelimit import Grant, Lease, Limiter

LEASES = [Lease("{ip:192.0.2.1}:connections", "c", 10)]


class Shared:
    """A backend that grants everything, when it is let."""

    def __init__(self) -> None:
        self.let, self.asked, self.renewed = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.let.set()
        self.closed = 0

    async def lease(self, lease: Lease) -> Grant:
        self.asked.set()
        await self.let.wait()
        return Grant(granted=True, count=1)

    async def renew(self, leases) -> None:
        assert list(leases) == LEASES
        self.renewed.set()

    def release(self, leases) -> None:
        pass

    async def aclose(self) -> None:
        self.closed += 1


@pytest.fixture
async def shared() -> Shared:
    return Shared()


@pytest.fixture
async def limits(shared, monkeypatch) -> Limits:
    monkeypatch.setattr("apps.tournaments.realtime.middleware_ratelimit.RENEW_SECONDS", 0.01)
    limits = Limits()
    limits.limiter = Limiter(shared)
    return limits


async def test_a_place_is_renewed_until_it_is_given_back(limits, shared):
    assert await limits.acquire(LEASES) is None
    renewing = limits._renewing
    for _ in range(2):
        shared.renewed.clear()
        async with asyncio.timeout(10):
            await shared.renewed.wait()
    await limits.release(LEASES)
    await asyncio.wait([renewing])
    assert renewing.cancelled()
    assert (shared.closed, limits.limiter.held) == (1, [])


async def test_whoever_goes_while_waiting_for_a_place_is_waited_for_no_more(limits, shared):
    assert await limits.acquire(LEASES) is None
    shared.let.clear()
    shared.asked.clear()
    going = asyncio.ensure_future(limits.acquire([Lease("{ip:192.0.2.1}:connections", "d", 10)]))
    async with asyncio.timeout(10):
        await shared.asked.wait()
    going.cancel()
    await asyncio.wait([going])
    assert going.cancelled()
    await limits.release(LEASES)
    assert (shared.closed, limits.limiter.held) == (1, [])
