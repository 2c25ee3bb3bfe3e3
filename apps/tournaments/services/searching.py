"""Keeping what the search finds: each thing under the words of its names, in the transaction that names it."""

from collections.abc import Iterable, Sequence

from apps.tournaments.models import Entry, Team, Tournament
from apps.tournaments.models.search import MAX_WORD, SearchWord
from apps.tournaments.text import words_of

Found = Tournament | Team | Entry

# What of a row is searched for, as its fields are called in the state.
NAMING = frozenset({"name", "game", "roster"})
_BATCH = 500


def index(rows: Sequence[Found]) -> None:
    """Find these rows, all of one kind, under their present names from now on. Two statements for each 500 words."""
    if not rows:
        return
    kind = type(rows[0])._meta.model_name or ""
    SearchWord.objects.filter(**{f"{kind}__in": [row.pk for row in rows]}).delete()
    words = [
        SearchWord(word=word[:MAX_WORD], **{f"{kind}_id": row.pk})
        for row in {row.pk: row for row in rows}.values()
        for word in words_of(" ".join(names_of(row)))
    ]
    SearchWord.objects.bulk_create(words, batch_size=_BATCH)


def names_of(row: Found) -> Iterable[str]:
    """Return the texts that a row is found by."""
    match row:
        case Tournament():
            return row.name, row.game
        case Team():
            return () if row.disbanded_at else (row.name, row.tag)
        case Entry():
            return row.name, *(player["name"] for player in row.roster)
