from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.models import User
from apps.errors import AppError
from apps.tournaments.selectors.leaving import leaving
from apps.tournaments.services import erasure


class Command(BaseCommand):
    help = "Delete somebody's account for good, as they can themselves on /me/delete/."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["username"]
        user = User.objects.filter(username__iexact=name).first()
        if user is None:
            raise CommandError(f"Nobody has the user name {name}.")
        found = leaving(user)
        if found.led_alone:
            names = ", ".join(tournament.name for tournament in found.led_alone)
            raise CommandError(f"{user.username} is the only organiser of {names}. Make somebody else one there first.")
        for entry in found.withdrawn:
            self.stdout.write(f"{entry.name} is withdrawn from {entry.tournament.name}.")
        for team, heir in found.heirs:
            self.stdout.write(f"{team.name} goes to {heir.username}.")
        for team in found.ending:
            self.stdout.write(f"{team.name} ends.")
        if not options["yes"] and input(f"Type {user.username} to delete the account for good: ") != user.username:
            raise CommandError("Nothing was done.")
        try:
            erasure.erase(user)
        except AppError as error:
            raise CommandError(error.message) from error
        self.stdout.write("Done.")
