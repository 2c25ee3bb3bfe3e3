"""What `run` and `serve` have in common: where to listen, and the server of this process."""

import errno
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError
from django.utils.module_loading import import_string

from apps.tournaments.management.sweeper import Sweeper
from apps.tournaments.realtime.drain import drain
from apps.tournaments.realtime.server import Config, Server

BACKLOG = 4096  # as in Config; a socket that is handed to the server brings its own


def load_server() -> Server:
    """Import the site, and return the server that serves it. Nothing listens before that, so nobody waits for it."""
    config = Config("deltacrown.asgi:application")
    config.load()
    _spare_the_collector()
    return Server(config, drain)


def serve(server: Server, listener: socket.socket) -> None:
    """Serve until the process is told to end. Meanwhile do what is due by the clock, and settings.BESIDE_THE_SERVER."""
    # The server ends with the signal that it got, for this process to die of; what runs beside it has to end first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with ExitStack() as beside:
        if settings.SWEEP:
            beside.enter_context(_sweeping())
        for path in settings.BESIDE_THE_SERVER:
            beside.enter_context(import_string(path)())
        server.run([listener])


@contextmanager
def _sweeping() -> Iterator[None]:
    sweeper = Sweeper(lambda: drain.is_on)
    thread = threading.Thread(target=sweeper.run, name="sweeper")
    thread.start()
    try:
        yield
    finally:
        sweeper.stop()
        thread.join()


def listen(host: str, port: int, *, reuse_port: bool = False) -> socket.socket:
    """Listen at a TCP port; with `reuse_port` together with other processes of this user that do the same."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG, reuse_port=reuse_port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CommandError(f"Port {port} of {host} is taken by another program. Choose another: --port") from error
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        raise CommandError(f"Cannot listen at port {port} of {host}: {reason}") from error


def listen_at_path(path: Path) -> socket.socket:
    """
    Listen at a Unix socket that everybody may connect to who can enter its folder.

    What an ended process left there is replaced, a socket at which somebody listens is not.
    """
    if path.is_socket() and _answers(path):
        raise CommandError(f"Another program listens at {path}. Choose another: --uds")
    listener = socket.socket(socket.AF_UNIX)
    try:
        if path.is_socket():
            path.unlink()
        listener.bind(str(path))
        path.chmod(0o666)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise CommandError(f"Cannot listen at {path}: {error.strerror or error}") from error
    return listener


def listen_at_descriptor(descriptor: int) -> socket.socket:
    """Take a socket over from who started this process, as systemd hands over the first as number 3."""
    try:
        listener = socket.socket(fileno=descriptor)
        listens = listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise CommandError(f"File descriptor {descriptor} is no socket: {error.strerror}") from error
    if not listens:
        raise CommandError(f"The socket of file descriptor {descriptor} does not listen.")
    return listener


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def _spare_the_collector() -> None:
    """
    Keep what was imported out of every search for garbage, and search less often.

    A storm of connects otherwise spends a fifth of its time on it, and stalls for 0.4 s now and then.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
