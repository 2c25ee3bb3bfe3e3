"""
A finished knockout as data, and what can be done with it: set it up as a tournament, and play it again.

The file: {"name", "game", "description", "accent", "rounds": [[match, …], …], "third_place": match}, a match being
{"home", "away", "score": [home, away], "shootout": [home, away]}; rounds from the first to the final, each in the
order of the bracket, so that the winners of neighbours meet in the next.
"""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

import msgspec

from apps.errors import AppError
from apps.tournaments.models import Entry, Match, Status, Tournament
from apps.tournaments.services import Actor, brackets, entries, matches, tournaments
from apps.tournaments.services.matches import to_score
from engine.match_flow import MatchState, Score
from engine.seeding import bracket_order

WORLD_CUP = Path(__file__).parent / "data" / "world_cup_2022.json"


class ResultsError(Exception):
    """The file does not describe a knockout; `str()` says where."""


class Fixture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    home: str
    away: str
    score: tuple[int, int]
    shootout: tuple[int, int] | None = None

    def final_score(self) -> Score:
        return to_score(*self.score, *(self.shootout or (None, None)))


class Results(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    rounds: list[list[Fixture]]
    game: str = ""
    description: str = ""
    accent: str = "#2f6fed"
    third_place: Fixture | None = None

    def fixtures(self) -> Iterator[Fixture]:
        for round_ in self.rounds:
            yield from round_
        if self.third_place is not None:
            yield self.third_place


def read_results(path: Path) -> Results:
    """Return what is in a file. Raises ResultsError."""
    try:
        results = msgspec.json.decode(path.read_bytes(), type=Results)
        for fixture in results.fixtures():
            fixture.final_score()
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}."
        raise ResultsError(message) from error
    except (msgspec.MsgspecError, AppError) as error:
        message = f"{path} is not a file of results: {error}."
        raise ResultsError(message) from error
    sizes = [len(round_) for round_ in results.rounds]
    if not sizes or sizes != [2**k for k in reversed(range(len(sizes)))]:
        message = f"{path} has rounds of {sizes} matches; a knockout has …, 4, 2, 1."
        raise ResultsError(message)
    return results


def import_results(actor: Actor, results: Results, *, is_demo: bool = False) -> Tournament:
    """Make a tournament of a finished knockout: entrants in their real places, bracket drawn, nothing played."""
    first_round = results.rounds[0]
    teams = [name for fixture in first_round for name in (fixture.home, fixture.away)]
    done = tournaments.create(
        actor,
        name=results.name,
        game=results.game,
        description=results.description,
        accent=results.accent,
        capacity=len(teams),
        third_place_match=results.third_place is not None,
        is_demo=is_demo,
    )
    tournament_id = done.ids["tournament_id"]
    tournaments.publish(actor, tournament_id)
    tournaments.open_registration(actor, tournament_id)
    entry_of = {name: entries.add(actor, tournament_id, name=name).ids["entry_id"] for name in sorted(teams)}
    tournaments.close_registration(actor, tournament_id)
    # The seed of a place in the bracket is where bracket_order puts that place.
    by_seed = dict(zip(bracket_order(len(teams)), teams, strict=True))
    entries.seed(actor, tournament_id, order=[entry_of[by_seed[seed]] for seed in sorted(by_seed)])
    brackets.generate(actor, tournament_id)
    return Tournament.objects.get(pk=tournament_id)


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


def fixture_of(results: Results, match: Match) -> Fixture:
    """
    Return the real match of two entrants, turned so that home is home.

    Raises:
        ResultsError: these two never met.
    """
    names = tuple(entry.name if isinstance(entry, Entry) else "" for entry in (match.home, match.away))
    for fixture in results.fixtures():
        if (fixture.home, fixture.away) == names:
            return fixture
        if (fixture.away, fixture.home) == names:
            shootout = fixture.shootout and (fixture.shootout[1], fixture.shootout[0])
            return Fixture(names[0], names[1], (fixture.score[1], fixture.score[0]), shootout)
    message = f"The file has no match of {names[0]} and {names[1]}."
    raise ResultsError(message)


def play(actor: Actor, match: Match, moment: Moment, fixture: Fixture) -> None:
    """Carry out one moment of a match, as its referee."""
    if moment.score is None:
        matches.finish(actor, match.pk, fixture.final_score())
    else:
        matches.update_score(actor, match.pk, moment.score)


def open_matches(tournament: Tournament) -> list[Match]:
    """Return the matches that can be played on, in the order of play."""
    return list(
        Match.objects.select_related("home", "away")
        .filter(tournament=tournament, state__in=(MatchState.READY, MatchState.LIVE, MatchState.PENDING_RESULT))
        .exclude(tournament__status=Status.CANCELLED)
        .order_by("number")
    )
