"""Disputes: ask a referee to decide, and show what happened."""

from typing import Any

from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from ninja import File, Router
from ninja.files import UploadedFile

from apps.api import schemas
from apps.api.auth import person
from apps.api.details import dispute_detail, evidence_detail
from apps.api.params import EvidenceId, IdempotencyKey, MatchId, actor
from apps.api.routers.matches import match_answer
from apps.errors import NotFound
from apps.tournaments.models import Evidence
from apps.tournaments.selectors import disputes as selectors
from apps.tournaments.services import disputes, matches

router = Router(tags=["disputes"])
Answer = dict[str, Any]

UPLOAD = "evidence-upload"  # the name of the one address that takes a form with a file
_PICTURE = {"schema": {"type": "string", "format": "binary"}}
_PICTURES = {"description": "The image.", "content": {"image/png": _PICTURE, "image/jpeg": _PICTURE}}


@router.post(
    "/matches/{row:match_id}/dispute",
    response=schemas.MatchAnswer,
    operation_id="disputeResult",
    summary="Ask a referee to decide your match",
    description="Two different reports of its sides open a dispute by themselves.",
)
def dispute(request: HttpRequest, match_id: MatchId, body: schemas.NewDispute, key: IdempotencyKey = None) -> Answer:
    who, version = actor(request, key), body.expected_version
    return match_answer(matches.dispute(who, match_id, cause=body.cause, text=body.text, expected_version=version))


@router.get(
    "/matches/{row:match_id}/dispute",
    response=schemas.Dispute,
    operation_id="getDispute",
    summary="The last dispute about a match",
    description="For both sides and the staff.",
)
def get(request: HttpRequest, match_id: MatchId) -> Answer:
    return dispute_detail(selectors.dispute_for(person(request), match_id))


@router.post(
    "/matches/{row:match_id}/evidence",
    url_name=UPLOAD,
    response={201: schemas.EvidenceAnswer},
    operation_id="addEvidence",
    summary="Add an image to the open dispute of a match",
    description=(
        "A JPEG, PNG or WebP picture of at most 5 MiB and 40 megapixels, as the `file` of a form. Only its pixels are "
        "kept. The same image twice is one; a dispute holds ten."
    ),
)
def add_evidence(
    request: HttpRequest, match_id: MatchId, file: File[UploadedFile], key: IdempotencyKey = None
) -> Answer:
    done = disputes.add_evidence(actor(request, key), match_id, file.read())
    added = Evidence.objects.select_related("uploaded_by").filter(pk=done.ids["evidence_id"]).first()
    if added is None:
        message = "The match has been drawn anew since, without this dispute."
        raise NotFound(message)
    return {"seq": done.seq, "evidence": evidence_detail(added)}


@router.get(
    "/evidence/{row:evidence_id}",
    operation_id="getEvidence",
    summary="An image of a dispute",
    description="For both sides and the staff. A browser may keep it, but has to ask each time whether it may show it.",
    openapi_extra={"responses": {200: _PICTURES}},
)
def get_evidence(request: HttpRequest, evidence_id: EvidenceId) -> HttpResponseBase:
    evidence = selectors.evidence_for(person(request), evidence_id)
    with default_storage.open(evidence.path) as file:
        answer = HttpResponse(file.read(), content_type=evidence.content_type)
    answer["Content-Disposition"] = f'inline; filename="{evidence.file}"'
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["Cross-Origin-Resource-Policy"] = "same-origin"
    answer["Cache-Control"] = "private, no-cache"
    answer["ETag"] = etag = f'"{evidence.file}"'
    patch_vary_headers(answer, ["Cookie", "Authorization"])
    return get_conditional_response(request, etag=etag, response=answer) or answer
