"""Rows together with what they refer to, where an id alone would make the client ask again."""

from typing import Any

from apps.tournaments.models import Entry, Match, Tournament
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
