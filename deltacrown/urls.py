"""Every HTTP address of the site. WebSocket addresses: apps/tournaments/realtime/routing.py."""

from django.contrib import admin
from django.urls import include, path

from apps.api.api import api
from deltacrown import health, ops

urlpatterns = [
    path("", include("apps.web.urls")),
    path("accounts/", include("allauth.urls")),
    path("_allauth/", include("allauth.headless.urls")),
    path("api/v1/", api.urls),
    path("admin/", admin.site.urls),
    path("ops/", ops.ops, name="ops"),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
]
