"""
From an idea to a published page: name, format, entrants, publish. And entrants from a pasted list, there and later.

The first step makes the draft, and every later one changes it, so that nothing typed is ever lost and each step can be
gone back to. Everything has a usual value: a person in a hurry presses Enter four times.
"""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from apps.errors import AppError, BadRequest
from apps.tournaments.exchange.csv_files import write_entrants
from apps.tournaments.exchange.entrant_lists import EntrantList
from apps.tournaments.exchange.entrant_lists import read_list as read_pasted
from apps.tournaments.models import Stage
from apps.tournaments.models.entry import ACTIVE
from apps.tournaments.selectors import lists
from apps.tournaments.services import Actor, Done, entry_imports, tournaments
from apps.tournaments.services import stages as stage_services
from apps.tournaments.services.stages import stage_settings
from apps.tournaments.state import stage_fields
from apps.web.commands import actor, carry_out, cleaned, command_id, refused
from apps.web.forms import settings_in
from apps.web.pages import Failure, page, show
from apps.web.present.outline import outline_shown
from apps.web.stage_forms import stage_values
from apps.web.views.manage import console, organizer_visit
from apps.web.views.tournaments import Visit
from apps.words import gettext as _
from apps.words import ngettext
from engine.bracket import MAX_ENTRANTS, MIN_ENTRANTS
from engine.errors import EngineError
from engine.stages import MAX_BEST_OF, Format

MAX_STATIONS = 64
SHOWN = 200  # entrants of a list in its preview
_WHOLE = {"required": gettext_lazy("is missing."), "invalid": gettext_lazy("is not a whole number.")}
_STEPS = (
    ("setup-name", gettext_lazy("Name")),
    ("setup-format", gettext_lazy("Format")),
    ("setup-entrants", gettext_lazy("Entrants")),
    ("setup-publish", gettext_lazy("Publish")),
)


class PictureForm(forms.Form):
    """What the picture of a format is drawn for."""

    capacity = forms.IntegerField(label=gettext_lazy("Entrants"), min_value=MIN_ENTRANTS, max_value=MAX_ENTRANTS)
    stations = forms.IntegerField(label=gettext_lazy("Stations"), min_value=1, max_value=MAX_STATIONS)
    minutes = forms.IntegerField(label=gettext_lazy("Minutes"), min_value=1, max_value=24 * 60)


def steps_of(tournament_id: int | None, here: str) -> list[tuple[str, str, bool, bool]]:
    """Return the steps as (address or "", word, is this one, lies behind)."""
    at = [name for name, _word in _STEPS].index(here)
    return [
        (reverse(name, args=[tournament_id]) if tournament_id else "", str(word), number == at, number < at)
        for number, (name, word) in enumerate(_STEPS)
    ]


def _step(
    request: HttpRequest, seen: Visit, name: str, more: Mapping[str, Any], failure: Failure | None
) -> HttpResponse:
    context = {**seen.context, "wizard": steps_of(seen.tournament.pk, name), **more}
    template = f"web/wizard/{name.removeprefix('setup-')}.html"
    regions = {"outline": "web/wizard/_outline.html"}
    return show(request, template, context, regions=regions, failure=failure)


# Name ----------------------------------------------------------------------------------------------------------------


def suggested_name(username: str) -> str:
    """Return a name that will do until there is a better one."""
    today = timezone.localdate()
    return _("{name}’s cup, {day}", name=username[:60], day=f"{today:%Y-%m-%d}")


@page
def name(request: HttpRequest, tournament_id: int, *, failure: Failure | None = None) -> HttpResponse:
    seen = organizer_visit(request, tournament_id, "setup")
    more = {"values": seen.context["t"], "form_id": "name", "least": MIN_ENTRANTS, "most": MAX_ENTRANTS}
    return _step(request, seen, "setup-name", more, failure)


@require_POST
def save_name(request: HttpRequest, tournament_id: int) -> HttpResponse:
    def act() -> Done:
        return tournaments.edit(actor(request), tournament_id, **settings_in(request.POST))

    host = reverse("setup-name", args=[tournament_id])
    onwards = reverse("setup-format", args=[tournament_id])
    return carry_out(request, act, form="name", done="", host=host, back=lambda _done: onwards)


# Format --------------------------------------------------------------------------------------------------------------


@page
def how_played(request: HttpRequest, tournament_id: int, *, failure: Failure | None = None) -> HttpResponse:
    """Ask for the format, with a picture of what each means; `?` the form's fields, to look before saving."""
    seen = organizer_visit(request, tournament_id, "setup")
    stage = seen.tournament.stages.get(number=1)
    asked = dict(failure.typed) if failure is not None else request.GET.dict()
    values = {
        "capacity": seen.tournament.capacity,
        "stations": 4,
        "minutes": seen.tournament.match_minutes,
        "format": stage.format,
        "best_of": stage.options.best_of,
        "best_of_final": stage.options.best_of_rounds.get("final", ""),
        "third_place_match": stage.options.third_place_match,
        "grand_final_reset": stage.options.grand_final_reset,
        "groups": stage.options.groups,
        **asked,
    }
    if "format" in asked:  # a box that is not ticked is not sent
        values |= {name: name in asked for name in ("third_place_match", "grand_final_reset")}
    more = {
        "values": values,
        "outlines": _outlines(values),
        "best_ofs": range(1, 10, 2),
        "most_games": MAX_BEST_OF,
        "least": MIN_ENTRANTS,
        "most": MAX_ENTRANTS,
        "most_stations": MAX_STATIONS,
        "entrants_there": seen.context["counts"].confirmed,
    }
    return _step(request, seen, "setup-format", more, failure)


def _outlines(values: Mapping[str, Any]) -> list[Any]:
    """Return the picture of every format, of what is asked where that makes sense, else of what is usual."""
    form = PictureForm(values)
    sizes = {name: 16 if name == "capacity" else 4 if name == "stations" else 30 for name in form.fields}
    form.is_valid()
    sizes |= form.cleaned_data
    found = []
    for played_as in Format:
        try:
            given = {
                "best_of": int(values["best_of"] or 1),
                "best_of_rounds": {"final": int(values["best_of_final"])} if values["best_of_final"] else {},
                "third_place_match": bool(values["third_place_match"]),
                "grand_final_reset": bool(values["grand_final_reset"]),
                "groups": int(values["groups"] or 1),
            }
            settings = stage_settings(played_as, given)
        except (ValueError, AppError, EngineError):  # said when the form is sent
            settings = stage_settings(played_as, {})
        found.append(
            outline_shown(
                played_as,
                settings,
                sizes["capacity"],
                stations=sizes["stations"],
                match_minutes=sizes["minutes"],
            )
        )
    return found


@require_POST
def save_format(request: HttpRequest, tournament_id: int) -> HttpResponse:
    """Save how the first stage is played, and for how many."""

    def act() -> Done:
        stage = Stage.objects.filter(tournament=tournament_id, number=1).first()
        values = stage_values(request.POST, before=stage_fields(stage) if stage else None)
        capacity = cleaned(PictureForm(request.POST))["capacity"]
        base = command_id(request)
        places = Actor(request.user, f"{base}.places" if base else "")
        tournaments.edit(places, tournament_id, capacity=capacity)
        return stage_services.edit(actor(request), stage.pk if stage else 0, **values)

    host = reverse("setup-format", args=[tournament_id])
    onwards = reverse("setup-entrants", args=[tournament_id])
    return carry_out(request, act, form="format", done="", host=host, back=lambda _done: onwards)


# Entrants ------------------------------------------------------------------------------------------------------------


@page
def entrants(
    request: HttpRequest, tournament_id: int, *, failure: Failure | None = None, posted: bool = False
) -> HttpResponse:
    """Ask who plays: people who sign up, a list, or both."""
    seen = organizer_visit(request, tournament_id, "setup")
    more = {
        **_list_context(request, seen, posted=posted),
        "here": reverse("setup-entrants", args=[tournament_id]),
        "signup": request.POST.get("signup", "") if posted else "on" if not seen.context["counts"].confirmed else "",
    }
    return _step(request, seen, "setup-entrants", more, failure)


@require_POST
def save_entrants(request: HttpRequest, tournament_id: int) -> HttpResponse:
    """Show what is understood of the list; add it when that has been seen; without a list go on."""
    text = request.POST.get("list", "")
    signup = bool(request.POST.get("signup"))
    onwards = reverse("setup-publish", args=[tournament_id]) + ("?signup=1" if signup else "?signup=0")
    host = reverse("setup-entrants", args=[tournament_id])
    if not text.strip():
        return HttpResponseRedirect(onwards)
    if request.POST.get("seen") != str(_fingerprint(text)):
        return entrants(request, tournament_id, posted=True)

    def act() -> Done:
        return _add(request, tournament_id, grows=True)

    return carry_out(request, act, form="list", done=_said, host=host, back=lambda _done: onwards)


@page
def entrant_list(
    request: HttpRequest, tournament_id: int, *, failure: Failure | None = None, posted: bool = False
) -> HttpResponse:
    """Take a pasted list of entrants: first what is understood of it, then the deed."""
    seen = organizer_visit(request, tournament_id, "manage-entrants")
    seen.context.update(_list_context(request, seen, posted=posted))
    seen.context["here"] = reverse("manage-list", args=[tournament_id])
    return console(request, "list", seen, failure)


@require_POST
def read_list(request: HttpRequest, tournament_id: int) -> HttpResponse:
    return entrant_list(request, tournament_id, posted=True)


@require_POST
def add_list(request: HttpRequest, tournament_id: int) -> HttpResponse:
    host = reverse("manage-list", args=[tournament_id])
    onwards = reverse("manage-entrants", args=[tournament_id])
    return carry_out(
        request,
        lambda: _add(request, tournament_id, grows=False),
        form="list",
        done=_said,
        host=host,
        back=lambda _done: onwards,
    )


def _list_context(request: HttpRequest, seen: Visit, *, posted: bool) -> dict[str, Any]:
    text = request.POST.get("list", "") if posted or request.method == "POST" else ""
    if not text.strip():
        return {"read": None, "text": ""}
    read = _read(text, list(seen.live.state["entries"].values()))
    free = max(seen.tournament.capacity - seen.context["counts"].confirmed, 0)
    return {
        "read": read,
        "text": text,
        "fingerprint": _fingerprint(text),
        "shown": read.entrants[:SHOWN],
        "beyond": max(len(read.entrants) - SHOWN, 0),
        "too_many": max(len(read.entrants) - free, 0),
    }


def _read(text: str, rows: list[Any]) -> EntrantList:
    active = [row for row in rows if row["status"] in ACTIVE]
    seeds = [row["seed"] for row in active if row["seed"] is not None]
    return read_pasted(text, names=[row["name"] for row in active], seeds=seeds)


def _fingerprint(text: str) -> int:
    """Return what tells whether a list was changed after it had been shown."""
    return sum((number + 1) * ord(character) for number, character in enumerate(text.replace("\r\n", "\n"))) % 10**9


def _add(request: HttpRequest, tournament_id: int, *, grows: bool) -> Done:
    """
    Enter everybody whom the list names, by one command. `grows`: a draft gets as many places as there are names.

    Raises:
        BadRequest: nobody is left to enter.
    """
    tournament, _role = lists.tournament_for(request.user, tournament_id)
    rows = list(tournament.entries.values("name", "seed", "status"))
    read = _read(request.POST.get("list", ""), rows)
    if not read.entrants:
        raise BadRequest(_("There is nobody on the list who could be entered."), field="list")
    needed = sum(row["status"] in ("confirmed", "offered") for row in rows) + len(read.entrants)
    base = command_id(request)
    if grows and needed <= MAX_ENTRANTS and tournament.capacity < needed:
        tournaments.edit(Actor(request.user, f"{base}.places" if base else ""), tournament_id, capacity=needed)
    return entry_imports.import_entries(actor(request), tournament_id, write_entrants(read.entrants))


def _said(done: Done) -> str:
    added = done.ids["added"]
    return ngettext("{count} entrant added.", "{count} entrants added.", added)


# Publish -------------------------------------------------------------------------------------------------------------


@page
def publish(request: HttpRequest, tournament_id: int, *, failure: Failure | None = None) -> HttpResponse:
    seen = organizer_visit(request, tournament_id, "setup")
    stage = seen.tournament.stages.get(number=1)
    confirmed = seen.context["counts"].confirmed
    outlined = outline_shown(
        Format(stage.format),
        stage.options,
        confirmed if confirmed >= MIN_ENTRANTS else seen.tournament.capacity,
        stations=4,
        match_minutes=seen.tournament.match_minutes,
    )
    signup = failure.typed.get("signup", "") if failure is not None else request.GET.get("signup", "")
    more = {
        "outline": outlined,
        "signup": signup not in ("", "0") or (not request.GET.get("signup") and confirmed < MIN_ENTRANTS),
    }
    return _step(request, seen, "setup-publish", more, failure)


@require_POST
def publish_now(request: HttpRequest, tournament_id: int) -> HttpResponse:
    """Show the tournament to everybody and, where people sign up themselves, let them."""
    host = reverse("setup-publish", args=[tournament_id])
    base = command_id(request)
    try:
        done = tournaments.publish(actor(request), tournament_id)
    except AppError as error:
        return refused(request, error, form="publish", host=host)
    opens = bool(request.POST.get("signup"))

    def act() -> Done:
        if not opens:
            return done
        return tournaments.open_registration(Actor(request.user, f"{base}.open" if base else ""), tournament_id)

    said = _("Published, and people can sign up.") if opens else _("Published. Everybody can see it.")
    onwards = reverse("manage", args=[tournament_id])
    return carry_out(request, act, form="publish", done=said, host=onwards, back=lambda _done: onwards)
