"""Reads calendars by the rules of RFC 5545, independently of what writes them. Fails on whatever breaks one."""

import re
from dataclasses import dataclass, field

_LINE = re.compile(r"([A-Z-]+)((?:;[A-Z-]+=[^;:]+)*):(.*)", re.DOTALL)
_TEXTS = {"SUMMARY", "LOCATION", "UID", "NAME", "X-WR-CALNAME"}
_ONCE = {"UID", "DTSTAMP", "DTSTART", "DTEND", "SEQUENCE", "SUMMARY", "STATUS"}


@dataclass
class Calendar:
    values: dict[str, str] = field(default_factory=dict)
    events: list[dict[str, str]] = field(default_factory=list)


def read(body: bytes) -> Calendar:
    """Return a calendar's own values and its events."""
    assert body.endswith(b"\r\n")
    assert all(len(line) <= 75 for line in body.split(b"\r\n"))
    lines = body.decode().replace("\r\n ", "").removesuffix("\r\n").split("\r\n")
    assert (lines[0], lines[-1]) == ("BEGIN:VCALENDAR", "END:VCALENDAR")
    found = Calendar()
    event: dict[str, str] | None = None
    for line in lines[1:-1]:
        if line == "BEGIN:VEVENT":
            assert event is None
            event = {}
        elif line == "END:VEVENT":
            assert event is not None
            assert event.keys() >= _ONCE
            found.events.append(event)
            event = None
        else:
            name, value = _value(line)
            into = found.values if event is None else event
            assert name not in into, name
            into[name] = value
    assert event is None
    assert found.values.keys() >= {"VERSION", "PRODID"}
    return found


def _value(line: str) -> tuple[str, str]:
    parts = _LINE.fullmatch(line)
    assert parts, line
    name, value = parts[1], parts[3]
    if name not in _TEXTS:
        return name, value
    assert re.fullmatch(r"(?:[^\\;,]|\\[\\;,nN])*", value, re.DOTALL), line
    return name, re.sub(r"\\(.)", lambda escaped: "\n" if escaped[1] in "nN" else escaped[1], value)
