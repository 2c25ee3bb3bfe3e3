"""A tournament as it was: the snapshot of any moment, over the API."""

import pytest

from apps.tournaments.services import Actor, tournaments
from engine.projection import apply
from tests.factories import drawn, make_tournament, make_user, play, publish
from tests.integration.api.client import Person, ok, refused

pytestmark = pytest.mark.django_db


def test_the_past_and_the_events_after_it_make_the_present():
    cup = drawn(4)
    play(cup)
    person = Person()
    events = ok(person.get(f"/tournaments/{cup.pk}/events"))["events"]
    middle = events[len(events) // 2]
    past = ok(person.get(f"/tournaments/{cup.pk}/snapshot", at=middle["seq"]))
    assert past["seq"] == middle["seq"]
    state = past["data"]
    assert state["tournament"]["champion"] is None
    for event in events:
        if event["seq"] > middle["seq"]:
            apply(state, event["data"])
    now = ok(person.get(f"/tournaments/{cup.pk}/snapshot"))
    assert (state, past["epoch"]) == (now["data"], now["epoch"])
    assert ok(person.get(f"/tournaments/{cup.pk}/snapshot", at=now["seq"])) == now
    assert ok(person.get(f"/tournaments/{cup.pk}/snapshot", at=events[-1]["at"])) == now


def test_a_moment_without_the_tournament_is_refused_with_where_its_log_ends():
    cup = drawn(2)
    person, path = Person(), f"/tournaments/{cup.pk}/snapshot"
    head = ok(person.get(path))["seq"]
    refused(person.get(path, at=0), 404, "not_found")
    refused(person.get(path, at="1999-12-31T23:59:59Z"), 404, "not_found")
    problem = refused(person.get(path, at=head + 1), 400, "bad_request")
    assert problem["data"] == {"field": "at", "head": head}
    refused(person.get(path, at="2999-12-31T23:59:59Z"), 400, "bad_request")
    refused(person.get(path, at="yesterday"), 400, "bad_request")
    refused(person.get(path, at="9" * 41), 422, "invalid_schema")


def test_nobody_travels_to_what_is_not_theirs():
    cup = make_tournament()
    referee, stranger = make_user(), Person(make_user())
    tournaments.add_member(Actor(cup.created_by), cup.pk, username=referee.username, role=2)
    path = f"/tournaments/{cup.pk}/snapshot"
    refused(stranger.get(path, at=1), 404, "not_found")
    publish(cup)
    head = ok(stranger.get(path))["seq"]
    refused(stranger.get(path, at=head - 1), 404, "not_found")
    assert ok(stranger.get(path, at=head))["data"]["staff"] == {}
    assert str(referee.pk) in ok(Person(cup.created_by).get(path, at=head))["data"]["staff"]
    assert ok(Person(referee).get(path, at=2))["data"]["tournament"]["status"] == "draft"
