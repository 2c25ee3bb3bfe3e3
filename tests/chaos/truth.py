"""What the database says: how every room looks now, and everything that ever happened."""

import time
from typing import Any

import msgspec
from django.db import DatabaseError, connections

from apps.eventlog.models import Event, Stream
from apps.tournaments.models import Match, Member, Tournament
from apps.tournaments.selectors.snapshots import match_snapshot, tournament_snapshot
from tests.chaos.crowd import Watcher
from tests.chaos.judge import Cup, Happened
from tests.chaos.processes import START_SECONDS


class Truth:
    """What the database shows each room and audience now."""

    def __init__(self) -> None:
        self._states: dict[tuple[str, bool], Any] = {}
        self._staff: dict[int, frozenset[int]] = {}
        self._heads: dict[str, int] = {}

    def read(self) -> None:
        """Read where the log stands; if it has gone on, all is to be read anew."""
        heads = _patiently(lambda: dict(Stream.objects.values_list("name", "head")))
        if heads == self._heads:
            return
        states: dict[tuple[str, bool], Any] = {}
        for cup in Tournament.objects.values_list("pk", flat=True):
            self._staff[cup] = frozenset(Member.objects.filter(tournament=cup).values_list("user", flat=True))
            for audience in ("public", "staff"):
                shown = tournament_snapshot(cup, audience=audience).data
                states[f"tournament:{cup}", audience == "staff"] = shown
        for match in Match.objects.values_list("pk", flat=True):
            states[f"match:{match}", False] = states[f"match:{match}", True] = match_snapshot(match).data
        self._states, self._heads = states, heads

    def is_current(self, watcher: Watcher) -> bool:
        is_staff = watcher.user in self._staff[watcher.cup]
        room = watcher.room
        return room.status.kind == "live" and room.state == self._states[watcher.name, is_staff]


def read_log() -> tuple[dict[int, Cup], int]:
    """Return what happened in each tournament, and how many logs have not as many rows as they should."""
    cups, wrong = {}, 0
    for stream in _patiently(lambda: list(Stream.objects.filter(name__startswith="tournament:"))):
        rows = Event.objects.filter(stream=stream).order_by("seq")
        events = [
            Happened(row.seq, row.type, row.audience, row.subject, msgspec.json.decode(row.data), row.command_id)
            for row in rows
        ]
        wrong += [event.seq for event in events] != list(range(1, stream.head + 1))
        cups[int(stream.name.partition(":")[2])] = Cup(stream.epoch, events)
    return cups, wrong


def _patiently(ask: Any) -> Any:
    """Ask the database, whose old connections the faults have broken."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return ask()
        except DatabaseError:
            connections.close_all()
            if time.monotonic() > deadline:
                raise
