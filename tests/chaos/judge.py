"""
Whether what everybody got is what the database says.

Judged from the tapes, by rules of this file's own: the client's word counts only in the end, where its state has to be
the database's as well.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from engine.projection import apply, empty
from tests.chaos.crowd import STAFF_ROLES, Mark

STAFF_EVENTS = ("member_added", "member_removed")
QUIET = ("ping", "pong", "presence", "token_expiring", "server_restarting", "ack", "error")


class Happened(NamedTuple):
    """A row of the log."""

    seq: int
    type: str
    audience: str
    subject: str
    data: dict[str, Any]
    command: str = ""


class Cup:
    """What the log says of one tournament: events, and the staff after each."""

    def __init__(self, epoch: str, events: list[Happened]) -> None:
        self.epoch, self.events = epoch, events
        self.staff: list[frozenset[int]] = [frozenset()]
        self.scores: dict[str, list[Happened]] = {}  # by subject: every event of a match
        for event in events:
            now = self.staff[-1]
            if event.type == "member_added":
                now |= {event.data["member"]["id"]}
            elif event.type == "member_removed":
                now -= set(event.data["removed"]["staff"])
            self.staff.append(now)
            if event.subject:
                self.scores.setdefault(event.subject, []).append(event)

    def at(self, seq: int) -> Happened | None:
        return self.events[seq - 1] if 0 < seq <= len(self.events) else None

    def tells(self, frame: dict[str, Any]) -> bool:
        """Return whether a frame says what the log says; a score may say what the scores that it stands for said."""
        event = self.at(frame["seq"])
        if event is None or frame["type"] != event.type:
            return False
        if frame["data"] == event.data:
            return True
        if event.type != "score_updated" or frame["data"].keys() != event.data.keys():
            return False
        fields = frame["data"]["match"]
        return event.data["match"].items() <= fields.items() and fields == self._joined(event, fields)

    def _joined(self, event: Happened, wanted: Iterable[str]) -> dict[str, Any]:
        """Return a score with what those right before it said of the other fields that are wanted."""
        known = dict(event.data["match"])
        of_match = self.scores[event.subject]
        place = next(number for number, one in enumerate(of_match) if one.seq == event.seq)
        for earlier in reversed(of_match[:place]):
            if earlier.type != "score_updated":
                break
            known = {**{name: value for name, value in earlier.data["match"].items() if name in wanted}, **known}
        return known


def concerns(event: Happened, match: int | None) -> bool:
    """The rule of docs/protocol.md: which events belong to a match's room."""
    return match is None or event.subject == f"match:{match}" or event.type.startswith("tournament_")


def in_room(state: dict[str, Any], match: int | None) -> dict[str, Any]:
    """Return the part of a tournament's public state that a match's room shows."""
    if match is None:
        return state
    row = state["matches"][str(match)]
    entrants = {str(pk): state["entries"][str(pk)] for pk in (row["home"], row["away"]) if pk is not None}
    return empty() | {
        "tournament": state["tournament"],
        "stages": {str(row["stage"]): state["stages"][str(row["stage"])]},
        "matches": {str(match): row},
        "entries": {pk: {name: entry[name] for name in ("id", "name", "seed")} for pk, entry in entrants.items()},
    }


@dataclass
class Judge:
    """`wrong` counts what nobody may see; `counts` the rest."""

    cups: dict[int, Cup]
    texts: Sequence[str]
    wrong: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    snapshots: dict[tuple[int, int | None, bool, int], set[int]] = field(default_factory=dict)  # seq -> texts

    def __post_init__(self) -> None:
        self.frames: list[dict[str, Any]] = [json.loads(text) for text in self.texts]
        self._told: dict[tuple[int, int], bool] = {}

    def tells(self, cup: int, text: int) -> bool:
        """Return whether a text says what the log of a tournament says."""
        if (cup, text) not in self._told:
            self._told[cup, text] = self.cups[cup].tells(self.frames[text])
        return self._told[cup, text]

    def judge_snapshots(self) -> None:
        """See that each snapshot is what the events up to it make."""
        for (cup, match, is_staff), wanted in self._by_room().items():
            state = empty()
            for event in self.cups[cup].events[: max(wanted)]:
                if event.audience == "public" or (is_staff and event.audience == "staff"):
                    apply(state, event.data)
                for text in wanted.get(event.seq, ()):
                    if self.frames[text]["data"] != in_room(state, match):
                        self.wrong["snapshot that is not what happened"] += 1

    def _by_room(self) -> dict[tuple[int, int | None, bool], dict[int, set[int]]]:
        rooms: dict[tuple[int, int | None, bool], dict[int, set[int]]] = {}
        for (cup, match, is_staff, seq), texts in self.snapshots.items():
            rooms.setdefault((cup, match, is_staff), {})[seq] = texts
        return rooms


class Reader:
    """Reads one tape, as the protocol says. `mine` and `state` are what it has come to."""

    def __init__(self, judge: Judge, *, cup: int, match: int | None, user: int | None) -> None:
        self.judge, self.cup_id, self.match, self.user = judge, cup, match, user
        self.cup = judge.cups[cup]
        self.mine, self.state = -1, empty()
        self.is_staff = self.waits = False
        self.written = -1  # the last seq on this connection
        self.is_open = False

    def read(self, tape: Iterable[Mark]) -> None:
        for mark in tape:
            match mark.what:
                case "begin":
                    self.is_open, self.written = False, -1
                case "anew":
                    self.mine, self.state, self.waits = -1, empty(), False
                case "frame":
                    self._frame(mark.number)

    def _frame(self, text: int) -> None:
        frame = self.judge.frames[text]
        if "prev" in frame:
            self._event(frame, text)
        elif frame["type"] == "snapshot":
            self._snapshot(frame, text)
        elif frame["type"] == "connection_established":
            self._welcome(frame["data"])
        elif frame["type"] not in QUIET:
            self._wrong(f"frame of type {frame['type']}")

    def _welcome(self, welcome: dict[str, Any]) -> None:
        self.judge.counts["welcome again" if self.is_open else "connect"] += 1
        if not self.is_open:
            self.judge.counts["resumed by replay" if welcome["resumed"] else "begun with a snapshot"] += 1
        self.is_open = True
        if (welcome["tournament_id"], welcome.get("match_id")) != (self.cup_id, self.match):
            self._wrong("welcome of another room")
        if welcome["epoch"] != self.cup.epoch or (welcome["resumed"] and self.mine < 0):
            self._wrong("resumed from nowhere")
        self.is_staff = welcome["role"] in STAFF_ROLES
        self.waits = not welcome["resumed"]
        if welcome["resumed"]:
            self.written = self.mine

    def _snapshot(self, frame: dict[str, Any], text: int) -> None:
        self.judge.counts["snapshot"] += 1
        seq = frame["seq"]
        if seq < max(self.mine, self.written):
            self._wrong("snapshot that goes back")
        shown = self.is_staff and self.match is None
        if shown and self.user not in self.cup.staff[min(seq, len(self.cup.events))]:
            self._wrong("snapshot for the staff")
        self.judge.snapshots.setdefault((self.cup_id, self.match, shown, seq), set()).add(text)
        self.mine = self.written = seq
        self.state, self.waits = deepcopy(frame["data"]), False

    def _event(self, frame: dict[str, Any], text: int) -> None:
        seq = frame["seq"]
        event = self.cup.at(seq)
        if event is None or not self.judge.tells(self.cup_id, text):
            self._wrong("event that is not in the tournament's log")
            return
        if not concerns(event, self.match):
            self._wrong("event of another room")
        if event.audience != "public" and not (self.is_staff and self._was_staff(seq)):
            self._wrong("event for the staff")
        if seq <= self.written:
            self._wrong("event sent twice on a connection")
        self.written = max(self.written, seq)
        if self.waits:
            return
        if seq <= self.mine:
            self.judge.counts["known already"] += 1
        elif frame["prev"] > self.mine:
            self._wrong("hole")
            self.waits = True
        else:
            self.judge.counts["applied"] += 1
            self._see_that_none_is_missing(seq)
            self.mine = seq
            apply(self.state, frame["data"])

    def _see_that_none_is_missing(self, seq: int) -> None:
        """Only a score may be left out, and only before a later one of the same match."""
        skipped = (self.cup.at(number) for number in range(self.mine + 1, seq))
        for one in skipped:
            if one is None or not self.sees(one):
                continue
            if one.type != "score_updated":
                self._wrong("hole that `prev` hides")

    def sees(self, event: Happened) -> bool:
        return concerns(event, self.match) and (
            event.audience == "public" or (self.is_staff and event.audience == "staff")
        )

    def _was_staff(self, seq: int) -> bool:
        return self.user in self.cup.staff[seq] or self.user in self.cup.staff[seq - 1]

    def _wrong(self, what: str) -> None:
        self.judge.wrong[what] += 1
