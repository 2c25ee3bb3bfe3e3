"""Tells people beside whatever else this process does, as integrations.worker delivers."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta

from django.conf import settings

from apps.integrations.worker import Worker
from apps.notifications.sending import Notifier

PACE = timedelta(seconds=0.3)


@contextmanager
def beside() -> Iterator[None]:
    """Tell people beside a server, unless DELIVER is off."""
    with running() if settings.DELIVER else nullcontext():
        yield


@contextmanager
def running() -> Iterator[None]:
    """Tell people while the block runs, in a thread."""
    worker = Worker(work=lambda stopping: Notifier(stopping=stopping, pace=PACE))
    worker.start()
    try:
        yield
    finally:
        worker.stop()
