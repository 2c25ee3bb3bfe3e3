"""One connection without a server: what an application is given, and what it sent."""

from typing import Any

from apps.accounts.tokens import Identity
from apps.tournaments.realtime.record import Record
from apps.tournaments.realtime.rooms import RoomName

CONNECT = {"type": "websocket.connect"}
DISCONNECT = {"type": "websocket.disconnect", "code": 1000}
HTTP_ANSWERS = {"websocket.http.response": {}}


def guest(name: str = "guest:1", **fields: Any) -> Identity:
    return Identity(
        **{"id": name, "username": "guest", "user": None, "session": "", "expires_at": 0.0, "ticket": ""} | fields
    )


def scope(path: str = "/ws/tournament/7/", **fields: Any) -> dict[str, Any]:
    """A scope as the middleware before the consumer leaves it."""
    plain = {
        "type": "websocket",
        "path": path,
        "query_string": b"",
        "headers": [],
        "client": ("198.51.100.1", 5),
        "subprotocols": [],
        "extensions": {},
        "room": RoomName("tournament", 7),
        "identity": guest(),
    }
    whole = plain | fields
    return {"record": Record.of(whole)} | whole


class Wire:
    """The client's end: gives what is to be received, in order, then that the client has gone; keeps what is sent."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        self.coming = [CONNECT, *messages]
        self.sent: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        return self.coming.pop(0) if self.coming else DISCONNECT

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)


class Application:
    """What stands behind the middleware: accepts, and reads until the end."""

    def __init__(self) -> None:
        self.scope: dict[str, Any] | None = None
        self.got: list[dict[str, Any]] = []

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.scope = scope
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] != "websocket.disconnect":
            self.got.append(message)
        self.got.append(message)
