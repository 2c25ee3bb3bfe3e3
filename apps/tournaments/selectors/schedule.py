"""
Where and when matches are played, as rows of the state tell it: bookings, what clashes, how far play is behind.

Pure functions of plain data. The planner counts minutes; here they are those since 1970.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from engine.conflicts import Clash, Conflict, conflicts
from engine.forecast import forecast
from engine.match_flow import BEGUN, OVER, MatchState
from engine.projection import State
from engine.schedule import Assignment, Fixture

Row = Mapping[str, Any]

LATE_AFTER = 5  # minutes
OVERRUN = 5  # minutes that a match which has used up its time is expected to go on at least
DOUBLE_BOOKED = frozenset({Clash.STATION, Clash.ENTRANT})


@dataclass(frozen=True, slots=True)
class Timetable:
    """
    The matches that are not over, as the planner knows them.

    `bookings`: of those that have a time, and of those in play (`begun`) when they began. A match without a station has
    one of its own, its negative id.
    """

    fixtures: list[Fixture]
    bookings: list[Assignment]
    begun: frozenset[int]


@dataclass(frozen=True, slots=True)
class Slot:
    """A match in the schedule. `begins` and `ends` are as things stand; `minutes_late` is since when it was planned."""

    match: Row
    begins: datetime
    ends: datetime
    minutes_late: int

    @property
    def is_late(self) -> bool:
        return self.minutes_late > LATE_AFTER


@dataclass(slots=True)
class Lane:
    """What happens at one station, or, without one, at none: being played, late, and next; each in order of time."""

    station: Row | None
    now: list[Slot] = field(default_factory=list)
    late: list[Slot] = field(default_factory=list)
    next: list[Slot] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Schedule:
    """`slots`: all matches in play or with a time, in order of time. `ends_at`: when all of them are over."""

    lanes: list[Lane]
    slots: list[Slot]
    ends_at: datetime | None


def minute_of(at: datetime | str) -> int:
    """Return the minute in which a moment lies; a text is as states have it."""
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return int(moment.timestamp() // 60)


def moment_of(minute: int) -> datetime:
    """Return when a minute begins."""
    return datetime.fromtimestamp(minute * 60, UTC)


def timetable(rows: Iterable[Row], *, match_minutes: int, now: int | None = None) -> Timetable:
    """
    Return what there is to plan, and what is booked.

    Args:
        rows: of matches, of any stages of one tournament.
        match_minutes: how long a match of one game takes; a best of N takes N times that.
        now: with it, bookings are as things stand: what has not begun begins no earlier, what is in play goes on for
            some minutes more. Without it they are as they were written down.
    """
    still = [row for row in rows if row["state"] not in OVER]
    led_to_by: dict[tuple[int, int], list[int]] = defaultdict(list)
    for row in still:
        for to in (row["winner_to"], row["loser_to"]):
            if to is not None:
                led_to_by[row["stage"], to].append(row["id"])
    fixtures, bookings = [], []
    for row in still:
        start, minutes = _span(row, match_minutes, now)
        fixtures.append(
            Fixture(
                match=row["id"],
                minutes=minutes,
                entrants=tuple(row[side] for side in ("home", "away") if row[side] is not None),
                feeders=tuple(led_to_by[row["stage"], row["number"]]),
                round=row["round"],
            )
        )
        if start is not None:
            bookings.append(Assignment(row["id"], row["station"] or -row["id"], start))
    return Timetable(fixtures, bookings, frozenset(row["id"] for row in still if row["state"] in BEGUN))


def clashes(table: Timetable, matches: Collection[int], kinds: Collection[Clash] = DOUBLE_BOOKED) -> list[Conflict]:
    """Return the conflicts of these kinds that these matches are part of, in order of time."""
    found = conflicts(_led_to_by_booked(table), table.bookings)
    return [conflict for conflict in found if conflict.clash in kinds and not set(matches).isdisjoint(conflict.matches)]


def schedule_of(state: State, now: datetime) -> Schedule:
    """Return the schedule of a tournament's state, as it stands at `now`."""
    tournament, minute = state["tournament"], minute_of(now)
    rows = state["matches"]
    table = timetable(rows.values(), match_minutes=tournament["match_minutes"], now=minute)
    minutes = {fixture.match: fixture.minutes for fixture in table.fixtures}
    expected = forecast(table.fixtures, table.bookings, now=minute, rest=tournament["rest_minutes"], begun=table.begun)
    slots = []
    lanes = {row["id"]: Lane(row) for row in state["stations"].values()}
    for assignment in expected:
        row = rows[str(assignment.match)]
        late = 0 if row["state"] in BEGUN else max(minute - minute_of(row["scheduled_at"]), 0)
        end = assignment.start + minutes[assignment.match]
        slot = Slot(row, moment_of(assignment.start), moment_of(end), late)
        slots.append(slot)
        lane = lanes.setdefault(row["station"], Lane(None))
        if row["state"] == MatchState.LIVE:
            lane.now.append(slot)
        elif row["state"] not in BEGUN:
            (lane.late if slot.is_late else lane.next).append(slot)
    ends_at = max((slot.ends for slot in slots), default=None)
    return Schedule(list(lanes.values()), slots, ends_at)


def _span(row: Row, match_minutes: int, now: int | None) -> tuple[int | None, int]:
    """Return when a match begins, or began, and how long it takes; None when it has no time."""
    usual = match_minutes * row["best_of"]
    if row["state"] in BEGUN:
        start = minute_of(row["started_at"])
        if now is None:
            return start, usual
        until_soon = max(now - start, 0) + OVERRUN
        return start, max(usual, until_soon) if row["state"] == MatchState.LIVE else until_soon
    if row["scheduled_at"] is None:
        return None, usual
    start = minute_of(row["scheduled_at"])
    return (start if now is None else max(start, now)), usual


def _led_to_by_booked(table: Timetable) -> list[Fixture]:
    """Return the fixtures with, in place of each feeder that has no time, what leads to that one."""
    fixtures = {fixture.match: fixture for fixture in table.fixtures}
    booked = {booking.match for booking in table.bookings}
    known: dict[int, frozenset[int]] = {}

    def before(match: int) -> frozenset[int]:
        if match not in known:
            feeders = fixtures[match].feeders
            known[match] = frozenset().union(*({f} if f in booked else before(f) for f in feeders))
        return known[match]

    return [replace(fixture, feeders=tuple(before(fixture.match))) for fixture in table.fixtures]
