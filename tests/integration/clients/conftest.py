from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from apps.accounts.models import User
from apps.eventlog.log import STAFF
from apps.tournaments.models import Match, Tournament
from apps.tournaments.selectors.snapshots import tournament_snapshot
from deltacrown_client import Room, Status
from tests import factories
from tests.rooms import token_for


@pytest.fixture(autouse=True)
def _fresh_limits(fresh_limits: None) -> None:
    """Also for servers in processes of their own, which use the same Redis."""


@pytest.fixture
def cup(transactional_db: None) -> Tournament:
    return factories.drawn(2)


@pytest.fixture
def match(cup: Tournament) -> Match:
    return factories.match_number(cup, 1)


class Program:
    """Somebody's program in a room, and all that it was told."""

    def __init__(self, address: str, room: str, user: User | None = None, **options: Any) -> None:
        self.frames: list[dict[str, Any]] = []
        self.statuses: list[Status] = []
        self.tokens = 0
        self._user = user
        self.room = Room(
            f"http://{address}",
            room,
            **{"token": self.token} | options,
            on_frame=self.frames.append,
            on_status=self.statuses.append,
        )

    async def token(self) -> str:
        self.tokens += 1
        return await sync_to_async(token_for)(self.room.room, self._user)

    def of(self, type_: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["type"] == type_]


@pytest.fixture
def program() -> Callable[..., Any]:
    """Give what puts a program in a room, for as long as a block lasts."""

    @asynccontextmanager
    async def enter(*arguments: Any, **options: Any) -> AsyncIterator[Program]:
        there = Program(*arguments, **options)
        async with there.room:
            yield there

    return enter


@pytest.fixture
def stored(cup: Tournament) -> Callable[[], Any]:
    """What the database says of the cup now, to its staff."""
    return sync_to_async(lambda: tournament_snapshot(cup.pk, audience=STAFF))
