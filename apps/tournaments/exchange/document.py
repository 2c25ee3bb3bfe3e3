"""
A whole tournament as one JSON document: what `export` writes and an import reads back.

A row is named by a number that counts in the document; nothing in it is an id of the site that wrote it, or of a
person. What is absent has the value that is written here, so a document can be short, and written by hand.
docs/formats.md describes it. What a field can be is checked while it is read; whether the fields agree with each other
is the question of consistency.py.
"""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from apps.errors import BadRequest
from apps.tournaments.exchange.decoding import MAX_BYTES
from engine.bracket import MAX_ENTRANTS, MIN_ENTRANTS, Bracket, Side
from engine.match_flow import MAX_GAMES, MAX_POINTS, MatchState, Reason, Score
from engine.stages import MAX_BEST_OF, MAX_ROUNDS, Format
from engine.text import Text
from engine.text import gettext as _
from engine.veto_script import MAX_POOL, MAX_TEXT, Act

_MAX_SMALL, _MAX_INTEGER = 2**15 - 1, 2**31 - 1  # what the columns hold

FORMAT: Literal["deltacrown/1"] = "deltacrown/1"
MAX_MATCHES = _MAX_SMALL  # of all stages
MAX_ENTRIES = 4 * MAX_ENTRANTS  # with the waitlist and those who left
YEARS = range(2000, 2101)

_DAY = 24 * 60  # minutes

Small = Annotated[int, msgspec.Meta(ge=0, le=_MAX_SMALL)]
Number = Annotated[int, msgspec.Meta(ge=1, le=_MAX_SMALL)]
Round = Annotated[int, msgspec.Meta(ge=1, le=999)]
Integer = Annotated[int, msgspec.Meta(ge=0, le=_MAX_INTEGER)]
Version = Annotated[int, msgspec.Meta(ge=1, le=_MAX_INTEGER)]
DrawSeed = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
Points = Annotated[int, msgspec.Meta(ge=0, le=MAX_POINTS)]
BestOf = Annotated[int, msgspec.Meta(ge=1, le=MAX_BEST_OF)]
Capacity = Annotated[int, msgspec.Meta(ge=MIN_ENTRANTS, le=MAX_ENTRANTS)]
Time = Annotated[datetime, msgspec.Meta(tz=True)]
Minutes = Small

TournamentStatus = Literal[
    "draft", "published", "registration_open", "registration_closed", "live", "completed", "cancelled"
]
EntryStatus = Literal[
    "pending",
    "confirmed",
    "waitlisted",
    "offered",
    "withdrawn",
    "declined",
    "expired",
    "no_show",
    "disqualified",
]
StageState = Literal["pending", "live", "completed"]
DisputeCause = Literal["score", "no_show", "rules", "technical", "other"]


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Base of all parts."""


class Tournament(Part, frozen=True, kw_only=True):
    """Settings and status. `champion`, `runner_up` and `third_place` are numbers of entries."""

    name: str
    game: str = ""
    description: str = ""
    accent: str = "#2f6fed"
    status: TournamentStatus = "draft"
    capacity: Capacity = 16
    starts_at: Time | None = None
    participation: Literal["solo", "team"] = "solo"
    roster_min: Small = 1
    roster_max: Small = 10
    entry_rule: Literal["open", "approval", "invite"] = "open"
    rating_min: float | None = None
    rating_max: float | None = None
    late_entry: bool = False
    claim_minutes: Minutes = 0
    check_in: bool = False
    check_in_opens_at: Time | None = None
    check_in_closes_at: Time | None = None
    check_in_closed: bool = False
    no_show_rule: Literal["drop", "walkover"] = "drop"
    match_check_in_minutes: Minutes = 0
    confirm_minutes: Minutes = 15
    match_minutes: Annotated[int, msgspec.Meta(ge=1, le=_DAY)] = 30
    rest_minutes: Annotated[int, msgspec.Meta(ge=0, le=_DAY)] = 0
    rated: bool = False
    seeding: Literal["", "manual", "random", "rating"] = ""
    draw_seed: DrawSeed | None = None
    champion: Number | None = None
    runner_up: Number | None = None
    third_place: Number | None = None
    created_at: Time | None = None


class Station(Part, frozen=True, kw_only=True):
    number: Number
    name: str
    order: Small = 0


class Entry(Part, frozen=True, kw_only=True):
    """An entrant, in the order of registration. `roster`: the names of a team's players."""

    number: Number
    name: str
    status: EntryStatus = "confirmed"
    seed: Number | None = None
    roster: Annotated[list[str], msgspec.Meta(max_length=100)] = []
    checked_in_at: Time | None = None
    waitlisted_at: Time | None = None
    claim_by: Time | None = None
    created_at: Time | None = None


class StageEntry(Part, frozen=True, kw_only=True):
    entry: Number
    seed: Number
    group: Small = 0
    lot: Integer = 0
    byes: Annotated[list[Annotated[int, msgspec.Meta(ge=1, le=MAX_ROUNDS)]], msgspec.Meta(max_length=MAX_ROUNDS)] = []
    annulled: bool = False
    rank: Number | None = None


class Game(Part, frozen=True, kw_only=True):
    home: Points
    away: Points


class Report(Part, frozen=True, kw_only=True):
    home_score: Points = 0
    away_score: Points = 0
    home_shootout: Points | None = None
    away_shootout: Points | None = None
    games: Annotated[list[Game], msgspec.Meta(max_length=MAX_GAMES)] = []

    def score(self) -> Score:
        """Return what is stated. Raises InvalidScore."""
        games = tuple((game.home, game.away) for game in self.games)
        return Score(self.home_score, self.away_score, self.home_shootout, self.away_shootout, games)


class KeptResult(Report, frozen=True, kw_only=True):
    """A result that a reopening took away from `home` against `away`, which are entries; so is `winner`."""

    home: Number
    away: Number
    winner: Number | None = None
    reason: Reason


class Place(Part, frozen=True, kw_only=True):
    match: Number
    side: Side


class VetoMove(Part, frozen=True, kw_only=True):
    act: Act
    side: Side | None = None
    option: str
    drawn: bool = False


class Veto(Part, frozen=True, kw_only=True):
    """A veto that is over: what it was about, its moves, and the seed of what was left to chance; see engine.veto."""

    home: Number
    away: Number
    script: Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]
    pool: Annotated[list[str], msgspec.Meta(max_length=MAX_POOL)]
    sides: Annotated[list[str], msgspec.Meta(max_length=2)]
    seed: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    first: Side
    moves: Annotated[list[VetoMove], msgspec.Meta(max_length=4 * MAX_POOL)]


class Match(Report, frozen=True, kw_only=True):
    """A match; `home`, `away` and `winner` are numbers of entries, `station` of a station."""

    number: Number
    bracket: Bracket = Bracket.MAIN
    round: Round
    position: Number
    group: Small = 0
    best_of: BestOf = 1
    state: MatchState = MatchState.SCHEDULED
    home: Number | None = None
    away: Number | None = None
    home_closed: bool = False
    away_closed: bool = False
    home_checked_in: bool = False
    away_checked_in: bool = False
    reported_by: Side | None = None
    report: Report | None = None
    counter_report: Report | None = None
    winner: Number | None = None
    reason: Reason | None = None
    winner_to: Place | None = None
    loser_to: Place | None = None
    sends_on: Side | None = None
    kept: list[KeptResult] = []
    veto: Veto | None = None
    deadline_at: Time | None = None
    station: Number | None = None
    scheduled_at: Time | None = None
    called_at: Time | None = None
    version: Version = 1
    started_at: Time | None = None
    completed_at: Time | None = None


class Stage(Part, frozen=True, kw_only=True):
    """A stage. `settings`: fields of engine.stages.StageSettings."""

    number: Number
    name: str = ""
    format: Format
    state: StageState = "pending"
    settings: dict[str, Any] = {}
    entries: Annotated[list[StageEntry], msgspec.Meta(max_length=MAX_ENTRANTS)] = []
    matches: Annotated[list[Match], msgspec.Meta(max_length=_MAX_SMALL)] = []


class Dispute(Part, frozen=True, kw_only=True):
    """A dispute about match `match` of stage `stage`; open until `resolved_at`."""

    stage: Number
    match: Number
    opened_by: Side | None = None
    cause: DisputeCause = "other"
    text: str = ""
    ruling: str = ""
    opened_at: Time
    resolved_at: Time | None = None


class Document(Part, frozen=True, kw_only=True):
    """A whole tournament. `disputes` are there when its staff exported it."""

    format: Literal["deltacrown/1"]
    exported_at: Time | None = None
    tournament: Tournament
    stations: list[Station] = []
    entries: Annotated[list[Entry], msgspec.Meta(max_length=MAX_ENTRIES)] = []
    stages: Annotated[list[Stage], msgspec.Meta(min_length=1)]
    disputes: list[Dispute] = []


class _Head(msgspec.Struct):
    format: Any = None


def refusal(path: str, message: str | Text) -> BadRequest:
    """Return what somebody is told whose document is wrong at `path`, as in "stages[0].matches[3].winner"."""
    said = Text("{path}: {message}", {"path": path, "message": message}) if path else message
    return BadRequest(said, field="file", path=path)


def is_document(data: bytes) -> bool:
    """Return whether a file says that it is such a document, of whichever version."""
    try:
        return msgspec.json.decode(_bare(data), type=_Head).format is not None
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return False


def read_document(data: bytes) -> Document:
    """
    Return what a file says, each field by itself; `consistency.check` says whether they agree.

    Raises:
        BadRequest: too large, not such a document, or a field is not what it has to be; `path` says which.
    """
    if len(data) > MAX_BYTES:
        raise refusal("", _("The file is too large: at most {most} MiB can be read.", most=MAX_BYTES // 1024 // 1024))
    try:
        head = msgspec.json.decode(_bare(data), type=_Head)
        if head.format != FORMAT:
            raise refusal(
                "format", _("The file has to say “{format}”, which is what this site writes and reads.", format=FORMAT)
            )
        return msgspec.json.decode(_bare(data), type=Document)
    except msgspec.ValidationError as error:
        raise _misfit(error) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise refusal("", _("The file is not JSON. Send the document as it was exported.")) from None


def write_document(document: Document) -> bytes:
    """Return a file that `read_document` reads back, in UTF-8."""
    return msgspec.json.encode(document)


def _bare(data: bytes) -> bytes:
    return data.removeprefix(b"\xef\xbb\xbf")  # which some editors put first


def _misfit(error: msgspec.ValidationError) -> BadRequest:
    what, _, path = str(error).partition(" - at ")
    path = path.strip("`").removeprefix("$").removeprefix(".")
    return refusal(re.sub(r"\[\.\.\.\]", "[…]", path), f"{what}.")
