"""Files in and out: whole tournaments, lists of entrants, results and standings; see docs/formats.md."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from ninja import File, Router
from ninja.files import UploadedFile

from apps.api import schemas
from apps.api.auth import ANYBODY, person
from apps.api.params import IdempotencyKey, StageId, TournamentId, actor
from apps.api.routers.tournaments import tournament_answer
from apps.tournaments import uploads
from apps.tournaments.exchange.document import write_document
from apps.tournaments.models import Entry
from apps.tournaments.permissions import is_staff
from apps.tournaments.selectors import files
from apps.tournaments.selectors.export import export
from apps.tournaments.selectors.lists import stage_for, tournament_for
from apps.tournaments.services import entry_imports, imports
from apps.tournaments.state import entry_fields

router = Router(tags=["files"])
Answer = dict[str, Any]

# The names of the addresses that take a form with a file, and how large that may be.
UPLOADS = {"tournament-import": uploads.DOCUMENT, "entries-import": uploads.DOCUMENT}

JSON, CSV, TRF = "application/json", "text/csv", "text/plain"


def _download(media_type: str, schema: Answer) -> Answer:
    return {"responses": {200: {"description": "The file.", "content": {media_type: {"schema": schema}}}}}


_TEXT = {"type": "string"}


@router.get(
    "/tournaments/{row:tournament_id}/export",
    auth=ANYBODY,
    url_name="tournament-export",
    operation_id="exportTournament",
    summary="The whole tournament as a document",
    description="It can be imported at any site. For the staff with the disputes. No ids of this site are in it.",
    openapi_extra=_download(JSON, {"$ref": f"#/components/schemas/{schemas.DOCUMENT}"}),
)
def export_tournament(request: HttpRequest, tournament_id: TournamentId) -> HttpResponse:
    tournament, role = tournament_for(person(request), tournament_id)
    document = export(tournament_id, staff=is_staff(role), at=timezone.now())
    return _file(write_document(document), JSON, tournament.name, "json")


@router.get(
    "/tournaments/{row:tournament_id}/entrants.csv",
    auth=ANYBODY,
    url_name="entrants-csv",
    operation_id="exportEntrants",
    summary="The confirmed entrants by seed, then the waitlist",
    openapi_extra=_download(CSV, _TEXT),
)
def entrants_csv(request: HttpRequest, tournament_id: TournamentId) -> HttpResponse:
    tournament, _ = tournament_for(person(request), tournament_id)
    return _file(files.entrants_csv(tournament), CSV, f"{tournament.name} entrants", "csv")


@router.get(
    "/tournaments/{row:tournament_id}/results.csv",
    auth=ANYBODY,
    url_name="results-csv",
    operation_id="exportResults",
    summary="All matches in the order of play",
    openapi_extra=_download(CSV, _TEXT),
)
def results_csv(request: HttpRequest, tournament_id: TournamentId) -> HttpResponse:
    tournament, _ = tournament_for(person(request), tournament_id)
    return _file(files.results_csv(tournament), CSV, f"{tournament.name} results", "csv")


@router.get(
    "/stages/{row:stage_id}/standings.csv",
    auth=ANYBODY,
    url_name="standings-csv",
    operation_id="exportStandings",
    summary="The tables of a league, or the places in a bracket",
    openapi_extra=_download(CSV, _TEXT),
)
def standings_csv(request: HttpRequest, stage_id: StageId) -> HttpResponse:
    stage, _ = stage_for(person(request), stage_id)
    return _file(files.standings_csv(stage), CSV, f"{stage.tournament.name} standings {stage.number}", "csv")


@router.get(
    "/stages/{row:stage_id}/report.trf",
    auth=ANYBODY,
    url_name="report-trf",
    operation_id="exportReport",
    summary="A league as a tournament report file (TRF16)",
    openapi_extra=_download(TRF, _TEXT),
)
def report_trf(request: HttpRequest, stage_id: StageId) -> HttpResponse:
    stage, _ = stage_for(person(request), stage_id)
    return _file(files.report_trf(stage), TRF, f"{stage.tournament.name} report {stage.number}", "trf")


@router.post(
    "/tournaments/import",
    url_name="tournament-import",
    response={201: schemas.TournamentAnswer},
    operation_id="importTournament",
    summary="Make a tournament of a file",
    description=(
        "Of an exported document, a tournament report file (TRF), or JSON of brackets-manager, as the `file` of a form "
        "of at most 8 MiB. You are its organiser. Where a document is wrong, `data.path` says which part."
    ),
)
def import_tournament(
    request: HttpRequest, response: HttpResponse, file: File[UploadedFile], key: IdempotencyKey = None
) -> Answer:
    done = imports.import_tournament(actor(request, key), file.read())
    response["Location"] = f"/api/v1/tournaments/{done.ids['tournament_id']}"
    return tournament_answer(request, done)


@router.post(
    "/tournaments/{row:tournament_id}/entries/import",
    url_name="entries-import",
    response={201: schemas.EntriesAnswer},
    operation_id="importEntries",
    summary="Enter everybody in a list, by name",
    description=(
        "As an organiser, with a CSV file as the `file` of a form. Everybody is entered or nobody; `data.errors` tells "
        "all that is wrong, as `row`, `column` and `message`."
    ),
)
def import_entries(
    request: HttpRequest, tournament_id: TournamentId, file: File[UploadedFile], key: IdempotencyKey = None
) -> Answer:
    done = entry_imports.import_entries(actor(request, key), tournament_id, file.read())
    first, last = done.ids["first_entry_id"], done.ids["last_entry_id"]
    added = Entry.objects.filter(tournament=tournament_id, pk__range=(first, last)).order_by("pk")
    return {"seq": done.seq, "entries": [entry_fields(entry) for entry in added]}


def _file(data: bytes, media_type: str, name: str, extension: str) -> HttpResponse:
    answer = HttpResponse(data, content_type=media_type if media_type == JSON else f"{media_type}; charset=utf-8")
    filename = f"{slugify(name, allow_unicode=True)[:80] or 'tournament'}.{extension}"
    answer["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=filename) or "attachment"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
