"""Files in and out of a tournament, for its staff; and a new tournament from a file."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from apps.tournaments import uploads
from apps.tournaments.exchange.csv_files import read_entrants
from apps.tournaments.models.tournament import BEFORE_PLAY
from apps.tournaments.services import Done, entry_imports, imports
from apps.web.commands import actor, carry_out
from apps.web.pages import Failure, page
from apps.web.uploads import sent_file, takes_files
from apps.web.views.manage import console, staff_visit
from apps.words import gettext, ngettext
from engine.text import gettext as _


@page
def files(request: HttpRequest, tournament_id: int, *, failure: Failure | None = None) -> HttpResponse:
    """Show what can be taken away as files, and what can be brought."""
    seen = staff_visit(request, tournament_id, "manage-files")
    drawn = [stage for stage in seen.context["stages"] if stage.state != "pending"]
    seen.context["stages_drawn"] = drawn
    seen.context["takes_entrants"] = seen.tournament.status in BEFORE_PLAY and not drawn
    return console(request, "files", seen, failure)


def _console(tournament_id: int) -> str:
    return reverse("manage-files", args=[tournament_id])


def _new() -> str:
    return reverse("new")


@require_POST
@takes_files(at_most=uploads.DOCUMENT, form="import", host=_console)
def import_entries(request: HttpRequest, tournament_id: int) -> HttpResponse:
    """Enter everybody in a list, or say everything that is wrong with it."""
    ignored: list[str] = []

    def act() -> Done:
        data = sent_file(request)
        done = entry_imports.import_entries(actor(request), tournament_id, data)
        ignored.extend(read_entrants(data).ignored)
        return done

    def said(done: Done) -> str:
        added = done.ids["added"]
        text = ngettext("{count} entrant added.", "{count} entrants added.", added)
        if not ignored:
            return text
        rest = gettext("Not read: {columns}.", columns=", ".join(name[:30] for name in ignored[:5]))
        return f"{text} {rest}"

    host = _console(tournament_id)
    back = reverse("manage-entrants", args=[tournament_id])
    return carry_out(request, act, form="import", done=said, host=host, back=lambda _done: back)


@require_POST
@takes_files(at_most=uploads.DOCUMENT, form="import", host=_new)
def import_tournament(request: HttpRequest) -> HttpResponse:
    """Make a tournament of a file."""
    return carry_out(
        request,
        lambda: imports.import_tournament(actor(request), sent_file(request)),
        form="import",
        done=_("The tournament is imported, and you are its organiser."),
        host=_new(),
        back=lambda done: reverse("manage", args=[done.ids["tournament_id"]]),
    )
