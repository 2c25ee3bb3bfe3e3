"""
Deliver to one endpoint what it lacks: in order, at least once, by one worker at a time.

A worker takes the endpoint's lease, sends event after event, and after each moves the cursor in the statement that
keeps the lease. Whoever dies between the two has sent what the next one sends again, under the same id. No transaction
is open while anything is sent.
"""

import random
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from django.db import close_old_connections, connection, transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from apps.errors import BadRequest
from apps.eventlog import log
from apps.eventlog.log import PUBLIC, Recorded
from apps.eventlog.models import Stream
from apps.integrations import metrics
from apps.integrations.addresses import parse
from apps.integrations.channels import CHANNELS, Channel, Fate, Message, Verdict
from apps.integrations.models import Attempt, Endpoint
from apps.integrations.retries import GIVE_UP_AFTER, pause
from apps.integrations.sealing import Secrets, Unreadable, unseal
from apps.integrations.sending import LOOK_UP_SECONDS, SECONDS, Answer, Line
from engine.text import gettext as _

logger = structlog.get_logger(__name__)

_NOTHING_ARRIVED = _("Nothing arrived for a day.")

# Longer than any attempt can take, so that nobody else begins one meanwhile; and how long a killed worker is missed.
LEASE = timedelta(seconds=LOOK_UP_SECONDS + SECONDS + 25)
BATCH = 50  # events read at once
TURN = 200  # messages, after which other endpoints have their turn
KEPT = 100  # attempts of an endpoint


class Poster(Protocol):
    def post(self, body: bytes, headers: Any, /) -> Answer: ...


OpenLine = Callable[[Any], AbstractContextManager[Poster]]


def upcoming(now: datetime, limit: int) -> list[tuple[int, datetime]]:
    """Return the endpoints for which there is something to do and nobody at it, with when, the soonest first."""
    found = _wanting().filter(_free(now)).order_by("next_attempt_at")
    rows = found.values_list("pk", "next_attempt_at", "test_at")[:limit]
    return sorted(((pk, at if test_at is None else now) for pk, at, test_at in rows), key=lambda row: row[1])


def _wanting() -> QuerySet[Endpoint]:
    head = Stream.objects.filter(name=OuterRef("stream")).values("head")[:1]
    wanting = Q(test_at__isnull=False) | Q(active=True, cursor__lt=F("head"))
    return Endpoint.objects.annotate(head=Subquery(head)).filter(wanting)


def _free(now: datetime) -> Q:
    return Q(lease_until__isnull=True) | Q(lease_until__lte=now)


class Courier:
    """
    Serves endpoints, one after the other.

    Args:
        clock: the present moment, for leases, pauses and signatures.
        open_line: a line to a parsed address.
        chance: a random number in [0, 1).
        stopping: says when to begin nothing more.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = timezone.now,
        open_line: OpenLine = Line,
        chance: Callable[[], float] = random.random,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._owner = secrets.token_hex(16)
        self._clock, self._open_line, self._chance, self._stopping = clock, open_line, chance, stopping

    def upcoming(self, now: datetime, limit: int) -> list[tuple[int, datetime]]:
        return upcoming(now, limit)

    def serve(self, endpoint_id: int) -> bool:
        """
        Deliver until there is nothing left, an attempt fails, or others should have their turn.

        Returns whether the endpoint could be had: nobody else is at it, and there was something to do.
        """
        endpoint = self._claim(endpoint_id)
        if endpoint is None:
            return False
        try:
            self._deliver(endpoint)
        finally:
            self._mine(endpoint_id).update(lease_owner="", lease_until=None)
        return True

    def _claim(self, endpoint_id: int) -> Endpoint | None:
        now = self._clock()
        due = Q(test_at__isnull=False) | Q(next_attempt_at__lte=now)
        # One statement: of two workers that both saw it free, the second finds it taken.
        found = Endpoint.objects.filter(_free(now), pk__in=_wanting().filter(due, pk=endpoint_id).values("pk"))
        if not found.update(lease_owner=self._owner, lease_until=now + LEASE):
            return None
        return Endpoint.objects.select_related("tournament").get(pk=endpoint_id)

    def _mine(self, endpoint_id: int) -> QuerySet[Endpoint]:
        return Endpoint.objects.filter(pk=endpoint_id, lease_owner=self._owner)

    def _deliver(self, endpoint: Endpoint) -> None:
        opened = self._opened(endpoint)
        if opened is None:
            return
        channel = CHANNELS[endpoint.kind]
        with self._open_line(parse(opened.url)) as line:
            if endpoint.test_at is not None and not self._test(endpoint, channel, opened, line):
                return
            if endpoint.active and endpoint.next_attempt_at <= self._clock():
                self._catch_up(endpoint, channel, opened, line)

    def _opened(self, endpoint: Endpoint) -> Secrets | None:
        """Return an endpoint's address and key; None for one that has been switched off because they cannot be used."""
        try:
            opened = unseal(endpoint.sealed)
            parse(opened.url)
        except Unreadable:
            reason: str = _("The site has another SECRET_KEY than when this was added. Remove it and add it again.")
        except BadRequest as refusal:  # what may be connected to is decided by settings
            reason = refusal.text
        else:
            return opened
        self._move(endpoint, active=False, off_reason=reason, test_at=None)
        return None

    def _catch_up(self, endpoint: Endpoint, channel: Channel, opened: Secrets, line: Poster) -> None:
        sent = 0
        while sent < TURN:
            events, through = _lacking(endpoint)
            if through == endpoint.cursor:
                return
            for message in channel.messages(endpoint, events):
                if self._stopping() or not self._send(endpoint, channel, opened, line, message):
                    return
                sent += 1
            if through > endpoint.cursor and not self._move(endpoint, cursor=through):
                return

    def _send(self, endpoint: Endpoint, channel: Channel, opened: Secrets, line: Poster, message: Message) -> bool:
        """Make one attempt. Return whether to go on with what follows."""
        answer = self._post(channel, opened, line, message)
        verdict = channel.judge(answer)
        metrics.attempts.labels(endpoint.kind, verdict.fate.name.lower()).inc()
        number = endpoint.failures + 1
        with transaction.atomic():
            if not self._move(endpoint, **self._changes(endpoint, message, answer, verdict)):
                return False
            _keep(endpoint, message, answer, at=self._clock(), number=number)
        if verdict.fate is Fate.OFF or not endpoint.active:
            logger.warning("endpoint_switched_off", endpoint=endpoint.pk, tournament=endpoint.tournament_id)
        return verdict.fate in (Fate.DELIVERED, Fate.SKIPPED)

    def _changes(self, endpoint: Endpoint, message: Message, answer: Answer, verdict: Verdict) -> dict[str, Any]:
        """Return what an attempt makes of its endpoint."""
        now = self._clock()
        if verdict.fate in (Fate.DELIVERED, Fate.SKIPPED):
            arrived = {"delivered": message.seq} if verdict.fate is Fate.DELIVERED else {}
            return {**arrived, "cursor": message.seq, "failures": 0, "failing_since": None, "error": ""}
        since = endpoint.failing_since or now
        failed = {"failing_since": since, "error": answer.error}
        if verdict.fate is Fate.OFF:
            return {**failed, "active": False, "off_reason": verdict.reason}
        if now - since >= GIVE_UP_AFTER:
            return {**failed, "active": False, "off_reason": f"{_NOTHING_ARRIVED} {answer.error}"[:200]}
        failures = endpoint.failures + 1 if verdict.counts else endpoint.failures
        wait = max(verdict.wait, pause(failures, self._chance())) if verdict.counts else verdict.wait
        return {**failed, "failures": failures, "next_attempt_at": now + timedelta(seconds=wait)}

    def _test(self, endpoint: Endpoint, channel: Channel, opened: Secrets, line: Poster) -> bool:
        """Send what the organiser asked for to see whether it arrives. It is tried once."""
        message = channel.test(endpoint, self._clock())
        answer = self._post(channel, opened, line, message)
        with transaction.atomic():
            if not self._move(endpoint, test_at=None):
                return False
            _keep(endpoint, message, answer, at=self._clock(), number=1)
        return True

    def _post(self, channel: Channel, opened: Secrets, line: Poster, message: Message) -> Answer:
        if not connection.in_atomic_block:
            close_old_connections()  # while a stranger's server takes its time, others can have the connection
        return line.post(message.body, channel.headers(message, opened, self._clock()))

    def _move(self, endpoint: Endpoint, **changes: Any) -> bool:
        """
        Change the endpoint and keep its lease.

        Returns False, and has changed nothing, when the lease is lost, or the organiser has changed it meanwhile.
        """
        changes["lease_until"] = self._clock() + LEASE
        if not self._mine(endpoint.pk).filter(revision=endpoint.revision).update(**changes):
            return False
        for field, value in changes.items():
            setattr(endpoint, field, value)
        return True


def _lacking(endpoint: Endpoint) -> tuple[list[Recorded], int]:
    """Return events of the endpoint's types after its cursor, and the seq up to which there are no others."""
    position = log.positions([endpoint.stream]).get(endpoint.stream)
    if position is None or position.seq <= endpoint.cursor:
        return [], endpoint.cursor
    # Read after the position, so that nothing up to there can be missing.
    events = log.read(endpoint.stream, after=endpoint.cursor, limit=BATCH, audiences=(PUBLIC,))
    last = events[-1].seq if events else 0
    through = last if len(events) == BATCH else max(position.seq, last)
    return [event for event in events if not endpoint.types or event.type in endpoint.types], through


def _keep(endpoint: Endpoint, message: Message, answer: Answer, *, at: datetime, number: int) -> None:
    """Write an attempt down, and forget the oldest."""
    Attempt.objects.create(
        endpoint=endpoint,
        seq=message.seq,
        type=message.type,
        number=number,
        at=at,
        status=answer.status,
        milliseconds=answer.milliseconds,
        error=answer.error,
    )
    mine = Attempt.objects.filter(endpoint=endpoint)
    oldest = mine.order_by("-pk").values("pk")[KEPT - 1 : KEPT]
    mine.filter(pk__lt=Subquery(oldest)).delete()
