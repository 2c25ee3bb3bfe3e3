"""The clock of a site: looks for what is due, again and again, and has it done (services.deadlines)."""

import random
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.db import close_old_connections, connection

from apps import workers
from apps.tournaments.realtime import metrics
from apps.tournaments.services.deadlines import Due, Result, sweeping, upcoming
from apps.tournaments.services.unit import present

logger = structlog.get_logger(__name__)

LOOK_AHEAD_SECONDS = 2.0  # a deadline that is made after a look is missed by less than this
SPREAD_SECONDS = 0.1  # processes that know of the same deadline do not all ask for the same lock at once
PAUSE_SECONDS = 5.0  # after the database could not be asked
AGAIN = timedelta(minutes=1)  # after one thing failed


class Sweeper:
    """
    Runs in a thread of its own, with its own connection to the database, beside any number of others anywhere.

    One query every one to two seconds, and whatever is due. `ends` says when to stop; so does `stop`.
    """

    def __init__(self, ends: Callable[[], bool] = lambda: False, *, clock: Callable[[], datetime] = present) -> None:
        self._ends, self._clock = ends, clock
        self._stopped = threading.Event()
        self._failed: dict[Due, datetime] = {}  # and when each is tried again

    def stop(self) -> None:
        """Let `run` return soon: what is under way is finished, nothing else is begun."""
        self._stopped.set()

    def run(self) -> None:
        """Sweep until told to stop."""
        try:
            while not self._is_over:
                self._stopped.wait(self._safe_turn())
                close_old_connections()
        finally:
            connection.close()

    def turn(self) -> float:
        """Do what is due now; return after how many seconds to look again."""
        now = self._clock()
        self._failed = {thing: at for thing, at in self._failed.items() if at > now}
        ahead = [thing for thing in upcoming(now + timedelta(seconds=LOOK_AHEAD_SECONDS)) if thing not in self._failed]
        results = []
        for thing, result in sweeping([thing for thing in ahead if thing.at <= now], now):
            metrics.swept.labels(result.value).inc()
            results.append(result)
            if result is Result.FAILED:
                self._failed[thing] = now + AGAIN
            if self._is_over:
                break
        if Result.DONE in results:
            return 0.0  # something else may have become due by it
        later = [thing.at for thing in ahead if thing.at > now]
        if later:
            return (later[0] - now).total_seconds() + random.uniform(0, SPREAD_SECONDS)  # noqa: S311
        return LOOK_AHEAD_SECONDS * random.uniform(0.5, 1)  # noqa: S311

    @property
    def _is_over(self) -> bool:
        return self._stopped.is_set() or self._ends()

    def _safe_turn(self) -> float:
        try:
            pause = self.turn()
        except Exception:
            logger.exception("sweep_failed")
            return PAUSE_SECONDS
        workers.ran.labels("deadlines").set_to_current_time()
        return pause
