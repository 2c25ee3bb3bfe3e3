"""
The process that writes. It plays (player.py) in a fork of itself, and in another one when that has died.

Standard output has a line for each commit and each death (witness.py).
Usage: python -m tests.chaos.writer <seed> <commands a second> <commands between deaths>
"""

import os
import random
import signal
import sys
import time
from itertools import count

import django
from django.conf import settings
from django.db import DatabaseError, connections

from tests.chaos.bus import bend_bus


def main() -> None:
    seed, rate, commands = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    bend_bus()
    settings.EVENTLOG_SINKS = ["tests.chaos.witness.witness", *settings.EVENTLOG_SINKS]
    django.setup()
    me, child = os.getpid(), 0

    def end(*_: object) -> None:
        if child:
            os.kill(child, signal.SIGTERM)
        sys.exit()

    signal.signal(signal.SIGTERM, end)
    for life in count(1):
        child = os.fork()
        if not child:
            signal.signal(signal.SIGTERM, lambda *_: sys.exit())
            _play(seed * 1000 + life, rate, commands, me)
        os.waitpid(child, 0)


def _play(seed: int, rate: float, commands: float, parent: int) -> None:
    from tests.chaos.player import Player

    while True:
        try:
            Player(random.Random(seed), rate, commands).live(parent)
            sys.exit()
        except DatabaseError:  # as it began
            connections.close_all()
            time.sleep(0.1)


if __name__ == "__main__":
    main()
