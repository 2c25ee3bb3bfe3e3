"""Do what is due by the clock, once or for as long as this process lives."""

import signal
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand

from apps.tournaments.management.sweeper import Sweeper
from apps.tournaments.services.deadlines import sweep
from apps.tournaments.services.unit import present


class Command(BaseCommand):
    help = "Decide what has run out: check-ins, reports, offers. Processes that serve the site do so by themselves."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--forever", action="store_true", help="go on until this process is told to end")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["forever"]:
            done = sweep(present())
            self.stdout.write(f"{done} {'thing was' if done == 1 else 'things were'} due.")
            return
        sweeper = Sweeper()

        def stop(_number: int, _frame: FrameType | None) -> None:
            sweeper.stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        self.stdout.write("Sweeping (Ctrl+C stops it)")
        sweeper.run()
