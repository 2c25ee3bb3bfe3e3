"""A channel layer that loses, doubles, delays, garbles and misdirects hints, as often as the dial says."""

import asyncio
import random
from contextlib import suppress
from functools import cache
from typing import Any

from channels_redis.pubsub import RedisPubSubChannelLayer

from tests.chaos.dials import Dials

LATEST = 0.5  # seconds
_dials = cache(Dials.mine)


class UnreliableLayer(RedisPubSubChannelLayer):
    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._last: dict[str, dict[str, Any]] = {}
        self._late: set[asyncio.Task[None]] = set()

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        last, self._last = self._last, {**self._last, group: message}
        send = self._get_layer().group_send
        if random.random() >= _dials().bus:
            await send(group, message)
            return
        match random.choice(("lose", "double", "delay", "garble", "scribble", "misdirect")):
            case "double":
                await send(group, message)
                await send(group, message)
            case "delay":
                task = asyncio.ensure_future(self._send_late(group, message))
                self._late.add(task)
                task.add_done_callback(self._late.discard)
            case "garble":
                events: bytes = message["events"]
                await send(group, message | {"events": events[: random.randrange(len(events))]})
            case "scribble":  # what nobody could have encrypted
                layer = self._get_layer()
                name = layer._get_group_channel_name(group)
                await layer._get_shard(name).publish(name, random.randbytes(50))
            case "misdirect":
                await send(group, random.choice([message, *last.values()]))
                await send(random.choice([group, *last]), message)

    async def _send_late(self, group: str, message: dict[str, Any]) -> None:
        await asyncio.sleep(random.uniform(0, LATEST))
        with suppress(Exception):  # nobody waits for it
            await self._get_layer().group_send(group, message)


def bend_bus() -> None:
    """Have this process use the layer."""
    from django.conf import settings

    settings.CHANNEL_LAYERS["default"]["BACKEND"] = f"{__name__}.{UnreliableLayer.__name__}"
