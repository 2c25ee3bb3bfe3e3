"""
The site as `manage.py run` serves it, and one more address: every message to /pub appends an event to a tournament.

A message is the number of the tournament's stream in the file STREAMS, or "*" for each of them. Nothing of the way from
the log to the sockets is left out; the event is of a type that every watcher of the tournament gets. With WITHOUT_LOG
the way begins with the hint, as in a process that did not write the event.

Usage: STREAMS=… [WITHOUT_LOG=1] DJANGO_SETTINGS_MODULE=deltacrown.settings python deltacrown_site.py PORT
"""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[3]))

from deltacrown import asgi  # sets Django up; the imports below need that

# isort: split
from channels.db import database_sync_to_async
from django.core.management import execute_from_command_line
from django.db import transaction
from django.utils import timezone
from msgspec import Raw
from msgspec.structs import replace

from apps.eventlog import log
from apps.eventlog.log import PUBLIC, NewEvent, Recorded, iso
from apps.tournaments.realtime.utils import publish

TEXT = "Quarter-finals move to court 2; the stream starts ten minutes later. All times are local times of the venue."
DATA = f'{{"tournament":{{"description":"{TEXT}"}}}}'

site = asgi.application
streams = Path(os.environ["STREAMS"]).read_text().split()


@database_sync_to_async
def append(stream: str) -> None:
    event = NewEvent(type="tournament_updated", audience=PUBLIC, data=DATA)
    with transaction.atomic():
        log.append(stream, [event], at=timezone.now())


class Hints:
    """Hints of events that are in no log."""

    def __init__(self) -> None:
        self._last = {
            stream: Recorded(
                stream=stream,
                epoch=position.epoch,
                seq=position.seq,
                type="tournament_updated",
                audience=PUBLIC,
                subject="",
                data=Raw(DATA.encode()),
                at="",
            )
            for stream, position in log.positions(streams).items()
        }

    def send(self, to: Iterable[str]) -> None:
        at = iso(timezone.now())
        for stream in to:
            last = self._last[stream]
            event = self._last[stream] = replace(last, seq=last.seq + 1, at=at)
            publish([event])


async def site_and_publisher(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "websocket" or scope["path"] != "/pub":
        await site(scope, receive, send)
        return
    await receive()
    await send({"type": "websocket.accept"})
    hints = await database_sync_to_async(Hints)() if "WITHOUT_LOG" in os.environ else None
    while (message := await receive())["type"] == "websocket.receive":
        to = streams if message["text"] == "*" else [streams[int(message["text"])]]
        if hints is not None:
            hints.send(to)
            continue
        for stream in to:
            await append(stream)


if __name__ == "__main__":
    asgi.application = site_and_publisher  # which uvicorn imports by name
    execute_from_command_line(["manage.py", "run", "--no-demo", "--port", sys.argv[1]])
