"""The site behind nginx, with the files of deploy/nginx: two processes, TLS, real rooms."""

import asyncio
import http.client
import http.server
import json
import re
import signal
import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from tests import services
from tests.deploy import nginx as nginx_files
from tests.deploy.conftest import Installation, Process
from tests.deploy.nginx import DEPLOY, OWN_ADDRESS, Nginx
from tests.server import DEADLINE, Client, free_port

METRICS_TOKEN = "figures"
WATCHERS = 8
PLACES = 2 * WATCHERS  # for one address: a killed process gives its own back after 75 s


@pytest.fixture(scope="session")
def program() -> str:
    found = services.nginx()
    assert found, "These tests need nginx. On Debian or Ubuntu: apt-get install nginx"
    return found


@dataclass
class Site:
    """Two processes behind nginx."""

    installation: Installation
    nginx: Nginx
    processes: list[Process]
    addresses: list[str]

    def token(self, room: str) -> str:
        body, headers = json.dumps({"room": room}).encode(), {"Content-Type": "application/json"}
        request = urllib.request.Request(f"http://{self.addresses[-1]}/api/v1/realtime/token", body, headers)
        with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
            return json.load(answer)["token"]

    def watchers(self) -> list[int]:
        """Return how many people each process has."""
        counts = []
        for address in self.addresses:
            request = urllib.request.Request(
                f"http://{address}/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"}
            )
            with urllib.request.urlopen(request, timeout=DEADLINE) as figures:
                found = re.findall(r"^rt_connections\{.*\} (\S+)$", figures.read().decode(), re.MULTILINE)
            counts.append(sum(int(float(value)) for value in found))
        return counts


@pytest.fixture
def site(installation: Installation, program: str, redis_url: str, tmp_path_factory: Any) -> Iterator[Site]:
    installation.set(
        REDIS_URL=redis_url,
        METRICS_TOKEN=METRICS_TOKEN,
        TRUSTED_PROXIES=OWN_ADDRESS,
        WS_RATE_PROCESSES="2",
        WS_RATE_CONN_PER_IP=str(PLACES),
        WS_RATE_REDIS_TIMEOUT="8",
    )
    ports = [free_port(), free_port()]
    addresses = [f"127.0.0.1:{port}" for port in ports]
    servers = dict(zip(("127.0.0.1:8001", "127.0.0.1:8002"), addresses, strict=True))
    nginx = nginx_files.render(program, tmp_path_factory.mktemp("nginx"), DEPLOY / "nginx/upstream.conf", servers)
    with ExitStack() as stack:
        processes = [stack.enter_context(installation.serving(port=port))[0] for port in ports]
        stack.enter_context(nginx.running())
        yield Site(installation, nginx, processes, addresses)


@pytest.fixture
def cup(installation: Installation) -> str:
    return installation.run("from tests import factories; print(factories.drawn(2).pk)")


def start_the_match(site: Site, cup: str) -> None:
    site.installation.run(
        "from apps.tournaments.services import Actor, matches\n"
        "from apps.tournaments.models import Match\n"
        f"match = Match.objects.select_related('tournament__created_by').get(tournament={cup}, number=1)\n"
        "matches.start(Actor(match.tournament.created_by), match.pk)"
    )


async def match_starts(client: Client) -> bool:
    """Return whether this comes, after the events before it."""
    while (await client.next_event())["type"] != "match_started":
        pass
    return True


@pytest.mark.parametrize("upstream", ["nginx/upstream.conf", "compose/upstream.conf"])
def test_nginx_takes_the_files(program: str, tmp_path: Path, upstream: str) -> None:
    said = nginx_files.render(program, tmp_path, DEPLOY / upstream, {}).test()
    assert "syntax is ok" in said
    assert not [line for line in said.splitlines() if "[warn]" in line and '"listen ... http2"' not in line]


async def test_rooms_over_both_processes_and_through_the_end_of_one(site: Site, cup: str) -> None:
    path = f"/ws/tournament/{cup}/"
    async with AsyncExitStack() as stack:

        async def enter() -> tuple[Client, str]:
            token = await asyncio.to_thread(site.token, f"tournament:{cup}")
            socket = await stack.enter_async_context(site.nginx.websocket(path, token))
            client = Client(socket)
            welcome, snapshot = await client.receive(), await client.receive()
            assert (welcome["type"], snapshot["type"]) == ("connection_established", "snapshot")
            client.mine = snapshot["seq"]
            return client, f"{snapshot['epoch']}:{snapshot['seq']}"

        people = [await enter() for _ in range(WATCHERS)]
        assert await asyncio.to_thread(site.watchers) == [WATCHERS // 2, WATCHERS // 2]
        await asyncio.to_thread(start_the_match, site, cup)
        for client, _ in people:
            assert await match_starts(client)

        site.processes[0].end(signal.SIGKILL)
        gone = [asyncio.create_task(client.socket.wait_closed()) for client, _ in people]
        for first in islice(asyncio.as_completed(gone, timeout=DEADLINE), WATCHERS // 2):
            await first
        position = people[0][1]
        for _ in range(WATCHERS // 2):
            token = await asyncio.to_thread(site.token, f"tournament:{cup}")
            back = Client(await stack.enter_async_context(site.nginx.websocket(f"{path}?since={position}", token)))
            back.mine = int(position.rpartition(":")[2])
            assert (await back.receive())["data"]["resumed"]
            assert await match_starts(back)


async def test_an_address_is_what_nginx_says_and_not_what_a_client_says(site: Site, cup: str) -> None:
    path = f"/ws/tournament/{cup}/"

    numbers = count(1)

    async with AsyncExitStack() as stack:

        async def enter(url: str, **options: Any) -> str:
            """Connect with an X-Forwarded-For of one's own, and return the type of the first frame."""
            token = await asyncio.to_thread(site.token, f"tournament:{cup}")
            forged = {"X-Forwarded-For": f"198.51.100.{next(numbers)}"}
            offer = ["deltacrown.v1", f"bearer.{token}"]
            opening = connect(f"{url}{path}", subprotocols=offer, additional_headers=forged, **options)
            return (await Client(await stack.enter_async_context(opening)).receive())["type"]

        through_nginx = {"url": f"wss://{site.nginx.address}", "ssl": site.nginx.tls}
        here = {"local_addr": ("127.0.0.4", 0)}  # whose places no other test takes
        for _ in range(PLACES):
            assert await enter(**through_nginx, **here) == "connection_established"
        assert await enter(**through_nginx, **here) == "error"  # all came from one address, whatever they wrote
        assert await enter(f"ws://{site.addresses[0]}", **here) == "error"  # and past nginx they do as well
        # Whom nginx sees come from elsewhere is somebody else.
        assert await enter(**through_nginx, local_addr=("127.0.0.3", 0)) == "connection_established"


def test_pages_come_over_https_and_say_little_of_the_server(site: Site) -> None:
    with site.nginx.asked("/") as page:
        assert page.status == 200
        assert page.headers["Strict-Transport-Security"]
        assert page.headers["Server"] == "nginx"
    assert site.nginx.status("/metrics", Authorization=f"Bearer {METRICS_TOKEN}") == 404
    assert site.nginx.status("/api/v1/realtime/token", b" " * 300_000) == 413
    # A picture may be larger: it comes as far as the site, which wants to know who sends it, and a form.
    for address in ("/api/v1/matches/1/evidence", "/m/1/dispute/", "/m/1/evidence/"):
        assert site.nginx.status(address, b" " * 300_000) != 413
        assert site.nginx.status(address, b" " * 7_000_000) == 413
    # And so may a file to be imported.
    imports = ("/api/v1/tournaments/import", "/api/v1/tournaments/1/entries/import", "/new/import/")
    for address in (*imports, "/t/1/manage/entrants/import/"):
        assert site.nginx.status(address, b" " * 8_000_000) != 413
        assert site.nginx.status(address, b" " * 10_000_000) == 413


def test_plain_http_leads_to_https(site: Site) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.nginx.plain, timeout=DEADLINE)
    connection.request("GET", "/t/1/?tab=log")
    moved = connection.getresponse()
    connection.close()
    assert (moved.status, moved.headers["Location"]) == (301, "https://127.0.0.1/t/1/?tab=log")


def test_files_outlive_the_processes_for_a_moment(site: Site) -> None:
    def fetch() -> tuple[int, str, str]:
        with site.nginx.asked("/static/web/css/base.css", **{"Accept-Encoding": "gzip"}) as answer:
            return answer.status, answer.headers["Content-Encoding"], answer.headers["Content-Type"].partition(";")[0]

    assert fetch() == (200, "gzip", "text/css")
    for process in site.processes:
        process.end(signal.SIGKILL)
    assert fetch() == (200, "gzip", "text/css")
    assert site.nginx.status("/") == 502


def test_no_token_reaches_a_log_of_nginx(site: Site, cup: str) -> None:
    token = site.token(f"tournament:{cup}")
    path = f"/ws/tournament/{cup}/?token={token}"
    assert site.nginx.status(path) == 404  # as a request that is no upgrade
    for process in site.processes:
        process.end(signal.SIGKILL)
    for address in (path, path.replace("/ws/", "/sse/"), path.replace("/ws/", "/pages/")):
        assert site.nginx.status(address) == 502
    for link in ("/join/", "/notifications/off/"):
        assert site.nginx.status(f"{link}12-0123456789/") == 502
    logs = site.nginx.logs()
    assert '"request":"GET /ws/tournament/' in logs
    assert '"request":"GET /join/***"' in logs
    assert "0123456789" not in logs
    assert token not in logs
    assert "token=" not in logs


class Ending(http.server.BaseHTTPRequestHandler):
    """A process that ends, as nginx sees it: whoever wants in gets 503. Its streams go on."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, str | None]]
    may_go_on: threading.Event

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers["Upgrade"]))
        if self.path.startswith("/sse/"):
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(b"data: first\n\n")
            self.may_go_on.wait(DEADLINE)
            self.wfile.write(b"data: second\n\n")
            self.close_connection = True
            return
        self.send_response(503)
        self.send_header("Retry-After", "3")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: Any) -> None:
        pass


@contextmanager
def ending_process() -> Iterator[tuple[str, type[Ending]]]:
    class Handler(Ending):
        seen, may_go_on = [], threading.Event()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}", Handler
        finally:
            Handler.may_go_on.set()
            server.shutdown()
            thread.join()


async def test_who_meets_a_process_that_ends_gets_into_the_next(
    installation: Installation, program: str, tmp_path_factory: Any
) -> None:
    installation.set(TRUSTED_PROXIES=OWN_ADDRESS)
    cup = installation.run("from tests import factories; print(factories.drawn(2).pk)")
    with ending_process() as (ending, handler), installation.serving() as (process, address):
        servers = {"127.0.0.1:8001": ending, "127.0.0.1:8002": address}
        nginx = nginx_files.render(program, tmp_path_factory.mktemp("nginx"), DEPLOY / "nginx/upstream.conf", servers)
        with nginx.running():
            site = Site(installation, nginx, [process], [address])
            async with AsyncExitStack() as stack:
                for _ in range(6):
                    token = await asyncio.to_thread(site.token, f"tournament:{cup}")
                    socket = nginx.websocket(f"/ws/tournament/{cup}/", token)
                    client = Client(await stack.enter_async_context(socket))
                    assert (await client.receive())["type"] == "connection_established"
    assert (f"/ws/tournament/{cup}/", "websocket") in handler.seen


def test_a_stream_is_passed_on_as_it_comes_and_no_other_protocol_is(program: str, tmp_path: Path) -> None:
    with ending_process() as (ending, handler):
        servers = {"127.0.0.1:8001": ending, "127.0.0.1:8002": ending}
        nginx = nginx_files.render(program, tmp_path, DEPLOY / "nginx/upstream.conf", servers)
        with nginx.running():
            with nginx.asked("/sse/tournament/1/", **{"Accept-Encoding": "gzip"}) as stream:
                assert stream.readline() == b"data: first\n"
                handler.may_go_on.set()
                assert stream.read() == b"\ndata: second\n\n"
            assert nginx.status("/", Upgrade="h2c", Connection="Upgrade") == 503
    assert dict(handler.seen)["/"] is None


def test_http_2_is_offered(program: str, tmp_path: Path) -> None:
    nginx = nginx_files.render(program, tmp_path, DEPLOY / "nginx/upstream.conf", {})
    context = nginx.tls
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        nginx.running(),
        socket.create_connection(("127.0.0.1", nginx.port), DEADLINE) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secured,
    ):
        assert secured.selected_alpn_protocol() == "h2"
