"""Pick and ban over the HTTP API."""

import pytest

from tests import factories
from tests.integration.api.client import Person, ok, refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def match():
    settings = {"pool": ["Ascent", "Bind", "Haven"], "scripts": {"1": "seed; 1 ban, 2 ban, decider"}, "seconds": 45}
    return factories.match_number(factories.drawn(2, stage={"veto": settings}), 1)


def test_two_captains_settle_the_map_and_the_match_says_how(match):
    home, away, path = Person(match.home.user), Person(match.away.user), f"/matches/{match.pk}"
    started = ok(home.post(f"{path}/veto/start"))["match"]
    assert started["veto"]["turn"] == {"act": "ban", "side": "home", "options": ["Ascent", "Bind", "Haven"]}
    assert started["veto_deadline_at"].endswith("Z")
    assert refused(away.post(f"{path}/veto/move", {"option": "Bind"}), 409, "conflict")["data"]["turn"] == "home"
    ok(home.post(f"{path}/veto/move", {"option": "Bind", "expected_version": started["version"]}))
    possible = refused(away.post(f"{path}/veto/move", {"option": "Bind"}), 409, "conflict")["data"]["possible"]
    assert possible == ["Ascent", "Haven"]
    ok(away.post(f"{path}/veto/move", {"option": "Ascent"}))

    seen = ok(Person().get(path))
    assert seen["veto"]["games"] == [{"option": "Haven", "picked_by": None, "home_side": None, "away_side": None}]
    assert (seen["veto"]["turn"], seen["veto_deadline_at"]) == (None, None)
    assert seen["veto"]["seed"]


def test_a_key_that_is_sent_twice_is_one_choice(match):
    home, path = Person(match.home.user), f"/matches/{match.pk}/veto"
    ok(home.post(f"{path}/start"))
    first, second = (ok(home.post(f"{path}/move", {"option": "Bind"}, key="tap")) for _ in range(2))
    assert first == second


def test_a_referee_takes_it_back(match):
    staff, path = Person(match.tournament.created_by), f"/matches/{match.pk}/veto"
    ok(staff.post(f"{path}/start"))
    assert ok(staff.post(f"{path}/reset"))["match"]["veto"] is None
    refused(staff.post(f"{path}/reset"), 409, "conflict")


def test_a_choice_without_an_option_is_refused(match):
    refused(Person(match.home.user).post(f"/matches/{match.pk}/veto/move", {}), 422, "invalid_schema")


def test_the_stage_says_what_there_is_to_choose_from(match):
    [stage] = ok(Person().get(f"/tournaments/{match.tournament_id}"))["stages"]
    assert stage["veto"] == {
        "pool": ["Ascent", "Bind", "Haven"],
        "scripts": {"1": "seed; 1 ban, 2 ban, decider"},
        "seconds": 45,
        "sides": ["Attack", "Defence"],
    }
