"""
What is kept no longer than it is needed: evidence, receipts, reports that were dealt with, what
administrators did, sessions that have ended.

Safe to run at any time, beside everything else, and again when it was interrupted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.core.files.storage import default_storage
from django.db.models import Q, QuerySet

from apps.accounts.services import forget_ended_sessions
from apps.eventlog.models import Receipt
from apps.tournaments.models import Evidence, Report, Status
from apps.tournaments.services import evidence_files

STRAY_AFTER = timedelta(days=1)  # a file is written before its row; younger ones may be waiting for theirs
_BATCH = 5000


@dataclass(frozen=True, slots=True)
class Purged:
    """How many were deleted of each."""

    evidence: int
    files: int
    receipts: int
    reports: int
    admin_log: int
    sessions: int


def purge(now: datetime) -> Purged:
    """Delete what has been kept for longer than the settings say; a number of days that is 0 keeps for good."""
    evidence = 0
    if before := _before(now, settings.RETENTION_EVIDENCE_DAYS):
        over = Q(dispute__match__tournament__status__in=(Status.COMPLETED, Status.CANCELLED), uploaded_at__lt=before)
        decided = Q(dispute__resolved_at__lt=before)
        evidence = evidence_files.discard(Evidence.objects.filter(over | decided))
    receipts = reports = admin_log = 0
    if before := _before(now, settings.RETENTION_RECEIPTS_DAYS):
        receipts = sum(_in_batches(Receipt.objects.filter(created_at__lt=before)))
    if before := _before(now, settings.RETENTION_REPORTS_DAYS):
        reports = sum(_in_batches(Report.objects.filter(resolved_at__lt=before)))
    if before := _before(now, settings.RETENTION_ADMIN_LOG_DAYS):
        admin_log = sum(_in_batches(LogEntry.objects.filter(action_time__lt=before)))
    sessions = forget_ended_sessions(now)
    return Purged(evidence, _discard_strays(now), receipts, reports, admin_log, sessions)


def _before(now: datetime, days: int) -> datetime | None:
    return now - timedelta(days=days) if days else None


def _in_batches(found: QuerySet[Any]) -> Iterator[int]:
    """Delete rows in short transactions, and give how many each took."""
    while ids := list(found.values_list("pk", flat=True)[:_BATCH]):
        yield found.model.objects.filter(pk__in=ids).delete()[0]


def _discard_strays(now: datetime) -> int:
    """Delete files of evidence that no row refers to."""
    if not default_storage.exists(evidence_files.FOLDER):
        return 0
    _, files = default_storage.listdir(evidence_files.FOLDER)
    known = set(Evidence.objects.values_list("file", flat=True))
    paths = [f"{evidence_files.FOLDER}/{file}" for file in files if file not in known]
    strays = [path for path in paths if default_storage.get_modified_time(path) < now - STRAY_AFTER]
    for path in strays:
        default_storage.delete(path)
    return len(strays)
