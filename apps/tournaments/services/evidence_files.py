"""Evidence goes: the row, and the file once nothing refers to it any more."""

from collections.abc import Iterable
from functools import partial

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet

from apps.tournaments.models import Evidence

FOLDER = "evidence"


def discard(found: QuerySet[Evidence]) -> int:
    """Delete evidence, and its files after the commit: a file that stays behind by accident is for `purge`."""
    with transaction.atomic():
        paths = {row.file: row.path for row in found}
        deleted, _ = Evidence.objects.filter(pk__in=list(found.values_list("pk", flat=True))).delete()
        transaction.on_commit(partial(_delete_files, paths.items()))
    return deleted


def _delete_files(paths: Iterable[tuple[str, str]]) -> None:
    for file, path in paths:
        if not Evidence.objects.filter(file=file).exists():  # the same picture may be evidence elsewhere
            default_storage.delete(path)
