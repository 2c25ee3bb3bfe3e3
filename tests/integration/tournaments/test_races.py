"""Many people at once, each with a connection of their own: one wins, the others are told how things stand."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from threading import Barrier

import msgspec
import pytest
from django.db import IntegrityError, connection

from apps.accounts.models import User
from apps.errors import AppError
from apps.eventlog import log
from apps.eventlog.log import PUBLIC
from apps.eventlog.models import Event
from apps.tournaments.models import Entry, Match
from apps.tournaments.models.entry import TAKES_A_PLACE
from apps.tournaments.selectors.snapshots import tournament_snapshot
from apps.tournaments.services import (
    Actor,
    brackets,
    entries,
    erasure,
    matches,
    reopening,
    teams,
    tournaments,
    waitlist,
)
from apps.tournaments.services.deadlines import sweep
from apps.tournaments.services.unit import present
from engine.match_flow import MatchState, Score
from engine.projection import fold
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


def test_places_that_are_held_are_claimed_or_passed_on_and_never_more_than_there_are():
    cup = factories.open_registration(factories.make_tournament(capacity=16, claim_minutes=30))
    people = [factories.make_user() for _ in range(20)]
    at_once(*(lambda person=person: entries.register(Actor(person), cup.pk) for person in people))
    places = Entry.objects.filter(tournament=cup, status__in=TAKES_A_PLACE)
    waiting = list(Entry.objects.filter(tournament=cup, status="waitlisted").order_by("waitlisted_at", "pk"))
    assert (places.count(), len(waiting)) == (16, 4)
    assert [entry.pk for entry in waiting] == sorted(entry.pk for entry in waiting)

    leaving = list(places.values_list("pk", flat=True)[:3])
    at_once(*(lambda pk=pk: entries.withdraw(Actor(cup.created_by), pk) for pk in leaving))
    assert statuses_of(waiting) == ["offered"] * 3 + ["waitlisted"]
    assert places.count() == 16

    # Claimed, given back and run out in one moment: the claim came in time or it did not, and the next has one place.
    Entry.objects.filter(pk=waiting[2].pk).update(claim_by=present())
    results = at_once(
        *(lambda: waitlist.claim(Actor(waiting[0].user), waiting[0].pk) for _ in range(4)),
        lambda: entries.withdraw(Actor(waiting[1].user), waiting[1].pk),
        lambda: waitlist.claim(Actor(waiting[1].user), waiting[1].pk),
        lambda: waitlist.claim(Actor(waiting[2].user), waiting[2].pk),
        *(lambda: sweep(present()) for _ in range(3)),
    )
    assert codes(results[:4]) == {"done": 1, "conflict": 3}
    assert results[6] == "conflict"
    assert sum(results[7:]) == 1
    assert statuses_of(waiting) == ["confirmed", "withdrawn", "expired", "offered"]
    assert places.count() == 15
    events = log.read(cup.stream, after=0, limit=999)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))


def statuses_of(entries):
    rows = {entry.pk: str(entry.status) for entry in Entry.objects.filter(pk__in=[entry.pk for entry in entries])}
    return [rows[entry.pk] for entry in entries]


@pytest.mark.parametrize("_attempt", range(5))
def test_a_player_who_leaves_while_the_team_registers_is_in_the_roster_or_not_in_the_team(_attempt):
    team = factories.make_team("", factories.make_name(), factories.make_name())
    cups = [
        factories.open_registration(factories.make_tournament(participation="team", roster_min=2)) for _ in range(2)
    ]
    captain, player = Actor(team.captain), team.members.last().user
    everybody = [member.user_id for member in team.members.all()]
    results = at_once(
        *(lambda c=cup: entries.register(captain, c.pk, team_id=team.pk, roster=everybody) for cup in cups),
        lambda: teams.leave(Actor(player), team.pk),
        lambda: teams.edit(captain, team.pk, tag="X"),
    )
    assert set(codes(results)) <= {"done", "bad_request"}
    assert not team.members.filter(user=player).exists()
    assert all(player.pk not in [p["user"] for p in entry.roster] for entry in team.entries.all())


def test_two_teams_change_hands_in_the_same_tournaments_while_others_act_there():
    cups = [factories.open_registration(factories.make_tournament(participation="team")) for _ in range(2)]
    both = [factories.make_team("", factories.make_name()) for _ in range(2)]
    for cup, team in product(cups, both):
        factories.enter_team(cup, team)
    heirs = [team.members.last().user for team in both]
    results = at_once(
        *(
            lambda t=team, h=heir: teams.hand_over(Actor(t.captain), t.pk, h.pk)
            for team, heir in zip(both, heirs, strict=True)
        ),
        *(lambda c=cup: tournaments.edit(Actor(c.created_by), c.pk, name="Other") for cup in cups),
        *(lambda c=cup: entries.add(Actor(c.created_by), c.pk, name="Ada") for cup in cups),
    )
    assert codes(results) == {"done": 6}
    for cup in cups:
        assert set(cup.entries.exclude(user=None).values_list("user", flat=True)) == {heir.pk for heir in heirs}


def test_two_captains_want_one_player():
    cup = factories.open_registration(factories.make_tournament(participation="team"))
    star = factories.make_name()
    both = [factories.make_team("", star), factories.make_team()]
    teams.invite(Actor(both[1].captain), both[1].pk, username=star)
    teams.accept(Actor(both[0].members.last().user), both[1].pk)
    results = at_once(*(lambda t=team: entries.register(Actor(t.captain), cup.pk, team_id=t.pk) for team in both))
    assert codes(results) == {"done": 1, "conflict": 1}


def test_one_name_for_a_team_wanted_by_five_belongs_to_one():
    people = [factories.make_user() for _ in range(5)]
    results = at_once(*(lambda person=person: teams.create(Actor(person), name="Reds") for person in people))
    assert codes(results) == {"done": 1, "conflict": 4}


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


def test_who_goes_while_they_enter_everywhere_is_nowhere_afterwards():
    cups = [factories.open_with_entries(1) for _ in range(4)]
    user = factories.make_user("leaver")

    def enter(cup):
        try:
            return entries.register(Actor(User.objects.get(pk=user.pk)), cup.pk)
        except (User.DoesNotExist, IntegrityError):
            return "too late"

    *_, gone = at_once(*(lambda cup=cup: enter(cup) for cup in cups), lambda: erasure.erase(user))
    if gone == "conflict":  # they were faster three times
        erasure.erase(user)
    assert not User.objects.filter(username="leaver").exists()
    assert not Entry.objects.filter(name="leaver").exists()
    assert not Event.objects.filter(data__contains="leaver").exists()
    for cup in cups:
        seen = [event.data for event in log.read(cup.stream, after=0, limit=99, audiences={PUBLIC})]
        assert fold(map(msgspec.json.decode, seen)) == tournament_snapshot(cup.pk, audience=PUBLIC).data
