"""The rounds of a stage as its form offers them, each with the games of its matches."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from apps.web.present.names import round_name
from apps.web.present.stages import in_order
from apps.words import said
from engine.bracket import MAX_ENTRANTS, MIN_ENTRANTS, Bracket
from engine.errors import EngineError
from engine.match_flow import BEGUN, OVER
from engine.outline import outline
from engine.projection import State
from engine.stages import Format, StageSettings

Row = Mapping[str, Any]

FIELD = "games "  # before the key of a round
MOST = 40  # rounds


@dataclass(frozen=True, slots=True)
class RoundRow:
    """`field` is the input's name, `value` the games set for this round alone, "" as the stage. `begun`: it has."""

    field: str
    name: str
    value: str
    matches: int
    begun: bool


def rounds_shown(state: State, stage: Row) -> list[RoundRow]:
    """Return the rounds of a stage, drawn or as many as there will be with the entrants expected now."""
    played_as = Format(stage["format"])
    given = {name: stage[name] for name in ("third_place_match", "grand_final_reset", "groups", "legs", "rounds")}
    begun = {
        (row["bracket"], row["round"])
        for row in state["matches"].values()
        if row["stage"] == stage["id"] and row["home"] and row["away"] and row["state"] in BEGUN | OVER
    }
    try:
        found = outline(played_as, StageSettings(**given), entrants_of(state, stage), stations=1, match_minutes=1)
    except EngineError:
        return []
    rows = []
    for one in found.rounds[:MOST]:
        key = round_key(played_as, one.bracket, one.round, one.last)
        rows.append(
            RoundRow(
                FIELD + key,
                said(round_name(played_as, one.bracket, one.round, one.last)),
                str(_set(stage["best_of_rounds"], key)),
                one.matches,
                (one.bracket.value, one.round) in begun,
            )
        )
    return rows


def _set(rounds: Mapping[str, int], key: str) -> int | str:
    """Return the games that are set for a round; "final" stands for the two that can be one."""
    if key in rounds or key not in ("upper_final", "grand_final"):
        return rounds.get(key, "")
    return rounds.get("final", "")


def round_key(format: Format, bracket: Bracket, round_: int, last: int) -> str:
    """Return how settings name a round: the last ones from the end, so that they stay when more entrants come."""
    if format.is_league:
        return str(round_)
    match bracket:
        case Bracket.GRAND_FINAL:
            return "grand_final"
        case Bracket.THIRD_PLACE:
            return "third_place"
        case Bracket.LOWER:
            return "lower_final" if round_ == last else f"lower {round_}"
    final = "upper_final" if format is Format.DOUBLE_ELIMINATION else "final"
    return {0: final, 1: "semi_finals", 2: "quarter_finals"}.get(last - round_) or f"main {round_}"


def entrants_of(state: State, stage: Row) -> int:
    """Return how many take part in a stage: who is drawn, else who is expected as things stand."""
    drawn = sum(row["stage"] == stage["id"] for row in state["stage_entries"].values())
    return drawn or min(max(_expected(state, stage), MIN_ENTRANTS), MAX_ENTRANTS)


def _expected(state: State, stage: Row) -> int:
    confirmed = sum(row["status"] == "confirmed" for row in state["entries"].values())
    number = confirmed if confirmed >= MIN_ENTRANTS else state["tournament"]["capacity"]
    for before in _before(state, stage):
        if before["advance"]:
            groups = before["groups"] if before["format"] == Format.ROUND_ROBIN else 1
            number = min(number, before["advance"] * groups + before["advance_rest"])
    return int(number)


def _before(state: State, stage: Row) -> Iterator[Row]:
    for one in in_order(state):
        if one["number"] < stage["number"]:
            yield one
