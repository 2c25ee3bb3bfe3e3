"""The organiser's console during play: one board of all matches, the bracket, and a match beside either."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from apps.errors import AppError
from apps.tournaments.models import Status
from apps.tournaments.selectors import pages as selectors
from apps.tournaments.services import Actor, Done, notices, reopening
from apps.web.commands import MAX_VERSION_DIGITS, actor, carry_out, refused, wants_json
from apps.web.pages import Failure, page
from apps.web.present.board import queues
from apps.web.present.names import Names
from apps.web.present.results import kept_text, reports
from apps.web.views.manage import console, staff_visit
from apps.web.views.tournaments import Visit, stage_shown
from apps.words import gettext as _

_PANEL = {"panel": "web/console/_panel.html", "announce": "web/console/_announce.html"}
_BRACKET = {
    "stages": "web/tournament/_stages.html",
    "standings": "web/tournament/_standings.html",
    "bracket": "web/tournament/_bracket.html",
}


@page
def board(request: HttpRequest, tournament_id: int, *, failure: Failure | None = None) -> HttpResponse:
    """Show the matches as a queue, what needs a person first; with `?match=` one of them beside it."""
    seen = staff_visit(request, tournament_id, "manage")
    seen.context["stations_there"] = bool(seen.live.state["stations"])
    seen.context["queues"] = queues(seen.live.state, seen.names, seen.context["all_matches"], timezone.now())
    seen.context.update(panel(request, seen, failure), here=_here(request))
    return console(request, "board", seen, failure, _PANEL)


@page
def bracket(request: HttpRequest, tournament_id: int, *, failure: Failure | None = None) -> HttpResponse:
    """Show a stage, `?stage=` its number, with the match `?match=` beside it and all that can be done about it."""
    seen = staff_visit(request, tournament_id, "manage-bracket")
    seen.context.update(stage_shown(seen.live.state, request.GET))
    seen.context.update(panel(request, seen, failure), here=_here(request))
    return console(request, "bracket", seen, failure, {**_PANEL, **_BRACKET})


def _here(request: HttpRequest) -> str:
    """Return the address that a form on the page leads back to: with the match and stage that are looked at."""
    query = {name: request.GET[name] for name in ("stage", "match") if request.GET.get(name)}
    return f"{request.path}?{urlencode(query)}" if query else request.path


def panel(request: HttpRequest, seen: Visit, failure: Failure | None) -> dict[str, Any]:
    """
    Return what is shown of the match that is looked at, `?match=` its id, or of the one whose form was refused.

    Two queries in a dispute, up to three for any other.
    """
    wanted = request.GET.get("match", "")
    if failure is not None and request.method == "POST":
        _name, _dash, wanted = failure.form.rpartition("-")
    state = seen.live.state
    row = state["matches"].get(wanted) if len(wanted) <= 2 * MAX_VERSION_DIGITS else None
    if row is None:
        return {"m": None}
    match = next(shown for shown in seen.context["all_matches"] if shown.id == row["id"])
    pair = (row["home"], row["away"])
    kept = next((kept for kept in row["kept"] if (kept["home"], kept["away"]) == pair), None)
    disputed = row["state"] == "disputed"
    return {
        "m": match,
        "place": seen.names.place(match),
        "after": _goes_on(seen.names, match.winner_to, match.loser_to, seen.context["all_matches"], match.stage),
        "my": None,
        "is_staff": True,
        "may_referee": seen.tournament.status != Status.CANCELLED,
        "kept": kept_text(state, kept) if kept and row["state"] in ("ready", "check_in") else "",
        "disputes": selectors.disputes_of(match.id) if disputed else [],
        "reports": reports(state, row) if disputed else [],
        "reopening": None if disputed else selectors.last_reopening(match.id),
        "stations": list(state["stations"].values()),
        "slot": {
            "planned": row["scheduled_at"],
            "station": state["stations"].get(str(row["station"]), {}).get("name", ""),
            "station_id": row["station"],
            "called_at": row["called_at"],
            "deadline_at": row["deadline_at"],
            "is_open": not match.over,
        },
    }


def _goes_on(
    names: Names, winner_to: int | None, loser_to: int | None, matches: Any, stage: int
) -> list[tuple[str, int, str]]:
    """Return where the winner and the loser of a match go, as (a word, the number of the match, its place)."""
    by_number = {match.number: match for match in matches if match.stage == stage}
    ways = ((_("Winner"), winner_to), (_("Loser"), loser_to))
    return [(word, to, names.place(by_number[to])) for word, to in ways if to is not None and to in by_number]


@require_POST
def take_back(request: HttpRequest, match_id: int) -> HttpResponse:
    """
    Take a result back at once when no other match loses anything by it; else show first what it would undo.

    It is what the toast after a result offers.
    """
    host = reverse("match", args=[match_id])
    preview = reverse("match-reopen", args=[match_id])
    try:
        effects = reopening.preview(Actor(request.user), match_id)
    except AppError as error:
        return refused(request, error, form=f"take-back-{match_id}", host=host)
    if effects.voided or effects.withdrawn:
        said = _("Other matches would lose their results by it. See which, then decide.")
        if wants_json(request):
            return JsonResponse({"ok": False, "message": said, "go": preview}, status=409)
        messages.warning(request, said)
        return HttpResponseRedirect(preview)

    def way_back(done: Done) -> str:
        return reverse("match-undo", args=[match_id, done.ids["reopening_id"]])

    return carry_out(
        request,
        lambda: reopening.reopen(actor(request), match_id, token=effects.token),
        form=f"take-back-{match_id}",
        done=_("The result was taken back."),
        host=host,
        undo=way_back,
    )


def take_back_of(done: Done) -> str:
    """Return the address that takes back the result that a command has just given."""
    return reverse("match-take-back", args=[done.ids["match_id"]])


# Announcements -------------------------------------------------------------------------------------------------------


@require_POST
def announce(request: HttpRequest, tournament_id: int) -> HttpResponse:
    return carry_out(
        request,
        lambda: notices.announce(actor(request), tournament_id, text=request.POST.get("text", "")),
        form="announce",
        done=_("Announced. It stands on top of every page of the tournament."),
        host=reverse("manage", args=[tournament_id]),
        undo=lambda done: reverse("take-down", args=[tournament_id, done.ids["notice_id"]]),
    )


@require_POST
def take_down(request: HttpRequest, tournament_id: int, notice_id: int) -> HttpResponse:
    return carry_out(
        request,
        lambda: notices.take_down(actor(request), tournament_id, notice_id),
        form=f"notice-{notice_id}",
        done=_("The announcement was taken down."),
        host=reverse("manage", args=[tournament_id]),
    )
