"""Take results back, after a look at what that undoes; and take that back in turn."""

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router

from apps.api import schemas
from apps.api.params import IdempotencyKey, MatchId, ReopeningId, actor
from apps.api.routers.matches import match_answer, to_score
from apps.tournaments.services import matches, reopening
from engine.match_flow import Score

router = Router(tags=["matches"])
Answer = dict[str, Any]


@router.get(
    "/matches/{row:match_id}/reopening",
    response=schemas.Reopening,
    operation_id="previewReopening",
    summary="What taking a result back would undo",
    description="As a referee. With a score: what setting that one in its place would.",
)
def preview(request: HttpRequest, match_id: MatchId, correction: Query[schemas.Correction]) -> Answer:
    return reopening.preview(actor(request, None), match_id, score=_corrected(correction)).fields()


@router.post(
    "/matches/{row:match_id}/reopen",
    response=schemas.ReopenAnswer,
    operation_id="reopenMatch",
    summary="Take a result back, with all that came of it",
    description=(
        "As a referee, with the `token` of a preview; if anything has changed since, the answer is `conflict`, and "
        "`data.preview` what it would undo now. With a score, that one is set in its place."
    ),
)
def reopen(request: HttpRequest, match_id: MatchId, body: schemas.Reopen, key: IdempotencyKey = None) -> Answer:
    score = None if body.score is None else to_score(body.score)
    done = reopening.reopen(actor(request, key), match_id, token=body.token, score=score)
    return {**match_answer(done), "reopening": done.ids["reopening_id"]}


@router.post(
    "/reopenings/{row:reopening_id}/undo",
    response=schemas.MatchAnswer,
    operation_id="undoReopening",
    summary="Put everything back as it was before a match was reopened",
    description="As a referee, while none of its matches has changed since.",
)
def undo(request: HttpRequest, reopening_id: ReopeningId, key: IdempotencyKey = None) -> Answer:
    return match_answer(reopening.undo(actor(request, key), reopening_id))


def _corrected(query: schemas.Correction) -> Score | None:
    numbers = (query.home_score, query.away_score, query.home_shootout, query.away_shootout)
    if not query.games and all(number is None for number in numbers):
        return None
    games = [(int(home), int(away)) for home, away in (game.split("-") for game in query.games)]
    return matches.to_score(*numbers, games)
