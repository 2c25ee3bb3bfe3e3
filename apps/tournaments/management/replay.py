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
        self.moments = timeline(fixture, seconds, Random(match.number))
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


def replay(
    actor: Actor,
    tournament: Tournament,
    results: Results,
    *,
    seconds: float,
    pause: float,
    at_once: int,
    sleep: Sleep,
    clock: Callable[[], float] = time.monotonic,
) -> bool:
    """
    Play a tournament to its end. Can be interrupted and called again.

    Args:
        seconds: how long a match takes.
        pause: seconds between the end of one match and the start of the next.
        at_once: how many matches of one round are played side by side.
        sleep: waits for so many seconds; returns True to stop.

    Returns:
        whether it was played to the end.

    Raises:
        ResultsError: two entrants meet who did not meet in `results`.
    """
    playing: list[_InPlay] = []
    next_start = clock()
    while True:
        busy = {item.match.pk for item in playing}
        waiting = [match for match in open_matches(tournament) if match.pk not in busy]
        same_round = [m for m in waiting if not playing or m.round == playing[0].match.round]
        # The final waits for the third-place match; both are of the last round.
        if playing and playing[0].match.winner_to is None:
            same_round = []
        if same_round and len(playing) < at_once and clock() >= next_start:
            match = same_round[0]
            item = _InPlay(match, fixture_of(results, match), clock(), seconds)
            if match.state == MatchState.READY:
                matches.start(actor, match.pk)
            playing.append(item)
            next_start = clock() + pause
            continue
        if not playing and not waiting:
            tournament.refresh_from_db()
            return tournament.status == Status.COMPLETED
        until = [item.next_at for item in playing]
        if same_round and len(playing) < at_once:
            until.append(next_start)
        if sleep(max(min(until) - clock(), 0)):
            return False
        for item in [item for item in playing if item.next_at <= clock()]:
            moment = item.take()
            try:
                play(actor, item.match, moment, item.fixture)
            except Conflict:
                item.moments = []  # somebody else decided this match; what they decided stands
            if not item.moments:
                playing.remove(item)
                next_start = clock() + pause
