"""docs/protocol.md says what protocol.py declares: nothing is missing from it, nothing in it is made up."""

import re
from pathlib import Path
from typing import get_args

from apps.errors import ErrorCode
from apps.tournaments.events import EVENTS
from apps.tournaments.realtime import protocol

PAGE = Path(__file__).parents[2] / "docs" / "protocol.md"


def section(title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}$(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def first_column(text: str) -> set[str]:
    return {name for row in re.findall(r"^\| ([^|]*) \|", text, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}


def tags(kinds) -> set[str]:
    return {kind.__struct_config__.tag for kind in kinds} - {None}


def test_every_close_code_with_its_name():
    rows = re.findall(r"^\| (4\d{3}) \| (\w+) \|", section("Close codes"), re.MULTILINE)
    assert {(int(code), name) for code, name in rows} == {(int(c), c.name.lower()) for c in protocol.CloseCode}


def test_every_frame_from_the_server():
    assert first_column(section("Server → client")) == tags(protocol.SERVER_FRAMES)


def test_every_field_of_the_welcome():
    row = next(line for line in section("Server → client").splitlines() if "`connection_established`" in line)
    fields = set(re.findall(r"`(\w+)`", row.split("|")[2])) - {"data"}
    assert fields == set(protocol.Welcome.__struct_fields__)


def test_every_error_code():
    text = section("Server → client").split("Error codes")[1].split("What you sent")[0]
    assert set(re.findall(r"`(\w+)`", text)) - {"data"} == {code.value for code in ErrorCode}


def test_every_message_from_the_client():
    text = section("Client → server")
    actions = tags(get_args(protocol.AnyAction))
    assert first_column(text) == actions
    others = set(protocol.CLIENT_TYPES) - actions
    assert others <= set(re.findall(r"`(\w+)`", text.split("Actions need")[0]))


def test_every_field_of_every_action():
    table = section("Client → server")
    for kind in get_args(protocol.AnyAction):
        row = next(line for line in table.splitlines() if line.startswith(f"| `{kind.__struct_config__.tag}`"))
        data = kind.__annotations__["data"]
        common = set(protocol.OnMatch.__struct_fields__)
        needed = set(getattr(data, "__struct_fields__", ())) - common
        said = set(re.findall(r"`(\w+)`", row.split("|")[3]))
        assert needed <= said or "a score as above" in row, kind


def test_every_event():
    assert first_column(section("The state and its events")) == set(EVENTS)


def test_the_limits_are_the_defaults():
    text = PAGE.read_text()
    for fact in ("16,384 bytes", "every 25 s", "for 50 s", "five minutes"):
        assert fact in text


def test_the_codes_of_the_specification_keep_their_meaning():
    names = {4000: "bad_request", 4001: "authentication_required", 4002: "token_expired", 4003: "forbidden"}
    for code, name in {**names, 4004: "heartbeat_timeout"}.items():
        assert protocol.CloseCode(code).name.lower() == name
