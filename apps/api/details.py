"""Rows together with what they refer to, where an id alone would make the client ask again."""

from typing import Any

from apps.accounts.models import User
from apps.eventlog.log import iso
from apps.tournaments.models import Dispute, Entry, Evidence, Match, Rating, Stage, Team, TeamMember, Tournament
from apps.tournaments.permissions import Person, TeamRole, team_role_of
from apps.tournaments.selectors.ratings import ordinal
from apps.tournaments.selectors.standings import tables_of
from apps.tournaments.selectors.teams import people_of
from apps.tournaments.state import entry_fields, match_fields, stage_fields
from engine.standings import Standing

_RECORD = ("played", "wins", "draws", "losses", "byes", "points", "scored", "conceded", "values")


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


def dispute_detail(dispute: Dispute) -> dict[str, Any]:
    """Return a dispute with its evidence, which the caller has loaded along."""
    return {
        "id": dispute.pk,
        "match": dispute.match_id,
        "opened_by": dispute.opened_by or None,
        "cause": str(dispute.cause),
        "text": dispute.text,
        "evidence": [evidence_detail(each) for each in dispute.evidence.all()],
        "opened_at": iso(dispute.opened_at),
        "resolved_at": dispute.resolved_at and iso(dispute.resolved_at),
        "resolved_by": dispute.resolved_by and dispute.resolved_by.username,
        "ruling": dispute.ruling,
    }


def evidence_detail(evidence: Evidence) -> dict[str, Any]:
    return {
        "id": evidence.pk,
        "content_type": evidence.content_type,
        "size": evidence.size,
        "uploaded_by": evidence.uploaded_by.username,
        "uploaded_at": iso(evidence.uploaded_at),
        "hidden": evidence.hidden_at is not None,
    }


def standings_detail(stage: Stage) -> dict[str, Any]:
    """Return how everybody stands in a stage. Three queries; for what a league costs see engine.standings."""
    names = dict(Entry.objects.filter(stage_entries__stage=stage).values_list("pk", "name"))
    if stage.is_league:
        tables = {group: [_standing(row, names) for row in table] for group, table in tables_of(stage).items()}
    else:
        order = sorted(stage.entries.all(), key=lambda row: (row.rank is None, row.rank, row.seed))
        places = [
            {"rank": row.rank, "entry": row.entry_id, "name": names[row.entry_id], "record": None, "reason": None}
            for row in order
        ]
        tables = {0: places} if places else {}
    return {
        "stage": stage_fields(stage),
        "tables": [{"group": group, "rows": rows} for group, rows in tables.items()],
    }


def _standing(row: Standing, names: dict[int, str]) -> dict[str, Any]:
    reason = row.reason
    return {
        "rank": row.rank,
        "entry": row.entrant,
        "name": names[row.entrant],
        "record": {name: getattr(row, name) for name in _RECORD},
        "reason": reason
        and {
            "text": reason.text(names),
            "other": reason.other,
            "tie_break": None if reason.part is None else str(reason.part),
            "own": reason.own,
            "others": reason.others,
            "tied": reason.tied,
            "among": list(reason.among),
        },
    }


def _reference(tournament: Tournament) -> dict[str, Any]:
    return {"id": tournament.pk, "name": tournament.name, "status": str(tournament.status)}


def rating_detail(row: Rating) -> dict[str, Any]:
    """Return a rating with the name of whose it is, which the caller has loaded along."""
    return {
        "game": row.game,
        "username": row.user and row.user.username,
        "team": row.team_id,
        "team_name": row.team and row.team.name,
        "mu": row.mu,
        "sigma": row.sigma,
        "ordinal": ordinal(row),
        "matches": row.matches,
    }


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
