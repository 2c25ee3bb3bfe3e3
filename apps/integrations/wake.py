"""Tell the workers of this process that there may be something to deliver. Those of others find it by themselves."""

import threading
from collections.abc import Sequence

from apps.eventlog.log import Recorded

_bells: set[threading.Event] = set()


def wake(_events: Sequence[Recorded] = ()) -> None:
    """Ring. As a sink of the log it is called after each commit."""
    for bell in tuple(_bells):
        bell.set()


def listen(bell: threading.Event) -> None:
    _bells.add(bell)


def leave(bell: threading.Event) -> None:
    _bells.discard(bell)
