"""
Every refusal as an RFC 9457 problem: {"type", "title", "status", "code", "detail", "data"}.

The codes are those of the WebSocket (apps/errors.py). What the client sent is never repeated.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from django.core.exceptions import DisallowedHost, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from apps.api.throttle import TooManyRequests
from apps.api.wrong_values import sentence
from apps.errors import AppError, AuthenticationRequired, ErrorCode
from apps.words import said, said_within
from engine.text import Text
from engine.text import gettext as _

MEDIA_TYPE = "application/problem+json"

logger = structlog.get_logger(__name__)


class Forbidden(AppError):
    """The request does not come from this site's own pages."""

    code, http_status = ErrorCode.FORBIDDEN, 403


class TokenRefused(AuthenticationRequired):
    """An access token was sent that does not hold (any more)."""


def problem(
    status: int,
    code: ErrorCode,
    detail: str | Text,
    data: Mapping[str, Any] | None = None,
    *,
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": said(detail),
        "data": said_within(data or {}),
    }
    answer = HttpResponse(msgspec.json.encode(body), status=status, content_type=MEDIA_TYPE, headers=headers)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def not_found(_request: HttpRequest, *_args: object, **_kwargs: object) -> HttpResponse:
    return problem(404, ErrorCode.NOT_FOUND, _("There is nothing at this address. /api/v1/docs lists what there is."))


def refused_by_middleware(_request: HttpRequest, error: Exception) -> HttpResponse:
    """Answer what a middleware refused, around the operations, whose exceptions `install` is for."""
    detail = (
        _("The header Host names no address of this site. Its operator lists them in ALLOWED_HOSTS.")
        if isinstance(error, DisallowedHost)
        else _("The request was refused. Send it again; if you were signed out meanwhile, sign in first.")
    )
    return problem(400, ErrorCode.BAD_REQUEST, detail)


def method_not_allowed(allowed: str) -> HttpResponse:
    detail = _("This address answers {allowed} only.", allowed=allowed)
    return problem(405, ErrorCode.BAD_REQUEST, detail, headers={"Allow": allowed})


def unsupported_media_type(takes: str) -> HttpResponse:
    return problem(
        415, ErrorCode.BAD_REQUEST, _("This address takes a body with the header Content-Type: {takes}.", takes=takes)
    )


def _app_error(_request: HttpRequest, error: AppError) -> HttpResponse:
    headers = {}
    if isinstance(error, AuthenticationRequired):
        reason = ' error="invalid_token"' if isinstance(error, TokenRefused) else ""
        headers["WWW-Authenticate"] = f"Bearer{reason}"
    if isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(-(-error.data["retry_after_ms"] // 1000))
    return problem(error.http_status, error.code, error.text, error.data, headers=headers)


def _authentication_error(request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
    return _app_error(request, AuthenticationRequired(_("Sign in to do this.")))


def _invalid_json(_request: HttpRequest, _error: Exception) -> HttpResponse:
    return problem(400, ErrorCode.INVALID_JSON, _("The body is not JSON."))


def _too_large(_request: HttpRequest, _error: RequestDataTooBig) -> HttpResponse:
    return problem(413, ErrorCode.PAYLOAD_TOO_LARGE, _("The body is too large."))


def _unreadable_form(_request: HttpRequest, _error: Exception) -> HttpResponse:
    return problem(400, ErrorCode.BAD_REQUEST, _("The form cannot be read."))


def _cut_off(_request: HttpRequest, _error: UnreadablePostError) -> HttpResponse:
    return problem(400, ErrorCode.BAD_REQUEST, _("The body ended early."))


def _invalid_schema(_request: HttpRequest, error: ValidationError) -> HttpResponse:
    fields = [_field(each) for each in error.errors]
    detail = "; ".join(f"{field['path'] or field['in']}: {field['message']}" for field in fields[:5])
    return problem(422, ErrorCode.INVALID_SCHEMA, detail, {"fields": fields})


def _field(error: Mapping[str, Any]) -> dict[str, str]:
    """Return where an error is and what it is, in words that hold nothing of the input."""
    place, *path = error["loc"]
    if place == "body":
        path = path[1:]  # the name of our own parameter
    if error["type"] == "extra_forbidden":
        path = path[:-1]
    return {"in": place, "path": ".".join(map(str, path)), "message": sentence(error)}


def _internal_error(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.error("api_failed", method=request.method, path=request.path, exc_info=error)
    return problem(500, ErrorCode.INTERNAL_ERROR, _("Something went wrong on our side. It has been logged."))


_HANDLERS: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
    AppError: _app_error,
    AuthenticationError: _authentication_error,
    HttpError: _invalid_json,  # raised by ninja for a body that does not parse, and for nothing else here
    ValidationError: _invalid_schema,
    RequestDataTooBig: _too_large,
    UnreadablePostError: _cut_off,
    MultiPartParserError: _unreadable_form,
    SuspiciousOperation: _unreadable_form,  # more fields or files than anybody needs
    Http404: not_found,
    Exception: _internal_error,
}


def install(api: NinjaAPI) -> None:
    """Make an API answer every exception with a problem."""
    for kind, handler in _HANDLERS.items():
        api.add_exception_handler(kind, handler)
