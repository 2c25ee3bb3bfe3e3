"""The stages of a tournament on its pages: which are there, which one is looked at, and what of the state is its."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.web.present.names import FORMAT_LABELS, Names, has_groups
from apps.words import gettext, said
from engine.projection import State
from engine.stages import Format
from engine.text import gettext as _

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StageShown:
    """One stage in the switch between them. `state`: pending, live or completed."""

    id: int
    number: int
    name: str
    format: str
    state: str
    is_league: bool


def in_order(state: State) -> list[Row]:
    """Return the stages from the first to the last."""
    return sorted(state["stages"].values(), key=lambda stage: stage["number"])


def switch(state: State, names: Names) -> list[StageShown]:
    """Return what the switch between the stages shows."""
    return [
        StageShown(
            id=stage["id"],
            number=stage["number"],
            name=names.stage(stage["id"]),
            format=said(FORMAT_LABELS[Format(stage["format"])]),
            state=stage["state"],
            is_league=Format(stage["format"]).is_league,
        )
        for stage in in_order(state)
    ]


def looked_at(state: State, wanted: str = "") -> Row | None:
    """Return the stage with the number `wanted`, else the one that is being played, else the last that was drawn."""
    stages = in_order(state)
    drawn = [stage for stage in stages if stage["state"] != "pending"]
    playing = [stage for stage in drawn if stage["state"] == "live"]
    by_number = {str(stage["number"]): stage for stage in stages}
    return by_number.get(wanted) or next(iter([*playing, *reversed(drawn), *stages]), None)


def following(state: State, stage: Row) -> Row | None:
    """Return the stage after this one."""
    return next((other for other in in_order(state) if other["number"] == stage["number"] + 1), None)


def within(state: State, stage: Row) -> State:
    """Return the state with the matches and entrants of one stage alone."""
    own = {
        name: {key: row for key, row in state[name].items() if row["stage"] == stage["id"]}
        for name in ("matches", "stage_entries")
    }
    return {**state, **own}


def tab_name(state: State) -> str:
    """Return what the tab with the stages is called."""
    leagues = [Format(stage["format"]).is_league for stage in in_order(state)]
    if len(leagues) > 1:
        return gettext("Stages")
    return gettext("Standings") if all(leagues) and leagues else gettext("Bracket")


def how_played(stage: Row) -> list[tuple[str, str]]:
    """Return how a stage is played, as pairs of a word and what it is."""
    played_as = Format(stage["format"])
    facts = [(gettext("Format"), said(FORMAT_LABELS[played_as]))]
    if has_groups(stage):
        facts.append((gettext("Groups"), str(stage["groups"])))
    if played_as is Format.ROUND_ROBIN and stage["legs"] > 1:
        facts.append((gettext("Meetings"), gettext("Twice")))
    if played_as is Format.SWISS:
        facts.append((gettext("Rounds"), str(stage["rounds"] or gettext("As many as it takes"))))
    best_of, rounds = stage["best_of"], stage["best_of_rounds"]
    if best_of > 1 or rounds:
        facts.append((gettext("Matches"), ", ".join([gettext("Best of {games}", games=best_of), *_longer(stage)])))
    if played_as.is_league:
        points = stage["points"]
        worth = (said(float(points[name])) for name in ("win", "draw", "loss"))
        facts.append((gettext("Points"), " – ".join(worth)))
    if stage["advance"]:
        facts.append((gettext("Go on"), _going_on(stage)))
    return facts


def _longer(stage: Row) -> list[str]:
    """Return the rounds that have another length."""
    return [
        gettext("{round} best of {games}", round=_ROUNDS.get(key, key), games=games)
        for key, games in stage["best_of_rounds"].items()
        if games != stage["best_of"]
    ]


_ROUNDS = {
    "final": _("final"),
    "upper_final": _("upper final"),
    "lower_final": _("lower final"),
    "grand_final": _("grand final"),
    "semi_finals": _("semi-finals"),
    "quarter_finals": _("quarter-finals"),
    "third_place": _("third place"),
}


def _going_on(stage: Row) -> str:
    best, rest = stage["advance"], stage["advance_rest"]
    if has_groups(stage):
        if rest:
            return gettext("The best {count} of each group, and {rest} of those next", count=best, rest=rest)
        return gettext("The best {count} of each group", count=best)
    return (
        gettext("The best {count}, and {rest} of those next", count=best, rest=rest)
        if rest
        else gettext("The best {count}", count=best)
    )
