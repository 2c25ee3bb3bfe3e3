"""Parts of a public tournament for other people's pages, in a frame: no session, no form, links lead out of it."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.errors import NotFound
from apps.eventlog.log import PUBLIC
from apps.tournaments.selectors import lists
from apps.tournaments.selectors.snapshots import tournament_snapshot
from apps.web.framing import framed
from apps.web.pages import Live, show
from apps.web.present.names import Names, names_of
from apps.web.present.shown import feeders, match_shown
from apps.web.reader import address_names_language
from apps.web.views.tournaments import stage_shown
from apps.words import gettext, said
from engine.match_flow import OVER
from engine.projection import State

THEMES = ("light", "dark")
OVER_SHOWN = 12  # results in a list of matches, the latest first


@require_safe
@address_names_language
def bracket(request: HttpRequest, tournament_id: int) -> HttpResponse:
    """Show the bracket, or the rounds, of a stage, `?stage=` its number."""
    return _embed(request, tournament_id, "bracket")


@require_safe
@address_names_language
def standings(request: HttpRequest, tournament_id: int) -> HttpResponse:
    """Show the tables of a league, `?stage=` its number."""
    return _embed(request, tournament_id, "standings")


@require_safe
@address_names_language
def matches(request: HttpRequest, tournament_id: int) -> HttpResponse:
    """List the matches: in play, to come, over."""
    return _embed(request, tournament_id, "matches")


@require_safe
@address_names_language
def match(request: HttpRequest, tournament_id: int, match_id: int) -> HttpResponse:
    return _embed(request, tournament_id, "match", match_id)


def _embed(request: HttpRequest, tournament_id: int, what: str, match_id: int | None = None) -> HttpResponse:
    """Seven queries. Nobody is signed in here: what a frame shows on another site is what everybody may see."""
    request.user = AnonymousUser()
    try:
        tournament, _role = lists.tournament_for(request.user, tournament_id)
    except NotFound as error:
        raise Http404(said(error.text)) from error
    snapshot = tournament_snapshot(tournament.pk, audience=PUBLIC)
    state = snapshot.data
    row = state["matches"].get(str(match_id))
    if what == "match" and row is None:
        raise Http404(gettext("There is no such match."))
    names = names_of(state)
    theme = request.GET.get("theme", "")
    context: dict[str, Any] = {
        "t": state["tournament"],
        "what": what,
        "template": f"web/embed/_{what}.html",
        "theme": theme if theme in THEMES else "",
        "now": timezone.now(),
    }
    if row is not None:
        shown = match_shown(state, row)
        context |= {"m": shown, "place": names.place(shown)}
    elif what == "matches":
        context["lists"] = _lists(state, names)
    else:
        context |= stage_shown(state, request.GET) | {"followed": ()}  # a frame has no forms
    live = Live(f"tournament:{tournament.pk}", snapshot.position, state)
    response = show(request, "web/embed/page.html", context, regions={"embed": f"web/embed/_{what}.html"}, live=live)
    return framed(request, response, by="*")


def _lists(state: State, names: Names) -> list[tuple[str, list[tuple[Any, str]]]]:
    known = feeders(state)
    shown = [match_shown(state, row, known) for row in state["matches"].values()]
    over = sorted((m for m in shown if m.state in OVER and m.completed_at), key=lambda m: m.completed_at or "")
    parts = {
        "live": [m for m in shown if m.state in ("live", "pending_result", "disputed")],
        "next": [m for m in shown if m.state in ("check_in", "ready")],
        "over": over[::-1][:OVER_SHOWN],
    }
    return [(name, [(m, names.place(m)) for m in found]) for name, found in parts.items() if found]
