"""Sentences for what happened, from the events of the log."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import msgspec
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.tournaments.services.unit import CLOCK
from apps.tournaments.text import said
from apps.web.present import veto
from apps.web.present.names import names_of
from apps.web.present.shown import entrant_name
from engine.projection import State

Data = Mapping[str, Any]

# A tournament's feed tells the story; these are steps inside it, and the match page shows them.
QUIET = (
    "score_updated",
    "bracket_updated",
    "match_ready",
    "match_check_in_opened",
    "match_checked_in",
    "standings_updated",
    "match_scheduled",
    "match_called",
    "match_deadline_extended",
    "match_entrant_renamed",
    "veto_started",
    "veto_moved",
    "veto_reset",
)


class Logged(Protocol):
    """What a sentence needs of an event of the log."""

    seq: int
    type: str
    data: str
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """`by` is who did it, or "the clock", empty where it is not told; `match` is a match's id, to link to."""

    seq: int
    at: datetime
    text: str
    kind: str
    by: str = ""
    match: int | None = None


def tournament_lines(events: Iterable[Logged], state: State, names: Mapping[str, str]) -> list[Line]:
    """
    Return the story of a tournament in the order given, as `state` has its matches. `names`: user names by actor
    ("user:5").
    """
    said = ((event, _said(event.type, msgspec.json.decode(event.data), state)) for event in events)
    return [_line(event, sentence, names) for event, sentence in said if sentence[0]]


def match_lines(events: Iterable[Logged], state: State, names: Mapping[str, str]) -> list[Line]:
    """Return the history of one match, newest first, from its events in the order in which they happened."""
    known: Data = next(iter(state["matches"].values()), {})
    lines: list[Line] = []
    entries = dict(state["entries"])  # and those who had a place before a result was taken back
    match = {name: known.get(name) for name in ("home", "away", "number")}  # certain by the time they are named
    for event in events:
        data = msgspec.json.decode(event.data)
        match.update(data.get("match", {}))
        if "entry" in data:
            entries.setdefault(str(data["entry"]["id"]), data["entry"])
        seen = {**state, "entries": entries, "matches": {str(match["id"]): {**_UNPLAYED, **match}}}
        lines.append(_line(event, _said(event.type, data, seen), names))
    return lines[::-1]


_UNPLAYED: dict[str, Any] = {
    "home_score": 0,
    "away_score": 0,
    "home_shootout": None,
    "away_shootout": None,
    "games": [],
    "winner": None,
    "reason": None,
    "report": None,
    "reported_by": None,
    "completed_at": None,
}


def _line(event: Logged, said: tuple[str, int | None], names: Mapping[str, str]) -> Line:
    text, match = said
    by = "the clock" if event.actor == CLOCK else names.get(event.actor, "")
    return Line(event.seq, event.at, text, event.type.split("_")[0], by, match)


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
    if games := score.get("games"):
        text += f" ({_games(games)})"
    return text


def _games(games: Iterable[Data]) -> str:
    return ", ".join(f"{game['home']}–{game['away']}" for game in games)


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


def _completed(match: Data, changed: Data, state: State) -> str:
    number = match["number"]
    if changed.get("completed_at", match["completed_at"]) != match["completed_at"]:
        # The result was taken back since, so the match's row has nothing to say about it.
        winner = entrant_name(state, changed.get("winner"))
        return f"{winner} won match {number}." if winner else f"Match {number} ended without a winner."
    winner = entrant_name(state, match["winner"])
    if winner is None:
        return _nobody_won(match, state)
    loser = entrant_name(state, match["away"] if match["winner"] == match["home"] else match["home"])
    match match["reason"]:
        case "walkover":
            return f"{winner} won match {number} by walkover."
        case "no_show":
            return f"{winner} won match {number}; {loser} did not show up."
        case "forfeit":
            return f"{winner} won match {number}; {loser} forfeited."
    return f"{winner} won: {_score(match, state, match)}."


def _nobody_won(match: Data, state: State) -> str:
    match match["reason"]:
        case "played":
            return f"A draw: {_score(match, state, match)}."
        case "forfeit":
            return f"Both forfeited match {match['number']}: {_versus(match, state)}."
        case "no_show":
            return f"Nobody showed up to match {match['number']}: {_versus(match, state)}."
    return f"Match {match['number']} was not played; nobody could."


def _disputed(match: Data, _changed: Data, state: State) -> str:
    return f"The result of match {match['number']} is disputed: {_versus(match, state)}."


def _cancelled(match: Data, _changed: Data, state: State) -> str:
    if match["home"] is None and match["away"] is None:
        return f"Match {match['number']} is not needed."
    return f"Match {match['number']} was cancelled: {_versus(match, state)}."


def _reopened(match: Data, _changed: Data, state: State) -> str:
    return f"The result of match {match['number']} was taken back: {_versus(match, state)}."


def _restored(match: Data, _changed: Data, state: State) -> str:
    return f"Match {match['number']} stands as it did before: {_versus(match, state)}."


def _check_in_opened(match: Data, _changed: Data, state: State) -> str:
    return f"Check-in to match {match['number']}: {_versus(match, state)}."


def _checked_in(match: Data, changed: Data, state: State) -> str:
    here = [entrant_name(state, match[side]) for side in ("home", "away") if changed.get(f"{side}_checked_in")]
    return f"{here[0] if here and here[0] else 'One side'} is here."


def _renamed(_match: Data, _changed: Data, _state: State) -> str:
    return "An entrant has another name."


def _match_changed(match: Data, changed: Data, state: State) -> str:
    names = [entrant_name(state, changed[side]) for side in ("home", "away") if changed.get(side) is not None]
    if names and names[0]:
        return f"{names[0]} reached match {match['number']}."
    if any(changed.get(f"{side}_closed") for side in ("home", "away")):
        return f"A place in match {match['number']} stays empty."
    return f"A place in match {match['number']} is open again."


def _scheduled(match: Data, changed: Data, _state: State) -> str:
    at = changed.get("scheduled_at")
    if at is not None:
        return f"Match {match['number']} is planned for {said(datetime.fromisoformat(at))}."
    where = "has another station" if changed.get("station") is not None else "has another place in the schedule"
    return f"Match {match['number']} {where}."


def _called(match: Data, _changed: Data, state: State) -> str:
    return f"Match {match['number']} was called: {_versus(match, state)}."


def _extended(match: Data, changed: Data, _state: State) -> str:
    until = said(datetime.fromisoformat(changed["deadline_at"]))
    return f"There is time until {until} in match {match['number']}."


_MATCH: dict[str, Callable[[Data, Data, State], str]] = {
    "match_started": _started,
    "match_ready": _ready,
    "match_check_in_opened": _check_in_opened,
    "match_checked_in": _checked_in,
    "score_updated": _updated,
    "result_reported": _reported,
    "result_disputed": _disputed,
    "match_completed": _completed,
    "match_cancelled": _cancelled,
    "match_reopened": _reopened,
    "match_restored": _restored,
    "bracket_updated": _match_changed,
    "match_scheduled": _scheduled,
    "match_called": _called,
    "match_deadline_extended": _extended,
    "match_entrant_renamed": _renamed,
    **veto.SENTENCES,
}


def _entry(sentence: str | Promise) -> Callable[[Data, State], str]:
    def say(data: Data, state: State) -> str:
        name = entrant_name(state, data["entry"]["id"]) or data["entry"].get("name") or "Somebody"
        return str(sentence).format(name=name)

    return say


def _fixed(sentence: str | Promise) -> Callable[[Data, State], str]:
    return lambda _data, _state: str(sentence)


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


def _from_file(data: Data, _state: State) -> str:
    count = len(data["entries"])
    return f"{count} {'entrant' if count == 1 else 'entrants'} came from a file."


def _seeded(data: Data, _state: State) -> str:
    draw = data["tournament"].get("draw_seed")
    if data["tournament"].get("seeding") == "rating":
        return "Seeds were given by rating."
    return f"Seeds were drawn at random (draw seed {draw})." if draw is not None else "Seeds were set."


def _planned(data: Data, _state: State) -> str:
    number = len(data["matches"])
    return f"{number} {'match was' if number == 1 else 'matches were'} planned."


def _station_added(data: Data, _state: State) -> str:
    return f"Station {data['station'].get('name', '')} was added."


def _station_renamed(data: Data, _state: State) -> str:
    return f"A station is called {data['station'].get('name', '')} now."


def _drawn(data: Data, state: State) -> str:
    if not data["matches"]:
        return "The entrants of the first round were fixed."
    stage = _stage_name(data["matches"][0]["stage"], state)
    return f"{stage or 'The bracket'} was drawn: {len(data['matches'])} matches."


def _paired(data: Data, _state: State) -> str:
    first = next(iter(data["matches"]), None)
    again = "paired again" if data.get("removed") else "paired"
    return f"Round {first['round']} was {again}: {len(data['matches'])} matches." if first else "A round was paired."


def _stage_name(stage_id: int, state: State) -> str:
    """Return a stage's name where there are several; alone it needs none."""
    known = stage_id in {stage["id"] for stage in state["stages"].values()}
    return names_of(state).stage(stage_id) if known and len(state["stages"]) > 1 else ""


def _stage(sentence: str) -> Callable[[Data, State], str]:
    def say(data: Data, state: State) -> str:
        return sentence.format(name=_stage_name(data["stage"]["id"], state) or "The stage")

    return say


def _stage_changed(data: Data, state: State) -> str:
    """Tell that a stage is over. That it was drawn, or is open again, other events tell."""
    to = data["stage"].get("state")
    if to is None:
        return _stage("Settings of {name} changed.")(data, state)
    return _stage("{name}: all matches are over.")(data, state) if to == "completed" else ""


def _champion(data: Data, state: State) -> str:
    name = entrant_name(state, data["tournament"].get("champion"))
    return f"{name} won the tournament." if name else "The tournament is over."


def _member(data: Data, _state: State) -> str:
    member = data["member"]
    role = {"organizer": "organiser"}.get(member.get("role", ""), member.get("role", "staff"))
    return f"{member.get('username', 'Somebody')} joined the staff as {role}."


def _longer(data: Data, _state: State) -> str:
    number = len(data["matches"])
    words = ngettext("%(count)d match has another length.", "%(count)d matches have another length.", number)
    return words % {"count": number}


def _announced(data: Data, _state: State) -> str:
    standing = data["tournament"].get("notices", [])
    return _("Announced: “%(text)s”") % {"text": standing[-1]["text"]} if standing else ""


def _link_made(data: Data, _state: State) -> str:
    link = data["link"]
    role = _("organisers") if link["role"] == "organizer" else _("referees")
    words = ngettext(
        "A link was made by which %(count)d person can join the %(role)s.",
        "A link was made by which %(count)d people can join the %(role)s.",
        link["uses"],
    )
    return words % {"count": link["uses"], "role": role}


_PLAIN: dict[str, Callable[[Data, State], str]] = {
    "tournament_created": _fixed("The tournament was created."),
    "tournament_imported": _fixed("The tournament was imported."),
    "tournament_updated": _fixed("Settings changed."),
    "tournament_published": _fixed("The tournament was published."),
    "registration_opened": _fixed("Registration opened."),
    "registration_closed": _fixed("Registration closed."),
    "registration_imported": _from_file,
    "registration_created": _by_status(_ENTERED, "{name} entered."),
    "registration_cancelled": _by_status(_LEFT, "{name} withdrew."),
    "entry_disqualified": _entry("{name} was disqualified."),
    "entry_reinstated": _entry(gettext_lazy("{name} takes part again: it was taken back that they are out.")),
    "registration_offered": _entry("A place is held for {name}."),
    "registration_promoted": _by_status(_PROMOTED, "{name} has a place now."),
    "registration_updated": _entry("The entry of {name} changed."),
    "check_in_closed": _fixed("Check-in is over."),
    "registration_checked_in": _entry("{name} checked in."),
    "registration_checkin_reverted": _entry("The check-in of {name} was taken back."),
    "entries_seeded": _seeded,
    "stage_added": _stage("{name} was added."),
    "stage_updated": _stage_changed,
    "stage_removed": _fixed("A stage was removed."),
    "bracket_generated": _drawn,
    "bracket_withdrawn": _fixed("A draw was taken back."),
    "bracket_restored": _fixed("A draw that had been taken back stands again."),
    "round_paired": _paired,
    "schedule_planned": _planned,
    "station_added": _station_added,
    "station_renamed": _station_renamed,
    "station_removed": _fixed("A station was removed."),
    "tournament_started": _fixed("Play began."),
    "tournament_completed": _champion,
    "tournament_cancelled": _fixed("The tournament was cancelled."),
    "best_of_changed": _longer,
    "announcement_made": _announced,
    "announcement_taken_down": _fixed(gettext_lazy("An announcement was taken down.")),
    "staff_link_made": _link_made,
    "staff_link_revoked": _fixed(gettext_lazy("An invitation to the staff was taken back.")),
    "member_added": _member,
    "member_removed": _fixed("Somebody left the staff."),
}
