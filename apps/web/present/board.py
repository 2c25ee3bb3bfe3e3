"""The organiser's board: every match in one queue, what needs a person first."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.tournaments.selectors.schedule import LATE_AFTER
from apps.web.present.names import Names
from apps.web.present.shown import MatchShown
from apps.words import gettext as _
from engine.match_flow import OVER
from engine.projection import State

_TO_START = ("check_in", "ready")


@dataclass(frozen=True, slots=True)
class Item:
    """
    A match on the board. `late`: minutes since it should have begun, 0 when it is not late.

    `station` is a name, or "". `may_call`: its entrants can be asked to come, and have not been.
    """

    m: MatchShown
    place: str
    station: str
    planned: str | None
    called: str | None
    late: int

    @property
    def may_call(self) -> bool:
        return self.m.state in _TO_START and self.called is None


@dataclass(frozen=True, slots=True)
class Queue:
    """Matches that ask for the same thing. `folded`: nobody has to do anything about them now."""

    key: str
    title: str
    items: list[Item]
    folded: bool = False


def queues(state: State, names: Names, matches: Iterable[MatchShown], now: datetime) -> list[Queue]:
    """Return the queues that are not empty, the worst first; in each, what has waited longest."""
    items = [_item(state, names, match, now) for match in matches]
    late = {item.m.id for item in items if item.late}
    found = [
        Queue("disputed", _("Disputed"), _where(items, "disputed")),
        Queue("confirm", _("To confirm"), _where(items, "pending_result")),
        Queue("late", _("Late"), [item for item in items if item.late]),
        Queue("now", _("Now"), _where(items, "live")),
        Queue("next", _("Next"), [item for item in _where(items, *_TO_START) if item.m.id not in late]),
        Queue("waiting", _("Waiting for entrants"), _where(items, "scheduled"), folded=True),
        Queue("over", _("Over"), _where(items, *OVER)[::-1], folded=True),
    ]
    for queue in found[:5]:
        queue.items.sort(key=_urgency)
    return [queue for queue in found if queue.items]


def _where(items: list[Item], *states: str) -> list[Item]:
    return [item for item in items if item.m.state in states]


def _urgency(item: Item) -> tuple[object, ...]:
    """Order by what was promised first: a deadline, a call, a time; then by number."""
    promised = item.m.deadline_at or item.called or item.planned
    return (-item.late, promised is None, promised or "", item.m.stage, item.m.number)


def _item(state: State, names: Names, match: MatchShown, now: datetime) -> Item:
    row = state["matches"][str(match.id)]
    station = state["stations"].get(str(row["station"]), {}).get("name", "")
    planned, called = row["scheduled_at"], row["called_at"]
    return Item(match, names.place(match), station, planned, called, _late(match, planned or called, now))


def _late(match: MatchShown, due: str | None, now: datetime) -> int:
    if due is None or match.state not in _TO_START:
        return 0
    behind = now - datetime.fromisoformat(due)
    return int(behind / timedelta(minutes=1)) if behind > timedelta(minutes=LATE_AFTER) else 0
