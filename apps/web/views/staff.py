"""The organiser's console: the staff, by user name and by link; and the page that a link opens."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from apps.accounts.models import User
from apps.errors import AuthenticationRequired, BadRequest
from apps.tournaments import permissions
from apps.tournaments.models import Member, Role
from apps.tournaments.services import Done, staff_links, tournaments
from apps.web.commands import actor, carry_out, cleaned
from apps.web.forms import MemberForm
from apps.web.pages import Failure, page, show
from apps.web.views.manage import console, staff_visit
from apps.words import gettext as _

HOURS = (
    (4, gettext_lazy("4 hours")),
    (24, gettext_lazy("a day")),
    (72, gettext_lazy("3 days")),
    (14 * 24, gettext_lazy("2 weeks")),
)
_NUMBER = {"required": gettext_lazy("is missing."), "invalid": gettext_lazy("is not a whole number.")}


class LinkForm(forms.Form):
    role = forms.ChoiceField(
        choices=[("referee", ""), ("organizer", "")], error_messages={"required": gettext_lazy("Choose a role.")}
    )
    uses = forms.IntegerField(label=gettext_lazy("For how many people"), error_messages=_NUMBER)
    hours = forms.IntegerField(label=gettext_lazy("Hours"), error_messages=_NUMBER)


@page
def staff(request: HttpRequest, tournament_id: int, *, failure: Failure | None = None) -> HttpResponse:
    seen = staff_visit(request, tournament_id, "manage-staff")
    permissions.require("add_member", request.user, seen.role)
    now = timezone.now()
    links = [link for link in seen.tournament.staff_links.order_by("-pk") if link.holds(now)]
    seen.context.update(
        {
            "members": list(seen.live.state["staff"].values()),
            "links": [(link, request.build_absolute_uri(reverse("join", args=[link.token]))) for link in links],
            "hours": HOURS,
            "most_uses": staff_links.MAX_USES,
        }
    )
    return console(request, "staff", seen, failure, {"links": "web/console/_links.html"})


@require_POST
def add_member(request: HttpRequest, tournament_id: int) -> HttpResponse:
    def act() -> Done:
        values = cleaned(MemberForm(request.POST))
        role = Role[values["role"].upper()]
        if not values["username"].strip():
            raise BadRequest(_("Write the user name of the person."), field="username")
        return tournaments.add_member(actor(request), tournament_id, username=values["username"], role=role)

    return carry_out(request, act, form="staff", done=_("Added to the staff."), host=_host(tournament_id))


@require_POST
def remove_member(request: HttpRequest, tournament_id: int, user_id: int) -> HttpResponse:
    def act() -> Done:
        return tournaments.remove_member(actor(request), tournament_id, user_id)

    host = _host(tournament_id)

    def back(_done: Done) -> str:
        # Who leaves the staff has no console any more.
        return reverse("tournament", args=[tournament_id]) if user_id == request.user.pk else host

    said = _("Removed from the staff.")
    return carry_out(request, act, form=f"member-{user_id}", done=said, host=host, back=back)


@require_POST
def make_link(request: HttpRequest, tournament_id: int) -> HttpResponse:
    def act() -> Done:
        values = cleaned(LinkForm(request.POST))
        role = Role[values["role"].upper()]
        return staff_links.make(actor(request), tournament_id, role=role, uses=values["uses"], hours=values["hours"])

    said = _("The invitation is made. Copy its link and send it.")
    return carry_out(request, act, form="link", done=said, host=_host(tournament_id))


@require_POST
def revoke_link(request: HttpRequest, tournament_id: int, link_id: int) -> HttpResponse:
    def act() -> Done:
        return staff_links.revoke(actor(request), link_id)

    said = _("The invitation opens nothing any more.")
    return carry_out(request, act, form=f"link-{link_id}", done=said, host=_host(tournament_id))


@page
def join(request: HttpRequest, token: str, *, failure: Failure | None = None) -> HttpResponse:
    """Show what a link invites to; it is taken by pressing the button, so that a look at it uses nothing up."""
    if not isinstance(request.user, User):
        raise AuthenticationRequired(_("Sign in to take the invitation."))
    link = staff_links.found(token)
    member = Member.objects.filter(tournament=link.tournament_id, user=request.user).first()
    context = {
        "link": link,
        "token": token,
        "is_organizer_link": link.role == Role.ORGANIZER,
        "holds": link.holds(timezone.now()),
        "why": staff_links.why_not(link),
        "is_member": member is not None and member.role >= link.role,
    }
    return show(request, "web/console/join.html", context, failure=failure)


@require_POST
def take(request: HttpRequest, token: str) -> HttpResponse:
    return carry_out(
        request,
        lambda: staff_links.join(actor(request), token),
        form="join",
        done=_("You are on the staff now."),
        host=reverse("join", args=[token]),
        back=lambda done: reverse("manage", args=[done.ids["tournament_id"]]),
    )


def _host(tournament_id: int) -> str:
    return reverse("manage-staff", args=[tournament_id])
