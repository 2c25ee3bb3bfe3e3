"""What overlays show of a tournament's state: the match on stream, its way, what is next, tables, results, check-in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.web.overlay_options import Options
from apps.web.present import stages
from apps.web.present.league import Table, league_tables
from apps.web.present.names import Names
from apps.web.present.shown import Feeders, MatchShown, counts, feeders, match_shown
from engine.match_flow import BEGUN, OVER
from engine.projection import State
from engine.stages import Format

Row = Mapping[str, Any]

_BEFORE_PLAY = ("draft", "published", "registration_open", "registration_closed")
_LATEST = "9999"  # behind every time of a state
_COLUMNS = 4  # of a way: more have no room in the picture


@dataclass(frozen=True, slots=True)
class Placed:
    """A match and where it belongs: its round, its station and its time, each "" or None where there is none."""

    m: MatchShown
    place: str
    station: str = ""
    planned: str | None = None
    called: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """Where the two of a match come from, and where its winner goes, one match after the other."""

    before: tuple[Placed, ...]
    match: Placed
    after: tuple[Placed, ...]


@dataclass(frozen=True, slots=True)
class CheckIn:
    """`phase`: "opens", "closes", "open" (without an end) or "starts", at `at`. `here` of `places` have checked in."""

    phase: str
    at: str | None
    here: int
    places: int


def shown_match(state: State, options: Options) -> Row | None:
    """Return the match that an overlay is about: the one that its address names, its station's, the one on stream."""
    if options.station and not options.match:
        return _at_station(state, options.station)
    wanted = options.match or state["tournament"].get("on_stream")
    found: Row | None = state["matches"].get(str(wanted))
    return found


def _at_station(state: State, station: int) -> Row | None:
    """Return what a station shows: what is played there, else who was called, else the last result, else what comes."""
    own: list[Row] = [row for row in state["matches"].values() if row["station"] == station]
    waiting = [row for row in own if row["state"] not in BEGUN | OVER]
    ranked = (
        ("started_at", [row for row in own if row["state"] in BEGUN]),
        ("called_at", [row for row in waiting if row["called_at"]]),
        ("completed_at", [row for row in own if row["state"] in OVER]),
    )
    for moment, rows in ranked:
        if rows:
            return max(rows, key=lambda row: (row[moment] or "", row["id"]))
    return min(waiting, key=lambda row: (row["scheduled_at"] or _LATEST, row["number"]), default=None)


def placed(state: State, row: Row, names: Names, known: Feeders | None = None) -> Placed:
    """Return a match with where it belongs."""
    shown = match_shown(state, row, known)
    station = state["stations"].get(str(row["station"]), {}).get("name", "")
    return Placed(shown, names.place(shown), station, row["scheduled_at"], row["called_at"] is not None)


def way(state: State, row: Row, names: Names) -> Way | None:
    """Return the way through the bracket that a match lies on, as far as there is room; None in a league."""
    if Format(state["stages"][str(row["stage"])]["format"]).is_league:
        return None
    known = feeders(state)
    own = {other["number"]: other for other in state["matches"].values() if other["stage"] == row["stage"]}
    came = [(side, other) for side in ("home", "away") if (other := _before(own, row, side)) is not None]
    ahead: list[Row] = []
    number = row["winner_to"]
    while number is not None and number in own and len(ahead) < _COLUMNS - 1 - bool(came):
        ahead.append(own[number])
        number = own[number]["winner_to"]
    here = [placed(state, other, names, known) for other in (*(other for _, other in came), row, *ahead)]
    return Way(tuple(here[: len(came)]), here[len(came)], tuple(here[len(came) + 1 :]))


def _before(own: Mapping[int, Row], row: Row, side: str) -> Row | None:
    for other in own.values():
        for to in ("winner_to", "loser_to"):
            if (other[to], other[f"{to}_side"]) == (row["number"], side):
                return other
    return None


def next_up(state: State, options: Options, names: Names) -> list[Placed]:
    """Return the matches that come next: those called first, then by time, then in the order of play."""
    on_stream = state["tournament"].get("on_stream")
    coming = [
        row
        for row in state["matches"].values()
        if row["state"] in ("scheduled", "check_in", "ready")
        and row["home"] is not None
        and row["away"] is not None
        and row["id"] != on_stream
        and options.station in (0, row["station"])
    ]
    order = {stage["id"]: stage["number"] for stage in state["stages"].values()}
    coming.sort(
        key=lambda row: (
            row["called_at"] or _LATEST,
            row["scheduled_at"] or _LATEST,
            order[row["stage"]],
            row["number"],
        )
    )
    return [placed(state, row, names) for row in coming[: options.rows]]


def results(state: State, options: Options, names: Names) -> list[Placed]:
    """Return the last results, the latest first."""
    wanted = {stage["id"] for stage in state["stages"].values() if options.stage in (0, stage["number"])}
    over = [
        row
        for row in state["matches"].values()
        if row["state"] in ("completed", "forfeit")
        and row["stage"] in wanted
        and row["home"] is not None
        and row["away"] is not None
    ]
    over.sort(key=lambda row: (row["completed_at"] or "", row["id"]), reverse=True)
    return [placed(state, row, names) for row in over[: options.rows]]


def standings(state: State, options: Options, names: Names) -> dict[str, Any]:
    """Return a league's name and tables, of one group or of all: the league that was drawn last, or the one named."""
    leagues = [stage for stage in stages.in_order(state) if Format(stage["format"]).is_league]
    wanted = [stage for stage in leagues if options.stage in (0, stage["number"]) and stage["state"] != "pending"]
    if not wanted:
        return {}
    stage = wanted[-1]
    tables: list[Table] = league_tables(stages.within(state, stage), stage, next_stage=stages.following(state, stage))
    if options.group:
        tables = tables[options.group - 1 : options.group]
    return {"stage_name": names.stage(stage["id"]), "tables": tables}


def check_in(state: State, now: datetime) -> CheckIn | None:
    """Return what there is to count down to before play begins."""
    t = state["tournament"]
    if t["status"] not in _BEFORE_PLAY:
        return None
    numbers = counts(state)
    opens, closes = t["check_in_opens_at"], t["check_in_closes_at"]
    if t["check_in"] and not t["check_in_closed"]:
        if opens and now < datetime.fromisoformat(opens):
            return CheckIn("opens", opens, numbers.checked_in, numbers.confirmed)
        if closes is None or now < datetime.fromisoformat(closes):
            return CheckIn("closes" if closes else "open", closes, numbers.checked_in, numbers.confirmed)
    if t["starts_at"] and now < datetime.fromisoformat(t["starts_at"]):
        return CheckIn("starts", t["starts_at"], numbers.confirmed, t["capacity"])
    return None


def ink_on(colour: str) -> str:
    """Return whether text on a colour (#rrggbb) is "light" or "dark": white where its contrast is 4.5 (WCAG 2.2)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]  # noqa: PLR2004 - sRGB
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "light" if 1.05 / (luminance + 0.05) >= 4.5 else "dark"  # noqa: PLR2004
