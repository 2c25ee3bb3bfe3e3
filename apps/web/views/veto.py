"""What captains and referees do in the veto of a match, and what the organiser sets for it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from apps.tournaments.services import Done, stages
from apps.tournaments.services import veto as services
from apps.web.commands import actor, carry_out, expected_version
from apps.web.veto_settings import veto_settings
from engine.text import gettext as _


def _on_match(request: HttpRequest, match_id: int, act: Callable[[], Done], done: str) -> HttpResponse:
    return carry_out(request, act, form=f"veto-{match_id}", done=done, host=reverse("match", args=[match_id]))


@require_POST
def start(request: HttpRequest, match_id: int) -> HttpResponse:
    def act() -> Done:
        return services.start(actor(request), match_id, expected_version=expected_version(request))

    return _on_match(request, match_id, act, "")


@require_POST
def move(request: HttpRequest, match_id: int) -> HttpResponse:
    """Choose what the button that was pressed stands for."""

    def act() -> Done:
        option = request.POST.get("option", "")
        return services.move(actor(request), match_id, option, expected_version=expected_version(request))

    return _on_match(request, match_id, act, "")


@require_POST
def reset(request: HttpRequest, match_id: int) -> HttpResponse:
    def act() -> Done:
        return services.reset(actor(request), match_id, expected_version=expected_version(request))

    return _on_match(request, match_id, act, "The veto was taken back.")


@require_POST
def save_settings(request: HttpRequest, tournament_id: int, stage_id: int) -> HttpResponse:
    def act() -> Done:
        return stages.edit(actor(request), stage_id, veto=veto_settings(request.POST))

    host = reverse("manage-settings", args=[tournament_id])
    return carry_out(request, act, form=f"veto-stage-{stage_id}", done=_("Saved."), host=host)
