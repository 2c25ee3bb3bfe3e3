"""
What an event, or the clock, means for whom.

People are told of their own: the player, a team's captain, and of matches everybody in the roster. Nobody is told of
what they did themselves, nor of anything from before they asked for it.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db.models import F, Q
from django.utils.dateparse import parse_datetime

from apps.eventlog.log import Recorded, iso
from apps.notifications.models import Channel, Kind, Notice
from apps.tournaments.models import Entry, EntryStatus, Match
from apps.tournaments.models.tournament import BEFORE_PLAY
from engine.match_flow import MatchState

SOON = timedelta(minutes=10)
OF_USE = timedelta(hours=4)  # what could not be told by then is not told at all
_UP = (MatchState.READY, MatchState.CHECK_IN)
_FOR_THE_ROSTER = (Kind.MATCH, Kind.SOON)


@dataclass(frozen=True, slots=True)
class Telling:
    """Something to tell the people of an entry. `by` did it ("user:5"); `more`: see Notice."""

    kind: Kind
    occasion: str
    at: datetime
    expires_at: datetime
    entry: int
    match: int | None = None
    more: int = 0
    by: str = ""


def told_by(events: Sequence[Recorded]) -> list[Telling]:
    """Return what these events are to people. One query."""
    told = [(event, msgspec.json.decode(event.data)) for event in events]
    ids = {row["id"] for _, data in told for row in _matches_in(data)}
    matches = {match.pk: match for match in Match.objects.filter(pk__in=ids)}
    return [telling for event, data in told for telling in _TELLS[event.type](event, data, matches)]


def told_by_the_clock(now: datetime) -> list[Telling]:
    """Return what is so at this moment: matches that start soon, check-ins that opened lately. Two queries."""
    soon = Match.objects.filter(
        state__in=(MatchState.SCHEDULED, *_UP),
        scheduled_at__gt=now,
        scheduled_at__lte=now + SOON,
        home__isnull=False,
        away__isnull=False,
    )
    tellings = [
        Telling(
            Kind.SOON,
            f"soon:{match.pk}:{iso(at)}",
            at=at - SOON,
            expires_at=at,
            entry=entry,
            match=match.pk,
        )
        for match in soon
        if (at := match.scheduled_at) is not None
        for entry in (match.home_id, match.away_id)
        if entry is not None
    ]
    here = Q(status=EntryStatus.CONFIRMED) | Q(status=EntryStatus.WAITLISTED)
    opened = Entry.objects.filter(
        here,
        checked_in_at=None,
        created_at__lt=F("tournament__check_in_opens_at"),  # who came later saw that it was open
        tournament__check_in=True,
        tournament__check_in_closed=False,
        tournament__check_in_opens_at__lte=now,
        tournament__check_in_opens_at__gt=now - SOON,
        tournament__status__in=BEFORE_PLAY,
    )
    for entry in opened.select_related("tournament"):
        opens, closes = entry.tournament.check_in_opens_at, entry.tournament.check_in_closes_at
        if opens is not None:
            occasion = f"check_in:{entry.pk}:{iso(opens)}"
            expires = closes or opens + OF_USE
            tellings.append(Telling(Kind.CHECK_IN, occasion, at=opens, expires_at=expires, entry=entry.pk))
    return tellings


def notices(tellings: Collection[Telling], now: datetime) -> list[Notice]:
    """Return what to tell by which channels, unsaved. Two queries, none without tellings."""
    if not tellings:
        return []
    entries = {
        entry.pk: entry
        for entry in Entry.objects.filter(pk__in={telling.entry for telling in tellings}).only("user_id", "roster")
    }
    people = {pk for entry in entries.values() for pk in (entry.user_id, *_players(entry)) if pk}
    channels: dict[int, list[Channel]] = {}
    found = Channel.objects.filter(user__in=people, active=True, user__is_active=True)
    for channel in found.select_related("user__notification_preferences"):
        channels.setdefault(channel.user_id, []).append(channel)
    made: dict[tuple[int, str, int, datetime], Notice] = {}
    for telling in tellings:
        entry = entries.get(telling.entry)
        if entry is None or telling.expires_at <= now:
            continue
        for person in {entry.user_id, *(_players(entry) if telling.kind in _FOR_THE_ROSTER else ())}:
            if person is None or telling.by == f"user:{person}":
                continue
            for channel in channels.get(person, []):
                if _wants(channel, telling):
                    # A call that opens check-in is two events of one moment, and one thing to be told.
                    once = (channel.pk, telling.kind.value, telling.match or -telling.entry, telling.at)
                    made.setdefault(once, _notice(channel, telling, now))
    return list(made.values())


def _players(entry: Entry) -> tuple[int, ...]:
    return tuple(player["user"] for player in entry.roster)


def _wants(channel: Channel, telling: Telling) -> bool:
    preferences = getattr(channel.user, "notification_preferences", None)
    since = preferences.since(telling.kind) if preferences else None
    return since is not None and max(since, channel.since) <= telling.at


def _notice(channel: Channel, telling: Telling, now: datetime) -> Notice:
    return Notice(
        channel=channel,
        occasion=telling.occasion,
        kind=telling.kind,
        entry_id=telling.entry,
        match_id=telling.match,
        more=telling.more,
        created_at=now,
        expires_at=telling.expires_at,
        next_attempt_at=now,
    )


# What each event tells ------------------------------------------------------------------------------------------------

Data = Mapping[str, Any]
Matches = Mapping[int, Match]
Tells = Callable[[Recorded, Data, Matches], Iterator[Telling]]


def _matches_in(data: Data) -> list[Data]:
    return [*([data["match"]] if "match" in data else []), *data.get("matches", [])]


def _time_of(event: Recorded) -> datetime:
    at = parse_datetime(event.at)
    if at is None:
        raise ValueError(event.at)
    return at


def _telling(kind: Kind, event: Recorded, entry: int, **more: Any) -> Telling:
    at = _time_of(event)
    occasion = f"{event.stream}:{event.epoch}:{event.seq}"
    return Telling(kind, occasion, at=at, expires_at=at + OF_USE, entry=entry, by=event.actor, **more)


def _of_both(event: Recorded, data: Data, matches: Matches) -> Iterator[Telling]:
    match = matches.get(data["match"]["id"])
    for entry in (match.home_id, match.away_id) if match else ():
        if entry is not None and match:
            yield _telling(Kind.MATCH, event, entry, match=match.pk)


def _ready(event: Recorded, data: Data, matches: Matches) -> Iterator[Telling]:
    yield from (t for t in _of_both(event, data, matches) if not _is_later(matches[t.match or 0], t.at))


def _drawn(event: Recorded, data: Data, matches: Matches) -> Iterator[Telling]:
    """Tell each entrant of the first match that they can play, and of how many more there are."""
    mine: dict[int, list[Match]] = {}
    at = _time_of(event)
    for row in data["matches"]:
        match = matches.get(row["id"])
        if match is not None and match.state in _UP and not _is_later(match, at):
            for entry in (match.home_id, match.away_id):
                if entry is not None:
                    mine.setdefault(entry, []).append(match)
    for entry, found in mine.items():
        first = min(found, key=lambda match: (match.round, match.number))
        yield _telling(Kind.MATCH, event, entry, match=first.pk, more=len(found) - 1)


def _is_later(match: Match, at: datetime) -> bool:
    """Return whether a match is planned for so much later that its time is what people are told of."""
    planned = match.scheduled_at
    return planned is not None and match.state == MatchState.READY and planned - SOON > at


def _reported(event: Recorded, data: Data, matches: Matches) -> Iterator[Telling]:
    match = matches.get(data["match"]["id"])
    if match is not None and match.reported_by:
        other = match.away_id if match.reported_by == "home" else match.home_id
        if other is not None:
            yield _telling(Kind.RESULT, event, other, match=match.pk)


def _placed(event: Recorded, data: Data, _matches: Matches) -> Iterator[Telling]:
    yield _telling(Kind.PLACE, event, data["entry"]["id"])


_TELLS: dict[str, Tells] = {
    "bracket_generated": _drawn,
    "round_paired": _drawn,
    "match_ready": _ready,
    "match_reopened": _ready,
    "match_check_in_opened": _of_both,
    "match_called": _of_both,
    "result_reported": _reported,
    "registration_promoted": _placed,
    "registration_offered": _placed,
}
TYPES = tuple(_TELLS)
