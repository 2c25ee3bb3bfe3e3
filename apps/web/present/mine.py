"""What the person looking can do next in a tournament: one primary action, or one sentence about what is waited for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from apps.web.present.entrants import waitlist
from apps.web.present.shown import MatchShown, SideShown, counts, entrant_name, feeders, match_shown
from apps.web.present.stages import in_order
from apps.words import gettext as _
from apps.words import ngettext
from engine.league import rounds_of
from engine.match_flow import OPEN, URGENCY
from engine.projection import State
from engine.stages import Format
from engine.swiss import rounds_needed
from engine.text import gettext_noop

Row = Mapping[str, Any]

_OVER = ("completed", "cancelled")


@dataclass(frozen=True, slots=True)
class Mine:
    """
    `step` names the template's branch: sign_in, register, pending, waitlisted, offered, in, match, team_match, out,
    won, left, none.

    `text` is the sentence; `match` and `side` are set for a match to play or wait for. `check_in`: "opens" later,
    "open", "over" without them, or "" when there is nothing to do. `claim_by`: until when a place is held.
    `acts`: not a player of a team whose captain is somebody else. `drawn`: with the others that are played against.
    """

    step: str
    text: str = ""
    entry: int | None = None
    name: str = ""
    match: MatchShown | None = None
    side: str = ""
    may_withdraw: bool = False
    check_in: str = ""
    claim_by: str | None = None
    acts: bool = True
    drawn: bool = False


@dataclass(frozen=True, slots=True)
class MyMatch:
    """
    One's own match. `step`: wait, check_in, checked_in, report, confirm, reported, disputed, over.

    `against` is the opponent in a sentence, also one still to come: "the winner of match 3".
    """

    step: str
    side: str
    me: SideShown
    opponent: SideShown
    against: str

    @property
    def other(self) -> str:
        return "away" if self.side == "home" else "home"


def my_match(state: State, match: MatchShown, side: str) -> MyMatch:
    """Return what the player on `side` can do in a match of a state."""
    me, opponent = (match.home, match.away) if side == "home" else (match.away, match.home)
    steps = {"scheduled": "wait", "ready": "report", "live": "report", "disputed": "disputed"}
    if match.over:
        step = "over"
    elif match.state == "check_in":
        step = "checked_in" if me.here == "here" else "check_in"
    else:
        step = steps.get(match.state) or ("reported" if match.reported_by == side else "confirm")
    known = (
        opponent.name if opponent.entry is not None else _to_come(state, match, "away" if side == "home" else "home")
    )
    return MyMatch(step, side, me, opponent, known or opponent.name or _("an opponent to be decided"))


def _to_come(state: State, match: MatchShown, side: str) -> str:
    """Return where the entrant of a side comes from, as a sentence says it; "" where nothing leads there."""
    for row in state["matches"].values():
        if row.get("stage") != match.stage:
            continue
        if (row.get("winner_to"), row.get("winner_to_side")) == (match.number, side):
            return _("the winner of match {number}", number=row["number"])
        if (row.get("loser_to"), row.get("loser_to_side")) == (match.number, side):
            return _("the loser of match {number}", number=row["number"])
    return ""


def mine(
    state: State,
    *,
    signed_in: bool,
    entry_id: int | None,
    now: datetime | None = None,
    acts: bool = True,
    number: int = 0,
) -> Mine:
    """
    Return what to offer. `entry_id`: the person's entry, the active one when there is one.

    `now` tells whether check-in is open; `acts` is False for a player of a team who is not its captain. `number`: the
    place on the waitlist, where the state does not hold all who wait.
    """
    entry = state["entries"].get(str(entry_id))
    if entry is None or entry["status"] in _OUT:
        return _outsider(state, signed_in=signed_in, entry=entry)
    if is_drawn(state) and entry["status"] == "confirmed":
        shown = _in_bracket(state, entry)
    else:
        shown = _before_bracket(state, entry, now, number)
    return shown if acts else _watched(shown)


_OUT = {
    "withdrawn": gettext_noop("You withdrew."),
    "no_show": gettext_noop("You did not check in, so the bracket was drawn without you."),
    "declined": gettext_noop("An organiser has declined your registration."),
    "expired": gettext_noop("A place was held for you, and went to the next when you did not claim it."),
    "disqualified": gettext_noop("You were disqualified."),
}


def _outsider(state: State, *, signed_in: bool, entry: Row | None) -> Mine:
    status = "" if entry is None else entry["status"]
    stays_out = status in ("declined", "disqualified")
    if not stays_out and (state["tournament"]["status"] == "registration_open" or late_entry(state)):
        return Mine("register" if signed_in else "sign_in", _(_OUT[status]) if status in _OUT else "")
    return Mine("left", _(_OUT[status])) if status else Mine("none")


def late_entry(state: State) -> bool:
    """Return whether entrants can join the Swiss stage that is being played."""
    tournament = state["tournament"]
    live = [stage for stage in state["stages"].values() if stage["state"] == "live" and stage["number"] == 1]
    if not tournament["late_entry"] or not live or live[0]["format"] != Format.SWISS:
        return False
    rows = [row for row in state["stage_entries"].values() if row["stage"] == live[0]["id"]]
    paired = rounds_of((row for row in state["matches"].values() if row["stage"] == live[0]["id"]), rows)
    return paired < (live[0]["rounds"] or rounds_needed(len(rows))) and counts(state).left > 0


def is_drawn(state: State) -> bool:
    return any(stage["state"] != "pending" for stage in state["stages"].values())


def _before_bracket(state: State, entry: Row, now: datetime | None, number: int) -> Mine:
    tournament = state["tournament"]
    status = entry["status"]
    if tournament["status"] in _OVER:
        return Mine("none")
    drawn = is_drawn(state)
    shown = Mine(
        status,
        entry=entry["id"],
        name=entry["name"],
        may_withdraw=True,
        check_in="" if drawn else _check_in(tournament, entry, now),
        claim_by=entry["claim_by"],
    )
    match status:
        case "pending":
            decided = _("The bracket was drawn, and no organiser had let you in.")
            return replace(
                shown, check_in="", text=decided if drawn else _("An organiser decides whether you take part.")
            )
        case "offered":
            return replace(shown, text=_("A place is held for you. Claim it, or it goes to the next on the waitlist."))
        case "waitlisted":
            return replace(shown, text=_waits(state, entry, number))
    if shown.check_in:
        return replace(shown, step="in", text=_("Only entrants who check in are drawn."))
    here = _("You are checked in") if tournament["check_in"] else _("You are in")
    return replace(
        shown, step="in", text=_("{here}. Your first match shows here when the bracket is drawn.", here=here)
    )


def _waits(state: State, entry: Row, number: int) -> str:
    if is_drawn(state):
        return _("The bracket was drawn and no place became free.")
    number = number or [row["id"] for row in waitlist(state)].index(entry["id"]) + 1
    minutes = state["tournament"]["claim_minutes"]
    if not minutes:
        return _("You are number {number} on the waitlist. If a place becomes free, it is yours.", number=number)
    return ngettext(
        "You are number {number} on the waitlist. If a place becomes free, it is held for you for {count} minute.",
        "You are number {number} on the waitlist. If a place becomes free, it is held for you for {count} minutes.",
        minutes,
        number=number,
    )


def _check_in(tournament: Row, entry: Row, now: datetime | None) -> str:
    if not tournament["check_in"] or entry["checked_in"]:
        return ""
    opens, closes = (parse_datetime(tournament[f"check_in_{when}_at"] or "") for when in ("opens", "closes"))
    if tournament["check_in_closed"] or (closes and now and now >= closes):
        return "over"
    return "opens" if opens and now and now < opens else "open"


def _watched(shown: Mine) -> Mine:
    """Return what a player of a team sees, who does not act for it."""
    shown = replace(shown, acts=False, may_withdraw=False)
    if shown.step != "match" or shown.match is None:
        return shown
    opponent = (shown.match.away if shown.side == "home" else shown.match.home).name or _("an opponent to be decided")
    return replace(
        shown,
        step="team_match",
        text=_("Your team plays {opponent} in match {number}.", opponent=opponent, number=shown.match.number),
    )


def _in_bracket(state: State, entry: Row) -> Mine:
    known = {"entry": entry["id"], "name": entry["name"]}
    tournament = state["tournament"]
    own = [row for row in state["matches"].values() if entry["id"] in (row.get("home"), row.get("away"))]
    still_to_play = [row for row in own if row["state"] in OPEN]
    if tournament["status"] == "cancelled":
        return Mine("none")
    if still_to_play:
        row = min(still_to_play, key=lambda row: (URGENCY.index(row["state"]), row["stage"], row["number"]))
        side = "home" if row["home"] == entry["id"] else "away"
        match = match_shown(state, row, feeders(state))
        return Mine("match", match=match, side=side, may_withdraw=True, **known)
    if tournament["status"] != "completed" and (text := _between(state, entry)):
        return Mine("in", text, may_withdraw=True, drawn=True, **known)
    return _finished(tournament, entry, own, state, known)


def _between(state: State, entry: Row) -> str:
    """Return what an entrant without a match waits for, who is still in the tournament."""
    stages = in_order(state)
    own = {row["stage"]: row for row in state["stage_entries"].values() if row["entry"] == entry["id"]}
    for stage in stages:
        row = own.get(stage["id"])
        if row is None:
            continue
        if stage["state"] == "live" and stage["format"] == Format.SWISS:
            paired = [m.get("round", 0) for m in state["matches"].values() if m["stage"] == stage["id"]]
            present = max([*paired, *row["byes"]], default=0)
            following = _("Your next match shows here when the next round is paired.")
            bye = _("You have a bye in round {round}.", round=present)
            return f"{bye} {following}" if present in row["byes"] else following
        if stage["state"] == "live" and Format(stage["format"]).is_league:
            return _("You have played all your matches. The others are still playing.")
        is_last_drawn = all(other["state"] == "pending" for other in stages if other["number"] > stage["number"])
        if stage["state"] == "completed" and is_last_drawn and stage is not stages[-1]:
            return _("The stage is over. Who goes on shows here when the next one is drawn.")
    return ""


def _finished(tournament: Row, entry: Row, own: list[Row], state: State, known: dict[str, Any]) -> Mine:
    """Say how the tournament ended for an entrant who has no match left."""
    if tournament["champion"] == entry["id"]:
        return Mine("won", _("You won the tournament."), **known)
    for place, words in (("runner_up", _("You finished second.")), ("third_place", _("You finished third."))):
        if tournament[place] == entry["id"]:
            return Mine("out", words, **known)
    if not own:
        return Mine("none", **known)
    last_stage = in_order(state)[-1]["id"]
    places = {row["entry"]: row["rank"] for row in state["stage_entries"].values() if row["stage"] == last_stage}
    if rank := places.get(entry["id"]):
        return Mine("out", _("You finished in place {rank}.", rank=rank), **known)
    last = max(own, key=lambda row: (row["completed_at"] or "", row["number"]))
    name = entrant_name(state, last["away"] if last["home"] == entry["id"] else last["home"])
    text = _("Your last match was match {number}.", number=last["number"])
    if name:
        text = _("Your last match was match {number} against {name}.", number=last["number"], name=name)
    return Mine("out", text, **known)
