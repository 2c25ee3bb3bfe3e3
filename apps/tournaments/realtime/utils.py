"""
From a committed event to the hubs: one hint a commit, to every process that has a room of the stream open.

A hint is lossy by contract. It carries the events to save the receivers a query; whoever misses it finds the same
events in the log.

Services need nothing of this: their events come here by themselves. The `broadcast_…` functions are for code that
changes rows in another way. They, too, go through the log, so that no watcher can see what was not committed, or miss
what was; they return the place of the event. `Raises` as services.announcements.
"""

import asyncio
import atexit
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, wait
from contextvars import Context
from typing import Any

import msgspec
import structlog
from channels.layers import BaseChannelLayer, InMemoryChannelLayer, get_channel_layer

from apps.errors import ErrorCode
from apps.eventlog.log import Recorded
from apps.tournaments.realtime.protocol import ErrorFrame, encode
from apps.tournaments.services import Done
from apps.tournaments.services.announcements import announce_match, announce_tournament

logger = structlog.get_logger(__name__)

Sending = Callable[[BaseChannelLayer], Awaitable[None]]

HINT = "eventlog.hint"
ERROR = "connection.error"
PRESENCE = "presence.gossip"
_FLUSH_SECONDS = 2  # how long a process that ends waits for its last hints

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[Recorded]).decode
_sending: set[asyncio.Task[None]] = set()
_hub_loop: asyncio.AbstractEventLoop | None = None
_hub_receive: Callable[[Sequence[Recorded]], None] | None = None
_publisher: "_Publisher | None" = None
_publisher_lock = threading.Lock()


def group_name(stream: str) -> str:
    """Return the channel-layer group of the processes that have a room of `stream` open."""
    return stream.replace(":", ".")


def broadcast_tournament_event(tournament_id: int, event: str) -> Done:
    """Tell every room of a tournament how it stands now, as the event of this name ("tournament_updated")."""
    return announce_tournament(tournament_id, event)


def broadcast_match_event(match_id: int, event: str) -> Done:
    """Tell the match's rooms and its tournament's how the match stands now, as the event of this name."""
    return announce_match(match_id, event)


def broadcast_match_started(match_id: int) -> Done:
    return broadcast_match_event(match_id, "match_started")


def broadcast_score_updated(match_id: int) -> Done:
    return broadcast_match_event(match_id, "score_updated")


def broadcast_match_completed(match_id: int) -> Done:
    return broadcast_match_event(match_id, "match_completed")


def broadcast_bracket_updated(match_id: int) -> Done:
    return broadcast_match_event(match_id, "bracket_updated")


def broadcast_tournament_completed(tournament_id: int) -> Done:
    return broadcast_tournament_event(tournament_id, "tournament_completed")


def send_error_to_channel(channel: str, code: ErrorCode, message: str) -> None:
    """
    Send an `error` frame to one connection, whichever process it is in. Nothing happens when it has gone.

    Args:
        channel: of the connection, `hub.channel(connection)`: "<channel of the process>/<id of the connection>".

    Raises:
        ValueError: the protocol has no such code.
    """
    process, _, connection = channel.rpartition("/")
    frame = encode(ErrorFrame(code=ErrorCode(code), message=message))
    _post(lambda layer: layer.send(process, {"type": ERROR, "connection": connection, "frame": frame}))


def publish(events: Sequence[Recorded]) -> None:
    """
    Give a commit's events to the hub of this process, and over the bus to those of others. A sink of the event log.

    In memory there are no others. There the bus would look through all its groups for each message.

    What happens there has a context of its own: in that of the thread that committed, asgiref would take the hub's
    questions to the database for the thread's own.
    """
    if _hub_loop is not None and _hub_receive is not None:
        _hub_loop.call_soon_threadsafe(_hub_receive, events, context=Context())
    if isinstance(get_channel_layer(), InMemoryChannelLayer):
        return
    message, group = {"type": HINT, "events": _encode(events)}, group_name(events[0].stream)
    _post(lambda layer: layer.group_send(group, message))


def send_gossip(stream: str, gossip: bytes) -> None:
    """Send who is where (presence.py) to the processes that have a room of the stream open."""
    message, group = {"type": PRESENCE, "gossip": gossip}, group_name(stream)
    _post(lambda layer: layer.group_send(group, message))


def _post(send: Sending) -> None:
    layer = get_channel_layer()
    if layer is None or (_hub_loop is None and isinstance(layer, InMemoryChannelLayer)):
        return  # nobody can be listening
    if _hub_loop is not None:
        # Only the loop that owns the layer's connections may send; nobody waits for it.
        _hub_loop.call_soon_threadsafe(_start, layer, send, context=Context())
    else:
        _own_publisher().send(layer, send)


def read_hint(message: dict[str, Any]) -> list[Recorded]:
    """Return the events in a hint, none when it is not one: the bus is not to be trusted with the hub's life."""
    try:
        return _decode(message["events"])
    except (KeyError, TypeError, msgspec.MsgspecError):
        logger.warning("hint_unreadable")
        return []


def use_loop(
    loop: asyncio.AbstractEventLoop | None, receive: Callable[[Sequence[Recorded]], None] | None = None
) -> None:
    """
    Name the event loop on which this process's hub lives, None when there is none, and what takes events there.

    Hints to other processes are sent from there.
    """
    global _hub_loop, _hub_receive
    _hub_loop, _hub_receive = loop, receive


def _start(layer: BaseChannelLayer, send: Sending) -> None:
    task = asyncio.get_running_loop().create_task(_send(layer, send))
    _sending.add(task)
    task.add_done_callback(_sending.discard)


async def _send(layer: BaseChannelLayer, send: Sending) -> None:
    try:
        await send(layer)
    except Exception as error:  # noqa: BLE001 - whatever the bus raises, the log has the events
        logger.warning("hint_not_sent", error=type(error).__name__)


class _Publisher:
    """
    A loop in a thread of its own, for a process that has no hub: a management command, a WSGI worker.

    A loop for every call, which async_to_sync makes in a plain thread, would leave a Redis connection behind each time.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._pending: set[Future[None]] = set()
        threading.Thread(target=self._loop.run_forever, name="hints", daemon=True).start()
        atexit.register(self._flush)

    def send(self, layer: BaseChannelLayer, send: Sending) -> None:
        future = asyncio.run_coroutine_threadsafe(_send(layer, send), self._loop)
        self._pending.add(future)
        future.add_done_callback(self._pending.discard)

    def _flush(self) -> None:
        wait(list(self._pending), timeout=_FLUSH_SECONDS)


def _own_publisher() -> _Publisher:
    global _publisher  # noqa: PLW0603 - one a process
    with _publisher_lock:
        if _publisher is None:
            _publisher = _Publisher()
        return _publisher
