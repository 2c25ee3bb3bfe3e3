"""Captains, referees and the clock at once, each with a connection of their own: a step is taken once."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import transaction

from apps.eventlog import log
from apps.tournaments.models import Tournament
from apps.tournaments.services import Actor, matches, unit, veto
from engine.match_flow import Score
from tests import factories
from tests.integration.tournaments.test_races import at_once, codes

pytestmark = pytest.mark.django_db(transaction=True)

MAPS = ["Ascent", "Bind", "Haven", "Icebox"]


@pytest.fixture
def match():
    settings = {"pool": MAPS, "scripts": {"1": "seed; 1 ban, 1 ban, 2 ban, decider"}, "seconds": 30}
    return factories.match_number(factories.drawn(2, stage={"veto": settings}), 1)


def moves(match):
    match.refresh_from_db()
    return [made["option"] for made in match.veto["moves"]]


def kinds(match):
    stream = match.tournament.stream
    return [e.type for e in log.read(stream, after=0, limit=999) if e.type.startswith("veto_")]


def test_a_veto_that_both_captains_start_begins_once(match):
    results = at_once(*(lambda e=entry: veto.start(Actor(e.user), match.pk) for entry in (match.home, match.away) * 2))
    assert codes(results) == {"done": 1, "conflict": 3}
    assert kinds(match) == ["veto_started"]


def test_both_captains_choose_at_once_and_the_one_whose_turn_it_is_has_chosen(match):
    veto.start(Actor(match.home.user), match.pk)
    results = at_once(
        lambda: veto.move(Actor(match.home.user), match.pk, "Bind"),
        lambda: veto.move(Actor(match.away.user), match.pk, "Haven"),
    )
    assert codes(results) == {"done": 1, "conflict": 1}
    assert moves(match) == ["Bind"]


def test_two_taps_on_one_map_ban_it_once(match):
    veto.start(Actor(match.home.user), match.pk)
    results = at_once(*(lambda: veto.move(Actor(match.home.user), match.pk, "Bind") for _ in range(2)))
    assert codes(results) == {"done": 1, "conflict": 1}
    assert moves(match) == ["Bind"]


def test_two_taps_on_one_page_are_one_choice_even_when_it_is_the_same_sides_turn_again(match):
    veto.start(Actor(match.home.user), match.pk)
    match.refresh_from_db()
    version = match.version
    results = at_once(
        *(
            lambda option=option: veto.move(Actor(match.home.user), match.pk, option, expected_version=version)
            for option in ("Bind", "Haven")
        )
    )
    assert codes(results) == {"done": 1, "conflict": 1}
    assert len(moves(match)) == 1


def test_a_choice_against_several_clocks_takes_the_step_once(match):
    veto.start(Actor(match.home.user), match.pk)
    match.refresh_from_db()
    due, version = match.veto_deadline_at, match.version

    def sweep():
        with transaction.atomic():
            work = unit.Unit("veto_step_expires", Actor(AnonymousUser()), due)
            work.adopt(Tournament.objects.select_for_update(no_key=True).get(pk=match.tournament_id))
            done = veto.expire(work, match.pk)
            work.finish({}, fingerprint="")
        return done

    by = Actor(match.home.user)
    swept = at_once(sweep, sweep, sweep, lambda: veto.move(by, match.pk, "Bind", expected_version=version))
    assert swept[:3].count(True) == (swept[3] == "conflict")
    assert len(moves(match)) == 1
    assert kinds(match) == ["veto_started", "veto_moved"]


def test_a_choice_against_the_end_of_the_match_leaves_a_log_that_says_which_was_first(match):
    veto.start(Actor(match.home.user), match.pk)
    referee = Actor(match.tournament.created_by)
    matches.start(referee, match.pk)
    results = at_once(
        lambda: veto.move(Actor(match.home.user), match.pk, "Bind"), lambda: matches.finish(referee, match.pk, Score(1))
    )
    assert results[1] != "conflict"
    assert moves(match) == ([] if results[0] == "conflict" else ["Bind"])
