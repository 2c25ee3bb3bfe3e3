"""
The life of one match: which step is possible in which state, and what a score decides.

`TRANSITIONS` is the whole rule book; a pair that is not in it is refused.
"""

from dataclasses import dataclass
from enum import StrEnum

from engine.bracket import Side
from engine.errors import IllegalStep, InvalidScore

MAX_POINTS = 999


class MatchState(StrEnum):
    SCHEDULED = "scheduled"  # at least one entrant is still to come
    READY = "ready"
    LIVE = "live"
    PENDING_RESULT = "pending_result"  # one side has reported, the other has not confirmed
    COMPLETED = "completed"


class Step(StrEnum):
    FILL = "fill"
    START = "start"
    UPDATE_SCORE = "update_score"
    REPORT = "report_score"
    CONFIRM = "confirm_result"
    COMPLETE = "complete"
    FORFEIT = "forfeit"
    WALKOVER = "walkover"


class Reason(StrEnum):
    """Why a match has the result it has."""

    PLAYED = "played"
    WALKOVER = "walkover"  # the opponent could not play
    FORFEIT = "forfeit"  # lost by ruling or by leaving after the start


_S, _T = MatchState, Step
TRANSITIONS: dict[tuple[MatchState, Step], MatchState] = {
    (_S.SCHEDULED, _T.FILL): _S.READY,
    (_S.SCHEDULED, _T.WALKOVER): _S.COMPLETED,
    (_S.READY, _T.START): _S.LIVE,
    (_S.READY, _T.REPORT): _S.PENDING_RESULT,
    (_S.READY, _T.WALKOVER): _S.COMPLETED,
    (_S.READY, _T.FORFEIT): _S.COMPLETED,
    (_S.LIVE, _T.UPDATE_SCORE): _S.LIVE,
    (_S.LIVE, _T.REPORT): _S.PENDING_RESULT,
    (_S.LIVE, _T.COMPLETE): _S.COMPLETED,
    (_S.LIVE, _T.FORFEIT): _S.COMPLETED,
    (_S.PENDING_RESULT, _T.REPORT): _S.PENDING_RESULT,
    (_S.PENDING_RESULT, _T.CONFIRM): _S.COMPLETED,
    (_S.PENDING_RESULT, _T.COMPLETE): _S.COMPLETED,
    (_S.PENDING_RESULT, _T.FORFEIT): _S.COMPLETED,
}

# Not offered to a person: the bracket fills places itself, and a scheduled match is walked over by itself too.
_INTERNAL = {(_S.SCHEDULED, _T.FILL), (_S.SCHEDULED, _T.WALKOVER)}


def possible(state: MatchState) -> tuple[str, ...]:
    """Return the steps that a person can take in `state`."""
    return tuple(step.value for (s, step) in TRANSITIONS if s is state and (s, step) not in _INTERNAL)


def after(state: MatchState, step: Step) -> MatchState:
    """
    Return the state that `step` leads to.

    Raises:
        IllegalStep: not possible in `state`; carries what is.
    """
    try:
        return TRANSITIONS[state, step]
    except KeyError:
        raise IllegalStep(state=state.value, step=step.value, possible=possible(state)) from None


@dataclass(frozen=True, slots=True)
class Score:
    """Points of both sides and, when they are level, the shootout that decides (penalties, golden game)."""

    home: int = 0
    away: int = 0
    home_shootout: int | None = None
    away_shootout: int | None = None

    def __post_init__(self) -> None:
        for points in (self.home, self.away, self.home_shootout, self.away_shootout):
            if points is not None and not 0 <= points <= MAX_POINTS:
                message = f"A score is a whole number from 0 to {MAX_POINTS}."
                raise InvalidScore(message)
        if (self.home_shootout is None) != (self.away_shootout is None):
            message = "A shootout needs a number for both sides."
            raise InvalidScore(message)
        if self.home_shootout is not None and self.home != self.away:
            message = "A shootout decides only a level score; this one is not level."
            raise InvalidScore(message)

    def winner(self) -> Side | None:
        """Return the side that is ahead, or None when the score (shootout included) is level."""
        for home, away in ((self.home, self.away), (self.home_shootout or 0, self.away_shootout or 0)):
            if home != away:
                return Side.HOME if home > away else Side.AWAY
        return None


def decided(score: Score) -> Side:
    """
    Return the winner of an elimination match.

    Raises:
        InvalidScore: the score is level.
    """
    winner = score.winner()
    if winner is None:
        message = (
            f"{score.home}–{score.away} is level, and this match needs a winner. "
            "Change the score, or add the shootout that decided it."
        )
        raise InvalidScore(message)
    return winner
