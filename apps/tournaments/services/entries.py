"""Who takes part: register, withdraw, be disqualified, check in, and be seeded."""

import random
import secrets
from collections.abc import Sequence

from django.db.models import Q

from apps.errors import BadRequest, Conflict
from apps.moments import Moment
from apps.tournaments.events import (
    CheckInClosed,
    EntriesSeeded,
    EntryChange,
    EntryDisqualified,
    MatchChange,
    MatchEntrantRenamed,
    RegistrationCancelled,
    RegistrationCheckedIn,
    RegistrationCheckinReverted,
    RegistrationCreated,
    RegistrationUpdated,
)
from apps.tournaments.labels import words
from apps.tournaments.models import Entry, EntryRule, EntryStatus, NoShowRule, Status
from apps.tournaments.models.entry import TAKES_A_PLACE
from apps.tournaments.selectors.ratings import strongest_first
from apps.tournaments.services import rosters
from apps.tournaments.services.admission import admit, check_may_register, check_name, stage_to_join
from apps.tournaments.services.progress import leave
from apps.tournaments.services.unit import Answer, Unit, command
from apps.tournaments.services.waitlist import check_before_draw, end_offers, is_drawn, promote_waitlisted
from apps.tournaments.text import clean_line
from engine.seeding import draw
from engine.text import gettext as _

_CAN_CHECK_IN = (EntryStatus.CONFIRMED, EntryStatus.OFFERED, EntryStatus.WAITLISTED)


@command("register")
def register(
    unit: Unit,
    /,
    tournament_id: int,
    *,
    name: str = "",
    code: str = "",
    team_id: int | None = None,
    roster: Sequence[int] | None = None,
) -> Answer:
    """
    Enter the person acting, or their team with a `roster` of user ids (all members when it is None).

    `name`: to play under; else the user's or the team's. `code`: where the tournament is for invited people. On the
    waitlist when the places are taken; where an organiser decides, pending. Answers {"entry_id"}.
    """
    team = rosters.lock_team(team_id)
    tournament = unit.lock(tournament_id)
    stage = stage_to_join(unit, registering=True)
    rosters.check_fits(tournament, team, unit.user)
    entry = Entry(tournament=tournament, user=unit.user, team=team, created_at=unit.now)
    check_may_register(unit, entry, stage, code=code)
    if team is not None:
        entry.roster = rosters.chosen(tournament, team, roster)
    _name(entry, name or (team.name if team else unit.user.username))
    if tournament.entry_rule == EntryRule.APPROVAL:
        entry.status = EntryStatus.PENDING
        unit.emit(RegistrationCreated(entry=unit.save(entry)))
    else:
        admit(unit, entry, stage, RegistrationCreated)
    return {"entry_id": entry.pk}


@command("add_entry")
def add(unit: Unit, /, tournament_id: int, *, name: str) -> Answer:
    """Enter somebody by name, without an account; the staff acts for them. Answers {"entry_id"}."""
    entry = Entry(tournament=unit.lock(tournament_id), created_at=unit.now)
    stage = stage_to_join(unit)
    _name(entry, name)
    admit(unit, entry, stage, RegistrationCreated)
    return {"entry_id": entry.pk}


@command("update_entry")
def update(unit: Unit, /, entry_id: int, *, name: str) -> Answer:
    """Give an entrant another name, whenever it turns out to be wrong or unfit. Answers {"entry_id"}."""
    entry = unit.lock_entry(entry_id)
    _name(entry, name)
    unit.emit(RegistrationUpdated(entry=unit.save(entry)))
    change = EntryChange(id=entry.pk, name=entry.name, seed=entry.seed)
    for match in unit.tournament.matches.filter(Q(home=entry) | Q(away=entry)).order_by("stage", "number"):
        unit.emit(MatchEntrantRenamed(match=MatchChange(id=match.pk), entry=change))
    return {"entry_id": entry.pk}


@command("withdraw")
def withdraw(unit: Unit, /, entry_id: int) -> Answer:
    """
    Leave, or give a place back that is held. Before the bracket is drawn, the first on the waitlist takes the place;
    after, the opponent of the present match and of the next one walks over.
    """
    return take_out(unit, unit.lock_entry(entry_id), EntryStatus.WITHDRAWN)


@command("disqualify_entry")
def disqualify(unit: Unit, /, entry_id: int) -> Answer:
    """Rule that an entrant may not go on. As withdrawing; in a round robin none of their results count any more."""
    return take_out(unit, unit.lock_entry(entry_id), EntryStatus.DISQUALIFIED)


@command("check_in")
def check_in(unit: Unit, /, entry_id: int) -> Answer:
    """
    Say that an entrant is here. Possible until the bracket is drawn, in a tournament that checks in, while it does.

    Who waits for a place can check in too: places that are free at the end go to those who did.
    """
    entry = unit.lock_entry(entry_id)
    _checkable(unit, entry)
    if entry.checked_in_at is not None:
        message = _("{name} is checked in already.", name=entry.name)
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
        message = _("{name} is not checked in.", name=entry.name)
        raise Conflict(message, checked_in=False)
    entry.checked_in_at = None
    unit.emit(RegistrationCheckinReverted(entry=unit.save(entry)))
    return {"entry_id": entry.pk}


@command("seed_entries")
def seed(
    unit: Unit,
    /,
    tournament_id: int,
    *,
    order: Sequence[int] | None = None,
    draw_seed: int | None = None,
    by_rating: bool = False,
) -> Answer:
    """
    Give seeds 1..n to the confirmed entrants: in `order` (entry ids, strongest first), by rating, or drawn at random.

    A draw is recorded: the same `draw_seed` and the same entrants, in order of registration, give the same seeds.
    """
    tournament = unit.lock(tournament_id)
    check_before_draw(unit)
    confirmed = {entry.pk: entry for entry in tournament.entries.filter(status=EntryStatus.CONFIRMED).order_by("pk")}
    if order is not None:
        if sorted(order) != sorted(confirmed):
            message = _("The order must name every confirmed entrant exactly once.")
            raise BadRequest(message, confirmed=list(confirmed))
        tournament.seeding, tournament.draw_seed = "manual", None
    elif by_rating:
        tournament.seeding, tournament.draw_seed = "rating", None
        order = [entry.pk for entry in strongest_first(tournament.game, confirmed.values())]
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
    end_offers(unit)
    tournament.check_in_closed = True
    unit.emit(CheckInClosed(tournament=unit.save(tournament)))
    promote_waitlisted(unit)
    return len(absent)


def _name(entry: Entry, name: str) -> None:
    entry.name = clean_line("name", name, at_most=60, required=True)
    check_name(entry)


def take_out(unit: Unit, entry: Entry, status: EntryStatus) -> Answer:
    """Let a watched entry leave: withdrawn or disqualified. Raises Conflict when it takes part no more."""
    if not entry.is_active or unit.tournament.status in (Status.COMPLETED, Status.CANCELLED):
        message = _("This entrant is not taking part any more.")
        raise Conflict(message, status=entry.status)
    had_a_place, played = entry.status in TAKES_A_PLACE, entry.status == EntryStatus.CONFIRMED
    entry.status, entry.claim_by, entry.left_at = status, None, unit.now
    disqualified = status == EntryStatus.DISQUALIFIED
    change = unit.save(entry)
    unit.emit(EntryDisqualified(entry=change) if disqualified else RegistrationCancelled(entry=change))
    if is_drawn(unit.tournament):
        if played:
            leave(unit, entry, disqualified=disqualified)
    elif had_a_place:
        promote_waitlisted(unit)
    return {"entry_id": entry.pk}


def _checkable(unit: Unit, entry: Entry) -> None:
    check_before_draw(unit)
    tournament = unit.tournament
    opens, closes = tournament.check_in_opens_at, tournament.check_in_closes_at
    message = ""
    if not tournament.check_in:
        message = _("This tournament has no check-in.")
    elif opens and unit.now < opens:
        message = _("Check-in opens on {opens}.", opens=Moment(opens))
    elif closes and unit.now >= closes:
        message = _("Check-in closed on {closes}. Ask an organiser.", closes=Moment(closes))
    elif tournament.check_in_closed:
        message = _("Check-in is over. Ask an organiser.")
    if message:
        raise Conflict(message, status=tournament.status)
    if entry.status not in _CAN_CHECK_IN:
        state = words(entry.status)
        message = _(
            "{name} is {state}; only an entrant who has a place or waits for one can check in.",
            name=entry.name,
            state=state,
        )
        raise Conflict(message, status=entry.status)
