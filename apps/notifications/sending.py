"""
Send what waits, each by one worker at a time.

A worker takes a notice's lease, sends, and writes down what came of it. Whoever dies in between has sent what the next
one sends again when the lease has run out: under the same tag, topic or Message-ID, so that it replaces the first. No
transaction is open while anything is sent.
"""

import random
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import close_old_connections, connection
from django.db.models import Q
from django.utils import timezone

from apps.integrations.retries import pause
from apps.integrations.sending import LOOK_UP_SECONDS, SECONDS, Line
from apps.notifications import metrics
from apps.notifications.models import Channel, Notice, NoticeState
from apps.notifications.reading import read_clock, read_logs
from apps.notifications.ways import COURIERS, Errand, Fate, Open, Outcome
from apps.notifications.words import text_of

logger = structlog.get_logger(__name__)

# Longer than any attempt can take, so that nobody else begins one meanwhile.
LEASE = timedelta(seconds=LOOK_UP_SECONDS + SECONDS + 85)
KEPT = timedelta(days=7)
CLOCK_EVERY = timedelta(seconds=10)
TIDY_EVERY = timedelta(hours=1)


class Notifier:
    """
    Reads the logs and the clock, and sends what follows. `worker.Work` for integrations.worker.

    Args:
        clock, chance, stopping: see integrations.delivery.Courier.
        line_to: a line to a parsed address.
        pace: how long to leave the logs alone after having read them; the worker is woken by each commit.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = timezone.now,
        line_to: Open = Line,
        chance: Callable[[], float] = random.random,
        stopping: Callable[[], bool] = lambda: False,
        pace: timedelta = timedelta(0),
    ) -> None:
        self._owner = secrets.token_hex(16)
        self._clock, self._line_to, self._chance, self._stopping = clock, line_to, chance, stopping
        self._pace = pace
        self._read_at = self._clock_at = self._tidy_at = datetime.min.replace(tzinfo=UTC)

    def upcoming(self, now: datetime, limit: int) -> list[tuple[int, datetime]]:
        """Return the notices that wait and nobody is at, after everything new has been read."""
        self._read(now)
        waiting = Notice.objects.filter(_free(now), state=NoticeState.WAITING)
        return list(waiting.order_by("next_attempt_at", "pk").values_list("pk", "next_attempt_at")[:limit])

    def serve(self, notice_id: int) -> bool:
        """Make one attempt, unless somebody else is at it or it is not due. Return whether it could be had."""
        if self._stopping():
            return False
        now = self._clock()
        found = Notice.objects.filter(_free(now), pk=notice_id, state=NoticeState.WAITING, next_attempt_at__lte=now)
        # One statement: of two workers that both saw it free, the second finds it taken.
        if not found.update(lease_owner=self._owner, lease_until=now + LEASE):
            return False
        notice = Notice.objects.select_related(
            "channel__user__notification_preferences",
            "entry__tournament",
            "match__home",
            "match__away",
            "match__station",
        ).get(pk=notice_id)
        self._settle(notice, self._attempt(notice, now))
        return True

    def _attempt(self, notice: Notice, now: datetime) -> Outcome:
        if notice.expires_at <= now:
            return Outcome(Fate.DROPPED, "It was too late.")
        if not (notice.channel.active and notice.channel.user.is_active):
            return Outcome(Fate.DROPPED, "The channel is off.")
        preferences = getattr(notice.channel.user, "notification_preferences", None)
        language = (preferences.language if preferences else "") or settings.LANGUAGE_CODE
        text = text_of(notice, language)
        if text is None:
            return Outcome(Fate.DROPPED, "There is nothing to tell any more.")
        if not connection.in_atomic_block:
            close_old_connections()  # while a stranger's server takes its time, others can have the connection
        errand = Errand(notice, notice.channel, text, now, language)
        return COURIERS[notice.channel.way](errand, self._line_to)

    def _settle(self, notice: Notice, outcome: Outcome) -> None:
        channel, now = notice.channel, self._clock()
        metrics.sent.labels(channel.way, outcome.fate.name.lower()).inc()
        if outcome.fate is Fate.GONE:
            logger.info("notification_channel_gone", way=channel.way, user=channel.user_id, reason=outcome.reason)
            channel.delete()  # and what waits for it
            return
        changes: dict[str, Any] = {
            "attempts": notice.attempts + 1,
            "error": outcome.reason[:200],
            "state": NoticeState.SENT if outcome.fate is Fate.SENT else NoticeState.DROPPED,
        }
        if outcome.fate is Fate.RETRY:
            wait = max(outcome.wait, pause(notice.attempts + 1, self._chance()))
            changes |= {"state": NoticeState.WAITING, "next_attempt_at": now + timedelta(seconds=wait)}
        if outcome.fate is Fate.SENT:
            Channel.objects.filter(pk=channel.pk).update(told_at=now)
        elif outcome.fate is Fate.OFF:
            logger.warning("notification_channel_off", way=channel.way, user=channel.user_id)
            Channel.objects.filter(pk=channel.pk).update(active=False, off_reason=outcome.reason[:200])
        mine = Notice.objects.filter(pk=notice.pk, lease_owner=self._owner)
        mine.update(**changes, lease_owner="", lease_until=None)

    def _read(self, now: datetime) -> None:
        if now - self._read_at < self._pace:
            return  # the worker looks again within two seconds
        self._read_at = now
        try:
            read_logs(now)
            if now - self._clock_at >= CLOCK_EVERY:
                self._clock_at = now
                read_clock(now)
            if now - self._tidy_at >= TIDY_EVERY:
                self._tidy_at = now
                Notice.objects.filter(created_at__lt=now - KEPT).delete()
        except Exception:  # what waits is sent all the same
            logger.exception("notifications_not_read")


def _free(now: datetime) -> Q:
    return Q(lease_until__isnull=True) | Q(lease_until__lte=now)
