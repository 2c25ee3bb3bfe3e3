"""Nobody learns who watches, and coming and going makes no noise."""

import asyncio
import json
import time
from collections.abc import Iterator
from itertools import count

import pytest
from asgiref.sync import sync_to_async

from apps.accounts.models import User
from apps.accounts.tokens import SignedIn, issue_room_token
from apps.tournaments.realtime import utils
from apps.tournaments.realtime.presence import GOSSIP_SECONDS, TELL_SECONDS, Counts, Gossip, encode
from tests import factories
from tests.integration.realtime.door import path
from tests.rooms import open_room, token_for
from tests.server import client

pytestmark = pytest.mark.django_db(transaction=True)


async def test_abuse_60_of_ten_thousand_who_watch_a_room_hears_one_rounded_number(address, cup, holder):
    match = await sync_to_async(factories.match_number)(cup, 1)
    of_match = f"/ws/match/{match.pk}/?token={await sync_to_async(token_for)(match.subject)}"
    watching = client(address, path(cup)), client(address, path(cup, holder)), client(address, of_match)
    async with watching[0] as guest, watching[1] as person, watching[2] as of_the_match:
        for socket in (guest, person, of_the_match):
            await open_room(socket)
        rooms = {"": Counts(10_432), match.subject: Counts(10_432, home=True)}
        utils.send_gossip(cup.stream, encode(Gossip("another", 1, cup.stream, rooms)))
        await guest.told(viewers=10_000)
        await person.told(viewers=10_000)
        await of_the_match.told(viewers=10_000, home=True, away=False)
        for type_ in ("presence", "members"):
            await guest.send(type_)
            assert (await guest.receive())["code"] == "unsupported_message_type"
        names = await sync_to_async(list)(User.objects.values_list("username", flat=True))
        for socket in (guest, person, of_the_match):
            for frame in socket.presence:
                assert frame.keys() <= {"type", "viewers", "home", "away"}
                assert len(json.dumps(frame)) < 80
                assert not any(name in json.dumps(frame) for name in names)


@pytest.fixture
def said(monkeypatch) -> list[bytes]:
    """What this process says to others."""
    said = []

    def send(stream: str, gossip: bytes) -> None:
        said.append(gossip)
        utils.send_gossip(stream, gossip)

    monkeypatch.setattr("apps.tournaments.realtime.hub.send_gossip", send)
    return said


async def come_and_go(address: str, ways: Iterator[str], seconds: float) -> int:
    """Come and go without pause. Return how often."""
    until, times = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        async with client(address, next(ways)) as socket:
            await socket.until("snapshot")
        times += 1
    return times


async def test_abuse_61_coming_and_going_makes_at_most_one_frame_a_second(address, cup, said, settings):
    settings.WS_RATE_HANDSHAKE_RPS_IP = settings.WS_RATE_HANDSHAKE_BURST_IP = 100_000
    async with client(address, path(cup)) as watcher:
        await open_room(watcher)
        await watcher.told(viewers=1)
        began = time.monotonic()
        ways = (path(cup) for _ in count())
        times = await asyncio.gather(*(come_and_go(address, ways, 3 * TELL_SECONDS) for _ in range(4)))
        async with client(address, path(cup)) as stays:
            await open_room(stays)
            await stays.told(viewers=2)
            await watcher.told(viewers=2)
            seconds = time.monotonic() - began
            assert sum(times) > 20
            assert len(watcher.presence) <= 2 + seconds / TELL_SECONDS
            assert len(said) <= 2 + seconds / GOSSIP_SECONDS


async def test_abuse_61_a_player_who_comes_and_goes_is_shown_as_here(address, cup, settings):
    settings.WS_RATE_HANDSHAKE_RPS_IP = settings.WS_RATE_HANDSHAKE_BURST_IP = 100_000
    match = await sync_to_async(factories.match_number)(cup, 1)
    player = await sync_to_async(factories.signed_in)(match.home.user)

    def way(holder: SignedIn | None = None) -> str:
        return f"/ws/match/{match.pk}/?token={issue_room_token(match.subject, holder)[0]}"

    async with client(address, way()) as watcher:
        await open_room(watcher)
        await watcher.told(home=False, away=False)
        async with client(address, way(player)) as first:
            await open_room(first)
            await watcher.told(home=True, away=False)
        heard = len(watcher.presence)
        assert await come_and_go(address, (way(player) for _ in count()), 3 * TELL_SECONDS) > 5
        async with client(address, way()) as stays:
            await open_room(stays)
            await stays.told(viewers=2, home=True)
            await watcher.told(viewers=2, home=True)
        assert all(frame["home"] for frame in watcher.presence[heard:])
