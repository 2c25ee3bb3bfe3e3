"""The schedule as pages show it: what each station does, then everything in order of time."""

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from apps.tournaments.selectors.schedule import Slot, schedule_of
from apps.web.present.shown import Feeders, MatchShown, feeders, match_shown
from engine.match_flow import OVER
from engine.projection import State

SHIFTED_AFTER = 5  # minutes; a smaller difference between plan and expectation is not worth a word


@dataclass(frozen=True, slots=True)
class SlotShown:
    """
    A match with its place in the schedule. `station` is a name, or "".

    `expected` is when it begins as things stand, None when that is as planned; `late` is in minutes, 0 when it is not.
    """

    m: MatchShown
    station: str
    station_id: int | None
    planned: str | None
    expected: datetime | None
    late: int
    called: bool


@dataclass(frozen=True, slots=True)
class LaneShown:
    """What happens at one station; `name` is "" for matches without one. `next` is the one to prepare for."""

    name: str
    now: list[SlotShown]
    late: list[SlotShown]
    next: SlotShown | None
    more: int


@dataclass(frozen=True, slots=True)
class ScheduleShown:
    """`by_time`: what has not begun, in groups that begin together. `unplanned`: what has no time yet."""

    lanes: list[LaneShown]
    by_time: list[tuple[str, list[SlotShown]]]
    unplanned: list[SlotShown]
    ends_at: datetime | None

    @property
    def is_empty(self) -> bool:
        return not self.lanes and not self.by_time


def schedule_shown(state: State, now: datetime) -> ScheduleShown:
    """Return the schedule of a tournament's state as it stands at `now`."""
    known = feeders(state)
    found = schedule_of(state, now)
    shown = {slot.match["id"]: _slot(state, slot, known) for slot in found.slots}
    lanes = [
        LaneShown(
            name="" if lane.station is None else lane.station["name"],
            now=[shown[slot.match["id"]] for slot in lane.now],
            late=[shown[slot.match["id"]] for slot in lane.late],
            next=shown[lane.next[0].match["id"]] if lane.next else None,
            more=max(len(lane.next) - 1, 0),
        )
        for lane in found.lanes
    ]
    coming = [slot for slot in shown.values() if slot.planned and slot.m.state in _TO_COME]
    coming.sort(key=lambda slot: (slot.planned, slot.m.number))
    by_time = [(planned, list(slots)) for planned, slots in groupby(coming, key=lambda slot: slot.planned or "")]
    unplanned = [
        SlotShown(match_shown(state, row, known), _station(state, row["station"]), row["station"], None, None, 0, False)
        for row in state["matches"].values()
        if row["state"] not in OVER and row["id"] not in shown
    ]
    return ScheduleShown(lanes, by_time, unplanned, found.ends_at)


_TO_COME = ("scheduled", "check_in", "ready")


def _slot(state: State, slot: Slot, known: Feeders) -> SlotShown:
    row = slot.match
    planned = row["scheduled_at"]
    shift = 0.0 if planned is None else (slot.begins - datetime.fromisoformat(planned)).total_seconds() / 60
    return SlotShown(
        m=match_shown(state, row, known),
        station=_station(state, row["station"]),
        station_id=row["station"],
        planned=planned,
        expected=slot.begins if shift > SHIFTED_AFTER else None,
        late=slot.minutes_late if slot.is_late else 0,
        called=row["called_at"] is not None,
    )


def _station(state: State, station_id: int | None) -> str:
    return "" if station_id is None else str(state["stations"][str(station_id)]["name"])
