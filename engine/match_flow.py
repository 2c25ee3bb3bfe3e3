"""
The life of one match: which step is possible in which state, and what a score decides.

`TRANSITIONS` is the whole rule book; a pair that is not in it is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from engine.bracket import Side
from engine.errors import IllegalStep, InvalidScore
from engine.text import gettext as _

MAX_POINTS = 999
MAX_GAMES = 21


class MatchState(StrEnum):
    SCHEDULED = "scheduled"  # at least one entrant is still to come
    CHECK_IN = "check_in"  # both are known and have to say that they are here
    READY = "ready"
    LIVE = "live"
    PENDING_RESULT = "pending_result"  # one side has reported, the other has not answered
    DISPUTED = "disputed"  # the sides do not agree; a referee decides
    COMPLETED = "completed"
    FORFEIT = "forfeit"  # decided without having been played to its end
    CANCELLED = "cancelled"  # will not be played, and nobody won


OVER = frozenset({MatchState.COMPLETED, MatchState.FORFEIT, MatchState.CANCELLED})
BEGUN = frozenset({MatchState.LIVE, MatchState.PENDING_RESULT, MatchState.DISPUTED})
OPEN = frozenset(MatchState) - OVER

# In which order a player's matches ask for something; in a dispute a referee is asked.
URGENCY = (
    MatchState.CHECK_IN,
    MatchState.LIVE,
    MatchState.PENDING_RESULT,
    MatchState.READY,
    MatchState.DISPUTED,
    MatchState.SCHEDULED,
)


class Step(StrEnum):
    FILL = "fill"
    ASK = "ask_for_check_in"
    CHECK_IN = "check_in_match"
    ASSEMBLE = "assemble"
    POSTPONE = "postpone"
    START = "start_match"
    UPDATE_SCORE = "update_score"
    REPORT = "report_score"
    CONFIRM = "confirm_result"
    DISPUTE = "dispute_result"
    COMPLETE = "complete_match"
    FORFEIT = "forfeit_match"
    WALKOVER = "award_walkover"
    NO_SHOW = "no_show"
    DROP = "drop"
    CANCEL = "cancel_match"
    SKIP = "skip"
    EMPTY = "empty"
    REOPEN = "reopen_match"


class Reason(StrEnum):
    """Why a match has the result it has."""

    PLAYED = "played"
    WALKOVER = "walkover"  # the opponent could not play
    FORFEIT = "forfeit"  # lost by ruling or by leaving after the start
    NO_SHOW = "no_show"  # did not check in in time


_S, _T = MatchState, Step
_PLAYABLE = (_S.READY, _S.LIVE)
_PENDING = (_S.PENDING_RESULT, _S.DISPUTED)
_KNOWN = (_S.CHECK_IN, *_PLAYABLE, *_PENDING)

# One row a step: where it starts from, and what it leads to.
_RULES: tuple[tuple[Step, tuple[MatchState, ...], MatchState], ...] = (
    (_T.FILL, (_S.SCHEDULED,), _S.READY),
    (_T.ASK, (_S.SCHEDULED, _S.READY), _S.CHECK_IN),
    (_T.CHECK_IN, (_S.CHECK_IN,), _S.CHECK_IN),
    (_T.ASSEMBLE, (_S.CHECK_IN,), _S.READY),
    (_T.POSTPONE, (_S.CHECK_IN,), _S.READY),
    (_T.START, (_S.CHECK_IN, _S.READY), _S.LIVE),
    (_T.UPDATE_SCORE, (_S.LIVE,), _S.LIVE),
    (_T.REPORT, (*_PLAYABLE, _S.PENDING_RESULT), _S.PENDING_RESULT),
    (_T.CONFIRM, (_S.PENDING_RESULT,), _S.COMPLETED),
    (_T.DISPUTE, (_S.LIVE, _S.PENDING_RESULT), _S.DISPUTED),
    (_T.COMPLETE, (_S.LIVE, *_PENDING), _S.COMPLETED),
    (_T.FORFEIT, _KNOWN, _S.FORFEIT),
    (_T.WALKOVER, (_S.CHECK_IN, _S.READY), _S.FORFEIT),
    (_T.NO_SHOW, (_S.CHECK_IN,), _S.FORFEIT),
    (_T.DROP, (_S.SCHEDULED,), _S.FORFEIT),
    (_T.SKIP, (_S.SCHEDULED,), _S.CANCELLED),
    (_T.CANCEL, _KNOWN, _S.CANCELLED),
    (_T.EMPTY, tuple(MatchState), _S.SCHEDULED),
    (_T.REOPEN, (_S.COMPLETED, _S.FORFEIT, _S.CANCELLED), _S.READY),
)
TRANSITIONS: dict[tuple[MatchState, Step], MatchState] = {
    (start, step): end for step, starts, end in _RULES for start in starts
}

# Not offered to a person: the bracket, the clock and the schedule take these.
_INTERNAL = {_T.FILL, _T.ASK, _T.ASSEMBLE, _T.POSTPONE, _T.NO_SHOW, _T.DROP, _T.SKIP, _T.EMPTY}


def possible(state: MatchState) -> tuple[str, ...]:
    """Return the steps that a person can take in `state`."""
    return tuple(step.value for (start, step) in TRANSITIONS if start is state and step not in _INTERNAL)


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
    """
    Points of both sides and, when they are level, the shootout that decides (penalties, golden game).

    In a best-of-N, the points are games won; `games` holds each game's own score, (home, away), or is empty when only
    the count is known.
    """

    home: int = 0
    away: int = 0
    home_shootout: int | None = None
    away_shootout: int | None = None
    games: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        in_games = (points for game in self.games for points in game)
        for points in (self.home, self.away, self.home_shootout, self.away_shootout, *in_games):
            if points is not None and not 0 <= points <= MAX_POINTS:
                message = _("A score is a whole number from 0 to {most}.", most=MAX_POINTS)
                raise InvalidScore(message)
        if (self.home_shootout is None) != (self.away_shootout is None):
            message = _("A shootout needs a number for both sides.")
            raise InvalidScore(message)
        if self.home_shootout is not None and self.home != self.away:
            message = _("A shootout decides only a level score; this one is not level.")
            raise InvalidScore(message)
        if len(self.games) > MAX_GAMES:
            message = _("A match has at most {most} games.", most=MAX_GAMES)
            raise InvalidScore(message)
        if self.games and (self.home, self.away) != won(self.games):
            home, away = won(self.games)
            message = _(
                "The games add up to {home}–{away}, not to {stated_home}–{stated_away}.",
                home=home,
                away=away,
                stated_home=self.home,
                stated_away=self.away,
            )
            raise InvalidScore(message)

    @classmethod
    def of_games(cls, games: Sequence[tuple[int, int]]) -> "Score":
        """Return the score of a best-of-N from the scores of its games. A level game counts for neither side."""
        return cls(*won(games), games=tuple(games))

    def winner(self) -> Side | None:
        """Return the side that is ahead, or None when the score (shootout included) is level."""
        for home, away in ((self.home, self.away), (self.home_shootout or 0, self.away_shootout or 0)):
            if home != away:
                return Side.HOME if home > away else Side.AWAY
        return None

    def fields(self) -> dict[str, Any]:
        """Return the score as rows, reports and events hold it."""
        return {
            "home_score": self.home,
            "away_score": self.away,
            "home_shootout": self.home_shootout,
            "away_shootout": self.away_shootout,
            "games": [{"home": home, "away": away} for home, away in self.games],
        }


def won(games: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return how many games each side has won."""
    return sum(home > away for home, away in games), sum(away > home for home, away in games)


def score_of(fields: Mapping[str, Any]) -> Score:
    """Return the score that `Score.fields` wrote."""
    games = tuple((game["home"], game["away"]) for game in fields.get("games", ()))
    return Score(
        fields["home_score"], fields["away_score"], fields.get("home_shootout"), fields.get("away_shootout"), games
    )


def check_score(score: Score, *, best_of: int) -> None:
    """
    Pass a score that can stand in a match of at most `best_of` games, finished or not.

    Raises:
        InvalidScore: more games than the match has, or games after it was decided.
    """
    if best_of == 1:
        if score.games:
            message = _("This match is a single game: give its score, not a list of games.")
            raise InvalidScore(message)
        return
    needed = best_of // 2 + 1
    if max(score.home, score.away) > needed or score.home + score.away > best_of or len(score.games) > best_of:
        message = _(
            "A best of {best_of} ends when one side has won {needed} games; {home}–{away} is too many.",
            best_of=best_of,
            needed=needed,
            home=score.home,
            away=score.away,
        )
        raise InvalidScore(message)
    if any(max(won(score.games[:played])) >= needed for played in range(len(score.games))):
        message = _(
            "A best of {best_of} ends with the {needed}th game that one side wins; leave out the games after it.",
            best_of=best_of,
            needed=needed,
        )
        raise InvalidScore(message)


def decided(score: Score, *, best_of: int = 1, draws: bool = False) -> Side | None:
    """
    Return the winner, or None for a draw where `draws` are possible.

    Raises:
        InvalidScore: the score is level and the match needs a winner, or it is not a result of a best of `best_of`.
    """
    check_score(score, best_of=best_of)
    winner = score.winner()
    needed = best_of // 2 + 1
    if best_of > 1 and score.home_shootout is None:
        if winner is not None and max(score.home, score.away) < needed and not (draws and _played_out(score, best_of)):
            message = _(
                "{home}–{away} is not the end of a best of {best_of}: a side needs {needed} games.",
                home=score.home,
                away=score.away,
                best_of=best_of,
                needed=needed,
            )
            raise InvalidScore(message)
        if winner is None and draws and not _played_out(score, best_of):
            message = _(
                "{home}–{away} is not the end of a best of {best_of}; {best_of} games are played.",
                home=score.home,
                away=score.away,
                best_of=best_of,
            )
            raise InvalidScore(message)
    if winner is None and not draws:
        message = _(
            "{home}–{away} is level, and this match needs a winner. Change the score, or add the shootout "
            "that decided it.",
            home=score.home,
            away=score.away,
        )
        raise InvalidScore(message)
    return winner


def _played_out(score: Score, best_of: int) -> bool:
    """Return whether all games were played, level ones included where they are listed."""
    return max(len(score.games), score.home + score.away) == best_of
