"""
What a match takes up: its entrants and, if it has one, its station, from its time on for as long as it lasts.

No two bookings of one entrant or station overlap; whatever would make them do is refused here, in the words of people.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import Q, QuerySet

from apps.errors import Conflict
from apps.moments import Moment
from apps.tournaments.models import Entry, Match, Station, Tournament
from apps.tournaments.selectors.schedule import DOUBLE_BOOKED, Timetable, clashes, moment_of, timetable
from apps.tournaments.services.unit import Unit
from apps.tournaments.state import match_fields
from engine.conflicts import Clash
from engine.conflicts import Conflict as ClashOfTwo
from engine.match_flow import OPEN, MatchState, Step, after
from engine.text import Listed, Text, ngettext
from engine.text import gettext as _

SENTENCES = 3  # of clashes that a refusal says in words

# What `book` may change in a match that nobody was asked to come to, and in one that somebody was.
PLACE = ("station", "scheduled_at", "called_at")
PLACE_AND_CHECK_IN = (*PLACE, "state", "deadline_at", "home_checked_in", "away_checked_in")


def open_matches(tournament: Tournament) -> list[Match]:
    """Return what is still to be played, in the order of play. One query."""
    return list(tournament.matches.filter(state__in=OPEN).order_by("stage__number", "number"))


def book(unit: Unit, match: Match, station_id: int | None, at: datetime | None) -> None:
    """Write a booking into a match that has not begun. Whoever was called, or here for an earlier time, comes again."""
    if at is not None and at != match.scheduled_at and at > unit.now:
        if match.state == MatchState.CHECK_IN:
            match.state = after(MatchState.CHECK_IN, Step.POSTPONE)
            match.deadline_at = None
        match.home_checked_in = match.away_checked_in = False
    match.station_id, match.scheduled_at, match.called_at = station_id, at, None


def station_is_free(match: Match) -> None:
    """
    Pass a match at whose station, if it has one, no other is being played or was called.

    Raises:
        Conflict: one is; `match_id` says which.
    """
    if match.station_id is None:
        return
    for other in others_about(match).filter(station=match.station_id).select_related("station"):
        values = {"station": other.station, "number": other.number}
        taken = (
            _("{station} is taken: match {number} is being played there. End it, or move one of the two.", **values)
            if other.state == MatchState.LIVE
            else _(
                "{station} is taken: match {number} has been called there. End it, or move one of the two.", **values
            )
        )
        raise Conflict(taken, match_id=other.pk)


def others_about(match: Match) -> QuerySet[Match]:
    """Return the other matches of the tournament that are being played, or whose entrants are on their way."""
    called = Q(called_at__isnull=False, state__in=(MatchState.CHECK_IN, MatchState.READY))
    found = Match.objects.filter(Q(state=MatchState.LIVE) | called, tournament=match.tournament_id)
    return found.exclude(pk=match.pk).order_by("pk")


def timetable_of(tournament: Tournament, matches: Iterable[Match], now: int | None) -> Timetable:
    """Return the bookings of these matches, as they stand unsaved. `now`: see selectors.schedule.timetable."""
    return timetable(map(match_fields, matches), match_minutes=tournament.match_minutes, now=now)


def refuse_clashes(
    tournament: Tournament,
    changed: Collection[Match],
    *,
    now: int | None = None,
    kinds: Collection[Clash] = DOUBLE_BOOKED,
) -> None:
    """
    Pass if the bookings of `changed`, as they stand unsaved, clash with none of the tournament.

    Raises:
        Conflict: they do. `data["conflicts"]` lists {"clash", "matches", "subject"}: ids of the two matches, and of the
            station or entrant.
    """
    rows = {match.pk: match for match in (*open_matches(tournament), *changed)}
    table = timetable_of(tournament, rows.values(), now)
    found = clashes(table, {match.pk for match in changed}, kinds)
    if not found:
        return
    sentences = [_sentence(clash, table, rows) for clash in found[:SENTENCES]]
    if len(found) > SENTENCES:
        sentences.append(ngettext("And {count} more.", "And {count} more.", len(found) - SENTENCES))
    data = [{"clash": c.clash.value, "matches": list(c.matches), "subject": c.subject} for c in found]
    raise Conflict(Listed(sentences, " "), conflicts=data)


def _sentence(clash: ClashOfTwo, table: Timetable, rows: dict[int, Match]) -> Text:
    first, last = clash.matches
    start = {booking.match: booking.start for booking in table.bookings}
    minutes = {fixture.match: fixture.minutes for fixture in table.fixtures}
    values = {
        "one": rows[first].number,
        "other": rows[last].number,
        "over": Moment(moment_of(start[first] + minutes[first])),
    }
    if clash.clash is Clash.FEEDER or clash.subject is None:
        return _("Match {other} waits for match {one}, which is over on {over} at the earliest.", **values)
    both = _(
        "match {one}, until {over}, and match {other}, from {begins}", begins=Moment(moment_of(start[last])), **values
    )
    if clash.clash is Clash.STATION:
        station = Station.objects.get(pk=clash.subject)
        return _("{station} would have two matches at once: {both}.", station=station, both=both)
    return _("{name} would play two matches at once: {both}.", name=Entry.objects.get(pk=clash.subject), both=both)
