"""Who takes part: register, join the waitlist, move up, withdraw, check in, and be seeded."""

import random
import secrets
from collections.abc import Sequence

from apps.errors import BadRequest, Conflict
from apps.tournaments.events import (
    CheckInClosed,
    EntriesSeeded,
    EntryChange,
    RegistrationCancelled,
    RegistrationCheckedIn,
    RegistrationCheckinReverted,
    RegistrationCreated,
    RegistrationPromoted,
)
from apps.tournaments.models import Entry, EntryStatus, NoShowRule, Status
from apps.tournaments.models.entry import ACTIVE
from apps.tournaments.services.progress import leave
from apps.tournaments.services.unit import Answer, Unit, command
from apps.tournaments.text import clean_line
from engine.seeding import draw

_BEFORE_PLAY = (Status.DRAFT, Status.PUBLISHED, Status.REGISTRATION_OPEN, Status.REGISTRATION_CLOSED)


@command("register")
def register(unit: Unit, /, tournament_id: int, *, name: str = "") -> Answer:
    """
    Enter the person acting, under `name` or their user name; on the waitlist when the places are taken.

    Answers {"entry_id"}.
    """
    tournament = unit.lock(tournament_id)
    if tournament.status != Status.REGISTRATION_OPEN:
        message = f"Registration is not open; the tournament is {tournament.status.replace('_', ' ')}."
        raise Conflict(message, status=tournament.status)
    mine = tournament.entries.filter(user=unit.user, status__in=ACTIVE).first()
    if mine is not None:
        message = f"You are registered already, as {mine.name}."
        raise Conflict(message, entry_id=mine.pk, status=mine.status)
    return _enter(unit, Entry(user=unit.user), name or unit.user.username)


@command("add_entry")
def add(unit: Unit, /, tournament_id: int, *, name: str) -> Answer:
    """Enter somebody by name, without an account; the staff acts for them. Answers {"entry_id"}."""
    unit.lock(tournament_id)
    _before_bracket(unit)
    return _enter(unit, Entry(), name)


@command("withdraw")
def withdraw(unit: Unit, /, entry_id: int) -> Answer:
    """
    Leave. Before the bracket is drawn, the first on the waitlist takes the place; after, the opponent of the present
    match and of the next one walks over.
    """
    entry = unit.lock_entry(entry_id)
    if not entry.is_active or unit.tournament.status in (Status.COMPLETED, Status.CANCELLED):
        message = "This entrant is not taking part any more."
        raise Conflict(message, status=entry.status)
    was_confirmed = entry.status == EntryStatus.CONFIRMED
    entry.status = EntryStatus.WITHDRAWN
    unit.emit(RegistrationCancelled(entry=unit.save(entry)))
    if was_confirmed and unit.tournament.matches.exists():
        leave(unit, entry)
    elif was_confirmed:
        promote_waitlisted(unit)
    return {"entry_id": entry.pk}


@command("check_in")
def check_in(unit: Unit, /, entry_id: int) -> Answer:
    """Say that an entrant is here. Possible until the bracket is drawn, in a tournament that checks in."""
    entry = unit.lock_entry(entry_id)
    _checkable(unit, entry)
    if entry.checked_in_at is not None:
        message = f"{entry.name} is checked in already."
        raise Conflict(message, checked_in=True)
    entry.checked_in_at = unit.now
    unit.emit(RegistrationCheckedIn(entry=unit.save(entry)))
    return {"entry_id": entry.pk}


@command("revert_check_in")
def revert_check_in(unit: Unit, /, entry_id: int) -> Answer:
    """Take a check-in back."""
    entry = unit.lock_entry(entry_id)
    _checkable(unit, entry)
    if entry.checked_in_at is None:
        message = f"{entry.name} is not checked in."
        raise Conflict(message, checked_in=False)
    entry.checked_in_at = None
    unit.emit(RegistrationCheckinReverted(entry=unit.save(entry)))
    return {"entry_id": entry.pk}


@command("seed_entries")
def seed(
    unit: Unit, /, tournament_id: int, *, order: Sequence[int] | None = None, draw_seed: int | None = None
) -> Answer:
    """
    Give seeds 1..n to the confirmed entrants: in `order` (entry ids, strongest first), or drawn at random.

    A draw is recorded: the same `draw_seed` and the same entrants, in order of registration, give the same seeds.
    """
    tournament = unit.lock(tournament_id)
    _before_bracket(unit)
    confirmed = {entry.pk: entry for entry in tournament.entries.filter(status=EntryStatus.CONFIRMED).order_by("pk")}
    if order is not None:
        if sorted(order) != sorted(confirmed):
            message = "The order must name every confirmed entrant exactly once."
            raise BadRequest(message, confirmed=list(confirmed))
        tournament.seeding, tournament.draw_seed = "manual", None
    else:
        # 53 bits: the largest whole number that JavaScript reads exactly.
        tournament.draw_seed = secrets.randbits(53) if draw_seed is None else draw_seed
        tournament.seeding = "random"
        order = draw(list(confirmed), random.Random(tournament.draw_seed))  # noqa: S311 - to be repeatable
    changes = []
    for number, entry_id in enumerate(order, start=1):
        entry = unit.watch(confirmed[entry_id])
        entry.seed = number
        changes.append(unit.save(entry))
    unit.emit(EntriesSeeded(tournament=unit.save(tournament), entries=changes))
    return {"tournament_id": tournament.pk}


def promote_waitlisted(unit: Unit) -> None:
    """Give free places to the waitlist, first come first served. Nothing happens once there is a bracket."""
    tournament = unit.tournament
    if tournament.status not in _BEFORE_PLAY or tournament.matches.exists():
        return
    free = tournament.capacity - tournament.entries.filter(status=EntryStatus.CONFIRMED).count()
    waiting = tournament.entries.filter(status=EntryStatus.WAITLISTED).order_by("pk")
    if tournament.check_in_closed:
        waiting = waiting.exclude(checked_in_at=None)
    for entry in waiting[: max(free, 0)]:
        unit.watch(entry)
        entry.status = EntryStatus.CONFIRMED
        unit.emit(RegistrationPromoted(entry=unit.save(entry)))


def close_check_in(unit: Unit) -> int:
    """
    Deal with confirmed entrants who did not check in, once, as the tournament's `no_show_rule` says; return how many.

    Dropped, their places go to those on the waitlist who did check in. Nothing happens where nobody has to.
    """
    tournament = unit.tournament
    if not tournament.check_in or tournament.check_in_closed:
        return 0
    absent = list(tournament.entries.filter(status=EntryStatus.CONFIRMED, checked_in_at=None).order_by("pk"))
    for entry in absent:
        unit.watch(entry)
        entry.status = EntryStatus.NO_SHOW
        if tournament.no_show_rule == NoShowRule.DROP:
            entry.seed = None
        unit.emit(RegistrationCancelled(entry=unit.save(entry)))
    tournament.check_in_closed = True
    unit.emit(CheckInClosed(tournament=unit.save(tournament)))
    promote_waitlisted(unit)
    return len(absent)


def _enter(unit: Unit, entry: Entry, name: str) -> Answer:
    tournament = unit.tournament
    entry.tournament, entry.created_at = tournament, unit.now
    entry.name = clean_line("name", name, at_most=60, required=True)
    if tournament.entries.filter(status__in=ACTIVE, name__iexact=entry.name).exists():
        message = f"Somebody is registered as {entry.name} already. Choose another name."
        raise Conflict(message, field="name")
    confirmed = tournament.entries.filter(status=EntryStatus.CONFIRMED).count()
    entry.status = EntryStatus.CONFIRMED if confirmed < tournament.capacity else EntryStatus.WAITLISTED
    change: EntryChange = unit.save(entry)
    unit.emit(RegistrationCreated(entry=change))
    return {"entry_id": entry.pk}


def _before_bracket(unit: Unit) -> None:
    tournament = unit.tournament
    if tournament.status not in _BEFORE_PLAY:
        message = f"The tournament is {tournament.status.replace('_', ' ')}; its entrants cannot change any more."
        raise Conflict(message, status=tournament.status)
    if tournament.matches.exists():
        message = "The bracket has been drawn; its entrants cannot change any more."
        raise Conflict(message, status=tournament.status)


def _checkable(unit: Unit, entry: Entry) -> None:
    _before_bracket(unit)
    if not unit.tournament.check_in:
        message = "This tournament has no check-in."
        raise Conflict(message, status=unit.tournament.status)
    if entry.status != EntryStatus.CONFIRMED:
        message = f"{entry.name} is {entry.status.replace('_', ' ')}; only a confirmed entrant can check in."
        raise Conflict(message, status=entry.status)
