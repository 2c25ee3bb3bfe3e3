"""Play: check in, start a match, keep its score, report and confirm a result, decide it."""

from collections.abc import Sequence
from typing import Any

from apps.errors import BadRequest, Conflict
from apps.tournaments import permissions
from apps.tournaments.events import (
    MatchCancelled,
    MatchCheckedIn,
    MatchReady,
    MatchStarted,
    ResultDisputed,
    ResultReported,
    ScoreUpdated,
)
from apps.tournaments.models import Dispute, DisputeCause, Match
from apps.tournaments.services.bookings import station_is_free
from apps.tournaments.services.progress import begin_play, complete, conclude
from apps.tournaments.services.unit import Answer, Unit, command
from apps.tournaments.text import clean_text
from engine.bracket import Side
from engine.errors import InvalidScore
from engine.match_flow import MatchState, Reason, Score, Step, after, check_score, decided, score_of
from engine.text import gettext as _


def to_score(
    home: int | None = None,
    away: int | None = None,
    home_shootout: int | None = None,
    away_shootout: int | None = None,
    games: Sequence[tuple[int, int]] = (),
) -> Score:
    """
    Return the score that somebody typed or sent. With `games`, the other numbers may be left out.

    Raises:
        BadRequest: the numbers cannot be a score.
    """
    try:
        if games and home is None and away is None:
            return Score.of_games(games)
        if home is None or away is None:
            message = _("A score needs a number for both sides.")
            raise BadRequest(message, field="score")
        return Score(home, away, home_shootout, away_shootout, tuple(games))
    except InvalidScore as error:
        raise BadRequest(error.text, field="score") from error


@command("check_in_match")
def check_in(unit: Unit, /, match_id: int, *, side: Side | None = None, expected_version: int | None = None) -> Answer:
    """
    Say that one side of a match is here; with the second the match can start. Answers {"match_id"}, as all do.

    `side`: for the staff, who act for somebody; a player acts for their own.
    """
    match = unit.lock_match(match_id, expected_version=expected_version)
    side = permissions.side_of(unit.actor.user, match) or side
    if side is None:
        message = _("Say which side is here: home or away.")
        raise BadRequest(message, field="side")
    _take(unit, match, Step.CHECK_IN)
    if match.home_checked_in if side is Side.HOME else match.away_checked_in:
        message = _("This side is checked in already.")
        raise Conflict(message, state=match.state)
    match.home_checked_in |= side is Side.HOME
    match.away_checked_in |= side is Side.AWAY
    unit.emit(MatchCheckedIn(match=unit.save(match)))
    if match.home_checked_in and match.away_checked_in:
        _take(unit, match, Step.ASSEMBLE)
        match.deadline_at = None
        unit.emit(MatchReady(match=unit.save(match)))
    return {"match_id": match.pk}


@command("start_match")
def start(unit: Unit, /, match_id: int, *, expected_version: int | None = None) -> Answer:
    """
    Begin a match whose entrants are both known.

    Raises:
        Conflict: another match is being played, or was called, at its station.
    """
    match = unit.lock_match(match_id, expected_version=expected_version)
    _take(unit, match, Step.START)
    station_is_free(match)
    match.started_at, match.deadline_at = unit.now, None
    begin_play(unit)
    unit.emit(MatchStarted(match=unit.save(match)))
    return {"match_id": match.pk}


@command("update_score")
def update_score(unit: Unit, /, match_id: int, score: Score, *, expected_version: int | None = None) -> Answer:
    """Set the score of a match in play. The score may be level, and may go down: a goal can be disallowed."""
    match = unit.lock_match(match_id, expected_version=expected_version)
    _take(unit, match, Step.UPDATE_SCORE)
    check_score(score, best_of=match.best_of)
    match.score = score
    unit.emit(ScoreUpdated(match=unit.save(match)))
    return {"match_id": match.pk}


@command("report_score")
def report(unit: Unit, /, match_id: int, score: Score, *, expected_version: int | None = None) -> Answer:
    """
    State the result of one's own match.

    It counts when the other side reports the same or confirms it, when a referee decides, or when nobody has answered
    for the tournament's `confirm_minutes`. The side that reported may correct its report until then. Another report by
    the other side opens a dispute.
    """
    match = unit.lock_match(match_id, expected_version=expected_version)
    side = permissions.side_of(unit.actor.user, match)
    winner = _decided(match, score)
    if match.state == MatchState.PENDING_RESULT and match.reported_by != side:
        if _reported(match) == score:
            _take(unit, match, Step.CONFIRM)
            match.score = score
            complete(unit, match, winner, Reason.PLAYED)
        else:
            match.counter_report = score.fields()
            _dispute(unit, match, Dispute(match=match, cause=DisputeCause.SCORE))
        return {"match_id": match.pk}
    _take(unit, match, Step.REPORT)
    begin_play(unit)
    match.started_at = match.started_at or unit.now
    match.reported_by = side or ""
    match.report = score.fields()
    minutes = unit.tournament.confirm_minutes
    match.deadline_at = unit.later(minutes=minutes) if minutes else None
    unit.emit(ResultReported(match=unit.save(match)))
    return {"match_id": match.pk}


@command("confirm_result")
def confirm(unit: Unit, /, match_id: int, *, expected_version: int | None = None) -> Answer:
    """Agree with what the other side reported; the match is completed with it. Nobody confirms their own report."""
    match = unit.lock_match(match_id, expected_version=expected_version)
    side = permissions.side_of(unit.actor.user, match)
    _take(unit, match, Step.CONFIRM)
    if match.reported_by == side:
        message = _("You reported this result yourself; your opponent confirms it, or a referee decides.")
        raise Conflict(message, state=MatchState.PENDING_RESULT, reported_by=match.reported_by)
    _count_report(unit, match)
    return {"match_id": match.pk}


@command("dispute_result")
def dispute(
    unit: Unit,
    /,
    match_id: int,
    *,
    cause: DisputeCause = DisputeCause.OTHER,
    text: str = "",
    expected_version: int | None = None,
) -> Answer:
    """
    Ask a referee to decide one's own match, with a reason. Images can be added to the dispute until it is resolved.

    Answers {"match_id", "dispute_id"}.
    """
    match = unit.lock_match(match_id, expected_version=expected_version)
    side = permissions.side_of(unit.actor.user, match)
    said = clean_text("text", text, at_most=2000)
    if not said:
        message = _("Say what happened, so that a referee can decide.")
        raise BadRequest(message, field="text")
    row = _dispute(unit, match, Dispute(match=match, opened_by=side or "", cause=cause, text=said))
    return {"match_id": match.pk, "dispute_id": row.pk}


@command("complete_match")
def finish(
    unit: Unit,
    /,
    match_id: int,
    score: Score | None = None,
    *,
    ruling: str = "",
    expected_version: int | None = None,
) -> Answer:
    """
    End a match as a referee, with `score`, else with the reported score, else with the score as it stands.

    With `score`, a match that has not begun begins and ends at once. A dispute is resolved by it; `ruling` says why.

    Raises:
        BadRequest: the score is level; an elimination match needs a winner.
    """
    match = unit.lock_match(match_id, expected_version=expected_version)
    if score is not None and match.state in (MatchState.CHECK_IN, MatchState.READY):
        _take(unit, match, Step.START)
        match.started_at = unit.now
    _take(unit, match, Step.COMPLETE)
    match.score = score or (_reported(match) if match.report else match.score)
    _resolve(unit, match, ruling)
    complete(unit, match, _decided(match, match.score), Reason.PLAYED)
    return {"match_id": match.pk}


@command("award_walkover")
def award_walkover(unit: Unit, /, match_id: int, *, winner: Side, expected_version: int | None = None) -> Answer:
    """Let `winner` pass because the opponent cannot play; the match never began."""
    match = unit.lock_match(match_id, expected_version=expected_version)
    _take(unit, match, Step.WALKOVER)
    complete(unit, match, winner, Reason.WALKOVER)
    return {"match_id": match.pk}


@command("forfeit_match")
def forfeit(
    unit: Unit, /, match_id: int, *, loser: Side | None, ruling: str = "", expected_version: int | None = None
) -> Answer:
    """Rule that `loser` loses the match, whatever its score; None: both do. A dispute is resolved by it."""
    match = unit.lock_match(match_id, expected_version=expected_version)
    _take(unit, match, Step.FORFEIT)
    _resolve(unit, match, ruling)
    complete(unit, match, loser and loser.other, Reason.FORFEIT)
    return {"match_id": match.pk}


@command("cancel_match")
def cancel(unit: Unit, /, match_id: int, *, expected_version: int | None = None) -> Answer:
    """Let a match of a league not be played; it does not count. A bracket needs every match: rule a forfeit there."""
    match = unit.lock_match(match_id, expected_version=expected_version)
    if not match.stage.is_league:
        message = _("A bracket needs the outcome of this match. Rule a forfeit of one side, or of both.")
        raise Conflict(message, state=match.state, possible=["forfeit_match"])
    _take(unit, match, Step.CANCEL)
    _resolve(unit, match, "")
    match.deadline_at, match.completed_at = None, unit.now
    unit.emit(MatchCancelled(match=unit.save(match)))
    conclude(unit, match.stage)
    return {"match_id": match.pk}


@command("take_kept_result")
def take_kept(unit: Unit, /, match_id: int, *, expected_version: int | None = None) -> Answer:
    """
    Decide a match by the result that the same two had here before a reopening took it away.

    Raises:
        Conflict: there is none, or the match has begun anew.
    """
    match = unit.lock_match(match_id, expected_version=expected_version)
    kept = kept_result(match)
    if kept is None or match.state not in (MatchState.READY, MatchState.CHECK_IN):
        message = _("No earlier result of these two can be taken back into this match.")
        raise Conflict(message, state=match.state)
    _take(unit, match, Step.START)
    played = kept["reason"] == Reason.PLAYED
    _take(unit, match, Step.COMPLETE if played else Step.FORFEIT)
    match.score = score_of(kept)
    match.started_at = unit.now
    winner = next((side for side in Side if match.entry_id(side) == kept["winner"]), None)
    if played:  # a draw of before may need a winner now: the stage can have been drawn anew in another format
        winner = _decided(match, match.score)
    complete(unit, match, winner, Reason(kept["reason"]))
    return {"match_id": match.pk}


def end_at_deadline(unit: Unit, match: Match) -> None:
    """
    Decide a match whose deadline has passed: the report counts, or whoever has checked in wins. Nobody: both lose.

    The caller has made sure of the deadline.
    """
    if match.state == MatchState.PENDING_RESULT:
        _take(unit, match, Step.CONFIRM)
        _count_report(unit, match)
        return
    _take(unit, match, Step.NO_SHOW)
    here = [side for side, is_here in zip(Side, (match.home_checked_in, match.away_checked_in), strict=True) if is_here]
    complete(unit, match, here[0] if len(here) == 1 else None, Reason.NO_SHOW)


def kept_result(match: Match) -> dict[str, Any] | None:
    """Return the earlier result of the two who meet in a match now."""
    pair = (match.home_id, match.away_id)
    return next((kept for kept in match.kept if (kept["home"], kept["away"]) == pair), None)


def _take(unit: Unit, match: Match, step: Step) -> None:
    """Move the match along, unless its state or its tournament's forbids it."""
    if unit.tournament.status == "cancelled":
        message = _("The tournament was cancelled; its matches stay as they are.")
        raise Conflict(message, status="cancelled", possible=[])
    match.state = after(MatchState(match.state), step)


def _decided(match: Match, score: Score) -> Side | None:
    return decided(score, best_of=match.best_of, draws=match.stage.is_league)


def _count_report(unit: Unit, match: Match) -> None:
    match.score = _reported(match)
    complete(unit, match, _decided(match, match.score), Reason.PLAYED)


def _reported(match: Match) -> Score:
    return score_of(match.report or {})


def _dispute(unit: Unit, match: Match, dispute: Dispute) -> Dispute:
    _take(unit, match, Step.DISPUTE)
    match.deadline_at = None
    # One may be open still, of a match that was emptied, or given up by one side, while it was disputed.
    Dispute.objects.filter(match=match, resolved_at=None).update(resolved_at=unit.now)
    dispute.opened_at = unit.now
    dispute.save()
    unit.emit(ResultDisputed(match=unit.save(match)))
    return dispute


def _resolve(unit: Unit, match: Match, ruling: str) -> None:
    """Close the match's dispute, if there is one; the caller decides the match in the same transaction."""
    said = clean_text("ruling", ruling, at_most=2000)
    Dispute.objects.filter(match=match, resolved_at=None).update(
        resolved_at=unit.now, resolved_by=unit.user, ruling=said
    )
