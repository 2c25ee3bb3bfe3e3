"""Every HTTP address of the site. WebSocket addresses: apps/tournaments/realtime/routing.py."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from django.views.defaults import bad_request
from django.views.generic import RedirectView
from django.views.i18n import set_language

from apps.api import errors
from apps.api.api import api
from deltacrown import health, ops

API = "api/v1/"

urlpatterns = [
    path("", include("apps.web.urls")),
    # Ways to sign in are managed on one's own page; allauth asks for this name.
    path("accounts/3rdparty/", RedirectView.as_view(pattern_name="me"), name="socialaccount_connections"),
    path("accounts/", include("allauth.urls")),
    path("_allauth/", include("allauth.headless.urls")),
    path(API, api.urls),
    # Without a token, which every visitor would need for the foot of the page; nobody gains by another's language.
    path("language/", csrf_exempt(set_language), name="set_language"),
    path("admin/", admin.site.urls),
    path("ops/", ops.ops, name="ops"),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
]


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what a middleware refused: programs get a problem, people a page."""
    refuse = errors.refused_by_middleware if request.path_info.startswith(f"/{API}") else bad_request
    return refuse(request, exception)
