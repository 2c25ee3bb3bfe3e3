"""
The log is the state: random tournaments, played by random commands, legal and illegal, by people of every role.

After each command: fold(events) == snapshot, for the public and for the staff, and no refused command left a trace.
"""

import copy
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.errors import Conflict
from apps.eventlog import log
from apps.eventlog.log import PUBLIC
from apps.eventlog.models import Event
from apps.tournaments.events import EVENTS
from apps.tournaments.models import Status, Tournament
from apps.tournaments.selectors.snapshots import tournament_snapshot
from apps.tournaments.services import Actor, matches
from engine.match_flow import MatchState, Score
from engine.projection import COLLECTIONS, SINGULAR, fold
from tests import factories
from tests.integration.tournaments.walk import RandomTournament

pytestmark = pytest.mark.django_db

# What the walk does not do, or so seldom that 25 walks may be without it.
ELSEWHERE = {
    "match_called",
    "match_deadline_extended",
    "match_scheduled",
    "member_removed",
    "registration_checkin_reverted",
    "registration_imported",
    "schedule_planned",
    "stage_removed",
    "station_added",
    "station_removed",
    "station_renamed",
    "tournament_imported",
    "user_banned",
    "user_unbanned",
}


NO_PART = {"banned", "link"}  # what an event tells that the state does not hold, and no fold reads


def test_the_log_is_the_state_of_random_tournaments():
    @settings(max_examples=30)
    @given(seed=st.integers(0, 2**32))
    def walk(seed):
        RandomTournament(seed).run(steps=60)

    walk()
    # Walks that never get to a champion would prove little, so see what they did.
    seen = set(Event.objects.values_list("type", flat=True))
    assert seen >= {"bracket_updated", "match_completed", "match_reopened", "result_disputed", "round_paired"}
    seldom = set(EVENTS) - ELSEWHERE - seen
    assert len(seldom) <= len(EVENTS) / 5, seldom
    assert Tournament.objects.filter(status=Status.COMPLETED).count() > 3


@pytest.mark.parametrize("entrants", [2, 3, 5, 8, 16, 33])
def test_a_whole_tournament_folds_to_its_snapshot_at_every_seq(entrants):
    cup = factories.drawn(entrants, capacity=64)
    organizer = Actor(cup.created_by)
    states = {}

    def look():
        snapshot = tournament_snapshot(cup.pk, audience=PUBLIC)
        states[snapshot.position.seq] = copy.deepcopy(snapshot.data)

    look()
    rng = Random(entrants)
    while (match := cup.matches.filter(state=MatchState.READY).order_by("number").first()) is not None:
        matches.start(organizer, match.pk)
        matches.update_score(organizer, match.pk, Score(1, 1))
        look()
        matches.finish(organizer, match.pk, Score(rng.randint(2, 5), 1) if rng.random() < 0.5 else Score(1, 1, 3, 4))
        look()
    cup.refresh_from_db()
    assert cup.status == Status.COMPLETED
    assert cup.champion
    events = log.read(cup.stream, after=0, limit=10_000, audiences=[PUBLIC])
    for seq, state in states.items():
        assert fold(msgspec.json.decode(e.data) for e in events if e.seq <= seq) == state


def test_the_parts_of_an_event_are_named_as_the_fold_expects():
    for name, kind in EVENTS.items():
        for field in kind.__struct_fields__:
            assert field in {"tournament", "removed", *SINGULAR, *COLLECTIONS, *NO_PART}, (name, field)


def test_a_completed_match_refuses_everything():
    cup = factories.drawn(2)
    match = factories.match_number(cup, 1)
    organizer = Actor(cup.created_by)
    matches.start(organizer, match.pk)
    matches.finish(organizer, match.pk, Score(1, 0))
    with pytest.raises(Conflict) as refusal:
        matches.update_score(organizer, match.pk, Score(2, 0))
    assert refusal.value.data == {"state": "completed", "possible": ["reopen_match"]}
