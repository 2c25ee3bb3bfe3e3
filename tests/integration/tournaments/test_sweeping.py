"""Several who sweep at the same time, in threads and processes: each thing happens once, and by itself."""

import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta

import pytest

from apps.eventlog import log
from apps.tournaments.management import serving
from apps.tournaments.models import Match
from apps.tournaments.services import Actor, deadlines, matches, tournaments
from apps.tournaments.services.deadlines import sweep
from apps.tournaments.services.unit import present
from engine.match_flow import Score
from tests import factories
from tests.integration.tournaments.test_races import at_once
from tests.server import ServerProcess, database_url, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def overdue(count: int) -> list[Match]:
    """Reports of matches in as many tournaments, which nobody has answered in time."""
    found = []
    for _ in range(count):
        match = factories.match_number(factories.drawn(2), 1)
        matches.report(Actor(match.home.user), match.pk, Score(1, 0))
        found.append(match)
    late = present() - timedelta(minutes=1)
    Match.objects.filter(pk__in=[match.pk for match in found]).update(deadline_at=late)
    return found


def completions(match) -> int:
    types = [event.type for event in log.read(match.tournament.stream, after=0, limit=99)]
    return types.count("match_completed")


def manage(*arguments: str, **environment: str) -> subprocess.Popen:
    env = os.environ | {"DATABASE_URL": database_url()} | environment
    return subprocess.Popen([sys.executable, "manage.py", *arguments], env=env, stdout=subprocess.PIPE, text=True)


def all_over(found) -> bool:
    return not Match.objects.filter(pk__in=[match.pk for match in found]).exclude(state="completed").exists()


def test_four_threads_do_each_thing_once():
    found = overdue(5)
    now = present()
    assert sum(at_once(*(lambda: sweep(now) for _ in range(4)))) == 5
    assert [completions(match) for match in found] == [1] * 5


def test_the_clock_against_a_person_leaves_one_result():
    (match,) = overdue(1)
    now = present()
    swept, confirmed = at_once(lambda: sweep(now), lambda: matches.confirm(Actor(match.away.user), match.pk))
    assert (swept, confirmed == "conflict") in ((1, True), (0, False))
    assert completions(match) == 1


def test_a_deadline_that_is_moved_while_it_runs_out_is_moved_or_has_run_out():
    (match,) = overdue(1)
    now, organizer = present(), Actor(match.tournament.created_by)
    swept, moved = at_once(lambda: sweep(now), lambda: deadlines.extend(organizer, match.pk, minutes=9))
    match.refresh_from_db()
    assert (swept, moved == "conflict", match.state) in ((1, True, "completed"), (0, False, "pending_result"))


def test_two_processes_do_each_thing_once():
    found = overdue(4)
    processes = [manage("sweep") for _ in range(2)]
    said = [process.communicate(timeout=60)[0] for process in processes]
    assert sum(int(text.split()[0]) for text in said) == 4, said
    assert [completions(match) for match in found] == [1] * 4


def test_a_process_that_serves_sweeps_by_itself():
    found = overdue(1)
    with ServerProcess() as server:
        wait_for(lambda: all_over(found))
        found = overdue(2)  # while it runs
        wait_for(lambda: all_over(found))
        server.stop()


def test_a_worker_of_its_own_sweeps_until_it_is_told_to_end():
    worker = manage("sweep", "--forever")
    try:
        found = overdue(1)
        wait_for(lambda: all_over(found), seconds=30)
    finally:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
        worker.stdout.close()


class FakeServer:
    """Says which threads run beside it."""

    def run(self, sockets):
        self.beside = {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("on", [True, False])
def test_a_process_sweeps_unless_it_is_told_not_to_and_stops_with_its_server(settings, on):
    settings.SWEEP = on
    server = FakeServer()
    serving.serve(server, None)
    assert ("sweeper" in server.beside) == on
    assert "sweeper" not in {thread.name for thread in threading.enumerate()}


def test_a_tournament_that_is_gone_stops_nothing():
    gone, stays = overdue(2)
    things = deadlines.upcoming(present())
    tournaments.cancel(Actor(gone.tournament.created_by), gone.tournament_id)
    results = [result for _, result in deadlines.sweeping(things, present())]
    assert sorted(results) == ["done", "gone"]
    assert completions(stays) == 1
