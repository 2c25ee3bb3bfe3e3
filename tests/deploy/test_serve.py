"""`manage.py serve`, started as systemd or an operator would."""

import http.client
import signal
import socket
import urllib.request
from pathlib import Path

import pytest

from tests.deploy.conftest import START_SECONDS, Installation, Process
from tests.server import DEADLINE, free_port, wait_for


def said(process: Process) -> str:
    """Return what a process that gives up says: one line."""
    assert process.popen.wait(START_SECONDS) != 0
    lines = [line for line in process.log().splitlines() if not line.startswith("{")]
    assert len(lines) == 1, process.log()
    return lines[0]


def get(path: Path, address: str) -> int:
    """Ask over a Unix socket."""
    connection = http.client.HTTPConnection("127.0.0.1")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(DEADLINE)
    connection.sock.connect(str(path))
    connection.request("GET", address)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def test_starts_answers_and_ends_when_told(installation: Installation) -> None:
    with installation.serving() as (process, address):
        with urllib.request.urlopen(f"http://{address}/") as page:
            assert page.status == 200
        process.end()
        assert process.popen.returncode in {0, -signal.SIGTERM}
        assert '"event": "serving"' in process.log()
        assert "warning" not in process.log()


def test_an_empty_database_is_refused_and_left_as_it_is(empty: Installation) -> None:
    with empty.process("--port", str(free_port())) as process:
        line = said(process)
    assert line.startswith("CommandError: The database lacks ")
    assert line.endswith("Run: manage.py migrate")
    assert empty.manage("migrate", "--check").returncode != 0


def test_a_database_that_cannot_be_opened(empty: Installation) -> None:
    empty.set(DATABASE_URL=f"sqlite:///{empty.folder}/no/such/folder/db.sqlite3")
    with empty.process("--port", str(free_port())) as process:
        assert said(process) == "CommandError: The database cannot be reached: unable to open database file"


def test_a_taken_port(installation: Installation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        for more in ((), ("--reuse-port",)):
            with installation.process("--port", str(port), *more) as process:
                assert said(process).endswith(
                    f"Port {port} of 127.0.0.1 is taken by another program. Choose another: --port"
                )


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_that_this_machine_does_not_have(installation: Installation, host: str) -> None:
    with installation.process("--host", host, "--port", "8001") as process:
        assert f"Cannot listen at port 8001 of {host}: " in said(process)


def test_two_processes_on_one_port(installation: Installation) -> None:
    with installation.serving("--reuse-port") as (first, address):
        port = int(address.partition(":")[2])
        with installation.process("--port", str(port), "--reuse-port") as second:
            wait_for(lambda: '"event": "serving"' in second.log(), seconds=START_SECONDS)
            # The kernel deals connections out by the ports that they come from.
            for _ in range(40):
                assert_healthy(address)
            first.end()
            for _ in range(10):
                assert_healthy(address)
            assert second.popen.poll() is None
        assert '"event": "several_processes_on_sqlite"' in first.log()
        assert '"event": "several_processes_without_redis"' in first.log()


def assert_healthy(address: str) -> None:
    with urllib.request.urlopen(f"http://{address}/healthz", timeout=DEADLINE) as answer:
        assert answer.status == 200


def test_a_unix_socket_outlives_its_process_and_is_taken_over(installation: Installation) -> None:
    path = installation.folder / "site.sock"
    for how in (signal.SIGKILL, signal.SIGTERM):
        with installation.process("--uds", str(path)) as process:
            wait_for(lambda process=process: '"event": "serving"' in process.log(), seconds=START_SECONDS)
            assert get(path, "/readyz") == 200
            assert '"event": "unix_socket_of_nobody_trusted"' in process.log()
            process.end(how)
    assert path.is_socket()


def test_a_unix_socket_at_which_somebody_listens(installation: Installation) -> None:
    path = installation.folder / "site.sock"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        with installation.process("--uds", str(path)) as process:
            assert said(process).endswith(f"Another program listens at {path}. Choose another: --uds")
        other.settimeout(0)
        other.accept()[0].close()  # it was asked, and is still the one that is asked


def test_a_unix_socket_that_cannot_be(installation: Installation) -> None:
    path = installation.folder / "no such folder" / "site.sock"
    with installation.process("--uds", str(path)) as process:
        assert said(process) == f"CommandError: Cannot listen at {path}: No such file or directory"


def test_a_socket_that_is_handed_over(installation: Installation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()
        descriptor = listener.fileno()
        with (
            installation.process("--fd", str(descriptor), pass_fds=[descriptor]),
            # The socket listens before the process does, so who comes early waits.
            urllib.request.urlopen(f"http://{host}:{port}/readyz", timeout=START_SECONDS) as answer,
        ):
            assert answer.status == 200


def test_a_descriptor_that_is_no_listening_socket(installation: Installation) -> None:
    with installation.process("--fd", "0") as process:
        assert "File descriptor 0 is no socket" in said(process)
    with (
        socket.socket() as silent,
        installation.process("--fd", str(silent.fileno()), pass_fds=[silent.fileno()]) as process,
    ):
        assert "does not listen" in said(process)


def test_systemd_is_told_when_who_connects_is_served(installation: Installation) -> None:
    path = installation.folder / "notify.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(path))
        systemd.settimeout(START_SECONDS)
        port = free_port()
        with installation.process("--port", str(port), env={"NOTIFY_SOCKET": str(path)}):
            assert systemd.recv(100) == b"READY=1"
            assert_healthy(f"127.0.0.1:{port}")


def test_processes_that_know_of_one_another_over_redis_need_no_warning_of_it(
    installation: Installation, redis_url: str
) -> None:
    installation.set(REDIS_URL=redis_url, WS_RATE_PROCESSES="2")
    with installation.serving() as (process, _):
        assert "several_processes_without_redis" not in process.log()
        assert "several_processes_on_sqlite" in process.log()


def test_a_link_in_a_mail_begins_with_https_when_the_proxy_says_so(installation: Installation) -> None:
    installation.set(SITE_URL="https://cup.example.org", ALLOWED_HOSTS="cup.example.org,127.0.0.1")
    installation.run("from tests import factories; factories.make_user('ann', password=factories.PASSWORD)")
    with installation.serving() as (process, address):
        request = urllib.request.Request(
            f"http://{address}/_allauth/app/v1/auth/password/request",
            b'{"email": "ann@example.test"}',
            {"Content-Type": "application/json", "Host": "cup.example.org", "X-Forwarded-Proto": "https"},
        )
        with urllib.request.urlopen(request) as answer:
            assert answer.status == 200
        wait_for(lambda: "https://cup.example.org/accounts/password/reset/" in process.log())
