"""Reporting a name or an image, and what the staff does about it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from apps.errors import AuthenticationRequired, BadRequest
from apps.tournaments.models import Complaint, Role
from apps.tournaments.selectors import moderation as selectors
from apps.tournaments.selectors.disputes import evidence_in_sight
from apps.tournaments.selectors.teams import team_for
from apps.tournaments.services import Actor, Done, bans, reports
from apps.web.commands import actor, carry_out
from apps.web.pages import Failure, page, show
from apps.web.views.manage import console, staff_visit
from apps.words import gettext, said
from engine.text import gettext as _

_TO_STAFF = _("This goes to the staff of this tournament and the administrators of this site.")
_TO_ADMINISTRATORS = _("This goes to the administrators of this site.")


@dataclass(frozen=True, slots=True)
class Subject:
    """What is reported, as a heading, who reads the report, as a sentence, and the page that one came from."""

    heading: str
    readers: str
    back: str


Find = Callable[[HttpRequest], Subject]
Send = Callable[[Actor, str, str], Done]


def report_entry(
    request: HttpRequest, tournament_id: int, entry_id: int, *, failure: Failure | None = None
) -> HttpResponse:
    def find(request: HttpRequest) -> Subject:
        entry = selectors.entry_for(request.user, entry_id)
        return Subject(_of_name(entry.name), said(_TO_STAFF), reverse("entrants", args=[tournament_id]))

    def send(by: Actor, reason: str, text: str) -> Done:
        return reports.report_entry(by, entry_id, reason=reason, text=text)

    return _report(request, find, send, failure)


def report_evidence(request: HttpRequest, evidence_id: int, *, failure: Failure | None = None) -> HttpResponse:
    def find(request: HttpRequest) -> Subject:
        image = evidence_in_sight(request.user, evidence_id)
        back = reverse("match", args=[image.dispute.match_id])
        return Subject(gettext("Report an image of a dispute"), said(_TO_STAFF), back)

    def send(by: Actor, reason: str, text: str) -> Done:
        return reports.report_evidence(by, evidence_id, reason=reason, text=text)

    return _report(request, find, send, failure)


def report_team(request: HttpRequest, team_id: int, *, failure: Failure | None = None) -> HttpResponse:
    def find(_request: HttpRequest) -> Subject:
        return Subject(_of_name(team_for(team_id).name), said(_TO_ADMINISTRATORS), reverse("team", args=[team_id]))

    def send(by: Actor, reason: str, text: str) -> Done:
        return reports.report_team(by, team_id, reason=reason, text=text)

    return _report(request, find, send, failure)


def _of_name(name: str) -> str:
    return gettext("Report the name “{name}”", name=name)


def _report(request: HttpRequest, find: Find, send: Send, failure: Failure | None) -> HttpResponse:
    """Ask what is wrong (GET), or send the report (POST)."""
    if request.method != "POST" or failure is not None:
        return _ask(request, find=find, failure=failure)

    def act() -> Done:
        reason = request.POST.get("reason", "")
        if not reason:
            raise BadRequest(gettext("Choose what is wrong with it."), field="reason")
        return send(actor(request), reason, request.POST.get("text", ""))

    def back(_done: Done) -> str:
        return find(request).back

    return carry_out(
        request, act, form="report", done=gettext("Thank you. The staff will look at it."), host=request.path, back=back
    )


@page
def _ask(request: HttpRequest, *, find: Find, failure: Failure | None = None) -> HttpResponse:
    if not request.user.is_authenticated:
        raise AuthenticationRequired(gettext("Sign in to report something."))
    context = {"subject": find(request), "reasons": Complaint.choices, "at": request.path}
    return show(request, "web/report.html", context, failure=failure)


# What the staff does ------------------------------------------------------------------------------------------------

REPORTS_ON_PAGE = 100


@page
def moderation(request: HttpRequest, tournament_id: int, *, failure: Failure | None = None) -> HttpResponse:
    """Show the reports that wait, those that were dealt with, and who is banned."""
    seen = staff_visit(request, tournament_id, "manage-moderation")
    found = list(selectors.reports_in(seen.tournament)[:REPORTS_ON_PAGE])
    context: dict[str, Any] = {
        "waiting": [report for report in found if report.resolved_at is None],
        "dealt_with": [report for report in found if report.resolved_at is not None],
        "bans": list(selectors.bans_in(seen.tournament)) if seen.role >= Role.ORGANIZER else [],
    }
    seen.context.update(context)
    return console(request, "moderation", seen, failure)


@require_POST
def resolve(request: HttpRequest, tournament_id: int, report_id: int) -> HttpResponse:
    def act() -> Done:
        return reports.resolve(actor(request), report_id, note=request.POST.get("note", ""))

    host = reverse("manage-moderation", args=[tournament_id])
    return carry_out(request, act, form=f"report-{report_id}", done=gettext("Dealt with."), host=host)


@require_POST
def hide(request: HttpRequest, evidence_id: int, *, hidden: bool) -> HttpResponse:
    """Hide an image of a dispute from its two sides, or show it again."""
    done = gettext("Hidden. Only the staff sees it.") if hidden else gettext("Both sides see it again.")

    def act() -> Done:
        return reports.hide_evidence(actor(request), evidence_id, hidden=hidden)

    return carry_out(request, act, form=f"image-{evidence_id}", done=done, host=reverse("home"))


@require_POST
def ban(request: HttpRequest, tournament_id: int) -> HttpResponse:
    def act() -> Done:
        username = request.POST.get("username", "")
        if not username.strip():
            raise BadRequest(gettext("Write the user name of the person."), field="username")
        return bans.ban(actor(request), tournament_id, username=username, reason=request.POST.get("reason", ""))

    host = reverse("manage-moderation", args=[tournament_id])
    return carry_out(request, act, form="ban", done=gettext("Banned."), host=host)


@require_POST
def unban(request: HttpRequest, tournament_id: int, user_id: int) -> HttpResponse:
    host = reverse("manage-moderation", args=[tournament_id])

    def act() -> Done:
        return bans.unban(actor(request), tournament_id, user_id)

    return carry_out(request, act, form=f"ban-{user_id}", done=gettext("The ban is lifted."), host=host)
