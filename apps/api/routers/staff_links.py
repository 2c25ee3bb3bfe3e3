"""Invitations to the staff by a link."""

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router

from apps.api import schemas
from apps.api.auth import person
from apps.api.pagination import page
from apps.api.params import IdempotencyKey, StaffLinkId, TournamentId, Window, actor
from apps.tournaments.models import Role, StaffLink
from apps.tournaments.selectors.staff_links import link_fields, links_of
from apps.tournaments.services import Done, staff_links

router = Router(tags=["members"])
Answer = dict[str, Any]


@router.get(
    "/tournaments/{row:tournament_id}/staff-links",
    response=schemas.StaffLinkPage,
    operation_id="listStaffLinks",
    summary="The invitations to the staff, for the organisers",
)
def list_links(request: HttpRequest, tournament_id: TournamentId, window: Query[Window]) -> Answer:
    return page(links_of(person(request), tournament_id), window, link_fields)


@router.post(
    "/tournaments/{row:tournament_id}/staff-links",
    response={201: schemas.StaffLinkAnswer},
    operation_id="makeStaffLink",
    summary="Make a link by which people join the staff",
)
def make(
    request: HttpRequest, tournament_id: TournamentId, body: schemas.NewStaffLink, key: IdempotencyKey = None
) -> Answer:
    role = Role[body.role.upper()]
    done = staff_links.make(actor(request, key), tournament_id, role=role, uses=body.uses, hours=body.hours)
    return _answer(done)


@router.delete(
    "/staff-links/{row:link_id}",
    response=schemas.StaffLinkAnswer,
    operation_id="revokeStaffLink",
    summary="Let a link open nothing any more",
    description="Who joined by it stays.",
)
def revoke(request: HttpRequest, link_id: StaffLinkId, key: IdempotencyKey = None) -> Answer:
    return _answer(staff_links.revoke(actor(request, key), link_id))


@router.post(
    "/staff-links/join",
    response=schemas.Joined,
    operation_id="joinStaff",
    summary="Join the staff of the tournament that a link is for",
)
def join(request: HttpRequest, body: schemas.JoinStaff, key: IdempotencyKey = None) -> Answer:
    done = staff_links.join(actor(request, key), body.token)
    return {"seq": done.seq, "tournament": done.ids["tournament_id"]}


def _answer(done: Done) -> Answer:
    return {"seq": done.seq, "link": link_fields(StaffLink.objects.get(pk=done.ids["link_id"]))}
