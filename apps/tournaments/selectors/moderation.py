"""Reports and bans. Every function says how many queries it costs."""

from django.db.models import F, QuerySet

from apps.errors import NotFound
from apps.tournaments.models import Ban, Entry, Report, Tournament
from apps.tournaments.permissions import Person
from apps.tournaments.selectors.lists import tournament_for


def reports_in(tournament: Tournament) -> QuerySet[Report]:
    """Return a tournament's reports, open ones first, then the newest, with what they are about. One query."""
    found = tournament.reports.select_related("entry", "evidence__dispute", "resolved_by")
    return found.order_by(F("resolved_at").desc(nulls_first=True), "-pk")


def open_reports(tournament: Tournament) -> int:
    """Return how many reports wait for the staff. One query."""
    return tournament.reports.filter(resolved_at=None).count()


def bans_in(tournament: Tournament) -> QuerySet[Ban]:
    """Return who is banned, newest first. One query."""
    return tournament.bans.select_related("user", "created_by").order_by("-pk")


def entry_for(person: Person, entry_id: int) -> Entry:
    """
    Return an entry that a person may see. Up to three queries.

    Raises:
        NotFound: there is none, or not for this person; no difference can be seen.
    """
    message = "There is no such entry."
    entry = Entry.objects.filter(pk=entry_id).first()
    if entry is None:
        raise NotFound(message)
    try:
        tournament_for(person, entry.tournament_id)
    except NotFound:
        raise NotFound(message) from None
    return entry
