import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.core.management.base import BaseCommand, CommandError

from apps.errors import AppError
from apps.tournaments.management.replay import Replay
from apps.tournaments.management.results import WORLD_CUP, ResultsError, read_results
from apps.tournaments.models import Member, Role, Tournament
from apps.tournaments.services import Actor


class Command(BaseCommand):
    help = "Play an imported tournament again, goal by goal. Goes on where an interrupted replay stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tournament", type=int)
        parser.add_argument("--file", type=Path, default=WORLD_CUP, help="default: the World Cup of 2022")
        parser.add_argument("--seconds", type=float, default=20, help="how long a match takes (20)")
        parser.add_argument("--pause", type=float, default=3, help="seconds between matches (3)")
        parser.add_argument(
            "--at-once", type=int, default=2, help="matches of a knockout round played side by side (2)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        tournament = Tournament.objects.filter(pk=options["tournament"]).first()
        if tournament is None:
            message = f"There is no tournament {options['tournament']}."
            raise CommandError(message)
        referee = Member.objects.filter(tournament=tournament).select_related("user").order_by("role").first()
        leads = referee is not None and referee.role >= Role.REFEREE
        actor = Actor((referee.user if referee and leads else tournament.created_by) or AnonymousUser())

        def sleep(seconds: float) -> bool:
            time.sleep(seconds)
            return False

        try:
            ended = Replay(
                actor,
                tournament,
                read_results(options["file"]),
                seconds=options["seconds"],
                pause=options["pause"],
                at_once=options["at_once"],
                sleep=sleep,
            ).run()
        except (AppError, ResultsError) as error:
            raise CommandError(str(error)) from error
        if not ended:
            message = f"{tournament} has no match that can be played; it is {tournament.status.replace('_', ' ')}."
            raise CommandError(message)
        champion = tournament.champion
        self.stdout.write(f"{champion.name if champion else 'Nobody'} is the champion.")
