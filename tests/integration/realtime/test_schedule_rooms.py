"""A plan reaches every room at once: the tournament's whole, each match's its own part, and adds up to the snapshot."""

import pytest
from asgiref.sync import sync_to_async

from apps.tournaments.selectors.snapshots import match_snapshot, tournament_snapshot
from apps.tournaments.services import Actor, schedule, stations
from engine.projection import apply
from tests import factories
from tests.rooms import open_room, path
from tests.server import client

pytestmark = pytest.mark.django_db(transaction=True)


@sync_to_async
def run(service, cup, *arguments, **chosen):
    return service(Actor(cup.created_by), *arguments, **chosen)


async def test_a_match_hears_of_a_plan_what_is_its_own_live_and_after_a_pause(address):
    cup = await sync_to_async(factories.drawn)(4)
    court = (await run(stations.add, cup, cup.pk, name="Court 1")).ids["station_id"]
    match = await sync_to_async(factories.match_number)(cup, 2)
    room = f"match:{match.pk}"
    async with (
        client(address, await path(f"tournament:{cup.pk}")) as hall,
        client(address, await path(room)) as watcher,
    ):
        _, all_of_it = await open_room(hall)
        _, own = await open_room(watcher)
        done = await run(schedule.plan, cup, cup.pk)
        for socket, state, matches in ((hall, all_of_it["data"], 4), (watcher, own["data"], 1)):
            (event,) = await socket.events_until(done.seq)
            assert (event["type"], len(event["data"]["matches"])) == ("schedule_planned", matches)
            apply(state, event["data"])
        assert all_of_it["data"] == (await sync_to_async(tournament_snapshot)(cup.pk, audience="public")).data
        assert own["data"] == (await sync_to_async(match_snapshot)(match.pk)).data
        position = f"{own['epoch']}:{watcher.mine}"
    done = await run(stations.remove, cup, court)
    async with client(address, await path(room, since=position)) as back:
        assert (await back.receive())["data"]["resumed"]
        back.mine = watcher.mine
        (event,) = await back.events_until(done.seq)
        assert [(row["id"], row["station"]) for row in event["data"]["matches"]] == [(match.pk, None)]
        apply(own["data"], event["data"])
        assert own["data"] == (await sync_to_async(match_snapshot)(match.pk)).data
