"""
How much is allowed: token buckets for messages, leases for connections, seats for rooms. Knows nothing of ASGI.

A bucket is one number, the time at which it will be full again (GCRA); it admits what a token bucket of `burst` tokens
refilled at `rate` admits. A lease is a place that is kept by renewing it, never a counter: what a killed process held
is free again when its leases have run out.

`Limiter` is what others use. It asks Redis (`ratelimit_redis`), which all processes share, or, where there is none or
it does not answer in time, this process's memory. It raises nothing.
"""

import asyncio
import sys
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Literal, NamedTuple, Protocol, TypeVar

import structlog

logger = structlog.get_logger(__name__)

LEASE_SECONDS = 75.0
RENEW_SECONDS = 25.0  # how often to call Limiter.renew: two in a row may fail before a lease is lost
NEVER_MS = 3_600_000  # the answer when no waiting would help
FAILURES_TO_OPEN = 5
PROBE_SECONDS = 1.0
PAUSE_SECONDS = 0.05
RENEW_BATCH = 100  # about 1 ms of this process's time

Mode = Literal["redis", "memory", "fallback"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limit:
    """`rate` a second in the long run, `burst` at once. When either is zero, nothing is allowed."""

    rate: float
    burst: int
    interval_us: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.rate <= 0:
            object.__setattr__(self, "burst", 0)
        object.__setattr__(self, "interval_us", max(1, round(1_000_000 / self.rate)) if self.rate > 0 else 1)

    def share(self, part: float) -> "Limit":
        """Return a part of this limit."""
        return Limit(self.rate * part, _part(self.burst, part))


class Decision(NamedTuple):
    """`remaining`: how many could be taken now. `retry_after_ms`: when what was refused will be allowed, else 0."""

    allowed: bool
    remaining: int
    retry_after_ms: int


Bucket = tuple[str, Limit]
NEVER = Decision(allowed=False, remaining=0, retry_after_ms=NEVER_MS)


def refused(wait_us: int, tokens: int) -> Decision:
    """Return a refusal. A bucket whose limit was lowered may hold less than no tokens."""
    return Decision(allowed=False, remaining=max(0, tokens), retry_after_ms=-(-wait_us // 1000))


@dataclass(frozen=True, slots=True)
class Grant:
    """Whether a lease was given, and how many members its key has now."""

    granted: bool
    count: int


@dataclass(frozen=True, slots=True)
class Lease:
    """
    A place as `member` of `key`, which has at most `limit` members.

    With a `holder` the place is shared: the member stays as long as any of its holders. Members, or holders where there
    are some, are connection ids, unique among all processes. The limit is no part of a lease's identity.
    """

    key: str
    member: str
    limit: int = field(compare=False)
    holder: str = ""


def key(subject: str, purpose: str) -> str:
    """Return the name of a limit, "{user:7}:msg". Redis Cluster keeps names with the same braces on one node."""
    return f"{{{subject}}}:{purpose}"


def seat_in(room: str, seat: str, connection_id: str, capacity: int) -> Lease:
    """Return the lease of a seat. A seat is a user's or guest's, through however many connections."""
    return Lease(key(f"room:{room}", "seats"), seat, capacity, connection_id)


class MemoryBackend:
    """
    Buckets and leases of one process, in dicts. Nothing here waits.

    Forgets by itself: a new bucket looks at the two that were looked at longest ago, so full ones, which are worth
    nothing, never outnumber the others by more than a few; leases lie in the order in which they run out.

    Args:
        clock: seconds, from any beginning, never going back.

    Cost: about 1 µs a take, 3 µs a lease with its release (bench/ratelimit.py).
    """

    def __init__(self, clock: Callable[[], float] = monotonic, *, lease_seconds: float = LEASE_SECONDS) -> None:
        self._clock = clock
        self._lease_us = round(lease_seconds * 1_000_000)
        self._full_at: OrderedDict[str, int] = OrderedDict()  # bucket -> µs, GCRA's theoretical arrival time
        self._expiry: OrderedDict[tuple[str, str, str], int] = OrderedDict()  # key, member, holder -> µs; soonest first
        self._members: dict[str, dict[str, set[str]]] = {}  # key -> member -> holders

    def __len__(self) -> int:
        """Return how many buckets and leases are kept."""
        return len(self._full_at) + len(self._expiry)

    def take_now(self, key: str, limit: Limit, cost: int = 1) -> Decision:
        """Take `cost` >= 1 tokens, or none at all."""
        burst, interval = limit.burst, limit.interval_us
        if cost > burst:
            return NEVER
        now = round(self._clock() * 1_000_000)
        full_at = self._full_at.get(key)
        if full_at is None:
            self._forget_full(now)
            full_at = now
        elif full_at < now:
            full_at = now
        spare = now + burst * interval - full_at  # what is in the bucket, as time
        if cost * interval > spare:
            return refused(cost * interval - spare, spare // interval)
        self._full_at[key] = full_at + cost * interval
        return Decision(True, spare // interval - cost, 0)

    def take_each_now(self, buckets: Sequence[Bucket], cost: int = 1) -> Decision:
        """Take `cost` tokens from each of some different buckets, or none at all."""
        least = Decision(allowed=True, remaining=sys.maxsize, retry_after_ms=0)
        for number, (key, limit) in enumerate(buckets):
            decision = self.take_now(key, limit, cost)
            if not decision.allowed:
                for taken, its_limit in buckets[:number]:
                    self._full_at[taken] -= cost * its_limit.interval_us
                return decision
            if decision.remaining < least.remaining:
                least = decision
        return least

    def peek_now(self, key: str, limit: Limit, cost: int = 1) -> Decision:
        """Return what taking `cost` would be answered, with what is in the bucket before, and take nothing."""
        if cost > limit.burst:
            return NEVER
        burst, interval = limit.burst, limit.interval_us
        now = round(self._clock() * 1_000_000)
        spare = now + burst * interval - max(now, self._full_at.get(key, now))
        if cost * interval > spare:
            return refused(cost * interval - spare, spare // interval)
        return Decision(allowed=True, remaining=spare // interval, retry_after_ms=0)

    def lease_now(self, lease: Lease) -> Grant:
        """Give or renew a lease, unless its key is full without it."""
        self._forget_expired()
        members = self._members.get(lease.key, {})
        if lease.member not in members and len(members) >= lease.limit:
            return Grant(granted=False, count=len(members))
        return Grant(granted=True, count=self.hold(lease))

    def hold(self, lease: Lease) -> int:
        """Give or renew a lease whatever its limit, and return how many members its key has."""
        place = (lease.key, lease.member, lease.holder)
        self._expiry[place] = round(self._clock() * 1_000_000) + self._lease_us
        self._expiry.move_to_end(place)
        members = self._members.setdefault(lease.key, {})
        members.setdefault(lease.member, set()).add(lease.holder)
        return len(members)

    def release_now(self, lease: Lease) -> None:
        """Give a lease back; safe to call twice, or for one that was never given."""
        place = (lease.key, lease.member, lease.holder)
        if self._expiry.pop(place, None) is not None:
            self._leave(*place)

    def _leave(self, key: str, member: str, holder: str) -> None:
        members = self._members[key]
        members[member].discard(holder)
        if not members[member]:
            del members[member]
        if not members:
            del self._members[key]

    def _forget_expired(self) -> None:
        now = round(self._clock() * 1_000_000)
        while self._expiry and next(iter(self._expiry.values())) <= now:
            place, _ = self._expiry.popitem(last=False)
            self._leave(*place)

    def _forget_full(self, now: int) -> None:
        for _ in range(min(2, len(self._full_at))):
            key, full_at = self._full_at.popitem(last=False)
            if full_at > now:
                self._full_at[key] = full_at  # at the end: its turn comes again after all others


class Backend(Protocol):
    """What Limiter asks of a backend that all processes share. What is awaited may raise whatever it wants."""

    async def take(self, buckets: Sequence[Bucket], cost: int) -> Decision: ...

    async def peek(self, key: str, limit: Limit, cost: int) -> Decision: ...

    async def lease(self, lease: Lease) -> Grant: ...

    async def renew(self, leases: Sequence[Lease]) -> None: ...

    def release(self, leases: Sequence[Lease]) -> None:
        """Release leases soon, but before anything that is asked later. Nobody waits for it."""

    async def aclose(self) -> None: ...


class Limiter:
    """
    Limits that hold across processes while Redis answers, and within this one while it does not.

    After a failure nobody asks Redis for PAUSE_SECONDS, so a request that needs several answers waits for one at most.
    After FAILURES_TO_OPEN in a row it is left alone, and asked once a second, by nobody who waits, whether it is back.
    Meanwhile each process gives its share of every message rate, and of leases what its own count allows under a
    stricter limit. Leases that were granted are kept through every change of mode, also when Redis forgot them.

    Args:
        shared: the backend that all processes share; None: this process is alone, and its memory is exact.
        processes: how many share a message rate when Redis is away.
        lease_share: the part of a lease's limit that one process grants when Redis is away.
        on_mode_change: called with the new mode, once a change. `mode` is the present one.

    One event loop. No method raises, and none that a request needs waits longer than the backend does (Redis: 50 ms).
    """

    def __init__(
        self,
        shared: Backend | None = None,
        *,
        processes: int = 1,
        lease_share: float = 0.5,
        lease_seconds: float = LEASE_SECONDS,
        clock: Callable[[], float] = monotonic,
        on_mode_change: Callable[[Mode], None] = lambda mode: None,
    ) -> None:
        self.mode: Mode = "redis" if shared else "memory"
        self._shared = shared
        self._memory = MemoryBackend(clock, lease_seconds=lease_seconds)
        self._message_share = 1 / processes
        self._lease_share = lease_share
        self._clock = clock
        self._on_mode_change = on_mode_change
        self._held: dict[Lease, None] = {}  # granted and not released
        self._failures = 0
        self._failed_at = float("-inf")
        self._probed_at = float("-inf")
        self._probe: asyncio.Task[None] | None = None

    async def take(self, key: str, limit: Limit, cost: int = 1) -> Decision:
        """Take `cost` >= 1 tokens from a bucket, or none at all."""
        return await self.take_each([(key, limit)], cost)

    async def take_each(self, buckets: Sequence[Bucket], cost: int = 1) -> Decision:
        """
        Take `cost` >= 1 tokens from each of some different buckets, or none at all.

        A refusal is that of the first bucket that has too few; `remaining` is the least of all otherwise.
        """
        if self._shared is None:
            return self._memory.take_each_now(buckets, cost)
        decision = await self._ask(lambda shared: shared.take(buckets, cost))
        if decision is None:
            own = [(key, limit.share(self._message_share)) for key, limit in buckets]
            return self._memory.take_each_now(own, cost)
        return decision

    async def peek(self, key: str, limit: Limit, cost: int = 1) -> Decision:
        """Return what taking `cost` would be answered, with what is in the bucket before, and take nothing."""
        decision = await self._ask(lambda shared: shared.peek(key, limit, cost))
        return self._memory.peek_now(key, self._local(limit), cost) if decision is None else decision

    async def lease(self, lease: Lease) -> Grant:
        """Give or renew a lease, unless its key is full without it. It is held until it is released."""
        grant = await self._ask(lambda shared: shared.lease(lease))
        if grant is None:
            limit = lease.limit if self._shared is None else _part(lease.limit, self._lease_share)
            grant = self._memory.lease_now(Lease(lease.key, lease.member, limit, lease.holder))
        elif grant.granted:
            self._memory.hold(lease)
        if grant.granted:
            self._held[lease] = None
        return grant

    async def lease_all(self, leases: Sequence[Lease]) -> Lease | None:
        """Take leases in order, all or none. Return the one that was refused, None when they were granted."""
        for number, lease in enumerate(leases, start=1):
            granted = False
            try:
                granted = (await self.lease(lease)).granted
            finally:
                if not granted:
                    # Cancelled or not answered in time, Redis may have granted this one all the same.
                    await self.release(leases[:number])
            if not granted:
                return lease
        return None

    async def room_try_join(self, room: str, seat: str, connection_id: str, capacity: int) -> Grant:
        """Seat a connection. `seat` is the user or guest; who has a seat already needs no second one."""
        return await self.lease(seat_in(room, seat, connection_id, capacity))

    async def room_leave(self, room: str, seat: str, connection_id: str) -> None:
        """Free a seat, once the last connection of its user or guest leaves."""
        await self.release([seat_in(room, seat, connection_id, 0)])

    async def release(self, leases: Sequence[Lease]) -> None:
        """
        Give leases back; safe to call twice, or for one that was refused.

        Waits for nothing, so nothing can interrupt it in a `finally`. What Redis does not hear of runs out by itself.
        """
        for lease in leases:
            self._held.pop(lease, None)
            self._memory.release_now(lease)
        if self._shared is not None and self.mode != "fallback":
            self._shared.release(leases)

    async def renew(self) -> None:
        """Renew what this process holds, also what Redis has lost meanwhile. To be called every RENEW_SECONDS."""
        for leases in self._batches():
            for lease in leases:
                self._memory.hold(lease)
            await asyncio.sleep(0)
        await self._ask(self._reassert)

    @property
    def held(self) -> list[Lease]:
        """What was granted and not released."""
        return list(self._held)

    async def aclose(self) -> None:
        if self._probe is not None:
            self._probe.cancel()
        if self._shared is not None:
            await self._shared.aclose()

    def _local(self, limit: Limit) -> Limit:
        return limit if self._shared is None else limit.share(self._message_share)

    def _batches(self) -> Iterator[list[Lease]]:
        """Give what is held, in parts that do not stop the loop for long; without what is released meanwhile."""
        held = self.held
        for start in range(0, len(held), RENEW_BATCH):
            yield [lease for lease in held[start : start + RENEW_BATCH] if lease in self._held]

    async def _reassert(self, shared: Backend) -> None:
        for leases in self._batches():
            await shared.renew(leases)

    async def _ask(self, question: Callable[[Backend], Awaitable[T]]) -> T | None:
        """Return the shared backend's answer. None: there is none, or none in time, or this is not the time to ask."""
        if self._shared is None:
            return None
        if self.mode == "fallback":
            self._look_again(self._shared)
            return None
        asked_at = self._clock()
        if asked_at < self._failed_at + PAUSE_SECONDS:
            return None
        try:
            answer = await question(self._shared)
        except Exception as error:  # noqa: BLE001 - whatever Redis, its client or the network come up with
            self._failed(asked_at, error)
            return None
        self._failures = 0
        return answer

    def _failed(self, asked_at: float, error: Exception) -> None:
        if asked_at < self._failed_at:
            return  # asked beside one that has been counted: one hiccup is one failure, however many it hits
        self._failed_at = self._clock()
        self._failures += 1
        if self._failures >= FAILURES_TO_OPEN and self.mode == "redis":
            self._probed_at = self._failed_at
            self._change("fallback", error)

    def _look_again(self, shared: Backend) -> None:
        now = self._clock()
        if now - self._probed_at >= PROBE_SECONDS and (self._probe is None or self._probe.done()):
            self._probed_at = now
            self._probe = asyncio.create_task(self._return(shared))

    async def _return(self, shared: Backend) -> None:
        """Go back to the shared backend if it answers, and has been told what is held here."""
        try:
            await shared.take([("probe", Limit(1, 1))], 1)  # a write, which a replica or a full disk would refuse
            await self._reassert(shared)
        except Exception:  # noqa: BLE001 - not back yet, in whatever way
            return
        self._failures = 0
        self._change("redis")

    def _change(self, mode: Mode, error: Exception | None = None) -> None:
        self.mode = mode
        logger.warning("limits_mode", mode=mode, error=type(error).__name__ if error else None)
        self._on_mode_change(mode)


def _part(count: int, part: float) -> int:
    """Return a part of a count: at least 1, unless nothing was allowed."""
    return max(1, int(count * part)) if count > 0 else 0
