"""Entries as the clock and single pages look for them."""

from datetime import datetime

from apps.tournaments.models import Entry, EntryStatus
from apps.tournaments.models.tournament import BEFORE_PLAY


def overdue_offers(now: datetime) -> list[int]:
    """Return the ids of the tournaments in which a place that was held has not been claimed in time. One query."""
    late = Entry.objects.filter(status=EntryStatus.OFFERED, claim_by__lte=now)
    return sorted(set(late.filter(tournament__status__in=BEFORE_PLAY).values_list("tournament", flat=True)))
