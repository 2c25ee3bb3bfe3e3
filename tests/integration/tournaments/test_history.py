"""Time travel: the past is what a snapshot said then, for everybody who could see it then."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.errors import BadRequest, NotFound
from apps.eventlog import log
from apps.eventlog.log import PUBLIC, STAFF
from apps.tournaments.selectors.history import parse_moment, tournament_snapshot_at
from apps.tournaments.selectors.snapshots import tournament_snapshot
from apps.tournaments.services import Actor, tournaments
from tests import factories
from tests.integration.tournaments.walk import RandomTournament

pytestmark = pytest.mark.django_db


class Remembered(RandomTournament):
    """A random tournament whose snapshots are kept, one for each audience after each command."""

    def __init__(self, seed):
        self.pk = None
        self.then = {}
        super().__init__(seed)
        self.look()

    def command(self, service, actor, *args, **kwargs):
        super().command(service, actor, *args, **kwargs)
        self.look()

    def erase_somebody(self):
        """Somebody goes, and what was shown before has another name in it from now on."""
        super().erase_somebody()
        self.then.clear()
        self.look()

    def look(self):
        for audience in (PUBLIC, STAFF):
            snapshot = tournament_snapshot(self.pk, audience=audience)
            self.then[snapshot.position.seq, audience] = snapshot

    def check(self):
        """What `walk` checks is checked elsewhere."""


def test_at_every_position_the_past_is_what_the_snapshot_said_then():
    seen = {"looks": 0, "drafts": 0, "inside a command": 0}

    @settings(max_examples=12)
    @given(seed=st.integers(0, 2**32))
    def walk(seed):
        cup = Remembered(seed)
        cup.run(steps=25)
        head = log.positions([cup.stream])[cup.stream]
        for seq in range(1, head.seq + 1):
            for audience in (PUBLIC, STAFF):
                then = cup.then.get((seq, audience))
                if then is not None and audience == PUBLIC and then.data["tournament"]["status"] == "draft":
                    with pytest.raises(NotFound, match="not there yet"):
                        tournament_snapshot_at(cup.pk, seq, audience=audience)
                    seen["drafts"] += 1
                elif then is not None:
                    assert tournament_snapshot_at(cup.pk, seq, audience=audience) == then
                    seen["looks"] += 1
                elif audience == STAFF:
                    past = tournament_snapshot_at(cup.pk, seq, audience=audience)
                    assert (past.position.epoch, past.position.seq) == (head.epoch, seq)
                    seen["inside a command"] += 1

    walk()
    assert min(seen.values()) > 10, seen


def test_a_time_stands_for_the_last_event_at_or_before_it():
    cup = factories.drawn(4)
    factories.play(cup)
    events = log.read(cup.stream, after=0, limit=10_000)
    for event in events:
        at = parse_moment(event.at)
        seq = max(e.seq for e in events if e.at <= event.at)
        assert tournament_snapshot_at(cup.pk, at, audience=STAFF) == tournament_snapshot_at(cup.pk, seq, audience=STAFF)
    now = tournament_snapshot(cup.pk, audience=STAFF)
    assert tournament_snapshot_at(cup.pk, timezone.now(), audience=STAFF) == now
    earlier = parse_moment(events[0].at) - timedelta(milliseconds=1)
    with pytest.raises(NotFound, match="not there yet"):
        tournament_snapshot_at(cup.pk, earlier, audience=STAFF)


def test_before_the_first_and_after_the_last_event_there_is_nothing():
    cup = factories.make_tournament()
    with pytest.raises(NotFound, match="not there yet at that moment"):
        tournament_snapshot_at(cup.pk, 0, audience=STAFF)
    with pytest.raises(BadRequest, match="There is no event 3 yet; the log ends at 2"):
        tournament_snapshot_at(cup.pk, 3, audience=STAFF)
    with pytest.raises(BadRequest, match="still to come"):
        tournament_snapshot_at(cup.pk, timezone.now() + timedelta(seconds=9), audience=STAFF)
    with pytest.raises(NotFound, match="no such tournament"):
        tournament_snapshot_at(10**9, 1, audience=STAFF)


def test_a_moment_at_which_it_was_a_draft_is_for_the_staff_alone():
    cup = factories.make_tournament(name="A secret name")
    before = log.positions([cup.stream])[cup.stream].seq
    tournaments.edit(Actor(cup.created_by), cup.pk, name="Spring Cup")
    factories.publish(cup)
    after = log.positions([cup.stream])[cup.stream].seq
    for seq in range(1, after):
        with pytest.raises(NotFound):
            tournament_snapshot_at(cup.pk, seq, audience=PUBLIC)
    assert tournament_snapshot_at(cup.pk, before, audience=STAFF).data["tournament"]["name"] == "A secret name"
    seen = tournament_snapshot_at(cup.pk, after, audience=PUBLIC)
    assert (seen.data["tournament"]["name"], seen.data["staff"]) == ("Spring Cup", {})


def test_a_tournament_that_was_called_off_as_a_draft_has_no_draft_to_be_seen():
    cup = factories.make_tournament()
    tournaments.cancel(Actor(cup.created_by), cup.pk)
    head = log.positions([cup.stream])[cup.stream].seq
    assert tournament_snapshot_at(cup.pk, head, audience=PUBLIC).data["tournament"]["status"] == "cancelled"
    with pytest.raises(NotFound):
        tournament_snapshot_at(cup.pk, head - 1, audience=PUBLIC)


def test_it_costs_as_many_queries_whatever_has_happened(django_assert_num_queries):
    cup = factories.drawn(8)
    factories.play(cup)
    head = log.positions([cup.stream])[cup.stream].seq
    for at, queries in ((1, 2), (head, 2), (timezone.now(), 3)):
        with django_assert_num_queries(queries):
            tournament_snapshot_at(cup.pk, at, audience=STAFF)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("0", 0),
        ("41", 41),
        ("9" * 18, 10**18 - 1),
        ("2026-11-22T14:05:00Z", datetime(2026, 11, 22, 14, 5, tzinfo=UTC)),
        ("2026-11-22T14:05:00.250+02:00", datetime(2026, 11, 22, 12, 5, 0, 250_000, tzinfo=UTC)),
        ("2026-11-22 14:05+00:00", datetime(2026, 11, 22, 14, 5, tzinfo=UTC)),
    ],
)
def test_a_moment_is_a_position_or_a_time(text, moment):
    assert parse_moment(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "-1", "1.5", "1e3", "+1", "٣", "9" * 19, "now", "2026-11-22", "14:05", "2026-11-22T14:05:00",
        "2026-13-01T00:00:00Z", "2026-11-22T25:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00",
        "2026-11-22T14:05:00 01:00", "\0", "1; drop table", "2026-11-22T14:05:00Z" * 2,
    ],
)  # fmt: skip
def test_what_is_neither_is_refused_with_an_example(text):
    with pytest.raises(BadRequest, match=r"for example 2026-11-22T14:05:00Z") as refusal:
        parse_moment(text)
    assert refusal.value.data == {"field": "at"}
