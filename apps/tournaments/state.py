"""
The public face of each row: the one place that says which fields a state and its events carry.

`snapshot` builds a state from these, and a service's event carries the ones that its command changed,
so the sum of the events is the snapshot by construction.
"""

from typing import Any

from django.db.models import Model

from apps.eventlog.log import iso
from apps.tournaments.models import Entry, Match, Member, Role, Stage, Tournament

Fields = dict[str, Any]


def tournament_fields(row: Tournament) -> Fields:
    return {
        "id": row.pk,
        "name": row.name,
        "game": row.game,
        "description": row.description,
        "accent": row.accent,
        "status": str(row.status),
        "capacity": row.capacity,
        "check_in": row.check_in,
        "starts_at": row.starts_at and iso(row.starts_at),
        "seeding": row.seeding,
        "draw_seed": row.draw_seed,
        "champion": row.champion_id,
        "runner_up": row.runner_up_id,
        "third_place": row.third_place_id,
    }


def stage_fields(row: Stage) -> Fields:
    return {
        "id": row.pk,
        "number": row.number,
        "format": str(row.format),
        "third_place_match": row.third_place_match,
    }


def entry_fields(row: Entry) -> Fields:
    return {
        "id": row.pk,
        "name": row.name,
        "status": str(row.status),
        "seed": row.seed,
        "checked_in": row.checked_in_at is not None,
    }


def match_fields(row: Match) -> Fields:
    return {
        "id": row.pk,
        "stage": row.stage_id,
        "number": row.number,
        "bracket": row.bracket,
        "round": row.round,
        "position": row.position,
        "state": str(row.state),
        "home": row.home_id,
        "away": row.away_id,
        "home_closed": row.home_closed,
        "away_closed": row.away_closed,
        "home_score": row.home_score,
        "away_score": row.away_score,
        "home_shootout": row.home_shootout,
        "away_shootout": row.away_shootout,
        "reported_by": str(row.reported_by) or None,
        "report": row.report,
        "winner": row.winner_id,
        "reason": str(row.reason) or None,
        "winner_to": row.winner_to,
        "winner_to_side": str(row.winner_to_side) or None,
        "loser_to": row.loser_to,
        "loser_to_side": str(row.loser_to_side) or None,
        "version": row.version,
        "started_at": row.started_at and iso(row.started_at),
        "completed_at": row.completed_at and iso(row.completed_at),
    }


def member_fields(row: Member) -> Fields:
    """Return a staff member; for the staff's eyes only. `id` is the user's."""
    return {"id": row.user_id, "username": row.user.username, "role": Role(row.role).name.lower()}


def fields_of(row: Model) -> Fields:
    """Return the public fields of any row of a tournament."""
    if isinstance(row, Match):
        return match_fields(row)
    if isinstance(row, Entry):
        return entry_fields(row)
    if isinstance(row, Tournament):
        return tournament_fields(row)
    if isinstance(row, Stage):
        return stage_fields(row)
    message = f"{type(row).__name__} has no public fields"
    raise TypeError(message)
