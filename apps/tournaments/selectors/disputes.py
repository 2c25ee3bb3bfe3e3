"""Disputes and their evidence, for the staff and both sides."""

from apps.errors import NotFound, PermissionDenied
from apps.tournaments.models import Dispute, Evidence, Match
from apps.tournaments.permissions import Person, is_staff, may_see, may_see_dispute, role_of
from apps.tournaments.selectors.lists import match_for
from engine.text import gettext as _

_FOR_OTHERS = _("Only the two sides and the staff of this tournament can see a dispute.")
_NO_EVIDENCE = _("There is no such evidence.")


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
        raise PermissionDenied(_FOR_OTHERS)
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
    try:
        return evidence_in_sight(person, evidence_id)
    except PermissionDenied:
        raise NotFound(_NO_EVIDENCE) from None


def evidence_in_sight(person: Person, evidence_id: int) -> Evidence:
    """
    Do the same for somebody who may know that it exists: whoever sees the match.

    Raises:
        PermissionDenied: the person is neither staff nor one of the two sides.
        NotFound: there is none, or it is hidden from the two sides; or no such match for this person.
    """
    matches = ("dispute__match__tournament", "dispute__match__home", "dispute__match__away")
    evidence = Evidence.objects.select_related(*matches).filter(pk=evidence_id).first()
    if evidence is None or not may_see(person, evidence.dispute.match.tournament):
        raise NotFound(_NO_EVIDENCE)
    match = evidence.dispute.match
    role = role_of(person, match.tournament_id)
    if not may_see_dispute(person, match, role):
        raise PermissionDenied(_FOR_OTHERS)
    if evidence.hidden_at is not None and not is_staff(role):
        raise NotFound(_NO_EVIDENCE)
    return evidence
