"""The courts, tables and setups of a tournament: add, rename, remove."""

from apps.errors import Conflict
from apps.tournaments.events import StationAdded, StationRemoved, StationRenamed
from apps.tournaments.models import Station, Tournament
from apps.tournaments.services.unit import Answer, Unit, command
from apps.tournaments.text import clean_line
from engine.match_flow import BEGUN, OVER
from engine.text import gettext as _

MAX_STATIONS = 200


@command("add_station")
def add(unit: Unit, /, tournament_id: int, *, name: str) -> Answer:
    """Add a place to play at, the last in order. Answers {"tournament_id", "station_id"}."""
    tournament = unit.lock(tournament_id)
    stations = list(tournament.stations.order_by("order"))
    if len(stations) >= MAX_STATIONS:
        message = _("A tournament has at most {most} stations.", most=MAX_STATIONS)
        raise Conflict(message, stations=len(stations))
    order = stations[-1].order + 1 if stations else 1
    station = Station(tournament=tournament, name=_checked(tournament, name), order=order)
    unit.emit(StationAdded(station=unit.save(station)))
    return {"tournament_id": tournament.pk, "station_id": station.pk}


@command("rename_station")
def rename(unit: Unit, /, station_id: int, *, name: str) -> Answer:
    """Give a station another name. Answers {"tournament_id", "station_id"}."""
    station = unit.lock_station(station_id)
    station.name = _checked(unit.tournament, name, besides=station)
    unit.emit(StationRenamed(station=unit.save(station)))
    return {"tournament_id": station.tournament_id, "station_id": station.pk}


@command("remove_station")
def remove(unit: Unit, /, station_id: int) -> Answer:
    """
    Take a station away. Matches that were planned there keep their times, and need another one.

    Answers {"tournament_id"}.
    """
    station = unit.lock_station(station_id)
    matches = [unit.watch(match) for match in unit.tournament.matches.filter(station=station).order_by("pk")]
    for match in matches:
        match.station = None
        if match.state not in BEGUN | OVER:
            match.called_at = None
    removed = StationRemoved(matches=unit.update(matches, "station", "called_at"), removed={"stations": [station.pk]})
    station.delete()
    unit.emit(removed)
    return {"tournament_id": unit.tournament.pk}


def _checked(tournament: Tournament, name: str, *, besides: Station | None = None) -> str:
    name = clean_line("name", name, at_most=40, required=True)
    others = tournament.stations.filter(name__iexact=name)
    if others.exclude(pk=besides.pk if besides else 0).exists():
        message = _("There is a station {name} already. Choose another name.", name=name)
        raise Conflict(message, field="name")
    return name
