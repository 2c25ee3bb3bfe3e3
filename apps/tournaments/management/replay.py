"""Play a finished knockout again, in real time, as its referee, through the same services as everybody else."""

import time
from collections.abc import Callable
from random import Random

from apps.errors import Conflict
from apps.tournaments.management.results import Fixture, Moment, Results, fixture_of, open_matches, play, timeline
from apps.tournaments.models import Match, Status, Tournament
from apps.tournaments.services import Actor, matches
from engine.match_flow import MatchState

Sleep = Callable[[float], bool]  # returns whether to stop


class _InPlay:
    """A match that is being played: what of it is still to come."""

    def __init__(self, match: Match, fixture: Fixture, kick_off: float, seconds: float) -> None:
        self.match, self.fixture, self.kick_off = match, fixture, kick_off
        self.moments = timeline(fixture, seconds, Random(match.number))  # noqa: S311 - a demo's goals
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
        pause: seconds between the end of one match and the start of the next.
        at_once: how many matches of one round are played side by side.
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
        """
        while True:
            waiting = self._waiting()
            if waiting and self.clock() >= self.next_start:
                self._start(waiting[0])
                continue
            moments = [item.next_at for item in self.playing] + ([self.next_start] if waiting else [])
            if not moments:
                self.tournament.refresh_from_db()
                return self.tournament.status == Status.COMPLETED
            if self.sleep(max(min(moments) - self.clock(), 0)):
                return False
            self._play_what_is_due()

    def _waiting(self) -> list[Match]:
        """Return the matches that may start beside those in play: of the same round, the final always alone."""
        if len(self.playing) >= self.at_once:
            return []
        busy = {item.match.pk for item in self.playing}
        waiting = [match for match in open_matches(self.tournament) if match.pk not in busy]
        if not self.playing:
            return waiting
        in_play = self.playing[0].match
        return [match for match in waiting if match.round == in_play.round and in_play.winner_to is not None]

    def _start(self, match: Match) -> None:
        fixture = fixture_of(self.results, match)
        self.playing.append(_InPlay(match, fixture, self.clock(), self.seconds))
        if match.state == MatchState.READY:
            matches.start(self.actor, match.pk)
        self.next_start = self.clock() + self.pause

    def _play_what_is_due(self) -> None:
        for item in [item for item in self.playing if item.next_at <= self.clock()]:
            try:
                play(self.actor, item.match, item.take(), item.fixture)
            except Conflict:
                item.moments = []  # somebody else decided this match; what they decided stands
            if not item.moments:
                self.playing.remove(item)
                self.next_start = self.clock() + self.pause
