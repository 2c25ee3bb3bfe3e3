"""What the operator's figures tell to others, and what others can make of them."""

import asyncio
import random
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from apps.tournaments.realtime.hub import hub
from tests.integration.realtime.door import path
from tests.rooms import refused, token_for
from tests.server import client, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


async def test_abuse_64_figures_are_for_whoever_has_the_token(address, settings):
    async def ask(**headers: str) -> int:
        try:
            with await asyncio.to_thread(urlopen, Request(f"http://{address}/metrics", headers=headers)) as answer:
                return answer.status if b"rt_handshakes_total" in answer.read() else 0
        except HTTPError as refusal:
            return 0 if b"rt_" in refusal.read() else refusal.code

    for headers in ({}, {"Authorization": "Bearer "}, {"X-Forwarded-For": "127.0.0.1"}):
        assert await ask(**headers) == 403, "no token is set, so nobody has it"
    settings.METRICS_TOKEN = "a-long-secret"
    for sent in ("", "Bearer ", "Bearer a-long-secre", "Bearer A-LONG-SECRET", "Basic a-long-secret", "Bearer \u00e9"):
        assert await ask(Authorization=sent) == 403, sent
    assert await ask(Authorization="Bearer a-long-secret") == 200


def labels() -> set[tuple[str, ...]]:
    return {
        (sample.name, *sample.labels.items())
        for family in text_string_to_metric_families(generate_latest().decode())
        for sample in family.samples
        if sample.name.startswith("rt_") and not sample.name.endswith("_created")
    }


async def test_abuse_64_no_label_is_made_of_what_a_client_chooses(address, cup, settings):
    settings.WS_RATE_ENABLED = False
    chance = random.Random(64)

    async def misbehave() -> None:
        room = f"tournament:{chance.randrange(10**6, 10**12)}"
        unknown = f"/ws/{room.replace(':', '/')}/?token={token_for(room)}"
        assert await refused(address, unknown) == (4404, "not_found")
        assert (await refused(address, f"/ws/match/0{chance.random()}/"))[0] == 4000
        assert (await refused(address, path(cup), origin=f"https://{chance.random()}.example"))[0] == 4003
        async with client(address, path(cup), user_agent_header=str(chance.random())) as socket:
            await socket.until("snapshot")
            await socket.send(f"type-{chance.random()}", f"id-{chance.random()}")
            await socket.until("error")
            await socket.send("start_match", f"id-{chance.random()}", match_id=chance.randrange(10**6, 10**9))
            await socket.until("error")
            await socket.socket.close(chance.randrange(4600, 5000), str(chance.random()))

    await misbehave()
    wait_for(lambda: ("rt_closes_total", ("code", "other"), ("initiator", "client")) in labels())
    wait_for(lambda: not hub.connections)
    before = labels()
    for _ in range(20):
        await misbehave()
    wait_for(lambda: not hub.connections)
    assert labels() == before
