"""The commands behind the Makefile: each prepares .venv, then becomes the program that does the work."""

import errno
import os
import shlex
import socket
import sys
from typing import NoReturn

from tools import environment
from tools.environment import DEVELOPMENT, PYTHON, RUNTIME

LAST_PORT = 65535
USAGE = "usage: tools/bootstrap.py run|test|check|coverage|chaos|bench|messages|lock"


def main(arguments: list[str]) -> None:
    match arguments:
        case ["run"]:
            run(os.environ.get("PORT") or "8000")
        case ["test" | "check" | "coverage" | "chaos" as command]:
            environment.prepare(DEVELOPMENT)
            become("-m", "tools.suite", command)
        case ["messages" | "lock" as command]:
            environment.prepare(DEVELOPMENT)
            become("-m", f"tools.{command}")
        case ["bench"]:
            environment.prepare(DEVELOPMENT)
            become("bench/peers/run.py", *shlex.split(os.environ.get("ARGS", "")))
        case _:
            sys.exit(USAGE)


def run(port: str) -> None:
    """Serve the product; a port that cannot be had is said before the minute of installing."""
    require_port(port)
    environment.prepare(RUNTIME)
    become("manage.py", "run", "--port", port)


def require_port(port: str) -> None:
    """Exit with a sentence unless `port` is a free TCP port of this machine."""
    if not (port.isascii() and port.isdecimal() and 1 <= int(port) <= LAST_PORT):
        sys.exit(f"PORT must be a number from 1 to {LAST_PORT}, not {port!r}: make run PORT=8001")
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        refusal = _refusal(family, address, int(port))
        if refusal == errno.EADDRINUSE:
            other = 8001 if port == "8000" else 8000
            sys.exit(f"Port {port} is taken by another program. Choose another: make run PORT={other}")
        if refusal == errno.EACCES:
            sys.exit(f"Port {port} is only for the administrator. Choose another: make run PORT=8000")


def _refusal(family: socket.AddressFamily, address: str, port: int) -> int | None:
    """Why nobody can listen at this address, as an errno; None when it is free."""
    try:
        with socket.socket(family) as probe:
            # As servers do: connections that a stopped server left in TIME_WAIT do not take the port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except OSError as error:
        return error.errno
    return None


def become(*arguments: str) -> NoReturn:
    """Replace this process by the Python of .venv, so that signals reach the program itself."""
    sys.stdout.flush()
    os.execv(PYTHON, [str(PYTHON), *arguments])  # noqa: S606 - there is no shell on purpose
