"""The addresses of the rooms."""

from django.urls import re_path

from apps.tournaments.realtime.consumers import TournamentConsumer
from apps.tournaments.realtime.match_consumer import MatchConsumer

# The id is taken as it is; RoomMiddleware has checked its spelling by then.
websocket_urlpatterns = [
    re_path(r"^ws/tournament/[^/]*/$", TournamentConsumer.as_asgi()),
    re_path(r"^ws/match/[^/]*/$", MatchConsumer.as_asgi()),
]
