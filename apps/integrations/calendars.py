"""The matches that have a time, as a calendar: those of a tournament, and those of a person."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Max, Q, QuerySet
from django.urls import reverse

from apps.accounts.models import User
from apps.errors import NotFound
from apps.eventlog.models import Event
from apps.integrations import ical
from apps.integrations.models import CalendarFeed
from apps.tournaments.models import Match, Status, Tournament
from apps.tournaments.permissions import Person
from apps.tournaments.selectors import lists
from apps.words import gettext
from engine.match_flow import MatchState
from engine.text import gettext as _

MATCH_MINUTES = 30  # of each game of a match
MOST = 2000  # matches of one calendar
_BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Feed:
    """A calendar, and when something last happened in what it tells of."""

    body: bytes
    changed_at: datetime

    @property
    def etag(self) -> str:
        return f'"{sha256(self.body).hexdigest()[:32]}"'


def of_tournament(person: Person, tournament_id: int) -> Feed:
    """Return a tournament's calendar. Up to four queries. Raises NotFound: none, or a draft of somebody else's."""
    tournament, _ = lists.tournament_for(person, tournament_id)
    matches = tournament.matches.select_related("tournament", "home", "away", "station")
    return _feed(tournament.name, matches, [tournament])


def of_token(token: str) -> Feed:
    """
    Return a person's calendar: their matches in all tournaments that are not drafts. Three queries.

    Raises:
        NotFound: nobody has a calendar with this token (any more).
    """
    feed = CalendarFeed.objects.select_related("user").filter(digest=_digest(token), user__is_active=True).first()
    if feed is None:
        message = _("There is no such calendar.")
        raise NotFound(message)
    user = feed.user
    mine = Match.objects.filter(Q(home__user=user) | Q(away__user=user)).exclude(tournament__status=Status.DRAFT)
    matches = mine.select_related("tournament", "home", "away", "station")
    return _feed(gettext("Matches of {name}", name=user.username), matches)


def new_token(user: User) -> str:
    """Give a person a new secret address for their calendar; the one before ends."""
    token = secrets.token_urlsafe(32)
    CalendarFeed.objects.update_or_create(user=user, defaults={"digest": _digest(token)})
    return token


def path_of(token: str) -> str:
    """Return the secret address, below the site's."""
    return f"{reverse('my-calendar')}?token={token}"


def end(user: User) -> None:
    """Let nobody read a person's calendar any more."""
    CalendarFeed.objects.filter(user=user).delete()


def has_feed(user: User) -> bool:
    return CalendarFeed.objects.filter(user=user).exists()


def _feed(name: str, found: QuerySet[Match], tournaments: Iterable[Tournament] = ()) -> Feed:
    matches = list(found.filter(scheduled_at__isnull=False).order_by("scheduled_at", "pk")[:MOST])
    streams = {tournament.stream for tournament in tournaments} | {match.tournament.stream for match in matches}
    newest = Event.objects.filter(stream__name__in=streams).aggregate(at=Max("at"))["at"]
    changed_at = (newest or _BEGINNING).replace(microsecond=0)
    return Feed(ical.calendar(name, map(_item, matches), stamp=changed_at), changed_at)


def _item(match: Match) -> ical.Item:
    begins = match.scheduled_at or _BEGINNING
    site = urlsplit(settings.SITE_URL).hostname or "deltacrown"
    names = " – ".join(gettext("to be decided") if entry is None else entry.name for entry in (match.home, match.away))
    return ical.Item(
        uid=f"match-{match.pk}@{site}",
        sequence=match.version,
        summary=f"{names} · {match.tournament.name}",
        begins=begins,
        ends=begins + timedelta(minutes=MATCH_MINUTES * match.best_of),
        status=_status(match),
        location=match.station.name if match.station else "",
        url=f"{settings.SITE_URL}{reverse('match', args=[match.pk])}" if settings.SITE_URL else "",
    )


def _status(match: Match) -> ical.Status:
    if match.state == MatchState.CANCELLED or match.tournament.status == Status.CANCELLED:
        return "CANCELLED"
    return "CONFIRMED" if match.home_id and match.away_id else "TENTATIVE"


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
