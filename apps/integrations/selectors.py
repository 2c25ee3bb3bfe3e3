"""What organisers see of their endpoints: no secret, and of an address its host."""

from typing import Any

from django.db.models import QuerySet

from apps.errors import NotFound
from apps.eventlog.log import iso, positions
from apps.integrations.channels import CHANNELS
from apps.integrations.models import Attempt, Endpoint
from apps.tournaments.models import Tournament
from apps.tournaments.permissions import Person, require
from apps.tournaments.selectors import lists
from engine.text import gettext as _

Fields = dict[str, Any]


def endpoints_of(person: Person, tournament_id: int) -> tuple[Tournament, QuerySet[Endpoint]]:
    """
    Return a tournament's endpoints, the oldest first. Up to three queries.

    Raises:
        NotFound: no such tournament. PermissionDenied, AuthenticationRequired: for its organisers.
    """
    tournament, role = lists.tournament_for(person, tournament_id)
    require("edit_integration", person, role, tournament_id=tournament_id)
    return tournament, tournament.endpoints.select_related("created_by").order_by("pk")


def endpoint_for(person: Person, endpoint_id: int) -> Endpoint:
    """Return an endpoint. Up to three queries. Raises as `endpoints_of`."""
    message = _("There is no such integration.")
    endpoint = Endpoint.objects.select_related("created_by").filter(pk=endpoint_id).first()
    if endpoint is None:
        raise NotFound(message)
    try:
        _tournament, role = lists.tournament_for(person, endpoint.tournament_id)
    except NotFound:
        raise NotFound(message) from None
    require("edit_integration", person, role, tournament_id=endpoint.tournament_id)
    return endpoint


def attempts_of(endpoint: Endpoint) -> QuerySet[Attempt]:
    """Return what was tried, the latest first."""
    return endpoint.attempts.order_by("-pk")


def head_of(tournament: Tournament) -> int:
    """Return the newest seq of a tournament's log."""
    return positions([tournament.stream])[tournament.stream].seq


def endpoint_fields(endpoint: Endpoint) -> Fields:
    return {
        "id": endpoint.pk,
        "tournament": endpoint.tournament_id,
        "kind": str(endpoint.kind),
        "name": endpoint.name,
        "host": endpoint.host,
        "types": list(endpoint.types or CHANNELS[endpoint.kind].types),
        "active": endpoint.active,
        "off_reason": endpoint.off_reason,
        "cursor": endpoint.cursor,
        "failures": endpoint.failures,
        "error": endpoint.error,
        "next_attempt_at": iso(endpoint.next_attempt_at) if endpoint.active and endpoint.failing_since else None,
        "created_at": iso(endpoint.created_at),
        "created_by": endpoint.created_by.username if endpoint.created_by else None,
    }


def attempt_fields(attempt: Attempt) -> Fields:
    return {
        "seq": attempt.seq,
        "type": attempt.type,
        "number": attempt.number,
        "at": iso(attempt.at),
        "status": attempt.status,
        "milliseconds": attempt.milliseconds,
        "error": attempt.error,
    }
