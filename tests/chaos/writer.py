"""
Somebody who plays all tournaments at once, changes their mind, and dies at the worst moments.

Each life is a fork, so that the next begins at once. Standard output has a line for each commit and each death
(witness.py). Usage: python -m tests.chaos.writer <seed> <commands a second> <commands between deaths>
"""

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any

import django
from django.conf import settings

from tests.chaos.bus import bend_bus
from tests.chaos.stage import fickle

UNDONE = "this was taken back"


class Undone(Exception):
    """Ends a transaction that has appended."""


class Writer:
    """One life."""

    def __init__(self, rng: random.Random, rate: float, commands: float) -> None:
        from apps.accounts.models import User
        from apps.tournaments.models import Tournament

        self.rng, self.rate = rng, rate
        self.left = int(rng.uniform(0.5, 1.5) * commands)
        self.death = rng.choice([self._die_before_commit, self._die_before_hint])
        self.cups = list(Tournament.objects.select_related("created_by"))
        self.fickle = {cup.pk: list(User.objects.filter(username__startswith=fickle(cup.pk))) for cup in self.cups}

    def live(self, parent: int) -> None:
        from django.db import DatabaseError, connections

        from apps.errors import AppError

        while os.getppid() == parent:
            time.sleep(self.rng.expovariate(self.rate))
            self.left -= 1
            try:
                with suppress(AppError, Undone):  # what is not possible as things stand
                    (self.death if self.left <= 0 else self._act)()
            except DatabaseError:
                connections.close_all()

    def _act(self) -> None:
        weights = {
            self._score: 60, self._start: 8, self._finish: 2, self._report: 2, self._rename: 5, self._staff: 8,
            self._undo: 8,
        }  # fmt: skip
        self.rng.choices(list(weights), list(weights.values()))[0]()

    def _match(self, state: str) -> tuple[Any, Any]:
        """Return a match in this state and its tournament's organiser."""
        from apps.errors import NotFound
        from apps.tournaments.services import Actor

        cup = self.rng.choice(self.cups)
        found = list(cup.matches.filter(state=state).select_related("home__user", "away__user").order_by("number"))
        if not found:
            raise NotFound("none")
        return self.rng.choice(found), Actor(cup.created_by)

    def _score(self) -> None:
        from apps.tournaments.services import matches
        from engine.match_flow import Score

        match, referee = self._match("live")
        for _ in range(self.rng.choice([1, 1, 1, 4])):  # a burst, which is told as one
            matches.update_score(referee, match.pk, Score(self.rng.randrange(900), self.rng.randrange(900)))

    def _start(self) -> None:
        from apps.tournaments.services import matches

        match, referee = self._match("ready")
        matches.start(referee, match.pk)

    def _finish(self) -> None:
        from apps.tournaments.services import matches
        from engine.match_flow import Score

        match, referee = self._match("live")
        matches.finish(referee, match.pk, Score(2, 1))

    def _report(self) -> None:
        from apps.tournaments.services import Actor, matches
        from engine.match_flow import Score

        match, _ = self._match("live")
        matches.report(Actor(match.home.user), match.pk, Score(1, 3))
        matches.confirm(Actor(match.away.user), match.pk)

    def _rename(self, name: str = "") -> None:
        from apps.tournaments.services import Actor, tournaments

        cup = self.rng.choice(self.cups)
        tournaments.edit(Actor(cup.created_by), cup.pk, name=name or f"Cup {self.rng.random()}")

    def _staff(self) -> None:
        from apps.tournaments.models import Role
        from apps.tournaments.services import Actor, tournaments

        cup = self.rng.choice([cup for cup in self.cups if self.fickle[cup.pk]])
        user = self.rng.choice(self.fickle[cup.pk])
        if cup.members.filter(user=user).exists():
            tournaments.remove_member(Actor(cup.created_by), cup.pk, user.pk)
        else:
            tournaments.add_member(Actor(cup.created_by), cup.pk, username=user.username, role=Role.REFEREE)

    def _undo(self) -> None:
        self._and_then(_take_back)

    def _and_then(self, last: Callable[[], None]) -> None:
        """Append in a transaction that does not end well."""
        from django.db import transaction

        with transaction.atomic():
            self._rename(UNDONE)
            time.sleep(self.rng.uniform(0, 0.05))
            last()

    def _die_before_commit(self) -> None:
        from tests.chaos.witness import die

        self._and_then(lambda: die("writer killed before its commit"))

    def _die_before_hint(self) -> None:
        from tests.chaos import witness

        witness.is_last = True
        self._rename()


def _take_back() -> None:
    raise Undone


def main() -> None:
    seed, rate, commands = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    bend_bus()
    settings.EVENTLOG_SINKS = ["tests.chaos.witness.witness", *settings.EVENTLOG_SINKS]
    django.setup()
    me, child = os.getpid(), 0

    def end(*_: object) -> None:
        if child:
            os.kill(child, signal.SIGTERM)
        sys.exit()

    signal.signal(signal.SIGTERM, end)
    for life in count(1):
        child = os.fork()
        if not child:
            signal.signal(signal.SIGTERM, lambda *_: sys.exit())
            _live(seed * 1000 + life, rate, commands, me)
        os.waitpid(child, 0)


def _live(seed: int, rate: float, commands: float, parent: int) -> None:
    from django.db import DatabaseError, connections

    while True:
        try:
            Writer(random.Random(seed), rate, commands).live(parent)
            sys.exit()
        except DatabaseError:  # as it began
            connections.close_all()
            time.sleep(0.1)


if __name__ == "__main__":
    main()
