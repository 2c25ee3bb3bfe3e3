"""
Deliveries of this process, beside whatever else it does. Any number of processes may have a worker.

What this process commits wakes it at once; what others commit it finds by asking every two seconds, one query.
"""

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from datetime import datetime
from typing import Protocol

import structlog
from django.conf import settings
from django.db import close_old_connections, connection
from django.utils import timezone

from apps import workers
from apps.integrations import wake
from apps.integrations.delivery import Courier, OpenLine
from apps.integrations.sending import Line

logger = structlog.get_logger(__name__)

SEATS = 4  # endpoints that are served at the same time; a receiver that hangs takes one for five seconds
POLL_SECONDS = 2.0
JOIN_SECONDS = 0.02  # what is committed together is looked at together
_LOOK_AHEAD = 200


class Work(Protocol):
    """What a worker does, by ids. `upcoming` gives those nobody is at with when each is due, the soonest first."""

    def upcoming(self, now: datetime, limit: int, /) -> list[tuple[int, datetime]]: ...

    def serve(self, job_id: int, /) -> bool:
        """Do what is due of it, and return whether it could be had."""
        ...


class Worker:
    """
    A thread that looks for what is due, and a few that deliver it.

    Args:
        clock, open_line: see Courier.
        work: makes what is done of something that says when to begin nothing more; without it, a Courier.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = timezone.now,
        open_line: OpenLine = Line,
        work: Callable[[Callable[[], bool]], Work] | None = None,
    ) -> None:
        self._clock = clock
        self._stopped, self._bell = threading.Event(), threading.Event()
        stopping = self._stopped.is_set
        self._work = work(stopping) if work else Courier(clock=clock, open_line=open_line, stopping=stopping)
        self._busy: set[int] = set()
        self._thread = threading.Thread(target=self._run, name="deliveries")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Begin nothing more, and wait for the attempts under way: five seconds at most, unless a name is looked up."""
        self._stopped.set()
        self._bell.set()
        self._thread.join()

    def _run(self) -> None:
        wake.listen(self._bell)
        try:
            with ThreadPoolExecutor(SEATS, thread_name_prefix="delivery") as seats:
                while not self._stopped.is_set():
                    self._bell.clear()
                    seconds = self._look(seats)
                    close_old_connections()
                    if self._bell.wait(seconds):
                        self._stopped.wait(JOIN_SECONDS)
        finally:
            wake.leave(self._bell)
            connection.close()

    def _look(self, seats: ThreadPoolExecutor) -> float:
        """Begin what is due, and return after how many seconds to look again."""
        try:
            now = self._clock()
            rows = [row for row in self._work.upcoming(now, _LOOK_AHEAD) if row[0] not in self._busy]
        except Exception:
            logger.exception("deliveries_not_looked_up")
            return POLL_SECONDS
        workers.ran.labels("deliveries").set_to_current_time()
        later = [(at - now).total_seconds() for _, at in rows if at > now]
        for job_id, at in rows:
            if at <= now:
                self._busy.add(job_id)
                seats.submit(self._serve, job_id)
        return min([*later, POLL_SECONDS * random.uniform(0.8, 1)])  # noqa: S311 - spreads processes out

    def _serve(self, job_id: int) -> None:
        served = False
        try:
            served = self._work.serve(job_id)
        except Exception:
            logger.exception("delivery_failed", work=type(self._work).__name__, id=job_id)
        finally:
            connection.close()
            self._busy.discard(job_id)
            if served:
                self._bell.set()  # there may be more by now


@contextmanager
def beside() -> Iterator[None]:
    """Deliver beside a server, unless DELIVER is off."""
    with running() if settings.DELIVER else nullcontext():
        yield


@contextmanager
def running() -> Iterator[None]:
    """Deliver while the block runs, in a thread."""
    worker = Worker()
    worker.start()
    try:
        yield
    finally:
        worker.stop()
