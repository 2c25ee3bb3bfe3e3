"""Entering a tournament, and what becomes of an entry: approved, claimed, checked in, renamed, withdrawn."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from apps.errors import NotFound
from apps.tournaments import permissions
from apps.tournaments.models import Entry, Role
from apps.tournaments.selectors import teams as team_selectors
from apps.tournaments.services import Actor, Done, admission, entries, reinstating, rosters, tournaments, waitlist
from apps.web.commands import actor, carry_out, cleaned
from apps.web.entry_forms import EntryRulesForm, id_of, players_of
from apps.web.pages import Failure, page, show
from apps.web.present.entrants import GONE_LABELS
from apps.web.present.way import way_of
from apps.web.views.tournaments import Visit, visit
from apps.words import said
from engine.text import gettext as _


@page
def entry(request: HttpRequest, tournament_id: int, entry_id: int, *, failure: Failure | None = None) -> HttpResponse:
    """Show an entrant's way to everybody; whoever acts for it and the staff can do there what they may do about it."""
    seen = visit(request, tournament_id, tab="entrants")
    row = Entry.objects.select_related("user", "team").filter(pk=entry_id, tournament=tournament_id).first()
    if row is None:
        raise NotFound(_("There is no such entry."))
    own = row.user_id is not None and row.user_id == request.user.pk
    seen.context.update(_about(seen, row, own=own))
    way = seen.context["way"] = way_of(seen.live.state, seen.names, entry_id)
    live = replace(seen.live, shown=frozenset(step.match.id for step in way.following))
    regions = {
        "head": "web/tournament/_head.html",
        "tabs": "web/tournament/_tabs.html",
        "entry": "web/tournament/_entry.html",
        "way": "web/tournament/_way.html",
    }
    return show(request, "web/tournament/entry.html", seen.context, regions=regions, live=live, failure=failure)


def _about(seen: Visit, row: Entry, *, own: bool) -> dict[str, Any]:
    shown = seen.live.state["entries"][str(row.pk)]
    leads = seen.role >= Role.ORGANIZER
    playing = {player["user"] for player in row.roster}
    may_see = own or permissions.is_staff(seen.role)
    people = team_selectors.people_of(row.team) if row.team and may_see else []
    return {
        "e": shown,
        "why_gone": said(GONE_LABELS.get(shown["status"], "")),
        "team": row.team,
        "acting": row.user.username if row.user else "",
        "own": own,
        "may_act": may_see,
        "players": [(member, member.user_id in playing) for member in people],
        "may_choose": row.team is not None and row.is_active and (own or leads) and rosters.can_change(seen.tournament),
        "may_rename": leads,
        "may_let_in": leads and shown["status"] in ("pending", "declined", "expired", "no_show", "disqualified"),
        "over": seen.tournament.status in ("completed", "cancelled"),
    }


@require_POST
def enter(request: HttpRequest, tournament_id: int) -> HttpResponse:
    """Register the person who is signed in, or the team that they have chosen."""
    team_id = id_of(request.POST, "team")

    def act() -> Done:
        return entries.register(
            actor(request),
            tournament_id,
            name=request.POST.get("name", ""),
            code=request.POST.get("code", ""),
            team_id=team_id,
            roster=None if team_id is None else players_of(request.POST),
        )

    def said(done: Done) -> str:
        pending = Entry.objects.filter(pk=done.ids["entry_id"], status="pending").exists()
        return _("You have asked to enter. An organiser decides.") if pending else _("You are registered.")

    host = reverse("tournament", args=[tournament_id])
    form = "register" if team_id is None else f"register-{team_id}"
    return carry_out(request, act, form=form, done=said, host=host)


_COMMANDS: dict[str, tuple[Callable[[Actor, int], Done], str]] = {
    "withdraw": (entries.withdraw, _("Withdrawn.")),
    "check-in": (entries.check_in, _("Checked in.")),
    "revert-check-in": (entries.revert_check_in, _("The check-in was taken back.")),
    "claim": (waitlist.claim, _("The place is taken.")),
    "approve": (admission.approve, _("Approved.")),
    "decline": (admission.decline, _("Declined.")),
    "disqualify": (entries.disqualify, _("Disqualified.")),
    "reinstate": (reinstating.reinstate, _("Takes part again.")),
}
COMMANDS = tuple(_COMMANDS)
# What takes a command back.
_UNDO = {
    "withdraw": "entry-reinstate",
    "disqualify": "entry-reinstate",
    "check-in": "entry-revert-check-in",
    "revert-check-in": "entry-check-in",
}


@require_POST
def command(request: HttpRequest, tournament_id: int, entry_id: int, name: str) -> HttpResponse:
    """Do one thing to an entry: one's own, or as the staff somebody else's."""
    service, done = _COMMANDS[name]
    host = reverse("tournament", args=[tournament_id])
    undo = _UNDO.get(name)
    if undo == "entry-reinstate" and not permissions.is_staff(permissions.role_of(request.user, tournament_id)):
        undo = None
    return carry_out(
        request,
        lambda: service(actor(request), entry_id),
        form=f"entry-{entry_id}",
        done=done,
        host=host,
        undo=(lambda _done: reverse(undo, args=[tournament_id, entry_id])) if undo else None,
    )


@require_POST
def rename(request: HttpRequest, tournament_id: int, entry_id: int) -> HttpResponse:
    def act() -> Done:
        return entries.update(actor(request), entry_id, name=request.POST.get("name", ""))

    host = reverse("entry", args=[tournament_id, entry_id])
    return carry_out(request, act, form=f"rename-{entry_id}", done=_("Renamed."), host=host)


@require_POST
def roster(request: HttpRequest, tournament_id: int, entry_id: int) -> HttpResponse:
    def act() -> Done:
        return rosters.update(actor(request), entry_id, players=players_of(request.POST))

    host = reverse("entry", args=[tournament_id, entry_id])
    return carry_out(request, act, form=f"roster-{entry_id}", done=_("The roster is saved."), host=host)


@require_POST
def save_rules(request: HttpRequest, tournament_id: int) -> HttpResponse:
    """Change who gets in."""
    host = reverse("manage-entrants", args=[tournament_id])

    def act() -> Done:
        return tournaments.edit(actor(request), tournament_id, **cleaned(EntryRulesForm(request.POST)))

    return carry_out(request, act, form="rules", done=_("Saved who gets in."), host=host)


@require_POST
def new_code(request: HttpRequest, tournament_id: int) -> HttpResponse:
    """Replace the invite code, after which the old one opens nothing."""
    host = reverse("manage-entrants", args=[tournament_id])

    def act() -> Done:
        return tournaments.edit(actor(request), tournament_id, invite_code="")

    return carry_out(request, act, form="code", done=_("There is a new invite code."), host=host)


def rules_shown(seen: Visit) -> dict[str, Any]:
    """Return what the form of the rules starts with. The invite code is for organisers, who alone see the form."""
    tournament = seen.live.state["tournament"]
    return {**tournament, "invite_code": seen.tournament.invite_code}
