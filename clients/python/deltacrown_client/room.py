"""One room over WebSocket, kept open and without a gap: a Follower with a socket and a clock."""

import asyncio
import json
import random
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from deltacrown_client.errors import Refused, Stopped, TokenRefused
from deltacrown_client.follower import ABNORMAL, HANDSHAKE, Follower, Frame, Position, Status
from deltacrown_client.state import State
from deltacrown_client.tokens import retry_after, room_token

MOST_BYTES = 2**24  # of a snapshot
Token = str | Callable[[], Awaitable[str]]


class Room:
    """
    A room, "tournament:7" or "match:5", of a site, "https://cup.example.org".

        async with Room(site, "tournament:7") as room:
            print(room.state["tournament"]["name"])
            async for frame in room:
                print(frame["type"])

    Inside, `state` is there and is kept current; `status` says how far it can be trusted. One task reads the room.
    """

    def __init__(
        self,
        site: str,
        room: str,
        *,
        token: Token | None = None,
        position: Position | None = None,
        state: State | None = None,
        on_frame: Callable[[Frame], None] | None = None,
        on_status: Callable[[Status], None] | None = None,
        connect_options: Mapping[str, Any] | None = None,
        clock: Callable[[], float] = time.time,
        random: Callable[[], float] = random.random,
    ) -> None:
        """
        Args:
            token: a function that gets a token, called for each connection and to renew one; or an access token of
                the API, with which the room stops when it ends; None watches as a guest.
            position, state: go on from there instead of from a snapshot.
            on_frame: is told of every frame of the server, after it took effect on `state`.
            on_status: is told when `status` has changed.
            connect_options: go to `websockets.connect`, for example `origin` or `additional_headers`.
        """
        if not site.startswith(("http://", "https://")):
            raise ValueError(f"a site begins with http:// or https://, which {site!r} does not")
        self.site, self.room = site.rstrip("/"), room
        self._follower = Follower(position, state, now=clock(), renewable=not isinstance(token, str), random=random)
        self._token = token
        self._on_frame, self._on_status = on_frame, on_status
        self._options = {"compression": None, "ping_interval": None, "max_size": MOST_BYTES} | dict(
            connect_options or {}
        )
        self._clock = clock
        self._socket: ClientConnection | None = None
        self._task: asyncio.Task[None] | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._answers: dict[str, asyncio.Future[Frame]] = {}
        self._readers: list[asyncio.Queue[Frame | None]] = []
        self._current = asyncio.Event()
        self._told = self._follower.status

    @property
    def state(self) -> State:
        return self._follower.state

    @property
    def position(self) -> Position | None:
        return self._follower.position

    @property
    def status(self) -> Status:
        return self._follower.status

    @property
    def welcome(self) -> Frame:
        """Who you are here: the `data` of the last `connection_established`."""
        return self._follower.welcome

    @property
    def presence(self) -> Frame:
        """Who is here: `viewers`, and in a match's room perhaps `home` and `away`."""
        return self._follower.presence

    async def __aenter__(self) -> Self:
        self.start()
        try:
            await self.ready()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def start(self) -> None:
        """Begin to follow the room; `async with` does it for you."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def ready(self) -> None:
        """
        Wait until the state is current.

        Raises:
            Stopped: it never will be.
        """
        await self._current.wait()
        self._raise_if_over()

    async def close(self) -> None:
        """Leave the room."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def __aiter__(self) -> AsyncIterator[Frame]:
        """
        Yield each frame that has changed the state: an event, or a snapshot, which replaces all. Ends with the room.

        Raises:
            Stopped: the server closed the room for good.
        """
        reader: asyncio.Queue[Frame | None] = asyncio.Queue()
        self._readers.append(reader)
        try:
            while not (self._task is None or self._task.done()) or not reader.empty():
                if (frame := await reader.get()) is None:
                    break
                yield frame
        finally:
            self._readers.remove(reader)
        if self._task is not None and not self._task.cancelled():
            self._raise_if_over()

    async def act(self, action: str, *, id: str | None = None, **data: Any) -> Frame:
        """
        Do something in the tournament, for example `act("start_match", match_id=5)`, and return the ack.

        It is sent again after a loss until it is answered; its id keeps it from acting twice.

        Raises:
            Refused: it was not done.
            Stopped: the room is over, and whether it was done is not known.
        """
        self._raise_if_over()
        action_id = id or uuid.uuid4().hex
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._answers[action_id] = answer
        try:
            await self._send(self._follower.act(action, data, action_id))
            frame = await answer
        finally:
            self._answers.pop(action_id, None)
            self._follower.forget(action_id)
        if frame["type"] == "error":
            raise Refused(frame)
        return frame

    async def _run(self) -> None:
        try:
            while (wait := await self._connection()) is not None:
                self._tell()
                await asyncio.sleep(wait)
        finally:
            if self._renewing is not None:
                self._renewing.cancel()
            self._follower.leave()
            self._tell()
            self._current.set()
            for reader in self._readers:
                reader.put_nowait(None)
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(Stopped(self.status.code))

    async def _connection(self) -> float | None:
        """Connect and read until the connection ends. Return the seconds until the next one, None: there is none."""
        since = self._follower.connecting(self._clock())
        try:
            async with asyncio.timeout(HANDSHAKE):
                self._socket = await self._connect(await self._new_token(), since)
            code = await self._read(self._socket)
        except TokenRefused as error:
            return self._follower.refused(error.status, self._clock(), error.retry_after)
        except InvalidStatus as error:
            wait = retry_after(error.response.headers.get("Retry-After"))
            return self._follower.refused(error.response.status_code, self._clock(), wait)
        except (OSError, InvalidHandshake):
            code = ABNORMAL
        finally:
            socket, self._socket = self._socket, None
            if socket is not None:
                await socket.close()
        return self._follower.ended(code, self._clock())

    async def _connect(self, token: str, since: str) -> ClientConnection:
        kind, _, number = self.room.partition(":")
        address = f"ws{self.site.removeprefix('http')}/ws/{kind}/{number}/" + (f"?since={since}" if since else "")
        offer = [Subprotocol("deltacrown.v1"), Subprotocol(f"bearer.{token}")]
        return await connect(address, subprotocols=offer, **self._options)

    async def _new_token(self) -> str:
        if self._token is None:
            return await room_token(self.site, self.room)
        return self._token if isinstance(self._token, str) else await self._token()

    async def _read(self, socket: ClientConnection) -> int:
        """Take what the server sends, and return the code with which the connection ended."""
        while True:
            deadline = self._follower.deadline
            try:
                async with asyncio.timeout(None if deadline is None else deadline - self._clock()):
                    text = await socket.recv()
            except ConnectionClosed:
                return int(socket.close_code or ABNORMAL)
            except TimeoutError:
                late = self._follower.tick(self._clock())
                if late is None:
                    socket.transport.abort()
                    return ABNORMAL
                await self._send(late)
            else:
                await self._hear(text)

    async def _hear(self, text: str | bytes) -> None:
        frame = _frame(text)
        reaction = self._follower.receive(frame, self._clock())
        await self._send(reaction.send)
        if reaction.renew:
            self._renewing = asyncio.create_task(self._renew())
        if reaction.settled and (answer := self._answers.get(reaction.settled)) and not answer.done():
            answer.set_result(frame)
        if reaction.changed:
            for reader in self._readers:
                reader.put_nowait(frame)
        if self._on_frame is not None:
            self._on_frame(frame)
        self._tell()

    async def _renew(self) -> None:
        """Without a new token the server closes with 4002, and the next connection asks for one."""
        try:
            async with asyncio.timeout(HANDSHAKE):
                token = await self._new_token()
        except (OSError, TokenRefused):
            return
        await self._send(self._follower.renewed(token))

    async def _send(self, frames: list[Frame]) -> None:
        if self._socket is None:
            return
        try:
            for frame in frames:
                await self._socket.send(json.dumps(frame))
        except ConnectionClosed:
            pass  # whoever reads finds out, too

    def _tell(self) -> None:
        if self.status is self._told:
            return
        self._told = self.status
        if self.status.kind == "live":
            self._current.set()
        if self._on_status is not None:
            self._on_status(self.status)

    def _raise_if_over(self) -> None:
        task = self._task
        if task is not None and task.done() and not task.cancelled() and (error := task.exception()) is not None:
            raise error
        if self.status.kind == "stopped":
            raise Stopped(self.status.code)


def _frame(text: str | bytes) -> Frame:
    """Return the frame in a text, {} when there is none."""
    try:
        frame = json.loads(text)
    except ValueError:
        return {}
    return frame if isinstance(frame, dict) else {}
