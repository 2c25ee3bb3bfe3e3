"""The writer's first sink: it says on standard output what was committed, and when, and may be the last to know."""

import json
import os
import signal
import time
from collections.abc import Sequence
from typing import NoReturn

from apps.eventlog.log import Recorded

is_last = False  # whether this process ends between the commit and the hint


def witness(events: Sequence[Recorded]) -> None:
    # time.monotonic() is the same clock in all processes of a machine.
    say(stream=events[0].stream, first=events[0].seq, last=events[-1].seq, at=time.monotonic())
    if is_last:
        die("writer killed before its hint")


def say(**what: object) -> None:
    print(json.dumps(what), flush=True)


def die(how: str) -> NoReturn:
    say(died=how)
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError
