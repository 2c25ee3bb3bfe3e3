"""
Every event of a tournament, declared once.

An event's fields are the parts of the state that it changed (see engine.projection), with their new values, plus
what only this event knows (`by`, `reason`). A `…Change` holds the id and the fields that changed.
The name on the wire is the class name in snake case.
"""

from typing import ClassVar, Literal

from msgspec import UNSET, Struct, UnsetType

from apps.eventlog.log import PUBLIC, STAFF


class Change(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """Base of a part of the state; a field that is absent did not change."""


class TournamentChange(Change, frozen=True):
    id: int | UnsetType = UNSET
    name: str | UnsetType = UNSET
    game: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    accent: str | UnsetType = UNSET
    status: str | UnsetType = UNSET
    capacity: int | UnsetType = UNSET
    check_in: bool | UnsetType = UNSET
    starts_at: str | None | UnsetType = UNSET
    seeding: str | UnsetType = UNSET
    draw_seed: int | None | UnsetType = UNSET
    champion: int | None | UnsetType = UNSET
    runner_up: int | None | UnsetType = UNSET
    third_place: int | None | UnsetType = UNSET


class StageChange(Change, frozen=True):
    id: int
    number: int | UnsetType = UNSET
    format: str | UnsetType = UNSET
    third_place_match: bool | UnsetType = UNSET


class EntryChange(Change, frozen=True):
    id: int
    name: str | UnsetType = UNSET
    status: str | UnsetType = UNSET
    seed: int | None | UnsetType = UNSET
    checked_in: bool | UnsetType = UNSET


class Report(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    home_score: int
    away_score: int
    home_shootout: int | None
    away_shootout: int | None


class MatchChange(Change, frozen=True):
    id: int
    stage: int | UnsetType = UNSET
    number: int | UnsetType = UNSET
    bracket: str | UnsetType = UNSET
    round: int | UnsetType = UNSET
    position: int | UnsetType = UNSET
    state: str | UnsetType = UNSET
    home: int | None | UnsetType = UNSET
    away: int | None | UnsetType = UNSET
    home_closed: bool | UnsetType = UNSET
    away_closed: bool | UnsetType = UNSET
    home_score: int | UnsetType = UNSET
    away_score: int | UnsetType = UNSET
    home_shootout: int | None | UnsetType = UNSET
    away_shootout: int | None | UnsetType = UNSET
    reported_by: Literal["home", "away"] | None | UnsetType = UNSET
    report: Report | None | UnsetType = UNSET
    winner: int | None | UnsetType = UNSET
    reason: str | None | UnsetType = UNSET
    winner_to: int | None | UnsetType = UNSET
    winner_to_side: Literal["home", "away"] | None | UnsetType = UNSET
    loser_to: int | None | UnsetType = UNSET
    loser_to_side: Literal["home", "away"] | None | UnsetType = UNSET
    version: int | UnsetType = UNSET
    started_at: str | None | UnsetType = UNSET
    completed_at: str | None | UnsetType = UNSET


class MemberChange(Change, frozen=True):
    id: int
    username: str | UnsetType = UNSET
    role: Literal["referee", "organizer"] | UnsetType = UNSET


class Event(Struct, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all events. `audience` is who may see it."""

    audience: ClassVar[str] = PUBLIC


class TournamentCreated(Event):
    """A draft exists. Nobody but its staff can see it yet."""

    tournament: TournamentChange
    stage: StageChange


class TournamentUpdated(Event):
    """The organiser changed settings."""

    tournament: TournamentChange
    stage: StageChange


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
    """An entrant registered, or was entered by the organiser; confirmed or on the waitlist."""

    entry: EntryChange


class RegistrationCancelled(Event):
    """An entrant left: withdrew, or did not show up for check-in."""

    entry: EntryChange


class RegistrationPromoted(Event):
    """A place became free and went to the first on the waitlist."""

    entry: EntryChange


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


class BracketGenerated(Event):
    """The matches exist. `removed` names the matches of an earlier bracket that this one replaces."""

    tournament: TournamentChange
    entries: list[EntryChange]
    matches: list[MatchChange]
    removed: dict[Literal["matches"], list[int]] | UnsetType = UNSET


class BracketUpdated(Event):
    """An entrant took a place in a later match, or it became certain that nobody will."""

    match: MatchChange
    entry: EntryChange | UnsetType = UNSET


class MatchReady(Event):
    """Both entrants are known; the match can start."""

    match: MatchChange


class TournamentStarted(Event):
    """The first match began or was decided."""

    tournament: TournamentChange


class MatchStarted(Event):
    """The match is being played."""

    match: MatchChange


class ScoreUpdated(Event):
    """The score of a match in play. Absolute values: the latest is the truth."""

    match: MatchChange


class ResultReported(Event):
    """One side stated a result; the other side can confirm it."""

    match: MatchChange


class MatchCompleted(Event):
    """A match has its result. `match.winner` is None when nobody could play."""

    match: MatchChange


class TournamentCompleted(Event):
    """Every match has its result; the champion is known."""

    tournament: TournamentChange


class TournamentCancelled(Event):
    """The organiser called it off."""

    tournament: TournamentChange


class MemberAdded(Event):
    """Somebody joined the staff, or their role changed."""

    audience: ClassVar[str] = STAFF

    member: MemberChange


class MemberRemoved(Event):
    """Somebody left the staff."""

    audience: ClassVar[str] = STAFF

    removed: dict[Literal["staff"], list[int]]


def event_name(kind: type[Event]) -> str:
    """Return the name on the wire: `MatchCompleted` → "match_completed"."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in kind.__name__).lstrip("_")


EVENTS: dict[str, type[Event]] = {event_name(kind): kind for kind in Event.__subclasses__()}
