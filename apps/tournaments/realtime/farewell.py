"""How a connection is refused or closed: one `error` frame for each close code, or a status of HTTP."""

from http import HTTPStatus
from typing import Any

from msgspec import UNSET, UnsetType

from apps.errors import ErrorCode
from apps.tournaments.realtime.protocol import CloseCode, ErrorFrame, encode

_REFUSALS: dict[CloseCode, tuple[ErrorCode, str]] = {
    CloseCode.BAD_REQUEST: (ErrorCode.BAD_REQUEST, "This is not the address of a room."),
    CloseCode.AUTHENTICATION_REQUIRED: (
        ErrorCode.AUTHENTICATION_REQUIRED,
        "A token is needed. POST /api/v1/realtime/token gives one, to guests too.",
    ),
    CloseCode.TOKEN_EXPIRED: (ErrorCode.TOKEN_EXPIRED, "The token has expired. Get a new one and connect again."),
    CloseCode.FORBIDDEN: (
        ErrorCode.FORBIDDEN,
        "This connection is not allowed. Get a token for this room; a program offers it as subprotocol bearer.<token>.",
    ),
    CloseCode.HEARTBEAT_TIMEOUT: (ErrorCode.BAD_REQUEST, "Nothing was heard for too long. Connect again and resume."),
    CloseCode.RATE_LIMITED: (ErrorCode.RATE_LIMITED, "Too much for one. Connect again after the time given."),
    CloseCode.ROOM_FULL: (ErrorCode.ROOM_FULL, "The room is full. Try again after the time given."),
    CloseCode.PAYLOAD_TOO_LARGE: (ErrorCode.PAYLOAD_TOO_LARGE, "The message is too large."),
    CloseCode.SLOW_CONSUMER: (ErrorCode.RATE_LIMITED, "The connection cannot keep up. Connect again and resume."),
    CloseCode.NOT_FOUND: (ErrorCode.NOT_FOUND, "There is no such room."),
    CloseCode.INTERNAL_ERROR: (ErrorCode.INTERNAL_ERROR, "Something went wrong here. Connect again and resume."),
}


def farewell(code: CloseCode, *, error: ErrorCode | None = None, retry_after_ms: int | UnsetType = UNSET) -> str:
    """Return the text of the `error` frame that goes before a close; `error` where the code alone says too little."""
    usual, message = _REFUSALS[code]
    frame = ErrorFrame(code=error or usual, message=message, close_code=int(code), retry_after_ms=retry_after_ms)
    return encode(frame)


async def refuse_in_http(
    scope: dict[str, Any], receive: Any, send: Any, status: HTTPStatus, *, retry_after_s: int | None = None
) -> None:
    """Refuse an upgrade, where no page has to know why."""
    await receive()  # websocket.connect
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close"})
        return
    headers = [] if retry_after_s is None else [(b"retry-after", str(retry_after_s).encode())]
    await send({"type": "websocket.http.response.start", "status": int(status), "headers": headers})
    await send({"type": "websocket.http.response.body", "body": b""})
