"""Ten thousand connections that come and go in every way there is leave nothing behind in the server."""

import asyncio
import gc
import json
import logging
import random
import socket
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import uvicorn
from asgiref.sync import sync_to_async
from redis import Redis

from apps.accounts.tokens import issue_room_token
from apps.tournaments.realtime import history
from apps.tournaments.realtime.consumers import RoomConsumer
from apps.tournaments.realtime.hub import hub
from apps.tournaments.realtime.middleware_ratelimit import limits
from apps.tournaments.realtime.ratelimit import Limit
from apps.tournaments.realtime.server import Config
from apps.tournaments.realtime.server import Limits as ServerLimits
from apps.tournaments.services import Actor, tournaments
from tests import factories
from tests.integration.realtime.test_hub_life import groups
from tests.integration.realtime.visitor import eventually
from tests.integration.server.wire import CLOSE, TEXT, frame, upgrade
from tests.server import PATIENT, free_port

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 20  # in each half
PER_ADDRESS = 15
ALLOWED_BLOCKS = 2_000  # of memory, for 5,000 connections


class Socket:
    """A raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, opcode: int, payload: bytes) -> None:
        self.writer.write(frame(opcode, payload))

    def say(self, **message) -> None:
        self.send(TEXT, json.dumps(message).encode())

    async def status(self) -> int:
        head = await self.reader.readuntil(b"\r\n\r\n")
        return int(head.split(b" ")[1])

    async def next(self) -> tuple[int, bytes]:
        opcode, size = await self.reader.readexactly(2)
        if size >= 126:
            size = int.from_bytes(await self.reader.readexactly({126: 2, 127: 8}[size]))
        return opcode & 15, await self.reader.readexactly(size)

    async def until(self, type_: str) -> None:
        while f'"type":"{type_}"'.encode() not in (await self.next())[1]:
            pass

    async def code(self, *, answered: bool = False) -> int:
        """Return the code with which the server closes, and see that it hangs up."""
        while (received := await self.next())[0] != CLOSE:
            pass
        if not answered:
            self.send(CLOSE, received[1])
        await self.reader.read()
        return struct.unpack("!H", received[1][:2])[0]

    async def part(self) -> None:
        self.send(CLOSE, struct.pack("!H", 1000))
        assert await self.code(answered=True) == 1000

    def vanish(self) -> None:
        """Reset the connection."""
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Crowd:
    """The ways to come and go. Each is a method, with how many in a round there are of it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.numbers = count()
        self.cup, self.quiet = factories.drawn(4), factories.drawn(2)
        self.broken, self.slow = self.cup.matches.order_by("number")[:2]
        self.holder = factories.signed_in(factories.make_user())
        self.room = self.cup.stream

    def path(self, room: str, holder=None) -> str:
        return f"/ws/{room.replace(':', '/')}/?token={issue_room_token(room, holder)[0]}"

    @asynccontextmanager
    async def upgrade(self, path: str, *, origin: str = "", ip: str = ""):
        """Ask for a room, as a browser of the site; everybody from an address of their own."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            number = next(self.numbers)
            ip = ip or f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
            more = f"Origin: {origin or 'http://test'}\r\nX-Forwarded-For: {ip}\r\n"
            writer.write(upgrade(path, more))
            yield Socket(reader, writer)
        finally:
            writer.close()

    @asynccontextmanager
    async def inside(self, room: str = "", holder=None, **options):
        async with self.upgrade(self.path(room or self.room, holder), **options) as it:
            assert await it.status() == 101
            await it.until("snapshot")
            yield it

    async def refused(self, path: str, **options) -> int:
        async with self.upgrade(path, **options) as it:
            assert await it.status() == 101
            return await it.code()

    async def closes(self) -> None:
        async with self.inside() as it:
            it.say(type="ping")
            await it.until("pong")
            await it.part()

    async def vanishes(self) -> None:
        async with self.inside() as it:
            it.vanish()

    async def vanishes_with_an_answer_under_way(self) -> None:
        async with self.inside() as it:
            for _ in range(3):
                it.say(type="resync")
            it.vanish()

    async def is_gone_before_the_room_is_open(self) -> None:
        async with self.upgrade(self.path(self.room, self.holder)) as it:
            it.vanish()

    async def is_gone_before_the_answer(self) -> None:
        async with self.upgrade(self.path(self.room)) as it:
            await it.status()
            it.vanish()

    async def never_asks(self) -> None:
        async with self.upgrade("/ws") as it:
            it.vanish()

    async def has_no_good_token(self) -> None:
        assert await self.refused(self.path(self.room) + "x") == 4003

    async def comes_from_elsewhere(self) -> None:
        assert await self.refused(self.path(self.room), origin="https://evil.example") == 4003

    async def seeks_no_room(self) -> None:
        async with self.upgrade("/ws/nothing/") as it:
            assert await it.status() == 404

    async def seeks_a_room_that_does_not_exist(self) -> None:
        assert await self.refused(self.path("match:999999999")) == 4404

    async def finds_a_bug(self) -> None:
        assert await self.refused(self.path(f"match:{self.broken.pk}")) == 4500

    async def waits_for_a_room_that_does_not_open(self) -> None:
        async with self.upgrade(self.path(f"match:{self.slow.pk}")) as it:
            assert await it.status() == 503

    async def talks_nonsense(self) -> None:
        async with self.inside() as it:
            for _ in range(3):
                it.send(TEXT, b"nonsense")
            assert await it.code() == 4000

    async def says_too_much(self) -> None:
        async with self.inside() as it:
            it.send(TEXT, b"x" * 16_385)
            assert await it.code() == 4009

    async def breaks_the_rules(self) -> None:
        async with self.inside() as it:
            it.send(15, b"")
            assert await it.code() == 1002

    async def floods(self) -> None:
        async with self.inside() as it:
            for _ in range(300):
                it.say(type="pong")
            assert await it.code() == 4008

    async def brings_a_token_of_somebody_else(self) -> None:
        async with self.inside() as it:
            it.say(type="authenticate", data={"token": issue_room_token(self.room, self.holder)[0]})
            assert await it.code() == 4003

    async def is_signed_in(self) -> None:
        async with self.inside(holder=self.holder) as it:
            await it.part()

    KINDS = {
        closes: 30, vanishes: 35, vanishes_with_an_answer_under_way: 5, is_gone_before_the_room_is_open: 10,
        is_gone_before_the_answer: 30, never_asks: 25, has_no_good_token: 40, comes_from_elsewhere: 40,
        seeks_no_room: 20, seeks_a_room_that_does_not_exist: 2, finds_a_bug: 3, talks_nonsense: 5, says_too_much: 2,
        breaks_the_rules: 5, floods: 1, brings_a_token_of_somebody_else: 2, is_signed_in: 3,
    }  # fmt: skip

    async def too_many(self) -> None:
        """Come together from one address, more than may, and stay while the others learn that."""
        ip, inside = f"192.0.2.{next(self.numbers) & 255}", asyncio.Barrier(PER_ADDRESS)
        full = asyncio.Event()

        async def one(number: int) -> None:
            if number < PER_ADDRESS:
                async with self.inside(ip=ip) as it:
                    await inside.wait()
                    full.set()
                    await refused
                    it.vanish()
            else:
                await full.wait()
                assert await self.refused(self.path(self.room), ip=ip) == 4008

        refused = asyncio.gather(*(one(PER_ADDRESS + n) for n in range(5)))
        await asyncio.gather(*(one(n) for n in range(PER_ADDRESS)))

    async def together(self, rng: random.Random) -> None:
        """One of everything at once, and in the middle of it something happens in the tournament."""
        kinds = [kind for kind, number in self.KINDS.items() for _ in range(number)]
        rng.shuffle(kinds)
        visits = [kind(self) for kind in kinds]
        news = sync_to_async(tournaments.edit)
        await asyncio.gather(
            *visits[: len(visits) // 2],
            self.too_many(),
            news(Actor(self.cup.created_by), self.cup.pk, name=f"Cup {rng.random()}"),
            *visits[len(visits) // 2 :],
        )

    async def stay(self, number: int, code: int) -> None:
        """Stay silent until the server closes."""

        async def one() -> None:
            async with self.inside() as it:
                assert await it.code() == code

        await asyncio.gather(*(one() for _ in range(number)))


@pytest.fixture
async def server(transactional_db, settings) -> AsyncIterator[uvicorn.Server]:
    """The server in the test's own loop: two threads would spend most of the time waiting for each other."""
    from deltacrown.asgi import application

    settings.SITE_URL, settings.TRUSTED_PROXIES = "http://test", ["127.0.0.0/8"]
    settings.WS_RATE_CONN_PER_IP, settings.WS_RATE_CONN_PER_USER = PER_ADDRESS, 10**6
    server = uvicorn.Server(Config(application, port=free_port(), timeout_graceful_shutdown=1, limits=PATIENT))
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    yield server
    server.should_exit = True
    await serving


@pytest.fixture
async def crowd(server, monkeypatch) -> AsyncIterator[Crowd]:
    crowd = await sync_to_async(Crowd)(server.config.port)
    past, open_ = history.past, RoomConsumer._open

    async def broken_past(feed, room, since):
        if room.subject == crowd.broken.subject:
            raise RuntimeError("a bug")
        return await past(feed, room, since)

    async def slow_open(consumer):
        if str(consumer.name) == crowd.slow.subject:
            await asyncio.Event().wait()
        return await open_(consumer)

    monkeypatch.setattr(history, "past", broken_past)
    monkeypatch.setattr(RoomConsumer, "_open", slow_open)
    logging.disable(logging.CRITICAL)  # pytest would keep every line
    yield crowd
    logging.disable(logging.NOTSET)


class Clock:
    """Real time, and what a test skips of it."""

    skipped = 0.0

    def __call__(self) -> float:
        return monotonic() + self.skipped


def open_files() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


async def remains(server: uvicorn.Server) -> dict[str, Any]:
    """Return what is still there when all have gone."""
    state = server.server_state
    await eventually(lambda: not (state.connections or state.tasks or hub.connections or groups()))
    buckets = (limits().limiter._memory, limits().handshakes)
    for memory in buckets:  # each new bucket forgets two that are full, as all are an hour later
        memory._clock.skipped += 3600
        for number in range(len(memory)):
            memory.take_now(f"later{number}", Limit(10**6, 1))
    gc.collect()
    return {
        "in the hub": [*hub.feeds, *hub.public, *hub._repairs, *hub._tasks],
        "in the limits": [*limits().limiter.held, limits()._connections, limits()._renewing],
        "buckets": max(map(len, buckets)) // 4,
        "tasks": len(asyncio.all_tasks()),
        "files": open_files(),
    }


@pytest.mark.timeout(300)
async def test_ten_thousand_connections_of_every_kind_leave_nothing_behind(server, crowd, settings):
    for memory in (limits().limiter._memory, limits().handshakes):
        memory._clock = Clock()
    rng = random.Random(1)

    async def half() -> dict[str, Any]:
        before = next(crowd.numbers)
        async with crowd.inside(crowd.quiet.stream) as resident:  # while somebody is there, the hub goes on
            for _ in range(ROUNDS):
                await crowd.together(rng)
                resident.say(type="ping")
            await eventually(lambda: len(hub.connections) == 1)
            rooms = {
                stream: [len(room.connections) for room in feed.rooms.values()] for stream, feed in hub.feeds.items()
            }
            assert rooms == {"accounts": [], crowd.quiet.stream: [1]}
            assert [str(name) for name in hub.public] == [crowd.quiet.stream]
            await resident.part()
        settings.WS_TOKEN_SECONDS = 2 - settings.JWT_LEEWAY_SECONDS
        await crowd.stay(20, 4002)
        settings.WS_TOKEN_SECONDS, settings.WS_HEARTBEAT_TIMEOUT = 300, 0.5
        await crowd.stay(20, 4004)
        settings.WS_HEARTBEAT_TIMEOUT = 50
        server.config.limits = ServerLimits(accept_seconds=0.2)
        await asyncio.gather(*(crowd.waits_for_a_room_that_does_not_open() for _ in range(20)))
        server.config.limits = PATIENT
        assert next(crowd.numbers) - before > 5_000
        return await remains(server)

    first = await half()
    blocks = sys.getallocatedblocks()
    assert first | {"tasks": 0, "files": 0} == {
        "in the hub": [],
        "in the limits": [0, None],
        "buckets": 0,
        "tasks": 0,
        "files": 0,
    }
    second = await half()
    assert second == first
    assert sys.getallocatedblocks() - blocks < ALLOWED_BLOCKS
    if settings.REDIS_URL:
        with Redis.from_url(settings.REDIS_URL) as redis:
            assert list(redis.scan_iter("lease:*")) == []
            assert [key for key in redis.scan_iter("*") if redis.pttl(key) == -1] == []
