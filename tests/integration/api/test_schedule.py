"""Stations, plan, calls and deadlines over the HTTP API."""

import pytest

from apps.eventlog.log import iso
from apps.tournaments.models import Match
from apps.tournaments.services import Actor, matches
from engine.match_flow import Score
from tests import factories
from tests.integration.api.client import Person, ok, refused

pytestmark = pytest.mark.django_db

AT = "2099-11-22T18:00:00Z"


@pytest.fixture
def cup():
    return factories.drawn(4, third_place_match=False)


@pytest.fixture
def organizer(cup):
    return Person(cup.created_by)


def court(organizer, cup, name="Court 1") -> int:
    return ok(organizer.post(f"/tournaments/{cup.pk}/stations", {"name": name}), 201)["station"]["id"]


def test_stations_are_listed_in_the_order_in_which_they_came(organizer, cup):
    first, second = court(organizer, cup), court(organizer, cup, "Court 2")
    renamed = ok(organizer.patch(f"/stations/{first}", {"name": "Centre court"}))
    assert renamed["station"] == {"id": first, "name": "Centre court", "order": 1}
    assert [s["id"] for s in ok(Person().get(f"/tournaments/{cup.pk}/stations"))["items"]] == [first, second]
    assert ok(organizer.delete(f"/stations/{first}"))["station_id"] == first
    assert ok(Person().get(f"/tournaments/{cup.pk}/stations"))["count"] == 1
    refused(organizer.delete(f"/stations/{first}"), 404, "not_found")
    refused(organizer.post(f"/tournaments/{cup.pk}/stations", {"name": "court 2"}), 409, "conflict")


def test_a_plan_is_made_and_everybody_reads_it(organizer, cup):
    station = court(organizer, cup)
    refused(Person(factories.make_user()).post(f"/tournaments/{cup.pk}/schedule", {}), 403, "permission_denied")
    body = {"starts_at": AT, "match_minutes": 20, "rest_minutes": 10}
    made = ok(organizer.post(f"/tournaments/{cup.pk}/schedule", body))
    seen = ok(Person().get(f"/tournaments/{cup.pk}/schedule"))
    assert {**seen, "seq": made["seq"]} == made
    assert [(slot["number"], slot["scheduled_at"][11:16]) for slot in seen["plan"]] == [
        (1, "18:00"),
        (2, "18:20"),
        (3, "18:50"),
    ]
    assert seen["expected_end"] == "2099-11-22T19:10:00.000Z"
    (board,) = seen["boards"]
    assert board == {"station": station, "now": [], "late": [], "next": [slot["match"] for slot in seen["plan"]]}
    assert (seen["match_minutes"], seen["rest_minutes"]) == (20, 10)
    matches.start(Actor(cup.created_by), board["next"][0])
    assert ok(Person().get(f"/tournaments/{cup.pk}/schedule"))["boards"][0]["now"] == board["next"][:1]


def test_a_plan_that_is_sent_again_is_made_once(organizer, cup):
    court(organizer, cup)
    answers = [ok(organizer.post(f"/tournaments/{cup.pk}/schedule", {}, key="plan-1")) for _ in range(2)]
    assert answers[0]["seq"] == answers[1]["seq"]


def test_what_is_left_out_stays_and_null_takes_away(organizer, cup):
    station, match = court(organizer, cup), factories.match_number(cup, 1)
    path = f"/matches/{match.pk}/schedule"
    ok(organizer.patch(path, {"scheduled_at": AT}))
    ok(organizer.patch(path, {"station": station}))
    match.refresh_from_db()
    assert (iso(match.scheduled_at), match.station_id) == (AT.replace("Z", ".000Z"), station)
    ok(organizer.patch(path, {"station": None, "expected_version": match.version}))
    match.refresh_from_db()
    assert (match.scheduled_at is None, match.station_id) == (False, None)
    refused(organizer.patch(path, {"station": 10**9}), 400, "bad_request")
    refused(organizer.patch(path, {"scheduled_at": "2001-01-01T00:00:00Z"}), 400, "bad_request")


def test_a_double_booking_is_a_conflict_that_names_the_matches(organizer, cup):
    station = court(organizer, cup)
    one, other = factories.match_number(cup, 1), factories.match_number(cup, 2)
    ok(organizer.patch(f"/matches/{one.pk}/schedule", {"station": station, "scheduled_at": AT}))
    problem = refused(
        organizer.patch(f"/matches/{other.pk}/schedule", {"station": station, "scheduled_at": AT}), 409, "conflict"
    )
    assert problem["data"]["conflicts"] == [{"clash": "station", "matches": [one.pk, other.pk], "subject": station}]


def test_a_call_and_more_time(organizer, cup):
    match = factories.match_number(cup, 1)
    answer = ok(organizer.post(f"/matches/{match.pk}/call", {}))
    assert answer["match"]["id"] == match.pk
    assert Match.objects.get(pk=match.pk).called_at
    refused(organizer.patch(f"/matches/{match.pk}/deadline", {"minutes": 5}), 409, "conflict")
    matches.report(Actor(match.home.user), match.pk, Score(1, 0))
    before = Match.objects.get(pk=match.pk).deadline_at
    ok(organizer.patch(f"/matches/{match.pk}/deadline", {"minutes": 60}))
    assert Match.objects.get(pk=match.pk).deadline_at > before
    refused(organizer.patch(f"/matches/{match.pk}/deadline", {"minutes": 0}), 422, "invalid_schema")
