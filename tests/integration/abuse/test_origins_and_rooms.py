"""Connections from other sites, to rooms that are none, and into rooms of others."""

import asyncio
import random
from collections import Counter
from itertools import product

import msgspec
import pytest
from asgiref.sync import sync_to_async
from django.db.backends.utils import CursorWrapper
from websockets.datastructures import Headers
from websockets.exceptions import InvalidStatus

from apps.accounts.tokens import Identity, issue_room_token
from apps.eventlog import log
from apps.eventlog.log import PUBLIC, STAFF, Recorded
from apps.tournaments.models import Status, Tournament
from apps.tournaments.realtime.hub import Hub
from apps.tournaments.realtime.rooms import Room
from apps.tournaments.services import Actor, matches
from engine.match_flow import Score
from tests import factories
from tests.fanout import AtOnce, frames_of
from tests.integration.realtime.door import path, with_token
from tests.rooms import refusal, refused, token_for
from tests.server import client

pytestmark = pytest.mark.django_db(transaction=True)

NO_ROOM = '{"type":"error","code":"not_found","message":"There is no such room.","close_code":4404}'


async def test_abuse_12_a_foreign_origin_4003(address, cup, settings):
    settings.WS_ALLOWED_ORIGINS = ["https://good.example"]
    foreign = [
        "https://evil.example",
        "https://good.example.evil.example",
        "https://evil.example#@good.example",
        "https://good.example@evil.example",
        "http://good.example",
        "https://good.example:444",
        "https://good.example/",
        "https://good.example.",
        "https://good.example:99999",
        "https://good.example:port",
        "good.example",
        "http://[",
        "null",
        "*",
        "",
    ]
    headers = {origin: Headers([("Origin", origin)]) for origin in foreign}
    headers["two"] = Headers([("Origin", "https://good.example")] * 2)
    for origin, sent in headers.items():
        answer = await refused(address, path(cup), additional_headers=sent, origin=None)
        assert answer == (4003, "forbidden"), origin
    for origin in ("https://good.example", "https://GOOD.example", "https://good.example:443"):
        async with client(address, path(cup), additional_headers={"Origin": origin}) as socket:
            assert (await socket.receive())["type"] == "connection_established"


async def test_abuse_12_without_an_origin_a_token_in_the_address_4003(address, cup):
    token = token_for(cup.stream)
    assert await refused(address, with_token(cup, token), origin=None) == (4003, "forbidden")
    offer = ["deltacrown.v1", f"bearer.{token}"]
    async with client(address, f"/ws/tournament/{cup.pk}/", origin=None, subprotocols=offer) as socket:
        assert (await socket.receive())["type"] == "connection_established"


async def test_abuse_20_a_private_room_and_one_that_is_not_there_answer_alike(address, cup, holder, monkeypatch):
    """The same bytes for the same work: neither what is said nor how long it takes tells that a draft exists."""
    await Tournament.objects.filter(pk=cup.pk).aupdate(status=Status.DRAFT)
    match = await sync_to_async(factories.match_number)(cup, 1)
    reads, execute = [], CursorWrapper.execute

    def counted(self, sql, params=None):
        reads.append(sql) if sql.lstrip().startswith("SELECT") else None
        return execute(self, sql, params)

    monkeypatch.setattr(CursorWrapper, "execute", counted)

    async def answer(room: str, who) -> tuple[int, str, int]:
        reads.clear()
        token = issue_room_token(room, who)[0]
        return *await refusal(address, f"/ws/{room.replace(':', '/')}/?token={token}"), len(reads)

    for kind, private in (("tournament", cup.pk), ("match", match.pk)):
        for who, queries in ((None, 1), (holder, 2)):
            for room_id in (private, 10**15):
                assert await answer(f"{kind}:{room_id}", who) == (4404, NO_ROOM, queries), (kind, room_id, who)

    organizer = await sync_to_async(factories.signed_in)(cup.created_by)
    async with client(address, path(cup, organizer)) as own:
        assert (await own.receive())["data"]["role"] == "organizer"


async def test_abuse_21_an_id_in_another_spelling_4000(address, cup):
    number = str(cup.pk)
    spellings = [
        "",
        "0",
        f"00{number}",
        "%D9%A3",
        f"-{number}",
        f"+{number}",
        f"{number}.0",
        f"{number}%0A",
        f"%20{number}",
    ]
    spellings += ["1e3", "9" * 19, "1" + "0" * 30, "abc", "0x1", "1_0", "%00", "550E8400-E29B-41D4-A716-446655440000"]
    for kind in ("tournament", "match"):
        for spelling in spellings:
            answer = await refused(address, f"/ws/{kind}/{spelling}/?token={token_for(cup.stream)}")
            assert answer == (4000, "bad_request"), (kind, spelling)


async def test_abuse_21_an_address_that_is_no_room_404(address):
    paths = ["/ws/", "/ws/tournament/3", "/ws/other/3/", "/ws/Tournament/3/", "/ws/tournament/3/4/", "/nothing/"]
    paths += ["/ws/tournament/3/../4/", "/ws/tournament/3%2F..%2F4/", "//ws/tournament/3/", "/ws/tournament/3/%0A"]
    for path_ in paths:
        with pytest.raises(InvalidStatus) as refusal_:
            async with client(address, path_):
                pass
        assert refusal_.value.response.status_code == 404, path_


class Member:
    """A connection as the hub sees it, which keeps what it is given."""

    heard_at = ping_at = expires_at = float("inf")
    warned = True
    live = False  # so nobody tells it who watches
    identity = Identity("guest:1", "guest", None, "", 300.0, "")

    def __init__(self) -> None:
        self.given: list[str] = []

    def deliver(self, batch) -> None:
        self.given += [frame["data"]["of"] for frame in frames_of(batch)]


async def test_abuse_22_ten_thousand_joins_and_leaves_bring_nobody_an_event_of_another_room(transactional_db):
    chance, hub_, members = random.Random(22), Hub(), {}
    hub_.fanout = AtOnce()
    streams = {f"tournament:{n}": 0 for n in (1, 2)}
    subjects = ("", "match:1", "match:2")
    rooms = [Room(*of) for of in product(streams, subjects, (PUBLIC, STAFF))]
    for stream in streams:
        await sync_to_async(log.ensure)(stream)
    anchors = {Member(): Room(stream, "", PUBLIC) for stream in streams}  # keep the streams followed
    feeds = {room.stream: await hub_.join(anchor, room) for anchor, room in anchors.items()}
    for number in range(10_000):
        member, room = Member(), chance.choice(rooms)
        await hub_.join(member, room)
        members[member] = room
        if len(members) > 40:
            leaver = chance.choice(list(members))
            del members[leaver]
            hub_.leave(leaver)
        stream, subject, audience = chance.choice(rooms)
        streams[stream] += 1
        event = Recorded(
            stream=stream,
            epoch=feeds[stream].position.epoch,
            seq=streams[stream],
            type="match_started",
            audience=audience,
            subject=subject,
            data=msgspec.Raw(b'{"of": %d}' % number),
            at="2026-01-01T00:00:00.000Z",
        )
        hub_.receive([event])
        for member, room in members.items():
            theirs = room.stream == stream and room.subject in ("", subject) and audience in (PUBLIC, room.audience)
            assert member.given[-1:] == [number] if theirs else number not in member.given[-1:]
    for member in (*members, *anchors):
        hub_.leave(member)
    assert not hub_.feeds


def belongs(frame: dict, cup: Tournament, matches_: set[int]) -> bool:
    """Return whether a frame is one of a room of this tournament and these matches."""
    data = frame.get("data", {})
    match frame["type"]:
        case "connection_established":
            return data["tournament_id"] == cup.pk
        case "snapshot":
            return data["tournament"]["id"] == cup.pk and set(map(int, data["matches"])) == matches_
        case "pong":
            return True
    return data["tournament"]["id"] == cup.pk if "tournament" in data else data["match"]["id"] in matches_


async def test_abuse_22_clients_that_change_rooms_see_the_events_of_their_room_alone(address, settings):
    """They change rooms at random while matches are played."""
    settings.WS_RATE_ENABLED = False
    chance, rooms = random.Random(22), {}
    cups = [await sync_to_async(factories.drawn)(4) for _ in range(2)]
    for cup in cups:
        ids = {match.pk async for match in cup.matches.all()}
        rooms |= {cup.stream: (cup, ids)} | {f"match:{pk}": (cup, {pk}) for pk in ids}
    playing, kinds = asyncio.Event(), Counter()

    async def wander() -> None:
        while not playing.is_set():
            room = chance.choice(sorted(rooms))
            async with client(address, f"/ws/{room.replace(':', '/')}/?token={token_for(room)}") as socket:
                for _ in range(chance.randrange(1, 30)):
                    await socket.send("ping")
                    while (frame := await socket.receive())["type"] != "pong":
                        assert belongs(frame, *rooms[room]), (room, frame)
                        kinds[frame["type"]] += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(wander())
        await play(cups, lambda: kinds["snapshot"] >= 20 <= kinds["score_updated"])
        playing.set()
    assert kinds["snapshot"] >= 20 <= kinds["score_updated"]


async def play(cups, enough) -> None:
    """Score goal after goal in two matches of each tournament."""
    games = []
    for cup in cups:
        for number in (1, 2):
            match = await sync_to_async(factories.match_number)(cup, number)
            games.append((Actor(cup.created_by), match.pk))
            await sync_to_async(matches.start)(*games[-1])
    for goals in range(1, 999):
        for referee, match_id in games:
            await sync_to_async(matches.update_score)(referee, match_id, Score(goals, 0))
        if enough():
            return
