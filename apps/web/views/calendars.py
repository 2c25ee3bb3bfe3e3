"""Calendars to subscribe to: of a tournament for everybody, of one's own matches for whoever has the address."""

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, quote_etag
from django.views.decorators.http import require_safe

from apps.errors import NotFound
from apps.integrations import calendars
from apps.integrations.ical import CONTENT_TYPE
from apps.words import said


@require_safe
def tournament(request: HttpRequest, tournament_id: int) -> HttpResponse:
    return _answer(request, lambda: calendars.of_tournament(request.user, tournament_id))


@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """Answer to the token in the address, whoever sends it: programs that subscribe cannot sign in."""
    return _answer(request, lambda: calendars.of_token(request.GET.get("token", "")))


def _answer(request: HttpRequest, read: Callable[[], calendars.Feed]) -> HttpResponse:
    try:
        feed = read()
    except NotFound as error:
        raise Http404(said(error.text)) from error
    etag, changed_at = quote_etag(feed.etag), int(feed.changed_at.timestamp())
    response = HttpResponse(feed.body, CONTENT_TYPE)
    response["ETag"] = etag
    response["Last-Modified"] = http_date(changed_at)
    response["Cache-Control"] = "private, no-cache"
    response["Content-Disposition"] = 'inline; filename="schedule.ics"'
    return get_conditional_response(request, etag, changed_at, response) or response
