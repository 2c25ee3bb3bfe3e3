"""
Every error code of the product: the same in HTTP problems, WebSocket frames and messages on a page.

    AppError
    ├── BadRequest               the values make no sense together
    ├── AuthenticationRequired   sign in first
    ├── PermissionDenied         signed in, but not allowed
    ├── NotFound                 no such thing, or a private one (no difference to be seen)
    ├── Conflict                 not possible in the present state; `data` says what the state is
    └── RateLimited              too often; the message says when to try again

Programs branch on `code`, people read the message. Codes are never renamed.
"""

from enum import StrEnum
from typing import Any, ClassVar


class ErrorCode(StrEnum):
    BAD_REQUEST = "bad_request"
    INVALID_JSON = "invalid_json"
    INVALID_SCHEMA = "invalid_schema"
    UNSUPPORTED_MESSAGE_TYPE = "unsupported_message_type"
    PERMISSION_DENIED = "permission_denied"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    RATE_LIMITED = "rate_limited"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    ROOM_FULL = "room_full"
    CONNECTION_LIMIT_EXCEEDED = "connection_limit_exceeded"
    AUTHENTICATION_REQUIRED = "authentication_required"
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - a code, not a secret
    FORBIDDEN = "forbidden"
    INTERNAL_ERROR = "internal_error"


class AppError(Exception):
    """
    Base of what a person can be told.

    `message` is one or two sentences: what happened, what to do; `text` is the same, which apps/words.py can say in
    another language. `data` holds facts for programs (JSON values; a text among them is said like the message).
    """

    code: ClassVar[ErrorCode]
    http_status: ClassVar[int]

    def __init__(self, message: str, **data: Any) -> None:
        super().__init__(message)
        self.text = message
        self.data = data

    @property
    def message(self) -> str:
        return str(self.text)


class BadRequest(AppError):
    code, http_status = ErrorCode.BAD_REQUEST, 400


class AuthenticationRequired(AppError):
    code, http_status = ErrorCode.AUTHENTICATION_REQUIRED, 401


class PermissionDenied(AppError):
    code, http_status = ErrorCode.PERMISSION_DENIED, 403


class NotFound(AppError):
    code, http_status = ErrorCode.NOT_FOUND, 404


class Conflict(AppError):
    code, http_status = ErrorCode.CONFLICT, 409


class RateLimited(AppError):
    code, http_status = ErrorCode.RATE_LIMITED, 429
