"""
How much is allowed: token buckets for messages, leases for connections, seats for rooms. Knows nothing of ASGI.

A bucket is one number, the time at which it will be full again (GCRA): it admits exactly what a token bucket of `burst`
tokens refilled at `rate` admits. A lease is a place that its holder keeps by renewing it, never a counter: what a killed
process held is free again after the lease's lifetime.

`Limiter` is what the rest uses. It asks Redis (`ratelimit_redis`), which all processes share, or, where there is none or
it does not answer in time, this process's memory. It raises nothing.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Literal, NamedTuple, Protocol, TypeVar

import structlog

logger = structlog.get_logger(__name__)

LEASE_SECONDS = 75.0
RENEW_SECONDS = 25.0  # how often to call Limiter.renew: twice may fail before a lease is lost
NEVER_MS = 3_600_000  # said of what no waiting makes possible
FAILURES_TO_OPEN = 5
PROBE_SECONDS = 1.0
RENEW_BATCH = 100  # about 4 ms of this process's time on Redis

Mode = Literal["redis", "memory", "fallback"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limit:
    """`rate` a second on average, `burst` at once. When either is zero, nothing is allowed."""

    rate: float
    burst: int
    interval_us: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.rate <= 0:
            object.__setattr__(self, "burst", 0)
        object.__setattr__(self, "interval_us", max(1, round(1_000_000 / self.rate)) if self.rate > 0 else 1)

    def share(self, part: float) -> "Limit":
        """Return this limit for a part of what it was for; a little of it remains, unless it was zero."""
        return Limit(self.rate * part, _part(self.burst, part))


class Decision(NamedTuple):
    """`remaining`: what could be taken now. `retry_after_ms`: when the refused cost will be allowed; 0 if it was."""

    allowed: bool
    remaining: int
    retry_after_ms: int


class Grant(NamedTuple):
    """Whether a lease was given, and how many members its key has now."""

    granted: bool
    count: int


@dataclass(frozen=True, slots=True)
class Lease:
    """
    One of at most `limit` members of `key`.

    With a `holder`, the member is shared: it is there as long as any of its holders is. Holders and members without
    one are connection ids, unique among all processes. Two leases that differ in their limit only are the same lease.
    """

    key: str
    member: str
    limit: int = field(compare=False)
    holder: str = ""


def key(subject: str, purpose: str) -> str:
    """Return the name of a limit: "{user:7}:msg". A cluster keeps names with the same braces together."""
    return f"{{{subject}}}:{purpose}"


def seat_in(room: str, seat: str, connection_id: str, capacity: int) -> Lease:
    """Return the lease of a seat: one a user or guest, however many connections they watch the room through."""
    return Lease(key(f"room:{room}", "seats"), seat, capacity, connection_id)


def decide(limit: Limit, wait_us: int, remaining: int) -> Decision:
    """Put an answer together: what is `wait_us` away is refused until then."""
    if wait_us > 0:
        return Decision(allowed=False, remaining=max(0, remaining), retry_after_ms=-(-wait_us // 1000))
    return Decision(allowed=True, remaining=remaining, retry_after_ms=0)
