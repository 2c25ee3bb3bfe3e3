"""
A process that ends lets its people go one after the other, so that they do not all come back at once somewhere else.

From the first moment `/readyz` says so and nobody is let in (503). Then batch after batch is told when to come back,
each connection at a time of its own, and closed with 1012: spectators first, players and staff last. Whoever does not
take it is aborted at the end.
"""

import asyncio
import random
from collections import Counter as Tally
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import structlog

from apps.tournaments.models import Role
from apps.tournaments.realtime import metrics
from apps.tournaments.realtime.connection import Connection
from apps.tournaments.realtime.farewell import refuse_in_http
from apps.tournaments.realtime.hub import Hub, hub

logger = structlog.get_logger(__name__)

BATCHES = 16
SMALLEST_BATCH = 50
PAUSE_SECONDS = 0.5  # between batches: 8 s for everybody
COME_BACK_MS = 5_000  # the latest; the others are spread over the time before
PATIENCE_SECONDS = 3.0  # for clients to answer the close; then they are aborted
LOOK_SECONDS = 0.05
_LAST = {Role.PLAYER.name.lower(), Role.REFEREE.name.lower(), Role.ORGANIZER.name.lower(), Role.ADMIN.name.lower()}


class Drain:
    """Whether this process is ending, and its end."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.is_on = False

    async def __call__(self, hurry: Callable[[], bool] = lambda: False) -> None:
        """
        Let everybody go. When `hurry` says so, at once.

        Returns when nobody is left: after 11 s and what aborting takes, with how many ever.
        """
        self.is_on = True
        everybody = sorted(self._hub.connections, key=_is_last)
        if everybody:
            logger.info("draining", connections=len(everybody))
        size = max(SMALLEST_BATCH, -(-len(everybody) // BATCHES))
        for start in range(0, len(everybody), size):
            if start and not hurry():
                await asyncio.sleep(PAUSE_SECONDS)
            for connection in everybody[start : start + size]:
                connection.restart(random.randrange(COME_BACK_MS))  # noqa: S311 - spreads clients out
        await self._nobody_left(0 if hurry() else PATIENCE_SECONDS)
        for connection in list(self._hub.connections):
            connection.abort()
        await self._nobody_left(PATIENCE_SECONDS)

    async def _nobody_left(self, patience: float) -> None:
        until = asyncio.get_running_loop().time() + patience
        while self._hub.connections and asyncio.get_running_loop().time() < until:
            for connection in list(self._hub.connections):
                if connection.closed_with is None:  # was on its way in when this began
                    connection.restart(random.randrange(COME_BACK_MS))  # noqa: S311 - spreads clients out
            await asyncio.sleep(LOOK_SECONDS)

    def left(self) -> Tally[tuple[str, ...]]:
        return Tally({(): len(self._hub.connections) if self.is_on else 0})


def _is_last(connection: Connection) -> bool:
    return connection.record.role in _LAST


drain = Drain(hub)
metrics.gauges.add(
    "rt_draining", "1 while this process lets its connections go.", (), lambda: Tally({(): int(drain.is_on)})
)
metrics.gauges.add("rt_drain_remaining", "Connections that have still to go.", (), drain.left)


class DrainMiddleware:
    """Lets nobody in while this process ends; another one will."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if drain.is_on:
            wait = random.randint(1, COME_BACK_MS // 1000)  # noqa: S311 - spreads clients out
            await refuse_in_http(scope, receive, send, HTTPStatus.SERVICE_UNAVAILABLE, retry_after_s=wait)
        else:
            await self.app(scope, receive, send)
