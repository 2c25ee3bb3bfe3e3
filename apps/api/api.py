"""
The HTTP API, mounted at /api/v1/.

Operations translate: a request into one call of a service or selector, its result into an answer. Whatever goes wrong
becomes a problem (errors.py), addresses and methods that do not exist included.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import msgspec
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, re_path
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser
from ninja.renderers import BaseRenderer

from apps.api import errors
from apps.api.auth import SIGNED_IN
from apps.api.openapi import DESCRIPTION, complete
from apps.api.routers import entries, log, matches, me, members, realtime, tournaments

View = Callable[..., HttpResponse]


class StrictParser(Parser):
    """JSON as RFC 8259 has it: no NaN, no broken UTF-8, no half of a surrogate pair, no bottomless nesting."""

    def parse_body(self, request: HttpRequest) -> Any:
        return msgspec.json.decode(request.body)


class Renderer(BaseRenderer):
    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        return msgspec.json.encode(data)


class Api(NinjaAPI):
    @property
    def urls(self) -> tuple[list[URLResolver | URLPattern], str, str]:
        patterns, app_name, namespace = super().urls
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                pattern.callback = _always_a_problem(pattern.callback)
        return [*patterns, re_path("", csrf_exempt(errors.not_found))], app_name, namespace

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        document = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        complete(document)
        return document


def _always_a_problem(view: View) -> View:
    """Turn the refusals that ninja makes without an exception into problems, and let nobody cache an answer."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # Before the CSRF check, which would read a form and leave no body behind.
        if request.content_type != "application/json" and request.META.get("CONTENT_LENGTH") not in (None, "", "0"):
            return errors.unsupported_media_type()
        try:
            response = view(request, *args, **kwargs)
        except Http404:
            return errors.not_found(request)
        if response.status_code == 405:
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
api.add_router("", entries.router)
api.add_router("", matches.router)
api.add_router("/me", me.router)
api.add_router("/realtime", realtime.router)
