"""The log: numbers without holes, nothing before commit, readers that see one moment."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Event as Signal

import pytest
from django.db import connection, transaction
from django.utils import timezone

from apps.eventlog import log
from apps.eventlog.log import NewEvent
from apps.eventlog.models import Event, Stream
from apps.tournaments.selectors.snapshots import tournament_snapshot
from apps.tournaments.services import Actor, stages, tournaments
from engine.projection import empty
from tests import factories

transactional = pytest.mark.django_db(transaction=True)


def some(count: int, audience: str = "public") -> list[NewEvent]:
    return [NewEvent(type="x", data=json.dumps({"n": n}), audience=audience) for n in range(count)]


@transactional
def test_append_outside_a_transaction_is_refused():
    log.create("s")
    with pytest.raises(RuntimeError, match="transaction"):
        log.append("s", some(1), at=timezone.now())
    assert not Event.objects.exists()


@pytest.mark.django_db
def test_redacting_replaces_what_is_said_and_moves_nothing():
    for name in ("s", "other"):
        log.create(name)
        log.append(name, some(1201), at=timezone.now())
    before = log.positions(["s"]), [(event.seq, event.type, event.at) for event in Event.objects.order_by("pk")]
    replaced = log.redact("s", lambda data: '{"n":-1}' if json.loads(data)["n"] % 3 == 0 else None)
    said = [json.loads(bytes(event.data))["n"] for event in log.read("s", after=0, limit=9999)]
    assert replaced == said.count(-1) == 401
    assert said == [-1 if n % 3 == 0 else n for n in range(1201)]
    assert [json.loads(bytes(event.data))["n"] for event in log.read("other", after=0, limit=9999)] == list(range(1201))
    assert (
        log.positions(["s"]),
        [(event.seq, event.type, event.at) for event in Event.objects.order_by("pk")],
    ) == before


@transactional
def test_appending_to_a_stream_that_does_not_exist_is_refused():
    with transaction.atomic(), pytest.raises(Stream.DoesNotExist):
        log.append("nowhere", some(1), at=timezone.now())


@transactional
def test_a_rollback_takes_the_numbers_back_and_tells_nobody(monkeypatch):
    told = []
    monkeypatch.setattr(log, "_sinks", lambda: (told.extend,))
    log.create("s")
    with transaction.atomic():
        log.append("s", some(2), at=timezone.now())
        assert told == []
        transaction.set_rollback(True)
    assert told == []
    with transaction.atomic():
        log.append("s", some(3), at=timezone.now())
    assert [event.seq for event in told] == [1, 2, 3]
    assert [event.seq for event in log.read("s", after=0, limit=10)] == [1, 2, 3]


@transactional
def test_a_sink_that_fails_costs_the_others_nothing(monkeypatch, caplog):
    told = []

    def broken(events):
        raise OSError("bus is down")

    monkeypatch.setattr(log, "_sinks", lambda: (broken, told.extend))
    log.create("s")
    with transaction.atomic():
        log.append("s", some(1), at=timezone.now())
    assert len(told) == 1
    assert "eventlog_sink_failed" in caplog.text


@transactional
def test_writers_at_once_leave_no_hole_and_no_duplicate():
    log.create("s")

    def write(count: int) -> None:
        try:
            with transaction.atomic():
                log.append("s", some(count), at=timezone.now())
                if count == 3:
                    transaction.set_rollback(True)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, [1, 2, 3, 4] * 6))
    seqs = list(Event.objects.order_by("seq").values_list("seq", flat=True))
    assert seqs == list(range(1, (1 + 2 + 4) * 6 + 1))
    assert log.positions(["s"])["s"].seq == len(seqs)


@transactional
def test_reading_goes_on_from_where_one_is_and_leaves_out_what_is_not_for_one():
    log.create("s")
    with transaction.atomic():
        log.append("s", [*some(2), *some(1, "staff"), *some(1)], at=timezone.now(), actor="user:1", command_id="c")
    assert [e.seq for e in log.read("s", after=1, limit=2)] == [2, 3]
    assert [e.seq for e in log.read("s", after=0, limit=9, audiences=["public"])] == [1, 2, 4]
    event = log.read("s", after=3, limit=1)[0]
    assert (event.stream, event.actor, bytes(event.data)) == ("s", "user:1", b'{"n": 0}')
    assert event.at.endswith("Z")
    assert log.read("s", after=4, limit=9) == []


@transactional
def test_positions_are_one_query_and_leave_out_the_unknown(django_assert_num_queries):
    log.create("a")
    log.create("b")
    with django_assert_num_queries(1):
        found = log.positions(["a", "b", "c"])
    assert {name: position.seq for name, position in found.items()} == {"a": 0, "b": 0}
    assert found["a"].epoch != found["b"].epoch


@transactional
def test_a_snapshot_is_of_one_moment_while_a_writer_commits_between_its_queries(monkeypatch):
    """The position and the tournament are read first, then the other rows; a commit between must not show in them."""
    cup = factories.make_tournament(name="Before")
    reading, written = Signal(), Signal()

    def write() -> None:
        try:
            assert reading.wait(10)
            tournaments.edit(Actor(cup.created_by), cup.pk, name="After")
            stages.edit(Actor(cup.created_by), cup.stages.get().pk, name="After")
        finally:
            written.set()
            connection.close()

    def begin():
        reading.set()
        assert written.wait(10)
        return empty()

    with ThreadPoolExecutor(1) as pool:
        writer = pool.submit(write)
        monkeypatch.setattr("apps.tournaments.selectors.snapshots.empty", begin)
        snapshot = tournament_snapshot(cup.pk, audience="public")
        monkeypatch.undo()
        writer.result()
    assert snapshot.data["tournament"]["name"] == "Before"
    assert [row["name"] for row in snapshot.data["stages"].values()] == [""]
    assert snapshot.position.seq == 2
    assert tournament_snapshot(cup.pk, audience="public").data["tournament"]["name"] == "After"
