"""A veto in its rooms: captains act in the match's room, and whoever watches that or the tournament sees every step."""

import pytest
from asgiref.sync import sync_to_async

from apps.tournaments.services import Actor, veto
from tests import factories
from tests.rooms import open_room, path
from tests.server import client

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def match(transactional_db: None):
    settings = {"pool": ["Ascent", "Bind", "Haven"], "scripts": {"1": "seed; 1 ban, 2 ban, decider"}}
    return factories.match_number(factories.drawn(2, stage={"veto": settings}), 1)


async def until(socket, *types):
    while (frame := await socket.receive())["type"] not in types:
        pass
    return frame


async def test_two_captains_choose_in_the_room_and_every_room_sees_it(address, match):
    room, hall = match.subject, f"tournament:{match.tournament_id}"
    async with (
        client(address, await path(room, match.home.user)) as home,
        client(address, await path(room, match.away.user)) as away,
        client(address, await path(hall, None)) as overlay,
    ):
        for socket in (home, away, overlay):
            await open_room(socket)
        await sync_to_async(veto.start)(Actor(match.home.user), match.pk)
        for socket in (home, away, overlay):
            turn = (await until(socket, "veto_started"))["data"]["match"]["veto"]["turn"]
            assert turn == {"act": "ban", "side": "home", "options": ["Ascent", "Bind", "Haven"]}

        await away.send("veto_move", "too-soon", option="Bind")
        refusal = await until(away, "error", "ack")
        assert (refusal["code"], refusal["data"]["turn"]) == ("conflict", "home")

        await home.send("veto_move", "first", option="Bind")
        done = await until(home, "ack", "error")
        assert done["data"] == {"match_id": match.pk}
        for socket in (away, overlay):
            seen = await until(socket, "veto_moved")
            assert seen["seq"] == done["seq"]
            assert seen["data"]["match"]["veto"]["moves"][-1]["option"] == "Bind"

        await away.send("veto_move", "second", option="Bind")
        refusal = await until(away, "error", "ack")
        assert refusal["data"]["possible"] == ["Ascent", "Haven"]
        await away.send("veto_move", "third", option="Ascent")
        for socket in (home, away, overlay):
            games = (await until(socket, "veto_completed"))["data"]["match"]["veto"]["games"]
            assert [game["option"] for game in games] == ["Haven"]
