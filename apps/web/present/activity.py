"""Sentences for what happened, from the events of the log."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import msgspec

from apps.web.present.shown import entrant_name
from engine.projection import State

Data = Mapping[str, Any]

# A tournament's feed tells the story; these are steps inside it, and the match page shows them.
QUIET = ("score_updated", "bracket_updated", "match_ready", "match_entrant_renamed")


class Logged(Protocol):
    """What a sentence needs of an event of the log."""

    seq: int
    type: str
    data: str
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """`by` is who did it, empty for the system or where it is not told; `match` is a match's id, to link to."""

    seq: int
    at: datetime
    text: str
    kind: str
    by: str = ""
    match: int | None = None


def tournament_lines(events: Iterable[Logged], state: State, names: Mapping[str, str]) -> list[Line]:
    """
    Return the story of a tournament in the order given. `names`: user names by actor ("user:5").

    Matches are described as `state` has them: who meets whom never changes once it is known.
    """
    return [_line(event, _said(event.type, msgspec.json.decode(event.data), state), names) for event in events]


def match_lines(events: Iterable[Logged], state: State, names: Mapping[str, str]) -> list[Line]:
    """Return the history of one match, newest first, from its events in the order in which they happened."""
    known: Data = next(iter(state["matches"].values()), {})
    lines: list[Line] = []
    match = {name: known.get(name) for name in ("home", "away", "number")}  # certain by the time they are named
    for event in events:
        data = msgspec.json.decode(event.data)
        match.update(data.get("match", {}))
        seen = {**state, "matches": {str(match["id"]): {**_UNPLAYED, **match}}}
        lines.append(_line(event, _said(event.type, data, seen), names))
    return lines[::-1]


_UNPLAYED = {
    "home_score": 0,
    "away_score": 0,
    "home_shootout": None,
    "away_shootout": None,
    "winner": None,
    "reason": None,
    "report": None,
    "reported_by": None,
}


def _line(event: Logged, said: tuple[str, int | None], names: Mapping[str, str]) -> Line:
    text, match = said
    return Line(event.seq, event.at, text, event.type.split("_")[0], names.get(event.actor, ""), match)


def _said(kind: str, data: Data, state: State) -> tuple[str, int | None]:
    changed = data.get("match")
    if changed is not None:
        match = state["matches"].get(str(changed["id"]))
        if match is None:
            return "A match of an earlier bracket.", None  # the bracket was drawn anew since
        return _MATCH.get(kind, _match_changed)(match, changed, state), changed["id"]
    say = _PLAIN.get(kind)
    return (say(data, state) if say else kind.replace("_", " ").capitalize() + "."), None


def _versus(match: Data, state: State) -> str:
    home, away = (entrant_name(state, match[side]) or "to be decided" for side in ("home", "away"))
    return f"{home} – {away}"


def _numbers(score: Data, home: str, away: str) -> str:
    text = f"{home} {score['home_score']}–{score['away_score']} {away}"
    if score["home_shootout"] is not None:
        text += f" ({score['home_shootout']}–{score['away_shootout']} in the shootout)"
    return text


def _score(match: Data, state: State, score: Data) -> str:
    home, away = (entrant_name(state, match[side]) or "?" for side in ("home", "away"))
    return _numbers(score, home, away)


def _started(match: Data, _changed: Data, state: State) -> str:
    return f"Match {match['number']} started: {_versus(match, state)}."


def _ready(match: Data, _changed: Data, state: State) -> str:
    return f"Match {match['number']} is ready: {_versus(match, state)}."


def _updated(match: Data, _changed: Data, state: State) -> str:
    return f"{_score(match, state, match)}."


def _reported(match: Data, changed: Data, state: State) -> str:
    side = changed.get("reported_by") or match["reported_by"]
    who = entrant_name(state, match[side]) if side else None
    report = changed.get("report") or match["report"]
    if report is None:
        return f"Match {match['number']}: {who or 'One side'} reported a result."
    return f"{who or 'One side'} reported: {_score(match, state, report)}."


def _completed(match: Data, _changed: Data, state: State) -> str:
    winner = entrant_name(state, match["winner"])
    if winner is None:
        return f"Match {match['number']} was not played; nobody could."
    other = match["away"] if match["winner"] == match["home"] else match["home"]
    loser = entrant_name(state, other)
    if match["reason"] == "walkover":
        return f"{winner} won match {match['number']} by walkover."
    if match["reason"] == "forfeit":
        return f"{winner} won match {match['number']}; {loser} forfeited."
    return f"{winner} won: {_score(match, state, match)}."


def _renamed(_match: Data, _changed: Data, _state: State) -> str:
    return "An entrant has another name."


def _match_changed(match: Data, changed: Data, state: State) -> str:
    names = [entrant_name(state, changed[side]) for side in ("home", "away") if changed.get(side) is not None]
    if names and names[0]:
        return f"{names[0]} reached match {match['number']}."
    return f"A place in match {match['number']} stays empty."


_MATCH: dict[str, Callable[[Data, Data, State], str]] = {
    "match_started": _started,
    "match_ready": _ready,
    "score_updated": _updated,
    "result_reported": _reported,
    "match_completed": _completed,
    "bracket_updated": _match_changed,
    "match_entrant_renamed": _renamed,
}


def _entry(sentence: str) -> Callable[[Data, State], str]:
    def say(data: Data, state: State) -> str:
        name = entrant_name(state, data["entry"]["id"]) or data["entry"].get("name") or "Somebody"
        return sentence.format(name=name)

    return say


def _fixed(sentence: str) -> Callable[[Data, State], str]:
    return lambda _data, _state: sentence


_ENTERED = {"waitlisted": "{name} joined the waitlist.", "pending": "{name} asked to enter."}
_LEFT = {
    "no_show": "{name} did not check in.",
    "declined": "{name} was declined.",
    "expired": "{name} did not claim the place in time.",
}
_PROMOTED = {"waitlisted": "{name} was approved and waits for a place."}


def _by_status(sentences: Mapping[str, str], otherwise: str) -> Callable[[Data, State], str]:
    def say(data: Data, state: State) -> str:
        return _entry(sentences.get(data["entry"].get("status", ""), otherwise))(data, state)

    return say


def _seeded(data: Data, _state: State) -> str:
    draw = data["tournament"].get("draw_seed")
    return f"Seeds were drawn at random (draw seed {draw})." if draw is not None else "Seeds were set."


def _drawn(data: Data, _state: State) -> str:
    return f"The bracket was drawn: {len(data['matches'])} matches."


def _champion(data: Data, state: State) -> str:
    name = entrant_name(state, data["tournament"].get("champion"))
    return f"{name} won the tournament." if name else "The tournament ended without a champion."


def _member(data: Data, _state: State) -> str:
    member = data["member"]
    role = {"organizer": "organiser"}.get(member.get("role", ""), member.get("role", "staff"))
    return f"{member.get('username', 'Somebody')} joined the staff as {role}."


_PLAIN: dict[str, Callable[[Data, State], str]] = {
    "tournament_created": _fixed("The tournament was created."),
    "tournament_updated": _fixed("Settings changed."),
    "tournament_published": _fixed("The tournament was published."),
    "registration_opened": _fixed("Registration opened."),
    "registration_closed": _fixed("Registration closed."),
    "registration_created": _by_status(_ENTERED, "{name} entered."),
    "registration_cancelled": _by_status(_LEFT, "{name} withdrew."),
    "entry_disqualified": _entry("{name} was disqualified."),
    "registration_offered": _entry("A place is held for {name}."),
    "registration_promoted": _by_status(_PROMOTED, "{name} has a place now."),
    "registration_updated": _entry("The entry of {name} changed."),
    "check_in_closed": _fixed("Check-in is over."),
    "registration_checked_in": _entry("{name} checked in."),
    "registration_checkin_reverted": _entry("The check-in of {name} was taken back."),
    "entries_seeded": _seeded,
    "bracket_generated": _drawn,
    "tournament_started": _fixed("Play began."),
    "tournament_completed": _champion,
    "tournament_cancelled": _fixed("The tournament was cancelled."),
    "member_added": _member,
    "member_removed": _fixed("Somebody left the staff."),
}
