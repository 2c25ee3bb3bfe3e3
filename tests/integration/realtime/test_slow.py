"""Clients that read too slowly: they cost bounded memory and nobody else's time, and end with the state of the log."""

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from apps.tournaments.models import Tournament
from apps.tournaments.realtime import fanout
from apps.tournaments.realtime.connection import SocketConnection
from apps.tournaments.realtime.hub import hub
from apps.tournaments.selectors.snapshots import tournament_snapshot
from apps.tournaments.services import Actor, matches, tournaments
from engine.match_flow import Score
from engine.projection import apply
from tests import factories
from tests.integration.server.wire import PING, PONG, TEXT, Wire, frame, upgrade
from tests.rooms import path
from tests.server import DEADLINE, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

KIB = 1024


@pytest.fixture(autouse=True, params=["by io_uring", "by the transports"])
def way(request: pytest.FixtureRequest, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways in which events are written. Where there is no io_uring, both are the second."""
    settings.WS_IO_URING = request.param == "by io_uring"
    monkeypatch.setattr(fanout, "RING_LEAST", 1)


@pytest.fixture
def cup(transactional_db: None) -> Tournament:
    return factories.drawn(2)


async def open_slow(address: str, cup: Tournament) -> tuple[Wire, SocketConnection]:
    """Enter the room as a client whose window is small, and return its end and the server's."""
    before = set(hub.connections)
    wire = Wire(address, receive_buffer=4 * KIB)
    wire.send(upgrade(await path(cup.stream), "Origin: http://test\r\n"))
    await asyncio.to_thread(wire.head)
    await asyncio.to_thread(wait_for, lambda: any(one.live for one in set(hub.connections) - before))
    (connection,) = set(hub.connections) - before
    assert isinstance(connection, SocketConnection)
    return wire, connection


async def say_much(cup: Tournament, number: int) -> int:
    """Let something large happen, which is not coalesced, and return its seq."""
    done = await sync_to_async(tournaments.edit)(Actor(cup.created_by), cup.pk, description=f"{number} " + "x" * 3_900)
    return done.seq


def catch_up(wire: Wire, until: int) -> tuple[dict, list[str]]:
    """Read until `until` as the protocol's rule says. Return the state, and the types of the frames."""
    mine, state, types = -1, {}, []
    while mine < until:
        got = json.loads(wire.frame().payload)
        types.append(got["type"])
        if got["type"] == "snapshot":
            mine, state = got["seq"], got["data"]
        elif "prev" in got and got["seq"] > mine:
            assert got["prev"] <= mine
            mine = got["seq"]
            apply(state, got["data"])
    return state, types


async def fill(cup: Tournament, connection: SocketConnection) -> int:
    """Write until the client is behind. Return the most that waited for it."""
    most = 0
    for number in range(200):
        await say_much(cup, number)
        await asyncio.sleep(0.005)
        most = max(most, connection.queued)
        if connection.is_behind:
            break
    assert connection.is_behind
    return most


async def test_abuse_41_one_that_falls_behind_is_kept_nothing_for_and_catches_up_when_it_reads(address, cup):
    wire, connection = await open_slow(address, cup)
    with wire:
        most = await fill(cup, connection)
        match = await sync_to_async(factories.match_number)(cup, 1)
        await sync_to_async(matches.start)(Actor(cup.created_by), match.pk)
        for number in range(100):  # 400 KiB that nobody keeps for it
            await say_much(cup, number)
            last = (
                await sync_to_async(matches.update_score)(Actor(cup.created_by), match.pk, Score(number % 99, 0))
            ).seq
            most = max(most, connection.queued)
        assert not connection.live
        # The mark, and the batch or snapshot that passed it.
        assert most < 64 * KIB + 64 * KIB
        state, types = await asyncio.to_thread(catch_up, wire, last)
        expected = await sync_to_async(tournament_snapshot)(cup.pk, audience="public")
        assert state == expected.data
        assert types.count("score_updated") < 50
        await asyncio.to_thread(wait_for, lambda: connection.live)
        seq = await say_much(cup, 1)
        _, types = await asyncio.to_thread(_until, wire, seq)
        assert "snapshot" not in types  # it is one of those that get events as they come


def _until(wire: Wire, seq: int) -> tuple[int, list[str]]:
    types = []
    while True:
        got = json.loads(wire.frame().payload)
        types.append(got["type"])
        if got.get("seq") == seq:
            return seq, types


async def test_one_that_was_away_for_longer_than_memory_reaches_gets_a_snapshot(address, cup):
    wire, connection = await open_slow(address, cup)
    with wire:
        await fill(cup, connection)
        feed, missed = hub.feeds[cup.stream], await say_much(cup, 0)
        await asyncio.to_thread(wait_for, lambda: feed.position.seq == missed)
        feed.ring.clear()
        last = await say_much(cup, 1)
        state, types = await asyncio.to_thread(catch_up, wire, last)
        assert types.count("snapshot") == 2
        assert state["tournament"]["description"].startswith("1 x")


async def test_abuse_40_the_others_get_every_event_while_one_does_not_read(address, cup):
    wire, connection = await open_slow(address, cup)
    other, quick = await open_slow(address, cup)
    with wire, other:
        reading = asyncio.create_task(asyncio.to_thread(catch_up, other, 10**9))
        for number in range(60):
            seq = await say_much(cup, number)
            async with asyncio.timeout(DEADLINE):
                while quick.seq < seq:  # noqa: ASYNC110 - the fan-out's own turns
                    await asyncio.sleep(0.001)
        assert connection.is_behind
        assert quick.live
    with pytest.raises(OSError, match=r"closed|timed out|descriptor"):
        await reading


async def test_events_and_answers_never_run_into_each_other(address, cup):
    wire, _ = await open_slow(address, cup)
    with wire:
        for number in range(150):
            if number % 10 == 0:
                wire.send(frame(PING, b"%d" % number) + frame(TEXT, b'{"type":"ping"}'))
            last = await say_much(cup, number)
            await asyncio.sleep(0)
        came, pongs, answers = -1, [], 0
        while came < last or len(pongs) < 15 or answers < 15:
            got = await asyncio.to_thread(wire.frame)
            if got.opcode == PONG:
                pongs.append(int(got.payload))
                continue
            assert got.opcode == TEXT
            message = json.loads(got.payload)
            answers += message["type"] == "pong"
            came = message.get("seq", came)
    assert pongs == list(range(0, 150, 10))


async def test_one_that_takes_nothing_is_aborted(cup, fresh_limits):
    from tests.server import running_server

    with running_server(stall_seconds=0.5) as address:
        wire, connection = await open_slow(address, cup)
        with wire:
            await fill(cup, connection)
            await asyncio.to_thread(wait_for, lambda: connection not in hub.connections)
        await asyncio.to_thread(wait_for, lambda: not hub.connections)
    assert connection.record.code == 1006
