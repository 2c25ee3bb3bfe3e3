"""Who gets in: invite codes, ratings, an organiser's approval, and joining a Swiss stage that has begun."""

import secrets

from django.db.models import Max, Q

from apps.errors import BadRequest, Conflict, PermissionDenied
from apps.tournaments.events import RegistrationCancelled, RegistrationCreated, RegistrationPromoted, StandingsUpdated
from apps.tournaments.labels import both, words
from apps.tournaments.models import (
    Entry,
    EntryRule,
    EntryStatus,
    NoShowRule,
    Rating,
    Stage,
    StageEntry,
    StageState,
    Status,
    Tournament,
)
from apps.tournaments.models.entry import ACTIVE
from apps.tournaments.selectors import standings
from apps.tournaments.services import rosters
from apps.tournaments.services.unit import Answer, Unit, command
from apps.tournaments.services.waitlist import check_before_draw, free, is_drawn
from engine.stages import Format
from engine.text import Figure
from engine.text import gettext as _

# Whom an organiser can let in: who asks, and whom a decision or the clock has put out.
_CAN_BE_LET_IN = (
    EntryStatus.PENDING,
    EntryStatus.DECLINED,
    EntryStatus.EXPIRED,
    EntryStatus.NO_SHOW,
    EntryStatus.DISQUALIFIED,
)
_CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none looks like another
_CODE_LENGTH = 10


@command("approve_entry")
def approve(unit: Unit, /, entry_id: int) -> Answer:
    """
    Let an entrant in who asks, or who was declined, disqualified, or late to claim a place or to check in.

    On the waitlist when the places are taken. During a stage that can be joined, also somebody from the waitlist.
    Answers {"entry_id"}.
    """
    entry = unit.lock_entry(entry_id)
    stage = stage_to_join(unit)
    if entry.status not in _CAN_BE_LET_IN and not (stage and entry.status == EntryStatus.WAITLISTED):
        message = _("{name} is {status}; there is nothing to approve.", name=entry.name, status=words(entry.status))
        raise Conflict(message, status=entry.status)
    if entry.user_id is not None and entry.team_id is None:
        rosters.check_not_banned(unit.tournament, {entry.user_id: entry.name})
    if stage is not None:
        _check_is_new(stage, entry)
    check_comes_alone(entry)
    admit(unit, entry, stage, RegistrationPromoted)
    return {"entry_id": entry.pk}


@command("decline_entry")
def decline(unit: Unit, /, entry_id: int) -> Answer:
    """Turn down an entrant who asks to be let in. Answers {"entry_id"}."""
    entry = unit.lock_entry(entry_id)
    if entry.status != EntryStatus.PENDING:
        message = _(
            "{name} is {status}; only who waits for approval can be declined.",
            name=entry.name,
            status=words(entry.status),
        )
        raise Conflict(message, status=entry.status)
    entry.status = EntryStatus.DECLINED
    unit.emit(RegistrationCancelled(entry=unit.save(entry)))
    return {"entry_id": entry.pk}


def new_invite_code() -> str:
    """Return a code of 50 random bits that can be read out."""
    return "".join(secrets.choice(_CODE_LETTERS) for _ in range(_CODE_LENGTH))


def stage_to_join(unit: Unit, *, registering: bool = False) -> Stage | None:
    """
    Return the Swiss stage that an entrant would join late, or None before the bracket is drawn.

    `registering`: by themselves, for which registration has to be open.

    Raises:
        Conflict: nobody can enter now; the sentence says why.
    """
    tournament = unit.tournament
    over = tournament.status in (Status.COMPLETED, Status.CANCELLED)
    if tournament.late_entry and not over and is_drawn(tournament):
        return _stage_that_goes_on(tournament)
    if registering and tournament.status != Status.REGISTRATION_OPEN:
        message = _("Registration is not open; the tournament is {status}.", status=words(tournament.status))
        raise Conflict(message, status=tournament.status)
    check_before_draw(unit)
    return None


def check_may_register(unit: Unit, entry: Entry, stage: Stage | None, *, code: str) -> None:
    """
    Pass an entrant who has what the tournament asks of those who register themselves.

    Raises:
        PermissionDenied: the person is banned.
        Conflict: not a second time, or not with this rating.
        BadRequest: the invite code is another one.
    """
    tournament = unit.tournament
    if tournament.bans.filter(user=entry.user_id).exists():
        message = _("You are banned from this tournament. Its organisers can lift the ban.")
        raise PermissionDenied(message)
    own = Q(user=entry.user_id) | (Q(team=entry.team_id) if entry.team_id else Q())
    earlier = {row.status: row for row in tournament.entries.filter(own).order_by("pk")}
    if active := next((earlier[status] for status in ACTIVE if status in earlier), None):
        message = _("You are registered already, as {name}.", name=active.name)
        raise Conflict(message, entry_id=active.pk, status=active.status)
    for status, message in _STAYS_OUT.items():
        stays = status != EntryStatus.NO_SHOW or tournament.no_show_rule == NoShowRule.WALKOVER
        if status in earlier and stays:
            raise Conflict(message, status=status)
    if stage is not None:
        _check_is_new(stage, entry)
    if tournament.entry_rule == EntryRule.INVITE:
        _check_code(tournament, code)
    _check_rating(tournament, entry)


_STAYS_OUT = {
    EntryStatus.DISQUALIFIED: _("You were disqualified from this tournament and cannot enter it again."),
    EntryStatus.DECLINED: _("An organiser has declined your registration. Ask them to let you in after all."),
    EntryStatus.NO_SHOW: _(
        "You did not check in, and keep your place in the draw. Ask an organiser to let you in again."
    ),
}


def check_comes_alone(entry: Entry) -> None:
    """
    Pass an entrant who comes back, none of whose players, and whose name nobody else, takes part by now.

    Raises:
        Conflict: says who does.
    """
    elsewhere = rosters.plays_with(entry.tournament, besides=entry)
    for person in (entry.user_id, *(player["user"] for player in entry.roster)):
        if person in elsewhere:
            message = _(
                "{name} cannot enter again: a player takes part as {elsewhere} by now.",
                name=entry.name,
                elsewhere=elsewhere[person],
            )
            raise Conflict(message, status=entry.status)
    check_name(entry)


def check_name(entry: Entry) -> None:
    """
    Pass a name that no other active entrant of the tournament has, in whatever case.

    Raises:
        Conflict: somebody has it.
    """
    others = entry.tournament.entries.filter(status__in=ACTIVE, name__iexact=entry.name).exclude(pk=entry.pk)
    if others.exists():
        message = _("Somebody is registered as {name} already. Choose another name.", name=entry.name)
        raise Conflict(message, field="name")


def admit(
    unit: Unit, entry: Entry, stage: Stage | None, event: type[RegistrationCreated | RegistrationPromoted]
) -> None:
    """
    Give an entrant a place, or one at the end of the waitlist, save it, and tell it as `event`.

    After check-in, whoever comes is here. `stage`: the one that is joined, whose places nobody waits for.

    Raises:
        Conflict: `stage` has no place left.
    """
    tournament = unit.tournament
    entry.claim_by = None
    joins = None
    if not free(tournament, besides=entry):
        if stage is not None:
            message = _(
                "All {capacity} places are taken, and nobody can wait for one during play.",
                capacity=tournament.capacity,
            )
            raise Conflict(message, capacity=tournament.capacity)
        entry.status, entry.waitlisted_at = EntryStatus.WAITLISTED, unit.now
    else:
        entry.status = EntryStatus.CONFIRMED
        if tournament.check_in_closed:
            entry.checked_in_at = unit.now
        if stage is not None:
            last = stage.entries.aggregate(seed=Max("seed"), lot=Max("lot"))
            # Lots were drawn for those who began; whoever comes later is drawn after them.
            joins = StageEntry(stage=stage, seed=last["seed"] + 1, lot=last["lot"] + 1)
            entry.seed = joins.seed
    unit.emit(event(entry=unit.save(entry)))
    if joins is not None:
        joins.entry = entry
        unit.emit(StandingsUpdated(stage_entries=[unit.save(joins)]))


def _stage_that_goes_on(tournament: Tournament) -> Stage:
    stage = tournament.stages.filter(state=StageState.LIVE).first()
    if stage is None or stage.number > 1:
        message = _("The first stage is over, and only who played in it goes on.")
    elif stage.format != Format.SWISS:
        name = words(stage.format)
        message = _("Nobody can join a {name} that has been drawn; late entry is for Swiss stages.", name=name)
    elif standings.rounds_paired(stage) >= standings.rounds_in(stage):
        message = _("The last round has been paired, so nobody can join any more.")
    else:
        return stage
    raise Conflict(message, status=tournament.status)


def _check_is_new(stage: Stage, entry: Entry) -> None:
    """Pass an entrant who has not been in a stage: nobody gets rid of their results by coming back."""
    same = Q(entry=entry.pk or 0)
    if entry.user_id:
        same |= Q(entry__user=entry.user_id)
    if entry.team_id:
        same |= Q(entry__team=entry.team_id)
    if stage.entries.filter(same).exists():
        message = _("Who has left a stage that is being played cannot join it again.")
        raise Conflict(message, state=stage.state)


def _check_code(tournament: Tournament, code: str) -> None:
    given, asked = code.strip().casefold().encode(), tournament.invite_code.casefold().encode()
    if not asked or not secrets.compare_digest(given, asked):
        message = _("Only who was invited can enter. Type the invite code that you got from the organiser.")
        raise BadRequest(message, field="code")


def _check_rating(tournament: Tournament, entry: Entry) -> None:
    """Pass a rating within the tournament's limits. Who has none is below every minimum, and above no maximum."""
    least, most = tournament.rating_min, tournament.rating_max
    if least is None and most is None:
        return
    owner = {"team": entry.team_id} if entry.team_id else {"user": entry.user_id}
    rating = Rating.objects.filter(game=tournament.game, **owner).first()
    if rating is None and least is None:
        return
    if rating is not None and (least is None or rating.mu >= least) and (most is None or rating.mu <= most):
        return
    limits = [_("at least {limit}", limit=least)] if least is not None else []
    limits += [_("at most {limit}", limit=most)] if most is not None else []
    has = _("you have none yet") if rating is None else _("yours is {rating}", rating=Figure(f"{rating.mu:.1f}"))
    message = _(
        "This tournament asks for a rating in {game} of {limits}; {has}.",
        game=tournament.game,
        limits=both(limits),
        has=has,
    )
    raise Conflict(message, rating=rating and rating.mu, rating_min=least, rating_max=most)
