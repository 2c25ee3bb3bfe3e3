"""The organiser's console: run matches, entrants, settings, staff. Referees see what they may do."""

from collections.abc import Callable, Mapping

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from apps.errors import AppError, BadRequest, PermissionDenied
from apps.eventlog.log import STAFF
from apps.tournaments import permissions
from apps.tournaments.models import EntryStatus, Role
from apps.tournaments.models.entry import ACTIVE
from apps.tournaments.selectors import lists, moderation
from apps.tournaments.services import Actor, Done, brackets, entries, tournaments
from apps.web.commands import actor, carry_out, cleaned, command_id, refused, show_again
from apps.web.forms import DrawForm, lines_of, seed_order, settings_in
from apps.web.pages import Failure, page, show
from apps.web.present.console import next_step
from apps.web.present.entrants import listed
from apps.web.present.mine import late_entry
from apps.web.present.seeding import first_round
from apps.web.present.stages import in_order
from apps.web.veto_settings import veto_fields
from apps.web.views.entries import rules_shown
from apps.web.views.tournaments import Visit, visit
from apps.words import gettext, ngettext, said
from engine.bracket import MAX_ENTRANTS, MIN_ENTRANTS
from engine.stages import Format, StageSettings
from engine.text import gettext as _

MAX_LINES = 128
SENTENCES = 3  # of refusals that are shown in full

_BEFORE_PLAY = ("draft", "published", "registration_open", "registration_closed")


def staff_visit(request: HttpRequest, tournament_id: int, tab: str) -> Visit:
    """
    Read the console's data.

    Raises:
        PermissionDenied: the person is not on the staff.
    """
    seen = visit(request, tournament_id, tab=tab, audience=STAFF)
    if not permissions.is_staff(seen.role):
        permissions.require("start_match", request.user, seen.role)
        raise PermissionDenied(_("Only a referee or organiser of this tournament can open its console."))
    status = seen.tournament.status
    seen.context.update(
        {
            "before_play": status in _BEFORE_PLAY,
            "drawn": bool(seen.context["all_matches"]),
            "over": status in ("completed", "cancelled"),
            "steps": _steps(seen),
            "next": next_step(seen.live.state, seen.names),
            "reported": moderation.open_reports(seen.tournament),
        }
    )
    return seen


def organizer_visit(request: HttpRequest, tournament_id: int, tab: str) -> Visit:
    """Read the data of a page of the console that is for organisers. Raises PermissionDenied as `staff_visit` does."""
    seen = staff_visit(request, tournament_id, tab)
    permissions.require("edit_tournament", request.user, seen.role)
    return seen


@page
def entrants(request: HttpRequest, tournament_id: int, *, failure: Failure | None = None) -> HttpResponse:
    seen = staff_visit(request, tournament_id, "manage-entrants")
    state = seen.live.state
    seen.context.update(
        {
            **listed(state),
            "added_limit": MAX_LINES,
            "has_entrants": any(row["status"] in ACTIVE for row in state["entries"].values()),
            "late_entry": late_entry(state),
        }
    )
    if seen.role >= Role.ORGANIZER:
        seen.context["rules"] = rules_shown(seen)
    first = next(iter(in_order(state)), None)
    if first is not None and not seen.context["drawn"]:
        options = StageSettings(groups=first["groups"], third_place_match=first["third_place_match"])
        seen.context["first_round"] = first_round(Format(first["format"]), options, len(seen.context["confirmed"]))
    return console(request, "entrants", seen, failure)


@page
def settings(request: HttpRequest, tournament_id: int, *, failure: Failure | None = None) -> HttpResponse:
    seen = staff_visit(request, tournament_id, "manage-settings")
    permissions.require("edit_tournament", request.user, seen.role)
    seen.context.update(
        {
            "least": MIN_ENTRANTS,
            "most": MAX_ENTRANTS,
            "form_id": "settings",
            "veto_forms": [veto_fields(row) for row in seen.live.state["stages"].values()],
            "values": seen.context["t"],
        }
    )
    return console(request, "settings", seen, failure)


def console(
    request: HttpRequest, name: str, seen: Visit, failure: Failure | None, more: Mapping[str, str] | None = None
) -> HttpResponse:
    """Show a page of the console. `more`: its regions besides those that all have."""
    regions = {
        "head": "web/tournament/_head.html",
        "tabs": "web/manage/_tabs.html",
        "steps": "web/manage/_steps.html",
        name: f"web/manage/_{name}.html",
        **(more or {}),
    }
    template = f"web/manage/{name}.html"
    return show(request, template, seen.context, regions=regions, live=seen.live, failure=failure)


# The way of a tournament ---------------------------------------------------------------------------------------------

_STEPS: dict[str, tuple[Callable[[Actor, int], Done], str, str]] = {
    "publish": (tournaments.publish, "publish_tournament", _("Published. Everybody can see the tournament.")),
    "open-registration": (tournaments.open_registration, "open_registration", _("Registration is open.")),
    "close-registration": (tournaments.close_registration, "close_registration", _("Registration is closed.")),
    "generate": (brackets.generate, "generate_bracket", _("The bracket is drawn.")),
    "cancel": (tournaments.cancel, "cancel_tournament", _("The tournament is cancelled.")),
}


@require_POST
def step(request: HttpRequest, tournament_id: int, name: str) -> HttpResponse:
    """Lead the tournament on: publish, open or close registration, draw the bracket, cancel."""
    service, _, done = _STEPS[name]
    host = reverse("manage", args=[tournament_id])
    return carry_out(request, lambda: service(actor(request), tournament_id), form=name, done=done, host=host)


def _steps(seen: Visit) -> list[tuple[str, bool]]:
    """Return the stations of a tournament's way, and which of them lie behind."""
    status = seen.tournament.status
    begun = status in ("live", "completed")
    return [
        (gettext("Published"), status != "draft"),
        (gettext("Registration"), begun or status == "registration_closed"),
        (gettext("Bracket drawn"), bool(seen.context["all_matches"])),
        (gettext("In play"), begun),
        (gettext("Champion"), status == "completed"),
    ]


# Entrants ------------------------------------------------------------------------------------------------------------


@require_POST
def add_entrants(request: HttpRequest, tournament_id: int) -> HttpResponse:
    """
    Enter one name a line, each by its own command. Names that are refused stay in the box, with the reasons.

    Sent twice, every name still has one effect: each line's command id comes from the form's.
    """
    host = reverse("manage-entrants", args=[tournament_id])
    names = lines_of(request.POST.get("names", ""))
    try:
        if not names:
            raise BadRequest(_("Write at least one name, one on each line."), field="names")
        if len(names) > MAX_LINES:
            raise BadRequest(
                _("These are {count} names; at most {most} go in at once.", count=len(names), most=MAX_LINES),
                field="names",
            )
        refusals = _add_each(request, tournament_id, names)
    except AppError as error:
        return refused(request, error, form="add", host=host)
    added = len(names) - len(refusals)
    done = ngettext("{count} entrant added.", "{count} entrants added.", added)
    if refusals:
        sentences = list(dict.fromkeys(said(error.text) for _name, error in refusals))
        told = [*([done] if added else []), *sentences[:SENTENCES]]
        if (more := len(sentences) - SENTENCES) > 0:
            told.append(ngettext("And {count} more.", "And {count} more.", more))
        failure = Failure(
            "add",
            " ".join(told),
            refusals[0][1].http_status,
            about="names",
            typed={"names": "\n".join(name for name, _error in refusals)},
        )
        return show_again(request, failure, host=host)
    messages.success(request, done)
    return HttpResponseRedirect(host)


def _add_each(request: HttpRequest, tournament_id: int, names: list[str]) -> list[tuple[str, AppError]]:
    refusals: list[tuple[str, AppError]] = []
    base = command_id(request)
    for number, name in enumerate(names, start=1):
        try:
            entries.add(Actor(request.user, f"{base}.{number}" if base else ""), tournament_id, name=name)
        except AppError as error:
            if error.http_status in (401, 403, 404):
                raise  # the same for every line
            refusals.append((name, error))
    return refusals


@require_POST
def seed(request: HttpRequest, tournament_id: int) -> HttpResponse:
    """Set the seeds by the numbers in the form and, with `move`, push one entrant a place up or down."""

    def act() -> Done:
        tournament, _ = lists.tournament_for(request.user, tournament_id)
        confirmed = lists.entries_of(tournament, statuses=[EntryStatus.CONFIRMED])
        present = [e.pk for e in sorted(confirmed, key=lambda e: (e.seed is None, e.seed or 0, e.pk))]
        return entries.seed(actor(request), tournament_id, order=seed_order(request.POST, present))

    host = reverse("manage-entrants", args=[tournament_id])
    done = "" if request.POST.get("move") else _("Seeds saved.")
    back = f"{host}#seeds"
    return carry_out(request, act, form="seed", done=done, host=host, back=lambda _done: back)


@require_POST
def draw(request: HttpRequest, tournament_id: int) -> HttpResponse:
    """Draw the seeds at random; with a draw seed, repeat the draw that it belongs to."""

    def act() -> Done:
        number = cleaned(DrawForm(request.POST))["draw_seed"]
        return entries.seed(actor(request), tournament_id, draw_seed=number)

    host = reverse("manage-entrants", args=[tournament_id])
    back = f"{host}#seeds"
    return carry_out(request, act, form="draw", done=_("Seeds drawn."), host=host, back=lambda _done: back)


@require_POST
def seed_by_rating(request: HttpRequest, tournament_id: int) -> HttpResponse:
    """Seed the strongest first."""
    host = reverse("manage-entrants", args=[tournament_id])
    return carry_out(
        request,
        lambda: entries.seed(actor(request), tournament_id, by_rating=True),
        form="seed-by-rating",
        done=_("Seeded by rating."),
        host=host,
        back=lambda _done: f"{host}#seeds",
    )


# Settings --------------------------------------------------------------------------------------------------


@require_POST
def save_settings(request: HttpRequest, tournament_id: int) -> HttpResponse:
    def act() -> Done:
        return tournaments.edit(actor(request), tournament_id, **settings_in(request.POST))

    host = reverse("manage-settings", args=[tournament_id])
    return carry_out(request, act, form="settings", done=_("Settings saved."), host=host)
