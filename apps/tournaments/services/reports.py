"""
Somebody reports a name or an image, and the staff deals with it.

There is no event: reports are not part of the state of a tournament, and are read by few.
"""

from datetime import timedelta
from typing import Any

from django.db import transaction

from apps.accounts.models import User
from apps.errors import BadRequest, Conflict, NotFound, PermissionDenied, RateLimited
from apps.tournaments import permissions
from apps.tournaments.models import Complaint, Evidence, Report, Team
from apps.tournaments.services.unit import Actor, Answer, Done, Unit, command, present
from apps.tournaments.text import clean_line, clean_text
from engine.text import gettext as _

MOST_AN_HOUR = 10  # of one person


@command("report_entry")
def report_entry(unit: Unit, /, entry_id: int, *, reason: str, text: str = "") -> Answer:
    """Tell the staff that an entrant's name is unfit. `reason`: a Complaint. Answers {"report_id"}."""
    entry = unit.lock_entry(entry_id)
    return _keep(_described(unit, Report(tournament=unit.tournament, entry=entry, shown=entry.name), reason, text))


@command("report_evidence")
def report_evidence(unit: Unit, /, evidence_id: int, *, reason: str, text: str = "") -> Answer:
    """Tell the staff that an image of a dispute is unfit. Answers {"report_id"}."""
    evidence = lock_evidence(unit, evidence_id)
    report = Report(tournament=unit.tournament, evidence=evidence, shown=evidence.file)
    return _keep(_described(unit, report, reason, text))


def report_team(actor: Actor, team_id: int, *, reason: str, text: str = "") -> Done:
    """Tell the administrators of the site that a team's name is unfit. Answers {"report_id"}."""
    permissions.require_in_team("report_team", actor.user)
    with transaction.atomic():
        team = Team.objects.filter(pk=team_id, disbanded_at=None).first()
        if team is None:
            message = _("There is no such team.")
            raise NotFound(message)
        unit = Unit("report_team", actor, present())
        return Done("", 0, _keep(_described(unit, Report(team=team, shown=team.name), reason, text)))


def resolve(actor: Actor, report_id: int, *, note: str = "") -> Done:
    """
    Say that a report was dealt with; `note`: how. Answers {"report_id"}.

    The staff of its tournament can, and an administrator of the site, who alone can for a team.
    """
    tournament_id = Report.objects.filter(pk=report_id).values_list("tournament", flat=True).first()
    if tournament_id is not None:
        return _resolve_in_tournament(actor, tournament_id, report_id, note=note)
    user = permissions.require_in_team("report_team", actor.user)
    if not user.is_superuser or user.grant is not None:
        message = _("Only an administrator of this site can do this.")
        raise PermissionDenied(message)
    with transaction.atomic():
        return Done("", 0, _resolve(Unit("resolve_report", actor, present()), report_id, note))


@command("resolve_report")
def _resolve_in_tournament(unit: Unit, /, tournament_id: int, report_id: int, *, note: str) -> Answer:
    unit.lock(tournament_id)
    return _resolve(unit, report_id, note)


@command("hide_evidence")
def hide_evidence(unit: Unit, /, evidence_id: int, *, hidden: bool = True) -> Answer:
    """Show an image of a dispute to the staff alone, which deals with the reports about it; or to both sides again."""
    evidence = lock_evidence(unit, evidence_id)
    if hidden == (evidence.hidden_at is not None):
        message = _("This image is hidden already.") if hidden else _("This image is shown already.")
        raise Conflict(message)
    evidence.hidden_at, evidence.hidden_by = (unit.now, unit.user) if hidden else (None, None)
    evidence.save(update_fields=["hidden_at", "hidden_by"])
    if hidden:
        evidence.reports.filter(resolved_at=None).update(**_resolved(unit, "Hidden."))
    return {"match_id": evidence.dispute.match_id, "evidence_id": evidence.pk}


def lock_evidence(unit: Unit, evidence_id: int) -> Evidence:
    """Lock the match of an image, and check the right to act on it. Raises NotFound also for one that is hidden."""
    message = _("There is no such image.")
    match_id = Evidence.objects.filter(pk=evidence_id).values_list("dispute__match", flat=True).first()
    if match_id is None:
        raise NotFound(message)
    try:
        unit.lock_match(match_id)
    except NotFound:
        raise NotFound(message) from None
    evidence = Evidence.objects.select_related("dispute").filter(pk=evidence_id).first()
    if evidence is None or (evidence.hidden_at is not None and not permissions.is_staff(unit.role)):
        raise NotFound(message)
    return evidence


def _described(unit: Unit, report: Report, reason: str, text: str) -> Report:
    """Return a report, filled in. Raises RateLimited, or Conflict when the person has reported the same already."""
    if reason not in Complaint.values:
        message = _("The reason is one of {reasons}.", reasons=", ".join(Complaint.values))
        raise BadRequest(message, field="reason")
    report.reason, report.text = reason, clean_text("text", text, at_most=1000)
    report.reporter, report.created_at = unit.user, unit.now
    mine = Report.objects.filter(reporter=unit.user)
    if mine.filter(resolved_at=None, entry=report.entry, team=report.team, evidence=report.evidence).exists():
        message = _("You have reported this already. The staff will look at it.")
        raise Conflict(message)
    if mine.filter(created_at__gt=unit.now - timedelta(hours=1)).count() >= MOST_AN_HOUR:
        message = _(
            "You have sent {number} reports in the last hour. Wait a while before the next.", number=MOST_AN_HOUR
        )
        raise RateLimited(message)
    return report


def _keep(report: Report) -> Answer:
    report.save()
    return {"report_id": report.pk}


def _resolve(unit: Unit, report_id: int, note: str) -> Answer:
    report = Report.objects.select_for_update().filter(pk=report_id).first()
    if report is None:
        message = _("There is no such report.")
        raise NotFound(message)
    if report.resolved_at is not None:
        message = _("This report was dealt with already.")
        raise Conflict(message)
    Report.objects.filter(pk=report_id).update(**_resolved(unit, clean_line("note", note, at_most=200)))
    return {"report_id": report_id}


def _resolved(unit: Unit, note: str) -> dict[str, Any]:
    user: User = unit.user
    return {"resolved_at": unit.now, "resolved_by": user, "note": note}
