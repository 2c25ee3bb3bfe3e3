"""A disqualification, or a withdrawal, is taken back: everything is as if it had not been, or it is refused whole."""

from random import Random

import msgspec
import pytest

from apps.errors import Conflict
from apps.eventlog import log
from apps.eventlog.log import PUBLIC
from apps.tournaments.models import EntryStatus, Match
from apps.tournaments.selectors.snapshots import tournament_snapshot
from apps.tournaments.services import Actor, brackets, entries, matches, reinstating, reopening
from engine.match_flow import MatchState, Score
from engine.projection import fold
from engine.stages import Format
from tests import factories

pytestmark = pytest.mark.django_db

SHAPES = [
    (Format.SINGLE_ELIMINATION, 7),
    (Format.DOUBLE_ELIMINATION, 8),
    (Format.ROUND_ROBIN, 5),
    (Format.SWISS, 6),
]


def standing(cup):
    """What of a tournament says how it stands: no versions, no times of what is open."""
    state = tournament_snapshot(cup.pk, audience=PUBLIC).data
    gone = ("version", "called_at", "deadline_at", "started_at")
    rows = {key: {n: v for n, v in row.items() if n not in gone} for key, row in state["matches"].items()}
    return {**state, "matches": rows}


@pytest.mark.parametrize("leave", [entries.disqualify, entries.withdraw])
@pytest.mark.parametrize(("format", "entrants"), SHAPES)
def test_who_is_reinstated_stands_where_they_stood(format, entrants, leave):
    rng = Random(entrants)
    for played in range(0, 5, 2):
        cup = factories.drawn(entrants, format=format)
        staff = Actor(cup.created_by)
        factories.play(cup, matches_at_most=played)
        before = standing(cup)
        before["tournament"]["status"] = "live"  # with the first match that was decided, play began
        for entry in rng.sample(list(cup.entries.all()), 3):
            leave(staff, entry.pk)
            reinstating.reinstate(staff, entry.pk)
            after = standing(cup)
            after["tournament"]["status"] = "live"
            assert after == before
        events = log.read(cup.stream, after=0, limit=10_000, audiences=[PUBLIC])
        assert fold(msgspec.json.decode(e.data) for e in events) == tournament_snapshot(cup.pk, audience=PUBLIC).data


def test_it_is_refused_whole_when_the_winner_by_walkover_has_begun_the_next_match():
    cup = factories.drawn(4)
    staff = Actor(cup.created_by)
    semi = factories.match_number(cup, 1)
    entries.disqualify(staff, semi.home_id)
    factories.play(cup, matches_at_most=1)
    final = cup.matches.get(bracket="main", round=2)
    matches.start(staff, final.pk)
    with pytest.raises(Conflict, match=f"Match {final.number} has begun with whoever came instead"):
        reinstating.reinstate(staff, semi.home_id)
    assert cup.entries.get(pk=semi.home_id).status == EntryStatus.DISQUALIFIED
    assert Match.objects.get(pk=semi.pk).state == MatchState.FORFEIT
    matches.finish(staff, final.pk, Score(1, 0))
    reopening.reopen(staff, final.pk, token=reopening.preview(staff, final.pk).token)
    reinstating.reinstate(staff, semi.home_id)
    assert Match.objects.get(pk=semi.pk).state == MatchState.READY
    assert Match.objects.get(pk=final.pk).state == MatchState.SCHEDULED


def test_who_missed_a_round_of_a_swiss_does_not_come_back():
    cup = factories.drawn(6, format=Format.SWISS)
    staff = Actor(cup.created_by)
    entry = cup.entries.first()
    entries.disqualify(staff, entry.pk)
    factories.play(cup, matches_at_most=2)
    brackets.pair(staff, cup.pk)
    with pytest.raises(Conflict, match="Round 2 was paired without"):
        reinstating.reinstate(staff, entry.pk)


def test_when_both_had_left_the_one_who_comes_back_wins_by_walkover():
    cup = factories.drawn(4)
    staff = Actor(cup.created_by)
    semi = factories.match_number(cup, 1)
    entries.disqualify(staff, semi.home_id)
    entries.disqualify(staff, semi.away_id)
    reinstating.reinstate(staff, semi.away_id)
    assert Match.objects.get(pk=semi.pk).winner_id == semi.away_id


def test_before_the_draw_a_withdrawal_is_taken_back_into_a_place_or_the_waitlist():
    cup = factories.open_with_entries(3, capacity=2)
    staff = Actor(cup.created_by)
    first, _, waits = cup.entries.order_by("pk")
    entries.withdraw(staff, first.pk)
    reinstating.reinstate(staff, first.pk)
    states = dict(cup.entries.values_list("pk", "status"))
    assert (states[first.pk], states[waits.pk]) == (EntryStatus.WAITLISTED, EntryStatus.CONFIRMED)


def test_nobody_is_reinstated_who_has_not_left():
    cup = factories.drawn(2)
    with pytest.raises(Conflict, match="nothing to take back"):
        reinstating.reinstate(Actor(cup.created_by), cup.entries.first().pk)
