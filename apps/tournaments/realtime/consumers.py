"""
A connection to a room: welcome, past, live events, and actions on the way in. `TournamentConsumer` is one kind.

No channel layer and no task per event: the hub writes to the connection directly.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from math import inf
from time import time
from typing import Any, ClassVar, Literal

import structlog
from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from msgspec import UNSET

from apps.accounts.tokens import Identity, TokenError, aread_token
from apps.errors import AppError, ErrorCode, NotFound
from apps.eventlog.log import STAFF, Position, iso
from apps.tournaments.models import Status
from apps.tournaments.permissions import Person, audience_of
from apps.tournaments.realtime import history, metrics, protocol
from apps.tournaments.realtime.actions import perform
from apps.tournaments.realtime.connection import ASGIConnection, Connection, SocketConnection
from apps.tournaments.realtime.feed import Feed, batch
from apps.tournaments.realtime.hub import hub
from apps.tournaments.realtime.middleware import accepted_subprotocol, refuse
from apps.tournaments.realtime.middleware_ratelimit import Gate, limits
from apps.tournaments.realtime.protocol import CloseCode, ErrorFrame, Unreadable, encode
from apps.tournaments.realtime.record import Record
from apps.tournaments.realtime.rooms import Opened, Room, RoomName
from apps.tournaments.realtime.websocket import TAKE_OVER, Receiver, WebSocket
from apps.tournaments.selectors import lists
from apps.tournaments.services import Actor, Done
from apps.words import said, said_within

logger = structlog.get_logger(__name__)

MAX_UNREADABLE = 3
NOBODY = AnonymousUser()
_received = {kind: metrics.messages.labels(kind.__struct_config__.tag) for kind in protocol.AnyMessage.__args__}
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class _Closed(Exception):
    """The connection is over, by whoever's wish."""


class RoomConsumer(ABC):
    """
    What both kinds of rooms have in common. An ASGI application, one instance a connection.

    On our own server the application ends when the past is written, and what is left of it serves the connection's
    messages one by one (`take`); on another one it reads them until the end.

    Not a channels AsyncConsumer: that one makes a thread hop for every message (95 µs each) and a channel-layer
    subscription for every connection.
    """

    greeting: ClassVar[str]
    feed: Feed

    @classmethod
    def as_asgi(cls) -> Any:
        async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
            await cls().run(scope, receive, send)

        return application

    async def run(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        self.name: RoomName = scope["room"]
        self.identity: Identity = scope["identity"]
        self.person: Person = scope["user"]
        self.is_member = self.identity.user is not None
        try:
            self.opened = scope.get("opened") or await self._open()
        except NotFound:
            await refuse(scope, receive, send, CloseCode.NOT_FOUND)
            return
        await receive()  # websocket.connect
        await send({"type": "websocket.accept", "subprotocol": accepted_subprotocol(scope)})
        self.record: Record = scope["record"]
        self.unreadable = 0
        self.showing = asyncio.Lock()
        self.stale = False  # whether the person's role may be another one than `opened` says
        self.owed: Literal["welcome", "snapshot"] | None = "welcome"
        self.looking: set[asyncio.Task[None]] = set()
        take_over = scope.get("extensions", {}).get(TAKE_OVER)
        if take_over is None:
            await self._serve(scope, receive, send)
        else:
            await self._rest(scope, take_over)

    # On our own server ----------------------------------------------------------------------------------------------

    async def _rest(self, scope: dict[str, Any], take_over: Callable[[Receiver], WebSocket]) -> None:
        """Enter the room, and leave the connection to itself: from here on it ends with `left`."""
        self.gate: Gate = scope["gate"]
        connection = SocketConnection(self.identity, self.record, take=self._take, left=self._left, **self._times())
        self._attach(connection)
        connection.use(take_over(connection))
        self.record.rests = True
        try:
            await self._enter(scope)
            self._forget_person()
        except Exception as error:  # noqa: BLE001 - a bug, which ends this connection alone
            self._failed(error)
        except asyncio.CancelledError:
            connection.websocket.abort()
            raise
        finally:
            connection.serve()

    async def _take(self, data: str | bytes) -> None:
        """Handle one message."""
        try:
            match await self.gate.judge(data):
                case None:
                    await self._read(data if isinstance(data, str) else None)
                case CloseCode() as code:
                    self.connection.close(code)
                case str() as answer:
                    self.connection.write(answer)
        except Exception as error:  # noqa: BLE001 - a bug, which ends this connection alone
            self._failed(error)

    async def _left(self) -> None:
        await self._leave()
        await self.record.end()

    def _failed(self, error: BaseException | None) -> None:
        logger.error("consumer_failed", room=str(self.name), exc_info=error)
        self.connection.close(CloseCode.INTERNAL_ERROR)

    # On another server ----------------------------------------------------------------------------------------------

    async def _serve(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Enter the room and read until the end. One task reads, one sends."""
        connection = ASGIConnection(send, self.identity, self.record, **self._times())
        self._attach(connection)
        jobs = [
            asyncio.ensure_future(job)
            for job in (self._listen(scope, receive), connection.drain(), connection.aborted())
        ]
        try:
            await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
            if jobs[0].done() and not isinstance(jobs[0].exception(), _Closed | None):
                self._failed(jobs[0].exception())
                await jobs[1]
        finally:
            for job in jobs:
                job.cancel()
            await self._leave()
            # A client that vanished makes the send fail; that is a normal end.
            await asyncio.gather(*jobs, return_exceptions=True)

    async def _listen(self, scope: dict[str, Any], receive: Receive) -> None:
        await self._enter(scope)
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                raise _Closed
            self.connection.heard_at = asyncio.get_running_loop().time()
            await self._read(message.get("text"))

    # Both -----------------------------------------------------------------------------------------------------------

    def _times(self) -> dict[str, float]:
        now = asyncio.get_running_loop().time()
        # No ping before the welcome, which comes before anything else.
        return {"now": now, "ping_at": inf, "expires_at": _deadline(self.identity)}

    def _attach(self, connection: Connection) -> None:
        self.connection = connection
        connection.caught_up = self._show_soon

    async def _leave(self) -> None:
        hub.leave(self.connection)
        for task in self.looking:
            task.cancel()
        await asyncio.gather(*self.looking, return_exceptions=True)

    async def _open(self) -> Opened:
        """Return what is known of the room. To guests it always looks the same, so while it is open nobody asks."""
        if not self.is_member and (known := hub.public.get(self.name)) is not None:
            return known
        return await database_sync_to_async(self.open)(self.person, self.name.id)

    @abstractmethod
    def open(self, person: Person, room_id: int) -> Opened:
        """Return what is known of the room. Runs in a thread. Raises NotFound: none, or not for this person."""

    async def _enter(self, scope: dict[str, Any]) -> None:
        self.feed = await hub.join(self.connection, self.opened.room, self.opened.side)
        self.connection.rights_changed = self._look_again  # what changed before, hub.changes tells
        hub.remember(self.feed, self.name, self.opened)
        if self.is_member and hub.changes != scope["changes"]:
            # Nobody told this connection, which was not in the hub yet.
            await self._check_token(scope["read_token"])
            self.stale = True
        await self._show(history.read_since(_query_value(scope["query_string"], b"since")))

    async def _show(self, since: Position | None = None) -> None:
        """Write what is owed, as what the person is by then, and what was missed. Until then nothing else is shown."""
        async with self.showing:
            self.connection.hold()
            while self.connection.closed_with is None:
                if self.stale:
                    await self._enter_again()
                elif self.owed:
                    await self._give(since)
                elif self._catch_up():
                    break
                else:
                    self.owed = "snapshot"

    async def _give(self, since: Position | None) -> None:
        """Write what is owed, unless the person has become something else meanwhile."""
        since = since if self.owed == "welcome" else None
        if since is not None:
            await hub.reach(self.feed, since.seq)  # whoever comes from another process may be further than this one
        try:
            past = await history.past(self.feed, self.opened.room, since)
        except NotFound:  # a match that a new draw has just replaced
            self.connection.close(CloseCode.NOT_FOUND)
            return
        if self.opened.room.audience == STAFF:  # to which the person belonged before the past was read
            await hub.reach(self.feed, past.seq)
        if self.stale:
            return
        if self.owed == "welcome":
            self._write_welcome(past)
        self.owed = None
        self.connection.bring(past.frames, past.seq, past.mine)

    def _catch_up(self) -> bool:
        """Write the events after the last that was written, and be live. Return False when memory does not suffice."""
        connection = self.connection
        missed = self.feed.missed(self.opened.room, connection.seq)
        if missed is None or len(missed) > history.REPLAY_LIMIT:
            return False
        reached = max(connection.seq, self.feed.position.seq if self.feed.position else 0)
        connection.bring(batch(missed, connection.mine), reached, missed[-1].seq if missed else connection.mine)
        connection.release()
        return True

    def _write_welcome(self, past: history.Past) -> None:
        opened = self.opened
        position = self.feed.position
        data = protocol.Welcome(
            protocol=protocol.VERSION,
            tournament_id=opened.tournament_id,
            match_id=UNSET if opened.match_id is None else opened.match_id,
            user_id=self.identity.id,
            username=self.identity.username,
            role=opened.role.name.lower(),
            is_participant=UNSET if opened.is_participant is None else opened.is_participant,
            heartbeat_interval=settings.WS_HEARTBEAT_INTERVAL,
            heartbeat_timeout=settings.WS_HEARTBEAT_TIMEOUT,
            max_payload_bytes=settings.WS_MAX_PAYLOAD_BYTES,
            epoch=position.epoch if position else "",
            seq=past.seq,
            resumed=past.resumed,
            until=past.mine if past.resumed and past.frames is not None else UNSET,
            server_time=iso(datetime.now(UTC)),
            message=self.greeting,
        )
        self.record.role, self.record.resumed = data.role, past.resumed
        self.connection.write(encode(protocol.ConnectionEstablished(data=data)))
        self.connection.warned = False
        self.connection.ping_at = asyncio.get_running_loop().time() + settings.WS_HEARTBEAT_INTERVAL

    async def _read(self, text: str | None) -> None:
        """Handle a message that may pass; None stands for a binary one."""
        try:
            await self._handle(protocol.decode(text))
        except Unreadable as refusal:
            metrics.unreadable.labels(refusal.frame.code).inc()
            self.connection.write(encode(refusal.frame))
            self.unreadable += 1
            if self.unreadable >= MAX_UNREADABLE:
                self.connection.close(CloseCode.BAD_REQUEST)

    async def _handle(self, message: protocol.AnyMessage) -> None:
        _received[type(message)].inc()
        match message:
            case protocol.Pong():
                pass
            case protocol.Ping():
                answer = protocol.ServerPong(timestamp=int(time() * 1000), id=message.id or UNSET)
                self.connection.write(encode(answer))
            case protocol.Subscribe():
                self.connection.write(encode(protocol.Subscribed(room=str(self.name), id=message.id or UNSET)))
            case protocol.Resync():
                self.owed = self.owed or "snapshot"
                await self._show()
            case protocol.Authenticate():
                await self._authenticate(message)
            case _:
                await self._act(message)

    async def _check_token(self, read: Callable[[], Awaitable[Identity]]) -> None:
        try:
            await read()
        except TokenError as error:
            self.connection.close(CloseCode.TOKEN_EXPIRED if error.expired else CloseCode.AUTHENTICATION_REQUIRED)

    async def _authenticate(self, message: protocol.Authenticate) -> None:
        """Take a new token of the same person with the same rights; anything else ends the connection."""
        try:
            identity = await aread_token(message.data.token, room=str(self.name))
        except TokenError as error:
            self.connection.close(CloseCode.TOKEN_EXPIRED if error.expired else CloseCode.FORBIDDEN)
            return
        # Every token makes another guest; a guest stays one.
        same = identity.id == self.identity.id or (identity.user is None and not self.is_member)
        same = same and identity.grant == self.identity.grant
        if not same or not await limits().redeem(identity):
            self.connection.close(CloseCode.FORBIDDEN)
            return
        self.connection.expires_at, self.connection.warned = _deadline(identity), False
        if self.is_member:
            self._look_again()
        if message.id is not None:
            left = self.connection.expires_at - asyncio.get_running_loop().time()
            self.connection.write(encode(protocol.Ack(id=message.id, data={"expires_in_ms": int(left * 1000)})))

    def _look_again(self) -> None:
        """Called by the hub when the person's role may have changed. Until that is clear, no event is shown."""
        self.stale = True
        self._show_soon()

    def _show_soon(self) -> None:
        self.connection.hold()
        task = asyncio.get_running_loop().create_task(self._show_again())
        self.looking.add(task)
        task.add_done_callback(self.looking.discard)

    async def _show_again(self) -> None:
        """
        Show the room as the person may see it now: welcome and snapshot once more, or nothing at all.

        Nobody waits for it, so a failure ends the connection.
        """
        try:
            await self._show()
        except Exception:
            logger.exception("room_not_shown", room=str(self.name))
            self.connection.close(CloseCode.INTERNAL_ERROR)

    async def _enter_again(self) -> None:
        """Be in the room as what the person is now, or in none. Whoever is something else now is owed a welcome."""
        self.stale = False
        before = self.opened
        await database_sync_to_async(self._read_person)()
        try:
            self.opened = await self._open()
        except NotFound:
            self.connection.close(CloseCode.NOT_FOUND)
            return
        if self.opened != before:
            self.owed = "welcome"
        if (self.opened.room, self.opened.side) != (before.room, before.side):
            hub.move(self.connection, self.opened.room, self.opened.side)

    def _read_person(self) -> None:
        """Know the person as they are now, who were somebody else, perhaps, when the room opened. Runs in a thread."""
        if self.is_member:
            self.person = self.identity.present_user() or AnonymousUser()

    def _forget_person(self) -> None:
        """Keep no row of somebody who only watches; whoever acts is read again."""
        self.identity = self.connection.identity = replace(self.identity, user=None)
        self.person = NOBODY

    async def _act(self, action: protocol.AnyAction) -> None:
        frame: protocol.Frame
        result = "done"
        try:
            done = await database_sync_to_async(self._perform)(action)
            frame = protocol.Ack(id=action.id, seq=done.seq, data=dict(done.ids))
        except AppError as error:
            result = error.code
            frame = ErrorFrame(
                code=error.code, message=said(error.text), id=action.id, data=said_within(error.data) or UNSET
            )
        except Exception:
            logger.exception("action_failed", room=str(self.name), action=type(action).__name__)
            text = "Something went wrong here. Send the same message again: its id keeps it from acting twice."
            result = ErrorCode.INTERNAL_ERROR
            frame = ErrorFrame(code=result, message=text, id=action.id)
        metrics.actions.labels(type(action).__struct_config__.tag, result).inc()
        self.connection.write(encode(frame))

    def _perform(self, action: protocol.AnyAction) -> Done:
        """Act as the person is now. Runs in a thread."""
        self._read_person()
        return perform(action, Actor(self.person, command_id=action.id), self.name, self.opened.tournament_id)


class TournamentConsumer(RoomConsumer):
    """ws/tournament/<id>/: everything that happens in a tournament."""

    greeting = "Connected to the tournament."

    def open(self, person: Person, room_id: int) -> Opened:
        known = hub.public.get(self.name)
        if known is not None:
            return known.seen_by(person)
        tournament, role = lists.tournament_for(person, room_id)
        room = Room(tournament.stream, "", audience_of(role))
        return Opened(room, tournament.pk, role, is_public=tournament.status != Status.DRAFT)


def _deadline(identity: Identity) -> float:
    """Return the moment at which a token ends for good, on the event loop's clock."""
    left: float = identity.expires_at + settings.JWT_LEEWAY_SECONDS - time()
    return asyncio.get_running_loop().time() + left


def _query_value(query: bytes, name: bytes) -> str:
    """Return the value of a query parameter whose values need no unquoting, or ""."""
    for pair in query.split(b"&"):
        key, _, value = pair.partition(b"=")
        if key == name:
            return value.decode("latin-1").replace("%3A", ":").replace("%3a", ":")
    return ""
