"""A process that is told to end: nobody is left behind, nobody comes back at the same moment, nothing is missed."""

import asyncio
import json
import os
import signal
import time
import urllib.error
import urllib.request
from contextlib import AsyncExitStack

import pytest
from asgiref.sync import sync_to_async
from websockets.exceptions import InvalidStatus

from apps.tournaments.models import Tournament
from apps.tournaments.realtime import drain as draining
from apps.tournaments.realtime.drain import Drain
from apps.tournaments.selectors.snapshots import tournament_snapshot
from apps.tournaments.services import Actor, matches
from deltacrown_client import Room
from engine.match_flow import Score
from tests import factories
from tests.integration.server.wire import Wire, upgrade
from tests.rooms import open_room, path, token_for
from tests.server import DEADLINE, ServerProcess, client

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cup(transactional_db: None) -> Tournament:
    return factories.drawn(2)


@pytest.fixture
def process(cup):
    with ServerProcess() as process:
        yield process


def status_of(address: str) -> tuple[int, dict]:
    try:
        with urllib.request.urlopen(f"http://{address}/readyz", timeout=DEADLINE) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.load(refusal)


async def leave(process: ServerProcess, cup: Tournament, holds: asyncio.Event, entered: asyncio.Semaphore):
    """Come, wait to be sent away, and return the jitter given and the close code."""
    async with client(process.address, await path(cup.stream)) as socket:
        await open_room(socket)
        entered.release()
        frame = await socket.until("server_restarting")
        code = await socket.closed()
        holds.set()
        return frame["retry_after_ms"], code


async def test_abuse_66_everybody_is_told_when_to_come_back_and_who_does_not_read_is_not_waited_for(process, cup):
    holds, entered, people = asyncio.Event(), asyncio.Semaphore(0), 60
    tokens = [await path(cup.stream) for _ in range(5)]
    stalled = [Wire(process.address, receive_buffer=4096) for _ in tokens]
    for wire, target in zip(stalled, tokens, strict=True):
        wire.send(upgrade(target, "Origin: http://test\r\n"))
        assert wire.head().startswith(b"HTTP/1.1 101 ")
        assert b"connection_established" in wire.frame().payload
    async with asyncio.TaskGroup() as group:
        leaving = [group.create_task(leave(process, cup, holds, entered)) for _ in range(people)]
        for _ in leaving:
            await entered.acquire()
        started = time.monotonic()
        os.kill(process.pid, signal.SIGTERM)
        await holds.wait()
        # The first have gone, the others not yet: in between the process says that it is ending.
        assert await asyncio.to_thread(status_of, process.address) == (503, {"status": "draining"})
        with pytest.raises(InvalidStatus) as refusal:
            async with client(process.address, await path(cup.stream)):
                pass
    assert refusal.value.response.status_code == 503
    assert 1 <= int(refusal.value.response.headers["Retry-After"]) <= 5
    answers = [task.result() for task in leaving]
    assert {code for _, code in answers} == {1012}
    jitter = [ms for ms, _ in answers]
    assert len(set(jitter)) > people / 2
    assert 0 <= min(jitter) < max(jitter) < 5_000
    await asyncio.to_thread(process.ended)
    assert time.monotonic() - started < 20
    for wire in stalled:
        wire.__exit__()
    assert "Traceback" not in process.log()


class Watcher:
    """Somebody's program, which goes to the other process whenever its own sends it away."""

    def __init__(self, addresses: list[str], cup: Tournament, number: int) -> None:
        self.addresses, self.cup, self.moves = addresses, cup, number
        self.snapshots = self.welcomes = 0
        self.room = Room(self._site, cup.stream, token=self._token, on_frame=self._note, on_status=self._move)

    @property
    def _site(self) -> str:
        return f"http://{self.addresses[self.moves % 2]}"

    async def _token(self) -> str:
        return await sync_to_async(token_for)(self.cup.stream, None)

    def _move(self, status) -> None:
        if status.kind == "lost":
            self.moves += 1
            self.room.site = self._site

    def _note(self, frame: dict) -> None:
        self.snapshots += frame["type"] == "snapshot"
        self.welcomes += frame["type"] == "connection_established"


async def test_abuse_66_a_rolling_restart_of_two_processes_under_load_loses_nothing(cup):
    match = await sync_to_async(factories.match_number)(cup, 1)
    await sync_to_async(matches.start)(Actor(cup.created_by), match.pk)

    async def play(stop: asyncio.Event) -> int:
        goals = seq = 0
        while not stop.is_set():
            goals += 1
            score = Score(goals % 100, 0)
            seq = (await sync_to_async(matches.update_score)(Actor(cup.created_by), match.pk, score)).seq
            await asyncio.sleep(0.02)
        return seq

    with ServerProcess() as one, ServerProcess() as other:
        watchers = [Watcher([one.address, other.address], cup, number) for number in range(20)]
        async with AsyncExitStack() as stack:
            for watcher in watchers:
                await stack.enter_async_context(watcher.room)
            stop = asyncio.Event()
            playing = asyncio.create_task(play(stop))
            for process in (one, other):
                await asyncio.to_thread(process.stop)
                await asyncio.to_thread(process.start)
            stop.set()
            last = await playing
            async with asyncio.timeout(30):
                while not all(watcher.room.position.seq >= last for watcher in watchers):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            expected = await sync_to_async(tournament_snapshot)(cup.pk, audience="public")
            assert all(watcher.room.state == expected.data for watcher in watchers)
    assert all(watcher.welcomes > 1 for watcher in watchers)
    # The first one is the only one: whoever came back got what was missed, and nobody saw a hole.
    assert [watcher.snapshots for watcher in watchers] == [1] * len(watchers)


class Person:
    """A connection of somebody; `stalled` does not go when it is told."""

    def __init__(self, hub: "Hub", role: str, *, stalled: bool = False) -> None:
        self.hub, self.record, self.stalled = hub, type("Record", (), {"role": role})(), stalled
        self.closed_with = None
        hub.connections[self] = None

    def restart(self, retry_after_ms: int) -> None:
        self.closed_with = 1012
        self.hub.told.append((asyncio.get_running_loop().time(), self.record.role))
        if not self.stalled:
            del self.hub.connections[self]

    def abort(self) -> None:
        self.hub.aborted += 1
        del self.hub.connections[self]


class Hub:
    def __init__(self) -> None:
        self.connections: dict[Person, None] = {}
        self.told: list[tuple[float, str]] = []
        self.aborted = 0


@pytest.fixture
def quick(monkeypatch) -> None:
    for name in ("PAUSE_SECONDS", "PATIENCE_SECONDS", "LOOK_SECONDS"):
        monkeypatch.setattr(draining, name, getattr(draining, name) / 100)


async def test_two_thousand_go_in_sixteen_batches_players_last_and_two_hundred_stalled_are_aborted(quick):
    hub = Hub()
    for number in range(2_000):
        Person(hub, "player" if number < 100 else "spectator", stalled=number % 10 == 0)
    drain = Drain(hub)
    await drain()
    assert drain.is_on
    assert not hub.connections
    assert hub.aborted == 200
    assert [role for _, role in hub.told] == ["spectator"] * 1_900 + ["player"] * 100
    batches = len({moment for moment, _ in hub.told})
    assert batches >= 16
    # 16 pauses of half a second and twice the patience: within 20 s, with what is left for the server.
    assert draining.BATCHES * draining.PAUSE_SECONDS * 100 + 2 * draining.PATIENCE_SECONDS * 100 < 15


async def test_whoever_was_on_the_way_in_is_sent_away_as_well(quick):
    hub = Hub()
    Person(hub, "spectator", stalled=True)
    going = asyncio.create_task(Drain(hub)())
    await asyncio.sleep(0)
    late = Person(hub, "")
    async with asyncio.timeout(DEADLINE):
        await going
    assert late.closed_with == 1012


async def test_a_second_signal_makes_it_hurry():
    hub = Hub()
    for _ in range(200):
        Person(hub, "spectator")
    started = asyncio.get_running_loop().time()
    await Drain(hub)(hurry=lambda: True)
    assert not hub.connections
    assert asyncio.get_running_loop().time() - started < draining.PAUSE_SECONDS
