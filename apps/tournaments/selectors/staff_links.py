"""Invitations to a tournament's staff, for its organisers."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from apps.eventlog.log import iso
from apps.tournaments.models import Role, StaffLink
from apps.tournaments.permissions import Person, require
from apps.tournaments.selectors import lists


def links_of(person: Person, tournament_id: int) -> QuerySet[StaffLink]:
    """
    Return a tournament's links, the newest first. Up to three queries.

    Raises:
        NotFound: no such tournament. PermissionDenied, AuthenticationRequired: for its organisers.
    """
    tournament, role = lists.tournament_for(person, tournament_id)
    require("make_staff_link", person, role, tournament_id=tournament_id)
    return tournament.staff_links.select_related("created_by").order_by("-pk")


def link_fields(link: StaffLink) -> dict[str, Any]:
    return {
        "id": link.pk,
        "role": Role(link.role).name.lower(),
        "uses": link.uses,
        "used": link.used,
        "expires_at": iso(link.expires_at),
        "revoked": link.revoked_at is not None,
        "token": link.token if link.holds(timezone.now()) else None,
    }
