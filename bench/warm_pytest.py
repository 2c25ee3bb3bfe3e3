"""
pytest over and over without its start: a process that imported what the project stands on, and forks for each run.

Reads a line of JSON for each run, the arguments; answers with one, the name of the first test that failed ("" when none
did, "?" when it was no test that failed, or when it took too long).
"""

import contextlib
import importlib
import json
import os
import re
import signal
import sys
import tempfile
import time

import pytest

SECONDS = 300
MODULES = [
    "_pytest.python, allauth.headless, anyio, asgiref.sync, channels.db, channels.layers, channels_redis.core",
    "cryptography.hazmat.primitives.asymmetric.rsa, django.core.management, django.db.backends.sqlite3.base",
    "django.forms, django.test, hypothesis.internal.conjecture.engine, jwt, msgspec, ninja.openapi, prometheus_client",
    "pytest_asyncio, pytest_django, redis.asyncio, requests, structlog, twisted.internet, uvicorn",
    "websockets.asyncio.client, whitenoise",
]


def main() -> None:
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - a string
    os.environ["DJANGO_SETTINGS_MODULE"] = "deltacrown.settings"
    for name in ", ".join(MODULES).split(", "):
        importlib.import_module(name)
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)


def run(arguments: list[str]) -> str:
    with tempfile.TemporaryFile("w+") as output:
        pid = os.fork()
        if not pid:
            os.setsid()
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            code = 1
            try:
                code = pytest.main(arguments)
                sys.stdout.flush()
            finally:
                os._exit(code)
        code = wait(pid)
        output.seek(0)
        failed = re.search(r"^(?:FAILED|ERROR) ([^\s\[]+)", output.read(), re.MULTILINE)
    if code == 0:
        return ""
    return failed[1] if code is not None and failed else "?"


def wait(pid: int) -> int | None:
    """Wait for a run return its exit status, None when it took too long. What it started ends with it."""
    deadline = time.monotonic() + SECONDS
    while (ended := os.waitpid(pid, os.WNOHANG)) == (0, 0) and time.monotonic() < deadline:
        time.sleep(0.01)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    if ended == (0, 0):
        os.waitpid(pid, 0)
        return None
    return ended[1]


if __name__ == "__main__":
    main()
