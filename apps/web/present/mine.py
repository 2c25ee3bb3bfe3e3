"""What the person looking can do next in a tournament: one primary action, or one sentence about what is waited for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.tournaments.selectors.lists import URGENCY
from apps.web.present.shown import MatchShown, SideShown, entrant_name, feeders, match_shown
from apps.web.present.stages import in_order
from engine.match_flow import OPEN
from engine.projection import State
from engine.stages import Format

Row = Mapping[str, Any]

_OVER = ("completed", "cancelled")


@dataclass(frozen=True, slots=True)
class Mine:
    """
    `step` names the template's branch: sign_in, register, waitlisted, check_in, in, match, out, won, left, none.

    `text` is the sentence; `match` and `side` are set for a match to play or wait for.
    """

    step: str
    text: str = ""
    entry: int | None = None
    name: str = ""
    match: MatchShown | None = None
    side: str = ""
    may_withdraw: bool = False


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


def my_match(match: MatchShown, side: str) -> MyMatch:
    """Return what the player on `side` can do in a match."""
    me, opponent = (match.home, match.away) if side == "home" else (match.away, match.home)
    steps = {"scheduled": "wait", "ready": "report", "live": "report", "disputed": "disputed"}
    if match.over:
        step = "over"
    elif match.state == "check_in":
        step = "checked_in" if me.here == "here" else "check_in"
    else:
        step = steps.get(match.state) or ("reported" if match.reported_by == side else "confirm")
    name = opponent.name or "an opponent to be decided"
    if opponent.entry is None and opponent.name:
        name = opponent.name.replace("Winner of", "the winner of match").replace("Loser of", "the loser of match")
    return MyMatch(step, side, me, opponent, name)


def mine(state: State, *, signed_in: bool, entry_id: int | None) -> Mine:
    """Return what to offer. `entry_id`: the person's entry, the active one when there is one."""
    entry = state["entries"].get(str(entry_id))
    if entry is None or entry["status"] in ("withdrawn", "no_show"):
        return _outsider(state, signed_in=signed_in, entry=entry)
    if state["matches"] and entry["status"] == "confirmed":
        return _in_bracket(state, entry)
    return _before_bracket(state, entry)


def _outsider(state: State, *, signed_in: bool, entry: Row | None) -> Mine:
    if state["tournament"]["status"] == "registration_open":
        return Mine("register" if signed_in else "sign_in")
    if entry is not None:
        text = "You did not check in, so the bracket was drawn without you."
        return Mine("left", text if entry["status"] == "no_show" else "You withdrew.")
    return Mine("none")


def _before_bracket(state: State, entry: Row) -> Mine:
    tournament = state["tournament"]
    known = {"entry": entry["id"], "name": entry["name"], "may_withdraw": tournament["status"] not in _OVER}
    if tournament["status"] in _OVER:
        return Mine("none")
    if entry["status"] == "waitlisted":
        ahead = sum(r["status"] == "waitlisted" and r["id"] <= entry["id"] for r in state["entries"].values())
        if state["matches"]:
            return Mine("waitlisted", "The bracket was drawn and no place became free.", **known)
        return Mine(
            "waitlisted", f"You are number {ahead} on the waitlist. If a place becomes free, it is yours.", **known
        )
    if tournament["check_in"] and not entry["checked_in"]:
        return Mine("check_in", "Only entrants who check in are drawn.", **known)
    here = "You are checked in" if tournament["check_in"] else "You are in"
    return Mine("in", f"{here}. Your first match shows here when the bracket is drawn.", **known)


def _in_bracket(state: State, entry: Row) -> Mine:
    known = {"entry": entry["id"], "name": entry["name"]}
    tournament = state["tournament"]
    own = [row for row in state["matches"].values() if entry["id"] in (row["home"], row["away"])]
    still_to_play = [row for row in own if row["state"] in OPEN]
    if tournament["status"] == "cancelled":
        return Mine("none")
    if still_to_play:
        row = min(still_to_play, key=lambda row: (URGENCY.index(row["state"]), row["stage"], row["number"]))
        side = "home" if row["home"] == entry["id"] else "away"
        match = match_shown(state, row, feeders(state))
        return Mine("match", match=match, side=side, may_withdraw=True, **known)
    if tournament["status"] != "completed" and (text := _between(state, entry)):
        return Mine("in", text, may_withdraw=True, **known)
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
            present = max((m["round"] for m in state["matches"].values() if m["stage"] == stage["id"]), default=0)
            bye = f"You have a bye in round {present}. " if present in row["byes"] else ""
            return f"{bye}Your next match shows here when the next round is paired."
        if stage["state"] == "live" and Format(stage["format"]).is_league:
            return "You have played all your matches. The others are still playing."
        is_last_drawn = all(other["state"] == "pending" for other in stages if other["number"] > stage["number"])
        if stage["state"] == "completed" and is_last_drawn and stage is not stages[-1]:
            return "The stage is over. Who goes on shows here when the next one is drawn."
    return ""


def _finished(tournament: Row, entry: Row, own: list[Row], state: State, known: dict[str, Any]) -> Mine:
    """Say how the tournament ended for an entrant who has no match left."""
    if tournament["champion"] == entry["id"]:
        return Mine("won", "You won the tournament.", **known)
    for place, words in (("runner_up", "You finished second."), ("third_place", "You finished third.")):
        if tournament[place] == entry["id"]:
            return Mine("out", words, **known)
    if not own:
        return Mine("none", **known)
    last_stage = in_order(state)[-1]["id"]
    places = {row["entry"]: row["rank"] for row in state["stage_entries"].values() if row["stage"] == last_stage}
    if rank := places.get(entry["id"]):
        return Mine("out", f"You finished in place {rank}.", **known)
    last = max(own, key=lambda row: (row["completed_at"] or "", row["number"]))
    name = entrant_name(state, last["away"] if last["home"] == entry["id"] else last["home"])
    return Mine("out", f"Your last match was match {last['number']}" + (f" against {name}." if name else "."), **known)
