"""A connection takes what is written without making the writer wait, and gives up a client that cannot keep up."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from apps.accounts.tokens import Identity
from apps.tournaments.realtime.connection import MAX_QUEUED_CHARS, ASGIConnection
from apps.tournaments.realtime.protocol import CloseCode
from apps.tournaments.realtime.record import Record

GUEST = Identity("guest:1", "guest", None, "", 300.0, "")


class Client:
    """What went over the wire. It takes nothing while `free` is not set."""

    def __init__(self) -> None:
        self.got: list[str | int] = []
        self.asked, self.free = asyncio.Event(), asyncio.Event()
        self.free.set()

    async def __call__(self, message) -> None:
        self.asked.set()
        await self.free.wait()
        self.got.append(message["text"] if message["type"] == "websocket.send" else message["code"])


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
async def connection(client) -> AsyncIterator[ASGIConnection]:
    connection = ASGIConnection(client, GUEST, Record(), now=0, ping_at=25, expires_at=300)
    connection.draining = asyncio.ensure_future(connection.drain())
    await asyncio.sleep(0)
    yield connection
    assert connection.draining.done()


async def drained(connection: ASGIConnection, code: CloseCode) -> None:
    connection.close(code)
    async with asyncio.timeout(10):
        await connection.draining


def closing(got: list[str | int]) -> tuple[int, int]:
    """Return the close code of the last frame, and that of the close itself."""
    return json.loads(got[-2])["close_code"], got[-1]


async def test_what_is_written_goes_out_in_order_then_why_it_closes_then_the_close(connection, client):
    for text in ("a", "b", "c"):
        connection.write(text)
    await drained(connection, CloseCode.TOKEN_EXPIRED)
    assert client.got[:3] == ["a", "b", "c"]
    assert closing(client.got) == (4002, 4002)
    assert len(client.got) == 5
    assert connection.queued == 0


async def test_it_goes_out_while_the_connection_is_open(connection, client):
    connection.write("a")
    async with asyncio.timeout(10):
        await client.asked.wait()
    assert connection.closed_with is None
    await drained(connection, CloseCode.NOT_FOUND)
    assert client.got[0] == "a"


async def test_the_first_close_is_the_one_that_counts_and_nothing_is_written_after_it(connection, client):
    connection.close(CloseCode.NOT_FOUND)
    connection.write("too late")
    await drained(connection, CloseCode.INTERNAL_ERROR)
    assert closing(client.got) == (4404, 4404)
    assert len(client.got) == 2


async def test_a_client_that_cannot_keep_up_is_sent_no_more_of_it_and_told_so(connection, client):
    client.free.clear()
    connection.write("taken")
    await client.asked.wait()
    frame = "x" * (MAX_QUEUED_CHARS // 4)
    for _ in range(4):
        connection.write(frame)
    assert (connection.queued, connection.closed_with) == (MAX_QUEUED_CHARS, None)
    connection.write("y")
    assert connection.closed_with is CloseCode.SLOW_CONSUMER
    client.free.set()
    await drained(connection, CloseCode.NOT_FOUND)
    assert client.got[0] == "taken"
    assert closing(client.got) == (4013, 4013)
    assert len(client.got) == 3


async def test_events_are_held_back_until_the_past_is_written_and_what_it_contained_is_dropped(connection, client):
    for seq in (5, 6, 7):
        connection.deliver(seq, f"event {seq}")
    connection.write("snapshot at 6")
    connection.skip(6)
    connection.release()
    connection.deliver(8, "event 8")
    await drained(connection, CloseCode.NOT_FOUND)
    assert client.got[:-2] == ["snapshot at 6", "event 7", "event 8"]


async def test_holding_twice_forgets_nothing(connection, client):
    connection.release()
    connection.hold()
    connection.deliver(1, "event 1")
    connection.hold()
    connection.deliver(2, "event 2")
    connection.release()
    connection.release()
    await drained(connection, CloseCode.NOT_FOUND)
    assert client.got[:-2] == ["event 1", "event 2"]
