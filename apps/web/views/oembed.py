"""
oEmbed, https://oembed.com: what a site that was given the address of one of our pages can show in its place.

Only of what everybody may see: of a draft it is not told that it exists.
"""

from urllib.parse import parse_qs, urlencode, urlsplit

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseNotFound, JsonResponse
from django.urls import Resolver404, resolve, reverse
from django.views.decorators.http import require_safe

from apps.errors import NotFound
from apps.tournaments.selectors import lists
from apps.web.framing import HEIGHTS, frame

WIDTH = 800
CACHE_SECONDS = 3600  # the frame keeps itself current; only its name and its colour are in the answer
_MAX_DIGITS = 6

# By the names of pages: what stands in for them.
_PARTS = {
    "tournament": "bracket",
    "bracket": "bracket",
    "matches": "matches",
    "schedule": "matches",
    "entrants": "bracket",
    "activity": "matches",
    "match": "match",
}


@require_safe
def oembed(request: HttpRequest) -> HttpResponse:
    """
    Answer as the specification says: 404 for what is not ours or not public, 501 for a format other than JSON.

    At most two queries.
    """
    if request.GET.get("format", "json") != "json":
        return HttpResponse("Only format=json is answered.\n", status=501, content_type="text/plain")
    limits = [request.GET.get(name, "") for name in ("maxwidth", "maxheight")]
    if not all(_is_size(limit) for limit in limits):
        return HttpResponseBadRequest("maxwidth and maxheight are numbers of pixels.\n", content_type="text/plain")
    found = _embed_of(request, request.GET.get("url", ""))
    if found is None:
        return HttpResponseNotFound("This is not the address of a public tournament or match here.\n", "text/plain")
    path, title, height = found
    width, height = (min(size, int(most or size)) for size, most in zip((WIDTH, height), limits, strict=True))
    source = request.build_absolute_uri(path)
    answer = JsonResponse(
        {
            "version": "1.0",
            "type": "rich",
            "provider_name": "DeltaCrown",
            "provider_url": request.build_absolute_uri("/"),
            "title": title,
            "cache_age": CACHE_SECONDS,
            "width": width,
            "height": height,
            "html": frame(source, title, width=width, height=height),
        }
    )
    answer["Access-Control-Allow-Origin"] = "*"
    answer["Cache-Control"] = f"public, max-age={CACHE_SECONDS}"
    return answer


def _is_size(text: str) -> bool:
    return text == "" or (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS and int(text) > 0)


def _embed_of(request: HttpRequest, url: str) -> tuple[str, str, int] | None:
    """Return the path, the title and the usual height of what stands in for a page, None when nothing does."""
    try:
        parts = urlsplit(url)
        page = resolve(parts.path)
    except (ValueError, Resolver404):
        return None
    if parts.scheme not in ("http", "https") or parts.netloc != request.get_host():
        return None
    what = _PARTS.get(page.url_name or "")
    if what is None:
        return None
    try:
        if what == "match":
            match, _ = lists.match_for(AnonymousUser(), page.kwargs["match_id"])
            names = " – ".join(entry.name if entry else "?" for entry in (match.home, match.away))
            path = reverse("embed-match", args=[match.tournament_id, match.pk])
            return path, f"{names}, {match.tournament.name}", HEIGHTS[what]
        tournament, _ = lists.tournament_for(AnonymousUser(), page.kwargs["tournament_id"])
    except NotFound:
        return None
    stage = parse_qs(parts.query).get("stage", [""])[0]
    query = f"?{urlencode({'stage': stage})}" if stage.isascii() and stage.isdigit() else ""
    return reverse(f"embed-{what}", args=[tournament.pk]) + query, tournament.name, HEIGHTS[what]
