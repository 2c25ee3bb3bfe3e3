"""What a client may send, to the last value that is allowed, and how the server's frames look on the wire."""

import msgspec
import pytest

from apps.errors import ErrorCode
from apps.tournaments.realtime import protocol
from apps.tournaments.realtime.protocol import Unreadable, decode, encode

UUID = "0199e5a0-7e3b-7c7e-8000-1f2e3d4c5b6a"
SCORE = '"home_score": 3, "away_score": 2'
REST = '"match_id": 5, "expected_version": 8, "home_shootout": 4, "away_shootout": 1'


def message(type_: str, data: str | None = None, id_: str | None = '"a"') -> str:
    parts = [f'"type": "{type_}"', f'"id": {id_}' if id_ else "", f'"data": {data}' if data else ""]
    return "{" + ", ".join(filter(None, parts)) + "}"


def games(number: int) -> str:
    return "[" + ", ".join(['{"home": 13, "away": 7}'] * number) + "]"


ON_MATCH = protocol.OnMatch(match_id=5, expected_version=8)
FULL = {"match_id": 5, "expected_version": 8, "home_score": 3, "away_score": 2, "home_shootout": 4, "away_shootout": 1}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"type": "ping"}', protocol.Ping()),
        ('{"type": "ping", "id": "a", "timestamp": 1.5}', protocol.Ping(id="a", timestamp=1.5)),
        ('{"type": "ping", "data": {"timestamp": 2}}', protocol.Ping(data=protocol.Stamp(timestamp=2))),
        ('{"type": "ping", "data": {}}', protocol.Ping(data=protocol.Stamp())),
        ('{"type": "pong"}', protocol.Pong()),
        ('{"type": "pong", "id": "a", "timestamp": 1.5}', protocol.Pong(id="a", timestamp=1.5)),
        ('{"type": "pong", "data": {"timestamp": 2}}', protocol.Pong(data=protocol.Stamp(timestamp=2))),
        ('{"type": "subscribe"}', protocol.Subscribe()),
        ('{"type": "resync", "id": null}', protocol.Resync()),
        (message("authenticate", '{"token": "t"}'), protocol.Authenticate(id="a", data=protocol.NewToken(token="t"))),
        (message("check_in"), protocol.CheckIn(id="a", data=protocol.OnEntry())),
        (message("check_in", '{"entry_id": 1}'), protocol.CheckIn(id="a", data=protocol.OnEntry(entry_id=1))),
        (message("claim_place"), protocol.ClaimPlace(id="a", data=protocol.OnEntry())),
        (message("withdraw"), protocol.Withdraw(id="a", data=protocol.OnEntry())),
        (message("withdraw", '{"entry_id": 1}'), protocol.Withdraw(id="a", data=protocol.OnEntry(entry_id=1))),
        (
            message("report_score", f"{{{SCORE}}}"),
            protocol.ReportScore(id="a", data=protocol.WithScore(home_score=3, away_score=2)),
        ),
        (
            message("report_score", f"{{{SCORE}, {REST}}}"),
            protocol.ReportScore(id="a", data=protocol.WithScore(**FULL)),
        ),
        (
            message("report_score", f'{{"games": {games(2)}}}'),
            protocol.ReportScore(id="a", data=protocol.WithScore(games=[protocol.GamePoints(home=13, away=7)] * 2)),
        ),
        (
            message("dispute_result", '{"text": "They left.", "cause": "no_show"}'),
            protocol.DisputeResult(id="a", data=protocol.WithCause(text="They left.", cause="no_show")),
        ),
        (message("check_in_match"), protocol.CheckInMatch(id="a", data=protocol.WithSide())),
        (
            message("check_in_match", '{"match_id": 5, "side": "away"}'),
            protocol.CheckInMatch(id="a", data=protocol.WithSide(match_id=5, side="away")),
        ),
        (message("confirm_result"), protocol.ConfirmResult(id="a", data=protocol.OnMatch())),
        (
            message("confirm_result", '{"match_id": 5, "expected_version": 8}'),
            protocol.ConfirmResult(id="a", data=ON_MATCH),
        ),
        (message("start_match"), protocol.StartMatch(id="a", data=protocol.OnMatch())),
        (
            message("start_match", '{"match_id": 5, "expected_version": 8}'),
            protocol.StartMatch(id="a", data=ON_MATCH),
        ),
        (
            message("update_score", f"{{{SCORE}}}"),
            protocol.UpdateScore(id="a", data=protocol.WithScore(home_score=3, away_score=2)),
        ),
        (message("complete_match"), protocol.CompleteMatch(id="a", data=protocol.WithOptionalScore())),
        (
            message("complete_match", f"{{{SCORE}, {REST}}}"),
            protocol.CompleteMatch(id="a", data=protocol.WithOptionalScore(**FULL)),
        ),
        (
            message("complete_match", f'{{"games": {games(1)}, "ruling": "As filmed."}}'),
            protocol.CompleteMatch(
                id="a",
                data=protocol.WithOptionalScore(games=[protocol.GamePoints(home=13, away=7)], ruling="As filmed."),
            ),
        ),
        (
            message("veto_move", '{"option": "Bind", "expected_version": 8}'),
            protocol.VetoMove(id="a", data=protocol.WithOption(option="Bind", expected_version=8)),
        ),
        (
            message("award_walkover", '{"winner": "home"}'),
            protocol.AwardWalkover(id="a", data=protocol.WithWinner(winner="home")),
        ),
        (
            message("forfeit_match", '{"loser": "away", "match_id": 5}'),
            protocol.ForfeitMatch(id="a", data=protocol.WithLoser(loser="away", match_id=5)),
        ),
        (
            message("forfeit_match", '{"loser": "both", "ruling": "Neither came."}'),
            protocol.ForfeitMatch(id="a", data=protocol.WithLoser(loser="both", ruling="Neither came.")),
        ),
        (message("generate_bracket"), protocol.GenerateBracket(id="a", data={})),
        (message("generate_bracket", "{}"), protocol.GenerateBracket(id="a", data={})),
    ],
)
def test_a_message_is_read_as_what_it_says(text, expected):
    assert decode(text) == expected


def test_an_action_without_data_is_about_what_is_the_senders():
    """Absent is null, in data that is left out as in a field of it."""
    for kind in ("check_in", "withdraw"):
        assert decode(message(kind)).data.entry_id is None
    for kind in ("confirm_result", "start_match", "complete_match"):
        assert (decode(message(kind)).data.match_id, decode(message(kind)).data.expected_version) == (None, None)
    score = decode(message("update_score", f"{{{SCORE}}}")).data
    assert (score.home_shootout, score.away_shootout, score.games) == (None, None, [])
    none = decode(message("complete_match")).data
    assert (none.home_score, none.away_score, none.home_shootout, none.away_shootout) == (None,) * 4
    assert (none.games, none.ruling) == ([], "")
    assert decode(message("check_in_match")).data.side is None
    assert decode(message("dispute_result", '{"text": "They left."}')).data.cause == "other"
    ping = decode('{"type": "ping"}')
    assert (ping.id, ping.timestamp, ping.data) == (None, None, None)
    pong = decode('{"type": "pong", "data": {}}')
    assert (pong.id, pong.timestamp, pong.data.timestamp) == (None, None, None)
    assert decode('{"type": "pong"}').data is None


def id_of(value: str) -> str:
    return message("start_match", None, f'"{value}"')


IN_RANGE = [
    *(id_of(value) for value in ("a", "Z", "0", "._:-", UUID, "a" * 64)),
    *(message("start_match", f'{{"match_id": {n}}}') for n in (1, 2**53)),
    *(message("start_match", f'{{"expected_version": {n}}}') for n in (1, 2**31 - 1)),
    *(message("check_in", f'{{"entry_id": {n}}}') for n in (1, 2**53)),
    *(message("update_score", f'{{"home_score": {n}, "away_score": {n}}}') for n in (0, 999)),
    *(message("award_walkover", f'{{"winner": "{side}"}}') for side in ("home", "away")),
    message("update_score", f'{{"games": {games(21)}}}'),
    *(message("update_score", f'{{"games": [{{"home": {n}, "away": {n}}}]}}') for n in (0, 999)),
    *(message("forfeit_match", f'{{"loser": "{who}"}}') for who in ("home", "away", "both")),
    *(message("check_in_match", f'{{"side": {side}}}') for side in ('"home"', '"away"', "null")),
    *(message("dispute_result", f'{{"text": "{"é" * length}"}}') for length in (1, 2000)),
    *(
        message("dispute_result", f'{{"text": "a", "cause": "{cause}"}}')
        for cause in ("score", "no_show", "rules", "technical", "other")
    ),
    message("complete_match", f'{{"ruling": "{"r" * 2000}"}}'),
    message("veto_move", f'{{"option": "{"x" * 60}"}}'),
    message("authenticate", f'{{"token": "{"t" * 4096}"}}'),
]
OUT_OF_RANGE = [
    *(id_of(value) for value in ("", " ", "a b", "a\\n", "é", "a" * 65, "a/b")),
    *(message("start_match", f'{{"match_id": {n}}}') for n in (0, -1, 2**53 + 1, "1.5", "true", '"1"')),
    *(message("start_match", f'{{"expected_version": {n}}}') for n in (0, 2**31)),
    *(message("check_in", f'{{"entry_id": {n}}}') for n in (0, 2**53 + 1)),
    *(message("update_score", f'{{"home_score": {n}, "away_score": 0}}') for n in (-1, 1000, "null")),
    *(message("update_score", f'{{"home_score": 0, "away_score": {n}}}') for n in (-1, 1000)),
    *(message("update_score", f'{{{SCORE}, "{side}_shootout": 1000}}') for side in ("home", "away")),
    *(message("complete_match", f'{{"{side}_score": 1000}}') for side in ("home", "away")),
    *(message("complete_match", f'{{"{side}_shootout": -1}}') for side in ("home", "away")),
    message("award_walkover", '{"winner": "both"}'),
    message("forfeit_match", '{"loser": "nobody"}'),
    message("update_score", f'{{"games": {games(22)}}}'),
    *(message("update_score", f'{{"games": [{{"home": {n}, "away": 0}}]}}') for n in (-1, 1000, "null", "1.5")),
    message("check_in_match", '{"side": "both"}'),
    *(message("dispute_result", f'{{"text": "{"é" * length}"}}') for length in (0, 2001)),
    message("dispute_result", '{"text": "a", "cause": "weather"}'),
    message("complete_match", f'{{"ruling": "{"r" * 2001}"}}'),
    message("forfeit_match", f'{{"loser": "home", "ruling": "{"r" * 2001}"}}'),
    message("veto_move", f'{{"option": "{"x" * 61}"}}'),
    message("authenticate", f'{{"token": "{"t" * 4097}"}}'),
]
INCOMPLETE = [
    *(message(kind, "{}") for kind in ("report_score", "update_score", "award_walkover", "forfeit_match")),
    *(message(kind) for kind in ("authenticate", "report_score", "update_score", "award_walkover", "forfeit_match")),
    message("dispute_result"),
    *(message("update_score", f'{{"home_score": 1{more}}}') for more in ("", f', "games": {games(1)}')),
    message("update_score", '{"games": []}'),
    message("update_score", '{"games": [{"home": 1}]}'),
    message("dispute_result", '{"cause": "other"}'),
    message("update_score", '{"home_score": 1}'),
    message("veto_move", "{}"),
    message("authenticate", "{}"),
    *(message(kind, None, None) for kind in ("check_in", "withdraw", "start_match", "generate_bracket")),
]
UNKNOWN_FIELDS = [
    *(message(kind, None, '"a", "extra": 1') for kind in ("ping", "pong", "subscribe", "resync", "start_match")),
    *(message(kind, '{"extra": 1}') for kind in ("ping", "pong", "check_in", "start_match", "complete_match")),
    *(message(kind, '{"extra": 1}') for kind in ("generate_bracket", "withdraw", "confirm_result")),
    *(message(kind, f'{{{SCORE}, "extra": 1}}') for kind in ("report_score", "update_score")),
    message("update_score", '{"games": [{"home": 13, "away": 7, "map": 1}]}'),
    message("check_in_match", '{"extra": 1}'),
    message("dispute_result", '{"text": "a", "extra": 1}'),
    message("award_walkover", '{"winner": "home", "extra": 1}'),
    message("forfeit_match", '{"loser": "home", "extra": 1}'),
    message("authenticate", '{"token": "t", "extra": 1}'),
]


@pytest.mark.parametrize("text", IN_RANGE)
def test_the_last_value_that_is_allowed_passes(text):
    assert decode(text).id


@pytest.mark.parametrize("text", OUT_OF_RANGE + INCOMPLETE + UNKNOWN_FIELDS)
def test_what_does_not_fit_is_refused(text):
    assert answer(text).code == ErrorCode.INVALID_SCHEMA


def answer(text: str | None) -> protocol.ErrorFrame:
    with pytest.raises(Unreadable) as refusal:
        decode(text)
    frame = refusal.value.frame
    assert str(refusal.value) == frame.message
    assert frame.message.endswith(".")
    assert set(msgspec.json.decode(encode(frame))) <= {"type", "code", "message", "id"}
    return frame


@pytest.mark.parametrize(
    ("text", "code", "id_"),
    [
        (None, "invalid_schema", None),
        ("", "invalid_json", None),
        ("{", "invalid_json", None),
        ('{"type": "ping", "id": "\ud800"}', "invalid_json", None),
        ("[]", "invalid_schema", None),
        ("[" * 5000, "invalid_schema", None),
        ("{}", "invalid_schema", None),
        ('{"id": "a"}', "invalid_schema", "a"),
        ('{"type": null, "id": "a"}', "invalid_schema", "a"),
        ('{"type": 5, "id": "a"}', "invalid_schema", "a"),
        ('{"type": ["ping"], "id": "a"}', "invalid_schema", "a"),
        ('{"type": "ping", "id": "a", "extra": 1}', "invalid_schema", "a"),
        ('{"type": "ping", "id": "has space"}', "invalid_schema", None),
        ('{"type": "ping", "id": 7}', "invalid_schema", None),
        ('{"type": "", "id": "a"}', "unsupported_message_type", "a"),
        ('{"type": "PING", "id": "a"}', "unsupported_message_type", "a"),
        ('{"type": "ack", "id": "a"}', "unsupported_message_type", "a"),
        ('{"type": "force_refund", "id": "<b>"}', "unsupported_message_type", None),
        ('{"type": "force_refund"}', "unsupported_message_type", None),
    ],
)
def test_the_answer_says_which_message_and_what_was_wrong(text, code, id_):
    frame = answer(text)
    assert frame.code == code
    assert (None if frame.id is msgspec.UNSET else frame.id) == id_


WELCOME = {
    "protocol": 1,
    "tournament_id": 7,
    "user_id": "user:1",
    "username": "ada",
    "role": "spectator",
    "heartbeat_interval": 25.0,
    "heartbeat_timeout": 50.0,
    "max_payload_bytes": 16384,
    "epoch": "e",
    "seq": 0,
    "resumed": False,
    "server_time": "2026-01-01T00:00:00.000Z",
    "message": "Hello.",
}
IN_A_MATCH = {"match_id": 5, "is_participant": False}
EVENT = {"seq": 2, "prev": 0, "at": "2026-01-01T00:00:00.000Z"}


@pytest.mark.parametrize(
    ("frame", "wire"),
    [
        (
            protocol.ConnectionEstablished(data=protocol.Welcome(**WELCOME)),
            {"type": "connection_established", "data": WELCOME},
        ),
        (
            protocol.ConnectionEstablished(data=protocol.Welcome(**WELCOME, **IN_A_MATCH)),
            {"type": "connection_established", "data": WELCOME | IN_A_MATCH},
        ),
        (
            protocol.Snapshot(epoch="e", seq=0, data=msgspec.Raw(b"{}")),
            {"type": "snapshot", "epoch": "e", "seq": 0, "data": {}},
        ),
        (
            protocol.EventFrame(type="match_started", data=msgspec.Raw(b"{}"), **EVENT),
            {"type": "match_started", "data": {}} | EVENT,
        ),
        (protocol.ServerPing(timestamp=0), {"type": "ping", "timestamp": 0}),
        (protocol.ServerPong(timestamp=0), {"type": "pong", "timestamp": 0}),
        (protocol.ServerPong(timestamp=1, id="a"), {"type": "pong", "timestamp": 1, "id": "a"}),
        (protocol.TokenExpiring(in_ms=5), {"type": "token_expiring", "in_ms": 5}),
        (protocol.Subscribed(room="match:5"), {"type": "subscribed", "room": "match:5"}),
        (protocol.Subscribed(room="match:5", id="a"), {"type": "subscribed", "room": "match:5", "id": "a"}),
        (protocol.Ack(id="a", data={}), {"type": "ack", "id": "a", "data": {}}),
        (protocol.Ack(id="a", seq=0, data={"x": 1}), {"type": "ack", "id": "a", "seq": 0, "data": {"x": 1}}),
        (
            protocol.ErrorFrame(code=ErrorCode.CONFLICT, message="No."),
            {"type": "error", "code": "conflict", "message": "No."},
        ),
        (
            protocol.ErrorFrame(
                code=ErrorCode.CONFLICT, message="No.", id="a", retry_after_ms=0, close_code=4000, data={}
            ),
            {
                "type": "error",
                "code": "conflict",
                "message": "No.",
                "id": "a",
                "retry_after_ms": 0,
                "close_code": 4000,
                "data": {},
            },
        ),
    ],
)
def test_a_frame_on_the_wire_has_what_was_said_and_nothing_else(frame, wire):
    assert msgspec.json.decode(encode(frame)) == wire


def test_the_names_that_clients_are_built_on():
    assert (protocol.VERSION, protocol.SUBPROTOCOL, protocol.TOKEN_SUBPROTOCOL) == (1, "deltacrown.v1", "bearer.")
    assert {code.name: int(code) for code in protocol.CloseCode} == {
        "BAD_REQUEST": 4000,
        "AUTHENTICATION_REQUIRED": 4001,
        "TOKEN_EXPIRED": 4002,
        "FORBIDDEN": 4003,
        "HEARTBEAT_TIMEOUT": 4004,
        "RATE_LIMITED": 4008,
        "PAYLOAD_TOO_LARGE": 4009,
        "ROOM_FULL": 4010,
        "SLOW_CONSUMER": 4013,
        "NOT_FOUND": 4404,
        "INTERNAL_ERROR": 4500,
    }
