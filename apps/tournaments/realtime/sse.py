"""
The same rooms over Server-Sent Events, for whoever cannot open a WebSocket: `GET /sse/tournament/<id>/`.

To the rooms it looks like a WebSocket whose client says nothing but pong, so every check, limit and frame is the same
code. A frame is one event of the stream, with `id: <epoch>:<seq>` where it has a place in the log, so a browser's
`Last-Event-ID` is the position to resume at. Actions go over the HTTP API.

The token: `Authorization: Bearer <token>`, or `?token=` from a page of the site. What is refused before the stream
begins is an HTTP status with the `error` frame as its body.
"""

import asyncio
from typing import Any
from urllib.parse import quote

import msgspec

from apps.tournaments.realtime.middleware import take_tokens
from apps.tournaments.realtime.protocol import SUBPROTOCOL, TOKEN_SUBPROTOCOL, CloseCode

PREFIX = "/sse/"
_STATUS: dict[int, int] = {
    CloseCode.BAD_REQUEST: 400,
    CloseCode.AUTHENTICATION_REQUIRED: 401,
    CloseCode.TOKEN_EXPIRED: 401,
    CloseCode.FORBIDDEN: 403,
    CloseCode.NOT_FOUND: 404,
    CloseCode.RATE_LIMITED: 429,
    CloseCode.ROOM_FULL: 429,
    CloseCode.INTERNAL_ERROR: 500,
}
_METHOD_NOT_ALLOWED = 405
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would keep events back until it has a buffer full
]
_RETRY_MS = 3_000  # what a browser's own EventSource waits


class _Seen(msgspec.Struct):
    """What has to be known of a frame to pass it on."""

    type: str
    epoch: str = ""
    seq: int | None = None
    close_code: int | None = None
    retry_after_ms: int | None = None
    data: msgspec.Raw = msgspec.Raw()


class _Welcome(msgspec.Struct):
    epoch: str


_see = msgspec.json.Decoder(_Seen).decode
_welcome = msgspec.json.Decoder(_Welcome).decode


class SSEMiddleware:
    """Requests under /sse/ to `rooms`, as if they were WebSockets; all others to `otherwise`."""

    def __init__(self, rooms: Any, otherwise: Any) -> None:
        self.rooms, self.otherwise = rooms, otherwise

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if not scope["path"].startswith(PREFIX):
            await self.otherwise(scope, receive, send)
        elif scope["method"] != "GET":
            await _respond(send, _METHOD_NOT_ALLOWED, headers=[(b"allow", b"GET")])
        else:
            stream = _Stream(receive, send)
            request = _as_websocket(scope)
            take_tokens(scope)
            try:
                await self.rooms(request, stream.receive, stream.send)
            finally:
                stream.close()


class _Stream:
    """One request, between the rooms' messages of a WebSocket and the server's of HTTP."""

    def __init__(self, receive: Any, send: Any) -> None:
        self._receive, self._send = receive, send
        self._has_connected = False
        self._has_begun = False
        self._has_ended = False
        self._status, self._headers = 200, _HEADERS
        self._epoch = ""
        self._to_say: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._leaving: asyncio.Task[None] | None = None

    async def receive(self) -> dict[str, Any]:
        """Return what the client would say: that it connects, a pong for every ping, that it has gone."""
        if not self._has_connected:
            self._has_connected = True
            return {"type": "websocket.connect"}
        if self._leaving is None:
            self._leaving = asyncio.create_task(self._leave())
        return await self._to_say.get()

    async def _leave(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._to_say.put_nowait({"type": "websocket.disconnect", "code": 1006})

    def close(self) -> None:
        if self._leaving is not None:
            self._leaving.cancel()

    async def send(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "websocket.send":
                await self._frame(message["text"])
            case "websocket.close":
                await self._end()
            case "websocket.http.response.start":
                self._status, self._headers = message["status"], message["headers"]
            case "websocket.http.response.body":
                await _respond(self._send, self._status, headers=self._headers, body=message["body"])
                self._has_begun = self._has_ended = True

    async def _frame(self, text: str) -> None:
        frame = _see(text)
        if not self._has_begun:
            if frame.close_code is not None:
                await self._refuse(frame, text)
                return
            await self._send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await self._body(f"retry: {_RETRY_MS}\n\n")
            self._has_begun = True
        if frame.type == "connection_established":
            self._epoch = _welcome(frame.data).epoch
        place = f"id: {frame.epoch or self._epoch}:{frame.seq}\n" if frame.seq is not None else ""
        await self._body(f"{place}data: {text}\n\n")
        if frame.type == "ping":
            # The client took what was sent before: it lives.
            self._to_say.put_nowait({"type": "websocket.receive", "text": '{"type":"pong"}'})

    async def _refuse(self, frame: _Seen, text: str) -> None:
        headers = [(b"content-type", b"application/json")]
        if frame.retry_after_ms is not None:
            headers.append((b"retry-after", str(-(-frame.retry_after_ms // 1000)).encode()))
        status = _STATUS.get(frame.close_code or 0, 400)
        await _respond(self._send, status, headers=headers, body=text.encode())
        self._has_begun = self._has_ended = True

    async def _end(self) -> None:
        if not self._has_begun:
            await _respond(self._send, 403)
        elif not self._has_ended:
            await self._send({"type": "http.response.body", "body": b""})
        self._has_begun = self._has_ended = True

    async def _body(self, text: str) -> None:
        await self._send({"type": "http.response.body", "body": text.encode(), "more_body": True})


def _as_websocket(scope: dict[str, Any]) -> dict[str, Any]:
    """Return the scope that the same request would have as a WebSocket."""
    headers = [(name, value) for name, value in scope["headers"] if name not in _TAKEN]
    offered = [SUBPROTOCOL]
    for name, value in scope["headers"]:
        scheme, _, token = value.decode("latin-1").partition(" ")
        if name == b"authorization" and scheme.lower() == "bearer":
            offered.append(TOKEN_SUBPROTOCOL + token.strip())
    found = dict(scope["headers"])
    query = scope["query_string"]
    if position := found.get(b"last-event-id"):
        query += b"&since=" + quote(position, safe=":").encode()
    if b"origin" not in found and found.get(b"sec-fetch-site") == b"same-origin" and b"host" in found:
        # A browser does not say the origin when a page asks its own site, but that it does.
        headers.append((b"origin", scope["scheme"].encode() + b"://" + found[b"host"]))
    return {
        "type": "websocket",
        "asgi": scope["asgi"],
        "http_version": scope["http_version"],
        "scheme": "wss" if scope["scheme"] == "https" else "ws",
        "server": scope.get("server"),
        "client": scope.get("client"),
        "root_path": scope.get("root_path", ""),
        "path": "/ws/" + scope["path"].removeprefix(PREFIX),
        "raw_path": b"/ws/" + scope.get("raw_path", b"").removeprefix(PREFIX.encode()),
        "query_string": query,
        "headers": headers,
        "subprotocols": offered,
        "extensions": {"websocket.http.response": {}},
        "state": {},
    }


_TAKEN = {b"authorization", b"last-event-id"}


async def _respond(send: Any, status: int, *, headers: Any = (), body: bytes = b"") -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
