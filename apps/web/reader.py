"""
Who reads an answer: their language, and the zone that their clock shows.

The language is what they chose (a cookie), else what their browser asks for. The zone is what their browser has told
(a cookie too, set by times.js); until then, and without scripts, times are in UTC and say so.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import contextmanager
from functools import cache, wraps
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Concatenate, ParamSpec, cast
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.decorators import sync_and_async_middleware

if TYPE_CHECKING:
    from collections.abc import Iterator

ZONE_COOKIE = "zone"
P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


@sync_and_async_middleware
def reader_middleware(
    get_response: Callable[[HttpRequest], HttpResponseBase] | Callable[[HttpRequest], Awaitable[HttpResponseBase]],
) -> Callable[[HttpRequest], HttpResponseBase] | Callable[[HttpRequest], Awaitable[HttpResponseBase]]:
    """
    Answer in the reader's language and zone.

    Django's LocaleMiddleware leaves the language active after the answer, for whatever the thread does next.
    """
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            with _as_read(request) as language:
                return _marked(await get_response(request), language)

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        with _as_read(request) as language:
            return _marked(cast(HttpResponseBase, get_response(request)), language)

    return answer


@contextmanager
def _as_read(request: HttpRequest) -> "Iterator[str]":
    language = translation.get_language_from_request(request)
    with translation.override(language), timezone.override(zone_of(request)):
        request.LANGUAGE_CODE = language  # as LocaleMiddleware sets it
        yield language


def address_names_language(view: View[P]) -> View[P]:
    """Answer in the language that the address names, `?lang=de`, where there is one: a frame is read as its page is."""

    @wraps(view)
    def answer(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        language = language_named(request.GET)
        if not language:
            return view(request, *args, **kwargs)
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = view(request, *args, **kwargs)
        response.headers["Content-Language"] = language
        return response

    return answer


def language_named(query: Mapping[str, str]) -> str:
    """Return the language that the query of an address names, "" for none that the site speaks."""
    code = query.get("lang", "")
    return code if code in dict(settings.LANGUAGES) else ""


def zone_of(request: HttpRequest) -> ZoneInfo | None:
    """Return the zone that the browser has told; None if it has not, or there is no such zone here."""
    return zone_named(request.COOKIES.get(ZONE_COOKIE, ""))


def zone_named(name: str) -> ZoneInfo | None:
    return ZoneInfo(name) if name in _zones() else None


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _marked(response: HttpResponseBase, language: str) -> HttpResponseBase:
    """Say what the answer depends on. What is public is the same for everybody, so caches may share it."""
    if not response.headers.get("Cache-Control", "").startswith("public"):
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        response.headers.setdefault("Content-Language", language)
    return response
