"""The steps of `make check`, `test`, `coverage` and `chaos`, stopping at the first that fails. Runs in .venv."""

import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
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
# But not what knows no database: the server's wire, with a site that has none, and the clients that others build on.
# Nor the demo, which has a database of its own, in SQLite.
NOT_ON_POSTGRES = ("tests/integration/server", "tests/integration/clients", "tests/integration/demo")

# What runs the realtime package, without the tests that count on the speed that measuring takes away.
MEASURED = (
    "tests/unit/realtime",
    "tests/integration/realtime",
    "tests/integration/abuse",
    "tests/integration/server",
    "tests/test_websocket_realtime_*.py",
)
UNMEASURED = ("tests/integration/realtime/test_fuzz.py", "tests/integration/realtime/test_leaks.py")

# Two browsers' worth of workers fit the smallest machine; a slow test must not hold the others back.
PYTEST = ("-m", "pytest", "-n", "2", "--dist", "worksteal")

NO_TESTS_RAN = 5


def main(command: str) -> None:
    # Both leave the open blocks in order, so that nothing stays running; a shell's background ignores SIGINT otherwise.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="deltacrown-test-") as var:
        env = {name: value for name, value in os.environ.items() if name not in OURS} | {"VAR_DIR": var}
        if command == "test":
            system.require_programs()
        extra = shlex.split(os.environ.get("ARGS", ""))
        match command:
            case "coverage":
                coverage(env, Path(var))
            case "chaos":
                step("Chaos", env | {"PYTHONPATH": "clients/python"}, "-m", "tests.chaos", *extra)
            case "test":
                check(env)
                test(env, extra)
            case _:
                check(env)
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
    env = env | {"PATH": f"{env['PATH']}{os.pathsep}{_node()}"}
    step("Tests on SQLite", env, *PYTEST, *extra)
    with grown(env) as (servers, only):
        step("Tests on PostgreSQL and Redis", servers, *PYTEST, *only, *extra, may_be_empty=bool(extra))


def coverage(env: dict[str, str], folder: Path) -> None:
    """Measure how much of the realtime package the tests run on both, and fail when it is too little."""
    env = env | {"COVERAGE_FILE": str(folder / "coverage")}
    measured = [*PYTEST, "--cov", "--cov-report=", "--timeout=600", *(f"--ignore={path}" for path in UNMEASURED)]
    paths = f"testpaths={' '.join(MEASURED)}"
    step("Tests on SQLite", env, *measured, "-o", paths)
    with grown(env) as (servers, only):
        step("Tests on PostgreSQL and Redis", servers, *measured, "--cov-append", *only, "-o", paths)
    report = str(folder / "coverage.json")
    step("Coverage", env, "-m", "coverage", "report")
    step("Coverage as JSON", env, "-m", "coverage", "json", "-q", "-o", report)
    step("Goals", env, "-m", "tools.coverage", report)


@contextmanager
def grown(env: dict[str, str]) -> Iterator[tuple[dict[str, str], list[str]]]:
    """Give what an installation grows to, as variables and as options of pytest."""
    try:
        with postgres_server() as database, redis_server() as redis:
            own = {"DATABASE_URL": database, "REDIS_URL": redis, "PYTEST_PLUGINS": "tests.isolation"}
            # The paths are a default that paths on the command line replace. The whole cluster goes at the end, so no
            # database is dropped, which a connection still open would refuse.
            without = [f"--ignore={path}" for path in NOT_ON_POSTGRES]
            yield env | own, ["--reuse-db", "-o", f"testpaths={' '.join(ON_POSTGRES)}", *without]
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
