"""
An account ends: who they were is erased, in rows and in the log, and what they played stays, under a name that tells
nothing. docs/decisions/0010 says why so.
"""

from collections.abc import Iterator, Mapping, Sequence

import structlog
from django.db import transaction
from django.db.models import Q

from apps.accounts import services as accounts
from apps.accounts.models import User
from apps.errors import Conflict
from apps.eventlog import log
from apps.eventlog.models import Event, Receipt
from apps.tournaments.events import (
    EntryChange,
    MatchChange,
    MatchEntrantRenamed,
    MemberRemoved,
    PersonErased,
    RegistrationUpdated,
)
from apps.tournaments.models import Dispute, Entry, EntryStatus, Evidence, Report, Team, Tournament
from apps.tournaments.models.entry import ACTIVE
from apps.tournaments.selectors.leaving import OVER, Leaving, heir_of, leaving, named_in
from apps.tournaments.services import evidence_files, rosters, searching
from apps.tournaments.services.entries import take_out
from apps.tournaments.services.redaction import Redaction
from apps.tournaments.services.unit import Actor, Unit, present
from engine.text import gettext as _

logger = structlog.get_logger(__name__)

# Stored, so in one language, as all names are. Nobody can sign up with a name that has spaces.
PERSON = "Deleted person"
ENTRANT = "Former entrant"

_TRIES = 3
Units = Mapping[int, Unit]


class _ElsewhereError(Exception):
    """The person came to be named in another tournament before they could be held fast."""


def check(found: Leaving) -> None:
    """
    Pass a person who can go.

    Raises:
        Conflict: a tournament that goes on, or the site, would be left without anybody who leads it.
    """
    if found.led_alone:
        names = [tournament.name for tournament in found.led_alone]
        message = _(
            "You are the only organiser of {tournaments}. Make somebody else an organiser there, or cancel it, then "
            "delete your account.",
            tournaments=", ".join(names),
        )
        raise Conflict(message, tournaments=names)
    if found.is_last_administrator:
        message = _("You are the only administrator of this site. Make somebody else one first.")
        raise Conflict(message)


def erase(user: User) -> None:
    """
    Erase a person, for good, or change nothing.

    Entries that still play are withdrawn; teams that they lead go to the member who has been in longest, or end.

    Raises:
        Conflict: as `check`.

    Cost: a look through the texts of the whole log for their user name; and, in one transaction, a rewrite of the log
    of each tournament in which they are named (`log.redact`), with those tournaments locked.
    """
    pk = user.pk
    for _try in range(_TRIES):
        newest = Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        named = named_in(user)
        try:
            with transaction.atomic():
                _erase(user, named, newest)
        except _ElsewhereError:
            continue
        logger.info("account_erased", user=pk)
        return
    message = _("Your account is in use at this moment. Try again.")
    raise Conflict(message)


def _erase(user: User, named: set[int], newest: int) -> None:
    # Teams before tournaments, as everybody locks them; then the account, so that nothing can refer to it any more.
    led = Q(captain=user) | Q(pk__in=user.teams.values("team"))
    teams = list(Team.objects.select_for_update(no_key=True).filter(led, disbanded_at=None).order_by("pk"))
    tournaments = Tournament.objects.select_for_update(no_key=True).filter(pk__in=named).order_by("pk")
    units = {tournament.pk: _unit(user, tournament) for tournament in tournaments}
    if User.objects.select_for_update().filter(pk=user.pk).first() is None:
        return
    if not named_in(user, after=newest) <= units.keys():
        raise _ElsewhereError
    check(leaving(user))
    _forget_texts(user)
    for team in teams:
        if team.captain_id == user.pk:
            _leave_captaincy(user, team, units)
    for unit in units.values():
        _clean(unit, user)
        unit.finish({}, fingerprint="")
    Receipt.objects.filter(actor=Actor(user).name).delete()
    accounts.erase(user, shown_as=PERSON)


def _unit(user: User, tournament: Tournament) -> Unit:
    unit = Unit("erase_account", Actor(user), present())
    unit.adopt(unit.watch(tournament))
    return unit


def _forget_texts(user: User) -> None:
    """Delete what the person wrote and showed to others: images and words of disputes, words of reports."""
    evidence_files.discard(Evidence.objects.filter(uploaded_by=user))
    own = Q(opened_by="home", match__home__user=user) | Q(opened_by="away", match__away__user=user)
    Dispute.objects.filter(pk__in=Dispute.objects.filter(own).values("pk")).update(text="")
    Report.objects.filter(reporter=user).update(text="")


def _leave_captaincy(user: User, team: Team, units: Units) -> None:
    """Give a team to the member who has been in longest, also where it plays; without one it is disbanded."""
    heir = heir_of(team)
    for unit, entry in _playing(team, units):
        if heir is None:
            take_out(unit, entry, EntryStatus.WITHDRAWN)
        elif entry.user_id == user.pk:
            # Who takes part otherwise acts for one entrant already; then the staff acts for the team.
            entry.user = None if heir.pk in rosters.plays_with(unit.tournament, besides=entry) else heir
            unit.emit(RegistrationUpdated(entry=unit.save(entry)))
    team.captain = heir
    if heir is None:
        team.members.all().delete()
        team.disbanded_at = present()
    team.save()
    searching.index([team])


def _playing(team: Team, units: Units) -> Iterator[tuple[Unit, Entry]]:
    for entry in team.entries.filter(status__in=ACTIVE).order_by("tournament"):
        unit = units[entry.tournament_id]
        if unit.tournament.status not in OVER:
            yield unit, unit.watch(entry)


def _clean(unit: Unit, user: User) -> None:
    """Let a person leave a tournament, and put other names in the place of theirs, in its rows and in its log."""
    tournament = unit.tournament
    own = list(tournament.entries.filter(user=user, team=None).order_by("pk"))
    names = _names_for(tournament, own)
    replaced = log.redact(tournament.stream, Redaction(user.pk, user.username, PERSON, names).rewritten)
    for entry in own:
        unit.watch(entry).name = names[entry.pk]
        entry.reports.update(shown=entry.name)
    changes = [unit.save(entry) for entry in (*own, *_rosters_without(unit, user))]
    if replaced or changes:
        unit.emit(PersonErased(entries=changes))
        _tell_matches(unit, own)
    for entry in own:  # last, for who moves up or down a bracket is told by name
        if entry.is_active and tournament.status not in OVER:
            take_out(unit, entry, EntryStatus.WITHDRAWN)
    if tournament.members.filter(user=user).delete()[0]:
        unit.emit(MemberRemoved(removed={"staff": [user.pk]}))


def _names_for(tournament: Tournament, own: Sequence[Entry]) -> dict[int, str]:
    """Return the name that each entry gets. Should another entrant call itself so, it has dots behind it."""
    others = tournament.entries.exclude(pk__in=[entry.pk for entry in own]).values_list("name", flat=True)
    taken = {name.lower() for name in others}
    names = {}
    for entry in own:
        name = f"{ENTRANT} {entry.pk}"
        while name.lower() in taken:
            name += "."
        names[entry.pk] = name
    return names


def _rosters_without(unit: Unit, user: User) -> Iterator[Entry]:
    """Take a player off the rosters that can still change, and their name off the others."""
    for entry in unit.tournament.entries.exclude(team=None).order_by("pk"):
        if not any(player["user"] == user.pk for player in entry.roster):
            continue
        unit.watch(entry)
        others = [player for player in entry.roster if player["user"] != user.pk]
        if entry.is_active and rosters.can_change(unit.tournament):
            entry.roster = others
        else:
            gone = {"user": None, "name": PERSON}
            entry.roster = [gone if player["user"] == user.pk else player for player in entry.roster]
        yield entry


def _tell_matches(unit: Unit, own: Sequence[Entry]) -> None:
    """Tell the rooms of single matches, which do not hear of entrants otherwise."""
    for entry in own:
        change = EntryChange(id=entry.pk, name=entry.name, seed=entry.seed)
        for match in unit.tournament.matches.filter(Q(home=entry) | Q(away=entry)).order_by("stage", "number"):
            unit.emit(MatchEntrantRenamed(match=MatchChange(id=match.pk), entry=change))
