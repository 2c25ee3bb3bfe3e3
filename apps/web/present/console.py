"""What leads a tournament on from here: the organiser's next step, and the one that can be taken again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.web.present.names import Names, has_groups
from apps.web.present.stages import in_order
from apps.words import gettext
from engine.match_flow import BEGUN, OVER
from engine.projection import State
from engine.stages import Format
from engine.swiss import rounds_needed

Row = Mapping[str, Any]

_BY_STATUS = {
    "draft": "publish",
    "published": "open-registration",
    "registration_open": "close-registration",
    "registration_closed": "generate",
}


@dataclass(frozen=True, slots=True)
class Next:
    """
    `step` names the template's branch: publish, open-registration, close-registration, generate (the first stage),
    draw-next (a later one), pair, play, completed, cancelled.

    `draw` is what the button says that draws: "Draw the bracket". `round` is the one to pair, of `rounds`. `again`:
    "draw" or "pair" while what was drawn or paired can be made anew.
    """

    step: str
    draw: str = ""
    stage: str = ""
    round: int = 0
    rounds: int = 0
    again: str = ""


def next_step(state: State, names: Names) -> Next:
    """Return what the organiser does next."""
    stages = in_order(state)
    status = state["tournament"]["status"]
    first = _draw_words(stages[0]) if stages else gettext("Draw the bracket")
    drawn = [stage for stage in stages if stage["state"] != "pending"]
    if status in ("completed", "cancelled"):
        return Next(status)
    if not drawn:
        return Next(_BY_STATUS.get(status, "play"), first)
    present = drawn[-1]
    name = names.stage(present["id"])
    waiting = next((stage for stage in stages if stage["state"] == "pending"), None)
    if present["state"] == "completed" and waiting is not None:
        following = names.stage(waiting["id"])
        return Next("draw-next", gettext("Draw {stage}", stage=following), following)
    if present["format"] == Format.SWISS:
        return _swiss(state, present, name)
    own = _matches(state, present)
    untouched = all(row["state"] in ("scheduled", "ready") or row["home"] is None or row["away"] is None for row in own)
    may_redraw = untouched and (present["number"] > 1 or status in ("published", "registration_closed"))
    return Next("play", _draw_words(present), name, again="draw" if may_redraw else "")


def _swiss(state: State, stage: Row, name: str) -> Next:
    own = _matches(state, stage)
    entrants = [row for row in state["stage_entries"].values() if row["stage"] == stage["id"]]
    present = max((row["round"] for row in own), default=0)
    rounds = stage["rounds"] or rounds_needed(len(entrants))
    rows = [row for row in own if row["round"] == present]
    again = "" if any(row["state"] in BEGUN for row in rows) else "pair"
    if stage["state"] == "live" and present < rounds and all(row["state"] in OVER for row in rows):
        return Next("pair", stage=name, round=present + 1, rounds=rounds, again=again)
    return Next("play", _draw_words(stage), name, present, rounds, again if stage["state"] == "live" else "")


def _matches(state: State, stage: Row) -> list[Row]:
    return [row for row in state["matches"].values() if row["stage"] == stage["id"]]


def _draw_words(stage: Row) -> str:
    if not Format(stage["format"]).is_league:
        return gettext("Draw the bracket")
    if stage["format"] == Format.SWISS:
        return gettext("Pair the first round")
    return gettext("Draw the groups") if has_groups(stage) else gettext("Draw the matches")
