"""
Teams, which exist across tournaments: make one, invite people, hand it over, disband it.

A team has no stream of its own. Where a change reaches its entries, it is told in the streams of their tournaments, and
all in one transaction: first the team is locked, then the tournaments, in the order of their ids.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from typing import Concatenate, ParamSpec

from django.db import IntegrityError, transaction

from apps.accounts.models import User
from apps.errors import Conflict, NotFound
from apps.tournaments import permissions
from apps.tournaments.events import RegistrationUpdated
from apps.tournaments.models import Entry, Status, Team, TeamMember, Tournament
from apps.tournaments.models.entry import ACTIVE
from apps.tournaments.services import rosters, searching
from apps.tournaments.services.unit import Actor, Done, Unit, present
from apps.tournaments.text import clean_line
from engine.text import gettext as _

P = ParamSpec("P")

MAX_PEOPLE = 50  # members and invited
_OVER = (Status.COMPLETED, Status.CANCELLED)


@dataclass(slots=True)
class Work:
    """What a service works with: the locked team, the present moment, and the tournaments that it has changed."""

    user: User
    now: datetime
    team: Team
    _units: list[Unit] = field(default_factory=list)

    def entries(self) -> Iterator[tuple[Unit, Entry]]:
        """Give the team's entries in tournaments that are not over, each with its tournament locked."""
        active = self.team.entries.filter(status__in=ACTIVE).exclude(tournament__status__in=_OVER)
        ids = list(active.values_list("tournament", flat=True))
        for tournament in Tournament.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk"):
            unit = Unit("update_roster", Actor(self.user), self.now)
            unit.adopt(unit.watch(tournament))
            self._units.append(unit)
            # Anew, for somebody may have been faster before the lock was ours.
            for entry in [] if tournament.status in _OVER else active.filter(tournament=tournament):
                yield unit, unit.watch(entry)

    def finish(self) -> None:
        for unit in self._units:
            unit.finish({}, fingerprint="")


def _command(
    action: str,
) -> Callable[[Callable[Concatenate[Work, P], None]], Callable[Concatenate[Actor, int, P], Done]]:
    """
    Make a service of a function: `f(work, …)` becomes `f(actor, team_id, …) -> Done`, which answers {"team_id"}.

    A team's commands keep no receipts: sent twice, the second is refused because there is nothing left to do.

    Raises (from the service): AppError. Nothing is changed then.
    """

    def decorate(body: Callable[Concatenate[Work, P], None]) -> Callable[Concatenate[Actor, int, P], Done]:
        @wraps(body)
        def service(actor: Actor, team_id: int, /, *args: P.args, **kwargs: P.kwargs) -> Done:
            with transaction.atomic():
                team = rosters.lock_team(team_id)
                if team is None:
                    message = _("There is no such team.")
                    raise NotFound(message)
                work = Work(permissions.require_in_team(action, actor.user, team), present(), team)
                body(work, *args, **kwargs)
                work.finish()
            return Done("", 0, {"team_id": team_id})

        return service

    return decorate


def create(actor: Actor, *, name: str, tag: str = "") -> Done:
    """Make a team; its maker is its captain and first member. Answers {"team_id"}."""
    user = permissions.require_in_team("create_team", actor.user)
    with transaction.atomic():
        team = Team(captain=user, created_at=present())
        _describe(team, name, tag)
        TeamMember.objects.create(team=team, user=user, joined_at=team.created_at)
    return Done("", 0, {"team_id": team.pk})


@_command("edit_team")
def edit(work: Work, *, name: str | None = None, tag: str | None = None) -> None:
    """Change the name or the tag. Where the team has registered, it keeps the name that it registered under."""
    team = work.team
    _describe(team, team.name if name is None else name, team.tag if tag is None else tag)


@_command("invite_to_team")
def invite(work: Work, *, username: str) -> None:
    """Ask somebody to join."""
    user = User.objects.filter(username__iexact=username.strip(), is_active=True).first()
    if user is None:
        message = _("Nobody has this user name. Ask them for the name shown on their profile page.")
        raise NotFound(message)
    if (known := work.team.members.filter(user=user).first()) is not None:
        message = (
            _("{username} is a member already.", username=user.username)
            if known.joined_at
            else _("{username} is invited already.", username=user.username)
        )
        raise Conflict(message, field="username")
    if work.team.members.count() >= MAX_PEOPLE:
        message = _("A team has at most {most} people. Remove somebody first.", most=MAX_PEOPLE)
        raise Conflict(message, people=MAX_PEOPLE)
    TeamMember.objects.create(team=work.team, user=user)


@_command("accept_invitation")
def accept(work: Work) -> None:
    """Join a team that one is invited to."""
    work.team.members.filter(user=work.user).update(joined_at=work.now)


@_command("decline_invitation")
def decline(work: Work) -> None:
    """Turn an invitation down."""
    work.team.members.filter(user=work.user).delete()


@_command("leave_team")
def leave(work: Work) -> None:
    """Leave; rosters that can still change lose the player. A captain hands the team over first."""
    _remove(work, work.user)


@_command("remove_from_team")
def remove(work: Work, user_id: int) -> None:
    """Take a member off the team, as if they left, or an invitation back."""
    member = work.team.members.select_related("user").filter(user=user_id).first()
    if member is None:
        message = _("This person is not in the team.")
        raise NotFound(message)
    _remove(work, member.user)


@_command("hand_over_team")
def hand_over(work: Work, user_id: int) -> None:
    """
    Make another member the captain, who acts for the team from now on, also where it is playing.

    Raises:
        Conflict: the other takes part in one of the team's tournaments with another team.
    """
    member = work.team.members.select_related("user").filter(user=user_id, joined_at__isnull=False).first()
    if member is None:
        message = _("Only a member who has joined can become the captain.")
        raise Conflict(message, field="captain")
    if user_id == work.team.captain_id:
        message = _("{username} is the captain already.", username=member.user.username)
        raise Conflict(message, field="captain")
    work.team.captain = member.user
    work.team.save()
    for unit, entry in work.entries():
        elsewhere = rosters.plays_with(unit.tournament, besides=entry)
        if user_id in elsewhere:
            message = _(
                "{username} takes part with {elsewhere} in {name}.",
                username=member.user.username,
                elsewhere=elsewhere[user_id],
                name=unit.tournament.name,
            )
            raise Conflict(message, field="captain")
        entry.user = member.user
        unit.emit(RegistrationUpdated(entry=unit.save(entry)))


@_command("disband_team")
def disband(work: Work) -> None:
    """End a team for good. What it has played stays as it is; its name is free again."""
    for unit, _entry in work.entries():
        message = _(
            "{name} takes part in {tournament_name}. Withdraw it there first.",
            name=work.team.name,
            tournament_name=unit.tournament.name,
        )
        raise Conflict(message, tournament=unit.tournament.pk)
    work.team.members.all().delete()
    work.team.disbanded_at = work.now
    work.team.save()
    searching.index([work.team])


def _describe(team: Team, name: str, tag: str) -> None:
    team.name = clean_line("name", name, at_most=60, required=True)
    team.tag = clean_line("tag", tag, at_most=8)
    message = _("There is a team named {name} already. Choose another name.", name=team.name)
    if Team.objects.filter(name__iexact=team.name, disbanded_at=None).exclude(pk=team.pk).exists():
        raise Conflict(message, field="name")
    try:
        team.save()
    except IntegrityError as error:  # somebody took it at the same moment
        raise Conflict(message, field="name") from error
    searching.index([team])


def _remove(work: Work, user: User) -> None:
    if user.pk == work.team.captain_id:
        message = _("A team needs its captain. Make somebody else the captain first, or disband the team.")
        raise Conflict(message)
    for unit, entry in work.entries():
        left = [player for player in entry.roster if player["user"] != user.pk]
        if len(left) == len(entry.roster) or not rosters.can_change(unit.tournament):
            continue
        least = unit.tournament.roster_min
        if len(left) < least:
            message = _(
                "{username} is one of the {count} players for {name}, which needs {least}. Choose somebody else "
                "there first, or withdraw the team.",
                username=user.username,
                count=len(entry.roster),
                name=unit.tournament.name,
                least=least,
            )
            raise Conflict(message, tournament=unit.tournament.pk)
        entry.roster = left
        unit.emit(RegistrationUpdated(entry=unit.save(entry)))
    work.team.members.filter(user=user).delete()
