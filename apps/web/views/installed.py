"""What a browser needs to keep the site on a home screen and to be told things while no page is open."""

from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.http import require_safe

from apps.words import gettext as _

ACCENT = "#1d4ed8"


@require_safe
def service_worker(_request: HttpRequest) -> HttpResponse:
    """Answer with the worker. It stands at the root, for a worker sees only what lies below its own address."""
    response = HttpResponse(_worker(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response


@require_safe
def manifest(_request: HttpRequest) -> HttpResponse:
    """Answer with the web app manifest (W3C). Without one, an iPhone takes no notifications."""
    icons = [
        ("icon-192.png", "192x192", "any"),
        ("icon-512.png", "512x512", "any"),
        ("icon-maskable-512.png", "512x512", "maskable"),
    ]
    return JsonResponse(
        {
            "id": "/",
            "name": "DeltaCrown",
            "short_name": "DeltaCrown",
            "description": _("Live tournaments: your matches, scores and brackets."),
            "start_url": reverse("me"),
            "scope": "/",
            "display": "standalone",
            "background_color": "#ffffff",
            "theme_color": ACCENT,
            "icons": [
                {"src": static(f"web/img/{name}"), "sizes": sizes, "type": "image/png", "purpose": purpose}
                for name, sizes, purpose in icons
            ],
        },
        content_type="application/manifest+json",
    )


@cache
def _worker() -> bytes:
    path = finders.find("web/js/sw.js")
    if not isinstance(path, str):
        raise FileNotFoundError("web/js/sw.js")
    return Path(path).read_bytes()
