"""What a run takes place on: servers, people and tournaments in the database, the environment of all processes."""

import os
import random
import resource
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.services import Service, postgres, redis

FILES = 20_000
# One machine is everybody's address here, and everybody comes and goes all the time.
GENEROUS = {
    f"WS_RATE_{name}": "1000000"
    for name in ("HANDSHAKE_RPS_IP", "HANDSHAKE_BURST_IP", "CONN_PER_IP", "CONN_PER_USER", "MSG_RPS_IP", "MSG_BURST_IP")
}
# Parts of all people. The fickle join and leave the staff.
IN_MATCH_ROOMS, SIGNED_IN, FICKLE = 0.3, 0.15, 0.05


@dataclass
class Stage:
    folder: Path
    environment: dict[str, str]
    postgres: Service
    redis: Service


@contextmanager
def stage() -> Iterator[Stage]:
    """Start the servers and set Django up in this process, with an empty database. Once a process."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="deltacrown-chaos-")))
        database, bus = stack.enter_context(postgres()), stack.enter_context(redis())
        for name in ("REDIS_URL", "SITE_URL", "WS_ALLOWED_ORIGINS"):
            os.environ.pop(name, None)
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "deltacrown.settings",
            "VAR_DIR": str(folder),
            "SECRET_KEY": secrets.token_urlsafe(40),
            "DATABASE_URL": database.url,
            "LOG_LEVEL": "WARNING",
        }
        environment = os.environ | GENEROUS | {"REDIS_URL": bus.url, "LOG_LEVEL": "INFO", "LOG_JSON": "1"}
        import django
        from django.core.management import call_command
        from django.db import connections

        django.setup()
        call_command("migrate", verbosity=0)
        try:
            yield Stage(folder, environment, database, bus)
        finally:
            connections.close_all()
            connections["default"].close_pool()


def play_begins(cups: int, entrants: int) -> list[Any]:
    """Make tournaments, each with two matches in play."""
    from apps.tournaments.services import Actor, matches
    from tests import factories

    made = [factories.drawn(entrants) for _ in range(cups)]
    for cup in made:
        for match in cup.matches.filter(state="ready").order_by("number")[:2]:
            matches.start(Actor(cup.created_by), match.pk)
    return made


def fickle(cup: int) -> str:
    """Return how the names of those begin who join and leave the staff of a tournament."""
    return f"fickle{cup}of"


def people_come(count: int, cups: list[Any], rng: random.Random) -> list[dict[str, Any]]:
    """
    Make accounts for those who have one, and say who watches what, as keywords of Watcher.

    A part of the signed-in are on the staff all the time, the fickle come and go, the rest never are.
    """
    from apps.tournaments.models import Role
    from apps.tournaments.services import Actor, tournaments
    from tests import factories

    people: list[dict[str, Any]] = []
    for number in range(count):
        cup, lot = cups[number % len(cups)], rng.random()
        match = rng.choice(list(cup.matches.order_by("number")[:4])).pk if rng.random() < IN_MATCH_ROOMS else None
        holder = None
        if lot < SIGNED_IN:
            user = factories.make_user(f"{fickle(cup.pk) if lot < FICKLE else 'member'}{number}")
            holder = factories.signed_in(user)
            if FICKLE <= lot < 2 * FICKLE:
                tournaments.add_member(Actor(cup.created_by), cup.pk, username=user.username, role=Role.REFEREE)
        people.append({"cup": cup.pk, "match": match, "holder": holder})
    # So that there always is somebody of each kind, however few people there are.
    for number, cup in enumerate(cups):
        people[number] = {"cup": cup.pk, "match": None, "holder": factories.signed_in(cup.created_by)}
    return people
