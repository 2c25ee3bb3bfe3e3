"""What docs/protocol.md says that a client may get, read from its tables; and the judge of what one got."""

import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

PAGE = Path(__file__).parents[1] / "docs" / "protocol.md"
_ROW = re.compile(r"^\| `(\w+)`(?: \| (.*?))? \|", re.MULTILINE)
_NAME = re.compile(r"`(\w+)`(\?)?")


class Fields(NamedTuple):
    required: frozenset[str]
    optional: frozenset[str]

    def fit(self, found: dict[str, Any]) -> bool:
        return self.required <= set(found) <= self.required | self.optional


class Answers(NamedTuple):
    """The frames by type; what the welcome's `data` holds; names of events; codes of errors and of closes."""

    frames: dict[str, Fields]
    welcome: Fields
    events: frozenset[str]
    errors: frozenset[str]
    closes: frozenset[int]

    def fault(self, frame: dict[str, Any]) -> str:
        """Return what is not as the page says, "" when everything is."""
        kind = frame.get("type", "")
        if kind in self.events:
            fits = set(frame) == {"type", "seq", "prev", "at", "data"}
        elif kind in self.frames:
            fits = self.frames[kind].fit({name: value for name, value in frame.items() if name != "type"})
        else:
            return f"a frame of type {kind!r}"
        if not fits or (kind == "connection_established" and not self.welcome.fit(frame["data"])):
            return f"the fields of {kind}: {sorted(frame)}"
        if kind == "error" and frame["code"] not in self.errors:
            return f"the error code {frame['code']!r}"
        if frame.get("close_code", 4000) not in self.closes:
            return f"the close code {frame['close_code']} in an error"
        return ""


@cache
def answers() -> Answers:
    """Return what may come."""
    page = PAGE.read_text()
    rows = _ROW.findall(_section(page, "## Server → client", "Error codes"))
    welcome = next(cell.partition(":")[2] for kind, cell in rows if kind == "connection_established")
    names = _section(page, "| event | what happened |", "## ")
    codes = re.findall(r"^\| ([\d, ]+) \|", _section(page, "## Close codes", "## Server"), re.MULTILINE)
    return Answers(
        frames={kind: _fields(cell.partition(":")[0]) for kind, cell in rows},
        welcome=_fields(welcome),
        events=frozenset(name for row in names.splitlines() for name in re.findall(r"`(\w+)`", row.split(" | ")[0])),
        errors=frozenset(re.findall(r"`(\w+)`(?=[,. (])", _section(page, "Error codes", "What you sent"))) - {"data"},
        closes=frozenset(int(code) for cell in codes for code in cell.split(", ")),
    )


def _section(page: str, begin: str, end: str) -> str:
    at = page.index(begin) + len(begin)
    return page[at : page.index(end, at)]


def _fields(cell: str) -> Fields:
    found = _NAME.findall(cell)
    required = frozenset(name for name, optional in found if not optional)
    return Fields(required, frozenset(name for name, _ in found) - required)
