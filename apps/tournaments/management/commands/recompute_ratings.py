from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from apps.tournaments.models import Rating, Tournament
from apps.tournaments.services import ratings


class Command(BaseCommand):
    help = "Compute ratings again from all results of rated tournaments, as after a change of the model."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("games", nargs="*", help="default: all")

    def handle(self, *args: Any, **options: Any) -> None:
        for game in options["games"] or _games():
            with transaction.atomic():
                count = ratings.recompute(game)
            self.stdout.write(f"{game}: {count} {'match' if count == 1 else 'matches'}")


def _games() -> list[str]:
    """Return the games that have ratings, or should."""
    rated = Tournament.objects.filter(rated=True).exclude(game="").values_list("game", flat=True)
    return sorted({*rated, *Rating.objects.values_list("game", flat=True)})
