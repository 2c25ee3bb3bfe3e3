"""The site as it is deployed, for measurements: in processes of its own, with people to use it; and what it costs."""

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[1]
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
START_SECONDS = 60.0
STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Cpu:
    """Seconds of CPU."""

    user: float = 0
    system: float = 0

    @property
    def total(self) -> float:
        return self.user + self.system

    def __add__(self, other: "Cpu") -> "Cpu":
        return Cpu(self.user + other.user, self.system + other.system)

    def __sub__(self, other: "Cpu") -> "Cpu":
        return Cpu(self.user - other.user, self.system - other.system)


def cpu_of(pid: int) -> Cpu:
    """Return what a process has used, all threads and the children that it has seen end; nothing when it is gone."""
    fields = _stat(pid)
    if not fields:
        return Cpu()
    user, system, children_user, children_system = (int(fields[place]) / TICKS for place in (11, 12, 13, 14))
    return Cpu(user + children_user, system + children_system)


def rss_of(pid: int) -> int:
    """Return the bytes of memory in which a process resides."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE


def family(name: str) -> list[int]:
    """Return the processes called `name` that this one started, and those that they started."""
    return [pid for pid in offspring(os.getpid()) if _name(pid) == name]


def offspring(ancestor: int) -> list[int]:
    """Return the processes that one started, and those that they started."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*"):
        pid = int(path.name)
        if fields := _stat(pid):
            parents[pid] = int(fields[1])

    def descends(pid: int) -> bool:
        while pid in parents:
            pid = parents[pid]
            if pid == ancestor:
                return True
        return False

    return [pid for pid in parents if descends(pid)]


def cpu_of_family(name: str) -> Cpu:
    return sum((cpu_of(pid) for pid in family(name)), start=Cpu())


def allow_many_files(wanted: int) -> None:
    """Raise the limit of open files, for this process and those that it starts. Ends the program if that may not be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        sys.exit(f"{wanted:,} open files are needed, and {hard:,} are allowed here (ulimit -Hn).")
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@contextmanager
def surroundings(*, postgres: bool = False, redis: bool = False) -> Iterator[dict[str, str]]:
    """
    Make an empty database, and a Redis if wanted, and set Django up on them in this process.

    Gives the environment for `Site`. Once a process: Django cannot be set up twice.
    """
    with ExitStack() as stack:
        var = stack.enter_context(tempfile.TemporaryDirectory(prefix="deltacrown-bench-"))
        os.environ |= {"VAR_DIR": var, "LOG_LEVEL": "WARNING", "DJANGO_SETTINGS_MODULE": "deltacrown.settings"}
        for name in ("DATABASE_URL", "REDIS_URL", "SITE_URL"):
            os.environ.pop(name, None)
        from tests.services import postgres_server, redis_server

        if postgres:
            os.environ["DATABASE_URL"] = stack.enter_context(postgres_server())
        environment = dict(os.environ) | {"LOG_LEVEL": "INFO", "LOG_JSON": "1"}
        if redis:
            environment["REDIS_URL"] = stack.enter_context(redis_server())
        import django
        from django.core.management import call_command
        from django.db import connections

        django.setup()
        call_command("migrate", verbosity=0)
        try:
            yield environment
        finally:
            connections.close_all()
            if postgres:
                connections["default"].close_pool()


class Site:
    """One process of the site: `manage.py run --no-demo`, ready when the block begins and gone when it ends."""

    def __init__(self, environment: dict[str, str], *, port: int | None = None, profile: Path | None = None) -> None:
        from tests.server import free_port

        self.port = port or free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._environment, self._profile = environment, profile
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__

    def __enter__(self) -> Self:
        profiled = Path(__file__).with_name("profiled.py")
        program = [str(profiled), str(self._profile)] if self._profile else ["manage.py"]
        command = [sys.executable, *program, "run", "--no-demo", "--port", str(self.port)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=self._environment, stdout=subprocess.DEVNULL, stderr=self._log
        )
        try:
            self._wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        # The profile is written after KeyboardInterrupt; SIGTERM ends the process before that.
        self._process.send_signal(signal.SIGINT if self._profile else signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def complaints(self) -> Counter[str]:
        """Count what the log has that is not just information, as "level: event"; what is no entry is an error."""
        found: Counter[str] = Counter()
        for line in self._read_log().splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                entry = {"level": "error", "event": line}
            if entry["level"] != "info":
                cause = entry.get("exception", "").strip().rpartition("\n")[2]
                found[" ".join(f"{entry['level']}: {entry['event']} {cause}".split())[:200]] += 1
        return found

    @property
    def pid(self) -> int:
        return self._process.pid

    def ended(self) -> None:
        """Wait until the process has ended."""
        self._process.wait(STOP_SECONDS)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                urllib.request.urlopen(f"http://{self.address}/readyz", timeout=5).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        sys.exit(f"The server did not start:\n{self._read_log()}")

    def _read_log(self) -> str:
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode(errors="replace")  # its place is the server's as well


def sign_in_people(count: int, name: str = "fan") -> list[Any]:
    """Make people and a session for each, all in a few statements. Return them as `SignedIn`."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.hashers import make_password
    from django.contrib.sessions.backends.db import SessionStore
    from django.contrib.sessions.models import Session
    from django.utils import timezone
    from django.utils.crypto import get_random_string

    from apps.accounts.models import User
    from apps.accounts.tokens import SignedIn

    unusable = make_password(None)
    drafts = (User(username=f"{name}{n}", email=f"{name}{n}@example.test", password=unusable) for n in range(count))
    users = User.objects.bulk_create(drafts, batch_size=500)
    store, ends = SessionStore(), timezone.now() + timedelta(days=1)
    sessions = []
    for user in users:
        data = {
            SESSION_KEY: str(user.pk),
            BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
            HASH_SESSION_KEY: user.get_session_auth_hash(),
        }
        key = get_random_string(32, "abcdefghijklmnopqrstuvwxyz0123456789")
        sessions.append(Session(session_key=key, session_data=store.encode(data), expire_date=ends))
    Session.objects.bulk_create(sessions, batch_size=500)
    return [SignedIn(user, session.session_key) for user, session in zip(users, sessions, strict=True)]


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/<pid>/stat from the third on; none when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""
