"""The organiser's console: how the stages are played, and leading from one round or stage to the next."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from apps.tournaments import permissions
from apps.tournaments.models import Stage
from apps.tournaments.services import Done, brackets
from apps.tournaments.services import stages as services
from apps.tournaments.state import stage_fields
from apps.web.commands import actor, carry_out
from apps.web.pages import Failure, page
from apps.web.present.rounds import rounds_shown
from apps.web.present.stages import how_played, in_order
from apps.web.stage_forms import NEW_STAGE, choices, shown_values, stage_values
from apps.web.views.manage import console, staff_visit
from engine.stages import Format
from engine.text import gettext as _


@page
def stages(request: HttpRequest, tournament_id: int, *, failure: Failure | None = None) -> HttpResponse:
    """Show each stage with what of it can change now."""
    seen = staff_visit(request, tournament_id, "manage-stages")
    permissions.require("edit_stage", request.user, seen.role)
    rows = in_order(seen.live.state)
    console_stages = [
        {
            "shown": shown,
            "facts": how_played(row),
            "values": {**shown_values(row), "is_league": shown.is_league},
            "rounds": rounds_shown(seen.live.state, row),
            "fixed": shown.state != "pending",
            "ended": shown.state == "completed",
            "removable": row is rows[-1] and row["number"] > 1 and shown.state == "pending",
        }
        for shown, row in zip(seen.context["stages"], rows, strict=True)
    ]
    seen.context.update({"stage_choices": choices(), "new_stage": NEW_STAGE, "console_stages": console_stages})
    return console(request, "stages", seen, failure)


@require_POST
def add(request: HttpRequest, tournament_id: int) -> HttpResponse:
    def act() -> Done:
        values = stage_values(request.POST)
        played_as = Format(values.pop("format", Format.SINGLE_ELIMINATION))
        name = request.POST.get("name", "")
        return services.add(actor(request), tournament_id, format=played_as, name=name, **values)

    host = reverse("manage-stages", args=[tournament_id])
    return carry_out(request, act, form="add-stage", done=_("The stage was added."), host=host)


@require_POST
def save(request: HttpRequest, tournament_id: int, stage_id: int) -> HttpResponse:
    """Change a stage; only what is sent changes."""

    def act() -> Done:
        stage = Stage.objects.filter(pk=stage_id, tournament=tournament_id).first()
        values: dict[str, Any] = stage_values(request.POST, before=stage_fields(stage) if stage else None)
        if "name" in request.POST:
            values["name"] = request.POST["name"]
        return services.edit(actor(request), stage_id, **values)

    host = reverse("manage-stages", args=[tournament_id])
    return carry_out(request, act, form=f"stage-{stage_id}", done=_("Saved."), host=host)


@require_POST
def remove(request: HttpRequest, tournament_id: int, stage_id: int) -> HttpResponse:
    host = reverse("manage-stages", args=[tournament_id])
    return carry_out(
        request,
        lambda: services.remove(actor(request), stage_id),
        form=f"stage-{stage_id}",
        done=_("The stage was removed."),
        host=host,
    )


@require_POST
def pair_round(request: HttpRequest, tournament_id: int) -> HttpResponse:
    """Pair the next round of the Swiss stage, or with `again` the latest one anew."""
    again = bool(request.POST.get("again"))
    return carry_out(
        request,
        lambda: brackets.pair(actor(request), tournament_id, again=again),
        form="pair-round",
        done=_("The round is paired."),
        host=reverse("manage", args=[tournament_id]),
    )
