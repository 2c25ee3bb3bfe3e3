"""One process of a site in production. It changes nothing but what people ask it to: no migration, no demo."""

import os
import socket
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from apps.client_ip import UNIX
from apps.tournaments.management import serving

logger = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = "Serve the site in this process, for production."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        where = parser.add_mutually_exclusive_group()
        where.add_argument("--port", type=int, default=8000)
        where.add_argument("--uds", type=Path, metavar="PATH", help="listen at a Unix socket")
        where.add_argument("--fd", type=int, metavar="NUMBER", help="a listening socket that this process inherits")
        parser.add_argument(
            "--reuse-port", action="store_true", help="share the port with other processes (SO_REUSEPORT)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        _require_migrated_database()
        _warn(several=options["reuse_port"] or settings.WS_RATE_PROCESSES > 1, at_path=options["uds"] is not None)
        server = serving.load_server()
        if options["uds"] is not None:
            listener = serving.listen_at_path(options["uds"])
        elif options["fd"] is not None:
            listener = serving.listen_at_descriptor(options["fd"])
        else:
            listener = serving.listen(options["host"], options["port"], reuse_port=options["reuse_port"])
        logger.info("serving", address=listener.getsockname())
        _tell_systemd()
        serving.serve(server, listener)


def _require_migrated_database() -> None:
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        raise CommandError(f"The database cannot be reached: {error}") from error
    finally:
        connection.close()
    if missing:
        raise CommandError(f"The database lacks {len(missing)} migrations. Run: manage.py migrate")


def _warn(*, several: bool, at_path: bool) -> None:
    """Say what works, but not as well as the operator may believe."""
    if several and connection.vendor == "sqlite":
        logger.warning(
            "several_processes_on_sqlite", advice="they write one after another; PostgreSQL scales: DATABASE_URL"
        )
    if several and not settings.REDIS_URL:
        logger.warning(
            "several_processes_without_redis",
            advice="each counts limits and presence by itself, and sees what the others do within a second, "
            "from the log: REDIS_URL",
        )
    if at_path and UNIX not in settings.TRUSTED_PROXIES:
        logger.warning(
            "unix_socket_of_nobody_trusted",
            advice=f"all clients count as one address, under one strict limit: TRUSTED_PROXIES={UNIX}",
        )


def _tell_systemd() -> None:
    """Say that whoever connects now is served, to a unit with Type=notify."""
    if address := os.environ.pop("NOTIFY_SOCKET", ""):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifier:
            # "@" stands for the zero byte with which an abstract name begins.
            notifier.sendto(b"READY=1", "\0" + address[1:] if address.startswith("@") else address)
