"""A stage in memory: drawn by a plan, played by the rules of the engine, and told as the matches of a document."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from apps.tournaments.exchange import document
from engine.bracket import Bracket, Place, PlannedMatch, Side
from engine.match_flow import MatchState, Reason, Score
from engine.progression import Award, Clear, Fill, Outcome, Ready, Sides, Skip, settle
from engine.stages import StageSettings, best_of_in, last_rounds

Pair = frozenset[int | None]


@dataclass(slots=True)
class BoardMatch:
    """A match and what has become of it. Its sides are entries by their numbers."""

    plan: PlannedMatch
    sides: Sides
    best_of: int
    state: MatchState
    score: Score = field(default_factory=Score)
    winner: int | None = None
    reason: Reason | None = None

    def entry(self, side: Side) -> int | None:
        return self.sides.home if side is Side.HOME else self.sides.away


class Board:
    """
    The matches of a stage, at first as they are drawn.

    Args:
        plans: from engine.elimination, double_elimination or round_robin.
        entry_of: the entry of a seed, given its group.
    """

    def __init__(
        self,
        plans: Iterable[PlannedMatch],
        settings: StageSettings,
        entry_of: Callable[[int, int], int],
        *,
        is_league: bool,
    ) -> None:
        self._rows: dict[int, BoardMatch] = {}
        self._ready: defaultdict[tuple[Bracket, int, Pair], list[BoardMatch]] = defaultdict(list)
        planned = list(plans)
        last = {} if is_league else last_rounds((plan.bracket, plan.round) for plan in planned)
        for plan in planned:
            home, away = (
                None if seed is None else entry_of(plan.group, seed) for seed in (plan.home_seed, plan.away_seed)
            )
            sides = Sides(home, away, False, False, plan.winner_to, plan.loser_to, plan.sends_on)
            best_of = best_of_in(settings, plan.bracket, plan.round, last.get(plan.bracket, 0))
            row = self._rows[plan.number] = BoardMatch(plan, sides, best_of, MatchState.SCHEDULED)
            if sides.is_settled():
                self._make_ready(row)

    def ready(self, bracket: Bracket, group: int, home: int, away: int) -> BoardMatch | None:
        """Return a match that these two can play now in a bracket, the one with these sides if there are several."""
        found = self._ready.get((bracket, group, frozenset((home, away))), [])
        return min(found, key=lambda row: (row.sides.home != home, row.plan.number), default=None)

    def end(self, row: BoardMatch, winner: Side | None, score: Score, *, forfeit: bool) -> None:
        """End a match that is ready, and let the stage follow."""
        self._ready[self._key(row)].remove(row)
        row.state, row.reason = MatchState.COMPLETED, Reason.PLAYED
        if forfeit:
            row.state, row.reason = MatchState.FORFEIT, Reason.FORFEIT
        row.score, row.winner = score, None if winner is None else row.entry(winner)
        outcome = Outcome(None, None) if winner is None else Outcome(row.winner, row.entry(winner.other), winner)
        for move in settle(row.plan.number, outcome, find=lambda n: self._rows[n].sides, is_absent=lambda _: False):
            match move:
                case Ready(number):
                    self._make_ready(self._rows[number])
                case Award(number, passes):
                    self._close(number, MatchState.FORFEIT, passes, Reason.WALKOVER)
                case Skip(number):
                    self._close(number, MatchState.CANCELLED, None, None)
                case Fill() | Clear():
                    pass  # `settle` has put entrants in their places; nothing is taken back here

    def matches(self, at: datetime) -> list[document.Match]:
        """Return all matches as a document has them; those that are over ended `at`."""
        return [_told(row, at) for row in self._rows.values()]

    def _make_ready(self, row: BoardMatch) -> None:
        row.state = MatchState.READY
        self._ready[self._key(row)].append(row)

    def _close(self, number: int, state: MatchState, winner: int | None, reason: Reason | None) -> None:
        row = self._rows[number]
        row.state, row.winner, row.reason = state, winner, reason

    @staticmethod
    def _key(row: BoardMatch) -> tuple[Bracket, int, Pair]:
        return row.plan.bracket, row.plan.group, frozenset((row.sides.home, row.sides.away))


def _told(row: BoardMatch, at: datetime) -> document.Match:
    plan, sides = row.plan, row.sides
    return document.Match(
        number=plan.number,
        bracket=plan.bracket,
        round=plan.round,
        position=plan.position,
        group=plan.group,
        best_of=row.best_of,
        state=row.state,
        home=sides.home,
        away=sides.away,
        home_closed=sides.home_closed,
        away_closed=sides.away_closed,
        home_score=row.score.home,
        away_score=row.score.away,
        winner=row.winner,
        reason=row.reason,
        winner_to=_place(plan.winner_to),
        loser_to=_place(plan.loser_to),
        sends_on=plan.sends_on,
        completed_at=at if row.reason is not None else None,
    )


def _place(place: Place | None) -> document.Place | None:
    return None if place is None else document.Place(match=place.match, side=place.side)
