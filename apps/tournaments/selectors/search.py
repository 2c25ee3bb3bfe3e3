"""
Finding tournaments, teams and entrants by how the words of their names begin.

Every word that is asked for has to begin one of the words of what is found; capitals and accents make no difference.
"""

from collections.abc import Collection
from typing import TypeVar

from django.db import connection, models
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from apps.tournaments.models import Entry, EntryStatus, SearchWord, Status, Team, Tournament
from apps.tournaments.models.search import MAX_WORD
from apps.tournaments.permissions import Person
from apps.tournaments.selectors.lists import uncounted_tournaments, visible_tournaments
from apps.tournaments.selectors.teams import all_teams
from apps.tournaments.text import words_of

Row = TypeVar("Row", bound=models.Model)

MAX_WORDS = 6
_LAST = "\U0010ffff"

# When a tournament is, as people filter by it.
WHEN: dict[str, tuple[Status, ...]] = {
    "live": (Status.LIVE,),
    "upcoming": (Status.REGISTRATION_OPEN, Status.REGISTRATION_CLOSED, Status.PUBLISHED),
    "finished": (Status.COMPLETED, Status.CANCELLED),
}


def asked(query: str) -> list[str]:
    """Return the words that a query asks for; none when there is nothing to look for in it."""
    words = dict.fromkeys(word[:MAX_WORD] for part in query.split() for word in words_of(part)[:1])
    return list(words)[:MAX_WORDS]


def tournaments(person: Person, words: Collection[str], within: slice, *, when: str = "") -> list[Tournament]:
    """
    Return the tournaments that a person may see: those in play first, then those to come, then what is over.

    `when`: one of WHEN, "" for all. Two queries.
    """
    rank = Case(
        *(When(status__in=statuses, then=Value(number)) for number, statuses in enumerate(WHEN.values())),
        default=Value(len(WHEN)),
        output_field=IntegerField(),
    )
    found = _named(uncounted_tournaments(person, statuses=WHEN.get(when, ())), words, "tournament")
    keys = list(found.order_by(rank, "-pk").values_list("pk", flat=True)[within])
    rows = {row.pk: row for row in visible_tournaments(person).filter(pk__in=keys)}
    return [rows[key] for key in keys if key in rows]


def teams(words: Collection[str], within: slice) -> list[Team]:
    """Return the teams by name, as `all_teams` does. One query."""
    return list(_named(all_teams(), words, "team")[within])


def entrants(words: Collection[str], within: slice, *, when: str = "") -> list[Entry]:
    """
    Return who plays or has played in tournaments that everybody can see, the latest first, with the tournaments.

    One query.
    """
    return list(entrants_found(words, when=when)[within])


def entrants_found(words: Collection[str], *, when: str = "") -> QuerySet[Entry]:
    played = Q(status=EntryStatus.CONFIRMED) | Q(status=EntryStatus.DISQUALIFIED)
    found = Entry.objects.filter(played).exclude(tournament__status=Status.DRAFT).select_related("tournament")
    if when in WHEN:
        found = found.filter(tournament__status__in=WHEN[when])
    return _named(found, words, "entry").order_by("-tournament", "name", "pk")


def _named(found: QuerySet[Row], words: Collection[str], kind: str) -> QuerySet[Row]:
    for word in words:
        rows = SearchWord.objects.filter(_begins(word), **{f"{kind}__isnull": False})
        found = found.filter(pk__in=rows.values(kind))
    return found


def _begins(word: str) -> Q:
    """Select words by their beginning so that the index is used: as a range where LIKE would not use it."""
    if connection.vendor == "sqlite":
        return Q(word__gte=word, word__lt=word + _LAST)
    return Q(word__startswith=word)
