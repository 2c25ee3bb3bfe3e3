"""The hub's own life: it runs while somebody is there, and leaves nothing behind."""

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer

from apps.tournaments.realtime.feed import Feed
from apps.tournaments.realtime.hub import hub
from apps.tournaments.realtime.match_consumer import MatchConsumer
from apps.tournaments.realtime.rooms import RoomName
from apps.tournaments.services import Actor, brackets, matches
from tests import factories
from tests.integration.realtime.visitor import Visitor, eventually, gate

pytestmark = pytest.mark.django_db(transaction=True)


def groups() -> dict:
    layer = get_channel_layer()
    return layer.groups if hasattr(layer, "groups") else layer._get_layer().groups  # in memory, of Redis


@pytest.fixture
def room(transactional_db) -> RoomName:
    return RoomName("tournament", factories.drawn(2).pk)


async def test_when_the_last_connection_has_left_the_process_is_in_no_group_of_the_bus(room):
    for _ in range(3):
        visitor = Visitor(room)
        await visitor.until("snapshot")
        assert groups()
        await visitor.left()
        await eventually(lambda: not groups())
    assert not hub.feeds


async def test_a_stream_that_was_deleted_before_it_could_be_opened_keeps_no_other_from_being_compared(room):
    visitor = Visitor(room)
    await visitor.until("snapshot")
    hub.feeds["tournament:0"] = Feed("tournament:0", hub.fanout)
    await hub.compare()
    await visitor.left()


async def test_events_of_others_that_were_skipped_while_catching_up_are_no_hole(transactional_db):
    cup = await sync_to_async(factories.drawn)(4)
    here, other = [await sync_to_async(factories.match_number)(cup, number) for number in (1, 2)]
    visitor = Visitor(RoomName("match", here.pk))
    mine = (await visitor.until("snapshot"))["seq"]
    connection = visitor.consumer.connection
    for match in (other, here):  # the first brings nothing for this room, the second comes after it
        connection._reads(slowly=True)
        seq = (await sync_to_async(matches.start)(Actor(cup.created_by), match.pk)).seq
        await hub.compare()
        connection._reads(slowly=False)
        await visitor.settle()
        assert connection.seq == seq
    frames = [frame for frame in visitor.frames if "prev" in frame]
    assert frames
    for frame in frames:
        assert frame["prev"] <= mine < frame["seq"]
        mine = frame["seq"]
    assert mine == seq
    await visitor.left()


async def test_the_room_of_a_match_that_a_new_draw_has_replaced_is_closed_4404(transactional_db, monkeypatch):
    cup = await sync_to_async(factories.drawn)(2)
    match = await sync_to_async(factories.match_number)(cup, 1)
    inside = Visitor(RoomName("match", match.pk))
    await inside.until("snapshot")
    opening, waits, go = gate(MatchConsumer._open)
    monkeypatch.setattr(MatchConsumer, "_open", opening)
    late = Visitor(RoomName("match", match.pk))
    await waits.wait()
    await sync_to_async(brackets.generate)(Actor(cup.created_by), cup.pk)
    await eventually(inside.task.done)
    go.set()
    await eventually(late.task.done)
    assert [visitor.frames[-1]["close_code"] for visitor in (inside, late)] == [4404, 4404]
