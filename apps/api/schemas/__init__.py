"""The shape of every request and answer. The names are those of the OpenAPI document."""

from apps.api.schemas.common import TournamentRef
from apps.api.schemas.entries import Entry, EntryAnswer, EntryPage, MyEntry, MyEntryPage, NewEntry, Registration
from apps.api.schemas.log import EventPage, LoggedEvent, Snapshot, State
from apps.api.schemas.matches import (
    Match,
    MatchAnswer,
    MatchDetail,
    MatchDetailPage,
    MatchPage,
    OnMatch,
    WithLoser,
    WithOption,
    WithOptionalScore,
    WithScore,
    WithWinner,
)
from apps.api.schemas.me import Profile, ProfileChanges
from apps.api.schemas.members import Appointment, Member, MemberAnswer, MemberPage, RemovalAnswer
from apps.api.schemas.problem import Problem
from apps.api.schemas.realtime import RoomRequest, RoomToken
from apps.api.schemas.tournaments import (
    BracketAnswer,
    NewTournament,
    Seeding,
    SeedsAnswer,
    Stage,
    Tournament,
    TournamentAnswer,
    TournamentChanges,
    TournamentDetail,
    TournamentItem,
    TournamentPage,
)

__all__ = [
    "Appointment",
    "BracketAnswer",
    "Entry",
    "EntryAnswer",
    "EntryPage",
    "EventPage",
    "LoggedEvent",
    "Match",
    "MatchAnswer",
    "MatchDetail",
    "MatchDetailPage",
    "MatchPage",
    "Member",
    "MemberAnswer",
    "MemberPage",
    "MyEntry",
    "MyEntryPage",
    "NewEntry",
    "NewTournament",
    "OnMatch",
    "Problem",
    "Profile",
    "ProfileChanges",
    "Registration",
    "RemovalAnswer",
    "RoomRequest",
    "RoomToken",
    "Seeding",
    "SeedsAnswer",
    "Snapshot",
    "Stage",
    "State",
    "Tournament",
    "TournamentAnswer",
    "TournamentChanges",
    "TournamentDetail",
    "TournamentItem",
    "TournamentPage",
    "TournamentRef",
    "WithLoser",
    "WithOption",
    "WithOptionalScore",
    "WithScore",
    "WithWinner",
]
