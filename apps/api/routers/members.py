"""Members: the staff of a tournament, by user name."""

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router

from apps.accounts.models import User
from apps.api import schemas
from apps.api.auth import person
from apps.api.pagination import page
from apps.api.params import IdempotencyKey, TournamentId, Username, Window, actor
from apps.errors import NotFound, PermissionDenied
from apps.tournaments.models import Member, Role
from apps.tournaments.permissions import is_staff
from apps.tournaments.selectors import lists
from apps.tournaments.services import tournaments
from apps.tournaments.state import member_fields

router = Router(tags=["members"])
Answer = dict[str, Any]


@router.get(
    "/{row:tournament_id}/members",
    response=schemas.MemberPage,
    operation_id="listMembers",
    summary="The staff, for the staff",
)
def list_members(request: HttpRequest, tournament_id: TournamentId, window: Query[Window]) -> Answer:
    tournament, role = lists.tournament_for(person(request), tournament_id)
    if not is_staff(role):
        message = "Only the staff of this tournament can see who belongs to it."
        raise PermissionDenied(message)
    return page(tournament.members.select_related("user").order_by("pk"), window, member_fields)


@router.put(
    "/{row:tournament_id}/members/{username}",
    response=schemas.MemberAnswer,
    operation_id="addMember",
    summary="Make somebody a referee or organiser",
)
def add(
    request: HttpRequest,
    tournament_id: TournamentId,
    username: Username,
    body: schemas.Appointment,
    key: IdempotencyKey = None,
) -> Answer:
    role = Role[body.role.upper()]
    done = tournaments.add_member(actor(request, key), tournament_id, username=username, role=role)
    member = Member.objects.select_related("user").filter(tournament=tournament_id, user=done.ids["user_id"]).first()
    if member is None:
        message = "This person has left the staff since."
        raise NotFound(message)
    return {"seq": done.seq, "member": member_fields(member)}


@router.delete(
    "/{row:tournament_id}/members/{username}",
    response=schemas.RemovalAnswer,
    operation_id="removeMember",
    summary="Take somebody off the staff",
    description="The last organiser cannot leave.",
)
def remove(request: HttpRequest, tournament_id: TournamentId, username: Username, key: IdempotencyKey = None) -> Answer:
    gone = User.objects.filter(username__iexact=username).first()
    if gone is None:
        message = "Nobody has this user name."
        raise NotFound(message)
    return {"seq": tournaments.remove_member(actor(request, key), tournament_id, gone.pk).seq}
