"""Teams: one's own, all of them, and one with its people."""

from collections.abc import Callable
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from apps.accounts.models import User
from apps.errors import BadRequest
from apps.tournaments.permissions import TeamRole, team_role_of
from apps.tournaments.selectors import teams as selectors
from apps.tournaments.services import Actor, Done, teams
from apps.web.commands import actor, carry_out, cleaned
from apps.web.entry_forms import TeamForm
from apps.web.pages import Failure, page, show
from apps.web.views.home import accents
from engine.text import gettext as _

TEAMS_ON_PAGE = 60


@page
def index(request: HttpRequest, *, failure: Failure | None = None) -> HttpResponse:
    """List one's own teams and invitations, then all teams, page by page. Up to five queries."""
    context: dict[str, Any] = {
        "mine": selectors.joined_by(request.user) if isinstance(request.user, User) else [],
        "invitations": selectors.invitations_of(request.user) if isinstance(request.user, User) else [],
        "shown": Paginator(selectors.all_teams(), TEAMS_ON_PAGE).get_page(request.GET.get("page")),
    }
    return show(request, "web/teams/index.html", context, failure=failure)


@page
def team(request: HttpRequest, team_id: int, *, failure: Failure | None = None) -> HttpResponse:
    """Show a team, where it plays, and what one can do in it. Up to five queries."""
    row = selectors.team_for(team_id)
    role = team_role_of(request.user, row)
    entries = list(selectors.entries_of(row)[:50])
    leads = row.disbanded_at is None and (role == TeamRole.CAPTAIN or request.user.is_superuser)
    context: dict[str, Any] = {
        "team": row,
        "people": selectors.people_of(row),
        "invited": selectors.people_of(row, invited=True) if role >= TeamRole.MEMBER or leads else [],
        "role": role.name.lower(),
        "leads": leads,
        "entries": entries,
        "accents": accents(entry.tournament for entry in entries),
    }
    return show(request, "web/teams/team.html", context, failure=failure)


@require_POST
def create(request: HttpRequest) -> HttpResponse:
    return carry_out(
        request,
        lambda: teams.create(actor(request), **cleaned(TeamForm(request.POST))),
        form="team",
        done=_("The team is yours. Invite its players."),
        host=reverse("teams"),
        back=lambda done: reverse("team", args=[done.ids["team_id"]]),
    )


@require_POST
def edit(request: HttpRequest, team_id: int) -> HttpResponse:
    def act() -> Done:
        return teams.edit(actor(request), team_id, **cleaned(TeamForm(request.POST)))

    return carry_out(request, act, form="team", done=_("Saved."), host=_page_of(team_id))


@require_POST
def invite(request: HttpRequest, team_id: int) -> HttpResponse:
    def act() -> Done:
        username = request.POST.get("username", "")
        if not username.strip():
            raise BadRequest(_("Write the user name of the person."), field="username")
        return teams.invite(actor(request), team_id, username=username)

    return carry_out(
        request, act, form="invite", done=_("Invited. They find it on their page."), host=_page_of(team_id)
    )


_COMMANDS: dict[str, tuple[Callable[[Actor, int], Done], str]] = {
    "accept": (teams.accept, _("You are in the team.")),
    "decline": (teams.decline, _("Declined.")),
    "leave": (teams.leave, _("You have left the team.")),
    "disband": (teams.disband, _("The team is disbanded.")),
}
COMMANDS = tuple(_COMMANDS)


@require_POST
def command(request: HttpRequest, team_id: int, name: str) -> HttpResponse:
    service, done = _COMMANDS[name]

    def act() -> Done:
        return service(actor(request), team_id)

    return carry_out(request, act, form=f"team-{team_id}", done=done, host=_page_of(team_id))


_ABOUT_PEOPLE: dict[str, tuple[Callable[[Actor, int, int], Done], str]] = {
    "remove": (teams.remove, _("Removed from the team.")),
    "captain": (teams.hand_over, _("The team has a new captain.")),
}
ABOUT_PEOPLE = tuple(_ABOUT_PEOPLE)


@require_POST
def about_person(request: HttpRequest, team_id: int, user_id: int, name: str) -> HttpResponse:
    service, done = _ABOUT_PEOPLE[name]

    def act() -> Done:
        return service(actor(request), team_id, user_id)

    return carry_out(request, act, form=f"person-{user_id}", done=done, host=_page_of(team_id))


def _page_of(team_id: int) -> str:
    return reverse("team", args=[team_id])
