"""The ASGI entry point: HTTP to Django, WebSockets to the rooms."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deltacrown.settings")
django_application = get_asgi_application()  # sets Django up; the imports below need that

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from apps.tournaments.realtime.drain import DrainMiddleware  # noqa: E402
from apps.tournaments.realtime.middleware import (  # noqa: E402
    JWTAuthMiddleware,
    OriginMiddleware,
    RoomMiddleware,
    ScrubMiddleware,
)
from apps.tournaments.realtime.middleware_ratelimit import HandshakeMiddleware, RateLimitMiddleware  # noqa: E402
from apps.tournaments.realtime.record import RecordMiddleware  # noqa: E402
from apps.tournaments.realtime.routing import websocket_urlpatterns  # noqa: E402
from apps.tournaments.realtime.sse import SSEMiddleware  # noqa: E402

# Cheapest first: the address, how often it asks, where from, who asks; the consumer opens the room, and its acceptance
# takes a place.
router = RateLimitMiddleware(URLRouter(websocket_urlpatterns))
rooms = RoomMiddleware(DrainMiddleware(HandshakeMiddleware(OriginMiddleware(JWTAuthMiddleware(router)))))
websockets = ScrubMiddleware(RecordMiddleware(rooms))
application = ProtocolTypeRouter({"http": SSEMiddleware(websockets, django_application), "websocket": websockets})
