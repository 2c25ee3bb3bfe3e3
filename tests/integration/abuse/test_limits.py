"""Limits against forged addresses, clocks that jump, processes that die, and a Redis that does not answer."""

import asyncio
import os
import signal
import time
from contextlib import AsyncExitStack

import pytest
import redis
from asgiref.sync import sync_to_async

from apps.tournaments.realtime.middleware_ratelimit import limits
from apps.tournaments.realtime.ratelimit import LEASE_SECONDS
from tests import factories, services
from tests.integration.realtime.door import path
from tests.rooms import refused, token_for
from tests.server import DEADLINE, ServerProcess, client

pytestmark = pytest.mark.django_db(transaction=True)


def later(url: str, seconds: float) -> None:
    """Let time pass for the leases in a Redis, whose clock cannot be set."""
    with redis.Redis.from_url(url) as server:
        for name in server.scan_iter("lease:*"):
            for member, expiry in server.zrange(name, 0, -1, withscores=True):
                server.zadd(name, {member: expiry - seconds * 1000})


async def test_abuse_44_the_places_of_a_killed_process_come_free_at_every_level(cup, holder, redis_url):
    environment = {"REDIS_URL": redis_url, "WS_RATE_REDIS_TIMEOUT": "8", "TRUSTED_PROXIES": "127.0.0.0/8"}
    environment |= {"WS_RATE_CONN_PER_USER": "2", "WS_RATE_CONN_PER_IP": "2", "WS_RATE_ROOM_MAX_MEMBERS": "3"}
    match = await sync_to_async(factories.match_number)(cup, 1)

    def from_(number: int) -> dict:
        return {"additional_headers": {"X-Forwarded-For": f"198.51.100.{number}"}}

    async def fill(process: ServerProcess, stack: AsyncExitStack) -> None:
        for number, who in ((1, holder), (1, holder), (2, None), (2, None)):
            socket = await stack.enter_async_context(client(process.address, path(cup, who), **from_(number)))
            await socket.until("snapshot")

    async def assert_full(process: ServerProcess) -> None:
        of_match = f"/ws/match/{match.pk}/?token={token_for(match.subject)}"
        for room, number, code in ((path(cup, holder), 3, 4008), (of_match, 1, 4008), (path(cup), 3, 4010)):
            assert (await refused(process.address, room, **from_(number)))[0] == code, room

    with ServerProcess(**environment) as one, ServerProcess(**environment) as two:
        async with AsyncExitStack() as stack:
            await fill(one, stack)
            await assert_full(two)
            one.kill()
        await assert_full(two)
        later(redis_url, LEASE_SECONDS)
        async with AsyncExitStack() as stack:
            await fill(two, stack)
            await assert_full(two)


async def test_abuse_45_forged_addresses_are_ignored(address, cup, settings):
    settings.WS_RATE_CONN_PER_IP = 1
    fifty = ", ".join(f"198.51.100.{number}" for number in range(50))
    async with client(address, path(cup)) as first:
        await first.receive()
        for forged in ("198.51.100.1", fifty, "nonsense", "", "::1", "::ffff:1.2.3.4", "127.0.0.2"):
            for header in ("X-Forwarded-For", "X-Real-IP", "Forwarded"):
                answer = await refused(address, path(cup), additional_headers={header: forged})
                assert answer == (4008, "connection_limit_exceeded"), (header, forged)


async def test_abuse_45_behind_a_trusted_proxy_only_what_it_appended_counts(address, cup, settings):
    settings.WS_RATE_CONN_PER_IP, settings.TRUSTED_PROXIES = 1, ["127.0.0.0/8"]
    same = {
        "198.51.100.1": ["10.1.1.1, 198.51.100.1", "nonsense, 198.51.100.1", "::ffff:198.51.100.1"],
        "198.51.100.2": ["198.51.100.1, 198.51.100.2"],
        "2001:db8:1:2::1": ["2001:db8:1:2:ffff::9", "[2001:db8:1:2::3]"],
        "2001:db8:1:3::1": ["2001:db8:1:2::1, 2001:db8:1:3::7"],
        "nonsense": ["198.51.100.3, more nonsense"],
    }
    async with AsyncExitStack() as stack:
        for forwarded, spellings in same.items():
            headers = {"X-Forwarded-For": forwarded}
            socket = await stack.enter_async_context(client(address, path(cup), additional_headers=headers))
            assert (await socket.receive())["type"] == "connection_established", forwarded
            for spelling in spellings:
                answer = await refused(address, path(cup), additional_headers={"X-Forwarded-For": spelling})
                assert answer == (4008, "connection_limit_exceeded"), spelling


@pytest.mark.parametrize("step", [3600, -3600])
async def test_abuse_48_a_clock_that_jumps_gives_and_takes_nothing(address, cup, settings, monkeypatch, step):
    settings.WS_RATE_MSG_RPS, settings.WS_RATE_MSG_BURST = 0.01, 5
    wall = time.time
    async with client(address, path(cup)) as socket:
        await socket.until("snapshot")
        answers = []
        for number in range(8):
            if number == 3:
                for module in ("time", "apps.tournaments.realtime.consumers", "apps.tournaments.realtime.hub"):
                    monkeypatch.setattr(f"{module}.time", lambda: wall() + step)
            await socket.send("ping", f"p{number}")
            answers.append((await socket.receive())["type"])
        assert answers == ["pong"] * 5 + ["error"] * 3


@pytest.fixture
def own_redis(settings):
    """A Redis for limits that the test may stop, and its process id."""
    with services.redis_server() as url:
        settings.REDIS_URL, settings.WS_RATE_REDIS_TIMEOUT = url, 0.05
        limits.cache_clear()
        with redis.Redis.from_url(url) as server:
            pid = server.info("server")["process_id"]
        yield pid
        os.kill(pid, signal.SIGCONT)
    limits.cache_clear()


async def test_abuse_49_rooms_open_and_limits_hold_while_redis_is_frozen(own_redis, address, cup, settings, caplog):
    settings.WS_RATE_MSG_RPS, settings.WS_RATE_MSG_BURST = 0.01, 20
    async with client(address, path(cup)) as before:
        await before.until("snapshot")
        os.kill(own_redis, signal.SIGSTOP)
        async with client(address, path(cup)) as after:
            await after.until("snapshot")
            for socket in (before, after):
                answers = []
                for number in range(25):
                    await socket.send("ping", f"p{number}")
                    answers.append((await socket.receive())["type"])
                assert answers == ["pong"] * 20 + ["error"] * 5
        async with asyncio.timeout(DEADLINE):
            while limits().limiter.mode != "fallback":
                async with client(address, path(cup)) as another:
                    await another.until("snapshot")
        os.kill(own_redis, signal.SIGCONT)
    assert "Traceback" not in caplog.text
