"""The same rooms where no WebSocket can be taken over: under stock uvicorn, and in channels' own test client."""

import json

import pytest
import uvicorn
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator

from apps.tournaments.models import Tournament
from apps.tournaments.realtime.hub import hub
from apps.tournaments.services import Actor, matches
from engine.match_flow import Score
from tests import factories
from tests.rooms import open_room, path
from tests.server import DEADLINE, client, free_port, serving, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("every_score", "fresh_limits")]


@pytest.fixture
def cup(transactional_db: None) -> Tournament:
    return factories.drawn(2)


async def play(cup: Tournament) -> int:
    """Start a match and count three goals. Return the last seq."""
    match = await sync_to_async(factories.match_number)(cup, 1)
    organizer = Actor(cup.created_by)
    await sync_to_async(matches.start)(organizer, match.pk)
    for goals in (1, 2, 3):
        seq = (await sync_to_async(matches.update_score)(organizer, match.pk, Score(goals, 0))).seq
    return seq


async def test_under_stock_uvicorn(cup):
    from deltacrown.asgi import application

    port = free_port()
    config = uvicorn.Config(application, port=port, ws="websockets-sansio", lifespan="off", log_config=None)
    with serving(uvicorn.Server(config)):
        address = f"127.0.0.1:{port}"
        async with client(address, await path(cup.stream)) as socket:
            await open_room(socket)
            start = socket.mine
            seq = await play(cup)
            events = await socket.events_until(seq)
            assert [event["seq"] for event in events] == list(range(start + 1, seq + 1))
            await socket.send("ping")
            await socket.until("pong")
    wait_for(lambda: not hub.connections)


async def test_in_the_test_client_of_channels(cup):
    from deltacrown.asgi import application

    headers = [(b"host", b"testserver"), (b"origin", b"http://testserver")]
    talk = WebsocketCommunicator(application, await path(cup.stream), headers)
    assert await talk.connect(timeout=DEADLINE) == (True, None)
    frames = [json.loads(await talk.receive_from(DEADLINE)) for _ in range(2)]
    assert [frame["type"] for frame in frames] == ["connection_established", "snapshot"]
    mine, seq = frames[1]["seq"], await play(cup)
    while mine < seq:
        frame = json.loads(await talk.receive_from(DEADLINE))
        assert frame["prev"] <= mine < frame["seq"]
        mine = frame["seq"]
    await talk.send_to(text_data='{"type":"ping"}')
    assert json.loads(await talk.receive_from(DEADLINE))["type"] == "pong"
    await talk.disconnect()
    assert not hub.connections
