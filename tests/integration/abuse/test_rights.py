"""Who acts although they may not, or not any more, or too late."""

import asyncio
import json

import pytest
from asgiref.sync import sync_to_async
from prometheus_client import REGISTRY

from apps.accounts.models import User
from apps.accounts.tokens import issue_room_token
from apps.eventlog import log
from apps.tournaments.models import Match, Role
from apps.tournaments.realtime.protocol import CLIENT_TYPES
from apps.tournaments.services import Actor, matches, tournaments
from tests import factories
from tests.integration.realtime.door import path
from tests.server import client

pytestmark = pytest.mark.django_db(transaction=True)

SCORE = {"home_score": 1, "away_score": 0}
ACTIONS = {
    "report_score": SCORE,
    "confirm_result": {},
    "veto_move": {"option": "heads"},
    "start_match": {},
    "update_score": SCORE,
    "complete_match": SCORE,
    "award_walkover": {"winner": "home"},
    "forfeit_match": {"loser": "home"},
    "check_in": {},
    "withdraw": {},
    "generate_bracket": {},
}


async def position(cup) -> int:
    return (await sync_to_async(log.positions)([cup.stream]))[cup.stream].seq


def refusals(action: str, code: str) -> float:
    return REGISTRY.get_sample_value("rt_actions_total", {"action": action, "result": code}) or 0


async def test_abuse_13_a_referee_who_was_demoted_can_act_no_more(address, cup, holder):
    organizer, match = Actor(cup.created_by), await sync_to_async(factories.match_number)(cup, 1)
    await sync_to_async(tournaments.add_member)(organizer, cup.pk, username=holder.user.username, role=Role.REFEREE)
    async with client(address, path(cup, holder)) as socket:
        assert (await socket.until("connection_established"))["data"]["role"] == "referee"
        await sync_to_async(tournaments.remove_member)(organizer, cup.pk, holder.user.pk)
        await socket.send("start_match", "a", match_id=match.pk)
        assert (await socket.until("error"))["code"] == "permission_denied"
    assert (await Match.objects.aget(pk=match.pk)).state == "ready"


@pytest.mark.parametrize(
    ("change", "code"),
    [({"is_superuser": False}, "permission_denied"), ({"is_active": False}, "authentication_required")],
)
async def test_abuse_13_an_administrator_who_is_none_any_more_can_act_no_more(address, cup, holder, change, code):
    """Changed past every signal, so that the connection stays open: the right is looked at when the action comes."""
    people, match = User.objects.filter(pk=holder.user.pk), await sync_to_async(factories.match_number)(cup, 1)
    await people.aupdate(is_superuser=True)
    async with client(address, path(cup, holder)) as socket:
        assert (await socket.until("connection_established"))["data"]["role"] == "admin"
        await people.aupdate(**change)
        await socket.send("start_match", "a", match_id=match.pk)
        assert (await socket.until("error"))["code"] == code
    assert (await Match.objects.aget(pk=match.pk)).state == "ready"


async def test_abuse_13_whoever_is_demoted_past_every_signal_sees_less_at_the_next_token(address, cup, holder):
    await User.objects.filter(pk=holder.user.pk).aupdate(is_superuser=True)
    async with client(address, path(cup, holder)) as socket:
        assert str(cup.created_by.pk) in (await socket.until("snapshot"))["data"]["staff"]
        await User.objects.filter(pk=holder.user.pk).aupdate(is_superuser=False)
        await socket.send("authenticate", "a", token=issue_room_token(cup.stream, holder)[0])
        assert (await socket.until("connection_established"))["data"]["role"] == "spectator"
        assert (await socket.until("snapshot"))["data"]["staff"] == {}


async def test_abuse_17_nobody_acts_beyond_their_role_or_for_others(address, holder):
    cup = await sync_to_async(factories.drawn)(4)
    match = await sync_to_async(factories.match_number)(cup, 1)
    stranger = await sync_to_async(lambda: factories.match_number(cup, 2).home)()
    player = await sync_to_async(factories.signed_in)(stranger.user)
    before = await position(cup)
    assert set(ACTIONS) == CLIENT_TYPES - {"ping", "pong", "subscribe", "resync", "authenticate"}
    for who, code in ((None, "authentication_required"), (holder, "permission_denied"), (player, "permission_denied")):
        async with client(address, path(cup, who)) as socket:
            await socket.until("snapshot")
            for action, data in ACTIONS.items():
                counted = refusals(action, code)
                target = {"entry_id": match.home_id} if action in ("check_in", "withdraw") else {"match_id": match.pk}
                await socket.send(action, action, **(data if action == "generate_bracket" else data | target))
                error = await socket.until("error")
                assert (error["code"], error["id"]) == (code, action), who
                assert refusals(action, code) == counted + 1
    assert await position(cup) == before
    assert (await Match.objects.aget(pk=match.pk)).version == match.version


async def test_abuse_17_who_tries_again_and_again_is_closed_4008(address, cup, settings):
    settings.WS_RATE_MSG_RPS, settings.WS_RATE_MSG_BURST = 0.01, 10
    async with client(address, path(cup)) as socket:
        await socket.until("snapshot")
        for number in range(10 + 61):
            await socket.socket.send(json.dumps({"type": "generate_bracket", "id": f"a{number}"}))
        assert await socket.closed() == 4008


async def test_abuse_19_a_finished_match_is_a_conflict_and_a_race_has_one_winner(address, cup):
    match = await sync_to_async(factories.match_number)(cup, 1)
    organizer = await sync_to_async(factories.signed_in)(cup.created_by)
    await sync_to_async(matches.start)(Actor(cup.created_by), match.pk)

    async def complete(goals: int) -> dict:
        async with client(address, path(cup, organizer)) as socket:
            await socket.until("snapshot")
            score = {"home_score": goals, "away_score": 0}
            await socket.send("complete_match", f"end-{goals}", match_id=match.pk, **score)
            while (frame := await socket.receive())["type"] not in ("ack", "error"):
                pass
            return frame

    answers = await asyncio.gather(*(complete(goals) for goals in range(1, 9)))
    won = [frame for frame in answers if frame["type"] == "ack"]
    assert len(won) == 1
    assert {frame["code"] for frame in answers if frame["type"] == "error"} == {"conflict"}
    after = await Match.objects.aget(pk=match.pk)
    assert (after.state, won[0]["id"]) == ("completed", f"end-{after.home_score}")
    seq = await position(cup)
    async with client(address, path(cup, organizer)) as socket:
        for action in ("start_match", "update_score", "complete_match", "award_walkover", "forfeit_match"):
            await socket.send(action, f"late-{action}", match_id=match.pk, **ACTIONS[action])
            assert (await socket.until("error"))["code"] == "conflict", action
    assert await position(cup) == seq
