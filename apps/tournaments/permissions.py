"""
Who may do what: one table for every door (WebSocket, HTTP API, web pages). What is not in it is denied.

Rights are evaluated when the action is taken, never when a connection opens. Whoever acts through an API token has the
rights that they have themselves, as far as the token's scopes and its tournament go.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.db.models import QuerySet

from apps.accounts.grants import Grant, Scope
from apps.accounts.models import User
from apps.errors import AuthenticationRequired, PermissionDenied
from apps.eventlog.log import PUBLIC, STAFF
from apps.tournaments.labels import either
from apps.tournaments.models import Entry, EntryStatus, Match, Member, Role, Status, Team, Tournament
from engine.bracket import Side
from engine.text import gettext as _

Person = User | AnonymousUser


@dataclass(frozen=True, slots=True)
class Rule:
    """
    `role` is the least role that may act. A PLAYER acts on what is their own: their entry, their match;
    `others` is the least role that may do the same for somebody else, None when nobody may.
    """

    role: Role
    others: Role | None = None


ACTIONS: dict[str, Rule] = {
    "create_tournament": Rule(Role.SPECTATOR),
    "import_tournament": Rule(Role.SPECTATOR),
    "register": Rule(Role.SPECTATOR),
    "withdraw": Rule(Role.PLAYER, others=Role.ORGANIZER),
    "check_in": Rule(Role.PLAYER, others=Role.REFEREE),
    "revert_check_in": Rule(Role.PLAYER, others=Role.REFEREE),
    "claim_place": Rule(Role.PLAYER, others=Role.ORGANIZER),
    "update_roster": Rule(Role.PLAYER, others=Role.ORGANIZER),
    "disqualify_entry": Rule(Role.REFEREE),
    "reinstate_entry": Rule(Role.REFEREE),
    "report_score": Rule(Role.PLAYER),
    "confirm_result": Rule(Role.PLAYER),
    "dispute_result": Rule(Role.PLAYER),
    "add_evidence": Rule(Role.PLAYER, others=Role.REFEREE),
    "check_in_match": Rule(Role.PLAYER, others=Role.REFEREE),
    "start_veto": Rule(Role.PLAYER, others=Role.REFEREE),
    "veto_move": Rule(Role.PLAYER, others=Role.REFEREE),
    "reset_veto": Rule(Role.REFEREE),
    "start_match": Rule(Role.REFEREE),
    "update_score": Rule(Role.REFEREE),
    "complete_match": Rule(Role.REFEREE),
    "award_walkover": Rule(Role.REFEREE),
    "forfeit_match": Rule(Role.REFEREE),
    "cancel_match": Rule(Role.REFEREE),
    "take_kept_result": Rule(Role.REFEREE),
    "reopen_match": Rule(Role.REFEREE),
    "undo_reopening": Rule(Role.REFEREE),
    "schedule_match": Rule(Role.REFEREE),
    "call_match": Rule(Role.REFEREE),
    "extend_deadline": Rule(Role.REFEREE),
    "set_on_stream": Rule(Role.REFEREE),
    "renew_overlays": Rule(Role.ORGANIZER),
    "add_station": Rule(Role.ORGANIZER),
    "rename_station": Rule(Role.ORGANIZER),
    "remove_station": Rule(Role.ORGANIZER),
    "plan_schedule": Rule(Role.ORGANIZER),
    "add_stage": Rule(Role.ORGANIZER),
    "edit_stage": Rule(Role.ORGANIZER),
    "remove_stage": Rule(Role.ORGANIZER),
    "pair_round": Rule(Role.ORGANIZER),
    "edit_tournament": Rule(Role.ORGANIZER),
    "publish_tournament": Rule(Role.ORGANIZER),
    "open_registration": Rule(Role.ORGANIZER),
    "close_registration": Rule(Role.ORGANIZER),
    "cancel_tournament": Rule(Role.ORGANIZER),
    "add_entry": Rule(Role.ORGANIZER),
    "import_entries": Rule(Role.ORGANIZER),
    "approve_entry": Rule(Role.ORGANIZER),
    "decline_entry": Rule(Role.ORGANIZER),
    "update_entry": Rule(Role.ORGANIZER),
    "seed_entries": Rule(Role.ORGANIZER),
    "generate_bracket": Rule(Role.ORGANIZER),
    "announce": Rule(Role.ORGANIZER),
    "take_down_announcement": Rule(Role.ORGANIZER),
    "add_member": Rule(Role.ORGANIZER),
    "remove_member": Rule(Role.ORGANIZER),
    "make_staff_link": Rule(Role.ORGANIZER),
    "revoke_staff_link": Rule(Role.ORGANIZER),
    "join_staff": Rule(Role.SPECTATOR),
    "add_integration": Rule(Role.ORGANIZER),
    "edit_integration": Rule(Role.ORGANIZER),
    "remove_integration": Rule(Role.ORGANIZER),
    "test_integration": Rule(Role.ORGANIZER),
    "replay_integration": Rule(Role.ORGANIZER),
    "report_entry": Rule(Role.SPECTATOR),
    "report_evidence": Rule(Role.PLAYER, others=Role.REFEREE),  # whoever can see it
    "resolve_report": Rule(Role.REFEREE),
    "hide_evidence": Rule(Role.REFEREE),
    "ban_user": Rule(Role.ORGANIZER),
    "unban_user": Rule(Role.ORGANIZER),
}

# Which scopes of an API token let its owner act as one of the staff; what anybody may do is play, all but this.
_STAFF_SCOPES: dict[Role | None, frozenset[Scope]] = {
    Role.REFEREE: frozenset({Scope.REFEREE, Scope.ORGANISE}),
    Role.ORGANIZER: frozenset({Scope.ORGANISE}),
}
_ORGANISING = frozenset({"create_tournament"})

_WHO = {
    Role.SPECTATOR: _("somebody who is signed in"),
    Role.PLAYER: _("the player concerned"),
    Role.REFEREE: _("a referee or organiser of this tournament"),
    Role.ORGANIZER: _("an organiser of this tournament"),
    Role.ADMIN: _("an administrator of this site"),
}


# Asked by every connection and every action; the ORM would take longer to write it down than the database to answer.
_ROLE = f"""
SELECT max(role) FROM (
  SELECT role FROM {Member._meta.db_table} WHERE tournament_id = %s AND user_id = %s
  UNION ALL
  SELECT {Role.PLAYER:d} FROM {Entry._meta.db_table} WHERE tournament_id = %s AND user_id = %s AND status = %s
) AS roles
"""  # noqa: S608 - the names of our own tables

_SIDE = f"""
SELECT entry.id = home_id
FROM {Match._meta.db_table} AS played JOIN {Entry._meta.db_table} AS entry ON entry.id IN (home_id, away_id)
WHERE played.id = %s AND user_id = %s
"""  # noqa: S608


def role_of(person: Person, tournament_id: int) -> Role:
    """Return what a person is in a tournament. Cost: one query."""
    if not isinstance(person, User):
        return Role.SPECTATOR
    most = Role.ADMIN if person.grant is None else _most(person.grant, tournament_id)
    if person.is_superuser:
        return most
    with connection.cursor() as cursor:
        cursor.execute(_ROLE, [tournament_id, person.pk, tournament_id, person.pk, EntryStatus.CONFIRMED])
        return min(most, Role(cursor.fetchone()[0] or Role.SPECTATOR))


def _most(grant: Grant, tournament_id: int) -> Role:
    """Return the highest role that a token leaves its owner in a tournament."""
    if not grant.covers(tournament_id):
        return Role.SPECTATOR
    for role in (Role.ORGANIZER, Role.REFEREE):
        if grant.scopes & _STAFF_SCOPES[role]:
            return role
    return Role.PLAYER if Scope.PLAY in grant.scopes else Role.SPECTATOR


def side_in(person: Person, match_id: int) -> Side | None:
    """Return the side that a person plays in a match, themselves or by a program that may. Cost: one query."""
    if not isinstance(person, User) or not _plays(person):
        return None
    with connection.cursor() as cursor:
        cursor.execute(_SIDE, [match_id, person.pk])
        found = cursor.fetchone()
    return None if found is None else Side.HOME if found[0] else Side.AWAY


def _plays(person: User) -> bool:
    return person.grant is None or Scope.PLAY in person.grant.scopes


def staffed_by(person: Person) -> QuerySet[Any, Any]:
    """Return the ids of the tournaments that a person sees as one of the staff, for use in a query."""
    if not isinstance(person, User):
        return Member.objects.none()
    if person.grant is None:
        return Member.objects.filter(user=person).values("tournament")
    if not person.grant.scopes & _STAFF_SCOPES[Role.REFEREE]:
        return Member.objects.none()
    found = Tournament.objects.all() if person.is_superuser else Tournament.objects.filter(members__user=person)
    only = person.grant.tournament
    return (found if only is None else found.filter(pk=only)).values("pk")


def is_staff(role: Role) -> bool:
    return role >= Role.REFEREE


def audience_of(role: Role) -> str:
    """Return the audience of the log that a role belongs to."""
    return STAFF if is_staff(role) else PUBLIC


def may_see(person: Person, tournament: Tournament) -> bool:
    """Return whether a tournament exists for this person; a draft does only for its staff."""
    return tournament.status != Status.DRAFT or is_staff(role_of(person, tournament.pk))


def may_see_dispute(person: Person, match: Match, role: Role) -> bool:
    """Return whether a match's disputes, with their evidence, are for this person: the staff and both sides."""
    return is_staff(role) or side_of(person, match) is not None


def side_of(person: Person, match: Match) -> Side | None:
    """Return the side that a person plays in a match, themselves or by a program that may."""
    if not isinstance(person, User) or not _plays(person):
        return None
    for side, entry in ((Side.HOME, match.home), (Side.AWAY, match.away)):
        if entry is not None and entry.user_id == person.pk:
            return side
    return None


def allows(action: str, person: Person, role: Role, *, own: bool = False) -> bool:
    """Return whether a person with `role` may act; `own` says that the entry or match is theirs."""
    rule = ACTIONS.get(action)
    if rule is None or not isinstance(person, User):
        return False
    if person.grant is not None:
        if not person.grant.scopes & _scopes_for(action, own=own):
            return False
        own = own and _plays(person)
    if rule.role is Role.PLAYER:
        return own or (rule.others is not None and role >= rule.others)
    return role >= rule.role


def _scopes_for(action: str, *, own: bool) -> frozenset[Scope]:
    """Return the scopes of which a token needs one for an action."""
    rule = ACTIONS[action]
    if action in _ORGANISING:
        return _STAFF_SCOPES[Role.ORGANIZER]
    if rule.role not in (Role.SPECTATOR, Role.PLAYER):
        return _STAFF_SCOPES[rule.role]
    instead = _STAFF_SCOPES.get(rule.others, frozenset())
    return instead | {Scope.PLAY} if own or not instead else instead


def require(
    action: str,
    person: Person,
    role: Role = Role.SPECTATOR,
    *,
    tournament_id: int | None = None,
    entry: Entry | None = None,
    match: Match | None = None,
) -> None:
    """
    Pass if the person may act, on their own entry or match where the rule asks for that.

    `role` is what `role_of` says for the tournament. Without `tournament_id`, a token for one tournament gives nothing.

    Raises:
        AuthenticationRequired: not signed in.
        PermissionDenied: not allowed; the message says who is.
    """
    if not isinstance(person, User):
        message = _("Sign in to do this.")
        raise AuthenticationRequired(message)
    own = (entry is not None and entry.user_id == person.pk) or (
        match is not None and side_of(person, match) is not None
    )
    rule, grant = ACTIONS.get(action), person.grant
    if grant is not None and not grant.covers(tournament_id):
        message = _("This token is for one tournament, and that is another.")
        raise PermissionDenied(message)
    if allows(action, person, role, own=own):
        return
    if grant is not None and rule is not None and not grant.scopes & (needed := _scopes_for(action, own=own)):
        message = _("This token needs the scope {scopes} for this. Make another one.", scopes=either(sorted(needed)))
        raise PermissionDenied(message)
    who = [] if rule is None else [_WHO[r] for r in (rule.role, rule.others) if r is not None]
    message = _("Only {who} can do this.", who=either(who)) if who else _("Nobody can do this.")
    raise PermissionDenied(message)


# Teams ---------------------------------------------------------------------------------------------------------------


class TeamRole(IntEnum):
    """What a person is in a team."""

    OUTSIDER = 0
    INVITED = 1
    MEMBER = 2
    CAPTAIN = 3


# Who may do what with a team. A captain is a member too; an administrator may do what a captain may.
TEAM_ACTIONS: dict[str, TeamRole] = {
    "create_team": TeamRole.OUTSIDER,
    "report_team": TeamRole.OUTSIDER,
    "accept_invitation": TeamRole.INVITED,
    "decline_invitation": TeamRole.INVITED,
    "leave_team": TeamRole.MEMBER,
    "edit_team": TeamRole.CAPTAIN,
    "invite_to_team": TeamRole.CAPTAIN,
    "remove_from_team": TeamRole.CAPTAIN,
    "hand_over_team": TeamRole.CAPTAIN,
    "disband_team": TeamRole.CAPTAIN,
}

_WHO_IN_TEAM = {
    TeamRole.INVITED: _("somebody who is invited to this team"),
    TeamRole.MEMBER: _("a member of this team"),
    TeamRole.CAPTAIN: _("the captain of this team"),
}


def team_role_of(person: Person, team: Team) -> TeamRole:
    """Return what a person is in a team. At most one query."""
    if not isinstance(person, User):
        return TeamRole.OUTSIDER
    if team.captain_id == person.pk:
        return TeamRole.CAPTAIN
    member = team.members.filter(user=person).first()
    if member is None:
        return TeamRole.OUTSIDER
    return TeamRole.INVITED if member.joined_at is None else TeamRole.MEMBER


def require_in_team(action: str, person: Person, team: Team | None = None) -> User:
    """
    Return the person if they may act for a team, or make one (`team` is None).

    Raises: as `require`.
    """
    if not isinstance(person, User):
        message = _("Sign in to do this.")
        raise AuthenticationRequired(message)
    grant = person.grant
    if grant is not None and not grant.covers(None):
        message = _("This token is for one tournament, and that is another.")
        raise PermissionDenied(message)
    if grant is not None and Scope.PLAY not in grant.scopes:
        message = _("This token needs the scope {scopes} for this. Make another one.", scopes=either([Scope.PLAY]))
        raise PermissionDenied(message)
    needed = TEAM_ACTIONS.get(action)
    role = TeamRole.OUTSIDER if team is None else team_role_of(person, team)
    if needed is None:
        message = _("Nobody can do this.")
        raise PermissionDenied(message)
    as_administrator = person.is_superuser and grant is None  # no scope of a token is for that
    # Being invited is not a rank: members have nothing to accept.
    if role == needed or (role > needed != TeamRole.INVITED) or (needed == TeamRole.CAPTAIN and as_administrator):
        return person
    message = _("Only {who} can do this.", who=_WHO_IN_TEAM[needed])
    raise PermissionDenied(message)
