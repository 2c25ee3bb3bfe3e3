"""
The HTTP API, mounted at /api/v1/.

Operations translate: a request into one call of a service or selector, its result into an answer. Whatever goes wrong
becomes a problem (errors.py), addresses and methods that do not exist included.
"""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, re_path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser
from ninja.renderers import BaseRenderer

from apps.api import errors
from apps.api.auth import SIGNED_IN
from apps.api.openapi import DESCRIPTION, complete
from apps.api.routers import (
    announcements,
    disputes,
    entries,
    exchange,
    integrations,
    log,
    matches,
    me,
    members,
    moderation,
    overlays,
    ratings,
    realtime,
    reopenings,
    schedule,
    staff_links,
    stages,
    teams,
    tokens,
    tournaments,
    veto,
)
from apps.tournaments import uploads

JSON = "application/json"
UPLOADS = {disputes.UPLOAD: uploads.PICTURE, **exchange.UPLOADS}  # by the names of the addresses
View = Callable[..., HttpResponse]


class StrictParser(Parser):
    """JSON as RFC 8259 has it: no NaN, no broken UTF-8, no half of a surrogate pair, no bottomless nesting."""

    def parse_body(self, request: HttpRequest) -> Any:
        return msgspec.json.decode(request.body)


class Renderer(BaseRenderer):
    media_type = JSON

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        return msgspec.json.encode(data)


class Api(NinjaAPI):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._documents: dict[str | None, OpenAPISchema] = {}

    @property
    def urls(self) -> tuple[list[URLResolver | URLPattern], str, str]:
        patterns, app_name, namespace = super().urls
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                view = _to_docs if pattern.name == "api-root" else pattern.callback
                # Operations look at the cookie, and so check CSRF, themselves. What is left is for reading.
                is_operation = getattr(view, "csrf_exempt", False)
                at_most = UPLOADS.get(pattern.name or "")
                pattern.callback = _always_a_problem(view if is_operation else require_safe(view), at_most)
        return [*patterns, re_path("", csrf_exempt(errors.not_found))], app_name, namespace

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        # Making it takes a tenth of a second, and anybody may ask.
        if path_prefix not in self._documents:
            document = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
            complete(document)
            self._documents[path_prefix] = document
        return self._documents[path_prefix]


def _has_body(request: HttpRequest) -> bool:
    return request.headers.get("Content-Length", "0") not in ("", "0") or "Transfer-Encoding" in request.headers


def _to_docs(request: HttpRequest) -> HttpResponse:
    return redirect(f"{request.path}docs")


def _always_a_problem(view: View, at_most: int | None) -> View:
    """
    Turn the refusals that ninja makes without an exception into problems, and let nobody cache an answer.

    `at_most`: of an address that takes a form with a file, how large that may be; others take JSON.
    """
    takes = JSON if at_most is None else uploads.FORM

    @csrf_exempt
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # Before the CSRF check, which would read a form and leave no body behind.
        if request.content_type != takes and _has_body(request):
            return errors.unsupported_media_type(takes)
        if at_most is not None:
            uploads.limit(request, at_most=at_most)
        response = view(request, *args, **kwargs)
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            return errors.method_not_allowed(", ".join(sorted(response["Allow"].split(", "))))
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return answer


api = Api(
    title="DeltaCrown",
    version="1",
    description=DESCRIPTION,
    auth=SIGNED_IN,
    parser=StrictParser(),
    renderer=Renderer(),
)
errors.install(api)
api.add_router("/tournaments", tournaments.router)
api.add_router("/tournaments", log.router)
api.add_router("/tournaments", members.router)
api.add_router("", announcements.router)
api.add_router("", staff_links.router)
api.add_router("", entries.router)
api.add_router("", matches.router)
api.add_router("", schedule.router)
api.add_router("", disputes.router)
api.add_router("", reopenings.router)
api.add_router("", stages.router)
api.add_router("", exchange.router)
api.add_router("", ratings.router)
api.add_router("", moderation.router)
api.add_router("/teams", teams.router)
api.add_router("", veto.router)
api.add_router("", overlays.router)
api.add_router("", integrations.router)
api.add_router("/me", me.router)
api.add_router("/me", tokens.router)
api.add_router("/realtime", realtime.router)
