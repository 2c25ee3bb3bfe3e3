"""
How each process of the site does, in a few figures, for the operators' page.

A process reads its own out of what it counts for Prometheus anyway. Over Redis it leaves them to the others, signed,
for EXPIRY_SECONDS: one that ended or hangs as a whole is gone from the page by then. Without Redis each process knows
of itself alone.
"""

import os
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from time import time
from typing import NamedTuple
from uuid import uuid4

import msgspec
import structlog
from django.conf import settings
from django.core import signing
from msgspec import Struct
from prometheus_client.core import REGISTRY
from redis import Redis, RedisError

from apps.tournaments.realtime.hub import hub
from apps.tournaments.realtime.protocol import CloseCode

logger = structlog.get_logger(__name__)

SAMPLE_SECONDS = 2.0
WINDOW_SECONDS = 20.0  # what "a second" and the delays are taken over
EXPIRY_SECONDS = 10
PERCENTILE = 0.99
BUSIEST = 20  # rooms that a process names
BEYOND_MS = 1e9  # longer than the last bound of a histogram; JSON has no infinity

_PROCESSES = "deltacrown:processes"  # the names of those that have left figures, some of which are gone by now
_signer = signing.Signer(salt="vitals")
_TIMEOUT = {"socket_timeout": 1, "socket_connect_timeout": 1}

Labels = tuple[tuple[str, str], ...]


class Vitals(Struct, frozen=True):
    """
    `started_at` and what workers did are in seconds since the epoch. `delay_ms`: from the commit of an event to its
    rooms in the process; `lag_ms`: of its event loop; of a hundred 99 were not above, None when there were none.
    `refused` and `slow` count from the start of the process. `busiest`: rooms and how many are in them.
    """

    process: str
    host: str
    pid: int
    version: str
    started_at: float
    connections: int
    rooms: int
    viewers: int
    events: float  # a second, as are the next two
    frames: float
    refusals: float
    delay_ms: float | None
    lag_ms: float | None
    queued: int
    slow: int
    refused: dict[str, int]
    limits: str
    bus_up: bool
    draining: bool
    memory: int
    workers: dict[str, float]
    busiest: list[tuple[str, int]] = []


class _Sample(NamedTuple):
    at: float
    figures: Mapping[str, Mapping[Labels, float]]

    def total(self, name: str, **labels: str) -> float:
        wanted = set(labels.items())
        return sum(value for key, value in self.figures.get(name, {}).items() if wanted <= set(key))

    def by(self, name: str, label: str) -> dict[str, float]:
        return {dict(key)[label]: value for key, value in self.figures.get(name, {}).items()}


class Monitor:
    """The figures of this process. Safe in any thread."""

    def __init__(self, clock: Callable[[], float] = time) -> None:
        self.process = uuid4().hex[:8]
        self._clock = clock
        self._samples: deque[_Sample] = deque()
        self._started_at = clock()

    def vitals(self) -> Vitals:
        """Return how the process does now. Cost: about 1 ms."""
        new = self._take()
        old = self._samples[0]
        seconds = new.at - old.at

        def rate(name: str) -> float:
            return max(0.0, new.total(name) - old.total(name)) / seconds if seconds else 0.0

        modes = [mode for mode, on in new.by("rt_limits_mode", "mode").items() if on]
        return Vitals(
            process=self.process,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=settings.VERSION,
            started_at=new.total("process_start_time_seconds") or self._started_at,
            connections=int(new.total("rt_connections")),
            rooms=int(new.total("rt_rooms")),
            viewers=int(new.total("rt_viewers")),
            events=rate("rt_event_delay_seconds_count"),
            frames=rate("rt_deliveries_total"),
            refusals=rate("rt_limited_total"),
            delay_ms=_percentile(old, new, "rt_event_delay_seconds_bucket"),
            lag_ms=_percentile(old, new, "rt_event_loop_lag_seconds_bucket"),
            queued=int(new.total("rt_queued_chars_max")),
            slow=int(new.total("rt_closes_total", code=str(int(CloseCode.SLOW_CONSUMER)))),
            refused={limit: int(count) for limit, count in new.by("rt_limited_total", "limit").items()},
            limits=modes[0] if modes else "",
            bus_up=bool(new.total("rt_bus_up")),
            draining=bool(new.total("rt_draining")),
            memory=int(new.total("process_resident_memory_bytes")),
            workers=new.by("worker_ran_at_seconds", "worker"),
            busiest=hub.busiest(BUSIEST),
        )

    def _take(self) -> _Sample:
        figures: dict[str, dict[Labels, float]] = {}
        for family in REGISTRY.collect():
            for sample in family.samples:
                figures.setdefault(sample.name, {})[tuple(sample.labels.items())] = sample.value
        taken = _Sample(self._clock(), figures)
        self._samples.append(taken)
        while len(self._samples) > 2 and self._samples[1].at <= taken.at - WINDOW_SECONDS:  # noqa: PLR2004
            self._samples.popleft()
        return taken


class Reporter:
    """Leaves this process's figures to the others, again and again, in a thread of its own."""

    def __init__(self, monitor: Monitor, url: str) -> None:
        self._monitor, self._url = monitor, url
        self._stopped = threading.Event()

    def stop(self) -> None:
        self._stopped.set()

    def run(self) -> None:
        """Report until told to stop; then take back what was left."""
        with Redis.from_url(self._url, **_TIMEOUT) as redis:
            while not self._stopped.is_set():
                self._report(redis)
                self._stopped.wait(SAMPLE_SECONDS)
            with suppress(RedisError):  # it expires
                redis.delete(_key(self._monitor.process))

    def _report(self, redis: Redis) -> None:
        try:
            report(redis, self._monitor.vitals())
        except RedisError as error:
            logger.debug("vitals_not_left", error=type(error).__name__)  # limits and the hub say that it is away
        except Exception:
            logger.exception("vitals_failed")


def report(redis: Redis, vitals: Vitals) -> None:
    """Leave figures to the other processes. Raises RedisError."""
    text = _signer.sign(msgspec.json.encode(vitals).decode())
    redis.set(_key(vitals.process), text, ex=EXPIRY_SECONDS)
    redis.sadd(_PROCESSES, vitals.process)


def reports(url: str) -> list[Vitals]:
    """Return what processes have left. What is not signed with the site's key is nothing. Raises RedisError."""
    with Redis.from_url(url, **_TIMEOUT) as redis:
        names = sorted(name.decode() for name in redis.smembers(_PROCESSES))
        left = redis.mget([_key(name) for name in names]) if names else []
        if gone := [name for name, text in zip(names, left, strict=True) if text is None]:
            redis.srem(_PROCESSES, *gone)
    found = []
    for text in left:
        try:
            found.append(msgspec.json.decode(_signer.unsign((text or b"").decode()), type=Vitals))
        except (signing.BadSignature, msgspec.MsgspecError, UnicodeDecodeError):
            continue  # gone, of another version, or forged
    return found


def _key(process: str) -> str:
    return f"deltacrown:process:{process}"


def _percentile(old: _Sample, new: _Sample, name: str) -> float | None:
    """Return the bound in ms under which PERCENTILE of what was counted between two samples lies."""
    bounds = sorted((float(bound), value) for bound, value in new.by(name, "le").items())
    before = {float(bound): value for bound, value in old.by(name, "le").items()}
    counted = [(bound, value - before.get(bound, 0.0)) for bound, value in bounds]
    if not counted or counted[-1][1] <= 0:
        return None
    bound = next(bound for bound, value in counted if value >= PERCENTILE * counted[-1][1])
    return min(bound * 1000, BEYOND_MS)


monitor = Monitor()


@contextmanager
def reporting() -> Iterator[None]:
    """Tell the other processes how this one does, as long as it serves and there is Redis."""
    if not settings.REDIS_URL:
        yield
        return
    reporter = Reporter(monitor, settings.REDIS_URL)
    thread = threading.Thread(target=reporter.run, name="reporter")
    thread.start()
    try:
        yield
    finally:
        reporter.stop()
        thread.join()
