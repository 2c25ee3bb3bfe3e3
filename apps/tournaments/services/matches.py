"""Play: start a match, keep its score, report and confirm a result, decide it."""

from apps.errors import BadRequest, Conflict
from apps.tournaments import permissions
from apps.tournaments.events import MatchStarted, ResultReported, ScoreUpdated
from apps.tournaments.models import Match
from apps.tournaments.services.progress import begin_play, complete
from apps.tournaments.services.unit import Answer, Unit, command
from engine.bracket import Side
from engine.errors import InvalidScore
from engine.match_flow import MatchState, Reason, Score, Step, after, decided


def to_score(home: int, away: int, home_shootout: int | None = None, away_shootout: int | None = None) -> Score:
    """Return the score that somebody typed or sent. Raises BadRequest when the numbers cannot be one."""
    try:
        return Score(home, away, home_shootout, away_shootout)
    except InvalidScore as error:
        raise BadRequest(str(error), field="score") from error


@command("start_match")
def start(unit: Unit, /, match_id: int, *, expected_version: int | None = None) -> Answer:
    """Begin a match whose entrants are both known. Answers {"match_id"}, as all functions here."""
    match = unit.lock_match(match_id, expected_version=expected_version)
    _take(unit, match, Step.START)
    match.started_at = unit.now
    begin_play(unit)
    unit.emit(MatchStarted(match=unit.save(match)))
    return {"match_id": match.pk}


@command("update_score")
def update_score(unit: Unit, /, match_id: int, score: Score, *, expected_version: int | None = None) -> Answer:
    """Set the score of a match in play. The score may be level, and may go down: a goal can be disallowed."""
    match = unit.lock_match(match_id, expected_version=expected_version)
    _take(unit, match, Step.UPDATE_SCORE)
    match.score = score
    unit.emit(ScoreUpdated(match=unit.save(match)))
    return {"match_id": match.pk}


@command("report_score")
def report(unit: Unit, /, match_id: int, score: Score, *, expected_version: int | None = None) -> Answer:
    """
    State the result of one's own match. It counts when the other side confirms it, or a referee decides.

    The side that reported may correct its report until then.
    """
    match = unit.lock_match(match_id, expected_version=expected_version)
    side = permissions.side_of(unit.actor.user, match)
    if match.state == MatchState.PENDING_RESULT and match.reported_by != side:
        message = f"The other side reported {_said(match)}. Confirm it, or ask a referee to decide."
        raise Conflict(message, state=match.state, report=match.report, possible=["confirm_result"])
    decided(score)
    _take(unit, match, Step.REPORT)
    begin_play(unit)
    match.started_at = match.started_at or unit.now
    match.reported_by = side or ""
    match.report = {
        "home_score": score.home,
        "away_score": score.away,
        "home_shootout": score.home_shootout,
        "away_shootout": score.away_shootout,
    }
    unit.emit(ResultReported(match=unit.save(match)))
    return {"match_id": match.pk}


@command("confirm_result")
def confirm(unit: Unit, /, match_id: int, *, expected_version: int | None = None) -> Answer:
    """Agree with what the other side reported; the match is completed with it. Nobody confirms their own report."""
    match = unit.lock_match(match_id, expected_version=expected_version)
    side = permissions.side_of(unit.actor.user, match)
    _take(unit, match, Step.CONFIRM)
    if match.reported_by == side:
        message = "You reported this result yourself; your opponent confirms it, or a referee decides."
        raise Conflict(message, state=MatchState.PENDING_RESULT, reported_by=match.reported_by)
    match.score = _reported(match)
    complete(unit, match, decided(match.score), Reason.PLAYED)
    return {"match_id": match.pk}


@command("complete_match")
def finish(unit: Unit, /, match_id: int, score: Score | None = None, *, expected_version: int | None = None) -> Answer:
    """
    End a match as a referee, with `score`, else with the reported score, else with the score as it stands.

    Raises:
        BadRequest: the score is level; an elimination match needs a winner.
    """
    match = unit.lock_match(match_id, expected_version=expected_version)
    _take(unit, match, Step.COMPLETE)
    match.score = score or (_reported(match) if match.report else match.score)
    complete(unit, match, decided(match.score), Reason.PLAYED)
    return {"match_id": match.pk}


@command("award_walkover")
def award_walkover(unit: Unit, /, match_id: int, *, winner: Side, expected_version: int | None = None) -> Answer:
    """Let `winner` pass because the opponent cannot play; the match never began."""
    match = unit.lock_match(match_id, expected_version=expected_version)
    if match.state == MatchState.SCHEDULED:
        message = "An entrant of this match is still to come; a walkover needs both."
        raise Conflict(message, state=match.state, possible=[])
    _take(unit, match, Step.WALKOVER)
    complete(unit, match, winner, Reason.WALKOVER)
    return {"match_id": match.pk}


@command("forfeit_match")
def forfeit(unit: Unit, /, match_id: int, *, loser: Side, expected_version: int | None = None) -> Answer:
    """Rule that `loser` loses the match, whatever its score."""
    match = unit.lock_match(match_id, expected_version=expected_version)
    _take(unit, match, Step.FORFEIT)
    complete(unit, match, loser.other, Reason.FORFEIT)
    return {"match_id": match.pk}


def _take(unit: Unit, match: Match, step: Step) -> None:
    """Move the match along, unless its state or its tournament's forbids it."""
    if unit.tournament.status == "cancelled":
        message = "The tournament was cancelled; its matches stay as they are."
        raise Conflict(message, status="cancelled", possible=[])
    match.state = after(MatchState(match.state), step)


def _reported(match: Match) -> Score:
    report = match.report or {}
    return Score(report["home_score"], report["away_score"], report.get("home_shootout"), report.get("away_shootout"))


def _said(match: Match) -> str:
    score = _reported(match)
    return f"{score.home}–{score.away}"
