"""
Calendars as RFC 5545 has them: what a program that subscribes to one reads. Text in, bytes out.

Times are UTC, so no zone has to be described.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

LINE_OCTETS = 75  # section 3.1
CONTENT_TYPE = "text/calendar; charset=utf-8"
Status = Literal["TENTATIVE", "CONFIRMED", "CANCELLED"]
_ESCAPES = {"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"}  # section 3.3.11


@dataclass(frozen=True, slots=True)
class Item:
    """One VEVENT. `uid` is the same for as long as it is the same thing, `sequence` grows with each change of it."""

    uid: str
    sequence: int
    summary: str
    begins: datetime
    ends: datetime
    status: Status
    location: str = ""
    url: str = ""


def calendar(name: str, items: Iterable[Item], *, stamp: datetime) -> bytes:
    """Return a calendar. `stamp` is when it was last changed: the same items and stamp are the same bytes."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//DeltaCrown//Schedule 1//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"NAME:{text(name)}",  # RFC 7986; programs from before it know the line below
        f"X-WR-CALNAME:{text(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT5M",
    ]
    for item in items:
        lines += _event(item, stamp)
    lines.append("END:VCALENDAR")
    return b"".join(folded(line) for line in lines)


def _event(item: Item, stamp: datetime) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{text(item.uid)}"
    yield f"DTSTAMP:{moment(stamp)}"
    yield f"SEQUENCE:{item.sequence}"
    yield f"DTSTART:{moment(item.begins)}"
    yield f"DTEND:{moment(item.ends)}"
    yield f"SUMMARY:{text(item.summary)}"
    if item.location:
        yield f"LOCATION:{text(item.location)}"
    if item.url:
        yield f"URL:{item.url}"
    yield f"STATUS:{item.status}"
    yield "END:VEVENT"


def text(value: str) -> str:
    """Return a value of type TEXT."""
    return re.sub(r"[\\;,\n]", lambda found: _ESCAPES[found[0]], value.replace("\r\n", "\n").replace("\r", "\n"))


def moment(at: datetime) -> str:
    """Return a value of type DATE-TIME in UTC."""
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def folded(line: str) -> bytes:
    """Return a content line in parts of at most 75 octets, none of which cuts a character in two."""
    parts: list[str] = [""]
    for character in line:
        room = LINE_OCTETS if len(parts) == 1 else LINE_OCTETS - 1  # a blank begins each further part
        if len((parts[-1] + character).encode()) > room:
            parts.append("")
        parts[-1] += character
    return "\r\n ".join(parts).encode() + b"\r\n"
