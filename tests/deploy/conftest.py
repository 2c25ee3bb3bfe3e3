"""An installation of its own: a database, settings, and processes as an operator starts them."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.server import DEADLINE, free_port, wait_for
from tests.services import postgres_server
from tools.suite import OURS

ROOT = Path(__file__).parents[2]
START_SECONDS = 30


class Process:
    """A process of the site, with what it says."""

    def __init__(self, command: list[str], **options: Any) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self.popen = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, **options
        )

    def log(self) -> str:
        self._log.seek(0)
        return self._log.read().decode()

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.popen.poll() is None:
            self.popen.send_signal(how)
        self.popen.wait(DEADLINE * 3)

    def close(self) -> None:
        try:
            self.end()
        finally:
            self._log.close()


class Installation:
    def __init__(self, folder: Path, **environment: str) -> None:
        kept = {name: value for name, value in os.environ.items() if name not in OURS}
        self.environment = kept | {"VAR_DIR": str(folder), "LOG_JSON": "1"} | environment
        self.folder = folder

    def set(self, **environment: str) -> None:
        self.environment |= environment

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def run(self, code: str) -> str:
        """Run Python on the installation's database and return what it prints."""
        setup = "import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'deltacrown.settings'; django.setup()\n"
        done = subprocess.run(
            [sys.executable, "-c", setup + code],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def migrate(self) -> None:
        done = self.manage("migrate", "--no-input")
        assert done.returncode == 0, done.stderr

    @contextmanager
    def process(self, *arguments: str, env: dict[str, str] | None = None, **options: Any) -> Iterator[Process]:
        """Run `manage.py serve`."""
        command = [sys.executable, "manage.py", "serve", *arguments]
        process = Process(command, env=self.environment | (env or {}), **options)
        try:
            yield process
        finally:
            process.close()

    @contextmanager
    def serving(self, *arguments: str, port: int = 0, **options: Any) -> Iterator[tuple[Process, str]]:
        """Run `manage.py serve` on a port, and give its address as soon as it is ready."""
        port = port or free_port()
        address = f"127.0.0.1:{port}"
        with self.process("--port", str(port), *arguments, **options) as process:
            wait_for(lambda: is_ready(process, address), seconds=START_SECONDS)
            yield process, address


def is_ready(process: Process, address: str) -> bool:
    assert process.popen.poll() is None, process.log()
    try:
        with urllib.request.urlopen(f"http://{address}/readyz", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


@pytest.fixture
def empty(tmp_path: Path) -> Installation:
    """An installation on SQLite whose database has not been made."""
    return Installation(tmp_path)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = Installation(tmp_path_factory.mktemp("migrated"))
    site.migrate()
    return site.folder


@pytest.fixture
def installation(migrated: Path, empty: Installation) -> Installation:
    shutil.copytree(migrated, empty.folder, dirs_exist_ok=True)
    return empty


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def on_each_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    if request.param == "SQLite":
        site = Installation(tmp_path)
        site.migrate()
        yield site
        return
    with postgres_server() as url:
        site = Installation(tmp_path, DATABASE_URL=url)
        site.migrate()
        yield site
