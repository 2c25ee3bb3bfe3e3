"""Rows together with what they refer to, where an id alone would make the client ask again."""

from typing import Any

from apps.accounts.models import User
from apps.tournaments.models import Entry, Match, Team, TeamMember, Tournament
from apps.tournaments.permissions import Person, TeamRole, team_role_of
from apps.tournaments.selectors.teams import people_of
from apps.tournaments.state import entry_fields, match_fields


def match_detail(match: Match) -> dict[str, Any]:
    """Return a match, its tournament and its entrants, which the caller has loaded along."""
    return {
        **match_fields(match),
        "tournament": _reference(match.tournament),
        "home_entry": match.home and entry_fields(match.home),
        "away_entry": match.away and entry_fields(match.away),
    }


def my_entry(entry: Entry) -> dict[str, Any]:
    return {**entry_fields(entry), "tournament": _reference(entry.tournament)}


def _reference(tournament: Tournament) -> dict[str, Any]:
    return {"id": tournament.pk, "name": tournament.name, "status": str(tournament.status)}


def team_fields(team: Team) -> dict[str, Any]:
    """Return a team, whose `member_count` the selector has counted."""
    members: int = team.member_count  # type: ignore[attr-defined] # annotated by the selector
    return {"id": team.pk, "name": team.name, "tag": team.tag, "captain": team.captain_id, "members": members}


def my_team(team: Team, user: User) -> dict[str, Any]:
    """Return a team to somebody in it, as `my_teams` selects it."""
    joined = team.joined_at  # type: ignore[attr-defined] # annotated by the selector
    in_it = TeamRole.INVITED if joined is None else TeamRole.MEMBER
    role = TeamRole.CAPTAIN if team.captain_id == user.pk else in_it
    return {**team_fields(team), "role": role.name.lower()}


def team_detail(team: Team, person: Person) -> dict[str, Any]:
    """Return a team with its people; who is invited is for its members. Up to three queries."""
    role = team_role_of(person, team)
    people = [_person(member) for member in people_of(team)]
    return {
        "id": team.pk,
        "name": team.name,
        "tag": team.tag,
        "captain": team.captain_id,
        "members": len(people),
        "role": role.name.lower(),
        "disbanded": team.disbanded_at is not None,
        "people": people,
        "invited": [_person(member) for member in people_of(team, invited=True)] if role >= TeamRole.MEMBER else [],
    }


def _person(member: TeamMember) -> dict[str, Any]:
    return {"id": member.user_id, "username": member.user.username}
