"""Make anew what the search finds: after an upgrade, for what was named while processes of both versions ran."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django.db.models import QuerySet

from apps.tournaments.models import Entry, Team, Tournament
from apps.tournaments.services import searching

BATCH = 500


class Command(BaseCommand):
    help = "Make the index of the search anew. The site goes on meanwhile."

    def handle(self, *args: Any, **options: Any) -> None:
        for rows in (Tournament.objects.all(), Team.objects.all(), Entry.objects.all()):
            self.stdout.write(f"{_index(rows)} {rows.model._meta.verbose_name_plural}")


def _index(rows: QuerySet[Any]) -> int:
    keys = list(rows.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(keys), BATCH):
        with transaction.atomic():
            searching.index(list(rows.select_for_update().filter(pk__in=keys[start : start + BATCH])))
    return len(keys)
