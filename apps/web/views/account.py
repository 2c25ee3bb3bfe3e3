"""One's own page: what to play next, and one's tournaments."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from apps.accounts.models import User
from apps.errors import AuthenticationRequired
from apps.eventlog import log
from apps.tournaments import permissions
from apps.tournaments.models import Entry, Status
from apps.tournaments.selectors import lists
from apps.tournaments.selectors import pages as selectors
from apps.tournaments.selectors import teams as team_selectors
from apps.tournaments.selectors.ratings import ratings_of
from apps.web.pages import Failure, Live, page, show
from apps.web.present.mine import my_match
from apps.web.present.names import Names
from apps.web.present.shown import match_shown
from apps.web.views.home import accents
from apps.web.views.matches import match_live
from engine.projection import empty
from engine.text import gettext as _


@page
def me(request: HttpRequest, *, failure: Failure | None = None) -> HttpResponse:
    """Show the next match first: it is why a player opens this page."""
    if not isinstance(request.user, User):
        raise AuthenticationRequired(_("Sign in to see your page."))
    playing = list(lists.my_open_matches(request.user)[:20])
    open_matches = [match for match in playing if permissions.side_of(request.user, match)]
    entries = list(lists.my_entries(request.user)[:50])
    staffed = selectors.staffed_tournaments(request.user)
    context: dict[str, Any] = {
        "entries": entries,
        "staffed": staffed,
        "open_matches": open_matches[1:],
        "team_matches": [match for match in playing if match not in open_matches],
        "teams": team_selectors.joined_by(request.user),
        "invitations": team_selectors.invitations_of(request.user),
        "ratings": ratings_of(request.user),
        "accents": accents([*staffed, *(entry.tournament for entry in entries)]),
    }
    live: Live | None = None
    if open_matches:
        following = open_matches[0]
        side = permissions.side_of(request.user, following)
        live, around = match_live(following, side)
        shown = match_shown(live.state, live.state["matches"][str(following.pk)])
        context |= {
            "m": shown,
            "my": my_match(live.state, shown, side.value) if side else None,
            "t": following.tournament,
            "place": Names(live.state["stages"].values(), around.last_rounds).place(shown),
        }
    else:
        live = _waiting_room(entries)
    return show(request, "web/me.html", context, regions={"next": "web/me/_next.html"}, live=live, failure=failure)


def _waiting_room(entries: list[Entry]) -> Live | None:
    """Listen to the tournament in which the next match will come, before there is one."""
    waits = next(
        (e.tournament for e in entries if e.tournament.status not in (Status.COMPLETED, Status.CANCELLED)), None
    )
    if waits is None:
        return None
    position = log.positions([waits.stream])[waits.stream]
    return Live(f"tournament:{waits.pk}", position, empty())
