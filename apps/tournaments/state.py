"""
The public face of each row: the one place that says which fields a state and its events carry.

`snapshot` builds a state from these, and a service's event carries the ones that its command changed,
so the sum of the events is the snapshot by construction.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from django.db.models import Model

from apps.eventlog.log import iso
from apps.tournaments.models import Entry, Match, Member, Role, Stage, StageEntry, Station, Tournament

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
        "starts_at": _time(row.starts_at),
        "participation": str(row.participation),
        "roster_min": row.roster_min,
        "roster_max": row.roster_max,
        "entry_rule": str(row.entry_rule),
        "rating_min": row.rating_min,
        "rating_max": row.rating_max,
        "late_entry": row.late_entry,
        "claim_minutes": row.claim_minutes,
        "check_in": row.check_in,
        "check_in_opens_at": _time(row.check_in_opens_at),
        "check_in_closes_at": _time(row.check_in_closes_at),
        "check_in_closed": row.check_in_closed,
        "no_show_rule": str(row.no_show_rule),
        "match_check_in_minutes": row.match_check_in_minutes,
        "confirm_minutes": row.confirm_minutes,
        "match_minutes": row.match_minutes,
        "rest_minutes": row.rest_minutes,
        "notices": list(row.notices),
        "rated": row.rated,
        "seeding": row.seeding,
        "draw_seed": row.draw_seed,
        "champion": row.champion_id,
        "runner_up": row.runner_up_id,
        "third_place": row.third_place_id,
        "on_stream": row.on_stream_id,
    }


def stage_fields(row: Stage) -> Fields:
    return {
        "id": row.pk,
        "number": row.number,
        "name": row.name,
        "format": str(row.format),
        "state": str(row.state),
        **msgspec.to_builtins(row.options),
    }


def stage_entry_fields(row: StageEntry) -> Fields:
    return {
        "id": row.pk,
        "stage": row.stage_id,
        "entry": row.entry_id,
        "seed": row.seed,
        "group": row.group,
        "lot": row.lot,
        "byes": list(row.byes),
        "annulled": row.annulled,
        "rank": row.rank,
    }


def entry_fields(row: Entry) -> Fields:
    """Return an entrant. A roster tells names alone, which are public as user names are."""
    return {
        "id": row.pk,
        "name": row.name,
        "status": str(row.status),
        "seed": row.seed,
        "checked_in": row.checked_in_at is not None,
        "waitlisted_at": _time(row.waitlisted_at),
        "claim_by": _time(row.claim_by),
        "team": row.team_id,
        "roster": [player["name"] for player in row.roster],
    }


def match_fields(row: Match) -> Fields:
    return {
        "id": row.pk,
        "stage": row.stage_id,
        "number": row.number,
        "bracket": row.bracket,
        "round": row.round,
        "position": row.position,
        "group": row.group,
        "best_of": row.best_of,
        "state": str(row.state),
        "home": row.home_id,
        "away": row.away_id,
        "home_closed": row.home_closed,
        "away_closed": row.away_closed,
        "home_score": row.home_score,
        "away_score": row.away_score,
        "home_shootout": row.home_shootout,
        "away_shootout": row.away_shootout,
        "games": list(row.games),
        "home_checked_in": row.home_checked_in,
        "away_checked_in": row.away_checked_in,
        "reported_by": str(row.reported_by) or None,
        "report": row.report,
        "counter_report": row.counter_report,
        "winner": row.winner_id,
        "reason": str(row.reason) or None,
        "winner_to": row.winner_to,
        "winner_to_side": str(row.winner_to_side) or None,
        "loser_to": row.loser_to,
        "loser_to_side": str(row.loser_to_side) or None,
        "sends_on": str(row.sends_on) or None,
        "kept": list(row.kept),
        "deadline_at": _time(row.deadline_at),
        "veto": row.veto,
        "veto_deadline_at": _time(row.veto_deadline_at),
        "station": row.station_id,
        "scheduled_at": _time(row.scheduled_at),
        "called_at": _time(row.called_at),
        "version": row.version,
        "started_at": _time(row.started_at),
        "completed_at": _time(row.completed_at),
    }


def station_fields(row: Station) -> Fields:
    return {"id": row.pk, "name": row.name, "order": row.order}


def member_fields(row: Member) -> Fields:
    """Return a staff member; for the staff's eyes only. `id` is the user's."""
    return {"id": row.user_id, "username": row.user.username, "role": Role(row.role).name.lower()}


_FIELDS: dict[type[Model], Callable[[Any], Fields]] = {
    Tournament: tournament_fields,
    Stage: stage_fields,
    StageEntry: stage_entry_fields,
    Entry: entry_fields,
    Match: match_fields,
    Station: station_fields,
}


def fields_of(row: Model) -> Fields:
    """Return the public fields of any row of a tournament."""
    return _FIELDS[type(row)](row)


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)
