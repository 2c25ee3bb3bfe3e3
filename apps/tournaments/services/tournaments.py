"""Create a tournament, change its settings, lead it from draft to open registration and back, and choose its staff."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import models

from apps.accounts.models import User
from apps.errors import BadRequest, Conflict, NotFound
from apps.eventlog import log
from apps.tournaments import permissions
from apps.tournaments.events import (
    MemberAdded,
    MemberChange,
    MemberRemoved,
    RegistrationClosed,
    RegistrationOpened,
    TournamentCancelled,
    TournamentCreated,
    TournamentPublished,
    TournamentUpdated,
)
from apps.tournaments.labels import both, words
from apps.tournaments.models import (
    EntryRule,
    Member,
    NoShowRule,
    Participation,
    Role,
    Stage,
    Status,
    Tournament,
)
from apps.tournaments.models.entry import ACTIVE
from apps.tournaments.services import ratings, staff_links
from apps.tournaments.services.admission import new_invite_code
from apps.tournaments.services.stages import stage_settings
from apps.tournaments.services.unit import Answer, Unit, command
from apps.tournaments.services.waitlist import promote_waitlisted, taken
from apps.tournaments.state import member_fields
from apps.tournaments.text import clean_line, clean_moment, clean_text
from engine.bracket import MAX_ENTRANTS, MIN_ENTRANTS
from engine.stages import Format
from engine.text import Listed
from engine.text import gettext as _

_WEEK = 7 * 24 * 60  # minutes
_MAX_RATING = 10_000
MAX_ROSTER = 30
_COLOUR = re.compile(r"#[0-9a-f]{6}")

# Which status each step leads from and to, and how it is said.
_STEPS: dict[str, tuple[tuple[Status, ...], Status]] = {
    "publish": ((Status.DRAFT,), Status.PUBLISHED),
    "open registration": ((Status.PUBLISHED, Status.REGISTRATION_CLOSED), Status.REGISTRATION_OPEN),
    "close registration": ((Status.REGISTRATION_OPEN,), Status.REGISTRATION_CLOSED),
    "cancel": (
        (
            Status.DRAFT,
            Status.PUBLISHED,
            Status.REGISTRATION_OPEN,
            Status.REGISTRATION_CLOSED,
            Status.LIVE,
        ),
        Status.CANCELLED,
    ),
}
_STEP_WORDS = {
    "publish": _("publish"),
    "open registration": _("open registration"),
    "close registration": _("close registration"),
    "cancel": _("cancel"),
}


@command("create_tournament")
def create(
    unit: Unit,
    /,
    *,
    name: str,
    game: str = "",
    description: str = "",
    accent: str = "#2f6fed",
    capacity: int = 16,
    check_in: bool = False,
    starts_at: datetime | None = None,
    format: Format = Format.SINGLE_ELIMINATION,
    third_place_match: bool = True,
    stage: Mapping[str, Any] | None = None,
    is_demo: bool = False,
    **settings: Any,
) -> Answer:
    """
    Make a draft with one stage; the creator becomes its organiser. Answers {"tournament_id"}.

    `stage`: settings of the stage, fields of engine.stages.StageSettings. Of the other settings see `_CHECKS`.
    """
    permissions.require(unit.action, unit.actor.user)
    tournament = Tournament(created_by=unit.user, created_at=unit.now, is_demo=is_demo)
    settings |= {
        "name": name,
        "game": game,
        "description": description,
        "accent": accent,
        "capacity": capacity,
        "check_in": check_in,
        "starts_at": starts_at,
    }
    configure(tournament, settings)
    created = unit.save(tournament)
    first = Stage(tournament=tournament, number=1, format=format)
    first.options = stage_settings(format, {"third_place_match": third_place_match, **(stage or {})})
    first_change = unit.save(first)
    member = Member.objects.create(tournament=tournament, user=unit.user, role=Role.ORGANIZER)
    log.create(tournament.stream)
    unit.adopt(tournament)
    unit.emit(TournamentCreated(tournament=created, stage=first_change))
    unit.emit(MemberAdded(member=MemberChange(**member_fields(member))))
    return {"tournament_id": tournament.pk}


@command("edit_tournament")
def edit(unit: Unit, /, tournament_id: int, **settings: Any) -> Answer:
    """
    Change settings; takes the keywords of `create`, of which only those given change.

    Entrants on the waitlist move up when the capacity grows. Once there is a bracket, what shaped it
    (capacity, check_in, third_place_match) stays.
    """
    tournament = unit.lock(tournament_id)
    was_rated, game, participation = tournament.rated, tournament.game, tournament.participation
    stage = unit.watch(tournament.stages.get(number=1))
    if stage.matches.exists() and (shape := {"capacity", "check_in", "third_place_match"} & settings.keys()):
        current = {"capacity": tournament.capacity, "check_in": tournament.check_in}
        current["third_place_match"] = stage.options.third_place_match
        if changed := sorted(name for name in shape if settings[name] != current[name]):
            message = _(
                "The bracket has been drawn, so {settings} cannot change now.",
                settings=both(map(words, changed)),
            )
            raise Conflict(message, status=tournament.status)
    if "third_place_match" in settings:
        stage.options = replace(stage.options, third_place_match=bool(settings.pop("third_place_match")))
    configure(tournament, settings)
    if tournament.participation != participation and tournament.entries.filter(status__in=ACTIVE).exists():
        message = _("There are entrants already, so it stays as it is whether teams or single players take part.")
        raise Conflict(message, participation=participation)
    places = taken(tournament)
    if tournament.capacity < places:
        message = _(
            "{places} entrants are confirmed or have a place held, so the capacity cannot go below {places}.",
            places=places,
        )
        raise Conflict(message, taken=places)
    unit.emit(TournamentUpdated(tournament=unit.save(tournament), stage=unit.save(stage)))
    if (tournament.rated, tournament.game) != (was_rated, game):
        for changed_game in {game, tournament.game}:
            ratings.recompute(changed_game)
    promote_waitlisted(unit)
    return {"tournament_id": tournament.pk}


@command("publish_tournament")
def publish(unit: Unit, /, tournament_id: int) -> Answer:
    """Show the draft to everybody."""
    unit.lock(tournament_id)
    _move(unit, "publish")
    unit.emit(TournamentPublished(tournament=unit.save(unit.tournament)))
    return {"tournament_id": tournament_id}


@command("open_registration")
def open_registration(unit: Unit, /, tournament_id: int) -> Answer:
    """Let people enter. Possible until there is a bracket."""
    unit.lock(tournament_id)
    if unit.tournament.matches.exists():
        message = _("The bracket has been drawn, so nobody can enter any more.")
        raise Conflict(message, status=unit.tournament.status)
    _move(unit, "open registration")
    unit.emit(RegistrationOpened(tournament=unit.save(unit.tournament)))
    return {"tournament_id": tournament_id}


@command("close_registration")
def close_registration(unit: Unit, /, tournament_id: int) -> Answer:
    """Let nobody else enter; the waitlist keeps its order and still moves up when somebody withdraws."""
    unit.lock(tournament_id)
    _move(unit, "close registration")
    unit.emit(RegistrationClosed(tournament=unit.save(unit.tournament)))
    return {"tournament_id": tournament_id}


@command("cancel_tournament")
def cancel(unit: Unit, /, tournament_id: int) -> Answer:
    """Call the tournament off, for good. Everything that happened stays readable."""
    unit.lock(tournament_id)
    _move(unit, "cancel")
    unit.emit(TournamentCancelled(tournament=unit.save(unit.tournament)))
    return {"tournament_id": tournament_id}


@command("add_member")
def add_member(unit: Unit, /, tournament_id: int, *, username: str, role: Role) -> Answer:
    """
    Make somebody a referee or organiser, or change which of the two they are. Answers {"user_id"}.

    For whoever may do less from now on, the links to the staff that they know end.
    """
    tournament = unit.lock(tournament_id)
    if role not in (Role.REFEREE, Role.ORGANIZER):
        message = _("A member of the staff is a referee or an organiser.")
        raise BadRequest(message)
    user = User.objects.filter(username__iexact=username.strip(), is_active=True).first()
    if user is None:
        message = _("Nobody has this user name. Ask them for the name shown on their profile page.")
        raise NotFound(message)
    former = Member.objects.filter(tournament=tournament, user=user).first()
    may_do_less = former is not None and role < former.role
    member = former or Member(tournament=tournament, user=user)
    _keep_an_organizer(member, becomes=role)
    member.role = role
    member.save()
    if may_do_less:
        staff_links.end_all(unit)
    unit.emit(MemberAdded(member=MemberChange(**member_fields(member))))
    return {"user_id": user.pk}


@command("remove_member")
def remove_member(unit: Unit, /, tournament_id: int, user_id: int) -> Answer:
    """Take somebody off the staff, and end the links that lead back to it. The last organiser cannot leave."""
    tournament = unit.lock(tournament_id)
    member = Member.objects.filter(tournament=tournament, user_id=user_id).first()
    if member is None:
        message = _("This person is not on the staff.")
        raise NotFound(message)
    _keep_an_organizer(member, becomes=None)
    member.delete()
    staff_links.end_all(unit)
    unit.emit(MemberRemoved(removed={"staff": [user_id]}))
    return {"user_id": user_id}


def configure(tournament: Tournament, settings: Mapping[str, Any]) -> None:
    """
    Give a tournament settings, which the caller saves; see `_CHECKS`.

    Raises:
        BadRequest: a setting does not exist, is out of range, or does not go with another; `field` names it.
    """
    for setting, value in settings.items():
        setattr(tournament, setting, _checked(setting, value))
    _agree(tournament)


def _keep_an_organizer(member: Member, *, becomes: Role | None) -> None:
    if member.role != Role.ORGANIZER or becomes is Role.ORGANIZER:
        return
    others = Member.objects.filter(tournament=member.tournament, role=Role.ORGANIZER).exclude(pk=member.pk)
    if not others.exists():
        message = _("A tournament needs an organiser. Make somebody else one first.")
        raise Conflict(message)


def _move(unit: Unit, step: str) -> None:
    tournament = unit.tournament
    allowed, to = _STEPS[step]
    if tournament.status not in allowed:
        possible = [name for name, (sources, _) in _STEPS.items() if tournament.status in sources]
        message = _(
            "The tournament is {status}, so it is not possible to {step}. Possible now: {possible}.",
            status=words(tournament.status),
            step=_STEP_WORDS[step],
            possible=Listed(_STEP_WORDS[name] for name in possible) if possible else _("nothing more"),
        )
        raise Conflict(message, status=tournament.status, possible=possible)
    tournament.status = to


def _checked(setting: str, value: Any) -> Any:
    """Return a setting's clean value. Raises BadRequest with the sentence for its form field."""
    if setting not in _CHECKS:
        message = _("There is no setting {setting}.", setting=setting)
        raise BadRequest(message)
    return _CHECKS[setting](value)


def _colour(value: str) -> str:
    if not _COLOUR.fullmatch(value.lower()):
        message = _("A colour is written #rrggbb, for example #2f6fed.")
        raise BadRequest(message, field="accent")
    return value.lower()


def _capacity(value: int) -> int:
    if not MIN_ENTRANTS <= value <= MAX_ENTRANTS:
        message = _("A tournament has {least} to {most} places.", least=MIN_ENTRANTS, most=MAX_ENTRANTS)
        raise BadRequest(message, field="capacity")
    return value


def _moment(field: str) -> Callable[[datetime | None], datetime | None]:
    return lambda value: None if value is None else clean_moment(field, value)


def _agree(tournament: Tournament) -> None:
    """Pass settings that make sense together. Who asks for invitations gets a code to invite with."""
    opens, closes = tournament.check_in_opens_at, tournament.check_in_closes_at
    pairs: tuple[tuple[Any, Any, str, str], ...] = (
        (opens, closes, "check_in_closes_at", _("Check-in cannot end before it begins.")),
        (
            tournament.rating_min,
            tournament.rating_max,
            "rating_max",
            _("The highest rating cannot be below the lowest."),
        ),
        (
            tournament.roster_min,
            tournament.roster_max,
            "roster_max",
            _("A team cannot have fewer players at most than at least."),
        ),
    )
    for earlier, later, field, message in pairs:
        if earlier is not None and later is not None and later < earlier:
            raise BadRequest(message, field=field)
    if not tournament.game and (tournament.rating_min, tournament.rating_max) != (None, None):
        message = _("Ratings are of one game: say which one is played, or ask for no rating.")
        raise BadRequest(message, field="game")
    if tournament.entry_rule == EntryRule.INVITE and not tournament.invite_code:
        tournament.invite_code = new_invite_code()


def _choice(choices: type[models.TextChoices], field: str) -> Callable[[Any], str]:
    def checked(value: Any) -> str:
        if value not in choices.values:
            message = _("{field} is one of {names}.", field=field, names=Listed(choices.values))
            raise BadRequest(message, field=field)
        return str(value)

    return checked


def _whole(field: str, least: int, most: int) -> Callable[[Any], int]:
    def checked(value: Any) -> int:
        if not isinstance(value, int) or not least <= value <= most:
            message = _("{field} is a whole number from {least} to {most}.", field=field, least=least, most=most)
            raise BadRequest(message, field=field)
        return value

    return checked


def _rating(field: str) -> Callable[[Any], float | None]:
    def checked(value: Any) -> float | None:
        if value is not None and not -_MAX_RATING <= value <= _MAX_RATING:
            message = _(
                "{field} is a number from {least} to {most}.", field=field, least=-_MAX_RATING, most=_MAX_RATING
            )
            raise BadRequest(message, field=field)
        return None if value is None else float(value)

    return checked


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "name": lambda value: clean_line("name", value, at_most=100, required=True),
    "game": lambda value: clean_line("game", value, at_most=60),
    "description": lambda value: clean_text("description", value, at_most=4000),
    "accent": _colour,
    "capacity": _capacity,
    "check_in": bool,
    "starts_at": _moment("starts_at"),
    "participation": _choice(Participation, "participation"),
    "roster_min": _whole("roster_min", 1, MAX_ROSTER),
    "roster_max": _whole("roster_max", 1, MAX_ROSTER),
    "entry_rule": _choice(EntryRule, "entry_rule"),
    "invite_code": lambda value: clean_line("invite_code", value, at_most=40),
    "rating_min": _rating("rating_min"),
    "rating_max": _rating("rating_max"),
    "late_entry": bool,
    "claim_minutes": _whole("claim_minutes", 0, _WEEK),
    "check_in_opens_at": _moment("check_in_opens_at"),
    "check_in_closes_at": _moment("check_in_closes_at"),
    "no_show_rule": _choice(NoShowRule, "no_show_rule"),
    "match_check_in_minutes": _whole("match_check_in_minutes", 0, _WEEK),
    "confirm_minutes": _whole("confirm_minutes", 0, _WEEK),
    "rated": bool,
}
