from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.models import User
from apps.errors import AppError
from apps.tournaments.management.results import WORLD_CUP, ResultsError, import_results, read_results
from apps.tournaments.services import Actor


class Command(BaseCommand):
    help = "Set a finished tournament up as one that is about to begin, ready for `replay`."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, default=WORLD_CUP, help="default: the World Cup of 2022")
        parser.add_argument("--organizer", required=True, help="user name of who will own the tournament")

    def handle(self, *args: Any, **options: Any) -> None:
        organizer = User.objects.filter(username=options["organizer"]).first()
        if organizer is None:
            message = f"Nobody has the user name {options['organizer']}. Sign up on the site first."
            raise CommandError(message)
        try:
            tournament = import_results(Actor(organizer), read_results(options["file"]))
        except (AppError, ResultsError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Tournament {tournament.pk} is ready: manage.py replay {tournament.pk}")
