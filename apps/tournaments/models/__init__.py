"""Rows of a tournament. Written by `services` alone, read through `selectors`."""

from apps.tournaments.models.entry import Entry, EntryStatus
from apps.tournaments.models.match import Match
from apps.tournaments.models.tournament import Member, Role, Stage, Status, Tournament, stream_name

__all__ = ["Entry", "EntryStatus", "Match", "Member", "Role", "Stage", "Status", "Tournament", "stream_name"]
