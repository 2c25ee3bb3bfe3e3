"""
What can go wrong for a program in a room.

* RoomError
    * Refused: one action was refused; the room goes on
    * Stopped: the room is over, and connecting again would not help
    * TokenRefused: raised by a token function that gets no token
"""

from typing import Any


class RoomError(Exception):
    """Base of all errors of this package."""


class Refused(RoomError):
    """Raised by `act`. `code` is one of the protocol's error codes; `data` says how things stand after a conflict."""

    def __init__(self, frame: dict[str, Any]) -> None:
        super().__init__(f"{frame.get('code')}: {frame.get('message')}")
        self.code = str(frame.get("code"))
        self.data: dict[str, Any] = frame.get("data") or {}


class Stopped(RoomError):
    """Raised when the server closed a room for good, with its close code, or with None when you left it."""

    def __init__(self, code: int | None) -> None:
        super().__init__("the room was left" if code is None else f"the server closed the room with {code}")
        self.code = code


class TokenRefused(RoomError):
    """The site answered the wish for a token with an HTTP status, and perhaps with seconds to wait."""

    def __init__(self, status: int, retry_after: float | None = None) -> None:
        super().__init__(f"the site gives no token: HTTP {status}")
        self.status = status
        self.retry_after = retry_after
