"""One file with all that the site holds about a person: their own rows, what they did, their images. No secrets."""

import json
import zipfile
from collections.abc import Iterator
from typing import IO, Any

import structlog
from django.apps import apps
from django.core.files.storage import default_storage
from django.db.models import Q

from apps.accounts.models import User
from apps.eventlog.log import iso
from apps.eventlog.models import Event, Receipt
from apps.privacy.held import HELD
from apps.tournaments.models import Dispute, Entry, Evidence, Match, Report
from apps.tournaments.services.unit import Actor, present

logger = structlog.get_logger(__name__)

Row = dict[str, Any]

_ACCOUNT = (
    "id",
    "username",
    "email",
    "first_name",
    "last_name",
    "date_joined",
    "last_login",
    "is_staff",
    "is_superuser",
)
_READ_ME = (
    "data.json: your account and what refers to it. log.jsonl: what you did in tournaments, a line each; what came of "
    "it is in the public log of the tournament. images: what you showed in disputes. Passwords and tokens are not kept "
    "in a form that anybody could read, so they are not here."
)


def write(user: User, file: IO[bytes]) -> None:
    """
    Write a ZIP with data.json, log.jsonl, and the images that the person uploaded.

    Cost: a look through the whole log for what the person did; memory for all of their rows but the log's.
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.json", json.dumps(_data(user), indent=2, ensure_ascii=False, default=_text))
        with archive.open("log.jsonl", "w") as lines:
            for row in _deeds(user):
                lines.write(json.dumps(row, ensure_ascii=False, default=_text).encode() + b"\n")
        for name, path in sorted({(image.file, image.path) for image in Evidence.objects.filter(uploaded_by=user)}):
            if not default_storage.exists(path):
                logger.warning("evidence_file_missing", file=name)
                continue
            with default_storage.open(path, "rb") as image:
                archive.writestr(f"images/{name}", image.read(), zipfile.ZIP_STORED)


def _data(user: User) -> Row:
    data: Row = {
        "about_this_file": _READ_ME,
        "made_at": present(),
        "account": {name: getattr(user, name) for name in _ACCOUNT},
    }
    for held in HELD:
        rows = apps.get_model(held.model).objects.filter(**{held.field: user})
        data[held.part] = list(rows.order_by("pk").values(*held.columns))
    return data | {
        "plays_in_rosters_of": _rosters(user),
        "matches": _matches(user),
        "words_in_disputes": list(_disputes(user)),
        "reports_about_my_names": list(
            Report.objects.filter(entry__user=user)
            .order_by("pk")
            .values("tournament_id", "entry_id", "shown", "reason", "created_at", "resolved_at")
        ),
        "commands_kept_for_retries": list(
            Receipt.objects.filter(actor=Actor(user).name)
            .order_by("pk")
            .values("action", "command_id", "stream__name", "seq", "created_at")
        ),
    }


def _rosters(user: User) -> list[Row]:
    # A database cannot look into rosters the same way everywhere. The text of the number narrows it down.
    found = Entry.objects.exclude(team=None).filter(roster__icontains=str(user.pk)).select_related("tournament", "team")
    return [
        {"entry_id": entry.pk, "tournament_id": entry.tournament_id, "team": entry.name, "status": entry.status}
        for entry in found.order_by("pk")
        if any(player["user"] == user.pk for player in entry.roster)
    ]


def _matches(user: User) -> list[Row]:
    """Return the person's matches, as they went for them. Who the others were stands on the pages."""
    own = set(user.entries.values_list("pk", flat=True)) | {row["entry_id"] for row in _rosters(user)}
    found = Match.objects.filter(Q(home__in=own) | Q(away__in=own)).order_by("pk")
    return [_match(row, "home" if row.home_id in own else "away") for row in found]


def _match(row: Match, side: str) -> Row:
    other = "away" if side == "home" else "home"
    entry = getattr(row, f"{side}_id")
    return {
        "match_id": row.pk,
        "tournament_id": row.tournament_id,
        "entry_id": entry,
        "state": row.state,
        "score": [getattr(row, f"{side}_score"), getattr(row, f"{other}_score")],
        "won": None if row.winner_id is None else row.winner_id == entry,
        "scheduled_at": row.scheduled_at,
        "completed_at": row.completed_at,
    }


def _disputes(user: User) -> Any:
    own = Q(opened_by="home", match__home__user=user) | Q(opened_by="away", match__away__user=user)
    return Dispute.objects.filter(own).order_by("pk").values("match_id", "cause", "text", "opened_at", "resolved_at")


def _deeds(user: User) -> Iterator[Any]:
    """Give what the person did, as the log has it, without the data, which is about others as well."""
    events = Event.objects.filter(actor=Actor(user).name).order_by("pk")
    return events.values("stream__name", "seq", "type", "subject", "at").iterator()


def _text(value: Any) -> str:
    return iso(value) if hasattr(value, "astimezone") else str(value)
