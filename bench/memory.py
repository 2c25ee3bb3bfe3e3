"""
Resident memory of the server for each connection at rest: in the room, past its snapshot, silent but for pongs.

The site runs in a process of its own (SQLite, limits in memory), as `manage.py run` serves it. The first 100 fill
caches and are not counted.

Usage: .venv/bin/python bench/memory.py [--people 3000] [--signed-in]
"""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.messages import Entrant, asyncio_run, enter, part
from bench.served import Site, allow_many_files, rss_of, sign_in_people, surroundings
from bench.wire import frame

FIRST = 100
SETTLE_SECONDS = 30  # every connection has been pinged once by then
GOAL_KIB = 12
PONG = frame(b'{"type":"pong"}')


class Watcher(Entrant):
    """Answers pings."""

    def on_text(self, text: bytes) -> None:
        if text.startswith(b'{"type":"ping"'):
            self.transport.write(PONG)
        else:
            super().on_text(text)


def main() -> None:
    parser = argparse.ArgumentParser(description="Memory of the server for each connection at rest.")
    parser.add_argument("--people", type=int, default=3000)
    parser.add_argument("--signed-in", action="store_true", help="people with a session instead of guests")
    options = parser.parse_args()
    allow_many_files(options.people + 1000)
    with surroundings() as environment:
        from tests import factories

        cup = factories.drawn(16).stream
        crowd = sign_in_people(options.people + FIRST) if options.signed_in else [None] * (options.people + FIRST)
        with Site(environment | {"TRUSTED_PROXIES": "127.0.0.1", "WS_TOKEN_SECONDS": "3600"}) as site:
            before, after = asyncio_run(hold(site, cup, crowd))
    kib = (after - before) / options.people / 1024
    kind = "signed in" if options.signed_in else "guests"
    print(f"{kind}: {kib:.1f} KiB for each of {options.people:,} (goal: at most {GOAL_KIB})")


async def hold(site: Site, cup: str, crowd: list[Any]) -> tuple[int, int]:
    """Return the server's memory with the first, and with all when they have settled."""
    first = await enter(site, cup, crowd[:FIRST], Watcher)
    before = rss_of(site.pid)
    others = await enter(site, cup, crowd[FIRST:], Watcher)
    at_once = rss_of(site.pid)
    await asyncio.sleep(SETTLE_SECONDS)
    after = rss_of(site.pid)
    print(f"{before >> 20} MiB → {at_once >> 20} MiB when all are in → {after >> 20} MiB at rest", flush=True)
    await part([*first, *others])
    return before, after


if __name__ == "__main__":
    main()
