"""Deliver events to webhooks and channels, once or for as long as this process lives."""

import signal
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from apps.integrations.delivery import Courier, upcoming
from apps.integrations.worker import running


class Command(BaseCommand):
    help = "Deliver events to webhooks and channels. Processes that serve the site do so by themselves."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--forever", action="store_true", help="go on until this process is told to end")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["forever"]:
            now, courier = timezone.now(), Courier()
            served = sum(courier.serve(endpoint) for endpoint, at in upcoming(now, 10_000) if at <= now)
            self.stdout.write(f"{served} {'endpoint was' if served == 1 else 'endpoints were'} due.")
            return
        # Waited for instead of handled: a handler might interrupt the very lock that it needs.
        ends = {signal.SIGTERM, signal.SIGINT}
        signal.pthread_sigmask(signal.SIG_BLOCK, ends)
        self.stdout.write("Delivering (Ctrl+C stops it)")
        with running():
            signal.sigwait(ends)
