"""The list of tournaments, and creating one."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from apps.tournaments.models import Status, Tournament
from apps.tournaments.permissions import require
from apps.tournaments.selectors import pages as selectors
from apps.tournaments.services import Done, tournaments
from apps.web.commands import actor, carry_out
from apps.web.forms import settings_in
from apps.web.pages import Failure, page, show
from apps.web.stage_forms import NEW_STAGE, choices, stage_values
from apps.web.views.wizard import steps_of, suggested_name
from apps.words import said
from engine.bracket import MAX_ENTRANTS, MIN_ENTRANTS
from engine.stages import Format
from engine.text import gettext as _

OPEN_LIMIT = 60
FINISHED_ON_HOME = 9
FINISHED_ON_PAGE = 30

_HEADINGS = {
    Status.LIVE: _("Live tournaments"),
    Status.REGISTRATION_OPEN: _("Open for registration"),
    Status.REGISTRATION_CLOSED: _("Starting soon"),
    Status.PUBLISHED: _("Upcoming"),
    Status.DRAFT: _("Your drafts"),
}


@page
def home(request: HttpRequest, *, failure: Failure | None = None) -> HttpResponse:
    """List the tournaments: those in play first, then those that can be entered, then what was and what will be."""
    open_ones = selectors.open_tournaments(request.user, limit=OPEN_LIMIT)
    live = [t for t in open_ones if t.status == Status.LIVE]
    finished = list(selectors.finished_tournaments(request.user)[: FINISHED_ON_HOME + 1])
    context = {
        "groups": [(said(label), [t for t in open_ones if t.status == status]) for status, label in _HEADINGS.items()],
        "finished": finished[:FINISHED_ON_HOME],
        "more_finished": len(finished) > FINISHED_ON_HOME,
        "progress": selectors.match_progress(live) if live else {},
        "live_matches": selectors.live_matches(live, limit=6) if live else [],
        "any_open": bool(open_ones),
        "accents": accents([*open_ones, *finished]),
    }
    return show(request, "web/home.html", context, regions={"home": "web/home/_list.html"}, failure=failure)


@page
def finished(request: HttpRequest, *, failure: Failure | None = None) -> HttpResponse:
    """List all tournaments that are over, page by page."""
    shown = Paginator(selectors.finished_tournaments(request.user), FINISHED_ON_PAGE).get_page(request.GET.get("page"))
    context = {"shown": shown, "accents": accents(shown)}
    return show(request, "web/finished.html", context, failure=failure)


@page
def new(request: HttpRequest, *, failure: Failure | None = None) -> HttpResponse:
    """Ask for a new tournament's settings."""
    require("create_tournament", request.user)
    context: dict[str, Any] = {
        "least": MIN_ENTRANTS,
        "most": MAX_ENTRANTS,
        "form_id": "settings",
        "values": {"confirm_minutes": 15, "name": suggested_name(request.user.get_username())},
        "wizard": steps_of(None, "setup-name"),
        "new_stage": NEW_STAGE,
        "stage_choices": choices(),
    }
    return show(request, "web/new.html", context, failure=failure)


@require_POST
def create(request: HttpRequest) -> HttpResponse:
    def act() -> Done:
        stage = stage_values(request.POST)
        played_as = Format(stage.pop("format", Format.SINGLE_ELIMINATION))
        third = bool(stage.pop("third_place_match", True))
        settings = settings_in(request.POST)
        return tournaments.create(actor(request), format=played_as, third_place_match=third, stage=stage, **settings)

    return carry_out(
        request,
        act,
        form="settings",
        done="",
        host=reverse("new"),
        back=lambda done: reverse("setup-format", args=[done.ids["tournament_id"]]),
    )


def accents(found: Any) -> str:
    """Return the colours of a list of tournaments, as the style sheet's address names them."""
    rows: list[Tournament] = list(found)
    return "-".join(sorted({t.accent.lstrip("#") for t in rows}))
