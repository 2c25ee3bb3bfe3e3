"""Somebody who plays all tournaments at once, changes their mind, and dies at the worst moments."""

import os
import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from django.db import DatabaseError, connections, transaction

from apps.accounts.models import User
from apps.errors import AppError, NotFound
from apps.tournaments.models import Match, Role, Tournament
from apps.tournaments.services import Actor, matches, tournaments
from engine.match_flow import Score
from tests.chaos import witness
from tests.chaos.stage import fickle

UNDONE = "this was taken back"


class Undone(Exception):
    """Ends a transaction that has appended."""


class Player:
    """One life, of about so many commands."""

    def __init__(self, rng: random.Random, rate: float, commands: float) -> None:
        self.rng, self.rate = rng, rate
        self.left = int(rng.uniform(0.5, 1.5) * commands)
        self.death = rng.choice((self._die_before_commit, self._die_before_hint))
        self.cups = list(Tournament.objects.select_related("created_by"))
        self.fickle = {cup.pk: list(User.objects.filter(username__startswith=fickle(cup.pk))) for cup in self.cups}

    def live(self, parent: int) -> None:
        """Play until the time to die has come, or the process that made this one has gone."""
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

    def _match(self, state: str) -> Match:
        """Return a match in this state."""
        found = self.rng.choice(self.cups).matches.filter(state=state)
        if not (rows := list(found.select_related("home__user", "away__user").order_by("number"))):
            raise NotFound("There is none.")
        return self.rng.choice(rows)

    def _organizer(self, cup: int) -> Actor:
        return Actor(next(one.created_by for one in self.cups if one.pk == cup))

    def _score(self) -> None:
        match = self._match("live")
        for _ in range(self.rng.choice((1, 1, 1, 4))):  # a burst, which is told as one
            score = Score(self.rng.randrange(900), self.rng.randrange(900))
            matches.update_score(self._organizer(match.tournament_id), match.pk, score)

    def _start(self) -> None:
        match = self._match("ready")
        matches.start(self._organizer(match.tournament_id), match.pk)

    def _finish(self) -> None:
        match = self._match("live")
        matches.finish(self._organizer(match.tournament_id), match.pk, Score(2, 1))

    def _report(self) -> None:
        match = self._match("live")
        matches.report(Actor(match.home.user), match.pk, Score(1, 3))
        matches.confirm(Actor(match.away.user), match.pk)

    def _rename(self, name: str = "") -> None:
        cup = self.rng.choice(self.cups)
        tournaments.edit(Actor(cup.created_by), cup.pk, name=name or f"Cup {self.rng.random()}")

    def _staff(self) -> None:
        cup = self.rng.choice([cup for cup in self.cups if self.fickle[cup.pk]])
        user = self.rng.choice(self.fickle[cup.pk])
        if cup.members.filter(user=user).exists():
            tournaments.remove_member(Actor(cup.created_by), cup.pk, user.pk)
        else:
            tournaments.add_member(Actor(cup.created_by), cup.pk, username=user.username, role=Role.REFEREE)

    def _undo(self) -> None:
        self._append_and_then(_take_back)

    def _append_and_then(self, last: Callable[[], NoReturn]) -> None:
        """Append in a transaction that does not end well."""
        with transaction.atomic():
            self._rename(UNDONE)
            time.sleep(self.rng.uniform(0, 0.05))
            last()

    def _die_before_commit(self) -> None:
        self._append_and_then(lambda: witness.die("writer killed before its commit"))

    def _die_before_hint(self) -> None:
        witness.is_last = True
        self._rename()


def _take_back() -> NoReturn:
    raise Undone
