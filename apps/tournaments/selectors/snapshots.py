"""
The state of a room, read from the rows in one consistent moment, with the position of the log at that moment.

`fold(events up to s) == snapshot at s`, and `snapshot(a) + events(a, b] == snapshot(b)`.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import Subquery

from apps.errors import NotFound
from apps.eventlog import log
from apps.eventlog.log import STAFF, Position
from apps.eventlog.models import Stream
from apps.tournaments.models import Match, StageEntry, Tournament, stream_name
from apps.tournaments.state import (
    entry_fields,
    match_fields,
    member_fields,
    stage_entry_fields,
    stage_fields,
    station_fields,
    tournament_fields,
)
from engine.projection import State, empty
from engine.text import gettext as _


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole state of a room for one audience, as of `position`."""

    position: Position
    data: State


def tournament_snapshot(tournament_id: int, *, audience: str) -> Snapshot:
    """
    Return a tournament's state.

    Raises:
        NotFound: no such tournament. Whether the person may see it is the caller's question.

    Cost: six queries (seven for the staff), whatever the number of entrants.
    """
    stream = Stream.objects.filter(name=stream_name(tournament_id))
    with log.consistent_read():
        found = Tournament.objects.filter(pk=tournament_id)
        tournament = found.annotate(
            epoch=Subquery(stream.values("epoch")), head=Subquery(stream.values("head"))
        ).first()
        if tournament is None or tournament.head is None:
            message = _("There is no such tournament.")
            raise NotFound(message)
        position = Position(tournament.epoch, tournament.head)
        state = empty()
        state["tournament"] = tournament_fields(tournament)
        state["stages"] = _by_id(map(stage_fields, tournament.stages.order_by("number")))
        state["entries"] = _by_id(map(entry_fields, tournament.entries.order_by("pk")))
        entrants = StageEntry.objects.filter(stage__tournament=tournament).order_by("stage", "seed")
        state["stage_entries"] = _by_id(map(stage_entry_fields, entrants))
        state["matches"] = _by_id(map(match_fields, tournament.matches.order_by("stage", "number")))
        state["stations"] = _by_id(map(station_fields, tournament.stations.order_by("order", "pk")))
        if audience == STAFF:
            state["staff"] = _by_id(map(member_fields, tournament.members.select_related("user").order_by("pk")))
    return Snapshot(position, state)


def match_snapshot(match_id: int) -> Snapshot:
    """
    Return one match with its entrants, its tournament and the stages; the same for every audience.

    Raises:
        NotFound: no such match.
    """
    with log.consistent_read():
        match = Match.objects.select_related("tournament", "home", "away").filter(pk=match_id).first()
        if match is None:
            message = _("There is no such match.")
            raise NotFound(message)
        name = stream_name(match.tournament_id)
        position = log.positions([name])[name]
        state = empty()
        state["tournament"] = tournament_fields(match.tournament)
        state["stages"] = _by_id(map(stage_fields, match.tournament.stages.order_by("number")))
        state["matches"] = _by_id([match_fields(match)])
        entrants = sorted((e for e in (match.home, match.away) if e is not None), key=lambda e: e.pk)
        state["entries"] = _by_id({"id": e.pk, "name": e.name, "seed": e.seed} for e in entrants)
    return Snapshot(position, state)


def _by_id(rows: Any) -> dict[str, Any]:
    return {str(row["id"]): row for row in rows}
