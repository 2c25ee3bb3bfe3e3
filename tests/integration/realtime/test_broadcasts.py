"""
Broadcasts for code that changes rows by itself: they reach the rooms that they belong to, through the log, and say how
the row stands.
"""

import asyncio
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, transaction

from apps.errors import BadRequest, Conflict, ErrorCode, NotFound
from apps.eventlog import log
from apps.tournaments.models import Match, Status, Tournament
from apps.tournaments.realtime import utils
from apps.tournaments.realtime.hub import hub
from apps.tournaments.selectors.snapshots import match_snapshot, tournament_snapshot
from tests import factories
from tests.rooms import open_room, path
from tests.server import Client, client, database_url, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("every_score")]

ROOT = Path(__file__).parents[3]


@pytest.fixture
def cup(transactional_db: None) -> Tournament:
    return factories.drawn(4)


@pytest.fixture
def match(cup: Tournament) -> Match:
    return factories.match_number(cup, 1)


@asynccontextmanager
async def watching(address: str, *rooms: str):
    """Open a room each, as a guest."""
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(client(address, await path(room))) for room in rooms]
        for socket in sockets:
            await open_room(socket)
        yield sockets


@sync_to_async
def tell(broadcast, *arguments) -> int:
    """Broadcast, and return the event's seq."""
    return broadcast(*arguments).seq


async def gets_nothing_else(cup: Tournament, *sockets: Client) -> None:
    """See that nothing comes before what is told now, which every room of the tournament hears."""
    seq = await tell(utils.broadcast_tournament_event, cup.pk, "tournament_updated")
    for socket in sockets:
        frame = await socket.receive()
        assert (frame["type"], frame["seq"]) == ("tournament_updated", seq)


OF_MATCHES = [
    (utils.broadcast_match_started, "match_started", {"state": "live", "home_score": 2}),
    (utils.broadcast_score_updated, "score_updated", {"state": "live", "home_score": 3, "away_score": 1}),
    (utils.broadcast_match_completed, "match_completed", {"state": "completed", "home_score": 5, "reason": "played"}),
    (utils.broadcast_bracket_updated, "bracket_updated", {"state": "scheduled", "home_closed": True}),
]


@pytest.mark.parametrize(("broadcast", "name", "stands"), OF_MATCHES, ids=[name for _, name, _ in OF_MATCHES])
async def test_what_a_match_became_reaches_its_room_and_its_tournaments_and_no_other(
    address, cup, match, broadcast, name, stands
):
    other = await sync_to_async(factories.drawn)(2)
    neighbour = await sync_to_async(factories.match_number)(cup, 2)
    rooms = (cup.stream, match.subject, neighbour.subject, other.stream)
    async with watching(address, *rooms) as (whole, own, beside, elsewhere):
        await Match.objects.filter(pk=match.pk).aupdate(**stands)
        before = whole.mine
        seq = await tell(broadcast, match.pk)
        assert seq == before + 1
        told = (await sync_to_async(match_snapshot)(match.pk)).data["matches"][str(match.pk)]
        assert stands.items() <= told.items()
        for socket in (whole, own):
            event = await socket.next_event()
            assert (event["type"], event["seq"], event["data"]) == (name, seq, {"match": told})
        await gets_nothing_else(cup, whole, own, beside)
        await gets_nothing_else(other, elsewhere)


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ("tournament_completed", Status.COMPLETED),
        ("tournament_updated", Status.REGISTRATION_CLOSED),
        ("registration_opened", Status.REGISTRATION_OPEN),
    ],
)
async def test_what_a_tournament_became_says_how_its_row_stands(address, cup, event, status):
    other = await sync_to_async(factories.drawn)(2)
    async with watching(address, cup.stream, other.stream) as (here, elsewhere):
        await Tournament.objects.filter(pk=cup.pk).aupdate(status=status, name="Renamed", accent="#123456")
        seq = await tell(utils.broadcast_tournament_event, cup.pk, event)
        frame = await here.next_event()
        assert (frame["type"], frame["seq"]) == (event, seq)
        now = (await sync_to_async(tournament_snapshot)(cup.pk, audience="public")).data
        assert frame["data"]["tournament"] == now["tournament"]
        assert (now["tournament"]["name"], now["tournament"]["status"]) == ("Renamed", status)
        await gets_nothing_else(cup, here)
        await gets_nothing_else(other, elsewhere)


async def test_the_end_of_a_tournament_reaches_the_rooms_of_its_matches_too(address, cup, match):
    await Tournament.objects.filter(pk=cup.pk).aupdate(status=Status.COMPLETED)
    async with watching(address, cup.stream, match.subject) as sockets:
        seq = await tell(utils.broadcast_tournament_completed, cup.pk)
        for socket in sockets:
            event = await socket.next_event()
            assert (event["type"], event["seq"]) == ("tournament_completed", seq)


async def test_registration_is_no_concern_of_a_match(address, cup, match):
    async with watching(address, match.subject) as (own,):
        await tell(utils.broadcast_tournament_event, cup.pk, "registration_closed")
        await gets_nothing_else(cup, own)


async def test_broadcasts_of_many_threads_come_in_the_order_of_the_log(address, cup, match):
    await Match.objects.filter(tournament=cup, state="ready").aupdate(state="live")
    others = [match.pk, (await sync_to_async(factories.match_number)(cup, 2)).pk]

    def shout(number: int) -> int:
        try:
            return utils.broadcast_score_updated(others[number % 2]).seq
        finally:
            connection.close()

    def shout_all() -> list[int]:
        with ThreadPoolExecutor(4) as threads:
            return list(threads.map(shout, range(24)))

    async with watching(address, cup.stream, match.subject) as (whole, own):
        start = whole.mine
        seqs = await asyncio.to_thread(shout_all)
        assert sorted(seqs) == list(range(start + 1, start + 25))
        seen = await whole.events_until(start + 24)
        assert [event["seq"] for event in seen] == sorted(seqs)
        assert all(event["prev"] == before["seq"] for before, event in pairwise(seen))
        mine = sorted(seqs[::2])
        seen = await own.events_until(mine[-1])
        assert [event["seq"] for event in seen] == mine
        assert all(event["prev"] == before["seq"] for before, event in pairwise(seen))


@pytest.mark.parametrize("broadcast", [utils.broadcast_match_started, utils.broadcast_score_updated])
async def test_play_that_has_not_begun_is_not_announced(address, cup, match, broadcast):
    async with watching(address, cup.stream, match.subject) as sockets:
        with pytest.raises(Conflict, match="not so") as refusal:
            await tell(broadcast, match.pk)
        assert refusal.value.data == {"state": "ready"}
        await gets_nothing_else(cup, *sockets)


async def test_a_match_or_tournament_that_is_not_over_is_not_announced_as_such(address, cup, match):
    await Match.objects.filter(pk=match.pk).aupdate(state="live")
    async with watching(address, cup.stream, match.subject) as sockets:
        with pytest.raises(Conflict) as refusal:
            await tell(utils.broadcast_match_completed, match.pk)
        assert refusal.value.data == {"state": "live"}
        with pytest.raises(Conflict) as refusal:
            await tell(utils.broadcast_tournament_completed, cup.pk)
        assert refusal.value.data == {"state": "registration_closed"}
        await gets_nothing_else(cup, *sockets)


def test_who_does_not_exist_has_nobody_to_tell(transactional_db):
    with pytest.raises(NotFound, match="no such match"):
        utils.broadcast_bracket_updated(999_999_999)
    with pytest.raises(NotFound, match="no such tournament"):
        utils.broadcast_tournament_event(999_999_999, "tournament_updated")


@pytest.mark.parametrize("event", ["no_such_event", "", "MatchStarted", "member_added", "registration_created"])
def test_only_events_of_this_kind_of_row_can_be_told(cup, match, event):
    before = log.positions([cup.stream])
    with pytest.raises(BadRequest):
        utils.broadcast_match_event(match.pk, event)
    with pytest.raises(BadRequest):
        utils.broadcast_tournament_event(cup.pk, event)
    with pytest.raises(BadRequest):
        utils.broadcast_match_event(match.pk, "tournament_updated")
    with pytest.raises(BadRequest):
        utils.broadcast_tournament_event(cup.pk, "bracket_updated")
    assert log.positions([cup.stream]) == before


async def test_what_is_rolled_back_is_told_to_nobody(address, cup, match):
    @sync_to_async
    def change_and_fail() -> int:
        with transaction.atomic():
            Match.objects.filter(pk=match.pk).update(state="live")
            seq = utils.broadcast_match_started(match.pk).seq
            transaction.set_rollback(True)
        return seq

    async with watching(address, cup.stream, match.subject) as sockets:
        seq = await change_and_fail()
        await gets_nothing_else(cup, *sockets)
        # The number was taken back: it is the one of what was told next.
        assert (await sync_to_async(log.positions)([cup.stream]))[cup.stream].seq == seq


# One connection -------------------------------------------------------------------------------------------------------


async def is_alive(socket: Client) -> None:
    """See that the next frame is the answer to what is asked now, so that nothing came before."""
    await socket.send("ping", "alive")
    assert (await socket.receive())["id"] == "alive"


async def test_an_error_reaches_one_connection_alone_and_leaves_it_open(address, cup):
    async with client(address, await path(cup.stream, cup.created_by)) as first:
        await open_room(first)
        (connection_of_first,) = hub.connections
        async with client(address, await path(cup.stream, cup.created_by)) as second:
            await open_room(second)
            utils.send_error_to_channel(hub.channel(connection_of_first), ErrorCode.CONFLICT, "Too late.")
            assert await first.receive() == {"type": "error", "code": "conflict", "message": "Too late."}
            await is_alive(second)
        await is_alive(first)


async def test_an_error_for_nobody_harms_nobody(address, cup):
    async with client(address, await path(cup.stream)) as gone:
        await open_room(gone)
        (connection_of_gone,) = hub.connections
        channel_of_gone = hub.channel(connection_of_gone)
        process = channel_of_gone.rpartition("/")[0]
        async with client(address, await path(cup.stream)) as here:
            await open_room(here)
            await gone.socket.close()
            await asyncio.to_thread(wait_for, lambda: len(hub.connections) == 1)
            nowhere = ["", "/", "nonsense", f"{process}/nobody", process, "hub.0123456789/nobody", "a b\n/c", "x" * 500]
            for channel in (*nowhere, channel_of_gone):
                utils.send_error_to_channel(channel, ErrorCode.CONFLICT, "Too late.")
            (connection_of_here,) = hub.connections
            utils.send_error_to_channel(hub.channel(connection_of_here), ErrorCode.NOT_FOUND, "Last.")
            assert (await here.receive())["message"] == "Last."
            await is_alive(here)


async def test_an_error_needs_a_code_of_the_protocol(address, cup):
    async with client(address, await path(cup.stream)) as socket:
        await open_room(socket)
        (connection_of_socket,) = hub.connections
        with pytest.raises(ValueError, match="no_such_code"):
            utils.send_error_to_channel(hub.channel(connection_of_socket), "no_such_code", "Too late.")
        await is_alive(socket)


def test_an_error_without_any_connection_is_lost_quietly():
    utils.send_error_to_channel("hub.0123456789/nobody", ErrorCode.CONFLICT, "Too late.")


# From another process -------------------------------------------------------------------------------------------------


def in_another_process(code: str, *arguments: object, redis: str) -> None:
    """Run code that has the broadcasts as `utils` and the arguments as `sys.argv[1:]`, and ends at once."""
    start = "import sys, django; django.setup(); from apps.tournaments.realtime import utils;"
    environment = {"DATABASE_URL": database_url(), "REDIS_URL": redis, "DJANGO_SETTINGS_MODULE": "deltacrown.settings"}
    command = [sys.executable, "-c", start + code, *map(str, arguments)]
    subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=True, timeout=60)


@pytest.fixture
def bus(redis_url, settings, monkeypatch) -> str:
    """A channel layer on Redis, and no look at the log that could stand in for it."""
    backend = "channels_redis.pubsub.RedisPubSubChannelLayer"
    hosts = [{"address": redis_url, "socket_timeout": None, "socket_connect_timeout": 2}]
    config = {"hosts": hosts, "symmetric_encryption_keys": [settings.SECRET_KEY]}
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": backend, "CONFIG": config}}
    monkeypatch.setattr("apps.tournaments.realtime.hub.POLL_SECONDS", 3600)
    return redis_url


async def test_broadcasts_of_another_process_come_over_the_bus(bus, address, cup, match):
    await Match.objects.filter(pk=match.pk).aupdate(state="live", home_score=4)
    code = "done = [utils.broadcast_score_updated(int(sys.argv[1])) for _ in range(3)]"
    async with watching(address, cup.stream, match.subject) as sockets:
        await asyncio.to_thread(in_another_process, code, match.pk, redis=bus)
        for socket in sockets:
            start = socket.mine
            events = await socket.events_until(start + 3)
            assert [event["data"]["match"]["home_score"] for event in events] == [4, 4, 4]


async def test_without_a_bus_they_come_from_the_log(address, cup, match):
    async with watching(address, cup.stream) as (socket,):
        code = "utils.broadcast_bracket_updated(int(sys.argv[1]))"
        await asyncio.to_thread(in_another_process, code, match.pk, redis="")
        assert (await socket.next_event())["type"] == "bracket_updated"


async def test_an_error_from_another_process_finds_its_connection(bus, address, cup):
    async with client(address, await path(cup.stream)) as first:
        await open_room(first)
        (connection_of_first,) = hub.connections
        async with client(address, await path(cup.stream)) as second:
            await open_room(second)
            code = "utils.send_error_to_channel(sys.argv[1], 'conflict', 'Too late.')"
            await asyncio.to_thread(in_another_process, code, hub.channel(connection_of_first), redis=bus)
            assert await first.receive() == {"type": "error", "code": "conflict", "message": "Too late."}
            await is_alive(second)
