"""Overlays for OBS: pages without a ground, that whoever has their address may see."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.errors import NotFound
from apps.eventlog.log import PUBLIC
from apps.tournaments.selectors.overlays import overlaid
from apps.tournaments.selectors.snapshots import tournament_snapshot
from apps.web.framing import framed
from apps.web.overlay_options import KINDS, TITLES, Options, options_in
from apps.web.pages import Live, show
from apps.web.present import overlays as present
from apps.web.present.names import Names, names_of
from apps.web.present.veto import veto_shown
from apps.web.reader import address_names_language
from apps.words import said
from engine.projection import State


@require_safe
@address_names_language
def overlay(request: HttpRequest, tournament_id: int, kind: str) -> HttpResponse:
    """Show one overlay. Seven queries, nobody's session among them: OBS has none, and a preview shows the same."""
    try:
        tournament = overlaid(tournament_id, request.GET.get("key", ""))
    except NotFound as error:
        return _framed(request, render(request, "web/overlay/ended.html", {"message": said(error.text)}, status=404))
    snapshot = tournament_snapshot(tournament.pk, audience=PUBLIC)
    state, options = snapshot.data, options_in(KINDS[kind], request.GET)
    template = f"web/overlay/_{kind.replace('-', '_')}.html"
    context = {
        "t": state["tournament"],
        "kind": kind,
        "title": TITLES[kind],
        "template": template,
        "options": options,
        "ink": present.ink_on(state["tournament"]["accent"]),
        **content(kind, state, options, names_of(state)),
    }
    live = Live(f"tournament:{tournament.pk}", snapshot.position, state)
    response = show(request, "web/overlay/page.html", context, regions={"overlay": template}, live=live)
    return _framed(request, response)


def content(kind: str, state: State, options: Options, names: Names) -> dict[str, Any]:
    """Return what the template of an overlay shows; nothing, when there is no match that it could be about."""
    now = timezone.now()
    if kind in _ABOUT_ALL:
        return _ABOUT_ALL[kind](state, options, names, now)
    row = present.shown_match(state, options)
    if row is None:
        return {}
    if kind == "bracket":
        return {"way": present.way(state, row, names)}
    found: dict[str, Any] = {"placed": present.placed(state, row, names)}
    if kind == "veto":
        found["veto"] = veto_shown(state, row, side=None, is_referee=False, now=now)
    return found


# What is about the tournament, not about one match of it.
_ABOUT_ALL: dict[str, Callable[[State, Options, Names, datetime], dict[str, Any]]] = {
    "next": lambda state, options, names, _now: {"rows": present.next_up(state, options, names)},
    "results": lambda state, options, names, _now: {"rows": present.results(state, options, names)},
    "standings": lambda state, options, names, _now: present.standings(state, options, names),
    "check-in": lambda state, _options, _names, now: {"check_in": present.check_in(state, now)},
}


def _framed(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    # The console previews overlays; OBS puts a broadcaster's own CSS into the page as a style element.
    return framed(request, response, by="'self'", own_styles=True)
