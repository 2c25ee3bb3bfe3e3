"""
uWebSockets, a server in C++, with its own publish and subscribe; `socketify` is its Python binding.

Usage: python uwebsockets.py PORT
"""

import sys
from typing import Any

from socketify import App, OpCode

ROOM = "room"
IDLE_SECONDS = 120  # without a byte; it pings before

app = App()


def subscribe(connection: Any) -> None:
    connection.subscribe(ROOM)


def publish(connection: Any, message: str, opcode: Any) -> None:
    app.publish(ROOM, message, OpCode.TEXT)


app.ws("/ws", {"open": subscribe, "idle_timeout": IDLE_SECONDS, "max_backpressure": 1 << 20})
app.ws("/pub", {"message": publish, "idle_timeout": IDLE_SECONDS})
app.listen({"port": int(sys.argv[1]), "host": "127.0.0.1"}, lambda _: None)
app.run()
