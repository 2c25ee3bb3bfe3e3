"""The Python client in rooms of the real server."""

import asyncio
import time
from itertools import groupby

import pytest
from asgiref.sync import sync_to_async

from apps.tournaments.models import Role
from apps.tournaments.services import Actor, brackets, matches, tournaments
from deltacrown_client import Refused, Room, Stopped
from engine.match_flow import Score
from tests import factories
from tests.rooms import token_for
from tests.server import DEADLINE, ServerProcess

pytestmark = pytest.mark.django_db(transaction=True)


async def eventually(condition, seconds: float = DEADLINE):
    """Return the first truthy value of `condition()`, which the room makes true beside us."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.005)
    return value


def goals(room: Room, match) -> int:
    return room.state["matches"][str(match.pk)]["home_score"]


async def test_a_guest_without_a_token_asks_for_one_and_sees_every_event_in_order(address, cup, match):
    async def play() -> None:
        organizer = Actor(cup.created_by)
        await sync_to_async(matches.start)(organizer, match.pk)
        for score in range(1, 4):
            await sync_to_async(matches.update_score)(organizer, match.pk, Score(score, 0))
        await sync_to_async(matches.finish)(organizer, match.pk, Score(3, 0))

    async with Room(f"http://{address}", f"tournament:{cup.pk}") as room:
        assert room.welcome["role"] == "spectator"
        assert room.state["tournament"]["name"] == cup.name
        playing = asyncio.create_task(play())
        seen = []
        async for frame in room:
            seen.append((frame["type"], goals(room, match)))
            if frame["type"] == "tournament_completed":
                break
        await playing
    assert [score for type_, score in seen if type_ == "score_updated"][-1] == 3
    assert [score for _, score in seen] == sorted(score for _, score in seen)
    assert room.state["matches"][str(match.pk)]["state"] == "completed"


async def test_a_room_has_the_state_of_the_database(address, cup, match, program, stored):
    async with program(address, f"tournament:{cup.pk}", cup.created_by) as there:
        await there.room.act("start_match", match_id=match.pk)
        ack = await there.room.act("update_score", match_id=match.pk, home_score=2, away_score=1)
        await eventually(lambda: there.room.position.seq >= ack["seq"])
        assert there.room.state == (await stored()).data


async def test_an_action_that_is_refused_says_why(address, cup, match, program):
    async with program(address, f"match:{match.pk}", match.home.user) as there:
        with pytest.raises(Refused) as refused:
            await there.room.act("start_match")
    assert refused.value.code == "permission_denied"


async def test_the_same_id_acts_once(address, cup, match, program):
    async with program(address, f"match:{match.pk}", cup.created_by) as there:
        first, second = [await there.room.act("start_match", id="start") for _ in range(2)]
        assert first == second
        with pytest.raises(Refused) as refused:
            await there.room.act("start_match", id="again")
    assert refused.value.code == "conflict"


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_a_restart_costs_no_event_and_no_action(cup, match, program, stored, redis_url, end):
    organizer = Actor(cup.created_by)
    await sync_to_async(matches.start)(organizer, match.pk)
    with ServerProcess(REDIS_URL=redis_url) as server:
        async with program(server.address, f"tournament:{cup.pk}", cup.created_by) as there:
            await asyncio.to_thread(getattr(server, end))
            await eventually(lambda: there.room.status.kind == "lost")
            for score in range(1, 4):
                await sync_to_async(matches.update_score)(organizer, match.pk, Score(score, 0))
            action = asyncio.create_task(there.room.act("update_score", match_id=match.pk, home_score=4, away_score=0))
            await asyncio.to_thread(server.start)  # beside the room, which tries in vain
            async with asyncio.timeout(60):
                ack = await action
            await eventually(lambda: there.room.position.seq >= ack["seq"])
            assert goals(there.room, match) == 4
            assert there.room.state["matches"] == (await stored()).data["matches"]
    assert [welcome["data"]["resumed"] for welcome in there.of("connection_established")] == [False, True]
    assert [frame["data"]["match"]["home_score"] for frame in there.of("score_updated")][-1] == 4
    assert [kind for kind, _ in groupby(there.statuses, lambda status: status.kind)] == [
        "live",
        "lost",
        "live",
        "stopped",
    ]


async def test_a_token_is_renewed_before_it_ends(address, cup, program, settings):
    settings.WS_TOKEN_SECONDS = 30  # the warning comes a minute before
    async with program(address, f"tournament:{cup.pk}", cup.created_by) as there:
        await eventually(lambda: there.tokens > 1)
        await there.room.act("generate_bracket")  # an answer: the new token was taken
        assert there.room.status.kind == "live"
    assert len(there.of("connection_established")) == 1


async def test_who_gets_no_new_token_in_time_comes_back_with_a_later_one(address, cup, match, program, settings):
    settings.WS_TOKEN_SECONDS, settings.JWT_LEEWAY_SECONDS = 2, 0
    asked = 0

    async def token() -> str:
        nonlocal asked
        asked += 1
        if asked == 2:
            raise ConnectionError
        return await sync_to_async(token_for)(f"tournament:{cup.pk}")

    async with program(address, f"tournament:{cup.pk}", token=token) as there:
        await eventually(lambda: len(there.of("connection_established")) > 1)
    assert there.statuses[1].code == 4002
    assert there.of("connection_established")[1]["data"]["resumed"]


async def test_the_only_token_ends_the_room_with_it(address, cup, program, settings):
    settings.WS_TOKEN_SECONDS, settings.JWT_LEEWAY_SECONDS = 2, 0
    token = await sync_to_async(token_for)(f"tournament:{cup.pk}")
    async with program(address, f"tournament:{cup.pk}", token=token) as there:
        with pytest.raises(Stopped) as stopped:
            async for _ in there.room:
                pass
    assert stopped.value.code == 4002


async def test_who_joins_the_staff_sees_the_room_anew(address, cup, program):
    referee = await sync_to_async(factories.make_user)("rita")
    async with program(address, f"tournament:{cup.pk}", referee) as there:
        assert there.room.state["staff"] == {}
        add = sync_to_async(tournaments.add_member)
        await add(Actor(cup.created_by), cup.pk, username="rita", role=Role.REFEREE)
        await eventually(lambda: there.room.welcome["role"] == "referee" and there.room.state["staff"])
        assert len(there.of("snapshot")) == 2


async def test_a_room_that_is_none_cannot_be_entered(address, cup, program):
    with pytest.raises(Stopped) as stopped:
        async with program(address, f"tournament:{cup.pk + 1}"):
            pass
    assert stopped.value.code == 4404
    with pytest.raises(Stopped) as stopped:
        async with Room(f"http://{address}", f"tournament:{cup.pk + 1}"):
            pass
    assert stopped.value.code == 4404


async def test_the_end_of_a_room_ends_its_loop_and_its_actions(address, cup, match, program):
    async with program(address, f"match:{match.pk}") as there:
        await sync_to_async(brackets.generate)(Actor(cup.created_by), cup.pk)
        with pytest.raises(Stopped) as stopped:
            async for _ in there.room:
                pass
        assert stopped.value.code == 4404
        with pytest.raises(Stopped):
            await there.room.act("start_match")


async def test_who_leaves_leaves_nothing_behind(address, cup, program):
    before = asyncio.all_tasks()
    async with program(address, f"tournament:{cup.pk}") as there:
        loop = asyncio.create_task(anext(aiter(there.room), None))
        await asyncio.sleep(0)
    assert await loop is None
    assert there.statuses[-1].kind == "stopped"
    assert asyncio.all_tasks() == before


async def test_an_origin_of_its_own_can_be_sent(address, cup, program):
    with pytest.raises(Stopped) as stopped:
        async with program(address, f"tournament:{cup.pk}", connect_options={"origin": "https://elsewhere.example"}):
            pass
    assert stopped.value.code == 4003
