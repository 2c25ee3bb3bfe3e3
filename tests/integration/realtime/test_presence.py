"""Who watches, as rooms hear it: from the consumers and the hub, and over the bus."""

import asyncio
from contextlib import ExitStack

import pytest
from asgiref.sync import sync_to_async
from prometheus_client import generate_latest

from apps.accounts.models import User
from apps.tournaments.models import Match, Tournament
from apps.tournaments.realtime import utils
from apps.tournaments.realtime.presence import Counts, Gossip, encode
from apps.tournaments.realtime.rooms import RoomName
from apps.tournaments.services import Actor, matches
from engine.match_flow import Score
from tests import factories
from tests.integration.realtime.visitor import Visitor, eventually
from tests.rooms import open_room, path
from tests.server import ServerProcess, client

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cup(transactional_db: None) -> Tournament:
    return factories.drawn(4)


@pytest.fixture
def match(cup: Tournament) -> Match:
    return factories.match_number(cup, 1)


@pytest.fixture
def quickly(monkeypatch) -> None:
    monkeypatch.setattr("apps.tournaments.realtime.presence.TICK_SECONDS", 0.01)
    monkeypatch.setattr("apps.tournaments.realtime.presence.TELL_SECONDS", 0.05)
    monkeypatch.setattr("apps.tournaments.realtime.presence.GOSSIP_SECONDS", 0.05)


class Guests:
    """People in rooms, who leave when the test ends."""

    def __init__(self) -> None:
        self.here: list[Visitor] = []

    async def come(self, room: str, user: User | None = None, since: str = "") -> Visitor:
        kind, _, room_id = room.partition(":")
        visitor = Visitor(RoomName(kind, int(room_id)), user, since)
        self.here.append(visitor)
        await visitor.until("connection_established")
        return visitor


@pytest.fixture
async def guests(quickly):
    guests = Guests()
    yield guests
    for visitor in guests.here:
        visitor.leave()
        await visitor.task


async def hears(visitor: Visitor, **expected) -> None:
    await eventually(lambda: visitor.presence and visitor.presence[-1] == {"type": "presence", **expected})


async def test_people_count_once_and_guests_one_by_one_of_both_audiences_together(cup, guests):
    guest = await guests.come(cup.stream)
    await hears(guest, viewers=1)
    organizer = await guests.come(cup.stream, cup.created_by)
    second = await guests.come(cup.stream, cup.created_by)
    for visitor in (guest, organizer, second, await guests.come(cup.stream)):
        await hears(visitor, viewers=3)
    await organizer.left()
    await second.left()
    await hears(guest, viewers=2)


async def test_whoever_comes_hears_it_after_what_comes_first(cup, guests):
    first = await guests.come(cup.stream)
    await hears(first, viewers=1)
    welcome = first.of("connection_established")[0]["data"]
    back = await guests.come(cup.stream, since=f"{welcome['epoch']}:{welcome['seq']}")
    await hears(back, viewers=2)
    assert back.of("snapshot") == []
    assert first.of("snapshot")


async def test_no_frame_comes_between_the_welcome_and_the_snapshot(cup, guests, monkeypatch):
    from apps.tournaments.realtime import history

    load, asked, answer = history._load, asyncio.Event(), asyncio.Event()

    async def slowly(room):
        snapshot = await load(room)
        asked.set()
        await answer.wait()
        return snapshot

    first = await guests.come(cup.stream)
    await hears(first, viewers=1)
    monkeypatch.setattr("apps.tournaments.realtime.history._load", slowly)
    late = Visitor(RoomName("tournament", cup.pk), cup.created_by)
    guests.here.append(late)
    await asked.wait()
    await hears(first, viewers=2)
    assert (late.presence, late.frames) == ([], [])
    answer.set()
    await hears(late, viewers=2)


async def test_a_matchs_room_hears_of_its_players_and_a_tournaments_does_not(cup, match, guests, monkeypatch):
    monkeypatch.setattr("apps.tournaments.realtime.presence.GRACE_SECONDS", 0.3)
    watcher, above = await guests.come(match.subject), await guests.come(cup.stream)
    await hears(watcher, viewers=1, home=False, away=False)
    home = await guests.come(match.subject, match.home.user)
    await hears(watcher, viewers=2, home=True, away=False)
    away = await guests.come(match.subject, match.away.user)
    await hears(watcher, viewers=3, home=True, away=True)
    await hears(home, viewers=3, home=True, away=True)
    await home.left()
    await hears(watcher, viewers=2, home=False, away=True)
    shown = [(frame["viewers"], frame["home"]) for frame in watcher.presence]
    assert (2, True) in shown[shown.index((3, True)) :], "there was no grace"
    await away.left()
    await hears(above, viewers=1)


async def test_who_watches_a_match_and_gets_a_place_in_it_is_its_player_from_then_on(cup, match, guests):
    final = await sync_to_async(factories.match_number)(cup, match.winner_to)
    watcher, early = await guests.come(final.subject), await guests.come(final.subject, match.home.user)
    bystander = await guests.come(final.subject, match.away.user)
    await hears(watcher, viewers=3, home=False, away=False)
    await sync_to_async(matches.start)(Actor(cup.created_by), match.pk)
    await sync_to_async(matches.finish)(Actor(cup.created_by), match.pk, Score(2, 1))
    await hears(watcher, viewers=3, home=True, away=False)
    await early.until("connection_established", 2)
    welcomes = [welcome["data"]["is_participant"] for welcome in early.of("connection_established")]
    assert welcomes == [False, True]
    assert len(bystander.of("connection_established")) == 1


async def test_figures_say_how_many_watch_here(cup, match, guests):
    for room, user in ((cup.stream, cup.created_by), (cup.stream, cup.created_by), (match.subject, None)):
        await guests.come(room, user)
    figures = generate_latest().decode()
    assert 'rt_viewers{kind="tournament"} 1.0' in figures
    assert 'rt_viewers{kind="match"} 1.0' in figures


# Over the bus ---------------------------------------------------------------------------------------------------------


async def test_what_another_process_says_is_added_until_it_leaves(cup, guests):
    guest = await guests.come(cup.stream)
    gossip = Gossip("another", 1, cup.stream, {"": Counts(1234)})
    utils.send_gossip(cup.stream, encode(gossip))
    await hears(guest, viewers=1200)
    utils.send_gossip(cup.stream, encode(Gossip("another", 2, cup.stream, {})))
    await hears(guest, viewers=1)


async def test_what_a_process_says_that_is_heard_no_more_is_forgotten(cup, match, guests, monkeypatch):
    monkeypatch.setattr("apps.tournaments.realtime.presence.EXPIRY_SECONDS", 0.5)
    monkeypatch.setattr("apps.tournaments.realtime.presence.GRACE_SECONDS", 0.1)
    guest = await guests.come(match.subject)
    await hears(guest, viewers=1, home=False, away=False)
    utils.send_gossip(cup.stream, encode(Gossip("another", 1, cup.stream, {match.subject: Counts(6, away=True)})))
    await hears(guest, viewers=7, home=False, away=True)
    await hears(guest, viewers=1, home=False, away=False)


async def test_rubbish_on_the_bus_changes_nothing(cup, guests, caplog):
    guest = await guests.come(cup.stream)
    await hears(guest, viewers=1)
    for rubbish in (
        b"",
        b"[]",
        b"\xff",
        encode({"process": "p", "number": 1, "stream": cup.stream, "rooms": {"": -1}}),
    ):
        utils.send_gossip(cup.stream, rubbish)
    utils.send_gossip(cup.stream, encode(Gossip("another", 1, "tournament:999999", {"": Counts(50)})))
    utils.send_gossip(cup.stream, encode(Gossip("another", 1, cup.stream, {"": Counts(1)})))
    await hears(guest, viewers=2)
    assert [frame["viewers"] for frame in guest.presence] == [1, 2]
    assert caplog.text.count("gossip_unreadable") == 4
    assert "bus_down" not in caplog.text


# Processes ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def redis_bus(redis_url, settings) -> str:
    """A channel layer on Redis for the server in this process."""
    hosts = [{"address": redis_url, "socket_timeout": None, "socket_connect_timeout": 2}]
    config = {"hosts": hosts, "symmetric_encryption_keys": [settings.SECRET_KEY]}
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": config}
    }
    return redis_url


async def test_processes_tell_each_other_and_say_when_they_leave(cup, match, redis_url):
    with ExitStack() as stack:
        here, there = (stack.enter_context(ServerProcess(REDIS_URL=redis_url)) for _ in range(2))
        async with client(here.address, await path(match.subject)) as watcher:
            await open_room(watcher)
            async with client(there.address, await path(match.subject, match.home.user)) as player:
                await open_room(player)
                for socket in (watcher, player):
                    await socket.told(viewers=2, home=True, away=False)
                await asyncio.to_thread(there.stop)
            await watcher.told(viewers=1)
            assert watcher.presence[-1]["home"], "the player may be on the way to this process"


async def test_without_a_bus_each_process_tells_of_its_own(cup):
    with ExitStack() as stack:
        here, there = (stack.enter_context(ServerProcess(REDIS_URL="")) for _ in range(2))
        async with (
            client(here.address, await path(cup.stream)) as one,
            client(there.address, await path(cup.stream)) as other,
        ):
            for socket in (one, other):
                await open_room(socket)
                await socket.told(viewers=1)


async def test_who_watched_at_a_killed_process_disappears(redis_bus, address, cup, monkeypatch):
    monkeypatch.setattr("apps.tournaments.realtime.presence.EXPIRY_SECONDS", 4.0)
    with ServerProcess(REDIS_URL=redis_bus) as there:
        async with (
            client(address, await path(cup.stream)) as watcher,
            client(there.address, await path(cup.stream)) as lost,
        ):
            await open_room(watcher)
            await open_room(lost)
            await watcher.told(viewers=2)
            there.kill()
            assert await lost.closed() == 1006
            await watcher.told(viewers=1)
