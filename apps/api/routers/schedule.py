"""Where and when: stations, the plan of all matches, the time of one, calls and deadlines."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from msgspec import UNSET
from ninja import Router

from apps.api import schemas
from apps.api.auth import ANYBODY, person
from apps.api.params import IdempotencyKey, MatchId, StationId, TournamentId, actor
from apps.eventlog.log import PUBLIC, iso
from apps.tournaments.models import Match, Station
from apps.tournaments.selectors import lists
from apps.tournaments.selectors.schedule import Lane, Slot, schedule_of
from apps.tournaments.selectors.snapshots import tournament_snapshot
from apps.tournaments.services import Done, deadlines, schedule, stations
from apps.tournaments.state import match_fields, station_fields

router = Router(tags=["schedule"])
Answer = dict[str, Any]

AS_IT_IS = schemas.Plan()
ANY_VERSION = schemas.OnMatch()


@router.get(
    "/tournaments/{row:tournament_id}/schedule",
    auth=ANYBODY,
    response=schemas.Schedule,
    operation_id="getSchedule",
    summary="What is played where, what is late, what is next, and when all of it will be over",
)
def get(request: HttpRequest, tournament_id: TournamentId) -> Answer:
    lists.tournament_for(person(request), tournament_id)
    return _schedule(tournament_id)


@router.post(
    "/tournaments/{row:tournament_id}/schedule",
    response=schemas.ScheduleAnswer,
    operation_id="planSchedule",
    summary="Give every match that has not begun a station and a time",
    description=(
        "As an organiser. Matches in play stay, and so do those whose entrants were called. To be repeated whenever "
        "play runs away from the plan."
    ),
)
def plan(
    request: HttpRequest, tournament_id: TournamentId, body: schemas.Plan = AS_IT_IS, key: IdempotencyKey = None
) -> Answer:
    done = schedule.plan(actor(request, key), tournament_id, **body.model_dump(exclude_unset=True))
    return {**_schedule(tournament_id), "seq": done.seq}


@router.get(
    "/tournaments/{row:tournament_id}/stations",
    auth=ANYBODY,
    response=schemas.StationList,
    operation_id="listStations",
    summary="The places to play at",
)
def list_stations(request: HttpRequest, tournament_id: TournamentId) -> Answer:
    tournament, _ = lists.tournament_for(person(request), tournament_id)
    found = [station_fields(station) for station in tournament.stations.order_by("order", "pk")]
    return {"items": found, "count": len(found)}


@router.post(
    "/tournaments/{row:tournament_id}/stations",
    response={201: schemas.StationAnswer},
    operation_id="addStation",
    summary="Add a place to play at",
    description="As an organiser.",
)
def add_station(
    request: HttpRequest, tournament_id: TournamentId, body: schemas.NewStation, key: IdempotencyKey = None
) -> Answer:
    return _station(stations.add(actor(request, key), tournament_id, name=body.name))


@router.patch(
    "/stations/{row:station_id}",
    response=schemas.StationAnswer,
    operation_id="renameStation",
    summary="Give a station another name",
    description="As an organiser.",
)
def rename_station(
    request: HttpRequest, station_id: StationId, body: schemas.NewStation, key: IdempotencyKey = None
) -> Answer:
    return _station(stations.rename(actor(request, key), station_id, name=body.name))


@router.delete(
    "/stations/{row:station_id}",
    response=schemas.StationRemoved,
    operation_id="removeStation",
    summary="Take a station away",
    description="As an organiser. Matches that were planned there keep their times, and need another station.",
)
def remove_station(request: HttpRequest, station_id: StationId, key: IdempotencyKey = None) -> Answer:
    return {"seq": stations.remove(actor(request, key), station_id).seq, "station_id": station_id}


@router.patch(
    "/matches/{row:match_id}/schedule",
    response=schemas.MatchAnswer,
    operation_id="scheduleMatch",
    summary="Give a match another station or time",
    description=(
        "As a referee. What would book a station or an entrant twice, or let somebody play before they can be there, "
        "is a `conflict`; `data.conflicts` says with which matches."
    ),
)
def schedule_match(
    request: HttpRequest, match_id: MatchId, body: schemas.Booking, key: IdempotencyKey = None
) -> Answer:
    given = body.model_fields_set
    done = schedule.schedule(
        actor(request, key),
        match_id,
        station_id=body.station if "station" in given else UNSET,
        scheduled_at=body.scheduled_at if "scheduled_at" in given else UNSET,
        expected_version=body.expected_version,
    )
    return _match(done)


@router.post(
    "/matches/{row:match_id}/call",
    response=schemas.MatchAnswer,
    operation_id="callMatch",
    summary="Ask the entrants of a match to come and play",
    description="As a referee. Where the tournament checks in to matches, check-in opens.",
)
def call(
    request: HttpRequest, match_id: MatchId, body: schemas.OnMatch = ANY_VERSION, key: IdempotencyKey = None
) -> Answer:
    return _match(schedule.call(actor(request, key), match_id, expected_version=body.expected_version))


@router.patch(
    "/matches/{row:match_id}/deadline",
    response=schemas.MatchAnswer,
    operation_id="extendDeadline",
    summary="Give both sides more time to check in, or to answer a report",
    description="As a referee.",
)
def extend_deadline(
    request: HttpRequest, match_id: MatchId, body: schemas.Deadline, key: IdempotencyKey = None
) -> Answer:
    version = body.expected_version
    return _match(deadlines.extend(actor(request, key), match_id, minutes=body.minutes, expected_version=version))


def _schedule(tournament_id: int) -> Answer:
    state = tournament_snapshot(tournament_id, audience=PUBLIC).data
    found = schedule_of(state, timezone.now())
    return {
        "stations": list(state["stations"].values()),
        "boards": [_board(lane) for lane in found.lanes],
        "plan": [_slot(slot) for slot in found.slots],
        "expected_end": None if found.ends_at is None else iso(found.ends_at),
        "match_minutes": state["tournament"]["match_minutes"],
        "rest_minutes": state["tournament"]["rest_minutes"],
    }


def _board(lane: Lane) -> Answer:
    lists_ = {name: [slot.match["id"] for slot in getattr(lane, name)] for name in ("now", "late", "next")}
    return {"station": lane.station and lane.station["id"], **lists_}


def _slot(slot: Slot) -> Answer:
    row = slot.match
    return {
        "match": row["id"],
        **{name: row[name] for name in ("number", "state", "station", "scheduled_at", "called_at")},
        "expected_at": iso(slot.begins),
        "expected_end": iso(slot.ends),
        "minutes_late": slot.minutes_late,
    }


def _station(done: Done) -> Answer:
    return {"seq": done.seq, "station": station_fields(Station.objects.get(pk=done.ids["station_id"]))}


def _match(done: Done) -> Answer:
    return {"seq": done.seq, "match": match_fields(Match.objects.get(pk=done.ids["match_id"]))}
