"""Invitations to the staff by a link: made and revoked by organisers, taken by whoever holds one and is signed in."""

import re
import secrets

from django.utils.crypto import constant_time_compare

from apps.errors import BadRequest, Conflict, NotFound
from apps.tournaments import permissions
from apps.tournaments.events import MemberAdded, MemberChange, StaffLinkMade, StaffLinkRevoked, StaffLinkTold
from apps.tournaments.models import Member, Role, StaffLink
from apps.tournaments.services.rosters import check_not_banned
from apps.tournaments.services.unit import Actor, Answer, Done, Unit, command
from apps.tournaments.state import member_fields
from engine.text import gettext as _

MAX_USES = 50
MAX_HOURS = 30 * 24
MAX_STANDING = 20
_TOKEN = re.compile(r"([1-9][0-9]{0,17})-([0-9a-f]{32})")


@command("make_staff_link")
def make(unit: Unit, /, tournament_id: int, *, role: Role, uses: int = 1, hours: int = 48) -> Answer:
    """
    Make a link by which `uses` people can join the staff within `hours`.

    Answers {"tournament_id", "link_id"}.

    Raises:
        BadRequest: a number is out of range, or the role is none of the staff.
        Conflict: too many links hold already.
    """
    tournament = unit.lock(tournament_id)
    if role not in (Role.REFEREE, Role.ORGANIZER):
        message = _("A member of the staff is a referee or an organiser.")
        raise BadRequest(message, field="role")
    if not 1 <= uses <= MAX_USES:
        raise BadRequest(_("A link is for 1 to {most} people.", most=MAX_USES), field="uses")
    if not 1 <= hours <= MAX_HOURS:
        raise BadRequest(_("A link holds for 1 to {most} hours.", most=MAX_HOURS), field="hours")
    if sum(link.holds(unit.now) for link in tournament.staff_links.filter(expires_at__gt=unit.now)) >= MAX_STANDING:
        message = _("{most} invitations hold already. Revoke one first.", most=MAX_STANDING)
        raise Conflict(message)
    link = StaffLink.objects.create(
        tournament=tournament,
        role=role,
        nonce=secrets.token_hex(16),
        uses=uses,
        expires_at=unit.later(minutes=hours * 60),
        created_by=unit.user,
        created_at=unit.now,
    )
    unit.emit(StaffLinkMade(link=_told(link)))
    return {"tournament_id": tournament.pk, "link_id": link.pk}


@command("revoke_staff_link")
def revoke(unit: Unit, /, link_id: int) -> Answer:
    """Let a link open nothing any more; who joined by it stays. Answers {"tournament_id", "link_id"}."""
    link = unit.lock_staff_link(link_id)
    if link.revoked_at is not None:
        message = _("This invitation has been taken back already.")
        raise Conflict(message)
    link.revoked_at = unit.now
    link.save(update_fields=["revoked_at"])
    unit.emit(StaffLinkRevoked(link=_told(link)))
    return {"tournament_id": link.tournament_id, "link_id": link.pk}


def end_all(unit: Unit) -> None:
    """Let no link open anything any more: whoever leaves the staff may know them."""
    for link in unit.tournament.staff_links.filter(revoked_at=None, expires_at__gt=unit.now):
        link.revoked_at = unit.now
        link.save(update_fields=["revoked_at"])
        unit.emit(StaffLinkRevoked(link=_told(link)))


def join(actor: Actor, token: str) -> Done:
    """
    Join the staff of the tournament that a link is for. Answers {"tournament_id"}.

    Raises:
        AuthenticationRequired: not signed in.
        NotFound: there is no such link.
        Conflict: it does not hold any more, or the person is on the staff in that role already; it is not used up then.
    """
    permissions.require("join_staff", actor.user)
    return _join(actor, found(token).pk)


@command("join_staff")
def _join(unit: Unit, /, link_id: int) -> Answer:
    link = unit.lock_by_invitation(link_id)
    if not link.holds(unit.now):
        raise Conflict(why_not(link))
    check_not_banned(unit.tournament, {unit.user.pk: unit.user.username})
    member = Member.objects.filter(tournament=link.tournament_id, user=unit.user).first()
    if member is not None and member.role >= link.role:
        message = _("You are on the staff of this tournament already.")
        raise Conflict(message)
    member = member or Member(tournament=unit.tournament, user=unit.user)
    member.role = link.role
    member.save()
    link.used += 1
    link.save(update_fields=["used"])
    unit.emit(MemberAdded(member=MemberChange(**member_fields(member))))
    return {"tournament_id": link.tournament_id}


def found(token: str) -> StaffLink:
    """
    Return the link of a token, whether or not it still holds. One query.

    Raises:
        NotFound: there is none.
    """
    parts = _TOKEN.fullmatch(token)
    link = parts and StaffLink.objects.select_related("tournament", "created_by").filter(pk=int(parts[1])).first()
    if not link or not constant_time_compare(token, link.token):
        message = _("There is no such invitation. See that you have the whole link.")
        raise NotFound(message)
    return link


def why_not(link: StaffLink) -> str:
    """Return the sentence for a link that does not hold."""
    if link.revoked_at is not None:
        return _("This invitation was taken back. Ask an organiser for another one.")
    if link.used >= link.uses:
        return _("This invitation has been used up. Ask an organiser for another one.")
    return _("This invitation has expired. Ask an organiser for another one.")


def _told(link: StaffLink) -> StaffLinkTold:
    return StaffLinkTold(id=link.pk, role="organizer" if link.role == Role.ORGANIZER else "referee", uses=link.uses)
