"""What an operator sees: figures of each process, and one line in the log for each connection."""

import asyncio
import re
from http.client import HTTPConnection

import pytest
from asgiref.sync import sync_to_async
from prometheus_client.parser import text_string_to_metric_families

from apps.accounts.tokens import issue_room_token
from apps.tournaments.models import Tournament
from apps.tournaments.services import Actor, matches
from tests import factories
from tests.rooms import open_room
from tests.server import client, wait_for

pytestmark = pytest.mark.django_db(transaction=True)
Figures = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def cup(transactional_db: None) -> Tournament:
    return factories.drawn(2)


@pytest.fixture(autouse=True)
def token(settings) -> None:
    settings.METRICS_TOKEN = "for-the-operator"


def path(cup: Tournament, holder=None) -> str:
    return f"/ws/tournament/{cup.pk}/?token={issue_room_token(cup.stream, holder)[0]}"


def ask(address: str, authorization: str) -> tuple[int, str]:
    connection = HTTPConnection(address, timeout=10)
    try:
        connection.request("GET", "/metrics", headers={"Authorization": authorization} if authorization else {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def scrape(address: str) -> Figures:
    """Return every figure by its name and labels."""
    status, text = ask(address, "Bearer for-the-operator")
    assert status == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def figure(figures: Figures, name: str, **labels: str) -> float:
    return figures.get((name, frozenset(labels.items())), 0)


def lines(caplog) -> list[dict]:
    return [r.msg for r in caplog.records if isinstance(r.msg, dict) and r.msg["event"] == "connection_closed"]


class TestFigures:
    @pytest.mark.parametrize("sent", ["", "Bearer", "Bearer wrong", "for-the-operator-2", "Bearer för-the-operator"])
    def test_are_for_whoever_has_the_token(self, address, sent):
        status, text = ask(address, sent.encode().decode("latin-1"))
        assert status == 403
        assert "rt_" not in text

    @pytest.mark.parametrize("sent", ["Bearer ", "Bearer None", ""])
    def test_are_for_nobody_when_there_is_no_token(self, address, settings, sent):
        settings.METRICS_TOKEN = ""
        assert ask(address, sent)[0] == 403

    async def test_follow_what_happens(self, address, cup):
        holder = await sync_to_async(factories.signed_in)(cup.created_by)
        match = await sync_to_async(factories.match_number)(cup, 1)
        before = await asyncio.to_thread(scrape, address)
        async with client(address, path(cup, holder)) as one, client(address, path(cup)) as two:
            await open_room(one)
            await open_room(two)
            await one.send("ping", "a")
            await one.until("pong")
            await one.socket.send("{")
            await one.until("error")
            await sync_to_async(matches.start)(Actor(cup.created_by), match.pk)
            await one.next_event()
            await two.next_event()
            await two.send("subscribe", "b")
            await two.until("subscribed")
            during = await asyncio.to_thread(scrape, address)
        await asyncio.to_thread(wait_for, lambda: figure(scrape(address), "rt_leases", limit="seats") == 0)
        after = await asyncio.to_thread(scrape, address)

        def grown(figures: Figures, name: str, **labels: str) -> float:
            return figure(figures, name, **labels) - figure(before, name, **labels)

        assert figure(during, "rt_connections", kind="tournament", role="organizer") == 1
        assert figure(during, "rt_connections", kind="tournament", role="spectator") == 1
        assert figure(during, "rt_rooms", kind="tournament") == 2  # what staff and what everybody sees
        assert figure(during, "rt_leases", limit="seats") == 2
        assert grown(during, "rt_messages_in_total", type="ping") == 1
        assert grown(during, "rt_messages_in_total", type="subscribe") == 1
        assert grown(during, "rt_messages_unreadable_total", code="invalid_json") == 1
        assert grown(during, "rt_resumes_total", result="snapshot") == 2
        assert grown(during, "rt_event_delay_seconds_count") >= 1
        assert grown(after, "rt_handshakes_total", result="accepted") == 2
        assert grown(after, "rt_closes_total", code="1000", initiator="client") == 2
        assert not any(name == "rt_connections" for name, _ in after)

    async def test_can_be_read_while_connections_come_and_go(self, address, cup, settings):
        settings.WS_RATE_HANDSHAKE_BURST_IP = 1000

        async def come_and_go() -> None:
            for _ in range(20):
                async with client(address, path(cup)) as socket:
                    await open_room(socket)

        coming = asyncio.gather(*(come_and_go() for _ in range(4)))
        while not coming.done():
            figures = await asyncio.to_thread(scrape, address)
            assert figure(figures, "rt_bus_up") in (0, 1)
            assert figure(figures, "rt_io_uring") in (0, 1)
        await coming


class TestLogLine:
    async def test_tells_who_where_how_long_and_how_it_ended(self, address, cup, caplog, monkeypatch):
        monkeypatch.setattr("apps.tournaments.realtime.presence.TICK_SECONDS", 3600)  # a frame more, or not
        caplog.set_level("INFO")
        holder = await sync_to_async(factories.signed_in)(cup.created_by)
        async with client(address, path(cup, holder)) as socket:
            await open_room(socket)
            await socket.send("ping", "a")
            await socket.until("pong")
            await socket.socket.close(1000, "bye")
        wait_for(lambda: lines(caplog))
        [line] = lines(caplog)
        assert re.fullmatch("[0-9a-f]{32}", line.pop("connection"))
        assert re.fullmatch("[0-9a-f]{12}", line.pop("address"))
        assert 0 < line.pop("seconds") < 60
        for of_the_logger in ("level", "logger", "timestamp"):
            line.pop(of_the_logger)
        assert line == {
            "event": "connection_closed",
            "room": cup.stream,
            "user": f"user:{holder.user.pk}",
            "role": "organizer",
            "code": 1000,
            "initiator": "client",
            "resumed": False,
            "received": 1,
            "sent": 3,
        }

    async def test_is_one_for_each_connection_however_it_ends(self, address, cup, caplog, settings):
        caplog.set_level("INFO")
        settings.WS_RATE_ROOM_MAX_MEMBERS = 1
        async with client(address, path(cup)) as left, client(address, path(cup)) as refused:
            await open_room(left)
            assert await refused.closed() == 4010
            left.socket.transport.abort()
        wait_for(lambda: len(lines(caplog)) == 2)
        async with client(address, f"/ws/tournament/{cup.pk}/?token=x") as forged:
            assert await forged.closed() == 4003
        async with client(address, path(cup)) as unreadable:
            for _ in range(3):
                await unreadable.socket.send("{")
            assert await unreadable.closed() == 4000
        wait_for(lambda: len(lines(caplog)) == 4)
        ends = {(line["code"], line["initiator"], line["role"]) for line in lines(caplog)}
        assert ends == {
            (4010, "server", ""),
            (1006, "client", "spectator"),
            (4003, "server", ""),
            (4000, "server", "spectator"),
        }

    async def test_does_not_tell_an_address(self, address, cup, caplog):
        caplog.set_level("INFO")
        async with client(address, path(cup)) as socket:
            await open_room(socket)
        wait_for(lambda: lines(caplog))
        assert "127.0.0.1" not in repr(lines(caplog))
