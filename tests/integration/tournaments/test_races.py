"""Many people at once, each with a connection of their own: one wins, the others are told how things stand."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from apps.errors import AppError
from apps.eventlog import log
from apps.tournaments.models import Entry, Match
from apps.tournaments.services import Actor, brackets, entries, matches, reopening, tournaments
from engine.match_flow import MatchState, Score
from engine.stages import Format
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*calls):
    """Run the calls in threads that start together. Return what each returned, or the code it was refused with."""
    barrier = Barrier(len(calls))

    def run(call):
        try:
            barrier.wait(10)
            return call()
        except AppError as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def codes(results):
    return Counter(result if isinstance(result, str) else "done" for result in results)


def test_twenty_people_on_sixteen_places_are_sixteen_and_a_waitlist_of_four_in_order():
    cup = factories.open_registration(factories.make_tournament(capacity=16))
    people = [factories.make_user() for _ in range(20)]
    results = at_once(*(lambda person=person: entries.register(Actor(person), cup.pk) for person in people))
    assert codes(results) == {"done": 20}
    in_order = sorted(results, key=lambda done: done.seq)
    rows = {entry.pk: entry for entry in Entry.objects.filter(tournament=cup)}
    statuses = [rows[done.ids["entry_id"]].status for done in in_order]
    assert statuses == ["confirmed"] * 16 + ["waitlisted"] * 4
    waiting = [done.ids["entry_id"] for done in in_order[16:]]
    assert waiting == sorted(waiting), "the waitlist is in the order of the log"

    leaving = [done.ids["entry_id"] for done in in_order[:3]]
    at_once(*(lambda pk=pk: entries.withdraw(Actor(cup.created_by), pk) for pk in leaving))
    rows = {entry.pk: entry.status for entry in Entry.objects.filter(tournament=cup)}
    assert [rows[pk] for pk in waiting] == ["confirmed"] * 3 + ["waitlisted"]
    assert [event.seq for event in log.read(cup.stream, after=0, limit=99)] == list(range(1, 31))


def test_one_person_registering_ten_times_at_once_is_registered_once():
    cup = factories.open_registration(factories.make_tournament())
    person = factories.make_user()
    results = at_once(*(lambda: entries.register(Actor(person), cup.pk) for _ in range(10)))
    assert codes(results) == {"done": 1, "conflict": 9}


def test_two_referees_starting_one_match_start_it_once():
    cup = factories.drawn(2)
    match = factories.match_number(cup, 1)
    results = at_once(*(lambda: matches.start(Actor(cup.created_by), match.pk) for _ in range(2)))
    assert codes(results) == {"done": 1, "conflict": 1}


def test_five_confirmations_complete_a_match_once():
    cup = factories.drawn(4)
    match = factories.match_number(cup, 1)
    matches.report(Actor(match.home.user), match.pk, Score(2, 0))
    results = at_once(*(lambda: matches.confirm(Actor(match.away.user), match.pk) for _ in range(5)))
    assert codes(results) == {"done": 1, "conflict": 4}
    completed = [e for e in log.read(cup.stream, after=0, limit=99) if e.type == "match_completed"]
    assert len(completed) == 1


def test_a_confirmation_against_a_ruling_leaves_one_result():
    cup = factories.drawn(4)
    match = factories.match_number(cup, 1)
    matches.report(Actor(match.home.user), match.pk, Score(2, 0))
    results = at_once(
        lambda: matches.confirm(Actor(match.away.user), match.pk),
        lambda: matches.finish(Actor(cup.created_by), match.pk, Score(0, 3)),
    )
    assert codes(results) == {"done": 1, "conflict": 1}
    match.refresh_from_db()
    confirmed = results[1] == "conflict"
    assert (match.home_score, match.away_score) == ((2, 0) if confirmed else (0, 3))


def test_one_command_sent_ten_times_at_once_acts_once_and_answers_the_same():
    cup = factories.drawn(2)
    match = factories.match_number(cup, 1)
    actor = Actor(cup.created_by, command_id="same")
    results = at_once(*(lambda: matches.start(actor, match.pk) for _ in range(10)))
    assert set(codes(results)) == {"done"}
    assert len({(done.seq, done.ids["match_id"]) for done in results}) == 1


def test_scores_made_for_the_same_version_are_one_accepted_and_one_conflict():
    cup = factories.drawn(2)
    match = factories.match_number(cup, 1)
    matches.start(Actor(cup.created_by), match.pk)
    version = Match.objects.get(pk=match.pk).version
    results = at_once(
        *(
            lambda goals=goals: matches.update_score(
                Actor(cup.created_by), match.pk, Score(goals, 0), expected_version=version
            )
            for goals in (1, 2)
        )
    )
    assert codes(results) == {"done": 1, "conflict": 1}


def test_the_last_two_semi_finals_end_at_once_and_both_finalists_arrive():
    cup = factories.drawn(4)
    organizer = Actor(cup.created_by)
    semis = [factories.match_number(cup, n) for n in (1, 2)]
    for match in semis:
        matches.start(organizer, match.pk)
    results = at_once(*(lambda pk=m.pk: matches.finish(organizer, pk, Score(1, 0)) for m in semis))
    assert codes(results) == {"done": 2}
    final = factories.match_number(cup, 4)
    assert final.state == MatchState.READY
    assert {final.home_id, final.away_id} == {match.home_id for match in semis}


def test_different_tournaments_do_not_wait_for_each_other_for_ever():
    cups = [factories.open_registration(factories.make_tournament(capacity=8)) for _ in range(4)]
    people = [factories.make_user() for _ in range(8)]
    results = at_once(*(lambda c=cup, p=person: entries.register(Actor(p), c.pk) for cup in cups for person in people))
    assert codes(results) == {"done": 32}
    for cup in cups:
        seqs = [event.seq for event in log.read(cup.stream, after=0, limit=99)]
        assert seqs == list(range(1, len(seqs) + 1))


def test_the_last_two_organisers_cannot_both_leave():
    cup = factories.make_tournament()
    other = factories.make_user()
    tournaments.add_member(Actor(cup.created_by), cup.pk, username=other.username, role=3)
    results = at_once(
        lambda: tournaments.remove_member(Actor(cup.created_by), cup.pk, cup.created_by.pk),
        lambda: tournaments.remove_member(Actor(other), cup.pk, other.pk),
    )
    assert codes(results)["done"] == 1


def test_two_different_reports_at_once_are_one_dispute():
    match = factories.match_number(factories.drawn(2), 1)
    results = at_once(
        lambda: matches.report(Actor(match.home.user), match.pk, Score(2, 0)),
        lambda: matches.report(Actor(match.away.user), match.pk, Score(0, 2)),
    )
    assert codes(results) == {"done": 2}
    match.refresh_from_db()
    assert (match.state, match.disputes.count()) == ("disputed", 1)
    assert {match.report["home_score"], match.counter_report["home_score"]} == {2, 0}


def test_the_same_report_by_both_sides_at_once_completes_the_match_once():
    match = factories.match_number(factories.drawn(2), 1)
    sides = (match.home, match.away)
    results = at_once(*(lambda e=entry: matches.report(Actor(e.user), match.pk, Score(2, 0)) for entry in sides))
    assert codes(results) == {"done": 2}
    match.refresh_from_db()
    assert (match.state, match.winner_id) == ("completed", match.home_id)


def test_a_confirmation_against_a_dispute_leaves_one_of_them():
    match = factories.match_number(factories.drawn(2), 1)
    matches.report(Actor(match.home.user), match.pk, Score(2, 0))
    by = Actor(match.away.user)
    results = at_once(
        lambda: matches.confirm(by, match.pk), lambda: matches.dispute(by, match.pk, text="It was the other way.")
    )
    assert codes(results) == {"done": 1, "conflict": 1}
    match.refresh_from_db()
    assert match.state == ("completed" if results[1] == "conflict" else "disputed")


def test_a_reopening_against_the_start_of_the_next_match_leaves_one_of_them():
    cup = factories.drawn(4)
    factories.play(cup, matches_at_most=2)
    organizer = Actor(cup.created_by)
    first, final = factories.match_number(cup, 1), factories.match_number(cup, 4)
    token = reopening.preview(organizer, first.pk).token
    results = at_once(
        lambda: matches.start(organizer, final.pk), lambda: reopening.reopen(organizer, first.pk, token=token)
    )
    assert codes(results) == {"done": 1, "conflict": 1}
    final.refresh_from_db()
    assert final.state == ("live" if results[1] == "conflict" else "scheduled")


def test_one_reopening_confirmed_by_five_is_done_once():
    cup = factories.drawn(4)
    factories.play(cup)
    organizer = Actor(cup.created_by)
    first = factories.match_number(cup, 1)
    token = reopening.preview(organizer, first.pk).token
    results = at_once(*(lambda: reopening.reopen(organizer, first.pk, token=token) for _ in range(5)))
    assert codes(results) == {"done": 1, "conflict": 4}


def test_a_round_is_paired_once():
    cup = factories.drawn(8, format=Format.SWISS)
    factories.play(cup, matches_at_most=4)
    results = at_once(*(lambda: brackets.pair(Actor(cup.created_by), cup.pk) for _ in range(4)))
    assert codes(results) == {"done": 1, "conflict": 3}
    assert cup.matches.filter(round=2).count() == 4
