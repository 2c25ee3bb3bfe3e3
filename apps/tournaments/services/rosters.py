"""Who plays for a team in a tournament."""

from collections.abc import Mapping, Sequence
from typing import Any

from apps.accounts.models import User
from apps.errors import BadRequest, Conflict, PermissionDenied
from apps.tournaments.events import RegistrationUpdated
from apps.tournaments.models import Entry, Participation, Team, Tournament
from apps.tournaments.models.entry import ACTIVE
from apps.tournaments.models.tournament import BEFORE_PLAY
from apps.tournaments.services.unit import Answer, Unit, command
from apps.tournaments.services.waitlist import is_drawn
from engine.text import gettext as _

Roster = list[dict[str, Any]]


def lock_team(team_id: int | None) -> Team | None:
    """
    Lock a team, so that it neither changes nor registers anywhere else until this transaction ends.

    Teams are locked before tournaments, by everybody; else two commands could wait for each other.
    """
    if team_id is None:
        return None
    return Team.objects.select_for_update(no_key=True).filter(pk=team_id, disbanded_at=None).first()


@command("update_roster")
def update(unit: Unit, /, entry_id: int, *, players: Sequence[int]) -> Answer:
    """
    Choose who plays for a team, by user ids, until the bracket is drawn. Answers {"entry_id"}.

    Raises: as `chosen`.
    """
    team = lock_team(Entry.objects.filter(pk=entry_id).values_list("team", flat=True).first())
    entry = unit.lock_entry(entry_id)
    if team is None or not entry.is_active:
        message = _("{name} is not a team that takes part.", name=entry.name)
        raise Conflict(message, status=entry.status)
    if not can_change(unit.tournament):
        message = _("The bracket has been drawn, so the roster stays as it is.")
        raise Conflict(message, status=unit.tournament.status)
    entry.roster = chosen(unit.tournament, team, players, besides=entry)
    unit.emit(RegistrationUpdated(entry=unit.save(entry)))
    return {"entry_id": entry.pk}


def can_change(tournament: Tournament) -> bool:
    """Return whether rosters can still change."""
    return tournament.status in BEFORE_PLAY and not is_drawn(tournament)


def check_fits(tournament: Tournament, team: Team | None, user: User) -> None:
    """
    Pass a team of `user` where teams take part, and none where single players do.

    Raises:
        BadRequest: it is the other way round.
        PermissionDenied: somebody else is the team's captain.
    """
    if tournament.participation == Participation.SOLO:
        if team is not None:
            message = _("Single players take part in this tournament, not teams. Enter yourself.")
            raise BadRequest(message, field="team")
    elif team is None:
        message = _("Teams take part in this tournament. Enter one whose captain you are.")
        raise BadRequest(message, field="team")
    elif team.captain_id != user.pk:
        message = _("Only the captain of a team can register it.")
        raise PermissionDenied(message)


def chosen(
    tournament: Tournament, team: Team, players: Sequence[int] | None, *, besides: Entry | None = None
) -> Roster:
    """
    Return a team's roster for a tournament, in the order in which people joined; None chooses all members.

    `besides`: the team's own entry.

    Raises:
        BadRequest: too few, too many, or somebody who is no member.
        Conflict: somebody takes part with another team, or is banned.
    """
    members = {
        member.user_id: member.user.username
        for member in team.members.filter(joined_at__isnull=False).select_related("user").order_by("joined_at", "pk")
    }
    wanted = set(members if players is None else players)
    if wanted - members.keys() or (players is not None and len(players) != len(wanted)):
        message = _("A roster names members of {name}, each once.", name=team.name)
        raise BadRequest(message, field="roster")
    least, most = tournament.roster_min, tournament.roster_max
    if not least <= len(wanted) <= most:
        limits = least if least == most else _("{least} to {most}", least=least, most=most)
        message = _(
            "A team has {limits} players in this tournament, and this roster {count}.", limits=limits, count=len(wanted)
        )
        raise BadRequest(message, field="roster")
    check_not_banned(tournament, {user_id: members[user_id] for user_id in wanted})
    elsewhere = plays_with(tournament, besides=besides)
    for user_id in sorted({*wanted, *([team.captain_id] if team.captain_id else [])}):
        if user_id in elsewhere:
            message = _(
                "{username} takes part with {name} already.", username=members[user_id], name=elsewhere[user_id]
            )
            raise Conflict(message, field="roster")
    return [{"user": user_id, "name": name} for user_id, name in members.items() if user_id in wanted]


def check_not_banned(tournament: Tournament, people: Mapping[int, str]) -> None:
    """
    Pass people of whom none is banned; by id, with the names that are told. One query.

    Raises:
        Conflict: somebody is.
    """
    banned = tournament.bans.filter(user__in=people).values_list("user", flat=True).first()
    if banned is not None:
        message = _("{name} is banned from this tournament.", name=people[banned])
        raise Conflict(message, field="roster")


def plays_with(tournament: Tournament, *, besides: Entry | None) -> dict[int, str]:
    """Return the name of the active entrant that each person belongs to, as a player or a captain. One query."""
    entries = tournament.entries.filter(status__in=ACTIVE).exclude(pk=besides.pk if besides else 0)
    return {
        user_id: entry.name
        for entry in entries.only("name", "user", "roster")
        for user_id in (entry.user_id, *(player["user"] for player in entry.roster))
        if user_id is not None
    }
