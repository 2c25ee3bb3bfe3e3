"""
Every event of a tournament, declared once.

An event's fields are the parts of the state that it changed (see engine.projection), with their new values, plus
what only this event knows (`link`). A `…Change` holds the id and the fields that changed.
The name on the wire is the class name in snake case.
"""

from typing import ClassVar, Literal

from msgspec import UNSET, Struct, UnsetType

from apps.eventlog.log import PUBLIC, STAFF
from engine.results import Points
from engine.veto import Veto
from engine.veto_script import VetoSettings

SideName = Literal["home", "away"]
DrawPart = Literal["matches", "stage_entries"]


class Change(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """Base of a part of the state; a field that is absent did not change."""


class Notice(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An announcement of the organisers. `id` counts from 1 in a tournament."""

    id: int
    text: str
    at: str


class TournamentChange(Change, frozen=True):
    id: int | UnsetType = UNSET
    name: str | UnsetType = UNSET
    game: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    accent: str | UnsetType = UNSET
    status: str | UnsetType = UNSET
    capacity: int | UnsetType = UNSET
    starts_at: str | None | UnsetType = UNSET
    participation: Literal["solo", "team"] | UnsetType = UNSET
    roster_min: int | UnsetType = UNSET
    roster_max: int | UnsetType = UNSET
    entry_rule: Literal["open", "approval", "invite"] | UnsetType = UNSET
    rating_min: float | None | UnsetType = UNSET
    rating_max: float | None | UnsetType = UNSET
    late_entry: bool | UnsetType = UNSET
    claim_minutes: int | UnsetType = UNSET
    check_in: bool | UnsetType = UNSET
    check_in_opens_at: str | None | UnsetType = UNSET
    check_in_closes_at: str | None | UnsetType = UNSET
    check_in_closed: bool | UnsetType = UNSET
    no_show_rule: Literal["drop", "walkover"] | UnsetType = UNSET
    match_check_in_minutes: int | UnsetType = UNSET
    confirm_minutes: int | UnsetType = UNSET
    match_minutes: int | UnsetType = UNSET
    rest_minutes: int | UnsetType = UNSET
    notices: list[Notice] | UnsetType = UNSET
    rated: bool | UnsetType = UNSET
    seeding: str | UnsetType = UNSET
    draw_seed: int | None | UnsetType = UNSET
    champion: int | None | UnsetType = UNSET
    runner_up: int | None | UnsetType = UNSET
    third_place: int | None | UnsetType = UNSET
    on_stream: int | None | UnsetType = UNSET


class StageChange(Change, frozen=True):
    id: int
    number: int | UnsetType = UNSET
    name: str | UnsetType = UNSET
    format: str | UnsetType = UNSET
    state: Literal["pending", "live", "completed"] | UnsetType = UNSET
    third_place_match: bool | UnsetType = UNSET
    grand_final_reset: bool | UnsetType = UNSET
    groups: int | UnsetType = UNSET
    legs: int | UnsetType = UNSET
    rounds: int | UnsetType = UNSET
    ends_at_wins: int | UnsetType = UNSET
    ends_at_losses: int | UnsetType = UNSET
    points: Points | UnsetType = UNSET
    tie_breaks: list[str] | UnsetType = UNSET
    rule_year: int | UnsetType = UNSET
    best_of: int | UnsetType = UNSET
    best_of_rounds: dict[str, int] | UnsetType = UNSET
    advance: int | UnsetType = UNSET
    advance_rest: int | UnsetType = UNSET
    seating: str | UnsetType = UNSET
    veto: VetoSettings | UnsetType = UNSET


class StaffLinkTold(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """What the log says of an invitation to the staff. Nothing in it opens the invitation."""

    id: int
    role: Literal["referee", "organizer"]
    uses: int


class StageEntryChange(Change, frozen=True):
    id: int
    stage: int | UnsetType = UNSET
    entry: int | UnsetType = UNSET
    seed: int | UnsetType = UNSET
    group: int | UnsetType = UNSET
    lot: int | UnsetType = UNSET
    byes: list[int] | UnsetType = UNSET
    annulled: bool | UnsetType = UNSET
    rank: int | None | UnsetType = UNSET


class EntryChange(Change, frozen=True):
    id: int
    name: str | UnsetType = UNSET
    status: str | UnsetType = UNSET
    seed: int | None | UnsetType = UNSET
    checked_in: bool | UnsetType = UNSET
    waitlisted_at: str | None | UnsetType = UNSET
    claim_by: str | None | UnsetType = UNSET
    team: int | None | UnsetType = UNSET
    roster: list[str] | UnsetType = UNSET


class Game(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    home: int
    away: int


class Report(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    home_score: int
    away_score: int
    home_shootout: int | None
    away_shootout: int | None
    games: list[Game]


class KeptResult(Report, frozen=True, kw_only=True):
    """A result that a reopening took away from `home` against `away`."""

    home: int
    away: int
    winner: int | None
    reason: str


class MatchChange(Change, frozen=True):
    id: int
    stage: int | UnsetType = UNSET
    number: int | UnsetType = UNSET
    bracket: str | UnsetType = UNSET
    round: int | UnsetType = UNSET
    position: int | UnsetType = UNSET
    group: int | UnsetType = UNSET
    best_of: int | UnsetType = UNSET
    state: str | UnsetType = UNSET
    home: int | None | UnsetType = UNSET
    away: int | None | UnsetType = UNSET
    home_closed: bool | UnsetType = UNSET
    away_closed: bool | UnsetType = UNSET
    home_score: int | UnsetType = UNSET
    away_score: int | UnsetType = UNSET
    home_shootout: int | None | UnsetType = UNSET
    away_shootout: int | None | UnsetType = UNSET
    games: list[Game] | UnsetType = UNSET
    home_checked_in: bool | UnsetType = UNSET
    away_checked_in: bool | UnsetType = UNSET
    reported_by: SideName | None | UnsetType = UNSET
    report: Report | None | UnsetType = UNSET
    counter_report: Report | None | UnsetType = UNSET
    winner: int | None | UnsetType = UNSET
    reason: str | None | UnsetType = UNSET
    winner_to: int | None | UnsetType = UNSET
    winner_to_side: SideName | None | UnsetType = UNSET
    loser_to: int | None | UnsetType = UNSET
    loser_to_side: SideName | None | UnsetType = UNSET
    sends_on: SideName | None | UnsetType = UNSET
    kept: list[KeptResult] | UnsetType = UNSET
    deadline_at: str | None | UnsetType = UNSET
    veto: Veto | None | UnsetType = UNSET
    veto_deadline_at: str | None | UnsetType = UNSET
    station: int | None | UnsetType = UNSET
    scheduled_at: str | None | UnsetType = UNSET
    called_at: str | None | UnsetType = UNSET
    version: int | UnsetType = UNSET
    started_at: str | None | UnsetType = UNSET
    completed_at: str | None | UnsetType = UNSET


class StationChange(Change, frozen=True):
    id: int
    name: str | UnsetType = UNSET
    order: int | UnsetType = UNSET


class MemberChange(Change, frozen=True):
    id: int
    username: str | UnsetType = UNSET
    role: Literal["referee", "organizer"] | UnsetType = UNSET


class BannedUser(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who is meant; no part of the state."""

    id: int
    username: str


class Event(Struct, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all events. `audience` is who may see it."""

    audience: ClassVar[str] = PUBLIC


class TournamentCreated(Event):
    """A draft exists. Nobody but its staff can see it yet."""

    tournament: TournamentChange
    stage: StageChange


class TournamentUpdated(Event):
    """The organiser changed settings, or a tournament that was over goes on."""

    tournament: TournamentChange
    stage: StageChange | UnsetType = UNSET


class TournamentImported(Event):
    """A tournament came from a file, as it stood there: all of it at once."""

    tournament: TournamentChange
    stages: list[StageChange]
    entries: list[EntryChange]
    stage_entries: list[StageEntryChange]
    matches: list[MatchChange]
    stations: list[StationChange]


class TournamentPublished(Event):
    """Everybody can see it from here on."""

    tournament: TournamentChange


class RegistrationOpened(Event):
    """People can enter."""

    tournament: TournamentChange


class RegistrationClosed(Event):
    """Nobody can enter any more."""

    tournament: TournamentChange


class RegistrationCreated(Event):
    """An entrant registered, or was entered by the organiser; confirmed, on the waitlist, or pending."""

    entry: EntryChange


class RegistrationImported(Event):
    """Entrants came from a file, confirmed or on the waitlist, with seeds where the file has them."""

    entries: list[EntryChange]
    tournament: TournamentChange | UnsetType = UNSET


class RegistrationCancelled(Event):
    """An entrant is out: withdrew, was declined, let a held place go, or did not check in; see `entry.status`."""

    entry: EntryChange


class RegistrationPromoted(Event):
    """A place became free and went to the first on the waitlist; or an organiser accepted the entrant."""

    entry: EntryChange


class RegistrationOffered(Event):
    """A place is held for the first on the waitlist until `entry.claim_by`."""

    entry: EntryChange


class RegistrationUpdated(Event):
    """An entrant's name, captain or roster changed."""

    entry: EntryChange


class EntryDisqualified(Event):
    """The staff ruled that an entrant may not go on."""

    entry: EntryChange


class EntryReinstated(Event):
    """An entrant who had withdrawn or been disqualified goes on; what was decided because of it is open again."""

    entry: EntryChange


class CheckInClosed(Event):
    """The time to check in is over; who was not there has been dealt with."""

    tournament: TournamentChange


class RegistrationCheckedIn(Event):
    """An entrant is here."""

    entry: EntryChange


class RegistrationCheckinReverted(Event):
    """A check-in was taken back."""

    entry: EntryChange


class EntriesSeeded(Event):
    """Seeds were set by hand, or drawn; a draw can be replayed from `tournament.draw_seed`."""

    tournament: TournamentChange
    entries: list[EntryChange]


class StageAdded(Event):
    """The tournament goes on after its stages so far."""

    stage: StageChange


class StageUpdated(Event):
    """Settings of a stage changed, or its state: drawn, over, open again."""

    stage: StageChange


class StageRemoved(Event):
    """A stage that was not drawn is gone."""

    removed: dict[Literal["stages"], list[int]]


class BracketGenerated(Event):
    """A stage is drawn. `removed` names what an earlier draw had made and this one replaces."""

    tournament: TournamentChange
    entries: list[EntryChange]
    stage_entries: list[StageEntryChange]
    matches: list[MatchChange]
    removed: dict[DrawPart, list[int]] | UnsetType = UNSET


class BracketWithdrawn(Event):
    """A draw was taken back: the results that it came from are open again."""

    removed: dict[DrawPart, list[int]]


class BracketRestored(Event):
    """What a withdrawn draw had made is there again."""

    stage_entries: list[StageEntryChange]
    matches: list[MatchChange]


class RoundPaired(Event):
    """The next round of a Swiss stage. `removed` names the matches of an earlier pairing that this one replaces."""

    stage_entries: list[StageEntryChange]
    matches: list[MatchChange]
    removed: dict[Literal["matches"], list[int]] | UnsetType = UNSET


class StandingsUpdated(Event):
    """Something other than a result changed what counts: a stage's ranks, annulled results, who plays in it."""

    stage_entries: list[StageEntryChange]


class BracketUpdated(Event):
    """An entrant took a place in a later match, or it became certain that nobody will."""

    match: MatchChange
    entry: EntryChange | UnsetType = UNSET


class MatchEntrantRenamed(Event):
    """An entrant of this match has another name, which a viewer of this match alone would not hear of otherwise."""

    match: MatchChange
    entry: EntryChange


class MatchCheckInOpened(Event):
    """Both entrants are known and have until `match.deadline_at` to check in."""

    match: MatchChange


class MatchDeadlineExtended(Event):
    """The sides have until another `match.deadline_at`."""

    match: MatchChange


class MatchCheckedIn(Event):
    """One side of a match is here."""

    match: MatchChange


class MatchReady(Event):
    """Both entrants are known and here; the match can start."""

    match: MatchChange


class TournamentStarted(Event):
    """The first match began or was decided."""

    tournament: TournamentChange


class VetoStarted(Event):
    """The two begin to settle what the games of their match are played on."""

    match: MatchChange


class VetoMoved(Event):
    """One side banned, picked, called the coin or chose a side; or its time was up, and chance did."""

    match: MatchChange


class VetoCompleted(Event):
    """The last step was taken: `match.veto` has the games, and the seed of what was left to chance."""

    match: MatchChange


class VetoReset(Event):
    """A referee took a veto back; it can begin anew."""

    match: MatchChange


class MatchStarted(Event):
    """The match is being played."""

    match: MatchChange


class ScoreUpdated(Event):
    """The score of a match in play. Absolute values: the latest is the truth."""

    match: MatchChange


class ResultReported(Event):
    """One side stated a result; the other side can confirm it."""

    match: MatchChange


class ResultDisputed(Event):
    """The sides do not agree about the result; a referee decides."""

    match: MatchChange


class MatchCompleted(Event):
    """A match has its result, played or not. `match.winner` is None for a draw, and when nobody could play."""

    match: MatchChange


class MatchCancelled(Event):
    """A match will not be played, and nobody won it."""

    match: MatchChange


class MatchReopened(Event):
    """A result was taken back; the match can be played or decided again."""

    match: MatchChange


class MatchRestored(Event):
    """A reopening was taken back; the match stands as it did before."""

    match: MatchChange


class MatchScheduled(Event):
    """A match has another time or station."""

    match: MatchChange


class BestOfChanged(Event):
    """Matches that have not begun have another number of games. The room of a match gets its own part."""

    matches: list[MatchChange]


class MatchCalled(Event):
    """The entrants were asked to come to their station."""

    match: MatchChange


class SchedulePlanned(Event):
    """Times and stations of many matches. The room of a match gets its own part."""

    matches: list[MatchChange]


class StationAdded(Event):
    """There is one more place to play at."""

    station: StationChange


class StationRenamed(Event):
    """A place to play at has another name."""

    station: StationChange


class StationRemoved(Event):
    """A place to play at is gone. `matches` are those that had been planned there; a match's room gets its own."""

    matches: list[MatchChange]
    removed: dict[Literal["stations"], list[int]]


class TournamentCompleted(Event):
    """Every match has its result; the champion is known."""

    tournament: TournamentChange


class TournamentCancelled(Event):
    """The organiser called it off."""

    tournament: TournamentChange


class TournamentOnStream(Event):
    """Another match is shown on stream, or none: `tournament.on_stream`."""

    tournament: TournamentChange


class TournamentOverlaysRenewed(Event):
    """The addresses of the overlays so far have ended."""

    tournament: TournamentChange


class AnnouncementMade(Event):
    """The organisers say something to everybody: the last of `tournament.notices`."""

    tournament: TournamentChange


class AnnouncementTakenDown(Event):
    """An announcement does not stand any more; `tournament.notices` are those that do."""

    tournament: TournamentChange


class StaffLinkMade(Event):
    """There is a link with which people can join the staff."""

    audience: ClassVar[str] = STAFF

    link: StaffLinkTold


class StaffLinkRevoked(Event):
    """A link to the staff opens nothing any more. Who joined by it stays."""

    audience: ClassVar[str] = STAFF

    link: StaffLinkTold


class MemberAdded(Event):
    """Somebody joined the staff, or their role changed."""

    audience: ClassVar[str] = STAFF

    member: MemberChange


class MemberRemoved(Event):
    """Somebody left the staff."""

    audience: ClassVar[str] = STAFF

    removed: dict[Literal["staff"], list[int]]


class UserBanned(Event):
    """Somebody may not enter any more."""

    audience: ClassVar[str] = STAFF

    banned: BannedUser


class UserUnbanned(Event):
    """Somebody who was banned may enter again."""

    audience: ClassVar[str] = STAFF

    banned: BannedUser


class PersonErased(Event):
    """
    An account was deleted. `entries` have other names and rosters, and what the log says of before has them as well:
    whoever keeps copies of it lets go of them.
    """

    entries: list[EntryChange]


def event_name(kind: type[Event]) -> str:
    """Return the name on the wire: `MatchCompleted` → "match_completed"."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in kind.__name__).lstrip("_")


EVENTS: dict[str, type[Event]] = {event_name(kind): kind for kind in Event.__subclasses__()}
