"""
A league as rows of the state tell it: what counts as a result, how everybody stands, who is paired next.

Rows are plain data as engine.projection holds them, so the same tables come from a database, from a snapshot and from
any past moment of the log.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from engine.bracket import Side
from engine.match_flow import OPEN, MatchState
from engine.results import Points, Result
from engine.stages import Format
from engine.standings import Standing, standings

Row = Mapping[str, Any]
Tables = dict[int, list[Standing]]

_COUNTS = (MatchState.COMPLETED, MatchState.FORFEIT)


def results_of(matches: Iterable[Row], entrants: Iterable[Row]) -> list[Result]:
    """
    Return the results that count, byes among them.

    Args:
        matches, entrants: the rows of one stage ("matches" and "stage_entries" of the state).
    """
    rows = list(entrants)
    annulled = {row["entry"] for row in rows if row["annulled"]}
    found = [Result(number, row["entry"], None, row["entry"]) for row in rows for number in row["byes"]]
    for row in matches:
        sides = {row["home"], row["away"]}
        if row["state"] in _COUNTS and None not in sides and not sides & annulled:
            found.append(
                Result(
                    row["round"],
                    row["home"],
                    row["away"],
                    row["winner"],
                    row["home_score"],
                    row["away_score"],
                    forfeit=row["state"] == MatchState.FORFEIT,
                )
            )
    return found


def points_of(stage: Row) -> Points:
    """Return what a match of a stage is worth."""
    return Points(**stage["points"])


def rounds_of(matches: Iterable[Row], entrants: Iterable[Row]) -> int:
    """Return how many rounds have been paired."""
    byes = (number for row in entrants for number in row["byes"])
    return max((*(row["round"] for row in matches), *byes), default=0)


def tables(stage: Row, matches: Iterable[Row], entrants: Iterable[Row]) -> Tables:
    """
    Return the standings of each group, best first; a stage without groups has one, 0.

    Annulled entrants are left out. Cost: see engine.standings.
    """
    played = list(matches)
    last = rounds_of(played, ())
    rows = sorted(entrants, key=lambda row: row["seed"])
    results = results_of(played, rows)
    found: Tables = {}
    for group in sorted({row["group"] for row in rows}):
        own = [row for row in rows if row["group"] == group]
        ids = {row["entry"] for row in own}
        found[group] = standings(
            [row["entry"] for row in own if not row["annulled"]],
            [result for result in results if result.home in ids],
            format=Format(stage["format"]),
            rounds=rounds_of(played, own),
            points=points_of(stage),
            parts=stage["tie_breaks"],
            rule_year=stage["rule_year"],
            lots={row["entry"]: row["lot"] for row in own},
            playing={row[side] for row in played if row["round"] == last and row["state"] in OPEN for side in Side},
        )
    return found
