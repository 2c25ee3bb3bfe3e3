"""The same rooms over Server-Sent Events."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from asgiref.sync import sync_to_async

from apps.accounts.revocation import end_session
from apps.accounts.tokens import issue_room_token
from apps.tournaments.models import Role, Tournament
from apps.tournaments.realtime.hub import hub
from apps.tournaments.services import Actor, matches, tournaments
from engine.match_flow import Score
from tests import factories
from tests.server import DEADLINE, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("every_score")]


@pytest.fixture
def cup(transactional_db: None) -> Tournament:
    return factories.drawn(4)


class Stream:
    """A response that goes on: its status, its headers, and the events as they come."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.rest = b""

    async def begin(self) -> None:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.rstrip().split("\r\n")
        self.status = int(first.split()[1])
        self.headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}

    async def body(self) -> dict:
        """Return what stands in a response that has a length."""
        return json.loads(await self.reader.readexactly(int(self.headers["content-length"])))

    async def event(self) -> tuple[str | None, dict]:
        """Return the next event's id and frame. What is no event is read and left."""
        while True:
            block = await self._block()
            if block is None:
                raise EOFError
            fields = dict(line.split(": ", 1) for line in block.split("\n"))
            if "data" in fields:
                return fields.get("id"), json.loads(fields["data"])

    async def until(self, type_: str) -> tuple[str | None, dict]:
        while (found := await self.event())[1]["type"] != type_:
            pass
        return found

    async def _block(self) -> str | None:
        while b"\n\n" not in self.rest:
            size = int((await self.reader.readuntil(b"\r\n")).strip() or b"0", 16)
            if not size:
                return None
            self.rest += (await self.reader.readexactly(size + 2))[:-2]
        block, _, self.rest = self.rest.partition(b"\n\n")
        return block.decode()


@asynccontextmanager
async def get(address: str, path: str, *, method: str = "GET", **headers: str) -> AsyncIterator[Stream]:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = [f"{method} {path} HTTP/1.1", f"Host: {address}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    stream = Stream(reader, writer)
    try:
        async with asyncio.timeout(DEADLINE):
            await stream.begin()
            yield stream
    finally:
        writer.close()


def bearer(room: str, holder=None) -> dict[str, str]:
    return {"Authorization": f"Bearer {issue_room_token(room, holder)[0]}"}


async def open_match(cup: Tournament):
    match = await sync_to_async(factories.match_number)(cup, 1)
    await sync_to_async(matches.start)(Actor(cup.created_by), match.pk)
    return match


async def score(cup: Tournament, match, goals: int) -> int:
    done = await sync_to_async(matches.update_score)(Actor(cup.created_by), match.pk, Score(goals, 0))
    return done.seq


async def test_the_frames_of_a_room_with_their_places_in_the_log(address, cup):
    match = await open_match(cup)
    async with get(address, f"/sse/tournament/{cup.pk}/", **bearer(cup.stream)) as stream:
        assert stream.status == 200
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert (stream.headers["cache-control"], stream.headers["x-accel-buffering"]) == ("no-store", "no")
        place, welcome = await stream.event()
        assert (place, welcome["type"]) == (None, "connection_established")
        place, snapshot = await stream.event()
        assert snapshot["type"] == "snapshot"
        assert place == f"{snapshot['epoch']}:{snapshot['seq']}"
        seq = await score(cup, match, 1)
        place, frame = await stream.event()
        assert (place, frame["type"], frame["seq"]) == (f"{snapshot['epoch']}:{seq}", "score_updated", seq)


async def test_a_match_has_a_stream_as_well(address, cup):
    match = await open_match(cup)
    async with get(address, f"/sse/match/{match.pk}/", **bearer(match.subject)) as stream:
        assert list((await stream.until("snapshot"))[1]["data"]["matches"]) == [str(match.pk)]


async def test_the_last_event_s_id_is_where_it_goes_on(address, cup):
    match = await open_match(cup)
    async with get(address, f"/sse/tournament/{cup.pk}/", **bearer(cup.stream)) as stream:
        place, _ = await stream.until("snapshot")
    seqs = [await score(cup, match, goals) for goals in (1, 2)]
    resumed = bearer(cup.stream) | {"Last_Event_ID": place}
    async with get(address, f"/sse/tournament/{cup.pk}/", **resumed) as stream:
        assert (await stream.event())[1]["data"]["resumed"] is True
        assert [(await stream.event())[1]["seq"] for _ in seqs] == seqs


@pytest.mark.parametrize("place", ["x:1", "&token=x", "e:٣", "e:99999999999999999999"])
async def test_abuse_62_a_forged_id_is_answered_with_a_snapshot(address, cup, place):
    forged = bearer(cup.stream) | {"Last_Event_ID": place}
    async with get(address, f"/sse/tournament/{cup.pk}/", **forged) as stream:
        assert (await stream.event())[1]["data"]["resumed"] is False
        await stream.until("snapshot")


async def test_abuse_62_over_events_the_same_is_refused_with_a_status_and_the_error_as_body(address, cup, settings):
    path = f"/sse/tournament/{cup.pk}/"
    draft = await sync_to_async(factories.make_tournament)()
    refused = [
        (path, {}, 403, 4003),  # neither an origin nor a token outside the address
        (path, {"Origin": f"http://{address}"}, 401, 4001),
        (path, {"Authorization": "Bearer x.y.z"}, 403, 4003),
        (path, bearer(cup.stream) | {"Origin": "http://evil.example"}, 403, 4003),
        (f"/sse/tournament/{draft.pk}/", bearer(draft.stream), 404, 4404),
        ("/sse/tournament/003/", bearer("tournament:3"), 400, 4000),
    ]
    for target, headers, status, code in refused:
        async with get(address, target, **headers) as stream:
            assert stream.status == status, target
            assert (await stream.body())["close_code"] == code
    settings.WS_RATE_ROOM_MAX_MEMBERS = 0
    async with get(address, path, **bearer(cup.stream)) as stream:
        assert (stream.status, (await stream.body())["close_code"]) == (429, 4010)
        assert 5 <= int(stream.headers["retry-after"]) <= 10


async def test_what_is_no_room_404_and_what_is_no_get_405(address, cup):
    async with get(address, "/sse/nothing/", **bearer(cup.stream)) as stream:
        assert stream.status == 404
    async with get(address, f"/sse/tournament/{cup.pk}/", method="POST", Content_Length="0") as stream:
        assert (stream.status, stream.headers["allow"]) == (405, "GET")


async def test_a_page_of_the_site_may_have_its_token_in_the_address_and_another_page_may_not(address, cup):
    for site, status in (("same-origin", 200), ("cross-site", 403)):
        token = issue_room_token(cup.stream, None)[0]
        async with get(address, f"/sse/tournament/{cup.pk}/?token={token}", Sec_Fetch_Site=site) as stream:
            assert stream.status == status


async def test_pings_keep_it_alive_without_a_word_from_the_client(address, cup, settings):
    settings.WS_HEARTBEAT_INTERVAL, settings.WS_HEARTBEAT_TIMEOUT = 0.1, 0.6
    async with get(address, f"/sse/tournament/{cup.pk}/", **bearer(cup.stream)) as stream:
        for _ in range(12):
            await stream.until("ping")


async def test_signing_out_ends_it_with_a_reason(address, cup):
    holder = await sync_to_async(factories.signed_in)(await sync_to_async(factories.make_user)())
    async with get(address, f"/sse/tournament/{cup.pk}/", **bearer(cup.stream, holder)) as stream:
        await stream.until("snapshot")
        await sync_to_async(end_session)(holder.session_key)
        assert (await stream.until("error"))[1]["close_code"] == 4001
        with pytest.raises(EOFError):
            await stream.event()


async def test_a_client_that_goes_leaves_nothing(address, cup):
    async with get(address, f"/sse/tournament/{cup.pk}/", **bearer(cup.stream)) as stream:
        await stream.until("snapshot")
        assert len(hub.connections) == 1
    await asyncio.to_thread(wait_for, lambda: not hub.connections)


async def test_a_referee_s_stream_shows_what_is_for_the_staff(address, cup):
    holder = await sync_to_async(factories.signed_in)(cup.created_by)
    async with get(address, f"/sse/tournament/{cup.pk}/", **bearer(cup.stream, holder)) as stream:
        assert (await stream.event())[1]["data"]["role"] == "organizer"
        assert (await stream.until("snapshot"))[1]["data"]["staff"]
        other = await sync_to_async(factories.make_user)()
        await sync_to_async(tournaments.add_member)(
            Actor(cup.created_by), cup.pk, username=other.username, role=Role.REFEREE
        )
        assert (await stream.until("member_added"))[1]["data"]["member"]["id"] == other.pk
