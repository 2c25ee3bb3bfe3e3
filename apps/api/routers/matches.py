"""Matches: follow, check in, score, report, confirm, decide."""

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router

from apps.api import schemas
from apps.api.auth import ANYBODY, person
from apps.api.details import match_detail
from apps.api.pagination import page
from apps.api.params import IdempotencyKey, MatchId, TournamentId, Window, actor
from apps.errors import NotFound
from apps.tournaments.models import Match
from apps.tournaments.selectors import lists
from apps.tournaments.services import Done, matches
from apps.tournaments.state import match_fields
from engine.bracket import Side
from engine.match_flow import MatchState, Score

router = Router(tags=["matches"])
Answer = dict[str, Any]

ANY_VERSION = schemas.OnMatch()
NO_SCORE = schemas.WithOptionalScore()
NO_SIDE = schemas.WithSide()


@router.get(
    "/tournaments/{row:tournament_id}/matches",
    auth=ANYBODY,
    response=schemas.MatchPage,
    operation_id="listMatches",
    summary="The matches of a tournament, in the order of play",
)
def list_matches(
    request: HttpRequest,
    tournament_id: TournamentId,
    window: Query[Window],
    state: Query[list[MatchState]] = [],  # noqa: B006 - ninja copies it
) -> Answer:
    tournament, _ = lists.tournament_for(person(request), tournament_id)
    found = tournament.matches.order_by("stage", "number")
    return page(found.filter(state__in=state) if state else found, window, match_fields)


@router.get(
    "/matches/{row:match_id}",
    auth=ANYBODY,
    response=schemas.MatchDetail,
    operation_id="getMatch",
    summary="One match, with its entrants",
)
def get(request: HttpRequest, match_id: MatchId) -> Answer:
    return match_detail(lists.match_for(person(request), match_id)[0])


@router.put(
    "/matches/{row:match_id}/check-in",
    response=schemas.MatchAnswer,
    operation_id="checkInMatch",
    summary="Say that one side of a match is here",
    description="With the second side the match can start.",
)
def check_in(
    request: HttpRequest, match_id: MatchId, body: schemas.WithSide = NO_SIDE, key: IdempotencyKey = None
) -> Answer:
    version = body.expected_version
    return match_answer(matches.check_in(actor(request, key), match_id, side=body.side, expected_version=version))


@router.post(
    "/matches/{row:match_id}/start",
    response=schemas.MatchAnswer,
    operation_id="startMatch",
    summary="Begin a match",
    description="As a referee.",
)
def start(
    request: HttpRequest, match_id: MatchId, body: schemas.OnMatch = ANY_VERSION, key: IdempotencyKey = None
) -> Answer:
    return match_answer(matches.start(actor(request, key), match_id, expected_version=body.expected_version))


@router.put(
    "/matches/{row:match_id}/score",
    response=schemas.MatchAnswer,
    operation_id="updateScore",
    summary="Set the score of a match in play",
    description="As a referee. It may be level, and may go down: a goal can be disallowed.",
)
def update_score(
    request: HttpRequest, match_id: MatchId, body: schemas.WithScore, key: IdempotencyKey = None
) -> Answer:
    version = body.expected_version
    return match_answer(matches.update_score(actor(request, key), match_id, to_score(body), expected_version=version))


@router.post(
    "/matches/{row:match_id}/report",
    response=schemas.MatchAnswer,
    operation_id="reportScore",
    summary="State the result of your own match",
    description="It counts when the other side confirms it, or a referee decides. Until then you may correct it.",
)
def report(request: HttpRequest, match_id: MatchId, body: schemas.WithScore, key: IdempotencyKey = None) -> Answer:
    version = body.expected_version
    return match_answer(matches.report(actor(request, key), match_id, to_score(body), expected_version=version))


@router.post(
    "/matches/{row:match_id}/confirm",
    response=schemas.MatchAnswer,
    operation_id="confirmResult",
    summary="Agree with what the other side reported",
)
def confirm(
    request: HttpRequest, match_id: MatchId, body: schemas.OnMatch = ANY_VERSION, key: IdempotencyKey = None
) -> Answer:
    return match_answer(matches.confirm(actor(request, key), match_id, expected_version=body.expected_version))


@router.post(
    "/matches/{row:match_id}/complete",
    response=schemas.MatchAnswer,
    operation_id="completeMatch",
    summary="End a match",
    description=(
        "As a referee: with this score, else with the reported one, else with the score as it stands. "
        "A dispute is resolved by it."
    ),
)
def complete(
    request: HttpRequest,
    match_id: MatchId,
    body: schemas.WithOptionalScore = NO_SCORE,
    key: IdempotencyKey = None,
) -> Answer:
    who, score = actor(request, key), optional_score(body)
    version = body.expected_version
    return match_answer(matches.finish(who, match_id, score, ruling=body.ruling, expected_version=version))


@router.post(
    "/matches/{row:match_id}/walkover",
    response=schemas.MatchAnswer,
    operation_id="awardWalkover",
    summary="Let one side pass, because the other cannot play",
    description="As a referee, before the match has begun.",
)
def walkover(request: HttpRequest, match_id: MatchId, body: schemas.WithWinner, key: IdempotencyKey = None) -> Answer:
    version = body.expected_version
    done = matches.award_walkover(actor(request, key), match_id, winner=body.winner, expected_version=version)
    return match_answer(done)


@router.post(
    "/matches/{row:match_id}/forfeit",
    response=schemas.MatchAnswer,
    operation_id="forfeitMatch",
    summary="Rule that one side loses, or both, whatever the score",
    description="As a referee. A dispute is resolved by it.",
)
def forfeit(request: HttpRequest, match_id: MatchId, body: schemas.WithLoser, key: IdempotencyKey = None) -> Answer:
    loser = None if body.loser == "both" else Side(body.loser)
    who, version = actor(request, key), body.expected_version
    return match_answer(matches.forfeit(who, match_id, loser=loser, ruling=body.ruling, expected_version=version))


@router.post(
    "/matches/{row:match_id}/cancel",
    response=schemas.MatchAnswer,
    operation_id="cancelMatch",
    summary="Let a match of a league not be played",
    description="As a referee. It does not count. A bracket needs every match: rule a forfeit there.",
)
def cancel(
    request: HttpRequest, match_id: MatchId, body: schemas.OnMatch = ANY_VERSION, key: IdempotencyKey = None
) -> Answer:
    return match_answer(matches.cancel(actor(request, key), match_id, expected_version=body.expected_version))


@router.post(
    "/matches/{row:match_id}/take-kept",
    response=schemas.MatchAnswer,
    operation_id="takeKeptResult",
    summary="Decide a match by the result that the same two had here before",
    description="As a referee, of a match whose `kept` has one: a reopening took it away.",
)
def take_kept(
    request: HttpRequest, match_id: MatchId, body: schemas.OnMatch = ANY_VERSION, key: IdempotencyKey = None
) -> Answer:
    return match_answer(matches.take_kept(actor(request, key), match_id, expected_version=body.expected_version))


def to_score(body: schemas.OptionalScore) -> Score:
    games = [(game.home, game.away) for game in body.games]
    return matches.to_score(body.home_score, body.away_score, body.home_shootout, body.away_shootout, games)


def optional_score(body: schemas.OptionalScore) -> Score | None:
    return to_score(body) if body.is_given else None


def match_answer(done: Done) -> Answer:
    """Return a match as it stands now. A command that is sent again may find that it is gone."""
    match = Match.objects.filter(pk=done.ids["match_id"]).first()
    if match is None:
        message = "The match is gone since: its stage has been drawn anew, or its draw was taken back."
        raise NotFound(message)
    return {"seq": done.seq, "match": match_fields(match)}
