"""Deliver events to webhooks and channels, and tell people, once or for as long as this process lives."""

import signal
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from apps.integrations import worker as integrations
from apps.integrations.delivery import Courier
from apps.integrations.worker import Work
from apps.notifications import worker as notifications
from apps.notifications.sending import Notifier

AT_ONCE = 10_000


class Command(BaseCommand):
    help = "Deliver events to webhooks, channels and people. Processes that serve the site do so by themselves."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--forever", action="store_true", help="go on until this process is told to end")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["forever"]:
            served = _serve(Courier())
            self.stdout.write(f"{served} {'endpoint was' if served == 1 else 'endpoints were'} due.")
            if told := _serve(Notifier()):
                self.stdout.write(f"{told} {'notification was' if told == 1 else 'notifications were'} due.")
            return
        # Waited for instead of handled: a handler might interrupt the very lock that it needs.
        ends = {signal.SIGTERM, signal.SIGINT}
        signal.pthread_sigmask(signal.SIG_BLOCK, ends)
        self.stdout.write("Delivering (Ctrl+C stops it)")
        with integrations.running(), notifications.running():
            signal.sigwait(ends)


def _serve(work: Work) -> int:
    now = timezone.now()
    return sum(work.serve(job) for job, at in work.upcoming(now, AT_ONCE) if at <= now)
