"""
The site as `manage.py run` serves it, and one more address: every message to /pub appends an event to a tournament.

A message is the number of the tournament's stream in the file STREAMS. Nothing of the way from the log to the sockets
is left out; the event is of a type that every watcher of the tournament gets.

Usage: STREAMS=… DJANGO_SETTINGS_MODULE=deltacrown.settings python deltacrown_site.py PORT
"""

import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[3]))

from deltacrown import asgi  # sets Django up; the imports below need that

# isort: split
from channels.db import database_sync_to_async
from django.core.management import execute_from_command_line
from django.db import transaction
from django.utils import timezone

from apps.eventlog import log
from apps.eventlog.log import PUBLIC, NewEvent

TEXT = "Quarter-finals move to court 2; the stream starts ten minutes later. All times are local times of the venue."
DATA = f'{{"tournament":{{"description":"{TEXT}"}}}}'

site = asgi.application
streams = Path(os.environ["STREAMS"]).read_text().split()


@database_sync_to_async
def append(stream: str) -> None:
    event = NewEvent(type="tournament_updated", audience=PUBLIC, data=DATA)
    with transaction.atomic():
        log.append(stream, [event], at=timezone.now())


async def site_and_publisher(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "websocket" or scope["path"] != "/pub":
        await site(scope, receive, send)
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await append(streams[int(message["text"])])


if __name__ == "__main__":
    asgi.application = site_and_publisher  # which uvicorn imports by name
    execute_from_command_line(["manage.py", "run", "--no-demo", "--port", sys.argv[1]])
