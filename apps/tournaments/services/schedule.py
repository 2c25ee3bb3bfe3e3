"""Where and when: the plan of all matches, one match by hand, and calling entrants to play."""

from datetime import datetime

from msgspec import UNSET, UnsetType

from apps.errors import BadRequest, Conflict
from apps.moments import Moment
from apps.tournaments.events import MatchCalled, MatchScheduled, SchedulePlanned, TournamentUpdated
from apps.tournaments.labels import words
from apps.tournaments.models import Match, Status
from apps.tournaments.selectors.schedule import DOUBLE_BOOKED, Timetable, clashes, minute_of, moment_of
from apps.tournaments.services.bookings import (
    PLACE,
    PLACE_AND_CHECK_IN,
    book,
    open_matches,
    others_about,
    refuse_clashes,
    station_is_free,
    timetable_of,
)
from apps.tournaments.services.progress import ask_for_check_in
from apps.tournaments.services.unit import Answer, Unit, command
from apps.tournaments.text import clean_moment
from engine.conflicts import Clash
from engine.match_flow import BEGUN, MatchState, possible
from engine.schedule import Assignment, Station, plan_schedule
from engine.text import gettext as _

MAX_MINUTES = 24 * 60

_CAN_BE_CALLED = (MatchState.CHECK_IN, MatchState.READY)


@command("plan_schedule")
def plan(
    unit: Unit,
    /,
    tournament_id: int,
    *,
    starts_at: datetime | None = None,
    match_minutes: int | None = None,
    rest_minutes: int | None = None,
) -> Answer:
    """
    Give every match that has not begun a station and a time, not before `starts_at`, nor before now.

    Matches in play stay, and so do those whose entrants have been called or asked to check in, where they can.
    `match_minutes` is how long a match of one game takes (a best of N takes N times that), `rest_minutes` what entrants
    have between two; what is not given stays as it is. To be repeated whenever play runs away from the plan.

    Answers {"tournament_id"}.

    Raises:
        BadRequest: there is no station.
        Conflict: there is nothing to plan.
    """
    tournament = unit.lock(tournament_id)
    matches = {match.pk: match for match in open_matches(tournament)}
    if tournament.status in (Status.COMPLETED, Status.CANCELLED):
        message = _("The tournament is {status}; nothing is left to plan.", status=words(tournament.status))
        raise Conflict(message, status=tournament.status)
    if not matches:
        message = _("There is no match to plan. Draw the bracket, or the next round, first.")
        raise Conflict(message, status=tournament.status)
    _set_lengths(unit, match_minutes, rest_minutes)
    begin = unit.now if starts_at is None else max(clean_moment("starts_at", starts_at), unit.now)
    table = timetable_of(tournament, matches.values(), minute_of(unit.now))
    fixed = _fixed(table, matches)
    planned = plan_schedule(
        table.fixtures,
        [Station(station.pk) for station in tournament.stations.order_by("order", "pk")],
        start=-(-int(begin.timestamp()) // 60),
        rest=tournament.rest_minutes,
        fixed=fixed,
    )
    stay = {booking.match for booking in fixed}
    moved: list[Match] = []
    asked_again: list[Match] = []
    for booking in planned:
        match, at = matches[booking.match], moment_of(booking.start)
        if booking.match in stay or (match.station_id, match.scheduled_at) == (booking.station, at):
            continue
        was_asked = match.state == MatchState.CHECK_IN or match.home_checked_in or match.away_checked_in
        (asked_again if was_asked else moved).append(unit.watch(match))
        book(unit, match, booking.station, at)
    if moved or asked_again:
        changes = [*unit.update(moved, *PLACE), *unit.update(asked_again, *PLACE_AND_CHECK_IN)]
        unit.emit(SchedulePlanned(matches=changes))
    return {"tournament_id": tournament.pk}


@command("schedule_match")
def schedule(
    unit: Unit,
    /,
    match_id: int,
    *,
    station_id: int | None | UnsetType = UNSET,
    scheduled_at: datetime | None | UnsetType = UNSET,
    expected_version: int | None = None,
) -> Answer:
    """
    Give a match another station, another time (in whole minutes), or none; what is not given stays.

    Of a match in play only the station can change. Answers {"match_id"}.

    Raises:
        BadRequest: no such station here, or the time has passed.
        Conflict: a station or an entrant would be booked twice, or somebody would play before they could be there.
    """
    match = unit.lock_match(match_id, expected_version=expected_version)
    _still_to_be_played(unit, match)
    station = match.station_id if isinstance(station_id, UnsetType) else station_id
    if station is not None and not unit.tournament.stations.filter(pk=station).exists():
        message = _("This tournament has no such station.")
        raise BadRequest(message, field="station")
    at = match.scheduled_at
    if isinstance(scheduled_at, datetime):
        at = clean_moment("scheduled_at", scheduled_at).replace(second=0)
    elif scheduled_at is None:
        at = None
    if (station, at) == (match.station_id, match.scheduled_at):
        return {"match_id": match.pk}
    if at != match.scheduled_at:
        _time_can_be(unit, match, at)
    if match.state in BEGUN:
        match.station_id = station
    else:
        book(unit, match, station, at)
    refuse_clashes(unit.tournament, [match], now=minute_of(unit.now), kinds={*DOUBLE_BOOKED, Clash.FEEDER})
    unit.emit(MatchScheduled(match=unit.save(match)))
    return {"match_id": match.pk}


@command("call_match")
def call(unit: Unit, /, match_id: int, *, expected_version: int | None = None) -> Answer:
    """
    Ask the entrants to come and play. Where the tournament checks in to matches, check-in opens. Answers {"match_id"}.

    Raises:
        Conflict: an entrant is still to come, the station is taken, or one of the two is playing or called elsewhere.
    """
    match = unit.lock_match(match_id, expected_version=expected_version)
    _still_to_be_played(unit, match)
    if match.state not in _CAN_BE_CALLED:
        message = _("The match has begun.")
        if match.state == MatchState.SCHEDULED:
            message = _("An entrant of this match is still to come; it can be called when both are known.")
        raise Conflict(message, state=match.state, possible=list(possible(MatchState(match.state))))
    _nobody_is_busy(match)
    match.called_at = unit.now
    unit.emit(MatchCalled(match=unit.save(match)))
    all_here = match.home_checked_in and match.away_checked_in
    if unit.tournament.match_check_in_minutes and match.state == MatchState.READY and not all_here:
        ask_for_check_in(unit, match)
    return {"match_id": match.pk}


def _set_lengths(unit: Unit, match_minutes: int | None, rest_minutes: int | None) -> None:
    tournament = unit.tournament
    before = (tournament.match_minutes, tournament.rest_minutes)
    for field, value, least in (("match_minutes", match_minutes, 1), ("rest_minutes", rest_minutes, 0)):
        if value is None:
            continue
        if not least <= value <= MAX_MINUTES:
            message = _("{field} is a whole number from {least} to {most}.", field=field, least=least, most=MAX_MINUTES)
            raise BadRequest(message, field=field)
        setattr(tournament, field, value)
    if (tournament.match_minutes, tournament.rest_minutes) != before:
        unit.emit(TournamentUpdated(tournament=unit.save(tournament)))


def _fixed(table: Timetable, matches: dict[int, Match]) -> list[Assignment]:
    """Return the bookings that a plan leaves alone: what is in play, and where entrants are on their way to."""
    fixed = [booking for booking in table.bookings if booking.match in table.begun]
    fixtures = {fixture.match: fixture for fixture in table.fixtures}
    for booking in sorted(table.bookings, key=lambda booking: booking.start):
        match = matches[booking.match]
        asked = match.called_at is not None or match.state == MatchState.CHECK_IN
        if booking.match in table.begun or not asked or match.station_id is None:
            continue
        together = [*fixed, booking]
        alone = Timetable([fixtures[one.match] for one in together], together, table.begun)
        if not clashes(alone, {booking.match}):
            fixed.append(booking)
    return fixed


def _still_to_be_played(unit: Unit, match: Match) -> None:
    if unit.tournament.status == Status.CANCELLED:
        message = _("The tournament was cancelled; its matches stay as they are.")
        raise Conflict(message, status=Status.CANCELLED, possible=[])
    if match.is_over:
        message = _("The match is over.")
        raise Conflict(message, state=match.state, possible=list(possible(MatchState(match.state))))


def _time_can_be(unit: Unit, match: Match, at: datetime | None) -> None:
    if match.state in BEGUN:
        message = _("The match has begun; only its station can change.")
        raise Conflict(message, state=match.state, possible=list(possible(MatchState(match.state))))
    if at is not None and minute_of(at) < minute_of(unit.now):
        message = _("{at} has passed. Choose a later time.", at=Moment(at))
        raise BadRequest(message, field="scheduled_at")


def _nobody_is_busy(match: Match) -> None:
    station_is_free(match)
    for other in others_about(match).select_related("home", "away"):
        live = other.state == MatchState.LIVE
        for entry in (other.home, other.away):
            if entry is not None and entry.pk in (match.home_id, match.away_id):
                busy = (
                    _("{name} is busy: match {number} is being played.", name=entry.name, number=other.number)
                    if live
                    else _("{name} is busy: match {number} has been called.", name=entry.name, number=other.number)
                )
                raise Conflict(busy, match_id=other.pk)
