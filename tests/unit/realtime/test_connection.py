"""A connection takes what is written without making the writer wait, and each event once, whatever comes between."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.accounts.tokens import Identity
from apps.tournaments.realtime.connection import (
    MAX_QUEUED_CHARS,
    SLOW_CHARS,
    ASGIConnection,
    Connection,
    SocketConnection,
)
from apps.tournaments.realtime.fanout import Batch
from apps.tournaments.realtime.protocol import CloseCode
from apps.tournaments.realtime.record import Record
from apps.tournaments.realtime.websocket import text_frame
from tests.server import DEADLINE

GUEST = Identity("guest:1", "guest", None, "", 300.0, "")
FILE = 99
TIMES = {"now": 0, "ping_at": 25, "expires_at": 300}


def batch(*seqs: int) -> Batch:
    return Batch(seqs, [b"event %d" % seq for seq in seqs])


class Notes(Connection):
    """A connection that keeps what it is written."""

    def __init__(self) -> None:
        super().__init__(GUEST, Record(), **TIMES)
        self.texts: list[str] = []

    queued = 0

    def put(self, what) -> None:
        self.texts += what.texts

    def _close(self, code) -> None:
        self.texts.append(f"close {code}")

    def abort(self) -> None:
        raise AssertionError("nobody is thrown out here")


def released(connection: Connection, seq: int) -> None:
    """Bring a connection to `seq`, and let it take what comes."""
    connection.bring(None, seq, seq)
    connection.release()


class TestEvents:
    def test_they_are_taken_from_the_release_on_and_what_the_past_contained_is_dropped(self):
        connection = Notes()
        connection.deliver(batch(5))
        connection.write("snapshot at 6")
        connection.bring(None, 6, 6)
        connection.release()
        for seqs in ((5, 6), (6, 7), (7,), (8, 9)):
            connection.deliver(batch(*seqs))
        assert connection.texts == ["snapshot at 6", "event 7", "event 8", "event 9"]

    def test_none_is_taken_while_it_holds(self):
        connection = Notes()
        released(connection, 0)
        connection.hold()
        connection.deliver(batch(1))
        released(connection, 1)
        connection.deliver(batch(2))
        assert connection.texts == ["event 2"]

    def test_none_is_taken_while_the_client_reads_too_slowly_and_it_hears_when_that_is_over(self):
        connection, caught_up = Notes(), []
        connection.caught_up = lambda: caught_up.append(connection.seq)
        released(connection, 3)
        connection._reads(slowly=True)
        connection.deliver(batch(4))
        assert (connection.texts, caught_up) == ([], [])
        connection._reads(slowly=False)
        assert caught_up == [3]
        released(connection, 4)
        connection.deliver(batch(5))
        assert connection.texts == ["event 5"]

    def test_who_is_slow_while_it_holds_is_not_live_before_both_are_over(self):
        connection, caught_up = Notes(), []
        connection.caught_up = lambda: caught_up.append(True)
        connection._reads(slowly=True)
        released(connection, 1)
        assert not connection.live
        connection.hold()
        connection._reads(slowly=False)
        assert not caught_up  # whoever releases it sees what was missed
        released(connection, 1)
        assert connection.live

    def test_none_comes_after_a_close(self):
        connection = Notes()
        released(connection, 0)
        connection.close(CloseCode.NOT_FOUND)
        connection.close(CloseCode.INTERNAL_ERROR)
        connection.deliver(batch(1))
        released(connection, 0)
        connection.deliver(batch(1))
        assert connection.texts == ["close 4404"]

    @given(st.lists(st.integers(1, 4), min_size=1, max_size=8), st.integers(0, 12), st.data())
    def test_however_events_are_joined_and_repeated_each_comes_once_and_in_order(self, sizes, start, data):
        connection, seq, batches = Notes(), 0, []
        for size in sizes:
            batches.append(batch(*range(seq + 1, seq + size + 1)))
            seq += size
        released(connection, start)
        for number in range(len(batches)):
            again = data.draw(st.integers(0, number))
            for one in batches[again : number + 1]:
                connection.deliver(one)
        assert connection.texts == [f"event {n}" for n in range(start + 1, seq + 1)]


def test_who_is_sent_away_by_a_restart_is_told_when_to_come_back():
    connection = Notes()
    connection.restart(1234)
    connection.restart(5678)
    assert connection.texts[0] == '{"type":"server_restarting","retry_after_ms":1234}'
    assert connection.texts.count("close 1012") == 1


class Client:
    """What went over the wire of another server. It takes nothing while `free` is not set."""

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
    connection = ASGIConnection(client, GUEST, Record(), **TIMES)
    draining = asyncio.ensure_future(connection.drain())
    await asyncio.sleep(0)
    released(connection, 0)
    yield connection
    assert draining.done()


async def drained(connection: ASGIConnection, client: Client, code: CloseCode) -> None:
    connection.close(code)
    async with asyncio.timeout(DEADLINE):
        while not (client.got and isinstance(client.got[-1], int)):  # noqa: ASYNC110 - the connection's own task
            await asyncio.sleep(0)


def closing(got: list[str | int]) -> tuple[int, int]:
    """Return the close code of the last frame, and that of the close itself."""
    return json.loads(got[-2])["close_code"], got[-1]


class TestOnAnotherServer:
    async def test_what_is_written_goes_out_in_order_then_why_it_closes_then_the_close(self, connection, client):
        connection.write("a")
        connection.deliver(batch(1, 2))
        connection.write("b")
        await drained(connection, client, CloseCode.TOKEN_EXPIRED)
        assert client.got[:4] == ["a", "event 1", "event 2", "b"]
        assert closing(client.got) == (4002, 4002)
        assert len(client.got) == 6
        assert connection.queued == 0

    async def test_it_goes_out_while_the_connection_is_open(self, connection, client):
        connection.write("a")
        async with asyncio.timeout(DEADLINE):
            await client.asked.wait()
        assert connection.closed_with is None
        await drained(connection, client, CloseCode.NOT_FOUND)
        assert client.got[0] == "a"

    async def test_the_first_close_is_the_one_that_counts_and_nothing_is_written_after_it(self, connection, client):
        connection.close(CloseCode.NOT_FOUND)
        connection.write("too late")
        await drained(connection, client, CloseCode.INTERNAL_ERROR)
        assert closing(client.got) == (4404, 4404)
        assert len(client.got) == 2

    async def test_a_client_that_cannot_keep_up_is_sent_no_more_of_it_and_told_so(self, connection, client):
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
        await drained(connection, client, CloseCode.NOT_FOUND)
        assert client.got[0] == "taken"
        assert closing(client.got) == (4013, 4013)
        assert len(client.got) == 3

    async def test_of_events_that_come_too_fast_it_is_kept_little_and_it_catches_up(self, connection, client):
        caught_up = asyncio.Event()
        connection.caught_up = caught_up.set
        client.free.clear()
        large = b"x" * (SLOW_CHARS // 2)
        for seq in range(1, 10):
            connection.deliver(Batch([seq], [large]))
        assert connection.is_behind
        assert not connection.live
        assert connection.queued == 3 * len(large)
        assert connection.seq == 3
        client.free.set()
        async with asyncio.timeout(DEADLINE):
            await caught_up.wait()
        released(connection, 9)
        connection.deliver(batch(10))
        await drained(connection, client, CloseCode.NOT_FOUND)
        assert client.got[-3] == "event 10"

    async def test_after_a_restart_nothing_but_the_code_is_sent(self, connection, client):
        connection.restart(7)
        async with asyncio.timeout(DEADLINE):
            while len(client.got) < 2:  # noqa: ASYNC110 - the connection's own task
                await asyncio.sleep(0)
        assert client.got == ['{"type":"server_restarting","retry_after_ms":7}', 1012]


class Socket:
    """A WebSocket, its transport, and the transport's socket; it keeps what is written to it."""

    def __init__(self, *, tls: bool = False) -> None:
        self.transport = self
        self.tls = tls
        self.waiting = 0
        self.written: list[bytes] = []
        self.is_over = False
        self.connection: SocketConnection | None = None

    def write(self, frames: bytes) -> bool:
        if not self.is_over:
            self.written.append(frames)
        return not self.is_over

    def is_closing(self) -> bool:
        return self.is_over

    def get_extra_info(self, name: str) -> Any:
        return {"socket": self, "sslcontext": object() if self.tls else None}[name]

    def fileno(self) -> int:
        return FILE

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def buffered_bytes(self) -> int:
        return sum(map(len, self.written))

    def close(self, code: int) -> None:
        self.end(code, by_client=False)

    def pace(self) -> None:
        pass

    def end(self, code: int, *, by_client: bool) -> None:
        self.is_over = True
        self.connection.ended(code, "", by_client=by_client)


class Use:
    """A connection on such a socket, and what was done with its messages. Each one waits for `go`."""

    def __init__(self, **how: bool) -> None:
        self.done: list[str | bytes] = []
        self.went, self.go = asyncio.Event(), asyncio.Event()
        self.go.set()
        self.socket = Socket(**how)
        self.connection = SocketConnection(GUEST, Record(), take=self.take, left=self.left, **TIMES)
        self.connection.use(self.socket)
        self.socket.connection = self.connection

    async def take(self, data: str | bytes) -> None:
        await self.go.wait()
        self.done.append(data)

    async def left(self) -> None:
        self.done.append("left")
        self.went.set()


class TestOnOurServer:
    async def test_the_frames_of_a_batch_are_made_once_and_written_together(self):
        uses, both = [Use(), Use()], batch(1, 2)
        for use in uses:
            released(use.connection, 0)
            use.connection.deliver(both)
        assert uses[0].socket.written == [text_frame(b"event 1") + text_frame(b"event 2")]
        assert uses[0].socket.written[0] is uses[1].socket.written[0]
        uses[0].socket.end(1000, by_client=True)
        assert uses[0].connection.record.sent == 2

    def test_events_that_go_to_the_socket_count_like_those_that_are_written(self):
        use = Use()
        assert use.connection.accept(batch(1)) is None, "its past is to come first"
        released(use.connection, 2)
        assert use.connection.accept(batch(1, 2)) is None, "it has them"
        assert use.connection.accept(batch(2, 3)) is None, "it has one of them"
        assert use.connection.accept(batch(3, 4)) is use.connection
        assert use.connection.file == FILE
        assert (use.connection.seq, use.connection.mine) == (4, 4)
        assert use.connection.accept(batch(4)) is None
        assert use.connection.accept(batch(5)) is use.connection
        use.connection.write_rest(b"the rest")
        assert use.socket.written == [b"the rest"]
        use.socket.end(1000, by_client=True)
        use.connection.live = True
        assert use.connection.accept(batch(6)) is None, "the number of the socket may be somebody else's by now"
        assert use.connection.file == -1
        assert use.connection.record.sent == 3

    @pytest.mark.parametrize("what", ["a frame", "events", "the rest of events", "a pong"])
    async def test_nothing_goes_to_the_socket_before_what_the_transport_still_has_to_write(self, what):
        use = Use()
        released(use.connection, 0)
        assert use.connection.accept(batch(1)) is use.connection
        match what:
            case "a frame":
                use.connection.write("a")
            case "events":
                use.connection.deliver(batch(2))
            case "the rest of events":
                use.connection.write_rest(b"the rest")
            case "a pong":
                use.connection.heard()
        use.socket.waiting = 3
        assert use.connection.accept(batch(3)) is None
        assert use.connection.seq < 3
        use.socket.waiting = 0
        assert use.connection.accept(batch(3)) is use.connection

    def test_nothing_goes_past_the_encryption_of_a_socket(self):
        use = Use(tls=True)
        released(use.connection, 0)
        assert use.connection.accept(batch(1)) is None
        use.connection.deliver(batch(1))
        assert use.socket.written == [text_frame(b"event 1")]

    async def test_messages_wait_until_the_room_is_open_and_are_handled_in_order_with_the_end_last(self):
        use = Use()
        use.connection.message("a")
        use.socket.end(1000, by_client=True)
        await asyncio.sleep(0)
        assert use.done == []
        assert use.connection.backlog() == 1
        use.connection.serve()
        async with asyncio.timeout(DEADLINE):
            await use.went.wait()
        assert use.done == ["a", "left"]
        assert (use.connection.record.received, use.connection.record.code) == (1, 1000)
        assert use.connection.record.initiator == "client"

    async def test_one_message_at_a_time_and_a_silent_connection_keeps_no_task(self):
        use = Use()
        use.connection.serve()
        before = len(asyncio.all_tasks())
        use.go.clear()
        for data in ("a", b"b"):
            use.connection.message(data)
        assert len(asyncio.all_tasks()) == before + 1
        use.go.set()
        async with asyncio.timeout(DEADLINE):
            while len(asyncio.all_tasks()) > before:  # noqa: ASYNC110 - its own task
                await asyncio.sleep(0)
        assert use.done == ["a", b"b"]
        assert use.connection.backlog() == 0

    async def test_a_close_says_why_and_who_closed(self):
        use = Use()
        use.connection.serve()
        use.connection.close(CloseCode.TOKEN_EXPIRED)
        async with asyncio.timeout(DEADLINE):
            await use.went.wait()
        assert b'"close_code":4002' in use.socket.written[-1]
        assert (use.connection.record.code, use.connection.record.initiator) == (4002, "server")
