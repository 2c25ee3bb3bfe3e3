"""The hub's own life: it runs while somebody is there, and leaves nothing behind."""

import pytest
from channels.layers import get_channel_layer

from apps.tournaments.realtime.hub import Feed, hub
from apps.tournaments.realtime.rooms import RoomName
from tests import factories
from tests.integration.realtime.visitor import Visitor, eventually

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
    hub.feeds["tournament:0"] = Feed("tournament:0")
    await hub.compare()
    await visitor.left()
