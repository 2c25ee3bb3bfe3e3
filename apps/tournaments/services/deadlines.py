"""
What happens by the clock: who did not check in, results that nobody answered, places that nobody claimed.

A deadline is data. `upcoming` finds what is due in all tournaments with one query, `carry_out` does one thing of it in
a transaction of its own, under the tournament's lock and after looking again. So any number of processes can sweep at
the same time, and each thing happens once; after a pause it happens late, in the order in which it was due.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import structlog
from django.db import connection, transaction
from django.db.models import CharField, F, QuerySet, Value

from apps.errors import BadRequest, Conflict, NotFound
from apps.tournaments.events import MatchDeadlineExtended
from apps.tournaments.models import Entry, EntryStatus, Match, Status, Tournament
from apps.tournaments.services import veto
from apps.tournaments.services.entries import close_check_in
from apps.tournaments.services.matches import end_at_deadline
from apps.tournaments.services.progress import ask_for_check_in
from apps.tournaments.services.unit import Answer, Unit, command, unit_of_nobody
from apps.tournaments.services.waitlist import expire_offer
from engine.match_flow import MatchState
from engine.text import gettext as _

logger = structlog.get_logger(__name__)

# A planned time that passed longer ago opens no check-in by itself: nobody waits for it any more, and whoever was not
# there a day later would lose.
PLAN_HOLDS = timedelta(days=1)
MAX_MINUTES = 7 * 24 * 60

_DECIDED_BY_THE_CLOCK = (MatchState.CHECK_IN, MatchState.PENDING_RESULT)
_BEFORE_PLAY = (Status.PUBLISHED, Status.REGISTRATION_OPEN, Status.REGISTRATION_CLOSED)
_OVER = (Status.COMPLETED, Status.CANCELLED)


class Kind(StrEnum):
    OFFER_EXPIRES = "offer_expires"
    CHECK_IN_CLOSES = "check_in_closes"
    MATCH_CHECK_IN_OPENS = "match_check_in_opens"
    MATCH_IS_DECIDED = "match_is_decided"
    VETO_STEP_ENDS = "veto_step_ends"


class Result(StrEnum):
    DONE = "done"
    GONE = "gone"  # somebody else did it, or it is not due any more
    FAILED = "failed"


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """`id`: of the entry, tournament or match."""

    at: datetime
    kind: str
    id: int
    tournament_id: int


def sweep(now: datetime) -> int:
    """Carry out all that is due at `now`; return how many things that were. What fails is logged, and due again."""
    return sum(result is Result.DONE for _, result in sweeping(upcoming(now), now))


def sweeping(things: Iterable[Due], now: datetime) -> Iterator[tuple[Due, Result]]:
    """Carry out things that are due at `now`, each when the next result is asked for. One that fails stops no other."""
    for thing in things:
        try:
            result = Result.DONE if carry_out(thing, now) else Result.GONE
        except Exception:
            logger.exception("deadline_failed", kind=thing.kind, id=thing.id, tournament=thing.tournament_id)
            if not connection.is_usable():
                raise  # without a database, all the others would fail too
            result = Result.FAILED
        yield thing, result


def upcoming(until: datetime) -> list[Due]:
    """Return what is due until then, in the order in which it is. One query, on partial indexes."""
    parts = [
        _part(Kind.OFFER_EXPIRES, "claim_by", _offers()),
        _part(Kind.CHECK_IN_CLOSES, "check_in_closes_at", _check_ins(), tournament="pk"),
        _part(Kind.MATCH_CHECK_IN_OPENS, "scheduled_at", _waiting(until)),
        _part(Kind.MATCH_IS_DECIDED, "deadline_at", _undecided()),
        _part(Kind.VETO_STEP_ENDS, "veto_deadline_at", veto.expiring()),
    ]
    found = [part.filter(at__lte=until) for part in parts]
    rows = found[0].union(*found[1:], all=True).values_list("at", "kind", "pk", "of")
    return sorted(Due(*row) for row in rows)


def carry_out(thing: Due, now: datetime) -> bool:
    """
    Do one thing that is due, unless it has been done or is not due any more; return whether it was done.

    Can be called at any time and again.
    """
    with transaction.atomic():
        try:
            unit = unit_of_nobody(thing.kind, thing.tournament_id, now, is_clock=True)
        except NotFound:
            return False
        unit.watch(unit.tournament)
        done = _CARRY_OUT[Kind(thing.kind)](unit, thing.id)
        if done:
            unit.finish({}, fingerprint="")
    return done


@command("extend_deadline")
def extend(unit: Unit, /, match_id: int, *, minutes: int, expected_version: int | None = None) -> Answer:
    """
    Give both sides of a match this many minutes from now to check in, or to answer a report. Answers {"match_id"}.

    Raises:
        Conflict: the match has no deadline.
    """
    match = unit.lock_match(match_id, expected_version=expected_version)
    if not 1 <= minutes <= MAX_MINUTES:
        message = _("A deadline can be moved to between 1 and {most} minutes from now.", most=MAX_MINUTES)
        raise BadRequest(message, field="minutes")
    if unit.tournament.status == Status.CANCELLED or match.deadline_at is None:
        message = _("Nothing runs out in this match now, so there is no deadline to move.")
        raise Conflict(message, state=match.state)
    match.deadline_at = unit.later(minutes=minutes)
    unit.emit(MatchDeadlineExtended(match=unit.save(match)))
    return {"match_id": match.pk}


# What can be due. The same rows are looked for before the lock and after it. -----------------------------------------


def _offers() -> QuerySet[Entry]:
    return Entry.objects.filter(status=EntryStatus.OFFERED).exclude(tournament__status__in=_OVER)


def _check_ins() -> QuerySet[Tournament]:
    return Tournament.objects.filter(check_in=True, check_in_closed=False, status__in=_BEFORE_PLAY)


def _waiting(until: datetime) -> QuerySet[Match]:
    found = Match.objects.filter(state=MatchState.READY, scheduled_at__gt=until - PLAN_HOLDS)
    found = found.filter(tournament__match_check_in_minutes__gt=0).exclude(tournament__status__in=_OVER)
    return found.exclude(home_checked_in=True, away_checked_in=True)


def _undecided() -> QuerySet[Match]:
    found = Match.objects.filter(state__in=_DECIDED_BY_THE_CLOCK, deadline_at__isnull=False)
    return found.exclude(tournament__status__in=_OVER)


def _part(kind: Kind, at: str, rows: QuerySet[Any], *, tournament: str = "tournament") -> QuerySet[Any]:
    named: QuerySet[Any] = rows.annotate(at=F(at), kind=Value(kind.value, CharField()), of=F(tournament))
    return named.order_by().values_list("at", "kind", "pk", "of")


def _expire(unit: Unit, entry_id: int) -> bool:
    entry = _offers().filter(pk=entry_id).first()
    return entry is not None and expire_offer(unit, unit.watch(entry))


def _close_check_in(unit: Unit, tournament_id: int) -> bool:
    if not _check_ins().filter(pk=tournament_id, check_in_closes_at__lte=unit.now).exists():
        return False
    close_check_in(unit)
    return True


def _open_match_check_in(unit: Unit, match_id: int) -> bool:
    match = _waiting(unit.now).filter(pk=match_id, scheduled_at__lte=unit.now).first()
    if match is None:
        return False
    ask_for_check_in(unit, unit.watch(match))
    return True


def _decide(unit: Unit, match_id: int) -> bool:
    found = _undecided().filter(pk=match_id, deadline_at__lte=unit.now)
    match = found.select_related("home", "away", "stage").first()
    if match is None:
        return False
    end_at_deadline(unit, unit.watch(match))
    return True


_CARRY_OUT: dict[Kind, Callable[[Unit, int], bool]] = {
    Kind.OFFER_EXPIRES: _expire,
    Kind.CHECK_IN_CLOSES: _close_check_in,
    Kind.MATCH_CHECK_IN_OPENS: _open_match_check_in,
    Kind.MATCH_IS_DECIDED: _decide,
    Kind.VETO_STEP_ENDS: veto.expire,
}
