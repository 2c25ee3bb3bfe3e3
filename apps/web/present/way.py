"""The way of one entrant through a tournament: what they have played, what comes next, where they stand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.web.present import stages
from apps.web.present.league import league_tables
from apps.web.present.names import Names
from apps.web.present.shown import MatchShown, SideShown, feeders, match_shown
from apps.words import gettext
from engine.match_flow import OPEN, OVER, URGENCY
from engine.projection import State
from engine.stages import Format

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One match of the entrant's. `place` is where in the tournament it is played; `side` is theirs."""

    match: MatchShown
    place: str
    side: str

    @property
    def me(self) -> SideShown:
        return self.match.home if self.side == "home" else self.match.away

    @property
    def other(self) -> SideShown:
        return self.match.away if self.side == "home" else self.match.home


@dataclass(frozen=True, slots=True)
class Place:
    """
    Where the entrant stands in one stage, whose number is `stage`. `rank` is 0 as long as nothing is decided.

    Of a league `record` reads "3–0–1", and `why` says why they stand above the next.
    """

    stage: int
    name: str
    rank: int
    of: int
    record: str = ""
    points: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """`played`: the matches that are over, the latest first; `following`: those that are not, the next first."""

    played: tuple[Step, ...]
    following: tuple[Step, ...]
    places: tuple[Place, ...]
    won: int
    lost: int
    ended: str

    @property
    def next(self) -> Step | None:
        return self.following[0] if self.following else None


def way_of(state: State, names: Names, entry_id: int) -> Way:
    """Return the way of an entrant as far as `state` knows it."""
    sources = feeders(state)
    own = [row for row in state["matches"].values() if entry_id in (row["home"], row["away"])]

    def step(row: Row) -> Step:
        shown = match_shown(state, row, sources)
        return Step(shown, names.place(shown), "home" if row["home"] == entry_id else "away")

    over = [row for row in own if row["state"] in OVER]
    open_ones = [row for row in own if row["state"] in OPEN]
    order = {stage["id"]: stage["number"] for stage in state["stages"].values()}
    played = [step(row) for row in sorted(over, key=lambda row: (order[row["stage"]], row["number"]), reverse=True)]
    urgency = {name: number for number, name in enumerate(URGENCY)}
    coming = sorted(open_ones, key=lambda row: (urgency[row["state"]], order[row["stage"]], row["number"]))
    outcomes = [one.me.outcome for one in played]
    return Way(
        tuple(played),
        tuple(step(row) for row in coming),
        tuple(_places(state, names, entry_id)),
        outcomes.count("won"),
        outcomes.count("lost"),
        _ended(state["tournament"], entry_id),
    )


def _places(state: State, names: Names, entry_id: int) -> list[Place]:
    found = []
    for stage in stages.in_order(state):
        own = stages.within(state, stage)
        row = next((row for row in own["stage_entries"].values() if row["entry"] == entry_id), None)
        if row is None:
            continue
        name = names.stage(stage["id"])
        if Format(stage["format"]).is_league:
            found += _lines(own, stage, name, entry_id)
        else:
            found.append(Place(stage["number"], name, row["rank"] or 0, len(own["stage_entries"])))
    return found


def _lines(own: State, stage: Row, name: str, entry_id: int) -> list[Place]:
    return [
        Place(
            stage["number"],
            " · ".join(filter(None, (name, table.name))),
            line.rank if line.played else 0,
            len(table.lines),
            line.record,
            line.points,
            line.why,
        )
        for table in league_tables(own, stage)
        for line in table.lines
        if line.entry == entry_id
    ]


def _ended(tournament: Row, entry_id: int) -> str:
    if tournament["champion"] == entry_id:
        return gettext("Champion")
    if tournament["runner_up"] == entry_id:
        return gettext("Second")
    return gettext("Third") if tournament["third_place"] == entry_id else ""
