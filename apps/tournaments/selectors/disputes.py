"""Disputes and their evidence, for the staff and both sides."""

from apps.errors import NotFound, PermissionDenied
from apps.tournaments.models import Dispute, Evidence, Match
from apps.tournaments.permissions import Person, may_see, may_see_dispute, role_of
from apps.tournaments.selectors.lists import match_for
from engine.text import gettext as _


def open_dispute(match: Match) -> Dispute | None:
    """Return the dispute of a match that waits for a ruling. One query."""
    return match.disputes.filter(resolved_at=None).first()


def dispute_for(person: Person, match_id: int) -> Dispute:
    """
    Return the last dispute of a match, with its evidence. Up to four queries.

    Raises:
        PermissionDenied: the person may see the match, but is neither staff nor one of its sides.
        NotFound: there has been no dispute; or no such match.
    """
    match, role = match_for(person, match_id)
    if not may_see_dispute(person, match, role):
        message = _("Only the two sides and the staff of this tournament can see a dispute.")
        raise PermissionDenied(message)
    found = match.disputes.select_related("resolved_by").prefetch_related("evidence__uploaded_by")
    dispute = found.order_by("-pk").first()
    if dispute is None:
        message = _("The result of this match has not been disputed.")
        raise NotFound(message)
    return dispute


def evidence_for(person: Person, evidence_id: int) -> Evidence:
    """
    Return a piece of evidence, whose file is at its `path` in the default storage. Up to two queries.

    Raises:
        NotFound: there is none, or not for this person; no difference can be seen.
    """
    matches = ("dispute__match__tournament", "dispute__match__home", "dispute__match__away")
    evidence = Evidence.objects.select_related(*matches).filter(pk=evidence_id).first()
    if evidence is not None:
        match = evidence.dispute.match
        role = role_of(person, match.tournament_id)
        if may_see(person, match.tournament) and may_see_dispute(person, match, role):
            return evidence
    message = _("There is no such evidence.")
    raise NotFound(message)
