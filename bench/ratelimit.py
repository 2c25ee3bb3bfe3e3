"""
What limits cost: in memory, and on a Redis of its own on this machine, round trip included.

Reported, in microseconds for each:

  take, memory           one message against one bucket, within the process
  take, memory, 100,000  the same with as many buckets, a different one each time
  lease, memory          a lease given and released
  take, Redis            one after the other: what one message waits
  connect, Redis         IP, user and seat, released again: one after the other, then 50 at a time
  renew, Redis           for each lease that a process holds, once every 25 s

Usage: .venv/bin/python bench/ratelimit.py [--seconds 1]
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from apps.tournaments.realtime.ratelimit import Lease, Limit, Limiter, MemoryBackend, key, seat_in
from apps.tournaments.realtime.ratelimit_redis import RedisBackend
from tests.services import redis_server

LIMIT = Limit(rate=10_000_000, burst=10_000_000)
ROUNDS = 5
CROWD = 50
HELD = 10_000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=1, help="for each figure")
    seconds = parser.parse_args().seconds
    in_memory(seconds)
    with redis_server() as url:
        asyncio.run(on_redis(url, seconds))


def in_memory(seconds: float) -> None:
    memory = MemoryBackend()
    report("take, memory", best(lambda n: memory.take_now("{user:7}:msg", LIMIT), seconds))
    names = [key(f"user:{n}", "msg") for n in range(100_000)]
    slow = Limit(rate=0.01, burst=10_000_000)
    for name in names:
        memory.take_now(name, slow)
    report("take, memory, 100,000", best(lambda n: memory.take_now(names[n % len(names)], slow), seconds))

    def lease_and_release(n: int) -> None:
        lease = Lease("{ip:10.0.0.1}:conn", str(n), 1000)
        memory.lease_now(lease)
        memory.release_now(lease)

    report("lease, memory", best(lease_and_release, seconds))


async def on_redis(url: str, seconds: float) -> None:
    limiter = Limiter(RedisBackend(url, timeout_s=5))
    numbers = count()

    async def take() -> None:
        await limiter.take("{user:7}:msg", LIMIT)

    async def connect() -> None:
        name = str(next(numbers))
        leases = [Lease("{ip:10.0.0.1}:conn", name, 1_000_000), Lease(f"{{user:{name}}}:conn", name, 10)]
        leases.append(seat_in("tournament:7", f"user:{name}", name, 1_000_000))
        await limiter.lease_all(leases)
        await limiter.release(leases)

    async def crowd() -> None:
        await asyncio.gather(*(connect() for _ in range(CROWD)))

    await take()
    report("take, Redis", await best_async(take, seconds))
    report("connect, Redis", await best_async(connect, seconds))
    report(f"connect, Redis, {CROWD} at a time", await best_async(crowd, seconds) / CROWD)
    await asyncio.gather(*(limiter.lease(Lease(f"{{user:{n}}}:conn", "c", 1)) for n in range(HELD)))
    report("renew, Redis", await best_async(limiter.renew, seconds) / HELD)
    await limiter.aclose()


def best(do: Callable[[int], object], seconds: float) -> float:
    """Return the microseconds of one call in the best of some rounds: the others had company on the machine."""
    figures = []
    for _ in range(ROUNDS):
        calls, began = 0, time.perf_counter()
        while (spent := time.perf_counter() - began) < seconds / ROUNDS:
            for _ in range(1000):
                do(calls)
                calls += 1
        figures.append(spent / calls)
    return min(figures) * 1e6


async def best_async(do: Callable[[], Awaitable[None]], seconds: float) -> float:
    figures = []
    for _ in range(ROUNDS):
        calls, began = 0, time.perf_counter()
        while (spent := time.perf_counter() - began) < seconds / ROUNDS:
            await do()
            calls += 1
        figures.append(spent / calls)
    return min(figures) * 1e6


def report(name: str, microseconds: float) -> None:
    print(f"{name:<32} {microseconds:8.2f} µs   {1e6 / microseconds:10,.0f} a second", flush=True)


if __name__ == "__main__":
    main()
