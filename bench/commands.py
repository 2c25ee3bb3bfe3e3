"""
What commands on large tournaments take on a real database: to draw, to confirm a result, to pair, to rank.

On a PostgreSQL of its own (or --sqlite), in this process: the service from its call to its commit, with locks, the
bracket's moves and the events. Reported: the time of a draw, and p50 and p95 of results with the queries of each.

Usage: .venv/bin/python bench/commands.py [--sqlite] [--draw 4096] [--field 1024] [--results 200]
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ["DJANGO_SETTINGS_MODULE"] = "deltacrown.settings"


def main() -> None:
    parser = argparse.ArgumentParser(description="What commands on large tournaments take on a real database.")
    parser.add_argument("--sqlite", action="store_true")
    parser.add_argument("--draw", type=int, default=4096)
    parser.add_argument("--field", type=int, default=1024)
    parser.add_argument("--results", type=int, default=200)
    options = parser.parse_args()
    with ExitStack() as stack:
        os.environ["VAR_DIR"] = stack.enter_context(tempfile.TemporaryDirectory(prefix="deltacrown-bench-"))
        os.environ["LOG_LEVEL"] = "WARNING"
        os.environ.pop("DATABASE_URL", None)
        if not options.sqlite:
            from tests.services import postgres_server

            os.environ["DATABASE_URL"] = stack.enter_context(postgres_server())
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connections

        call_command("migrate", verbosity=0)
        measure(options)
        connections.close_all()


def measure(options: argparse.Namespace) -> None:
    from apps.tournaments.models import Match
    from apps.tournaments.selectors.snapshots import tournament_snapshot
    from apps.tournaments.selectors.standings import tables_of
    from apps.tournaments.services import Actor, brackets, matches
    from engine.match_flow import MatchState, Score
    from engine.stages import Format

    by, cup = field(options.draw, Format.DOUBLE_ELIMINATION)
    say(f"double elimination of {options.draw:,} drawn and stored", lambda: brackets.generate(by, cup.pk))
    say("  its snapshot", lambda: tournament_snapshot(cup.pk, audience="public"))

    by, cup = field(options.field, Format.DOUBLE_ELIMINATION)
    brackets.generate(by, cup.pk)
    times, costs = [], []
    ready = Match.objects.filter(tournament=cup, state=MatchState.READY).select_related("home__user", "away__user")
    for match in list(ready.order_by("number")[: options.results]):
        matches.report(Actor(match.home.user), match.pk, Score(2, 1))
        seconds, queries = timed(lambda match=match: matches.confirm(Actor(match.away.user), match.pk))
        times.append(seconds)
        costs.append(queries)
    line(f"a result confirmed, double elimination of {options.field:,}", times, costs)

    by, cup = field(options.field, Format.SWISS)
    say(f"Swiss of {options.field:,}, round 1 drawn and stored", lambda: brackets.generate(by, cup.pk))
    for match in Match.objects.filter(tournament=cup, state=MatchState.READY):
        matches.start(by, match.pk)
        matches.finish(by, match.pk, Score(1, 0))
    say("  round 2 paired and stored", lambda: brackets.pair(by, cup.pk))
    say("  its standings", lambda: tables_of(cup.stages.get()))


def field(entrants: int, format: Any) -> tuple[Any, Any]:
    """Return the organiser and a published tournament with so many players, each a user."""
    from django.utils import timezone

    from apps.accounts.models import User
    from apps.tournaments.models import Entry, Status, Tournament
    from apps.tournaments.services import Actor, tournaments

    prefix = f"{format}-{entrants}"
    organizer = User.objects.create_user(f"organizer-{prefix}", f"organizer-{prefix}@example.test")
    by = Actor(organizer)
    cup_id = tournaments.create(by, name=prefix, capacity=entrants, format=format).ids["tournament_id"]
    tournaments.publish(by, cup_id)
    names = [f"player-{prefix}-{number}" for number in range(entrants)]
    users = User.objects.bulk_create([User(username=name, email=f"{name}@example.test") for name in names])
    now = timezone.now()
    Entry.objects.bulk_create(
        [Entry(tournament_id=cup_id, user=user, name=user.username, created_at=now) for user in users]
    )
    cup = Tournament.objects.get(pk=cup_id)
    assert cup.status == Status.PUBLISHED  # noqa: S101
    return by, cup


def timed(run: Callable[[], object]) -> tuple[float, int]:
    """Return the seconds and the queries that a call takes."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        started = time.perf_counter()
        run()
        seconds = time.perf_counter() - started
    return seconds, len(captured)


def say(what: str, run: Callable[[], object]) -> None:
    seconds, queries = timed(run)
    print(f"{what}: {seconds * 1000:,.0f} ms, {queries} queries", flush=True)


def line(what: str, times: list[float], costs: list[int]) -> None:
    p95 = statistics.quantiles(times, n=20)[-1]
    print(
        f"{what}: p50 {statistics.median(times) * 1000:.1f} ms, p95 {p95 * 1000:.1f} ms, "
        f"{min(costs)} to {max(costs)} queries ({len(times)} results)",
        flush=True,
    )


if __name__ == "__main__":
    main()
