"""Calendars, read back by the rules of RFC 5545."""

import re
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from apps.integrations.ical import Item, calendar, folded, moment, text
from tests.icalendar import read

AT = datetime(2026, 11, 25, 18, 30, tzinfo=UTC)
NAMES = st.text(st.characters(blacklist_categories=("Cs", "Cc")) | st.sampled_from("\\;,:\n"), max_size=120)


@given(NAMES, NAMES, st.integers(0, 10**6), st.sampled_from(["TENTATIVE", "CONFIRMED", "CANCELLED"]))
def test_what_is_written_can_be_read_back(summary, location, sequence, status):
    item = Item(
        uid="match-5@cup.example.org",
        sequence=sequence,
        summary=summary,
        begins=AT,
        ends=AT + timedelta(minutes=30),
        status=status,
        location=location,
        url="https://cup.example.org/m/5/",
    )
    cup = read(calendar(summary, [item, item], stamp=AT))
    assert cup.values["VERSION"] == "2.0"
    assert cup.values["NAME"] == cup.values["X-WR-CALNAME"] == summary
    assert len(cup.events) == 2
    expected = {
        "UID": "match-5@cup.example.org",
        "DTSTAMP": "20261125T183000Z",
        "SEQUENCE": str(sequence),
        "DTSTART": "20261125T183000Z",
        "DTEND": "20261125T190000Z",
        "SUMMARY": summary,
        "URL": "https://cup.example.org/m/5/",
        "STATUS": status,
    } | ({"LOCATION": location} if location else {})
    assert cup.events[0] == expected


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=400))
def test_no_line_is_longer_than_75_octets_and_no_character_is_cut(value):
    lines = folded(f"SUMMARY:{value}").split(b"\r\n")
    assert lines.pop() == b""
    assert all(len(line) <= 75 for line in lines)
    assert "".join([lines[0].decode(), *(line.decode()[1:] for line in lines[1:])]) == f"SUMMARY:{value}"
    assert all(line[:1] == b" " for line in lines[1:])


def test_marks_and_lines_are_escaped():
    assert text("a\\b;c,d\ne\r\nf\rg") == "a\\\\b\\;c\\,d\\ne\\nf\\ng"


def test_times_are_utc():
    assert moment(AT.astimezone(timezone(timedelta(hours=5, minutes=30)))) == "20261125T183000Z"


def test_lines_end_as_the_standard_says():
    body = calendar("Cup", [], stamp=AT)
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", body)
    assert body.startswith(b"BEGIN:VCALENDAR\r\n")
    assert body.endswith(b"END:VCALENDAR\r\n")
