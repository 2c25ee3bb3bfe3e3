"""Play a finished tournament again, in real time, as its referee, through the same services as everybody else."""

import time
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from django.contrib.auth.models import AnonymousUser

from apps.errors import Conflict, NotFound
from apps.tournaments.management.results import Fixture, Results, fixture_of
from apps.tournaments.models import Match, Stage, StageState, Status, Tournament
from apps.tournaments.services import Actor, brackets, matches
from engine.match_flow import MatchState, Score
from engine.stages import Format

Sleep = Callable[[float], bool]  # returns whether to stop


class Moment(NamedTuple):
    """Something that happens in a match, `at` seconds after its kick-off; `score` None is the final whistle."""

    at: float
    score: Score | None


def timeline(fixture: Fixture, seconds: float, rng: Random) -> list[Moment]:
    """
    Return the score of a match as it grows, goal by goal and penalty by penalty, and its end after `seconds`.

    Who scored first is not in the data; `rng` decides it.
    """
    goals = [0] * fixture.score[0] + [1] * fixture.score[1]
    rng.shuffle(goals)
    play_share = 0.65 if fixture.shootout else 0.9
    times = sorted(rng.uniform(0.05, play_share) for _ in goals)
    running = [0, 0]
    scores: list[tuple[float, Score]] = []
    for at, side in zip(times, goals, strict=True):
        running[side] += 1
        scores.append((at, Score(running[0], running[1])))
    if fixture.shootout:
        scored = [0, 0]
        kicks = [side for pair in range(max(fixture.shootout)) for side in (0, 1) if pair < fixture.shootout[side]]
        for number, side in enumerate(kicks, start=1):
            scored[side] += 1
            scores.append((0.7 + 0.25 * number / len(kicks), Score(*fixture.score, scored[0], scored[1])))
    return [*(Moment(at * seconds, score) for at, score in scores), Moment(seconds, None)]


class _InPlay:
    """A match that is being played: what of it is still to come."""

    def __init__(self, match: Match, fixture: Fixture, kick_off: float, seconds: float) -> None:
        self.match, self.fixture, self.kick_off = match, fixture, kick_off
        self.moments = timeline(fixture, seconds, Random(match.pk))  # noqa: S311 - a demo's goals
        if match.state != MatchState.READY:
            # A replay that was interrupted goes on where the score stands.
            scores = [moment.score for moment in self.moments]
            played = scores.index(match.score) + 1 if match.score in scores else 0
            self.moments = self.moments[played:]
            self.kick_off -= self.moments[0].at

    @property
    def next_at(self) -> float:
        return self.kick_off + self.moments[0].at

    def take(self) -> Moment:
        return self.moments.pop(0)


class Replay:
    """
    One tournament being played to its end. Can be interrupted, and made again from where things stand.

    Args:
        seconds: how long a match takes.
        pause: seconds between two starts, and in the knockout between the end of a match and the next start.
        at_once: how many matches of one round of the knockout are played side by side; of the groups, each plays one.
        sleep: waits for so many seconds; returns True to stop.
    """

    def __init__(
        self,
        actor: Actor,
        tournament: Tournament,
        results: Results,
        *,
        seconds: float,
        pause: float,
        at_once: int,
        sleep: Sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.actor, self.tournament, self.results = actor, tournament, results
        self.seconds, self.pause, self.at_once = seconds, pause, at_once
        self.sleep, self.clock = sleep, clock
        self.playing: list[_InPlay] = []
        self.next_start = clock()

    def run(self) -> bool:
        """
        Return whether it was played to the end.

        Raises:
            ResultsError: two entrants meet who did not meet in `results`.
            AppError: what the referee or the organiser has to do is refused.
        """
        while True:
            waiting = self._waiting()
            if waiting and self.clock() >= self.next_start:
                self._start(waiting[0])
                continue
            moments = [item.next_at for item in self.playing] + ([self.next_start] if waiting else [])
            if not moments:
                if self._draw_next_stage():
                    continue
                self.tournament.refresh_from_db()
                return self.tournament.status == Status.COMPLETED
            if self.sleep(max(min(moments) - self.clock(), 0)):
                return False
            self._play_what_is_due()

    def _waiting(self) -> list[Match]:
        """Return the matches that may start now beside those in play: first those that somebody has begun."""
        others = [item.match for item in self.playing]
        found = (
            Match.objects.select_related("stage", "home", "away")
            .filter(tournament=self.tournament)
            .filter(state__in=(MatchState.READY, MatchState.LIVE, MatchState.PENDING_RESULT))
            .exclude(tournament__status=Status.CANCELLED)
            .exclude(pk__in=[other.pk for other in others])
            .exclude(stage__format=Format.ROUND_ROBIN, group__in=[other.group for other in others])
            .order_by("stage__number", "number")
        )
        # Of the knockout, one round at a time, and the final alone.
        rounds = {other.round if other.winner_to else None for other in others}
        waiting = [
            match
            for match in found
            if match.stage.is_league or (rounds <= {match.round} and len(others) < self.at_once)
        ]
        return sorted(waiting, key=lambda match: match.state == MatchState.READY)

    def _start(self, match: Match) -> None:
        item = _InPlay(match, fixture_of(self.results, match), self.clock(), self.seconds)
        if match.state == MatchState.READY:
            self.next_start = self.clock() + self.pause
            try:
                matches.start(self.actor, match.pk)
            except (Conflict, NotFound):
                return  # somebody else was faster; what they did is seen at the next look
        self.playing.append(item)

    def _play_what_is_due(self) -> None:
        for item in [item for item in self.playing if item.next_at <= self.clock()]:
            try:
                self._play(item.match, item.take(), item.fixture)
            except (Conflict, NotFound):
                item.moments = []  # somebody else decided this match or took it back; what they decided stands
            if not item.moments:
                self.playing.remove(item)
                if not item.match.stage.is_league:
                    self.next_start = self.clock() + self.pause

    def _play(self, match: Match, moment: Moment, fixture: Fixture) -> None:
        if moment.score is None:
            matches.finish(self.actor, match.pk, fixture.final_score())
        else:
            matches.update_score(self.actor, match.pk, moment.score)

    def _draw_next_stage(self) -> bool:
        """Draw the next stage if the one before is over, as who set the tournament up. Return whether there was one."""
        stages = Stage.objects.filter(tournament=self.tournament, tournament__status=Status.LIVE)
        following = stages.filter(state=StageState.PENDING).order_by("number").first()
        if following is None or stages.filter(state=StageState.LIVE).exists():
            return False
        brackets.generate(Actor(self.tournament.created_by or AnonymousUser()), self.tournament.pk)
        self.next_start = self.clock() + self.pause
        return True
