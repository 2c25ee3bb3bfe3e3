"""Storms of reconnects, positions from elsewhere, a bus that lies, and processes that die at the wrong moment."""

import asyncio
import os
import subprocess
import sys
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from urllib.request import Request, urlopen

import msgpack
import msgspec
import pytest
import redis
from asgiref.sync import sync_to_async
from django.db import transaction

from apps.eventlog import log
from apps.tournaments.models import Role
from apps.tournaments.realtime import history, utils
from apps.tournaments.realtime.hub import hub
from apps.tournaments.services import Actor, matches, tournaments
from engine.match_flow import Score
from tests import factories
from tests.integration.realtime.door import path
from tests.rooms import open_room, token_for
from tests.server import ServerProcess, client, database_url, running_server, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("every_score")]


@pytest.fixture
def match(cup):
    match = factories.match_number(cup, 1)
    matches.start(Actor(cup.created_by), match.pk)
    return match


@sync_to_async
def score(cup, match, goals: int) -> int:
    return matches.update_score(Actor(cup.created_by), match.pk, Score(goals, 0)).seq


@sync_to_async
def position(cup) -> log.Position:
    return log.positions([cup.stream])[cup.stream]


def in_hub(coroutine) -> None:
    """Run something where the hub lives."""
    asyncio.run_coroutine_threadsafe(coroutine, utils._hub_loop)


async def test_abuse_50_a_storm_of_reconnects_builds_one_snapshot(address, cup, match, monkeypatch):
    built, load = [], history._load

    async def counted(room):
        built.append(room)
        return await load(room)

    monkeypatch.setattr(history, "_load", counted)

    async def connect(since: str = "") -> tuple[bool, int]:
        async with client(address, path(cup) + since) as socket:
            welcome = (await socket.receive())["data"]
            frame = await socket.receive()
            return welcome["resumed"], frame["seq"]

    start = await position(cup)
    assert set(await asyncio.gather(*(connect() for _ in range(100)))) == {(False, start.seq)}
    assert len(built) == 1
    seq = await score(cup, match, 1)
    since = f"&since={start.epoch}:{start.seq}"
    storm = await asyncio.gather(*(connect(since if number % 2 else "") for number in range(100)))
    assert sorted(storm) == [(False, seq)] * 50 + [(True, seq)] * 50
    assert len(built) == 2


async def test_abuse_52_a_position_from_elsewhere_or_of_the_staff_shows_nothing_foreign(address, cup, match):
    other = await sync_to_async(factories.drawn)(2)
    theirs, ours, organizer = await position(other), await position(cup), Actor(cup.created_by)
    async with client(address, f"{path(cup)}&since={theirs.epoch}:{theirs.seq}") as socket:
        welcome, snapshot = await open_room(socket)
        assert not welcome["resumed"]
        assert snapshot["data"]["tournament"]["id"] == cup.pk

    name = other.created_by.username
    await sync_to_async(tournaments.add_member)(organizer, cup.pk, username=name, role=Role.REFEREE)
    seq = await score(cup, match, 1)
    async with client(address, f"{path(cup)}&since={ours.epoch}:{ours.seq}") as guest:
        welcome, snapshot = await open_room(guest)  # whoever joined the staff meanwhile could claim to be that one
        assert (welcome["resumed"], snapshot["seq"], snapshot["data"]["staff"]) == (False, seq, {})
    async with client(address, f"{path(cup)}&since={ours.epoch}:{seq - 1}") as guest:
        assert (await guest.receive())["data"]["resumed"]
        event = await guest.receive()
        assert (event["type"], event["seq"], event["prev"]) == ("score_updated", seq, seq - 1)
    of_match = f"/ws/match/{match.pk}/?token={token_for(match.subject)}&since={ours.epoch}:{seq - 1}"
    async with client(address, of_match) as guest:
        assert (await guest.receive())["data"]["resumed"]
        assert (await guest.receive())["data"]["match"]["id"] == match.pk


async def test_abuse_54_a_bus_that_doubles_reorders_and_garbles_loses_and_repeats_nothing(
    address, cup, match, monkeypatch, caplog
):
    other = await sync_to_async(factories.drawn)(2)
    foreign = await sync_to_async(log.read)(other.stream, after=0, limit=99)
    past = await sync_to_async(log.read)(cup.stream, after=0, limit=99)
    group = utils.group_name(cup.stream)

    def hint(events) -> dict:
        return {"type": utils.HINT, "events": msgspec.json.encode(events)}

    garbled = [
        {"type": utils.HINT},
        {"type": utils.HINT, "events": None},
        {"type": utils.HINT, "events": b"\xff"},
        {"type": utils.HINT, "events": b'[{"stream": 1}]'},
        {"type": utils.HINT, "events": b"[" * 100_000},
        {"type": utils.HINT, "events": b" " * 2**20},
        {},
    ]
    useless = [hint(past), hint(past[:1]), hint([]), hint(foreign), hint([past[0], *foreign]), {"type": utils.ERROR}]
    monkeypatch.setattr(log, "_sinks", lambda: ())
    async with client(address, path(cup)) as socket:
        await open_room(socket)
        seqs = [await score(cup, match, goals) for goals in (1, 2, 3)]
        new = await sync_to_async(log.read)(cup.stream, after=seqs[0] - 1, limit=9)
        for message in [*garbled, *useless, *(hint([event]) for event in reversed(new)), hint(new)]:
            utils._post(lambda layer, message=message: layer.group_send(group, message))
        assert [(await socket.receive())["seq"] for _ in seqs] == seqs
        await socket.send("ping", "p")
        assert (await socket.receive())["type"] == "pong"
    assert caplog.text.count("hint_unreadable") == len(garbled)


async def test_abuse_55_a_forged_event_on_the_bus_is_shown_to_nobody(cup, match, redis_url):
    """Whoever can write to Redis does not have the key that hints are encrypted with."""
    at = await position(cup)
    event = log.Recorded(
        stream=cup.stream,
        epoch=at.epoch,
        seq=at.seq + 1,
        type="score_updated",
        audience=log.PUBLIC,
        subject=match.subject,
        data=msgspec.Raw(b'{"match": {"id": %d, "home_score": 99}}' % match.pk),
        at=datetime.now(UTC).isoformat(),
    )
    forged = msgpack.packb({"type": utils.HINT, "events": msgspec.json.encode([event])})
    organizer = await sync_to_async(factories.signed_in)(cup.created_by)
    with (
        ServerProcess(REDIS_URL=redis_url, METRICS_TOKEN="figures") as site,
        redis.Redis.from_url(redis_url) as attacker,
    ):
        async with client(site.address, path(cup, organizer)) as socket:
            await open_room(socket)
            for message in (forged, b"\xc1"):
                assert attacker.publish(f"asgi__group__{utils.group_name(cup.stream)}", message) == 1
            await asyncio.to_thread(wait_for, lambda: site.log().count("hint_unreadable") == 2)
            await socket.send("update_score", "a", match_id=match.pk, home_score=1, away_score=0)
            real = await socket.until("score_updated")
            assert (real["seq"], real["data"]["match"]["home_score"]) == (at.seq + 1, 1)
            assert "rt_bus_up 1.0" in figures(site)  # and it makes nobody deaf


def figures(site: ServerProcess) -> str:
    request = Request(f"http://{site.address}/metrics", headers={"Authorization": "Bearer figures"})
    with urlopen(request) as answer:
        return answer.read().decode()


async def test_abuse_57_what_is_rolled_back_is_never_seen(address, cup, match):
    @sync_to_async
    def roll_back() -> None:
        with transaction.atomic():
            matches.update_score(Actor(cup.created_by), match.pk, Score(9, 0))
            transaction.set_rollback(True)

    async with client(address, path(cup)) as socket:
        _, snapshot = await open_room(socket)
        await roll_back()
        assert await score(cup, match, 1) == snapshot["seq"] + 1
        event = await socket.receive()
        assert (event["seq"], event["data"]["match"]["home_score"]) == (snapshot["seq"] + 1, 1)


KILLED = """
import os, signal, sys, django
django.setup()
from apps.eventlog import log
from apps.tournaments.models import Match
from apps.tournaments.services import Actor, matches
from engine.match_flow import Score
log._sinks = lambda: (lambda events: os.kill(os.getpid(), signal.SIGKILL),)
match = Match.objects.select_related("tournament__created_by").get(pk=sys.argv[1])
matches.update_score(Actor(match.tournament.created_by), match.pk, Score(7, 0))
"""


async def test_abuse_58_an_event_of_a_process_that_died_after_the_commit_is_published_once(address, cup, match):
    environment = os.environ | {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "deltacrown.settings"}
    command = [sys.executable, "-c", KILLED, str(match.pk)]
    async with client(address, path(cup)) as socket:
        _, snapshot = await open_room(socket)
        done = await asyncio.to_thread(subprocess.run, command, env=environment, check=False)
        assert done.returncode == -9
        event = await socket.receive()
        assert (event["seq"], event["data"]["match"]["home_score"]) == (snapshot["seq"] + 1, 7)
        seq = await score(cup, match, 8)
        assert (await socket.receive())["seq"] == seq == snapshot["seq"] + 2


async def test_abuse_59_several_readers_of_one_log_publish_each_event_once_and_in_order(
    address, cup, match, monkeypatch
):
    monkeypatch.setattr(log, "_sinks", lambda: (utils.publish, utils.publish))
    async with client(address, path(cup)) as socket:
        _, snapshot = await open_room(socket)
        feed = hub.feeds[cup.stream]
        for goals in range(1, 21):
            for _ in range(3):
                in_hub(hub.compare())
                in_hub(hub.catch_up(feed))
            await score(cup, match, goals)
        seqs = [(await socket.receive())["seq"] for _ in range(20)]
        assert seqs == list(range(snapshot["seq"] + 1, snapshot["seq"] + 21))
        await socket.send("ping", "p")
        assert (await socket.receive())["type"] == "pong"


async def test_abuse_66_sigterm_closes_everybody_1012_and_nobody_misses_anything(cup, match):
    async with AsyncExitStack() as stack:
        with ServerProcess(REDIS_URL="") as site:
            sockets = [await stack.enter_async_context(client(site.address, path(cup))) for _ in range(20)]
            positions = [(await open_room(socket))[1] for socket in sockets]
            stopping = asyncio.create_task(asyncio.to_thread(site.stop))
            assert {await socket.closed() for socket in sockets} == {1012}
            await stopping
    seq = await score(cup, match, 1)
    with running_server() as address:
        for before in positions:
            async with client(address, f"{path(cup)}&since={before['epoch']}:{before['seq']}") as socket:
                assert (await socket.receive())["data"]["resumed"]
                assert (await socket.receive())["seq"] == seq
