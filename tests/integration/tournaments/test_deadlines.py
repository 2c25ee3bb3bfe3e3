"""What happens by the clock: at its time, once, in order, whoever sweeps and however late."""

from datetime import timedelta

import pytest

from apps.errors import BadRequest, Conflict
from apps.eventlog import log
from apps.eventlog.models import Event
from apps.tournaments.management.sweeper import AGAIN, LOOK_AHEAD_SECONDS, Sweeper
from apps.tournaments.models import Entry, EntryStatus, Match, Status
from apps.tournaments.realtime import metrics
from apps.tournaments.services import Actor, deadlines, entries, matches, reopening, schedule, tournaments
from apps.tournaments.services.deadlines import PLAN_HOLDS, sweep, upcoming
from apps.tournaments.services.unit import present
from engine.bracket import Side
from engine.match_flow import Score
from engine.stages import Format
from tests import factories
from tests.integration.tournaments.test_formats import the_log_is_the_state

pytestmark = pytest.mark.django_db

CHECK_IN = {"match_check_in_minutes": 10}


def later(**delta):
    return present() + timedelta(**delta)


def by(cup):
    return Actor(cup.created_by)


def events(cup):
    return log.read(cup.stream, after=0, limit=1000)


def asked(cup, number=1) -> Match:
    """A match whose sides have ten minutes to check in."""
    schedule.call(by(cup), factories.match_number(cup, number).pk)
    match = factories.match_number(cup, number)
    assert match.state == "check_in"
    return match


def reported(cup, number=1) -> Match:
    """A match of which home has reported that it won 2:0; a quarter of an hour to answer."""
    match = factories.match_number(cup, number)
    matches.report(Actor(match.home.user), match.pk, Score(2, 0))
    return match


class TestMatches:
    @pytest.mark.parametrize("side", Side)
    def test_who_checked_in_alone_wins_when_the_time_is_over(self, side):
        cup = factories.drawn(4, **CHECK_IN)
        match = asked(cup)
        matches.check_in(by(cup), match.pk, side=side)
        assert sweep(later(minutes=9)) == 0
        assert sweep(later(minutes=11)) == 1
        match.refresh_from_db()
        assert (match.state, match.reason, match.deadline_at) == ("forfeit", "no_show", None)
        assert match.winner_id == match.entry_id(side)
        assert match.winner_id in (factories.match_number(cup, 4).home_id, factories.match_number(cup, 4).away_id)
        the_log_is_the_state(cup)

    def test_when_nobody_checked_in_both_lose_and_the_next_opponent_passes(self):
        cup = factories.drawn(4, third_place_match=False, **CHECK_IN)
        asked(cup)
        assert sweep(later(minutes=11)) == 1
        match = factories.match_number(cup, 1)
        assert (match.state, match.reason, match.winner_id) == ("forfeit", "no_show", None)
        matches.start(by(cup), factories.match_number(cup, 2).pk)
        matches.finish(by(cup), factories.match_number(cup, 2).pk, Score(1, 0))
        final = factories.match_number(cup, 3)
        assert (final.state, final.reason) == ("forfeit", "walkover")
        assert factories.fresh(cup).champion_id == factories.match_number(cup, 2).winner_id
        the_log_is_the_state(cup)

    def test_in_a_league_a_no_show_is_a_loss_for_whoever_was_not_there(self):
        cup = factories.drawn(2, format=Format.ROUND_ROBIN, **CHECK_IN)
        asked(cup)
        sweep(later(minutes=11))
        cup = factories.fresh(cup)
        assert cup.status == Status.COMPLETED
        assert factories.match_number(cup, 1).winner_id is None
        the_log_is_the_state(cup)

    def test_a_report_that_nobody_answers_counts(self):
        cup = factories.drawn(2)
        match = reported(cup)
        assert sweep(later(minutes=14)) == 0
        assert sweep(later(minutes=16)) == 1
        match.refresh_from_db()
        assert (match.state, match.reason, match.winner_id) == ("completed", "played", match.home_id)
        assert factories.fresh(cup).status == Status.COMPLETED
        the_log_is_the_state(cup)

    def test_an_answer_ends_the_deadline(self):
        cup = factories.drawn(4)
        one, other = reported(cup, 1), reported(cup, 2)
        matches.dispute(Actor(one.away.user), one.pk, text="It was the other way round.")
        matches.confirm(Actor(other.away.user), other.pk)
        assert sweep(later(days=1)) == 0
        one.refresh_from_db()
        assert one.state == "disputed"

    def test_where_reports_wait_for_ever_nothing_is_due(self):
        cup = factories.drawn(2, confirm_minutes=0)
        reported(cup)
        assert sweep(later(days=99)) == 0

    def test_matches_of_a_cancelled_tournament_stay_as_they_are(self):
        cup = factories.drawn(2)
        match = reported(cup)
        tournaments.cancel(by(cup), cup.pk)
        assert sweep(later(days=1)) == 0
        match.refresh_from_db()
        assert match.state == "pending_result"

    def test_the_log_names_nobody(self):
        cup = factories.drawn(2)
        reported(cup)
        now = later(minutes=16)
        sweep(now)
        last = events(cup)[-1]
        assert (last.type, last.actor, last.at) == ("tournament_completed", "clock", log.iso(now))


class TestExtended:
    def test_a_deadline_is_the_one_that_was_set_last(self):
        cup = factories.drawn(2)
        match = reported(cup)
        deadlines.extend(by(cup), match.pk, minutes=60)
        assert events(cup)[-1].type == "match_deadline_extended"
        assert sweep(later(minutes=59)) == 0
        assert sweep(later(minutes=61)) == 1

    def test_a_match_without_one_is_refused(self):
        cup = factories.drawn(2)
        match = factories.match_number(cup, 1)
        with pytest.raises(Conflict, match="no deadline to move"):
            deadlines.extend(by(cup), match.pk, minutes=5)

    @pytest.mark.parametrize("minutes", [0, -1, 10_081])
    def test_it_lies_within_a_week(self, minutes):
        cup = factories.drawn(2)
        with pytest.raises(BadRequest, match="between 1 and 10080"):
            deadlines.extend(by(cup), reported(cup).pk, minutes=minutes)


class TestPlannedTimes:
    def planned(self, cup, **ahead) -> Match:
        match = factories.match_number(cup, 1)
        schedule.schedule(by(cup), match.pk, scheduled_at=later(**ahead))
        return factories.match_number(cup, 1)

    def test_check_in_opens_at_the_planned_time_and_lasts_as_long_as_any(self):
        cup = factories.drawn(2, **CHECK_IN)
        match = self.planned(cup, minutes=30)
        assert sweep(match.scheduled_at - timedelta(seconds=1)) == 0
        assert sweep(match.scheduled_at) == 1
        at = match.scheduled_at
        match.refresh_from_db()
        assert (match.state, match.deadline_at) == ("check_in", at + timedelta(minutes=10))
        the_log_is_the_state(cup)

    def test_who_has_checked_in_is_not_asked_again(self):
        cup = factories.drawn(2, **CHECK_IN)
        match = self.planned(cup, minutes=30)
        sweep(match.scheduled_at)
        for side in Side:
            matches.check_in(by(cup), match.pk, side=side)
        assert sweep(match.scheduled_at + timedelta(hours=2)) == 0
        match.refresh_from_db()
        assert match.state == "ready"

    def test_without_match_check_in_nothing_happens(self):
        match = self.planned(factories.drawn(2), minutes=30)
        assert sweep(match.scheduled_at) == 0

    def test_a_time_of_long_ago_calls_nobody_to_a_check_in_that_they_would_miss(self):
        match = self.planned(factories.drawn(2, **CHECK_IN), minutes=30)
        assert sweep(match.scheduled_at + PLAN_HOLDS) == 0

    def test_a_match_that_was_reopened_waits_for_a_new_time(self):
        cup = factories.drawn(2, **CHECK_IN)
        match = self.planned(cup, minutes=1)
        matches.start(by(cup), match.pk)
        matches.finish(by(cup), match.pk, Score(1, 0))
        reopening.reopen(by(cup), match.pk, token=reopening.preview(by(cup), match.pk).token)
        assert sweep(later(hours=1)) == 0
        match.refresh_from_db()
        assert (match.state, match.scheduled_at) == ("ready", None)


class TestEntrants:
    def test_who_did_not_check_in_in_time_loses_the_place(self):
        cup = factories.open_with_entries(3, check_in=True)
        present_one = cup.entries.order_by("pk")[0]
        entries.check_in(by(cup), present_one.pk)
        closes = later(minutes=20)
        tournaments.edit(by(cup), cup.pk, check_in_closes_at=closes)
        assert sweep(closes - timedelta(seconds=1)) == 0
        assert sweep(closes) == 1
        assert sweep(closes) == 0
        statuses = list(cup.entries.order_by("pk").values_list("status", flat=True))
        assert statuses == ["confirmed", "no_show", "no_show"]
        assert factories.fresh(cup).check_in_closed
        the_log_is_the_state(cup)

    def test_a_draft_is_left_alone(self):
        cup = factories.make_tournament(check_in=True, check_in_closes_at=later(minutes=1))
        assert sweep(later(minutes=2)) == 0
        factories.publish(cup)
        assert sweep(later(minutes=2)) == 1

    def test_a_place_that_nobody_claims_goes_to_the_next(self):
        cup = factories.open_with_entries(3, capacity=2)
        offered, _, waiting = cup.entries.order_by("pk")
        claim_by = later(minutes=5)
        Entry.objects.filter(pk=offered.pk).update(status=EntryStatus.OFFERED, claim_by=claim_by)
        assert sweep(claim_by - timedelta(seconds=1)) == 0
        assert sweep(claim_by) == 1
        assert sweep(claim_by) == 0
        offered.refresh_from_db()
        waiting.refresh_from_db()
        assert (offered.status, waiting.status) == ("expired", "confirmed")
        assert [e.type for e in events(cup)[-2:]] == ["registration_cancelled", "registration_promoted"]


class TestOrder:
    def test_after_a_pause_everything_happens_once_in_the_order_in_which_it_was_due(self):
        cups = [factories.drawn(2, confirm_minutes=minutes) for minutes in (30, 10, 20)]
        due = [reported(cup) for cup in cups]
        now = later(days=3)
        assert [thing.id for thing in upcoming(now)] == [due[1].pk, due[2].pk, due[0].pk]
        assert sweep(now) == 3
        completed = Event.objects.filter(type="match_completed").order_by("pk")
        assert [event.subject for event in completed] == [due[n].subject for n in (1, 2, 0)]
        assert sweep(now) == 0
        assert [factories.fresh(cup).status for cup in cups] == ["completed"] * 3

    def test_what_becomes_possible_by_it_begins_now_and_not_in_the_past(self):
        cup = factories.drawn(4, third_place_match=False, **CHECK_IN)
        for number in (1, 2):
            reported(cup, number)
        now = later(hours=5)
        assert sweep(now) == 2
        final = factories.match_number(cup, 3)
        assert (final.state, final.deadline_at) == ("check_in", now + timedelta(minutes=10))


@pytest.fixture
def broken(caplog):
    """One match whose report can be no result, due first, and another that can be decided."""
    cup, other = factories.drawn(2), factories.drawn(2, confirm_minutes=20)
    bad, good = reported(cup), reported(other)
    bad.refresh_from_db()
    Match.objects.filter(pk=bad.pk).update(report={**bad.report, "away_score": 2})
    return bad, good


class TestFailures:
    def test_what_fails_is_logged_and_does_not_stop_the_others(self, broken, caplog):
        bad, good = broken
        assert sweep(later(minutes=21)) == 1
        good.refresh_from_db()
        bad.refresh_from_db()
        assert (good.state, bad.state) == ("completed", "pending_result")
        (said,) = [r.msg for r in caplog.records if isinstance(r.msg, dict) and r.msg["event"] == "deadline_failed"]
        assert (said["kind"], said["id"], said["tournament"]) == ("match_is_decided", bad.pk, bad.tournament_id)

    def test_it_is_tried_again_after_a_while_and_counted(self, broken):
        bad, good = broken
        clock = Clock(later(minutes=21))
        sweeper = Sweeper(clock=clock)
        before = {result: metrics.swept.labels(result)._value.get() for result in ("done", "failed")}

        def counted():
            return {result: metrics.swept.labels(result)._value.get() - was for result, was in before.items()}

        sweeper.turn()
        sweeper.turn()
        assert counted() == {"done": 1, "failed": 1}
        Match.objects.filter(pk=bad.pk).update(report={**good_report(good), "away_score": 0})
        sweeper.turn()
        assert counted() == {"done": 1, "failed": 1}
        clock.now += AGAIN
        sweeper.turn()
        assert counted() == {"done": 2, "failed": 1}
        bad.refresh_from_db()
        assert bad.state == "completed"


def good_report(match):
    return Match.objects.get(pk=match.pk).report


class Clock:
    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


class TestSweeper:
    def test_while_nothing_is_due_it_asks_once_and_waits_for_up_to_two_seconds(self, django_assert_num_queries):
        cup = factories.drawn(2)
        reported(cup)
        sweeper = Sweeper(clock=Clock(later(minutes=1)))
        with django_assert_num_queries(1):
            waits = [sweeper.turn()]
        waits += [sweeper.turn() for _ in range(20)]
        assert all(LOOK_AHEAD_SECONDS / 2 <= wait <= LOOK_AHEAD_SECONDS for wait in waits)
        assert len(set(waits)) > 1, "processes that start together would ask together for ever"

    def test_it_wakes_when_something_is_due_and_looks_again_at_once(self):
        cup = factories.drawn(2)
        match = reported(cup)
        match.refresh_from_db()
        clock = Clock(match.deadline_at - timedelta(seconds=1.5))
        sweeper = Sweeper(clock=clock)
        wait = sweeper.turn()
        assert 1.5 <= wait <= 1.7
        clock.now += timedelta(seconds=wait)
        assert sweeper.turn() == 0
        match.refresh_from_db()
        assert match.state == "completed"
        assert sweeper.turn() > 0

    def test_a_process_that_ends_finishes_what_it_does_and_begins_nothing(self):
        cups = [factories.drawn(2) for _ in range(3)]
        for cup in cups:
            reported(cup)
        Sweeper(lambda: True, clock=Clock(later(hours=1))).turn()
        assert sorted(factories.fresh(cup).status for cup in cups) == ["completed", "live", "live"]

    def test_a_database_that_is_away_is_asked_again_later(self, monkeypatch, caplog):
        sweeper = Sweeper()
        turns = []

        def turn():
            turns.append(len(turns))
            if len(turns) == 1:
                raise ConnectionError
            sweeper.stop()
            return 0.0

        monkeypatch.setattr(sweeper, "turn", turn)
        monkeypatch.setattr("apps.tournaments.management.sweeper.PAUSE_SECONDS", 0)
        sweeper.run()
        assert turns == [0, 1]
        assert "sweep_failed" in caplog.text
