"""
How a process with many people in it ends: SIGTERM, and 2,000 connections of which 200 do not read.

The site runs in a process of its own (SQLite), as `manage.py run` serves it. Those who do not read have small windows,
and events fill them before the signal.

Usage: .venv/bin/python bench/stop.py [--people 2000] [--stalled 200]
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.bystanders import stall
from bench.messages import Entrant, asyncio_run, enter
from bench.served import Site, allow_many_files, surroundings
from bench.wire import frame

LIMIT_SECONDS = 20
EVENTS = 100


class Guest(Entrant):
    """Answers pings, and notes when it is told to come back."""

    retry_after_ms = -1
    gone_at = 0.0

    def on_text(self, text: bytes) -> None:
        if text.startswith(b'{"type":"ping"'):
            self.transport.write(frame(b'{"type":"pong"}'))
        elif text.startswith(b'{"type":"server_restarting"'):
            self.retry_after_ms = json.loads(text)["retry_after_ms"]
        else:
            super().on_text(text)

    def on_end(self) -> None:
        self.gone_at = time.perf_counter()
        super().on_end()


def main() -> None:
    parser = argparse.ArgumentParser(description="How a process with many people in it ends.")
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--stalled", type=int, default=200)
    options = parser.parse_args()
    allow_many_files(options.people + 500)
    with surroundings() as environment:
        from tests import factories

        cup = factories.drawn(16)
        environment |= {"TRUSTED_PROXIES": "127.0.0.1", "WS_TOKEN_SECONDS": "3600"}
        with Site(environment) as site:
            stalled = [stall(site.address, cup.stream) for _ in range(options.stalled)]
            guests, seconds = asyncio_run(end(site, cup, options.people - options.stalled))
            for one in stalled:
                one.close()
    codes = Counter(guest.closed for guest in guests)
    told = [guest.retry_after_ms for guest in guests if guest.retry_after_ms >= 0]
    print(f"ended after {seconds:.1f} s (goal: at most {LIMIT_SECONDS}); closed with {dict(codes)}")
    print(f"{len(told):,} were told when to come back, {len(set(told)):,} different times up to {max(told):,} ms")
    if seconds > LIMIT_SECONDS or set(codes) != {1012} or len(told) != len(guests):
        sys.exit("not as it should be")


async def end(site: Site, cup: Any, count: int) -> tuple[list[Guest], float]:
    """Bring everybody in, fill the windows of those who do not read, and send the signal."""
    from apps.tournaments.services import Actor, tournaments

    guests = await enter(site, cup.stream, [None] * count, Guest)
    organizer = Actor(cup.created_by)
    for number in range(EVENTS):
        text = f"{number} " + "x" * 3_900
        await asyncio.to_thread(tournaments.edit, organizer, cup.pk, description=text)
    await asyncio.sleep(2)
    started = time.perf_counter()
    os.kill(site.pid, signal.SIGTERM)
    await asyncio.gather(*(guest.gone for guest in guests), return_exceptions=True)
    last = max(guest.gone_at for guest in guests) - started
    print(f"the last who reads went after {last:.1f} s", flush=True)
    await asyncio.to_thread(site.ended)
    return guests, time.perf_counter() - started


if __name__ == "__main__":
    main()
