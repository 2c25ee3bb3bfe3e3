"""The steps of `make check` and `make test`, in order, stopping at the first that fails. Runs in .venv."""

import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from tests.services import ServiceError, postgres_server, redis_server
from tools import system

# How long pytest may take to end its own programs when the suite is told to stop.
GRACE_SECONDS = 30

# Variables of an installation, which must not change what the tests see.
OURS = {"ALLOWED_HOSTS", "DATABASE_URL", "DEBUG", "PORT", "REDIS_URL", "SECRET_KEY", "SITE_URL", "VAR_DIR"}

# What touches the database, and is tested on what an installation grows to as well.
ON_POSTGRES = ("tests/integration", "tests/test_websocket_realtime_*.py")

NO_TESTS_RAN = 5


def main(command: str) -> None:
    # Both leave the open blocks in order, so that nothing stays running; a shell's background ignores SIGINT otherwise.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="deltacrown-test-") as var:
        env = {name: value for name, value in os.environ.items() if name not in OURS} | {"VAR_DIR": var}
        if command == "test":
            system.require_chromium()
        check(env)
        if command == "test":
            test(env, shlex.split(os.environ.get("ARGS", "")))
    print(f"\nEverything passed in {time.monotonic() - started:.0f} s")


def check(env: dict[str, str]) -> None:
    """Judge the code without running it."""
    step("Lint", env, "-m", "ruff", "check", ".")
    step("Format", env, "-m", "ruff", "format", "--check", ".")
    step("Types", env, "-m", "mypy")
    step("Import rules", env, "-c", "from importlinter.cli import lint_imports_command as main; main()", "--no-logo")


def test(env: dict[str, str], extra: list[str]) -> None:
    """Test on what a first start uses, then what touches the database on what an installation grows to."""
    step("Migrations", env, "manage.py", "makemigrations", "--check", "--dry-run")
    # Two browsers' worth of workers fit the smallest machine; a slow test must not hold the others back.
    pytest = ["-m", "pytest", "-n", "2", "--dist", "worksteal"]
    env = env | {"PATH": f"{env['PATH']}{os.pathsep}{_node()}"}
    step("Tests on SQLite", env, *pytest, *extra)
    try:
        with postgres_server() as database, redis_server() as redis:
            grown = env | {"DATABASE_URL": database, "REDIS_URL": redis, "PYTEST_PLUGINS": "tests.isolation"}
            # A default that paths in `extra` replace; they may name nothing that is tested here. The whole cluster
            # goes at the end, so no database is dropped, which a connection still open would refuse.
            only = ["--reuse-db", "-o", f"testpaths={' '.join(ON_POSTGRES)}"]
            step("Tests on PostgreSQL and Redis", grown, *pytest, *only, *extra, may_be_empty=bool(extra))
    except ServiceError as error:
        sys.exit(str(error))


def step(title: str, env: dict[str, str], *arguments: str, may_be_empty: bool = False) -> None:
    """Run the Python of .venv, and exit when it fails."""
    print(f"\n== {title}", flush=True)
    with subprocess.Popen([sys.executable, *arguments], env=env, stdin=subprocess.DEVNULL) as process:
        try:
            code = process.wait()
        except KeyboardInterrupt:  # which the terminal has sent to the process as well
            _end(process)
            sys.exit(128 + signal.SIGINT)
        except SystemExit:
            process.send_signal(signal.SIGINT)
            _end(process)
            raise
    if code and not (may_be_empty and code == NO_TESTS_RAN):
        sys.exit(f"\n{title}: failed")


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def _node() -> Path:
    """Give the folder of the Node that the browser's driver brings, for machines that have none of their own."""
    spec = find_spec("playwright")
    if spec is None or spec.origin is None:
        sys.exit("Playwright is missing from .venv. Remove .venv and run the command again")
    return Path(spec.origin).parent / "driver"


if __name__ == "__main__":
    main(sys.argv[1])
