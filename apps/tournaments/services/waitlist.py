"""
Places: how many are free, whose turn it is, and places that are held for a while.

The waitlist is in strict order: of `waitlisted_at`, then id. With `claim_minutes`, a free place is held for the first
in it, who claims it in time or loses it to the next; a place that is held is not free.
"""

from django.db.models import F, Q, QuerySet

from apps.errors import Conflict
from apps.moments import Moment
from apps.tournaments.events import RegistrationCancelled, RegistrationOffered, RegistrationPromoted
from apps.tournaments.labels import words
from apps.tournaments.models import Entry, EntryStatus, NoShowRule, Tournament
from apps.tournaments.models.entry import TAKES_A_PLACE
from apps.tournaments.models.tournament import BEFORE_PLAY
from apps.tournaments.services.unit import Answer, Unit, command
from engine.text import gettext as _


@command("claim_place")
def claim(unit: Unit, /, entry_id: int) -> Answer:
    """Take the place that is held for an entrant. Answers {"entry_id"}."""
    entry = unit.lock_entry(entry_id)
    if entry.status != EntryStatus.OFFERED or entry.claim_by is None:
        message = _("No place is held for {name} now.", name=entry.name)
        raise Conflict(message, status=entry.status)
    if entry.claim_by <= unit.now:
        message = _(
            "The place was held for {name} until {claim_by}, and goes to the next.",
            name=entry.name,
            claim_by=Moment(entry.claim_by),
        )
        raise Conflict(message, status=entry.status)
    _confirm(unit, entry)
    return {"entry_id": entry.pk}


def taken(tournament: Tournament, *, besides: Entry | None = None) -> int:
    """
    Return how many places are taken or held, not counting the entrant `besides`. One query.

    Who did not check in keeps their place where opponents walk over it.
    """
    holds = Q(status__in=TAKES_A_PLACE)
    if tournament.no_show_rule == NoShowRule.WALKOVER:
        holds |= Q(status=EntryStatus.NO_SHOW)
    return tournament.entries.filter(holds).exclude(pk=besides.pk if besides else 0).count()


def free(tournament: Tournament, *, besides: Entry | None = None) -> int:
    """Return how many places are free. One query."""
    return max(tournament.capacity - taken(tournament, besides=besides), 0)


def is_drawn(tournament: Tournament) -> bool:
    return tournament.matches.exists()


def check_before_draw(unit: Unit) -> None:
    """
    Pass a tournament whose entrants can still change.

    Raises:
        Conflict: it has a bracket, or is over.
    """
    tournament = unit.tournament
    message = ""
    if tournament.status not in BEFORE_PLAY:
        message = _(
            "The tournament is {status}; its entrants cannot change any more.",
            status=words(tournament.status),
        )
    elif is_drawn(tournament):
        message = _("The bracket has been drawn; its entrants cannot change any more.")
    if message:
        raise Conflict(message, status=tournament.status)


def promote_waitlisted(unit: Unit) -> None:
    """
    Give free places to the waitlist, or hold them, first come first served. Nothing happens once there is a bracket.

    After check-in only those who did check in are given a place, and at once: nobody has time to claim any more.
    """
    tournament = unit.tournament
    if tournament.status not in BEFORE_PLAY or is_drawn(tournament):
        return
    waiting = _in_order(tournament.entries.filter(status=EntryStatus.WAITLISTED))
    if tournament.check_in_closed:
        waiting = waiting.exclude(checked_in_at=None)
    for entry in waiting[: free(tournament)]:
        unit.watch(entry)
        if tournament.claim_minutes and not tournament.check_in_closed:
            entry.status = EntryStatus.OFFERED
            entry.claim_by = unit.later(minutes=tournament.claim_minutes)
            unit.emit(RegistrationOffered(entry=unit.save(entry)))
        else:
            _confirm(unit, entry)


def expire_offer(unit: Unit, entry: Entry) -> bool:
    """
    Take back a place that was not claimed in time, and give it to the next. Return whether that was so.

    Can be called at any time and again: an offer that still runs, or is none any more, stays as it is.
    """
    if entry.status != EntryStatus.OFFERED or entry.claim_by is None or entry.claim_by > unit.now:
        return False
    _expire(unit, entry)
    promote_waitlisted(unit)
    return True


def end_offers(unit: Unit) -> None:
    """End all offers because the draw does not wait: who has checked in has claimed their place, the others lose it."""
    for entry in _in_order(unit.tournament.entries.filter(status=EntryStatus.OFFERED)):
        unit.watch(entry)
        if entry.checked_in_at is None:
            _expire(unit, entry)
        else:
            _confirm(unit, entry)


def _confirm(unit: Unit, entry: Entry) -> None:
    entry.status, entry.claim_by = EntryStatus.CONFIRMED, None
    unit.emit(RegistrationPromoted(entry=unit.save(entry)))


def _expire(unit: Unit, entry: Entry) -> None:
    entry.status = EntryStatus.EXPIRED
    unit.emit(RegistrationCancelled(entry=unit.save(entry)))


def _in_order(entries: QuerySet[Entry]) -> QuerySet[Entry]:
    """Order by the waitlist; entrants from before there was a time on it come first."""
    return entries.order_by(F("waitlisted_at").asc(nulls_first=True), "pk")
