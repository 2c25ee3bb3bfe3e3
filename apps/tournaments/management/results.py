"""
A finished tournament as data: how the file is read, and how a tournament is set up from it, ready to be played again.

The file: {"name", "game", "description", "accent", "groups": {"A": group, …}, "rounds": [[match, …], …],
"third_place": match}, a match being {"home", "away", "score": [home, away], "shootout": [home, away]}.

"rounds" are those of the knockout, from the first to the final, each in the order of the bracket, so that the winners
of neighbours meet in the next. "groups" may be left out. A group is {"rounds": [[match, …], …], "order": [name, …]}:
its matches, beginning with the first home match of its top seed, and who finished where. Two of each go on, and the
knockout crosses neighbouring groups (see engine.groups.Seating).
"""

from collections import Counter
from collections.abc import Iterator
from itertools import chain, combinations
from pathlib import Path
from typing import Any

import msgspec

from apps.errors import AppError
from apps.tournaments.models import Entry, Match, Tournament
from apps.tournaments.services import Actor, brackets, entries, stages, tournaments
from apps.tournaments.services.matches import to_score
from engine.groups import Seating, snake
from engine.match_flow import Score
from engine.results import Points
from engine.round_robin import round_robin
from engine.seeding import bracket_order
from engine.stages import Format

WORLD_CUP = Path(__file__).parent / "data" / "world_cup_2022.json"

# As in the regulations of the World Cup of 2022; between the last two, those count cards, which no result tells of.
_GROUP_STAGE: dict[str, Any] = {
    "points": Points(win=3, draw=1, loss=0),
    "tie_breaks": [
        "points",
        "score_difference",
        "scored",
        "tied:points",
        "tied:score_difference",
        "tied:scored",
        "draw",
    ],
    "advance": 2,
}


class ResultsError(Exception):
    """The file does not describe a tournament, or not this one; `str()` says where."""


class Fixture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    home: str
    away: str
    score: tuple[int, int]
    shootout: tuple[int, int] | None = None

    @property
    def names(self) -> tuple[str, str]:
        return self.home, self.away

    def final_score(self) -> Score:
        return to_score(*self.score, *(self.shootout or (None, None)))

    def turned(self) -> "Fixture":
        """Return the same match seen from the other side."""
        shootout = self.shootout and (self.shootout[1], self.shootout[0])
        return Fixture(self.away, self.home, (self.score[1], self.score[0]), shootout)


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rounds: list[list[Fixture]]
    order: list[str]

    def fixtures(self) -> list[Fixture]:
        return list(chain.from_iterable(self.rounds))

    def by_seed(self) -> list[str]:
        """
        Return the names in the order of seeds in which the top seed meets the others in the real rounds.

        In a group of four, every match then has its real round.
        """
        fixtures = self.fixtures()
        top = fixtures[0].home
        met = [name for fixture in fixtures if top in fixture.names for name in fixture.names if name != top]
        sides = [(match.home_seed or 0, match.away_seed or 0) for match in round_robin(len(self.order))]
        name_of = dict(zip([max(pair) for pair in sides if 1 in pair], met, strict=True))
        return [top, *(name_of[seed] for seed in sorted(name_of))]


class Results(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    rounds: list[list[Fixture]]
    game: str = ""
    description: str = ""
    accent: str = "#2f6fed"
    groups: dict[str, Group] = {}
    third_place: Fixture | None = None

    def in_groups(self) -> Iterator[Fixture]:
        return chain.from_iterable(group.fixtures() for group in self.groups.values())

    def in_knockout(self) -> Iterator[Fixture]:
        return chain(*self.rounds, [] if self.third_place is None else [self.third_place])

    def by_seed(self) -> list[str]:
        """Return all names in the order of seeds that leads to their real groups, or to their places in the bracket."""
        if self.groups:
            names = [group.by_seed() for group in self.groups.values()]
            seeds = snake(range(1, sum(map(len, names)) + 1), len(names))
            name_of = dict(zip(chain.from_iterable(seeds), chain.from_iterable(names), strict=True))
        else:
            places = list(chain.from_iterable(fixture.names for fixture in self.rounds[0]))
            name_of = dict(zip(bracket_order(len(places)), places, strict=True))
        return [name_of[seed] for seed in sorted(name_of)]


def read_results(path: Path) -> Results:
    """Return what is in a file. Raises ResultsError."""
    try:
        results = msgspec.json.decode(path.read_bytes(), type=Results)
        undecided = [fixture for fixture in results.in_knockout() if fixture.final_score().winner() is None]
        for fixture in results.in_groups():
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
    if undecided:
        message = f"{path} has no winner of {' and '.join(undecided[0].names)}; a knockout needs one."
        raise ResultsError(message)
    _check_groups(path, results)
    return results


def _check_groups(path: Path, results: Results) -> None:
    groups, first_round = results.groups, len(results.rounds[0])
    if groups and not 1 < len(groups) == first_round:
        message = (
            f"{path} has {len(groups)} groups; with two of each a knockout does not begin with {first_round} matches."
        )
        raise ResultsError(message)
    if len({len(group.order) for group in groups.values()}) > 1:
        message = f"{path} has groups of different sizes."
        raise ResultsError(message)
    for name, group in groups.items():
        played = Counter(frozenset(fixture.names) for fixture in group.fixtures())
        if not played or played != Counter(map(frozenset, combinations(group.order, 2))):
            message = f"{path} has a group {name} in which not everybody meets everybody else once."
            raise ResultsError(message)


def import_results(actor: Actor, results: Results, *, is_demo: bool = False) -> Tournament:
    """Make a tournament of a finished one: entrants in their real places, first stage drawn, nothing played."""
    order = results.by_seed()
    knockout = {"third_place_match": results.third_place is not None}
    group_stage = _GROUP_STAGE | {"groups": len(results.groups)}
    done = tournaments.create(
        actor,
        name=results.name,
        game=results.game,
        description=results.description,
        accent=results.accent,
        capacity=len(order),
        format=Format.ROUND_ROBIN if results.groups else Format.SINGLE_ELIMINATION,
        stage=group_stage if results.groups else knockout,
        is_demo=is_demo,
    )
    tournament = Tournament.objects.get(pk=done.ids["tournament_id"])
    if results.groups:
        stages.edit(actor, tournament.stages.get().pk, name="Groups")
        stages.add(
            actor,
            tournament.pk,
            format=Format.SINGLE_ELIMINATION,
            name="Knockout",
            seating=Seating.CROSSED,
            **knockout,
        )
    tournaments.publish(actor, tournament.pk)
    tournaments.open_registration(actor, tournament.pk)
    entry_of = {name: entries.add(actor, tournament.pk, name=name).ids["entry_id"] for name in sorted(order)}
    tournaments.close_registration(actor, tournament.pk)
    entries.seed(actor, tournament.pk, order=[entry_of[name] for name in order])
    brackets.generate(actor, tournament.pk)
    tournament.refresh_from_db()
    return tournament


def fixture_of(results: Results, match: Match) -> Fixture:
    """
    Return the real match of two entrants, in the groups or in the knockout, turned so that home is home.

    Raises:
        ResultsError: these two never met there.
    """
    names = tuple(entry.name if isinstance(entry, Entry) else "" for entry in (match.home, match.away))
    for fixture in results.in_groups() if match.stage.is_league else results.in_knockout():
        if fixture.names == names:
            return fixture
        if fixture.turned().names == names:
            return fixture.turned()
    message = f"The file has no match of {names[0]} and {names[1]} in this stage."
    raise ResultsError(message)
