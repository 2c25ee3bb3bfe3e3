"""One's own page: what to do now in each of one's tournaments, and one's teams."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from apps.accounts import ways
from apps.accounts.models import User
from apps.errors import AuthenticationRequired
from apps.tournaments.selectors import pages as selectors
from apps.tournaments.selectors import teams as team_selectors
from apps.tournaments.selectors.desk import Seat, seats_of
from apps.tournaments.selectors.ratings import ratings_of
from apps.web.pages import Failure, page, show
from apps.web.present.desk import Card, cards
from apps.web.views.home import accents
from engine.match_flow import BEGUN
from engine.text import gettext as _

MOST_ROOMS = 4  # and one match's: a person has ten connections at a time (WS_RATE_CONN_PER_USER), and perhaps two pages
_FINISHED = 5


@page
def me(request: HttpRequest, *, failure: Failure | None = None) -> HttpResponse:
    """Show what asks for the person first. Up to 12 queries, however many tournaments those are."""
    if not isinstance(request.user, User):
        raise AuthenticationRequired(_("Sign in to see your page."))
    seats = seats_of(request.user)
    shown = cards(seats, timezone.now())
    playing = [card for card in shown if not card.over]
    teams = list(team_selectors.my_teams(request.user))
    joined = [team for team in teams if getattr(team, "joined_at", None)]
    staffed = selectors.staffed_tournaments(request.user)
    context: dict[str, Any] = {
        "cards": playing,
        "finished": [card for card in shown if card.over][:_FINISHED],
        # A part that is asked for alone stays the same as long as nothing happens that concerns the person.
        "rooms": _rooms(playing, seats, with_positions="region" not in request.GET),
        "staffed": staffed,
        "teams": joined,
        "invitations": [team for team in teams if team not in joined],
        "ratings": ratings_of(request.user),
        "ways": ways.of(request, request.user),
        "accents": accents([*staffed, *(card.tournament for card in playing)]),
    }
    response = show(request, "web/me.html", context, regions={"next": "web/desk/_desk.html"}, failure=failure)
    response["Cache-Control"] = "private, no-cache"
    return response


def _rooms(playing: list[Card], seats: list[Seat], *, with_positions: bool) -> list[dict[str, Any]]:
    """
    Return the rooms that the page listens to, the most urgent first, and what in them is the person's.

    The room of the first match is among them, where others see that its player is here.
    """
    by_tournament = {seat.entry.tournament_id: seat for seat in seats}
    rooms: list[dict[str, Any]] = []
    for card in playing[:MOST_ROOMS]:
        seat = by_tournament[card.tournament.pk]
        match = card.my.match
        if not rooms and card.match and match and (match.state in ("check_in", "ready") or match.state in BEGUN):
            rooms.append(_room(f"match:{match.id}", seat))
        rooms.append(_room(f"tournament:{card.tournament.pk}", seat))
    return rooms if with_positions else [room | {"position": None} for room in rooms]


def _room(name: str, seat: Seat) -> dict[str, Any]:
    own = [row["id"] for row in seat.state["matches"].values() if seat.entry.pk in (row.get("home"), row.get("away"))]
    return {
        "room": name,
        "position": {"epoch": seat.position.epoch, "seq": seat.position.seq},
        "entry": seat.entry.pk,
        "matches": own,
        "whole": seat.number > 0 or bool(seat.tables),  # where others move, the person does
    }
