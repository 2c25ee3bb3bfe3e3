"""Rooms as a client sees them: a real server on a real port, a real WebSocket, the real log behind it."""

import asyncio
from io import StringIO

import pytest
from asgiref.sync import sync_to_async
from django.core.management import call_command

from apps.eventlog import log
from apps.tournaments.models import Match, Tournament
from apps.tournaments.realtime import history
from apps.tournaments.selectors.snapshots import match_snapshot, tournament_snapshot
from apps.tournaments.services import Actor, entries, matches, tournaments
from engine.match_flow import Score
from engine.projection import apply, fold
from tests import factories
from tests.rooms import open_room, path
from tests.server import client

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("every_score")]


@pytest.fixture
def cup(transactional_db: None) -> Tournament:
    return factories.drawn(4)


def referee(cup: Tournament) -> Actor:
    return Actor(cup.created_by)


async def play(cup: Tournament, number: int) -> int:
    """Start and complete a match, and return the last seq."""

    def run() -> int:
        match = factories.match_number(cup, number)
        matches.start(referee(cup), match.pk)
        return matches.finish(referee(cup), match.pk, Score(2, 1)).seq

    await sync_to_async(run)()
    return (await sync_to_async(log.positions)([cup.stream]))[cup.stream].seq


async def test_a_guest_gets_welcome_then_snapshot_then_events(address, cup):
    async with client(address, await path(f"tournament:{cup.pk}")) as socket:
        welcome, snapshot = await open_room(socket)
        assert welcome["protocol"] == 1
        assert welcome["tournament_id"] == cup.pk
        assert welcome["role"] == "spectator"
        assert welcome["user_id"].startswith("guest:")
        assert (welcome["heartbeat_interval"], welcome["heartbeat_timeout"]) == (25, 50)
        assert welcome["max_payload_bytes"] == 16384
        assert not welcome["resumed"]
        expected = await sync_to_async(tournament_snapshot)(cup.pk, audience="public")
        assert snapshot["data"] == expected.data
        assert (snapshot["epoch"], snapshot["seq"]) == (expected.position.epoch, expected.position.seq)

        seq = await play(cup, 1)
        events = await socket.events_until(seq)

        assert [event["type"] for event in events][:3] == ["tournament_started", "match_started", "match_completed"]
        now = await sync_to_async(tournament_snapshot)(cup.pk, audience="public")
        assert fold((event["data"] for event in events), snapshot["data"]) == now.data


async def test_resuming_gets_exactly_what_was_missed(address, cup):
    async with client(address, await path(f"tournament:{cup.pk}")) as socket:
        _, snapshot = await open_room(socket)
    seq = await play(cup, 1)
    position = f"{snapshot['epoch']}:{snapshot['seq']}"

    async with client(address, await path(f"tournament:{cup.pk}", since=position)) as socket:
        welcome = await socket.receive()
        assert welcome["data"]["resumed"]
        socket.mine = snapshot["seq"]
        events = await socket.events_until(seq)
        assert [event["seq"] for event in events] == list(range(snapshot["seq"] + 1, seq + 1))
        seq = await play(cup, 2)
        events += await socket.events_until(seq)

    now = await sync_to_async(tournament_snapshot)(cup.pk, audience="public")
    assert fold((event["data"] for event in events), snapshot["data"]) == now.data


@pytest.mark.parametrize("since", ["{epoch}:999999", "other:1", "{epoch}:-1", "{epoch}:", "nonsense", "{epoch}:٣"])
async def test_abuse_52_a_position_that_cannot_be_resumed_gets_a_snapshot(address, cup, since):
    position = (await sync_to_async(log.positions)([cup.stream]))[cup.stream]
    async with client(address, await path(f"tournament:{cup.pk}", since=since.format(epoch=position.epoch))) as socket:
        welcome, snapshot = await open_room(socket)
    assert not welcome["resumed"]
    assert snapshot["seq"] == position.seq


async def test_abuse_53_a_long_absence_gets_a_snapshot_instead_of_a_replay(address, cup, monkeypatch):
    monkeypatch.setattr("apps.tournaments.realtime.history.REPLAY_LIMIT", 3)
    position = (await sync_to_async(log.positions)([cup.stream]))[cup.stream]
    await play(cup, 1)
    async with client(address, await path(f"tournament:{cup.pk}", since=f"{position.epoch}:{position.seq}")) as socket:
        welcome, _ = await open_room(socket)
    assert not welcome["resumed"]


async def test_resync_brings_a_snapshot_and_the_stream_goes_on(address, cup):
    async with client(address, await path(f"tournament:{cup.pk}")) as socket:
        await open_room(socket)
        seq = await play(cup, 1)
        await socket.events_until(seq)
        await socket.send("resync")
        snapshot = await socket.until("snapshot")
        assert snapshot["seq"] == seq
        later = await play(cup, 2)
        await socket.events_until(later)


async def test_a_match_room_sees_its_match_alone(address, cup):
    final = await sync_to_async(factories.match_number)(cup, 4)
    async with client(address, await path(f"match:{final.pk}")) as socket:
        welcome, snapshot = await open_room(socket)
        assert welcome["match_id"] == final.pk
        assert welcome["is_participant"] is False
        assert list(snapshot["data"]["matches"]) == [str(final.pk)]
        state = snapshot["data"]
        await play(cup, 1)
        await play(cup, 2)
        seq = await play(cup, 4)
        last = (await sync_to_async(match_snapshot)(final.pk)).data
        while state != last:
            event = await socket.next_event()
            assert event["type"].startswith("tournament_") or event["data"]["match"]["id"] == final.pk
            assert event["seq"] <= seq
            apply(state, event["data"])
        final = await sync_to_async(factories.match_number)(cup, 4)
        assert {entry["name"] for entry in state["entries"].values()} == {final.home.name, final.away.name}


async def test_staff_events_reach_the_staff_alone(address, cup):
    other = await sync_to_async(factories.make_user)()
    room = f"tournament:{cup.pk}"
    async with client(address, await path(room, cup.created_by)) as staff, client(address, await path(room)) as guest:
        welcome, snapshot = await open_room(staff)
        assert welcome["role"] == "organizer"
        assert snapshot["data"]["staff"]
        _, public = await open_room(guest)
        assert public["data"]["staff"] == {}
        await sync_to_async(tournaments.add_member)(referee(cup), cup.pk, username=other.username, role=2)
        seq = await play(cup, 1)
        assert "member_added" in [event["type"] for event in await staff.events_until(seq)]
        seen = await guest.events_until(seq)
        assert "member_added" not in [event["type"] for event in seen]
        # Two numbers were skipped for the guest, and still there is no hole: `prev` says so.
        assert seen[0]["seq"] - public["seq"] == 2


async def test_an_action_is_acknowledged_with_the_seq_it_produced(address, cup):
    match = await sync_to_async(factories.match_number)(cup, 1)
    async with client(address, await path(f"tournament:{cup.pk}", cup.created_by)) as socket:
        await open_room(socket)
        await socket.send("start_match", "c1", match_id=match.pk)
        ack = await socket.until("ack")
        assert ack["id"] == "c1"
        assert ack["data"] == {"match_id": match.pk}
        event = (await sync_to_async(log.read)(cup.stream, after=ack["seq"] - 1, limit=1))[0]
        assert (event.type, event.subject) == ("match_started", f"match:{match.pk}")


async def test_abuse_18_an_action_that_is_sent_twice_has_one_effect_and_the_same_answer(address, cup):
    match = await sync_to_async(factories.match_number)(cup, 1)
    room = f"match:{match.pk}"
    async with client(address, await path(room, cup.created_by)) as socket:
        await open_room(socket)
        await socket.send("start_match", "same")
        first = await socket.until("ack")
    async with client(address, await path(room, cup.created_by)) as socket:
        await open_room(socket)
        await socket.send("start_match", "same")
        assert await socket.until("ack") == first
    started = await sync_to_async(
        lambda: [e for e in log.read(cup.stream, after=0, limit=99) if e.type == "match_started"]
    )()
    assert len(started) == 1


async def test_the_players_of_a_match_report_and_confirm_over_the_socket(address, cup):
    match = await sync_to_async(factories.match_number)(cup, 1)
    room = f"match:{match.pk}"
    async with (
        client(address, await path(room, match.home.user)) as home,
        client(address, await path(room, match.away.user)) as away,
    ):
        welcome, _ = await open_room(home)
        assert (welcome["role"], welcome["is_participant"]) == ("player", True)
        await open_room(away)
        await home.send("report_score", "r1", home_score=3, away_score=1)
        assert (await home.until("ack"))["id"] == "r1"
        await home.send("confirm_result", "r2")
        assert (await home.until("error"))["code"] == "conflict"
        assert (await away.until("result_reported"))["data"]["match"]["reported_by"] == "home"
        await away.send("confirm_result", "r3")
        assert (await away.until("ack"))["id"] == "r3"
    match = await Match.objects.aget(pk=match.pk)
    assert (match.state, match.winner_id, match.home_score, match.away_score) == ("completed", match.home_id, 3, 1)


async def test_a_refusal_says_why_and_changes_nothing(address, cup):
    match = await sync_to_async(factories.match_number)(cup, 1)
    async with client(address, await path(f"tournament:{cup.pk}")) as socket:
        _, snapshot = await open_room(socket)
        await socket.send("start_match", "g1", match_id=match.pk)
        error = await socket.until("error")
        assert (error["code"], error["id"]) == ("authentication_required", "g1")
    async with client(address, await path(f"tournament:{cup.pk}", cup.created_by)) as socket:
        await open_room(socket)
        await socket.send("update_score", "o1", match_id=match.pk, home_score=1, away_score=0)
        error = await socket.until("error")
        assert error["code"] == "conflict"
        assert error["data"]["state"] == "ready"
        assert "start_match" in error["data"]["possible"]
        await socket.send("start_match", "o2", match_id=match.pk, expected_version=99)
        assert (await socket.until("error"))["data"]["match"]["version"] == 1
        await socket.send("complete_match", "o3")
        assert (await socket.until("error"))["code"] == "bad_request"
    assert (await sync_to_async(log.positions)([cup.stream]))[cup.stream].seq == snapshot["seq"]


async def test_a_room_does_not_act_on_another_tournament(address, cup):
    other = await sync_to_async(factories.drawn)(2, cup.created_by)
    foreign = await sync_to_async(factories.match_number)(other, 1)
    match = await sync_to_async(factories.match_number)(cup, 1)
    for room in (f"tournament:{cup.pk}", f"match:{match.pk}"):
        async with client(address, await path(room, cup.created_by)) as socket:
            await open_room(socket)
            await socket.send("start_match", f"x-{room}", match_id=foreign.pk)
            assert (await socket.until("error"))["code"] == "not_found"
    assert (await Match.objects.aget(pk=foreign.pk)).state == "ready"


async def test_ping_is_answered_and_subscribe_names_the_room(address, cup):
    async with client(address, await path(f"tournament:{cup.pk}")) as socket:
        await open_room(socket)
        await socket.send("ping", "p")
        assert (await socket.until("pong"))["id"] == "p"
        await socket.send("subscribe")
        assert await socket.until("subscribed") == {"type": "subscribed", "room": f"tournament:{cup.pk}"}


async def test_abuse_56_a_lost_hint_costs_a_moment_not_an_event(address, cup, settings, monkeypatch):
    monkeypatch.setattr("apps.tournaments.realtime.utils.HINT", "x")
    monkeypatch.setattr("apps.eventlog.log._sinks", lambda: ())
    async with client(address, await path(f"tournament:{cup.pk}")) as socket:
        await open_room(socket)
        seq = await play(cup, 1)
        await socket.events_until(seq)


async def test_many_watchers_all_get_every_event(address, cup):
    match = await sync_to_async(factories.match_number)(cup, 1)
    await sync_to_async(matches.start)(referee(cup), match.pk)
    room = f"tournament:{cup.pk}"
    async with asyncio.TaskGroup() as group:
        ready = asyncio.Semaphore(0)

        async def watch() -> list[int]:
            async with client(address, await path(room)) as socket:
                await open_room(socket)
                start = socket.mine
                ready.release()
                events = await socket.events_until(start + 30)
                return [event["seq"] - start for event in events]

        watchers = [group.create_task(watch()) for _ in range(50)]
        for _ in watchers:
            await ready.acquire()
        for goals in range(30):
            await sync_to_async(matches.update_score)(referee(cup), match.pk, Score(goals + 1, 0))
    assert all(watcher.result() == list(range(1, 31)) for watcher in watchers)


async def test_joining_while_events_flow_never_leaves_a_hole(address, cup):
    """Clients come while scores change: snapshot, then events, and the sum is the state of the log."""
    match = await sync_to_async(factories.match_number)(cup, 1)
    await sync_to_async(matches.start)(referee(cup), match.pk)
    room = f"tournament:{cup.pk}"

    async def watch() -> tuple[int, dict]:
        async with client(address, await path(room)) as socket:
            _, snapshot = await open_room(socket)
            state = snapshot["data"]
            while state["matches"][str(match.pk)]["home_score"] < 60:
                event = await socket.next_event()
                apply(state, event["data"])
            return socket.mine, state

    watchers = []
    async with asyncio.TaskGroup() as group:
        for goals in range(60):
            await sync_to_async(matches.update_score)(referee(cup), match.pk, Score(goals + 1, 0))
            if goals % 4 == 0:
                watchers.append(group.create_task(watch()))
    expected = await sync_to_async(tournament_snapshot)(cup.pk, audience="public")
    for watcher in watchers:
        assert watcher.result() == (expected.position.seq, expected.data)


async def test_registration_reaches_the_room(address):
    cup = await sync_to_async(factories.open_with_entries)(1, capacity=2)
    users = [await sync_to_async(factories.make_user)() for _ in range(2)]
    async with client(address, await path(f"tournament:{cup.pk}")) as socket:
        await open_room(socket)
        for user in users:
            await sync_to_async(entries.register)(Actor(user), cup.pk)
        assert (await socket.receive())["data"]["entry"]["status"] == "confirmed"
        assert (await socket.receive())["data"]["entry"]["status"] == "waitlisted"


async def test_a_restored_backup_sends_everybody_to_a_fresh_snapshot(address, cup):
    async with client(address, await path(f"tournament:{cup.pk}")) as socket:
        _, before = await open_room(socket)
        await sync_to_async(call_command)("new_epoch", stdout=StringIO())
        assert await socket.closed() == 4500
    position = f"{before['epoch']}:{before['seq']}"
    async with client(address, await path(f"tournament:{cup.pk}", since=position)) as socket:
        welcome, after = await open_room(socket)
        assert not welcome["resumed"]
        assert after["epoch"] != before["epoch"]
        await socket.events_until(await play(cup, 1))


async def test_no_ping_comes_before_the_welcome_however_long_that_takes(address, cup, settings, monkeypatch):
    settings.WS_HEARTBEAT_INTERVAL = 0.1
    past = history.past

    async def after_some_heartbeats(*arguments):
        await asyncio.sleep(0.5)
        return await past(*arguments)

    monkeypatch.setattr("apps.tournaments.realtime.history.past", after_some_heartbeats)
    async with client(address, await path(cup.stream)) as socket:
        await open_room(socket)
        await socket.until("ping")
