"""A hub of its own on the real log: hints that are lost, a bus or a database that fails, history that is replaced."""

import asyncio
import json
import logging
from io import StringIO

import msgspec
import pytest
from asgiref.sync import sync_to_async
from channels.layers import InMemoryChannelLayer
from cryptography.fernet import InvalidToken
from django.core.management import call_command
from django.db import OperationalError

from apps.accounts.tokens import Identity
from apps.eventlog import log
from apps.eventlog.log import Position
from apps.eventlog.models import Event, Stream
from apps.tournaments.models import Match, Tournament
from apps.tournaments.realtime import history
from apps.tournaments.realtime.hub import Hub
from apps.tournaments.realtime.protocol import CloseCode
from apps.tournaments.realtime.record import Record
from apps.tournaments.realtime.rooms import Room
from apps.tournaments.services import Actor, erasure, matches
from engine.match_flow import Score
from tests import factories
from tests.fanout import AtOnce, frames_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("every_score")]


class Member:
    """A connection that keeps what it is written."""

    def __init__(self) -> None:
        self.identity = Identity("guest:1", "guest", None, "", 300.0, "")
        self.record = Record()
        self.queued = 0
        self.heard_at = self.ping_at = self.expires_at = asyncio.get_running_loop().time() + 3600
        self.warned = True
        self.live = False  # so nobody tells it who watches
        self.seqs: list[int] = []
        self.texts: list[str] = []
        self.closed: CloseCode | None = None

    def rights_changed(self) -> None:
        raise AssertionError("nobody's role changes here")

    def write(self, text: str) -> None:
        self.texts.append(text)

    def put(self, what) -> None:
        self.texts += what.texts

    def deliver(self, batch) -> None:
        self.seqs += [frame["seq"] for frame in frames_of(batch)]

    def close(self, code: CloseCode) -> None:
        self.closed = self.closed or code


@pytest.fixture
def cup(transactional_db: None) -> Tournament:
    return factories.drawn(4)


@pytest.fixture
def live(cup: Tournament) -> Match:
    match = factories.match_number(cup, 1)
    matches.start(Actor(cup.created_by), match.pk)
    return match


class Layer(InMemoryChannelLayer):
    """A bus that can be down, or hang."""

    up = True
    hangs = False

    async def new_channel(self, prefix="specific.") -> str:
        await self._answer()
        return await super().new_channel(prefix)

    async def group_add(self, group, channel) -> None:
        await self._answer()
        await super().group_add(group, channel)

    async def _answer(self) -> None:
        if not self.up:
            raise ConnectionError
        if self.hangs:
            await asyncio.Event().wait()

    async def receive(self, channel):
        message = await super().receive(channel)
        if not self.up:
            raise ConnectionError
        if message.get("type") == "foreign":
            raise InvalidToken
        return message


@pytest.fixture
def layer(monkeypatch) -> Layer:
    layer = Layer()
    monkeypatch.setattr("apps.tournaments.realtime.hub.get_channel_layer", lambda: layer)
    return layer


@pytest.fixture(autouse=True)
def hints(monkeypatch) -> list[list[log.Recorded]]:
    """What was committed, told to nobody: each test gives the hints it wants. Nor does the hub look by itself."""
    kept = []
    monkeypatch.setattr("apps.eventlog.log._sinks", lambda: (kept.append,))
    monkeypatch.setattr("apps.tournaments.realtime.hub.POLL_SECONDS", 3600)
    return kept


@pytest.fixture
async def hub(layer):
    hub = Hub()
    hub.fanout = AtOnce()
    yield hub
    for member in list(hub.connections):
        hub.leave(member)
    assert hub.feeds == {}


async def join(hub: Hub, cup: Tournament, subject: str = "") -> Member:
    member = Member()
    await hub.join(member, Room(cup.stream, subject, "public"))
    return member


@sync_to_async
def score(cup: Tournament, live: Match, *goals: int) -> list[int]:
    return [matches.update_score(Actor(cup.created_by), live.pk, Score(n, 0)).seq for n in goals]


async def until(condition) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - nothing that would set an event is of the test
            await asyncio.sleep(0.005)


async def test_a_hint_that_comes_too_early_waits_for_the_one_before_it(hub, cup, live, hints):
    member = await join(hub, cup)
    seqs = await score(cup, live, 1, 2, 3)
    for hint in (hints[-1], hints[-3], hints[-2], hints[-3]):
        hub.receive(hint)
    assert member.seqs == seqs


async def test_what_no_hint_brings_is_read_from_the_log_as_soon_as_it_is_missed(hub, cup, live, hints):
    member = await join(hub, cup)
    seqs = await score(cup, live, 1, 2, 3, 4)
    hub.receive(hints[-1])
    hub.receive(hints[-2])
    assert member.seqs == []
    await until(lambda: member.seqs)
    assert member.seqs == seqs


async def test_a_log_longer_than_one_reading_is_read_to_its_end(hub, cup, live, monkeypatch):
    monkeypatch.setattr("apps.tournaments.realtime.hub.READ_LIMIT", 3)
    member = await join(hub, cup)
    seqs = await score(cup, live, *range(1, 9))
    await hub.compare()
    assert member.seqs == seqs


async def test_a_database_that_fails_is_asked_again(hub, cup, live, hints, monkeypatch, caplog):
    async def broken(*_):
        raise OperationalError

    member = await join(hub, cup)
    seqs = await score(cup, live, 1, 2)
    with monkeypatch.context() as broken_database:
        broken_database.setattr("apps.tournaments.realtime.hub._read", broken)
        hub.receive(hints[-1])
        await until(lambda: "repair_failed" in caplog.text)
        assert member.seqs == []
    hub.receive(hints[-1])
    await until(lambda: member.seqs)
    assert member.seqs == seqs


async def test_the_regular_look_at_the_log_survives_a_database_that_fails(hub, cup, live, monkeypatch, caplog):
    monkeypatch.setattr("apps.tournaments.realtime.hub.POLL_SECONDS", 0.01)
    member = await join(hub, cup)
    with monkeypatch.context() as broken_database:
        broken_database.setattr("apps.eventlog.log.positions", _fail)
        await until(lambda: "poll_failed" in caplog.text)
        seqs = await score(cup, live, 1)
    await until(lambda: member.seqs)
    assert member.seqs == seqs


def _fail(*_):
    raise OperationalError


async def test_hints_for_a_stream_that_nobody_follows_are_nothing_to_the_hub(hub, cup, live, hints):
    other = await sync_to_async(factories.drawn)(2)
    member = await join(hub, cup)
    before = set(hub.feeds)
    await sync_to_async(matches.start)(
        Actor(other.created_by), (await sync_to_async(factories.match_number)(other, 1)).pk
    )
    hub.receive(hints[-1])
    hub.receive([])
    assert (set(hub.feeds), member.seqs) == (before, [])


async def test_what_comes_over_the_bus_and_is_no_hint_is_logged_and_left(hub, cup, live, layer, caplog, hints):
    member = await join(hub, cup)
    channel = hub.channel(member).rpartition("/")[0]
    for rubbish in ({}, {"type": "eventlog.hint"}, {"events": 5}, {"events": b"["}, {"events": b'[{"stream": 1}]'}):
        await layer.send(channel, rubbish)
    await layer.send(channel, {"type": "connection.error", "connection": member.record.id, "frame": "last"})
    await until(lambda: member.texts)
    assert member.texts == ["last"]
    assert caplog.text.count("hint_unreadable") == 5
    assert "bus_down" not in caplog.text


async def test_a_process_that_begins_while_the_bus_is_down_listens_to_it_later(hub, cup, live, layer, hints):
    layer.up = False
    member = await join(hub, cup)
    layer.up = True
    await hub.compare()
    seqs = await score(cup, live, 1)
    hint = {"type": "eventlog.hint", "events": msgspec.json.encode(hints[-1])}
    await layer.group_send(cup.stream.replace(":", "."), hint)
    await until(lambda: member.seqs == seqs)


async def test_with_the_bus_down_the_log_is_read_and_one_line_says_so(hub, cup, live, layer, caplog):
    caplog.set_level(logging.WARNING)
    layer.up = False
    member = await join(hub, cup)
    for goals in (1, 2, 3):
        seqs = await score(cup, live, goals)
        await hub.compare()
        assert member.seqs[-1:] == seqs
    assert (caplog.text.count("bus_down"), caplog.text.count("bus_up")) == (1, 0)
    layer.up = True
    await hub.compare()
    await hub.compare()
    assert (caplog.text.count("bus_down"), caplog.text.count("bus_up")) == (1, 1)
    assert set(layer.groups) == {"accounts", cup.stream.replace(":", ".")}


async def test_a_bus_that_hangs_keeps_nobody_from_the_log(hub, cup, live, layer):
    first = await join(hub, cup)
    layer.hangs = True
    other = await sync_to_async(factories.drawn)(2)
    match = await sync_to_async(factories.match_number)(other, 1)
    async with asyncio.timeout(5):
        second = await join(hub, other)
        seqs = await score(cup, live, 1)
        started = await sync_to_async(matches.start)(Actor(other.created_by), match.pk)
        await hub.compare()
    assert first.seqs == seqs
    assert second.seqs[-1] == started.seq
    layer.hangs = False
    await hub.compare()
    assert other.stream.replace(":", ".") in layer.groups


async def test_a_start_that_the_database_did_not_allow_is_made_again_while_others_wait_in_line(hub, cup, monkeypatch):
    ensure = log.ensure

    def broken(stream) -> None:
        monkeypatch.setattr(log, "ensure", ensure)
        raise OperationalError

    monkeypatch.setattr(log, "ensure", broken)
    with pytest.raises(OperationalError):
        await join(hub, cup)
    assert hub.connections  # whoever failed has not been taken out yet when the next one comes
    await join(hub, cup)
    assert set(hub.feeds) == {"accounts", cup.stream}


async def test_a_bus_that_breaks_while_it_is_listened_to_is_listened_to_again(
    hub, cup, live, layer, caplog, monkeypatch
):
    monkeypatch.setattr("apps.tournaments.realtime.hub.POLL_SECONDS", 0.01)
    member = await join(hub, cup)
    channel = hub.channel(member).rpartition("/")[0]
    error = {"type": "connection.error", "connection": member.record.id, "frame": "lost"}
    layer.up = False
    await layer.send(channel, error)
    await until(lambda: "bus_down" in caplog.text)
    layer.up = True
    await layer.send(channel, error | {"frame": "heard"})
    await until(lambda: member.texts)
    assert member.texts == ["heard"]


async def test_what_is_on_the_bus_and_not_of_this_site_holds_nothing_up(hub, cup, layer, caplog):
    member = await join(hub, cup)
    channel = hub.channel(member).rpartition("/")[0]
    await layer.send(channel, {"type": "foreign"})
    await layer.send(channel, {"type": "connection.error", "connection": member.record.id, "frame": "heard"})
    await until(lambda: member.texts == ["heard"])
    assert "bus_down" not in caplog.text


async def test_without_any_bus_the_log_is_enough(cup, live, monkeypatch):
    monkeypatch.setattr("apps.tournaments.realtime.hub.get_channel_layer", lambda: None)
    hub = Hub()
    hub.fanout = AtOnce()
    member = await join(hub, cup)
    seqs = await score(cup, live, 1)
    await hub.compare()
    assert member.seqs == seqs
    hub.leave(member)
    assert hub.feeds == {}


async def test_history_that_was_replaced_sends_everybody_away(hub, cup, live, hints):
    member = await join(hub, cup)
    await sync_to_async(call_command)("new_epoch", stdout=StringIO())
    await score(cup, live, 1)
    await hub.catch_up(hub.feeds[cup.stream])
    assert (member.closed, member.seqs) == (CloseCode.INTERNAL_ERROR, [])
    newcomer = await join(hub, cup)
    seqs = await score(cup, live, 2)
    hub.receive(hints[-1])
    assert newcomer.seqs == seqs


async def test_when_a_person_is_erased_memory_lets_go_of_their_name_and_nobody_is_sent_away(hub, cup, live):
    member = await join(hub, cup)
    feed = hub.feeds[cup.stream]
    user = live.home.user
    named = f'"{user.username}"'.encode()
    room, since = Room(cup.stream, "", "public"), Position(feed.position.epoch, 4)  # before anybody entered
    await history.past(feed, room, since)
    assert any(named in bytes(event.data) for event in feed.ring)
    await sync_to_async(erasure.erase)(user)
    await hub.compare()
    assert not any(named in bytes(event.data) for event in feed.ring)
    again = await history.past(feed, room, since)
    assert again.resumed
    assert named not in again.frames.frames
    assert len(feed.ring) == feed.position.seq
    assert member.closed is None
    assert member.seqs[-1] == feed.position.seq


async def test_the_rooms_of_a_tournament_that_was_deleted_are_closed(hub, cup, live):
    other = await sync_to_async(factories.drawn)(2)
    member, elsewhere = await join(hub, cup), await join(hub, other)
    await Event.objects.filter(stream__name=cup.stream).adelete()
    await Stream.objects.filter(name=cup.stream).adelete()
    await hub.compare()
    assert (member.closed, elsewhere.closed) == (CloseCode.NOT_FOUND, None)


async def test_who_moves_to_another_room_hears_that_one_and_not_the_first(hub, cup, live, hints):
    member = await join(hub, cup, "match:999999")
    assert await score(cup, live, 1)
    hub.receive(hints[-1])
    assert member.seqs == []
    feed = hub.feeds[cup.stream]
    hub.move(member, Room(cup.stream, "", "public"))
    assert hub.feeds[cup.stream] is feed
    assert list(feed.rooms) == [Room(cup.stream, "", "public")]
    seqs = await score(cup, live, 2)
    hub.receive(hints[-1])
    assert member.seqs == seqs


async def test_the_bus_is_left_with_the_last_member_of_a_stream(hub, cup, live, layer):
    other = await sync_to_async(factories.drawn)(2)
    member, elsewhere = await join(hub, cup), await join(hub, other)
    hub.leave(member)
    hub.leave(member)
    await until(lambda: cup.stream.replace(":", ".") not in layer.groups)
    assert set(hub.feeds) == {"accounts", other.stream}
    assert elsewhere.closed is None


async def test_who_resumes_in_the_room_of_a_match_skips_what_is_not_of_it(hub, cup, live):
    member = await join(hub, cup, live.subject)
    since = hub.feeds[cup.stream].position
    (first,) = await score(cup, live, 1)
    other = await sync_to_async(factories.match_number)(cup, 2)
    await sync_to_async(matches.start)(Actor(cup.created_by), other.pk)
    (last,) = await score(cup, live, 2)
    assert last > first + 1
    await hub.compare()
    past = await history.past(hub.feeds[cup.stream], hub.connections[member], since)
    frames = frames_of(past.frames)
    assert [(frame["prev"], frame["seq"]) for frame in frames] == [(since.seq, first), (first, last)]
    assert (past.seq, past.resumed) == (last, True)


async def test_who_comes_while_an_older_snapshot_is_made_gets_a_newer_one(hub, cup, live, hints, monkeypatch):
    load, loaded, go_on = history._load, asyncio.Event(), asyncio.Event()

    async def slowly(room):
        snapshot = await load(room)
        loaded.set()
        await go_on.wait()
        return snapshot

    monkeypatch.setattr("apps.tournaments.realtime.history._load", slowly)
    member = await join(hub, cup)
    feed, room = hub.feeds[cup.stream], hub.connections[member]
    before = feed.position.seq
    first = asyncio.ensure_future(history.past(feed, room, None))
    await loaded.wait()
    (seq,) = await score(cup, live, 1)
    hub.receive(hints[-1])
    second = asyncio.ensure_future(history.past(feed, room, None))
    await asyncio.sleep(0)
    go_on.set()
    assert ((await first).seq, (await second).seq) == (before, seq)
    assert json.loads((await second).frames.texts[0])["data"]["matches"][str(live.pk)]["home_score"] == 1


async def test_what_is_read_late_of_a_stream_that_nobody_follows_any_more_ends_nothing(hub, cup, live):
    member = await join(hub, cup, live.subject)
    feed = hub.feeds[cup.stream]
    hub.leave(member)
    event = log.Recorded(
        stream=cup.stream,
        epoch=feed.position.epoch,
        seq=feed.position.seq + 1,
        type="bracket_updated",
        audience="public",
        subject=live.subject,
        data=b"{}",
        at="2026-01-01T00:00:00.000Z",
    )
    feed.offer([event])
    assert feed.position.seq == event.seq
