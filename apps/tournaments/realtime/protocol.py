"""
READ FIRST: every frame in and out, every close code. docs/protocol.md explains them; a test keeps the two together.

A client's whole rule for frames with `seq` and `prev`, where `mine` is the seq it has:
`seq <= mine`: ignore. `prev <= mine < seq`: apply. `prev > mine`: a hole; send {"type": "resync"}.
"""

from enum import IntEnum
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from apps.errors import ErrorCode
from engine.match_flow import MAX_GAMES, MAX_POINTS

VERSION = 1
SUBPROTOCOL = "deltacrown.v1"
TOKEN_SUBPROTOCOL = "bearer."  # noqa: S105 - the prefix before a token
RESTART = 1012  # RFC 6455's code of a server that restarts


class CloseCode(IntEnum):
    """Why the server closed. What a client does then stands in docs/protocol.md."""

    BAD_REQUEST = 4000
    AUTHENTICATION_REQUIRED = 4001
    TOKEN_EXPIRED = 4002
    FORBIDDEN = 4003
    HEARTBEAT_TIMEOUT = 4004
    RATE_LIMITED = 4008
    PAYLOAD_TOO_LARGE = 4009
    ROOM_FULL = 4010
    SLOW_CONSUMER = 4013
    NOT_FOUND = 4404
    INTERNAL_ERROR = 4500


# Server → client -----------------------------------------------------------------------------------------------------


class Frame(Struct, omit_defaults=True, kw_only=True):
    """Base of what the server sends; `type` is the class's tag."""


class Welcome(Struct, omit_defaults=True, kw_only=True):
    """
    Who you are here and where the room stands. `match_id` and `is_participant` in a match room only.

    `role`: spectator, player, referee, organizer or admin. `until`: the last of the missed events, where there are any.
    """

    protocol: int
    tournament_id: int
    match_id: int | UnsetType = UNSET
    user_id: str
    username: str
    role: str
    is_participant: bool | UnsetType = UNSET
    heartbeat_interval: float
    heartbeat_timeout: float
    max_payload_bytes: int
    epoch: str
    seq: int
    resumed: bool
    until: int | UnsetType = UNSET
    server_time: str
    message: str


class ConnectionEstablished(Frame, tag="connection_established"):
    """Always first. With `resumed` the missed events follow, else a snapshot."""

    data: Welcome


class Snapshot(Frame, tag="snapshot"):
    """The whole state of the room for this audience, as of `seq`."""

    epoch: str
    seq: int
    data: Raw


class EventFrame(Struct, kw_only=True):
    """A committed event. `type` is its name (apps/tournaments/events.py); `prev` the seq of the room's frame before."""

    type: str
    seq: int
    prev: int
    at: str
    data: Raw


class ServerPing(Frame, tag="ping"):
    """Every 25 s. Answer with a pong; any other frame counts as life too. `timestamp`: ms since the epoch."""

    timestamp: int


class ServerPong(Frame, tag="pong"):
    """Answers a client's ping."""

    timestamp: int
    id: str | UnsetType = UNSET


class TokenExpiring(Frame, tag="token_expiring"):
    """The token ends soon: send `authenticate` with a new one, or the connection is closed with 4002."""

    in_ms: int


class ServerRestarting(Frame, tag="server_restarting"):
    """Comes before 1012: the process ends. Connect again after the time given, which is another for each client."""

    retry_after_ms: int


class Presence(Frame, tag="presence"):
    """
    How many watch this room: exact up to 100, above that rounded down to two digits. At most once a second.

    `home`, `away`: whether a player of that side has the match's room open. In a match room only.
    """

    viewers: int
    home: bool | UnsetType = UNSET
    away: bool | UnsetType = UNSET


class Subscribed(Frame, tag="subscribed"):
    """Answers `subscribe`: the room that this connection is in."""

    room: str
    id: str | UnsetType = UNSET


class Ack(Frame, tag="ack", kw_only=True):
    """
    The action took effect at `seq`. `data` names what it made or changed, for example {"match_id": 5}.

    For `authenticate`: no `seq`; `data` has `expires_in_ms`.
    """

    id: str
    seq: int | UnsetType = UNSET
    data: dict[str, int]


class ErrorFrame(Frame, tag="error"):
    """
    Something was refused. `id` names the refused message; `close_code` says that the connection closes next.

    `data` holds facts for programs, for example how things stand now after a `conflict`.
    """

    code: ErrorCode
    message: str
    id: str | UnsetType = UNSET
    retry_after_ms: int | UnsetType = UNSET
    close_code: int | UnsetType = UNSET
    data: dict[str, Any] | UnsetType = UNSET


SERVER_FRAMES: tuple[type[Struct], ...] = (
    ConnectionEstablished,
    Snapshot,
    EventFrame,
    ServerPing,
    ServerPong,
    TokenExpiring,
    ServerRestarting,
    Presence,
    Subscribed,
    Ack,
    ErrorFrame,
)


# Client → server -----------------------------------------------------------------------------------------------------

MessageId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:-]{1,64}\Z")]
RowId = Annotated[int, Meta(ge=1, le=2**53)]
Points = Annotated[int, Meta(ge=0, le=MAX_POINTS)]
Version = Annotated[int, Meta(ge=1, le=2**31 - 1)]
SideName = Literal["home", "away"]
Ruling = Annotated[str, Meta(max_length=2000)]


class Message(Struct, forbid_unknown_fields=True, kw_only=True):
    """Base of what a client sends: {"type", "id"?, "data"?}. Unknown fields are refused."""

    id: MessageId | None = None


class Stamp(Struct, forbid_unknown_fields=True, kw_only=True):
    timestamp: float | None = None


class Ping(Message, tag="ping"):
    timestamp: float | None = None
    data: Stamp | None = None


class Pong(Message, tag="pong"):
    timestamp: float | None = None
    data: Stamp | None = None


class Subscribe(Message, tag="subscribe"):
    """The connection is in its room from the start; this only asks which one it is."""


class Resync(Message, tag="resync"):
    """A hole was seen: send a snapshot."""


class NewToken(Struct, forbid_unknown_fields=True, kw_only=True):
    token: Annotated[str, Meta(max_length=4096)]


class Authenticate(Message, tag="authenticate"):
    """A new token of the same person for this room, before the old one ends."""

    data: NewToken


class Action(Struct, forbid_unknown_fields=True, kw_only=True):
    """Base of what changes something. `id` is chosen by the client; the same id has one effect, however often sent."""

    id: MessageId


class OnMatch(Struct, forbid_unknown_fields=True, kw_only=True):
    """`match_id` may be left out in the match's own room. `expected_version`: refuse if the match has changed since."""

    match_id: RowId | None = None
    expected_version: Version | None = None


class OnEntry(Struct, forbid_unknown_fields=True, kw_only=True):
    """`entry_id` left out: one's own entry."""

    entry_id: RowId | None = None


class WithSide(OnMatch):
    """`side`: for the staff, who act for somebody; a player acts for their own."""

    side: SideName | None = None


class GamePoints(Struct, forbid_unknown_fields=True, kw_only=True):
    """One game of a best-of-N."""

    home: Points
    away: Points


Games = Annotated[list[GamePoints], Meta(max_length=MAX_GAMES)]


class WithOptionalScore(OnMatch):
    """
    The numbers of both sides, or in a best-of-N the `games`. Without either the reported score counts, else the one
    that stands. `ruling` says why, when this decides a dispute.
    """

    home_score: Points | None = None
    away_score: Points | None = None
    home_shootout: Points | None = None
    away_shootout: Points | None = None
    games: Games = []
    ruling: Ruling = ""


class WithScore(OnMatch):
    """The numbers of both sides, or in a best-of-N the `games`."""

    home_score: Points | None = None
    away_score: Points | None = None
    home_shootout: Points | None = None
    away_shootout: Points | None = None
    games: Games = []

    def __post_init__(self) -> None:
        numbers = (self.home_score is not None) + (self.away_score is not None)
        if numbers == 1 or not (numbers or self.games):
            message = "a score has a number for both sides"
            raise ValueError(message)


class WithWinner(OnMatch):
    winner: SideName


class WithLoser(OnMatch):
    """`ruling` says why, when this decides a dispute."""

    loser: Literal["home", "away", "both"]
    ruling: Ruling = ""


class WithCause(OnMatch):
    """What happened, so that a referee can decide."""

    text: Annotated[str, Meta(min_length=1, max_length=2000)]
    cause: Literal["score", "no_show", "rules", "technical", "other"] = "other"


class WithOption(OnMatch):
    """`option`: one of `turn.options` of the match's veto."""

    option: Annotated[str, Meta(max_length=60)]


class CheckIn(Action, tag="check_in"):
    data: OnEntry = msgspec.field(default_factory=OnEntry)


class Withdraw(Action, tag="withdraw"):
    data: OnEntry = msgspec.field(default_factory=OnEntry)


class ClaimPlace(Action, tag="claim_place"):
    data: OnEntry = msgspec.field(default_factory=OnEntry)


class ReportScore(Action, tag="report_score"):
    data: WithScore


class ConfirmResult(Action, tag="confirm_result"):
    data: OnMatch = msgspec.field(default_factory=OnMatch)


class DisputeResult(Action, tag="dispute_result"):
    data: WithCause


class CheckInMatch(Action, tag="check_in_match"):
    data: WithSide = msgspec.field(default_factory=WithSide)


class VetoMove(Action, tag="veto_move"):
    data: WithOption


class StartMatch(Action, tag="start_match"):
    data: OnMatch = msgspec.field(default_factory=OnMatch)


class UpdateScore(Action, tag="update_score"):
    data: WithScore


class CompleteMatch(Action, tag="complete_match"):
    data: WithOptionalScore = msgspec.field(default_factory=WithOptionalScore)


class AwardWalkover(Action, tag="award_walkover"):
    data: WithWinner


class ForfeitMatch(Action, tag="forfeit_match"):
    data: WithLoser


class GenerateBracket(Action, tag="generate_bracket"):
    data: Annotated[dict[str, Any], Meta(max_length=0)] = {}


AnyAction = (
    CheckIn
    | Withdraw
    | ClaimPlace
    | ReportScore
    | ConfirmResult
    | DisputeResult
    | CheckInMatch
    | VetoMove
    | StartMatch
    | UpdateScore
    | CompleteMatch
    | AwardWalkover
    | ForfeitMatch
    | GenerateBracket
)
AnyMessage = Ping | Pong | Subscribe | Resync | Authenticate | AnyAction

_decoder = msgspec.json.Decoder(AnyMessage)
_encoder = msgspec.json.Encoder()


class _Envelope(Struct):
    """What can be known of a message that does not decode: which one it was and what it wanted to be."""

    type: Any = None
    id: Any = None


CLIENT_TYPES = frozenset(kind.__struct_config__.tag for kind in AnyMessage.__args__)


class Unreadable(Exception):
    """
    Raised for a message that is not one of the protocol's; holds the answer. Nothing of the input is repeated,
    but the id when it has the form of one.
    """

    def __init__(self, code: ErrorCode, message: str, message_id: str | UnsetType = UNSET) -> None:
        super().__init__(message)
        self.frame = ErrorFrame(code=code, message=message, id=message_id)


def decode(text: str | None) -> AnyMessage:
    """
    Return the message in a text frame; None stands for a binary one.

    Raises:
        Unreadable: not JSON, an unknown type, or fields that are missing, unknown, of another type or out of range.
    """
    if text is None:
        sentence = "Binary frames are not part of this protocol. Send text."
        raise Unreadable(ErrorCode.INVALID_SCHEMA, sentence)
    try:
        message: AnyMessage = _decoder.decode(text)
    except (msgspec.ValidationError, RecursionError):
        raise _explain(text) from None
    except (msgspec.DecodeError, UnicodeError):
        sentence = "This is not JSON. Send one JSON object a frame."
        raise Unreadable(ErrorCode.INVALID_JSON, sentence) from None
    return message


def encode(frame: Struct) -> str:
    """Return the text of a frame."""
    return encoded(frame).decode()


def encoded(frame: Struct) -> bytes:
    """Return the text of a frame in UTF-8."""
    return _encoder.encode(frame)


def _explain(text: str) -> Unreadable:
    try:
        envelope = msgspec.json.decode(text, type=_Envelope)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return Unreadable(ErrorCode.INVALID_SCHEMA, 'A message is one JSON object with a "type".')
    try:
        message_id: str | UnsetType = msgspec.convert(envelope.id, MessageId)
    except msgspec.ValidationError:
        message_id = UNSET
    if isinstance(envelope.type, str) and envelope.type not in CLIENT_TYPES:
        text = "There is no message of this type. docs/protocol.md lists them."
        return Unreadable(ErrorCode.UNSUPPORTED_MESSAGE_TYPE, text, message_id)
    text = "The fields do not fit this type of message: one is missing, unknown, or out of range."
    return Unreadable(ErrorCode.INVALID_SCHEMA, text, message_id)
