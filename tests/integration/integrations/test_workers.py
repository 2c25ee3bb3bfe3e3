"""Workers in threads and processes: woken by a commit, beside one another, killed, told to stop."""

import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.eventlog import log
from apps.integrations import wake
from apps.integrations.delivery import LEASE, Courier
from apps.integrations.models import Attempt, Endpoint
from apps.integrations.worker import Worker, beside
from tests.receiver import Receiver, doing, hang
from tests.server import ServerProcess, database_url, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

ALLOWED = {"WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8"}


@pytest.fixture
def cup(transactional_db, cup):
    return cup


@contextmanager
def working(**options):
    worker = Worker(**options)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()


@pytest.fixture(autouse=True)
def _nothing_is_left():
    yield
    assert not wake._bells


def seqs(receiver):
    return [request.seq for request in receiver.requests]


@pytest.fixture
def never_polls(monkeypatch):
    monkeypatch.setattr("apps.integrations.worker.POLL_SECONDS", 3600)


def test_a_commit_wakes_the_worker(cup, receiver, never_polls):
    cup.webhook(receiver.url)
    with working():
        for _ in range(3):
            wanted = cup.rename()
            wait_for(lambda wanted=wanted: receiver.requests and seqs(receiver)[-1:] == wanted)


def test_a_worker_finds_what_nobody_woke_it_for(cup, receiver, monkeypatch):
    monkeypatch.setattr("apps.integrations.worker.POLL_SECONDS", 0.05)
    cup.webhook(receiver.url)
    with working():
        monkeypatch.setattr(log, "_sinks", lambda: ())
        wanted = cup.rename(2)
        receiver.has(2)
    assert seqs(receiver) == wanted


def test_a_failure_is_tried_again_when_its_pause_is_over(cup, receiver, never_polls, monkeypatch):
    monkeypatch.setattr("apps.integrations.retries.FIRST", 0.02)
    receiver.close()
    endpoint = cup.webhook(receiver.url).endpoint
    with working():
        wanted = cup.rename()
        wait_for(lambda: Attempt.objects.filter(endpoint=endpoint).exists())
        receiver.open()
        receiver.has(1)
    assert seqs(receiver) == wanted


def test_workers_beside_each_other_keep_the_order_and_send_nothing_twice(cup, never_polls):
    with ExitStack() as stack:
        receivers = [stack.enter_context(Receiver()) for _ in range(3)]
        for receiver in receivers:
            cup.webhook(receiver.url)
        for _ in range(3):
            stack.enter_context(working())
        wanted = cup.rename(25)
        for receiver in receivers:
            receiver.has(25)
    for receiver in receivers:
        assert seqs(receiver) == wanted
        assert receiver.at_once == 1
    assert not Endpoint.objects.exclude(lease_owner="").exists()


def test_a_receiver_that_hangs_holds_up_nobody_else(cup, receiver, monkeypatch):
    with Receiver() as other, working():
        cup.webhook(other.url)
        cup.webhook(receiver.url)
        receiver.plan(hang)
        wanted = cup.rename(3)
        other.has(3)
        receiver.has(1)
        assert seqs(other) == wanted
        assert seqs(receiver) == wanted[:1]
        monkeypatch.setattr("apps.integrations.sending.SECONDS", 0.1)
        receiver.closing.set()


def test_whoever_is_told_to_stop_finishes_the_attempt_and_gives_the_lease_back(cup, receiver, monkeypatch):
    monkeypatch.setattr("apps.integrations.sending.SECONDS", 0.3)
    endpoint = cup.webhook(receiver.url).endpoint
    receiver.plan(hang)
    with working() as worker:
        wanted = cup.rename(2)
        receiver.has(1)
        worker.stop()
        endpoint.refresh_from_db()
        assert (endpoint.lease_owner, endpoint.lease_until, endpoint.failures) == ("", None, 1)
        assert seqs(receiver) == wanted[:1]


def test_without_it_nothing_is_delivered_beside_the_server(settings):
    settings.DELIVER = False
    with beside():
        assert not wake._bells


def test_a_process_killed_between_sending_and_writing_it_down_has_it_sent_again_under_the_same_id(cup, receiver):
    endpoint = cup.webhook(receiver.url).endpoint
    wanted = cup.rename(2)
    environment = os.environ | {"DATABASE_URL": database_url()} | ALLOWED
    command = [sys.executable, "manage.py", "deliver", "--forever"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        receiver.plan(doing(process.kill))
        try:
            process.wait(60)
        finally:
            process.kill()
    assert seqs(receiver) == wanted[:1]
    assert not Attempt.objects.exists()
    assert not Courier().serve(endpoint.pk), "the lease of the dead process still holds"
    later = timezone.now() + LEASE + timedelta(seconds=1)
    assert Courier(clock=lambda: later).serve(endpoint.pk)
    assert seqs(receiver) == [wanted[0], *wanted]
    assert receiver.requests[0].id == receiver.requests[1].id


def test_a_process_that_serves_the_site_delivers_and_ends_in_order(cup, receiver):
    cup.webhook(receiver.url)
    with ServerProcess(**ALLOWED) as server:
        wanted = cup.rename(2)
        receiver.has(2)
        server.stop()
    assert seqs(receiver) == wanted
    assert not Endpoint.objects.exclude(lease_owner="").exists()
