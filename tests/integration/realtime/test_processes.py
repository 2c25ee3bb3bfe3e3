"""Several processes on one database: with a bus, without one, and when one of them dies."""

import asyncio
from contextlib import ExitStack

import pytest
from asgiref.sync import sync_to_async

from apps.eventlog import log
from apps.tournaments.selectors.snapshots import tournament_snapshot
from engine.projection import apply
from tests import factories
from tests.rooms import open_room, path
from tests.server import ServerProcess, client

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["with a bus", "without a bus"])
def two_processes(request, transactional_db):
    redis = request.getfixturevalue("redis_url") if request.param == "with a bus" else ""
    with ExitStack() as stack:
        yield [stack.enter_context(ServerProcess(REDIS_URL=redis)) for _ in range(2)]


async def test_what_happens_in_one_process_is_seen_in_the_other_and_outlives_both(two_processes):
    here, there = two_processes
    cup = await sync_to_async(factories.drawn)(2)
    match = await sync_to_async(factories.match_number)(cup, 1)
    room = f"tournament:{cup.pk}"
    async with (
        client(here.address, await path(room, cup.created_by)) as referee,
        client(there.address, await path(room)) as watcher,
    ):
        await open_room(referee)
        _, snapshot = await open_room(watcher)
        state = snapshot["data"]
        await referee.send("start_match", "start", match_id=match.pk)
        await referee.until("ack")
        for goals in range(1, 6):
            score = {"home_score": goals, "away_score": 0}
            await referee.send("update_score", f"goal-{goals}", match_id=match.pk, **score)
        while state["matches"][str(match.pk)]["home_score"] < 5:
            apply(state, (await watcher.next_event())["data"])
        position = f"{snapshot['epoch']}:{watcher.mine}"
        there.kill()
        assert await watcher.closed() == 1006

        await referee.send("complete_match", "end", match_id=match.pk)
        last = (await log_position(cup)).seq
        while last == watcher.mine or not await is_completed(cup):
            await asyncio.sleep(0.01)
            last = (await log_position(cup)).seq

    async with client(here.address, await path(room, since=position)) as back:
        welcome = await back.receive()
        assert welcome["data"]["resumed"]
        back.mine = watcher.mine
        for event in await back.events_until(last):
            apply(state, event["data"])
    expected = await sync_to_async(tournament_snapshot)(cup.pk, audience="public")
    assert state == expected.data


async def log_position(cup):
    return (await sync_to_async(log.positions)([cup.stream]))[cup.stream]


async def is_completed(cup):
    await cup.arefresh_from_db()
    return cup.status == "completed"
