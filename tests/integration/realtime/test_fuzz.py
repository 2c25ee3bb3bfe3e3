"""Whatever a client sends, the answer is one that docs/protocol.md lists, and nobody else notices."""

import json
import logging
import re
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import inspect

from apps.accounts.tokens import issue_room_token
from apps.tournaments.realtime import protocol
from apps.tournaments.services import Actor, matches
from tests import factories
from tests.documented import answers
from tests.integration.server.wire import BINARY, CLOSE, CONT, PING, PONG, TEXT, Received, Wire, frame, length, upgrade

pytestmark = [
    pytest.mark.django_db(transaction=True),
    # The server uses it meanwhile, in a thread of its own.
    pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies"),
]

MANY = settings(max_examples=15 * settings.default.max_examples, suppress_health_check=[HealthCheck.too_slow])
SOME = settings(max_examples=5 * settings.default.max_examples, suppress_health_check=[HealthCheck.too_slow])
TYPES = {kind.__struct_config__.tag: kind for kind in get_args(protocol.AnyMessage)}
NEEDED = {protocol.WithScore: {"home_score", "away_score"}}  # or games
SILENT = "pong"  # the one message that is not answered

# Messages ------------------------------------------------------------------------------------------------------------

odd_text = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=30),  # half surrogates too, which JSON can escape
    st.sampled_from(
        ["\0", "__proto__", "constructor", "' OR 1=1 --", "<script>alert(1)</script>", "\u202e\ufeff", "é" * 999]
    ),
)
odd = st.one_of(
    odd_text,
    st.none(),
    st.booleans(),
    st.sampled_from(
        [0, -1, 10**3, 2**31, 2**53 + 1, 2**64, -(2**63) - 1, 10**400, 1.5, -0.0, 1e308, float("nan"), float("inf")]
    ),
    st.recursive(
        st.integers(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd_text, inner, max_size=3)
    ),
)


def good(kind: inspect.Type) -> st.SearchStrategy[Any]:  # noqa: C901, PLR0911 - one for each type
    """Return values that a field of this type takes."""
    match kind:
        case inspect.Metadata():
            return good(kind.type)
        case inspect.UnionType():
            return st.one_of(good(one) for one in kind.types)
        case inspect.NoneType():
            return st.none()
        case inspect.LiteralType():
            return st.sampled_from(kind.values)
        case inspect.FloatType():
            return st.floats(allow_nan=False, allow_infinity=False)
        case inspect.IntType():
            few = st.integers(kind.ge, min(kind.le, kind.ge + 9))  # so that rows and versions are hit now and then
            return few | st.integers(kind.ge, kind.le)
        case inspect.StrType():
            return st.from_regex(kind.pattern) if kind.pattern else st.text(min_size=kind.min_length or 0, max_size=60)
        case inspect.DictType():
            return st.builds(dict)
        case inspect.ListType():
            return st.lists(good(kind.item_type), max_size=3)
        case inspect.StructType():
            return struct(kind)
    raise NotImplementedError(kind)


def struct(kind: inspect.StructType) -> st.SearchStrategy[dict[str, Any]]:
    fields = {field.encode_name: good(field.type) for field in kind.fields}
    optional = {field.encode_name for field in kind.fields if not field.required} - NEEDED.get(kind.cls, set())
    needed = {name: values for name, values in fields.items() if name not in optional}
    tag = {} if kind.tag is None else {"type": st.just(kind.tag)}
    return st.fixed_dictionaries(tag | needed, optional={name: fields[name] for name in sorted(optional)})


good_messages = st.one_of(struct(inspect.type_info(kind)) for kind in TYPES.values())


@st.composite
def broken(draw: st.DrawFn) -> dict[str, Any]:
    """Return a message that is good but for one place."""
    message = draw(good_messages)
    part = message
    if isinstance(message.get("data"), dict) and draw(st.booleans()):
        part = message["data"]
    match draw(st.sampled_from(["replace", "leave out", "add"])) if part else "add":
        case "replace":
            part[draw(st.sampled_from(sorted(part)))] = draw(odd)
        case "leave out":
            del part[draw(st.sampled_from(sorted(part)))]
        case "add":
            part[draw(odd_text)] = draw(odd)
    return message


texts = st.one_of(
    st.one_of(good_messages, broken(), odd).map(json.dumps),
    good_messages.map(json.dumps).flatmap(lambda text: st.integers(0, len(text)).map(lambda end: text[:end])),
    odd_text.map(lambda text: text.encode("utf-8", "replace").decode()),
)

# Frames --------------------------------------------------------------------------------------------------------------

good_frames = st.builds(
    frame,
    st.sampled_from([TEXT, BINARY, CONT, PING, PONG]),
    st.binary(max_size=125) | st.just(b'{"type":"ping"}') | st.just("é\ud800".encode("utf-8", "surrogatepass")),
    fin=st.booleans(),
)
strange_frames = st.builds(
    lambda first, size, masked, payload: bytes([first]) + length(size, masked=masked) + bytes(4) + payload,
    st.integers(0, 255),
    st.sampled_from([0, 1, 125, 126, 127, 65_535, 65_536, 2**32, 2**63]),
    st.booleans(),
    st.binary(max_size=130),
)
closes = st.builds(
    frame, st.just(CLOSE), st.binary(max_size=6) | st.sampled_from([b"\x03\xe8", b"\x0f\xa0bye", b"\x03\xed"])
)
streams = st.lists(good_frames | strange_frames | closes | st.binary(max_size=40), min_size=1, max_size=8).map(b"".join)


class Guest:
    """A connection that is opened again when the server has closed it."""

    def __init__(self, address: str, room: str, holder: Any = None) -> None:
        self.address, self.room, self.holder = address, room, holder
        self.wire: Wire | None = None
        self.numbers = count()

    def connect(self) -> Wire:
        token, _ = issue_room_token(self.room, self.holder)
        self.wire = Wire(self.address)
        offer = f"Sec-WebSocket-Protocol: deltacrown.v1, bearer.{token}\r\n"
        self.wire.send(upgrade(f"/ws/{self.room.replace(':', '/')}/", offer))
        assert self.wire.head().startswith(b"HTTP/1.1 101 ")
        for expected in ("connection_established", "snapshot"):
            first = self.wire.frame()
            assert json.loads(first.payload)["type"] == expected, first
        return self.wire

    def ask(self, text: str) -> tuple[list[dict[str, Any]], int | None]:
        """Send a message. Return the frames that answer it, and the code if the server closed."""
        if self.wire is None:
            self.connect()
        end = f"end-{next(self.numbers)}"
        self.wire.send(frame(TEXT, text.encode("utf-8", "surrogatepass")) + ping(end))
        frames = []
        while (received := self.wire.frame()).opcode == TEXT:
            answer = json.loads(received.payload)
            assert answers().fault(answer) == ""
            if answer["type"] == "pong" and answer.get("id") == end:
                return frames, None
            if "prev" not in answer and answer["type"] not in ("ping", "presence"):  # which come unasked
                frames.append(answer)
        self.wire.send(frame(CLOSE, received.payload))
        assert self.wire.rest() == b""
        self.close()
        return frames, received.code

    def close(self) -> None:
        if self.wire is not None:
            self.wire.socket.close()
            self.wire = None


def frames_in(wire: Wire) -> Iterator[Received]:
    """Give what comes until the server ends the connection; it may end in the middle of a frame."""
    with suppress(ConnectionError):
        while True:
            yield wire.frame()


def ping(id_: str) -> bytes:
    return frame(TEXT, json.dumps({"type": "ping", "id": id_}).encode())


@pytest.fixture
def cup(transactional_db, settings, monkeypatch):
    settings.WS_RATE_ENABLED = False
    monkeypatch.setattr("apps.tournaments.realtime.consumers.MAX_UNREADABLE", 10**9)
    return factories.drawn(4)


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno > logging.INFO or record.exc_info]


def read(text: str) -> protocol.AnyMessage | protocol.Unreadable:
    try:
        return protocol.decode(text)
    except protocol.Unreadable as refusal:
        return refusal


def words(text: str) -> set[str]:
    """Return the parts of a message that would be noticed in an answer."""
    return {word for word in re.findall(r"[^\s\"{}:,\[\]]+", text) if len(word) > 4}


def test_every_message_gets_the_answer_that_is_documented(address, cup, caplog):
    match = factories.match_number(cup, 1)
    matches.start(Actor(cup.created_by), match.pk)  # from here on nobody can draw again
    organizer = Guest(address, cup.stream, factories.signed_in(cup.created_by))
    player = Guest(address, match.subject, factories.signed_in(match.home.user))
    nobody = Guest(address, cup.stream)
    ours = set(re.findall(r"\w+", Path(protocol.__file__).read_text()))

    @MANY
    @given(st.sampled_from([organizer, player, nobody]), texts)
    def ask(guest: Guest, text: str) -> None:
        frames, code = guest.ask(text)
        if len(text.encode("utf-8", "surrogatepass")) > 16_384:
            assert ([f["code"] for f in frames], code) == (["payload_too_large"], 4009)
            return
        message = read(text)
        if isinstance(message, protocol.Unreadable):
            [error] = frames
            assert (error["type"], error["code"], code) == ("error", message.frame.code, None)
            assert [word for word in words(text) - ours if word in error["message"]] == []
            assert "data" not in error
            return
        kind = message.__struct_config__.tag
        got = [f["type"] for f in frames]
        if kind == "authenticate":
            assert (got, code) == (["error"], 4003)
        else:
            assert code is None
            expected = {SILENT: [[]], "ping": [["pong"]], "subscribe": [["subscribed"]], "resync": [["snapshot"]]}
            assert got in expected.get(kind, [["ack"], ["error"]])
            assert all(f.get("id", message.id) == message.id for f in frames)
            assert [f for f in frames if f.get("code") in ("internal_error", "invalid_schema")] == []

    with closing(organizer), closing(player), closing(nobody):
        ask()
    assert complaints(caplog) == []


def test_whatever_the_bytes_the_connection_ends_as_documented_and_others_are_answered(address, cup, caplog):
    bystander, attacker = Guest(address, cup.stream), Guest(address, cup.stream)

    @SOME
    @given(streams)
    def attack(stream: bytes) -> None:
        with closing(attacker):
            wire = attacker.connect()
            wire.send(stream)
            with suppress(ConnectionError):  # the server may hang up first
                wire.socket.shutdown(socket.SHUT_WR)
            received = list(frames_in(wire))
        for one in received:
            assert one.opcode in (TEXT, PONG, CLOSE)
            assert one.opcode != TEXT or answers().fault(json.loads(one.payload)) == ""
        codes = {one.code for one in received if one.opcode == CLOSE and one.payload}
        assert [code for code in codes - answers().closes if code.to_bytes(2) not in stream] == []  # else an echo
        assert bystander.ask('{"type": "subscribe"}')[0][0]["type"] == "subscribed"

    with closing(bystander):
        attack()
    assert complaints(caplog) == []
