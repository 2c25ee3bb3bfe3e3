"""What somebody may see changes at the worst moment. Each case holds one step until the change has happened."""

import asyncio
from functools import partial

import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.backends.db import SessionStore

from apps.accounts.revocation import end_session
from apps.accounts.tokens import aread_token, issue_room_token
from apps.eventlog import log
from apps.tournaments.models import Role
from apps.tournaments.realtime import history
from apps.tournaments.realtime.consumers import TournamentConsumer
from apps.tournaments.realtime.hub import hub
from apps.tournaments.realtime.rooms import RoomName
from apps.tournaments.services import Actor, tournaments
from tests import factories
from tests.integration.realtime.visitor import Visitor, eventually, gate

pytestmark = pytest.mark.django_db(transaction=True)


class Cup:
    """A tournament that tells no process of its events: they are passed on at `pass_on`."""

    def __init__(self) -> None:
        self.row = factories.drawn(2)
        self.room = RoomName("tournament", self.row.pk)
        self.organizer = Actor(self.row.created_by)
        self.user, self.other = factories.make_user(), factories.make_user()

    async def add(self, user, role=Role.REFEREE) -> int:
        done = await sync_to_async(tournaments.add_member)(
            self.organizer, self.row.pk, username=user.username, role=role
        )
        return done.seq

    async def remove(self, user) -> None:
        await sync_to_async(tournaments.remove_member)(self.organizer, self.row.pk, user.pk)

    async def rename(self, name: str) -> int:
        return (await sync_to_async(tournaments.edit)(self.organizer, self.row.pk, name=name)).seq


@pytest.fixture
def cup(transactional_db, monkeypatch) -> Cup:
    monkeypatch.setattr(log, "_sinks", lambda: ())
    monkeypatch.setattr("apps.tournaments.realtime.hub.POLL_SECONDS", 3600)
    return Cup()


async def test_who_leaves_the_staff_while_the_room_opens_comes_in_as_a_spectator(cup, monkeypatch):
    await cup.add(cup.user)
    other = Visitor(cup.room, cup.other)
    await other.until("snapshot")
    opening, waits, go = gate(TournamentConsumer._open)
    monkeypatch.setattr(TournamentConsumer, "_open", opening)
    visitor = Visitor(cup.room, cup.user)
    await waits.wait()
    await cup.remove(cup.user)
    await hub.compare()
    go.set()
    assert (await visitor.until("connection_established"))["data"]["role"] == "spectator"
    assert (await visitor.until("snapshot"))["data"]["staff"] == {}
    await cup.add(cup.other)
    await hub.compare()
    await visitor.settle()
    assert visitor.of("member_added") == []
    await visitor.left()
    await other.left()


async def test_who_leaves_the_staff_between_the_door_and_the_room_comes_in_as_a_spectator(cup, monkeypatch):
    await cup.add(cup.user)
    other = Visitor(cup.room, cup.other)
    await other.until("snapshot")
    joining, waits, go = gate(asyncio.sleep)

    async def join(*arguments):
        await joining(0)
        return await entering(*arguments)

    entering = hub.join
    monkeypatch.setattr(hub, "join", join)
    visitor = Visitor(cup.room, cup.user)
    visitor.scope["opened"] = await sync_to_async(hub.public[cup.room].seen_by)(cup.user)
    assert visitor.scope["opened"].role == Role.REFEREE
    await waits.wait()
    await cup.remove(cup.user)
    await hub.compare()
    go.set()
    assert (await visitor.until("connection_established"))["data"]["role"] == "spectator"
    assert (await visitor.until("snapshot"))["data"]["staff"] == {}
    await visitor.left()
    await other.left()


async def test_of_two_changes_only_the_last_is_shown_however_slow_the_first(cup, monkeypatch):
    visitor = Visitor(cup.room, cup.user)
    await visitor.until("snapshot")
    past, waits, go = gate(history.past)
    monkeypatch.setattr(history, "past", past)
    await cup.add(cup.user)
    await hub.compare()
    await waits.wait()
    await cup.remove(cup.user)
    await hub.compare()
    go.set()
    await visitor.settle()
    roles = [frame["data"]["role"] for frame in visitor.of("connection_established")]
    assert roles == ["spectator", "spectator"]
    assert visitor.of("snapshot")[-1]["data"]["staff"] == {}
    seq = await cup.rename("Newest")
    await hub.compare()
    assert (await visitor.until("tournament_updated"))["seq"] == seq
    await visitor.left()


async def test_who_is_alone_in_a_tournament_misses_no_change_of_their_own_role(cup, monkeypatch):
    visitor = Visitor(cup.room, cup.user)
    await visitor.until("snapshot")
    opening, waits, go = gate(TournamentConsumer._open)
    monkeypatch.setattr(TournamentConsumer, "_open", opening)
    await cup.add(cup.user)
    await hub.compare()
    await waits.wait()
    await cup.remove(cup.user)
    go.set()
    await visitor.settle()
    await hub.compare()
    await visitor.settle()
    roles = [frame["data"]["role"] for frame in visitor.of("connection_established")]
    assert roles == ["spectator", "spectator"]
    assert {len(frame["data"]["staff"]) for frame in visitor.of("snapshot")} == {0}
    await visitor.left()


async def test_a_snapshot_that_is_asked_for_while_the_role_changes_leaves_no_hole(cup, monkeypatch):
    visitor = Visitor(cup.room, cup.user)
    await visitor.until("snapshot")
    past, waits, go = gate(history.past)
    monkeypatch.setattr(history, "past", past)
    await cup.add(cup.user)
    await hub.compare()
    await waits.wait()
    visitor.say("resync")
    seq = await cup.rename("Newest")
    await hub.compare()
    go.set()
    await visitor.settle()
    mine, name = -1, ""
    for frame in visitor.of("snapshot", "tournament_updated"):
        assert frame["type"] == "snapshot" or frame["prev"] <= mine < frame["seq"]
        mine, name = frame["seq"], frame["data"]["tournament"]["name"]
    assert (mine, name) == (seq, "Newest")
    await visitor.left()


async def test_nothing_for_the_staff_comes_after_ones_own_removal(cup):
    await cup.add(cup.user)
    visitor = Visitor(cup.room, cup.user)
    await visitor.until("snapshot")
    await cup.remove(cup.user)
    await cup.add(cup.other)
    await hub.compare()  # passes both on in one turn of the loop
    await visitor.settle()
    assert visitor.of("member_added", "member_removed") == []
    assert visitor.of("snapshot")[-1]["data"]["staff"] == {}
    await visitor.left()


async def test_who_left_the_staff_gets_no_snapshot_for_it_although_nobody_has_told_the_process_yet(cup, monkeypatch):
    await cup.add(cup.user)
    other = Visitor(cup.room)
    await other.until("snapshot")
    opening, waits, go = gate(TournamentConsumer._open)
    monkeypatch.setattr(TournamentConsumer, "_open", opening)
    visitor = Visitor(cup.room, cup.user)
    await waits.wait()
    await cup.remove(cup.user)
    await cup.add(cup.other)
    go.set()
    assert (await visitor.until("snapshot"))["data"]["staff"] == {}
    await visitor.left()
    await other.left()


async def test_a_referee_who_becomes_an_organizer_stays_in_the_room(cup):
    await cup.add(cup.user)
    visitor = Visitor(cup.room, cup.user)
    await visitor.until("snapshot")
    await cup.add(cup.user, Role.ORGANIZER)
    await hub.compare()
    assert (await visitor.until("connection_established", 2))["data"]["role"] == "organizer"
    seq = await cup.rename("Newest")
    await hub.compare()
    assert (await visitor.until("tournament_updated"))["seq"] == seq
    await visitor.left()


async def test_a_connection_that_ends_while_its_role_is_found_out_is_in_no_room(cup, monkeypatch):
    other, visitor = Visitor(cup.room, cup.other), Visitor(cup.room, cup.user)
    await other.until("snapshot")
    await visitor.until("snapshot")
    opening, waits, go = gate(TournamentConsumer._open)
    monkeypatch.setattr(TournamentConsumer, "_open", opening)
    await cup.add(cup.user)
    await hub.catch_up(hub.feeds[cup.row.stream])
    await waits.wait()
    await visitor.left()
    go.set()
    await other.settle()
    [members] = hub.feeds[cup.row.stream].rooms.values()
    assert list(members.connections) == [other.consumer.connection]
    await other.left()


async def test_whose_role_cannot_be_found_out_is_closed_4500(cup, monkeypatch, caplog):
    await cup.add(cup.user)
    visitor = Visitor(cup.room, cup.user)
    await visitor.until("snapshot")

    def broken(*_):
        raise RuntimeError("the database is away")

    monkeypatch.setattr(TournamentConsumer, "open", broken)
    await cup.remove(cup.user)
    await hub.compare()
    await eventually(visitor.task.done)
    assert visitor.frames[-1]["close_code"] == 4500
    assert "room_not_shown" in caplog.text


async def test_who_comes_back_after_joining_the_staff_gets_the_staffs_snapshot(cup):
    visitor = Visitor(cup.room, cup.user)
    before = await visitor.until("snapshot")
    await visitor.left()
    await cup.add(cup.user)
    visitor = Visitor(cup.room, cup.user, since=f"{before['epoch']}:{before['seq']}")
    assert not (await visitor.until("connection_established"))["data"]["resumed"]
    staff = (await visitor.until("snapshot"))["data"]["staff"]
    assert set(staff) == {str(cup.user.pk), str(cup.row.created_by.pk)}
    await visitor.left()


@pytest.mark.parametrize("first", [True, False], ids=["the first to come", "one of many"])
async def test_who_signs_out_while_the_room_opens_is_closed_4001(cup, monkeypatch, first):
    holder = await sync_to_async(factories.signed_in)(cup.user)
    token, _ = issue_room_token(cup.row.stream, holder)
    others = [] if first else [Visitor(cup.room)]
    for other in others:
        await other.until("snapshot")
    opening, waits, go = gate(TournamentConsumer._open)
    monkeypatch.setattr(TournamentConsumer, "_open", opening)
    visitor = Visitor(cup.room, cup.user)
    visitor.scope["read_token"] = partial(aread_token, token, room=cup.row.stream)
    await waits.wait()
    await sync_to_async(SessionStore(holder.session_key).delete)()
    await sync_to_async(end_session)(holder.session_key)
    if others:
        await hub.compare()
    go.set()
    await eventually(visitor.task.done)
    assert visitor.frames[-1]["close_code"] == 4001
    for other in others:
        await other.left()


async def test_whose_token_ends_while_the_room_opens_is_closed_4002_and_may_come_back(cup, settings):
    settings.WS_TOKEN_SECONDS = -settings.JWT_LEEWAY_SECONDS - 1
    token, _ = issue_room_token(cup.row.stream, await sync_to_async(factories.signed_in)(cup.user))
    visitor = Visitor(cup.room, cup.user)
    visitor.scope["read_token"] = partial(aread_token, token, room=cup.row.stream)
    visitor.scope["changes"] = hub.changes - 1  # somebody's rights did, since the token was read
    await eventually(visitor.task.done)
    assert visitor.frames[-1]["close_code"] == 4002
