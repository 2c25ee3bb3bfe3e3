"""Everything on one machine, in one process: database, site, rooms, and the demo that plays beside them."""

import threading
from argparse import ArgumentParser
from typing import Any

import structlog
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection

from apps.tournaments.management import demo, serving
from apps.tournaments.management.replay import Replay
from apps.tournaments.management.results import WORLD_CUP, ResultsError, read_results
from apps.tournaments.services import Actor

logger = structlog.get_logger(__name__)

PAUSE_AFTER_FINAL = 20.0  # seconds to enjoy the champion


class Command(BaseCommand):
    help = "Migrate, load the demo, and serve the site."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--no-demo", action="store_true", help="no demo people, no demo tournament")
        parser.add_argument("--seconds", type=float, default=20, help="how long a demo match takes (20)")
        parser.add_argument("--pause", type=float, default=3, help="seconds between demo matches (3)")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0)
        stop = threading.Event()
        player: threading.Thread | None = None
        # Demo people belong in a demo database: the default one, never one that somebody has configured.
        if not options["no_demo"] and settings.IS_DEMO_DATABASE:
            people = demo.ensure_people()
            self._introduce(people)
            player = threading.Thread(
                target=_play_for_ever, args=(people, options["seconds"], options["pause"], stop), name="demo"
            )
        self.stdout.write(f"DeltaCrown is at http://localhost:{options['port']}  (Ctrl+C stops it)")
        server = serving.load_server()
        listener = serving.listen(options["host"], options["port"])
        if player is not None:
            player.start()
        try:
            serving.serve(server, listener)
        finally:
            stop.set()
            if player is not None:
                player.join()

    def _introduce(self, people: demo.DemoPeople) -> None:
        if not people.passwords:
            return
        self.stdout.write("Demo accounts (these passwords are shown only now):")
        for name, password in people.passwords.items():
            self.stdout.write(f"  {name:<16} {password}")


def _play_for_ever(people: demo.DemoPeople, seconds: float, pause: float, stop: threading.Event) -> None:
    results = read_results(WORLD_CUP)
    referee = Actor(people.referee)
    try:
        while not stop.wait(1):
            try:
                tournament = demo.current(people, results)
                play = Replay(referee, tournament, results, seconds=seconds, pause=pause, at_once=2, sleep=stop.wait)
                if play.run():
                    stop.wait(PAUSE_AFTER_FINAL)
                demo.discard_old()
            except (DatabaseError, ResultsError):
                logger.exception("demo_failed")
                stop.wait(PAUSE_AFTER_FINAL)
    finally:
        connection.close()
