"""
People in rooms, with the client that others get (clients/python), and a tape of all that each of them was sent.

They come and go, move between processes, stop reading for a while; some of the staff act.
"""

import asyncio
import itertools
import random
import socket
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from websockets.asyncio.client import ClientConnection

from apps.accounts.tokens import SignedIn, issue_room_token
from deltacrown_client import Refused, Room, Stopped
from tests.chaos.processes import Worker

STAFF_ROLES = ("referee", "organizer", "admin")
FIRST_SECONDS = 3.0  # within which everybody comes
WAITS = 0.4  # of the waits that the client would make: a run is short
STALL_ASKS = 15  # snapshots that somebody who does not read asks for, so that there is something to read
SMALL_BUFFER = 4096
PATIENCE = 20.0  # for the answer to an action


class Mark(NamedTuple):
    """
    `what`: "begin" of an attempt to connect to the process `number`, its "end", or a "frame" with the text `number`.
    "stall" and "read": from here to there nothing was read. "anew": whoever it is has forgotten everything.
    """

    at: float
    what: str
    number: int = 0


class Stop(NamedTuple):
    """A client was told not to come back: by the process `worker`, to which it began to connect at `begin`."""

    code: int | None
    worker: int
    begin: float
    end: float


class Texts:
    """The texts that were sent, each once: a room gets the same ones."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        return self._numbers.setdefault(text, len(self._numbers))

    def all(self) -> list[str]:
        return list(self._numbers)


@dataclass
class Seen:
    """What all people together saw and did."""

    texts: Texts = field(default_factory=Texts)
    counts: Counter[str] = field(default_factory=Counter)
    stopped: list["Stop"] = field(default_factory=list)
    acked: dict[str, int] = field(default_factory=dict)  # id of an action -> seq
    asked: set[str] = field(default_factory=set)


class Watcher:
    """Somebody in one room, across all their connections. `match` is None in a tournament's room."""

    def __init__(
        self,
        number: int,
        *,
        cup: int,
        match: int | None,
        holder: SignedIn | None,
        workers: Sequence[Worker],
        seen: Seen,
        seed: int,
    ) -> None:
        self.number, self.cup, self.match, self.holder = number, cup, match, holder
        self.name = f"tournament:{cup}" if match is None else f"match:{match}"
        self.rng = random.Random(f"{seed} {number}")
        self.workers, self.seen = workers, seen
        self.is_slow = self.rng.random() < 0.05  # with so small a buffer that it is full when nothing is read
        self.tape: list[Mark] = []
        self.reads = asyncio.Event()
        self.reads.set()
        self.room = TapedRoom(self)

    @property
    def user(self) -> int | None:
        return None if self.holder is None else self.holder.user.pk

    def mark(self, what: str, number: int = 0) -> None:
        self.tape.append(Mark(time.monotonic(), what, number))

    async def live(self, stay: float, calm: asyncio.Event) -> None:
        """Watch; every `stay` seconds or so leave in some way, and come back. Once it is calm, stay."""
        await asyncio.sleep(self.rng.uniform(0, FIRST_SECONDS))
        self.room.start()
        try:
            while True:
                moment = None if calm.is_set() else self.rng.expovariate(1 / stay)
                await asyncio.wait({self.room.task}, timeout=moment)
                if self.room.task.done():
                    await self._come_again()
                elif not calm.is_set():
                    await self._stir()
        finally:
            await self.room.close()

    async def stall(self, seconds: float) -> None:
        """Read nothing for a while, and ask for so much that it has to wait on the other side."""
        self.reads.clear()
        self.mark("stall")
        with suppress(Exception):
            for _ in range(STALL_ASKS):
                await self.room.say('{"type":"resync"}')
        await asyncio.sleep(seconds)
        self.mark("read")
        self.reads.set()

    async def act(self) -> None:
        """Count a score, as the staff may."""
        live = [pk for pk, match in self.room.state["matches"].items() if match.get("state") == "live"]
        may = self.room.welcome.get("role") in STAFF_ROLES
        if not live or not may or self.room.status.kind != "live":
            return
        name = f"a{self.number}-{len(self.seen.asked)}"
        self.seen.asked.add(name)
        score = {"home_score": self.rng.randrange(900), "away_score": self.rng.randrange(900)}
        try:
            async with asyncio.timeout(PATIENCE):
                ack = await self.room.act("update_score", id=name, match_id=int(self.rng.choice(live)), **score)
        except (Refused, Stopped, TimeoutError) as error:
            self.seen.counts[f"action: {getattr(error, 'code', 'no answer')}"] += 1
        else:
            self.seen.acked[name] = ack["seq"]

    async def _stir(self) -> None:
        how = self.rng.choice(("vanish", "leave", "return", "reload"))
        self.seen.counts[how] += 1
        self.mark("end")  # a close that waits for its answer may take seconds, in which nobody watches any more
        if how in ("vanish", "leave"):
            await self.room.hang_up(rudely=how == "vanish")
            return
        await self.room.close()
        await asyncio.sleep(self.rng.uniform(0, 2))
        self._enter(anew=how == "reload")

    async def _come_again(self) -> None:
        """A page that has stopped is loaded again by whoever sits before it."""
        begin = next(mark for mark in reversed(self.tape) if mark.what == "begin")
        self.seen.stopped.append(Stop(self.room.status.code, begin.number, begin.at, time.monotonic()))
        await asyncio.sleep(self.rng.uniform(0.5, 2))
        self._enter(anew=self.rng.random() < 0.5)

    def _enter(self, *, anew: bool) -> None:
        before = self.room
        if anew:
            self.mark("anew")
        self.room = TapedRoom(self) if anew else TapedRoom(self, position=before.position, state=before.state)
        self.room.start()


class TapedRoom(Room):
    """The client, beside which a tape runs. Each connection is to whichever process chance says."""

    def __init__(self, watcher: Watcher, **past: Any) -> None:
        token = None if watcher.holder is None else self._token_of_member
        super().__init__(
            "http://test",
            watcher.name,
            token=token,
            random=lambda: watcher.rng.random() * WAITS,
            connect_options={"max_queue": 1} if watcher.is_slow else None,
            **past,
        )
        self.watcher = watcher

    @property
    def task(self) -> asyncio.Task[None]:
        assert self._task is not None
        return self._task

    async def say(self, text: str) -> None:
        if self._socket is not None:
            await self._socket.send(text)

    async def hang_up(self, *, rudely: bool) -> None:
        if self._socket is not None and rudely:
            self._socket.transport.abort()
        elif self._socket is not None:
            await self._socket.close()

    async def _token_of_member(self) -> str:
        return issue_room_token(self.room, self.watcher.holder)[0]

    async def _connection(self) -> float | None:
        worker = self.watcher.rng.choice(self.watcher.workers)
        self.site = f"http://{worker.address}"
        self.watcher.mark("begin", worker.number)
        try:
            return await super()._connection()
        finally:
            self.watcher.mark("end")

    async def _connect(self, token: str, since: str) -> ClientConnection:
        if self.watcher.is_slow:
            socket_ = socket.socket()
            socket_.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
            socket_.setblocking(False)
            try:
                host, _, port = self.site.removeprefix("http://").partition(":")
                await asyncio.get_running_loop().sock_connect(socket_, (host, int(port)))
            except BaseException:
                socket_.close()
                raise
            self._options["sock"] = socket_
        return await super()._connect(token, since)

    async def _hear(self, text: str | bytes) -> None:
        await self.watcher.reads.wait()
        self.watcher.mark("frame", self.watcher.seen.texts.number(str(text)))
        await super()._hear(text)


class Crowd:
    """All of them. `calm` ends the coming and going."""

    def __init__(self, watchers: list[Watcher], stay: float, seed: int) -> None:
        self.watchers, self.seen = watchers, watchers[0].seen
        self.calm = asyncio.Event()
        self._stay, self._rng = stay, random.Random(seed)
        self._actors = [watcher for watcher in watchers if watcher.holder is not None and watcher.match is None]

    async def live(self) -> None:
        async with asyncio.TaskGroup() as group:
            for watcher in self.watchers:
                group.create_task(watcher.live(self._stay, self.calm))
            group.create_task(self._act())

    async def stall(self, part: float, seconds: float) -> None:
        """Have some stop reading: those with small buffers, and others as well."""
        some = [watcher for watcher in self.watchers if watcher.is_slow]
        some += self._rng.sample(self.watchers, int(len(self.watchers) * part))
        await asyncio.gather(*(watcher.stall(seconds) for watcher in {id(one): one for one in some}.values()))

    async def _act(self) -> None:
        """Somebody of the staff counts a score now and then; nobody waits for anybody."""
        async with asyncio.TaskGroup() as group:
            for _ in itertools.count():
                await asyncio.sleep(self._rng.expovariate(1.0))
                if self.calm.is_set():
                    return
                group.create_task(self._rng.choice(self._actors).act())
