"""
A site on which everything is to be seen: tournaments in each format and state, matches in each state, teams, a veto.

Whatever somebody named here has no Latin letter in it, so that words of the site can be told from data.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

from django.utils import timezone

from apps.accounts.models import User
from apps.tournaments.models import Role, Tournament
from apps.tournaments.selectors.overlays import addresses_of
from apps.tournaments.services import (
    Actor,
    entries,
    matches,
    on_stream,
    schedule,
    stages,
    stations,
    tournaments,
    veto,
)
from engine.bracket import Side
from engine.match_flow import MatchState, Score
from engine.stages import Format
from tests import factories

MAPS = ["№1", "№2", "№3"]


@dataclass
class World:
    """`organiser` made every tournament, `referee` is on their staff, `player` plays in them."""

    organiser: User
    referee: User
    player: User
    numbers: Callable[[], int]
    cups: dict[str, Tournament] = field(default_factory=dict)

    @property
    def by(self) -> Actor:
        return Actor(self.organiser)

    @property
    def overlays(self) -> list[str]:
        """The addresses of overlays: of each kind one that shows something and one that does not."""
        shown = {"standings": "groups", "veto": "veto", "next": "double", "check-in": "open"}
        draft = addresses_of(self.cups["draft"])
        return [*draft.values(), *(addresses_of(self.cups[shown.get(kind, "states")])[kind] for kind in draft)]

    def named(self) -> str:
        return f"№{self.numbers()}"

    def begun(self, entrants: int, *, teams: bool = False, **settings: object) -> Tournament:
        """Return a tournament with open registration, in which `player` is the first to enter."""
        cup = factories.open_registration(factories.make_tournament(self.organiser, name=self.named(), **settings))
        tournaments.add_member(self.by, cup.pk, username=self.referee.username, role=Role.REFEREE)
        for number in range(entrants):
            user = factories.make_user(f"{self.numbers()}") if number else self.player
            if teams:
                team = factories.make_team(f"{self.numbers()}", f"{self.numbers()}", name=self.named())
                factories.enter_team(cup, team)
            else:
                factories.enter(cup, user, name=self.named())
        return factories.fresh(cup)

    def keep(self, name: str, cup: Tournament) -> Tournament:
        self.cups[name] = factories.fresh(cup)
        return self.cups[name]


def make_world() -> World:
    """Return the world; a few hundred commands of the services, about two seconds."""
    numbers = count(1000)
    organiser, referee, player = (factories.make_user(f"{name}", password=None) for name in (10, 20, 30))
    world = World(organiser, referee, player, lambda: next(numbers))
    soon = timezone.now() + timedelta(hours=1)
    world.keep("draft", factories.make_tournament(organiser, name=world.named(), description="№", game="№"))
    published = factories.publish(factories.make_tournament(organiser, name=world.named(), starts_at=soon))
    world.keep("published", published)
    world.keep("open", _open(world))
    world.keep("teams", world.begun(2, teams=True, participation="team", roster_min=1, roster_max=2))
    world.keep("states", _states(world))
    world.keep("double", _double(world))
    world.keep("swiss", _played(world, 5, 3, format=Format.SWISS))
    world.keep("groups", _groups(world))
    world.keep("league", _played(world, 4, 99, format=Format.ROUND_ROBIN))
    world.keep("over", _played(world, 4, 99, description="№"))
    called_off = _played(world, 3, 1)
    tournaments.cancel(world.by, called_off.pk)
    world.keep("cancelled", called_off)
    world.keep("veto", _veto(world))
    return world


def _open(world: World) -> Tournament:
    """A tournament that is full, with check-in and somebody waiting."""
    return world.begun(4, capacity=3, check_in=True, starts_at=timezone.now() + timedelta(minutes=30))


def _played(world: World, entrants: int, at_most: int, **settings: object) -> Tournament:
    cup = factories.draw(world.begun(entrants, **settings))
    factories.play(cup, matches_at_most=at_most)
    return factories.fresh(cup)


def _double(world: World) -> Tournament:
    cup = _played(world, 6, 5, format=Format.DOUBLE_ELIMINATION, stage={"best_of": 3})
    station = stations.add(world.by, cup.pk, name="№7").ids["station_id"]
    stations.add(world.by, cup.pk, name="№8")
    schedule.plan(world.by, cup.pk, starts_at=timezone.now() + timedelta(hours=1), match_minutes=20, rest_minutes=5)
    match = cup.matches.filter(state=MatchState.READY).first()
    schedule.schedule(world.by, match.pk, station_id=station, scheduled_at=timezone.now() + timedelta(minutes=9))
    schedule.call(world.by, match.pk)
    return cup


def _groups(world: World) -> Tournament:
    cup = world.begun(6, format=Format.ROUND_ROBIN, stage={"groups": 2, "advance": 2})
    stages.add(world.by, cup.pk, format=Format.SINGLE_ELIMINATION, name="№9")
    factories.draw(cup)
    factories.play(cup, matches_at_most=5)
    return cup


def _states(world: World) -> Tournament:
    """A bracket of sixteen whose first round has a match in each state."""
    cup = factories.draw(world.begun(16, match_check_in_minutes=0, confirm_minutes=15, accent="#0f9d58"))
    by, rows = world.by, [factories.match_number(cup, number) for number in range(1, 9)]
    live, reported, disputed, done, lost, walked, again = rows[:7]
    matches.start(by, live.pk)
    matches.update_score(by, live.pk, Score(2, 1))
    on_stream.set_on_stream(by, cup.pk, match_id=live.pk)
    matches.report(Actor(reported.home.user), reported.pk, Score(3, 2))
    matches.report(Actor(disputed.home.user), disputed.pk, Score(1, 0))
    matches.dispute(Actor(disputed.away.user), disputed.pk, cause="score", text="№")
    for match in (done, again):
        matches.start(by, match.pk)
        matches.finish(by, match.pk, Score(2, 0))
    matches.forfeit(by, lost.pk, loser=Side.AWAY)
    matches.award_walkover(by, walked.pk, winner=Side.HOME)
    return cup


def _veto(world: World) -> Tournament:
    settings = {"pool": MAPS, "scripts": {"1": "seed; 1 ban, 2 ban, decider, 2 side"}}
    cup = factories.draw(world.begun(4, stage={"veto": settings}, match_check_in_minutes=10))
    for match in cup.matches.exclude(home=None).exclude(away=None)[:1]:
        for side in Side:
            if match.state == MatchState.CHECK_IN:
                matches.check_in(world.by, match.pk, side=side)
        veto.start(world.by, match.pk)
    entries.disqualify(world.by, cup.entries.order_by("-seed")[0].pk)
    return cup
