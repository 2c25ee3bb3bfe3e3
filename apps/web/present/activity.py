"""Sentences for what happened, from the events of the log."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import msgspec

from apps.tournaments.services.unit import CLOCK
from apps.web.present import veto
from apps.web.present.names import names_of
from apps.web.present.shown import entrant_name
from apps.words import gettext as _
from apps.words import moment, ngettext
from engine.projection import State
from engine.text import gettext_noop

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
    "tournament_on_stream",
    "tournament_overlays_renewed",
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
    told = ((event, _said(event.type, msgspec.json.decode(event.data), state)) for event in events)
    return [_line(event, sentence, names) for event, sentence in told if sentence[0]]


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


def _line(event: Logged, told: tuple[str, int | None], names: Mapping[str, str]) -> Line:
    text, match = told
    by = _("the clock") if event.actor == CLOCK else names.get(event.actor, "")
    return Line(event.seq, event.at, text, event.type.split("_")[0], by, match)


def _said(kind: str, data: Data, state: State) -> tuple[str, int | None]:
    changed = data.get("match")
    if changed is not None:
        match = state["matches"].get(str(changed["id"]))
        if match is None:
            return _("A match of an earlier bracket."), None  # the bracket was drawn anew since
        return _MATCH.get(kind, _match_changed)(match, changed, state), changed["id"]
    say = _PLAIN.get(kind)
    return (say(data, state) if say else kind.replace("_", " ").capitalize() + "."), None


def _versus(match: Data, state: State) -> str:
    home, away = (entrant_name(state, match[side]) or _("to be decided") for side in ("home", "away"))
    return f"{home} – {away}"


def _numbers(score: Data, home: str, away: str) -> str:
    text = f"{home} {score['home_score']}–{score['away_score']} {away}"
    if score["home_shootout"] is not None:
        shootout = f"{score['home_shootout']}–{score['away_shootout']}"
        text = _("{score} ({shootout} in the shootout)", score=text, shootout=shootout)
    if games := score.get("games"):
        text += f" ({_games(games)})"
    return text


def _games(games: Iterable[Data]) -> str:
    return ", ".join(f"{game['home']}–{game['away']}" for game in games)


def _score(match: Data, state: State, score: Data) -> str:
    home, away = (entrant_name(state, match[side]) or "?" for side in ("home", "away"))
    return _numbers(score, home, away)


def _started(match: Data, _changed: Data, state: State) -> str:
    return _("Match {number} started: {pair}.", number=match["number"], pair=_versus(match, state))


def _ready(match: Data, _changed: Data, state: State) -> str:
    return _("Match {number} is ready: {pair}.", number=match["number"], pair=_versus(match, state))


def _updated(match: Data, _changed: Data, state: State) -> str:
    return f"{_score(match, state, match)}."


def _reported(match: Data, changed: Data, state: State) -> str:
    side = changed.get("reported_by") or match["reported_by"]
    who = entrant_name(state, match[side]) if side else None
    report = changed.get("report") or match["report"]
    if report is None:
        return _("Match {number}: {name} reported a result.", number=match["number"], name=who or _("One side"))
    return _("{name} reported: {score}.", name=who or _("One side"), score=_score(match, state, report))


def _completed(match: Data, changed: Data, state: State) -> str:
    number = match["number"]
    if changed.get("completed_at", match["completed_at"]) != match["completed_at"]:
        # The result was taken back since, so the match's row has nothing to say about it.
        winner = entrant_name(state, changed.get("winner"))
        return (
            _("{winner} won match {number}.", winner=winner, number=number)
            if winner
            else _("Match {number} ended without a winner.", number=number)
        )
    winner = entrant_name(state, match["winner"])
    if winner is None:
        return _nobody_won(match, state)
    loser = entrant_name(state, match["away"] if match["winner"] == match["home"] else match["home"])
    match match["reason"]:
        case "walkover":
            return _("{winner} won match {number} by walkover.", winner=winner, number=number)
        case "no_show":
            return _("{winner} won match {number}; {loser} did not show up.", winner=winner, number=number, loser=loser)
        case "forfeit":
            return _("{winner} won match {number}; {loser} forfeited.", winner=winner, number=number, loser=loser)
    return _("{winner} won: {score}.", winner=winner, score=_score(match, state, match))


def _nobody_won(match: Data, state: State) -> str:
    match match["reason"]:
        case "played":
            return _("A draw: {score}.", score=_score(match, state, match))
        case "forfeit":
            return _("Both forfeited match {number}: {pair}.", number=match["number"], pair=_versus(match, state))
        case "no_show":
            return _("Nobody showed up to match {number}: {pair}.", number=match["number"], pair=_versus(match, state))
    return _("Match {number} was not played; nobody could.", number=match["number"])


def _disputed(match: Data, _changed: Data, state: State) -> str:
    return _("The result of match {number} is disputed: {pair}.", number=match["number"], pair=_versus(match, state))


def _cancelled(match: Data, _changed: Data, state: State) -> str:
    if match["home"] is None and match["away"] is None:
        return _("Match {number} is not needed.", number=match["number"])
    return _("Match {number} was cancelled: {pair}.", number=match["number"], pair=_versus(match, state))


def _reopened(match: Data, _changed: Data, state: State) -> str:
    return _("The result of match {number} was taken back: {pair}.", number=match["number"], pair=_versus(match, state))


def _restored(match: Data, _changed: Data, state: State) -> str:
    return _("Match {number} stands as it did before: {pair}.", number=match["number"], pair=_versus(match, state))


def _check_in_opened(match: Data, _changed: Data, state: State) -> str:
    return _("Check-in to match {number}: {pair}.", number=match["number"], pair=_versus(match, state))


def _checked_in(match: Data, changed: Data, state: State) -> str:
    here = [entrant_name(state, match[side]) for side in ("home", "away") if changed.get(f"{side}_checked_in")]
    return _("{name} is here.", name=here[0] if here and here[0] else _("One side"))


def _renamed(_match: Data, _changed: Data, _state: State) -> str:
    return _("An entrant has another name.")


def _match_changed(match: Data, changed: Data, state: State) -> str:
    names = [entrant_name(state, changed[side]) for side in ("home", "away") if changed.get(side) is not None]
    if names and names[0]:
        return _("{name} reached match {number}.", name=names[0], number=match["number"])
    if any(changed.get(f"{side}_closed") for side in ("home", "away")):
        return _("A place in match {number} stays empty.", number=match["number"])
    return _("A place in match {number} is open again.", number=match["number"])


def _scheduled(match: Data, changed: Data, _state: State) -> str:
    at = changed.get("scheduled_at")
    if at is not None:
        return _("Match {number} is planned for {at}.", number=match["number"], at=moment(datetime.fromisoformat(at)))
    if changed.get("station") is not None:
        return _("Match {number} has another station.", number=match["number"])
    return _("Match {number} has another place in the schedule.", number=match["number"])


def _called(match: Data, _changed: Data, state: State) -> str:
    return _("Match {number} was called: {pair}.", number=match["number"], pair=_versus(match, state))


def _extended(match: Data, changed: Data, _state: State) -> str:
    until = moment(datetime.fromisoformat(changed["deadline_at"]))
    return _("There is time until {until} in match {number}.", until=until, number=match["number"])


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


def _entry(sentence: str) -> Callable[[Data, State], str]:
    def say(data: Data, state: State) -> str:
        name = entrant_name(state, data["entry"]["id"]) or data["entry"].get("name") or _("Somebody")
        return _(sentence, name=name)

    return say


def _fixed(sentence: str) -> Callable[[Data, State], str]:
    return lambda _data, _state: _(sentence)


_ENTERED = {
    "waitlisted": gettext_noop("{name} joined the waitlist."),
    "pending": gettext_noop("{name} asked to enter."),
}
_LEFT = {
    "no_show": gettext_noop("{name} did not check in."),
    "declined": gettext_noop("{name} was declined."),
    "expired": gettext_noop("{name} did not claim the place in time."),
}
_PROMOTED = {"waitlisted": gettext_noop("{name} was approved and waits for a place.")}


def _by_status(sentences: Mapping[str, str], otherwise: str) -> Callable[[Data, State], str]:
    def say(data: Data, state: State) -> str:
        return _entry(sentences.get(data["entry"].get("status", ""), otherwise))(data, state)

    return say


def _from_file(data: Data, _state: State) -> str:
    return ngettext("{count} entrant came from a file.", "{count} entrants came from a file.", len(data["entries"]))


def _seeded(data: Data, _state: State) -> str:
    draw = data["tournament"].get("draw_seed")
    if data["tournament"].get("seeding") == "rating":
        return _("Seeds were given by rating.")
    return _("Seeds were drawn at random (draw seed {draw}).", draw=draw) if draw is not None else _("Seeds were set.")


def _planned(data: Data, _state: State) -> str:
    return ngettext("{count} match was planned.", "{count} matches were planned.", len(data["matches"]))


def _station_added(data: Data, _state: State) -> str:
    return _("Station {name} was added.", name=data["station"].get("name", ""))


def _station_renamed(data: Data, _state: State) -> str:
    return _("A station is called {name} now.", name=data["station"].get("name", ""))


def _drawn(data: Data, state: State) -> str:
    if not data["matches"]:
        return _("The entrants of the first round were fixed.")
    stage = _stage_name(data["matches"][0]["stage"], state)
    return ngettext(
        "{name} was drawn: {count} match.",
        "{name} was drawn: {count} matches.",
        len(data["matches"]),
        name=stage or _("The bracket"),
    )


def _paired(data: Data, _state: State) -> str:
    first = next(iter(data["matches"]), None)
    if first is None:
        return _("A round was paired.")
    number, count = first["round"], len(data["matches"])
    if data.get("removed"):
        return ngettext(
            "Round {round} was paired again: {count} match.",
            "Round {round} was paired again: {count} matches.",
            count,
            round=number,
        )
    return ngettext(
        "Round {round} was paired: {count} match.", "Round {round} was paired: {count} matches.", count, round=number
    )


def _stage_name(stage_id: int, state: State) -> str:
    """Return a stage's name where there are several; alone it needs none."""
    known = stage_id in {stage["id"] for stage in state["stages"].values()}
    return names_of(state).stage(stage_id) if known and len(state["stages"]) > 1 else ""


def _stage(sentence: str) -> Callable[[Data, State], str]:
    def say(data: Data, state: State) -> str:
        return _(sentence, name=_stage_name(data["stage"]["id"], state) or _("The stage"))

    return say


def _stage_changed(data: Data, state: State) -> str:
    """Tell that a stage is over. That it was drawn, or is open again, other events tell."""
    to = data["stage"].get("state")
    if to is None:
        return _stage(gettext_noop("Settings of {name} changed."))(data, state)
    return _stage(gettext_noop("{name}: all matches are over."))(data, state) if to == "completed" else ""


def _champion(data: Data, state: State) -> str:
    name = entrant_name(state, data["tournament"].get("champion"))
    return _("{name} won the tournament.", name=name) if name else _("The tournament is over.")


def _on_stream(data: Data, state: State) -> str:
    match = state["matches"].get(str(data["tournament"].get("on_stream")))
    if not match:
        return _("No match is on stream.")
    return _("Match {number} is on stream: {pair}.", number=match["number"], pair=_versus(match, state))


def _member(data: Data, _state: State) -> str:
    member = data["member"]
    name = member.get("username", _("Somebody"))
    match member.get("role"):
        case "organizer":
            return _("{name} joined the staff as organiser.", name=name)
        case "referee":
            return _("{name} joined the staff as referee.", name=name)
    return _("{name} joined the staff.", name=name)


def _longer(data: Data, _state: State) -> str:
    number = len(data["matches"])
    return ngettext("{count} match has another length.", "{count} matches have another length.", number)


def _announced(data: Data, _state: State) -> str:
    standing = data["tournament"].get("notices", [])
    return _("Announced: “{text}”", text=standing[-1]["text"]) if standing else ""


def _link_made(data: Data, _state: State) -> str:
    link = data["link"]
    if link["role"] == "organizer":
        return ngettext(
            "A link was made by which {count} person can become an organiser.",
            "A link was made by which {count} people can become organisers.",
            link["uses"],
        )
    return ngettext(
        "A link was made by which {count} person can become a referee.",
        "A link was made by which {count} people can become referees.",
        link["uses"],
    )


_PLAIN: dict[str, Callable[[Data, State], str]] = {
    "tournament_created": _fixed(gettext_noop("The tournament was created.")),
    "tournament_imported": _fixed(gettext_noop("The tournament was imported.")),
    "tournament_updated": _fixed(gettext_noop("Settings changed.")),
    "tournament_published": _fixed(gettext_noop("The tournament was published.")),
    "registration_opened": _fixed(gettext_noop("Registration opened.")),
    "registration_closed": _fixed(gettext_noop("Registration closed.")),
    "registration_imported": _from_file,
    "registration_created": _by_status(_ENTERED, gettext_noop("{name} entered.")),
    "registration_cancelled": _by_status(_LEFT, gettext_noop("{name} withdrew.")),
    "entry_disqualified": _entry(gettext_noop("{name} was disqualified.")),
    "entry_reinstated": _entry(gettext_noop("{name} takes part again after all.")),
    "registration_offered": _entry(gettext_noop("A place is held for {name}.")),
    "registration_promoted": _by_status(_PROMOTED, gettext_noop("{name} has a place now.")),
    "registration_updated": _entry(gettext_noop("The entry of {name} changed.")),
    "check_in_closed": _fixed(gettext_noop("Check-in is over.")),
    "registration_checked_in": _entry(gettext_noop("{name} checked in.")),
    "registration_checkin_reverted": _entry(gettext_noop("The check-in of {name} was taken back.")),
    "entries_seeded": _seeded,
    "stage_added": _stage(gettext_noop("{name} was added.")),
    "stage_updated": _stage_changed,
    "stage_removed": _fixed(gettext_noop("A stage was removed.")),
    "bracket_generated": _drawn,
    "bracket_withdrawn": _fixed(gettext_noop("A draw was taken back.")),
    "bracket_restored": _fixed(gettext_noop("A draw that had been taken back stands again.")),
    "round_paired": _paired,
    "schedule_planned": _planned,
    "station_added": _station_added,
    "station_renamed": _station_renamed,
    "station_removed": _fixed(gettext_noop("A station was removed.")),
    "tournament_started": _fixed(gettext_noop("Play began.")),
    "tournament_completed": _champion,
    "tournament_cancelled": _fixed(gettext_noop("The tournament was cancelled.")),
    "tournament_on_stream": _on_stream,
    "best_of_changed": _longer,
    "announcement_made": _announced,
    "announcement_taken_down": _fixed(gettext_noop("An announcement was taken down.")),
    "staff_link_made": _link_made,
    "staff_link_revoked": _fixed(gettext_noop("An invitation to the staff was taken back.")),
    "tournament_overlays_renewed": _fixed(gettext_noop("The addresses of the overlays were renewed.")),
    "member_added": _member,
    "member_removed": _fixed(gettext_noop("Somebody left the staff.")),
    "person_erased": _fixed(gettext_noop("Somebody deleted their account.")),
    "user_banned": lambda data, _state: _("{name} was banned.", name=data["banned"]["username"]),
    "user_unbanned": lambda data, _state: _("The ban of {name} was lifted.", name=data["banned"]["username"]),
}
