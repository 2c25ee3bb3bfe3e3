"""The demo: people with generated passwords, and a real tournament that is played again and again."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.db import transaction

from apps.accounts.models import User
from apps.errors import AppError
from apps.eventlog.models import Event, Receipt, Stream
from apps.tournaments.management.replay import Replay, Sleep
from apps.tournaments.management.results import Results, ResultsError, import_results
from apps.tournaments.models import Match, Role, Status, Tournament
from apps.tournaments.services import Actor, tournaments

logger = structlog.get_logger(__name__)

KEEP = 3  # demo tournaments that are over; older ones make room

_PEOPLE = {"demo-organiser": "Runs the demo tournaments", "demo-referee": "Keeps their score"}


@dataclass(frozen=True, slots=True)
class DemoPeople:
    """`passwords` has those that were generated just now, and only then."""

    organizer: User
    referee: User
    passwords: dict[str, str]


def ensure_people() -> DemoPeople:
    """Return the demo's people, made with generated passwords if this database has none."""
    found = {user.username: user for user in User.objects.filter(is_demo=True)}
    passwords: dict[str, str] = {}
    for name, what_they_do in _PEOPLE.items():
        if name not in found:
            passwords[name] = secrets.token_urlsafe(9)
            found[name] = User.objects.create_user(
                name, f"{name}@demo.invalid", passwords[name], is_demo=True, first_name=what_they_do
            )
    return DemoPeople(found["demo-organiser"], found["demo-referee"], passwords)


def current(people: DemoPeople, results: Results) -> Tournament:
    """Return the demo tournament that is under way, or a fresh one."""
    running = Tournament.objects.filter(
        is_demo=True, name=results.name, status__in=(Status.REGISTRATION_CLOSED, Status.LIVE)
    ).first()
    if running is not None:
        return running
    organizer = Actor(people.organizer)
    with transaction.atomic():  # half of one, left by a process that was killed, could never be played
        tournament = import_results(organizer, results, is_demo=True)
        tournaments.add_member(organizer, tournament.pk, username=people.referee.username, role=Role.REFEREE)
    return tournament


def play(
    people: DemoPeople,
    results: Results,
    *,
    seconds: float,
    pause: float,
    sleep: Sleep,
    clock: Callable[[], float] = time.monotonic,
) -> bool:
    """
    Play the demo tournament that is under way, or a fresh one. Returns whether it is over; see `Replay`.

    Anybody with a demo account may decide a match otherwise than in reality. When two have to meet who never met, or
    the stage cannot go on as it did, this tournament is called off.
    """
    tournament = current(people, results)
    referee = Actor(people.referee)
    try:
        return Replay(
            referee, tournament, results, seconds=seconds, pause=pause, at_once=2, sleep=sleep, clock=clock
        ).run()
    except (AppError, ResultsError) as error:
        logger.warning("demo_called_off", tournament=tournament.pk, reason=str(error))
        tournaments.cancel(Actor(people.organizer), tournament.pk)
        return True


def discard_old() -> None:
    """
    Remove demo tournaments that are over but the newest few, with their logs.

    Nothing else is ever removed from a log; a demo that plays day and night would fill the disk.
    """
    over = Tournament.objects.filter(is_demo=True, status__in=(Status.COMPLETED, Status.CANCELLED)).order_by("-pk")
    for tournament in over[KEEP:]:
        discard(tournament)


def discard(tournament: Tournament) -> None:
    """Remove a tournament with its log."""
    with transaction.atomic():
        stream = Stream.objects.filter(name=tournament.stream)
        Receipt.objects.filter(stream__in=stream).delete()
        Event.objects.filter(stream__in=stream).delete()
        stream.delete()
        Match.objects.filter(tournament=tournament).delete()
        tournament.delete()
