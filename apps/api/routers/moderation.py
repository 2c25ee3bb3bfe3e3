"""Reporting names and images, dealing with reports, banning people."""

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router

from apps.accounts.models import User
from apps.api import schemas
from apps.api.auth import person
from apps.api.pagination import page
from apps.api.params import EntryId, EvidenceId, IdempotencyKey, ReportId, TeamId, TournamentId, Username, Window, actor
from apps.errors import NotFound
from apps.eventlog.log import iso
from apps.tournaments import permissions
from apps.tournaments.models import Ban, Report
from apps.tournaments.selectors import lists, moderation
from apps.tournaments.services import Done, bans, reports

router = Router(tags=["moderation"])
Answer = dict[str, Any]

NO_NOTE, NO_REASON = schemas.Resolution(), schemas.NewBan()


@router.post(
    "/entries/{row:entry_id}/reports",
    response={201: schemas.AbuseReportAnswer},
    operation_id="reportEntry",
    summary="Report an entrant's name",
    description="To the tournament's staff and the administrators of the site. Ten reports an hour.",
)
def report_entry(
    request: HttpRequest, entry_id: EntryId, body: schemas.NewAbuseReport, key: IdempotencyKey = None
) -> Answer:
    return _reported(reports.report_entry(actor(request, key), entry_id, reason=body.reason, text=body.text))


@router.post(
    "/evidence/{row:evidence_id}/reports",
    response={201: schemas.AbuseReportAnswer},
    operation_id="reportEvidence",
    summary="Report an image of a dispute",
)
def report_evidence(
    request: HttpRequest, evidence_id: EvidenceId, body: schemas.NewAbuseReport, key: IdempotencyKey = None
) -> Answer:
    return _reported(reports.report_evidence(actor(request, key), evidence_id, reason=body.reason, text=body.text))


@router.post(
    "/teams/{row:team_id}/reports",
    response={201: schemas.AbuseReportAnswer},
    operation_id="reportTeam",
    summary="Report a team's name",
    description="To the administrators of the site.",
)
def report_team(request: HttpRequest, team_id: TeamId, body: schemas.NewAbuseReport) -> Answer:
    return _reported(reports.report_team(actor(request, None), team_id, reason=body.reason, text=body.text))


@router.get(
    "/tournaments/{row:tournament_id}/reports",
    response=schemas.AbuseReportPage,
    operation_id="listReports",
    summary="The reports of a tournament, open ones first",
    description="For its staff.",
)
def list_reports(request: HttpRequest, tournament_id: TournamentId, window: Query[Window]) -> Answer:
    tournament, role = lists.tournament_for(person(request), tournament_id)
    permissions.require("resolve_report", person(request), role, tournament_id=tournament.pk)
    return page(moderation.reports_in(tournament), window, _report_fields)


@router.post(
    "/reports/{row:report_id}/resolve",
    response=schemas.AbuseReportAnswer,
    operation_id="resolveReport",
    summary="Say that a report was dealt with",
)
def resolve(
    request: HttpRequest, report_id: ReportId, body: schemas.Resolution = NO_NOTE, key: IdempotencyKey = None
) -> Answer:
    return _reported(reports.resolve(actor(request, key), report_id, note=body.note))


@router.put(
    "/evidence/{row:evidence_id}/hidden",
    response=schemas.HiddenAnswer,
    operation_id="hideEvidence",
    summary="Show an image to the staff alone",
    description="Which deals with the reports about it.",
)
def hide(request: HttpRequest, evidence_id: EvidenceId, key: IdempotencyKey = None) -> Answer:
    reports.hide_evidence(actor(request, key), evidence_id)
    return {"evidence": evidence_id, "hidden": True}


@router.delete(
    "/evidence/{row:evidence_id}/hidden",
    response=schemas.HiddenAnswer,
    operation_id="showEvidence",
    summary="Show an image to both sides again",
)
def show(request: HttpRequest, evidence_id: EvidenceId, key: IdempotencyKey = None) -> Answer:
    reports.hide_evidence(actor(request, key), evidence_id, hidden=False)
    return {"evidence": evidence_id, "hidden": False}


@router.get(
    "/tournaments/{row:tournament_id}/bans",
    response=schemas.BanPage,
    operation_id="listBans",
    summary="Who may not enter",
    description="For its organisers.",
)
def list_bans(request: HttpRequest, tournament_id: TournamentId, window: Query[Window]) -> Answer:
    tournament, role = lists.tournament_for(person(request), tournament_id)
    permissions.require("ban_user", person(request), role, tournament_id=tournament.pk)
    return page(moderation.bans_in(tournament), window, _ban_fields)


@router.put(
    "/tournaments/{row:tournament_id}/bans/{username}",
    response=schemas.BanAnswer,
    operation_id="banUser",
    summary="Let a person enter no more",
    description="Neither alone nor with a team. Their own entry is disqualified; a team that they play for stays.",
)
def ban(
    request: HttpRequest,
    tournament_id: TournamentId,
    username: Username,
    body: schemas.NewBan = NO_REASON,
    key: IdempotencyKey = None,
) -> Answer:
    done = bans.ban(actor(request, key), tournament_id, username=username, reason=body.reason)
    return {"seq": done.seq, "user": done.ids["user_id"]}


@router.delete(
    "/tournaments/{row:tournament_id}/bans/{username}",
    response=schemas.BanAnswer,
    operation_id="unbanUser",
    summary="Let a person enter again",
)
def unban(request: HttpRequest, tournament_id: TournamentId, username: Username, key: IdempotencyKey = None) -> Answer:
    user = User.objects.filter(username__iexact=username).first()
    if user is None:
        message = "Nobody has this user name."
        raise NotFound(message)
    done = bans.unban(actor(request, key), tournament_id, user.pk)
    return {"seq": done.seq, "user": user.pk}


def _reported(done: Done) -> Answer:
    return {"report": done.ids["report_id"]}


def _report_fields(report: Report) -> Answer:
    return {
        "id": report.pk,
        "entry": report.entry_id,
        "evidence": report.evidence_id,
        "shown": report.shown,
        "reason": report.reason,
        "text": report.text,
        "created_at": iso(report.created_at),
        "resolved_at": report.resolved_at and iso(report.resolved_at),
        "note": report.note,
    }


def _ban_fields(ban: Ban) -> Answer:
    return {"user": ban.user_id, "username": ban.user.username, "reason": ban.reason, "created_at": iso(ban.created_at)}
