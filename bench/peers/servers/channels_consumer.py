"""
Channels as its tutorial uses it: a consumer in a group, and group_send. LAYER is one of `LAYERS`.

Usage: LAYER=memory [REDIS_URL=…] python channels_consumer.py PORT
"""

import os
import sys

import django
import uvicorn
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import URLRouter
from django.conf import settings
from django.urls import path

# With its defaults redis-py 8 drops a subscriber that waits for 5 s and allows 100 connections.
REDIS = {"address": os.environ.get("REDIS_URL", ""), "socket_timeout": None, "max_connections": 5000}
LAYERS = {
    "memory": {"BACKEND": "channels.layers.InMemoryChannelLayer"},
    "core": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [REDIS]}},
    "pubsub": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS]}},
}
ROOM = "room"

settings.configure(CHANNEL_LAYERS={"default": LAYERS[os.environ["LAYER"]]}, INSTALLED_APPS=["channels"])
django.setup()


class Subscriber(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        await self.channel_layer.group_add(ROOM, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(ROOM, self.channel_name)

    async def room_event(self, message: dict[str, str]) -> None:
        await self.send(text_data=message["text"])


class Publisher(AsyncWebsocketConsumer):
    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self.channel_layer.group_send(ROOM, {"type": "room.event", "text": text_data})


application = URLRouter([path("ws", Subscriber.as_asgi()), path("pub", Publisher.as_asgi())])

if __name__ == "__main__":
    # As the project is served: uvicorn's faster WebSocket class, no compression, no pings of its own.
    uvicorn.run(
        application,
        port=int(sys.argv[1]),
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        backlog=4096,
        lifespan="off",
        log_level="error",
    )
