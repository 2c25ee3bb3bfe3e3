"""A league on a page: tables that explain their order, and rounds with their byes. From a state of any moment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from apps.web.present.crosstable import CrossTable, cross_table
from apps.web.present.fates import league_fates
from apps.web.present.names import group_name, has_groups
from apps.web.present.shown import MatchShown, feeders, match_shown
from apps.words import gettext, said
from engine.league import rounds_of, tables
from engine.match_flow import OVER
from engine.projection import State
from engine.stages import Format
from engine.standings import ROUND_ROBIN_PARTS, SWISS_PARTS, Standing
from engine.text import Figure
from engine.text import gettext as _
from engine.tiebreaks import RATES, Measure, Part

Row = Mapping[str, Any]

MATCHES_AT_ONCE = 240  # that a page of a league draws: 64 groups of 3, or all against all of 22

# What fits above a column of numbers.
_SHORT = {
    Measure.POINTS: _("Pts"),
    Measure.WINS: _("Wins"),
    Measure.HEAD_TO_HEAD: _("H2H"),
    Measure.SCORE_DIFFERENCE: _("+/-"),
    Measure.SCORED: _("For"),
    Measure.BUCHHOLZ: _("BH"),
    Measure.BUCHHOLZ_CUT1: _("BH-C1"),
    Measure.MEDIAN_BUCHHOLZ: _("M-BH"),
    Measure.SONNEBORN_BERGER: _("SB"),
    Measure.OPPONENTS_WIN_RATE: _("OMW"),
    Measure.GAME_WIN_RATE: _("GW"),
    Measure.SEED: _("Seed"),
}


@dataclass(frozen=True, slots=True)
class TieBreak:
    """A column: what stands above it, and its name in full."""

    short: str
    name: str


@dataclass(frozen=True, slots=True)
class Line:
    """
    One row of a table.

    `record` reads "3–0–1"; `moved` tells what the last round that was played did to the place: "up 2", "down 1", "".
    `why` says why they stand above the next: "above Ada by Buchholz, 13.0 to 11.5". `last_through` marks the
    last one who goes on to the next stage. `fate` is "through" or "out" where that is certain already, by points.
    """

    rank: int
    entry: int
    name: str
    played: int
    record: str
    points: str
    values: tuple[str, ...]
    why: str
    moved: str
    last_through: bool
    fate: str


@dataclass(frozen=True, slots=True)
class Table:
    """`name` is "Group A", or empty where there are no groups. `cross` has everybody's results, where they fit."""

    name: str
    tie_breaks: tuple[TieBreak, ...]
    lines: tuple[Line, ...]
    cross: CrossTable | None = None

    @property
    def has_fates(self) -> bool:
        return any(line.fate for line in self.lines)


@dataclass(frozen=True, slots=True)
class Round:
    """
    `matches`: each with the name of its group, "" without groups. `byes`: who had no opponent.

    `is_shown` is False where another round is looked at: then there is nothing in it.
    """

    number: int
    matches: tuple[tuple[MatchShown, str], ...]
    byes: tuple[str, ...]
    is_over: bool
    is_present: bool
    is_shown: bool = True


def league_tables(state: State, stage: Row, *, next_stage: Row | None = None) -> list[Table]:
    """Return the tables of a league by group. `next_stage`: the one that its best go on to."""
    matches = list(state["matches"].values())
    entrants = list(state["stage_entries"].values())
    ended = [row["round"] for row in matches if row["state"] in OVER]
    before = _ranks_before(stage, matches, entrants, max(ended, default=0))
    names = {int(key): str(entry["name"]) for key, entry in state["entries"].items()}
    advance = stage["advance"] if next_stage is not None else 0
    parts = [Part.parse(name) for name in stage["tie_breaks"] or _usual(stage)]
    found = []
    certain = league_fates(state, stage, following=next_stage)
    for group, standing in tables(stage, matches, entrants).items():
        columns = [part for part in parts if any(str(part) in row.values for row in standing) and _is_column(part)]
        lines = tuple(
            _line(
                row,
                place,
                columns,
                names,
                before.get(row.entrant, place),
                fate=certain.get(row.entrant, ""),
                is_last=place == advance < len(standing),
            )
            for place, row in enumerate(standing, start=1)
        )
        cross = cross_table(state, stage, [row.entrant for row in standing])
        head = tuple(TieBreak(_short(part), part_name(part)) for part in columns)
        found.append(Table(group_name(group) if has_groups(stage) else "", head, lines, cross))
    return found


def league_rounds(state: State, stage: Row, wanted: str = "") -> list[Round]:
    """
    Return the rounds of a league, the latest pairing of a Swiss first.

    Of more than MATCHES_AT_ONCE matches the round `wanted` (a number) is shown alone, else the present one.
    """
    matches = list(state["matches"].values())
    entrants = list(state["stage_entries"].values())
    last = rounds_of(matches, entrants)
    open_rounds = [row["round"] for row in matches if row["state"] not in OVER]
    present = min(open_rounds, default=last)
    sources = feeders(state)
    names = {row["entry"]: state["entries"].get(str(row["entry"]), {}).get("name", "?") for row in entrants}
    by_round: dict[int, list[Row]] = {number: [] for number in range(1, last + 1)}
    for row in matches:
        by_round[row["round"]].append(row)
    alone = 0
    if len(matches) > MATCHES_AT_ONCE:
        alone = next((number for number in by_round if str(number) == wanted), present)
    rounds = []
    for number, own in by_round.items():
        is_over = all(row["state"] in OVER for row in own)
        if alone not in (0, number):
            rounds.append(Round(number, (), (), is_over, is_present=number == present, is_shown=False))
            continue
        shown = tuple(
            (match_shown(state, row, sources), group_name(row["group"]) if row["group"] else "")
            for row in sorted(own, key=lambda row: (row["group"], row["position"]))
        )
        byes = tuple(names[row["entry"]] for row in entrants if number in row["byes"])
        rounds.append(Round(number, shown, byes, is_over, is_present=number == present))
    return rounds[::-1] if stage["format"] == Format.SWISS else rounds


def _usual(stage: Row) -> Iterable[str]:
    return SWISS_PARTS if stage["format"] == Format.SWISS else ROUND_ROBIN_PARTS


def _is_column(part: Part) -> bool:
    """Return whether a part needs a column: points and wins have theirs, and a lot is no merit."""
    return part.measure is not Measure.DRAW and (part.tied or part.measure not in (Measure.POINTS, Measure.WINS))


def _ranks_before(stage: Row, matches: list[Row], entrants: list[Row], last: int) -> dict[int, int]:
    """Return each entrant's place before round `last`."""
    if last < 2:  # noqa: PLR2004 - nobody had a place before the first round
        return {}
    earlier = [row for row in matches if row["round"] < last]
    rows = [{**row, "byes": [number for number in row["byes"] if number < last]} for row in entrants]
    found = tables(stage, earlier, rows).values()
    return {row.entrant: place for table in found for place, row in enumerate(table, start=1)}


def _line(
    row: Standing,
    place: int,
    columns: list[Part],
    names: Mapping[int, str],
    before: int,
    *,
    fate: str,
    is_last: bool,
) -> Line:
    return Line(
        rank=row.rank,
        entry=row.entrant,
        name=names.get(row.entrant, "?"),
        played=row.played,
        record=f"{row.wins}–{row.draws}–{row.losses}",
        points=said(row.points),
        values=tuple(_value(part, row.values.get(str(part))) for part in columns),
        why=said(row.reason.text(names)) if row.reason else "",
        moved=_moved(before - place),
        last_through=is_last,
        fate=fate,
    )


def _moved(places: int) -> str:
    if not places:
        return ""
    return gettext("up {places}", places=places) if places > 0 else gettext("down {places}", places=-places)


def _short(part: Part) -> str:
    short = said(_SHORT[part.measure])
    return gettext("{name} tied", name=short) if part.tied and part.measure is not Measure.HEAD_TO_HEAD else short


def part_name(part: Part) -> str:
    """Return the name of a tie-break as a heading: "Score difference, among the tied"."""
    name = said(part.measure.label)
    name = name[0].upper() + name[1:]
    return (
        gettext("{name}, among the tied", name=name) if part.tied and part.measure is not Measure.HEAD_TO_HEAD else name
    )


def _value(part: Part, value: float | None) -> str:
    if value is None:
        return ""
    if part.measure in RATES:
        return said(Figure(f"{100 * value:.1f} %"))
    return said(Figure(f"{value:+g}" if part.measure is Measure.SCORE_DIFFERENCE and value else f"{value:g}"))
