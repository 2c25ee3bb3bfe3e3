"""The operators' page: what each process does, what the others say, and what is shown when they cannot be heard."""

import asyncio
import re
from contextlib import ExitStack
from http.client import HTTPConnection

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from redis import Redis

from apps import workers
from apps.tournaments.realtime import metrics, vitals
from apps.tournaments.realtime.vitals import EXPIRY_SECONDS, Monitor, report, reports
from apps.tournaments.services import Actor, matches
from deltacrown.ops import ALONE, UNHEARD
from tests import factories
from tests.rooms import open_room, path
from tests.server import ServerProcess, client, wait_for

NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
def root(db):
    browser = Client()
    browser.force_login(factories.make_user("root", is_superuser=True))
    return browser


def rows(html: str) -> dict[str, list[str]]:
    """Return the cells of each process, by its name."""
    found = re.findall(r'<tr data-process="(\w+)">(.*?)</tr>', html, re.DOTALL)
    return {name: [words(cell) for cell in re.findall(r"<td.*?</td>", row, re.DOTALL)] for name, row in found}


def words(html: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", html).split())


class TestWho:
    def test_administrators_alone(self, client, root):
        assert root.get("/ops/").status_code == 200
        assert client.get("/ops/")["Location"] == "/accounts/login/?next=/ops/"
        for user in (factories.make_user(), factories.make_user(is_staff=True)):
            browser = Client()
            browser.force_login(user)
            assert browser.get("/ops/").status_code == 403
            assert browser.get("/ops/?region=ops").status_code == 403

    def test_the_page_asks_again_with_and_without_scripts(self, root):
        html = root.get("/ops/").content.decode()
        assert 'data-region="ops" data-poll="2"' in html
        assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in html
        part = root.get("/ops/?region=ops").content.decode()
        assert "<html" not in part
        assert rows(part)


class TestHealth:
    def test_says_what_answers(self, root, settings, redis_url):
        settings.REDIS_URL = redis_url
        assert root.get("/ops/").content.decode().count("answers in") == 2

    def test_without_redis_each_process_knows_of_itself_alone_and_says_so(self, root, settings):
        settings.REDIS_URL = ""
        html = root.get("/ops/").content.decode()
        assert str(ALONE) in html
        assert "not set up" in html
        assert list(rows(html)) == [vitals.monitor.process]

    def test_with_redis_away_the_page_comes_all_the_same(self, root, settings):
        settings.REDIS_URL = NOWHERE
        html = root.get("/ops/").content.decode()
        assert str(UNHEARD) in html
        assert "does not answer" in html
        assert list(rows(html)) == [vitals.monitor.process]

    def test_says_when_a_worker_last_ran(self, root, settings):
        settings.REDIS_URL = ""
        workers.ran.labels("deadlines").set(1_790_000_000)
        assert "Worker: deadlines last ran 14:13:20 UTC" in words(root.get("/ops/").content.decode())


class TestFigures:
    def test_rates_and_delays_are_of_the_last_seconds(self):
        now = [1000.0]
        monitor = Monitor(lambda: now[0])
        first = monitor.vitals()
        assert (first.events, first.delay_ms) == (0, None)
        for _ in range(99):
            metrics.delays.observe(0.003)
        metrics.delays.observe(7)
        metrics.limited.labels("messages").inc(20)
        now[0] += 10
        second = monitor.vitals()
        assert (second.events, second.refusals, second.delay_ms) == (10, 2, 5)
        assert second.refused["messages"] - first.refused.get("messages", 0) == 20
        for _ in range(5):
            metrics.delays.observe(99)
        now[0] += 5
        assert monitor.vitals().delay_ms == vitals.BEYOND_MS
        for _ in range(40):
            now[0] += 2
            monitor.vitals()
        quiet = monitor.vitals()
        assert (quiet.events, quiet.refusals, quiet.delay_ms) == (0, 0, None)
        assert len(monitor._samples) < 15


class TestOthers:
    def test_a_process_that_says_nothing_any_more_is_gone(self, redis_url):
        mine = Monitor().vitals()
        with Redis.from_url(redis_url) as redis:
            report(redis, mine)
            key = f"deltacrown:process:{mine.process}"
            assert 0 < redis.ttl(key) <= EXPIRY_SECONDS
            assert mine in reports(redis_url)
            redis.delete(key)  # as its end would
            assert mine not in reports(redis_url)
            assert not redis.sismember("deltacrown:processes", mine.process)

    def test_what_the_site_has_not_signed_is_nothing(self, redis_url):
        mine = Monitor().vitals()
        with Redis.from_url(redis_url) as redis:
            report(redis, mine)
            key = f"deltacrown:process:{mine.process}"
            signed = redis.get(key)
            for forged in (signed.replace(b'"connections":0', b'"connections":9'), b"", b"\xff", b"{}:x"):
                redis.set(key, forged)
                assert all(found.process != mine.process for found in reports(redis_url))
            redis.delete(key)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("bus", ["with a bus", "without a bus"])
async def test_two_processes_show_each_other(request, transactional_db, bus):
    redis = request.getfixturevalue("redis_url") if bus == "with a bus" else ""
    cup, session = await sync_to_async(_scene)()
    with ExitStack() as stack:
        here, there = (stack.enter_context(ServerProcess(REDIS_URL=redis, METRICS_TOKEN="x")) for _ in range(2))

        def shown(at: ServerProcess) -> str:
            connection = HTTPConnection(at.address, timeout=10)
            connection.request("GET", "/ops/", headers={"Cookie": f"sessionid={session}"})
            answer = connection.getresponse()
            text = answer.read().decode()
            connection.close()
            assert answer.status == 200
            return text

        def connections(at: ServerProcess) -> list[int]:
            return [int(cells[0]) for cells in rows(shown(at)).values()]

        async with (
            client(there.address, await path(cup.stream)) as one,
            client(there.address, await path(cup.stream)) as two,
        ):
            await open_room(one)
            await open_room(two)
            await asyncio.to_thread(shown, there)  # rates are from one look to the next
            await sync_to_async(_start)(cup)
            await one.next_event()
            if redis:
                await asyncio.to_thread(wait_for, lambda: connections(here) == [0, 2])
                assert connections(there) == [2, 0]
                assert "Connections</dt><dd>2<" in shown(here)
                assert f"{cup.stream} 2 connections" in words(shown(here))
            else:
                assert connections(there) == [2]
                assert connections(here) == [0]
                assert str(ALONE) in shown(here)
            busy = await asyncio.to_thread(lambda: rows(shown(there)))
            _, rooms, viewers, events, _, delay, *_ = next(iter(busy.values()))
            assert (rooms, viewers) == ("1", "2")
            assert float(events) > 0
            assert delay.endswith(" ms")


def _scene():
    cup = factories.drawn(2)
    return cup, factories.signed_in(factories.make_user(is_superuser=True)).session_key


def _start(cup):
    matches.start(Actor(cup.created_by), factories.match_number(cup, 1).pk)
