"""Where a tournament's events are delivered to: the organiser's page, and what is done on it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from apps.errors import AppError, BadRequest
from apps.integrations import services
from apps.integrations.channels import CHANNELS
from apps.integrations.models import Kind
from apps.integrations.selectors import attempts_of, endpoint_fields, endpoints_of, head_of
from apps.tournaments.services import Done
from apps.web.commands import MAX_VERSION_DIGITS, actor, carry_out, refused
from apps.web.pages import Failure, page, show
from apps.web.views.manage import organizer_visit
from engine.text import gettext as _

SHOWN = 10  # attempts of each


@page
def integrations(request: HttpRequest, tournament_id: int, *, failure: Failure | None = None) -> HttpResponse:
    return _show(request, tournament_id, failure=failure)


def _show(
    request: HttpRequest, tournament_id: int, *, failure: Failure | None = None, made: services.Made | None = None
) -> HttpResponse:
    """Show the page; once, right after something was added, with its secret."""
    seen = organizer_visit(request, tournament_id, "manage-integrations")
    tournament, found = endpoints_of(request.user, tournament_id)
    seen.context.update(
        {
            "endpoints": [(endpoint_fields(row), attempts_of(row)[:SHOWN]) for row in found],
            "most": services.MOST,
            "head": head_of(tournament),
            "types": {kind: CHANNELS[kind].types for kind in Kind.values},
            "made": made,
        }
    )
    response = show(
        request,
        "web/manage/integrations.html",
        seen.context,
        regions={"tabs": "web/manage/_tabs.html", "head": "web/tournament/_head.html"},
        live=seen.live,
        failure=failure,
    )
    if made is not None:
        response["Cache-Control"] = "no-store"
    return response


@require_POST
def add(request: HttpRequest, tournament_id: int) -> HttpResponse:
    """Add one, and show its secret in the answer itself: no other address ever does."""
    sent = request.POST
    kind = sent.get("kind", "")
    try:
        made = services.add(
            actor(request),
            tournament_id,
            kind=kind,
            url=sent.get("url", ""),
            name=sent.get("name", ""),
            types=sent.getlist("types"),
        )
    except AppError as error:
        return refused(request, error, form=f"add-{kind}", host=_host(tournament_id))
    return _show(request, tournament_id, made=made)


def _posted(form: str, done: str) -> Callable[[Callable[[HttpRequest, int], Done]], Callable[..., HttpResponse]]:
    """Make a view of a function that reads the form and calls the service."""

    def decorate(act: Callable[[HttpRequest, int], Done]) -> Callable[..., HttpResponse]:
        @require_POST
        def view(request: HttpRequest, tournament_id: int, integration_id: int) -> HttpResponse:
            return carry_out(
                request,
                lambda: act(request, integration_id),
                form=f"{form}-{integration_id}",
                done=done,
                host=_host(tournament_id),
            )

        return view

    return decorate


@_posted("save", _("Saved."))
def save(request: HttpRequest, integration_id: int) -> Done:
    sent = request.POST
    return services.edit(actor(request), integration_id, name=sent.get("name", ""), types=sent.getlist("types"))


@_posted("switch", _("Switched."))
def switch(request: HttpRequest, integration_id: int) -> Done:
    return services.edit(actor(request), integration_id, active=request.POST.get("active") == "on")


@_posted("remove", _("Removed. Its address and its secret are forgotten."))
def remove(request: HttpRequest, integration_id: int) -> Done:
    return services.remove(actor(request), integration_id)


@_posted("test", _("A test is on its way. Load the page again to see what came of it."))
def test(request: HttpRequest, integration_id: int) -> Done:
    return services.test(actor(request), integration_id)


@_posted("replay", _("The events are delivered once more."))
def replay(request: HttpRequest, integration_id: int) -> Done:
    sent = request.POST.get("first", "")
    if not (sent.isascii() and sent.isdigit() and len(sent) <= MAX_VERSION_DIGITS):
        raise BadRequest(_("Write the number of the first event to deliver again."), field="first")
    return services.replay(actor(request), integration_id, first=int(sent))


def _host(tournament_id: int) -> str:
    return reverse("manage-integrations", args=[tournament_id])
