"""Every HTTP address of the site. WebSocket addresses: apps/tournaments/realtime/routing.py."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from apps.api.api import api
from deltacrown import health

urlpatterns = [
    path("", include("apps.web.urls")),
    # Ways to sign in are managed on one's own page; allauth asks for this name.
    path("accounts/3rdparty/", RedirectView.as_view(pattern_name="me"), name="socialaccount_connections"),
    path("accounts/", include("allauth.urls")),
    path("_allauth/", include("allauth.headless.urls")),
    path("api/v1/", api.urls),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
]
