"""
Who may do what: one table for every door (WebSocket, HTTP API, web pages). What is not in it is denied.

Rights are evaluated when the action is taken, never when a connection opens.
"""

from dataclasses import dataclass
from enum import IntEnum

from django.contrib.auth.models import AnonymousUser
from django.db import connection

from apps.accounts.models import User
from apps.errors import AuthenticationRequired, PermissionDenied
from apps.eventlog.log import PUBLIC, STAFF
from apps.tournaments.models import Entry, EntryStatus, Match, Member, Role, Status, Team, Tournament
from engine.bracket import Side

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
    "add_member": Rule(Role.ORGANIZER),
    "remove_member": Rule(Role.ORGANIZER),
}

_WHO = {
    Role.SPECTATOR: "somebody who is signed in",
    Role.PLAYER: "the player concerned",
    Role.REFEREE: "a referee or organiser of this tournament",
    Role.ORGANIZER: "an organiser of this tournament",
    Role.ADMIN: "an administrator of this site",
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
    if person.is_superuser:
        return Role.ADMIN
    with connection.cursor() as cursor:
        cursor.execute(_ROLE, [tournament_id, person.pk, tournament_id, person.pk, EntryStatus.CONFIRMED])
        return Role(cursor.fetchone()[0] or Role.SPECTATOR)


def side_in(person: Person, match_id: int) -> Side | None:
    """Return the side that a person plays in a match. Cost: one query."""
    if not isinstance(person, User):
        return None
    with connection.cursor() as cursor:
        cursor.execute(_SIDE, [match_id, person.pk])
        found = cursor.fetchone()
    return None if found is None else Side.HOME if found[0] else Side.AWAY


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
    """Return the side that a person plays in a match."""
    if not isinstance(person, User):
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
    if rule.role is Role.PLAYER:
        return own or (rule.others is not None and role >= rule.others)
    return role >= rule.role


def require(
    action: str, person: Person, role: Role = Role.SPECTATOR, *, entry: Entry | None = None, match: Match | None = None
) -> None:
    """
    Pass if the person may act, on their own entry or match where the rule asks for that.

    Raises:
        AuthenticationRequired: not signed in.
        PermissionDenied: not allowed; the message says who is.
    """
    if not isinstance(person, User):
        message = "Sign in to do this."
        raise AuthenticationRequired(message)
    own = (entry is not None and entry.user_id == person.pk) or (
        match is not None and side_of(person, match) is not None
    )
    if allows(action, person, role, own=own):
        return
    rule = ACTIONS.get(action)
    who = [] if rule is None else [_WHO[r] for r in (rule.role, rule.others) if r is not None]
    message = f"Only {' or '.join(who)} can do this." if who else "Nobody can do this."
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
    TeamRole.INVITED: "somebody who is invited to this team",
    TeamRole.MEMBER: "a member of this team",
    TeamRole.CAPTAIN: "the captain of this team",
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
        message = "Sign in to do this."
        raise AuthenticationRequired(message)
    needed = TEAM_ACTIONS.get(action)
    role = TeamRole.OUTSIDER if team is None else team_role_of(person, team)
    if needed is None:
        message = "Nobody can do this."
        raise PermissionDenied(message)
    # Being invited is not a rank: members have nothing to accept.
    if role == needed or (role > needed != TeamRole.INVITED) or (needed == TeamRole.CAPTAIN and person.is_superuser):
        return person
    message = f"Only {_WHO_IN_TEAM[needed]} can do this."
    raise PermissionDenied(message)
