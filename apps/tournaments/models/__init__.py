"""Rows of a tournament. Written by `services` alone, read through `selectors`."""

from apps.tournaments.models.dispute import Dispute, DisputeCause, Evidence, Reopening
from apps.tournaments.models.entry import Entry, EntryStatus
from apps.tournaments.models.match import Match
from apps.tournaments.models.moderation import Ban, Complaint, Report
from apps.tournaments.models.search import SearchWord
from apps.tournaments.models.staff_link import StaffLink
from apps.tournaments.models.team import Rating, Team, TeamMember
from apps.tournaments.models.tournament import (
    EntryRule,
    Member,
    NoShowRule,
    Participation,
    Role,
    Stage,
    StageEntry,
    StageState,
    Station,
    Status,
    Tournament,
    stream_name,
)

__all__ = [
    "Ban",
    "Complaint",
    "Dispute",
    "DisputeCause",
    "Entry",
    "EntryRule",
    "EntryStatus",
    "Evidence",
    "Match",
    "Member",
    "NoShowRule",
    "Participation",
    "Rating",
    "Reopening",
    "Report",
    "Role",
    "SearchWord",
    "StaffLink",
    "Stage",
    "StageEntry",
    "StageState",
    "Station",
    "Status",
    "Team",
    "TeamMember",
    "Tournament",
    "stream_name",
]
