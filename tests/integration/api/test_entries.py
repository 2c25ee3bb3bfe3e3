"""Entries over the API: codes, approval, held places, rosters."""

import pytest

from apps.tournaments.models import Entry, StageEntry
from apps.tournaments.services import Actor, entries
from apps.tournaments.state import entry_fields
from engine.stages import Format
from tests.factories import (
    drawn,
    enter,
    enter_team,
    make_team,
    make_tournament,
    make_user,
    open_registration,
    open_with_entries,
)
from tests.integration.api.client import Person, ok, refused

pytestmark = pytest.mark.django_db


class TestInviteCode:
    @pytest.fixture
    def cup(self):
        return open_registration(make_tournament(entry_rule="invite", invite_code="Spring"))

    def test_opens_the_tournament(self, cup):
        person, path = Person(make_user()), f"/tournaments/{cup.pk}/entries"
        assert refused(person.post(path, {"code": "Autumn"}), 400, "bad_request")["data"] == {"field": "code"}
        refused(person.post(path), 400, "bad_request")
        assert ok(person.post(path, {"code": "spring"}), 201)["entry"]["status"] == "confirmed"

    def test_is_told_to_organisers_alone(self, cup):
        path = f"/tournaments/{cup.pk}/invite-code"
        assert ok(Person(cup.created_by).get(path)) == {"entry_rule": "invite", "invite_code": "Spring"}
        refused(Person(make_user()).get(path), 403, "permission_denied")
        refused(Person().get(path), 401, "authentication_required")
        for part in ("", "/snapshot", "/events", "/entries"):
            assert b"Spring" not in Person(cup.created_by).get(f"/tournaments/{cup.pk}{part}").content


def test_an_organiser_decides_who_gets_in():
    cup = open_with_entries(2, entry_rule="approval")
    first, second = cup.entries.order_by("pk")
    organizer = Person(cup.created_by)
    assert ok(organizer.post(f"/entries/{first.pk}/approve"))["entry"]["status"] == "confirmed"
    assert ok(organizer.post(f"/entries/{second.pk}/decline"))["entry"]["status"] == "declined"
    refused(Person(second.user).post(f"/tournaments/{cup.pk}/entries"), 409, "conflict")
    assert ok(organizer.patch(f"/entries/{first.pk}", {"name": "Ada"}))["entry"]["name"] == "Ada"
    assert ok(organizer.post(f"/entries/{first.pk}/disqualify"))["entry"]["status"] == "disqualified"


def test_a_held_place_is_claimed_once_under_one_key():
    cup = open_with_entries(2, capacity=2, claim_minutes=30)
    waiting = enter(cup, make_user())
    entries.withdraw(Actor(cup.created_by), cup.entries.first().pk)
    person = Person(waiting.user)
    [held] = ok(person.get("/me/entries"))["items"]
    assert held["status"] == "offered"
    assert held["claim_by"] > held["waitlisted_at"]
    first = ok(person.post(f"/entries/{waiting.pk}/claim", key="k"))
    assert first["entry"]["status"] == "confirmed"
    assert ok(person.post(f"/entries/{waiting.pk}/claim", key="k"))["seq"] == first["seq"]
    refused(person.post(f"/entries/{waiting.pk}/claim"), 409, "conflict")


def test_late_entry_joins_the_swiss_stage():
    cup = drawn(4, format=Format.SWISS, stage={"rounds": 3}, late_entry=True)
    entry = ok(Person(make_user()).post(f"/tournaments/{cup.pk}/entries"), 201)["entry"]
    assert StageEntry.objects.get(entry=entry["id"]).seed == entry["seed"] == 5


def test_a_team_registers_with_its_roster_and_changes_it():
    cup = open_registration(make_tournament(participation="team", roster_min=1, roster_max=2))
    team = make_team("cleo", "mia")
    captain, path = Person(team.captain), f"/tournaments/{cup.pk}/entries"
    mia = team.members.get(user__username="mia").user
    refused(captain.post(path), 400, "bad_request")
    refused(Person(mia).post(path, {"team": team.pk}), 403, "permission_denied")
    entry = ok(captain.post(path, {"team": team.pk, "roster": [team.captain_id, mia.pk]}), 201)["entry"]
    assert (entry["team"], entry["roster"]) == (team.pk, ["cleo", "mia"])
    changed = ok(captain.put(f"/entries/{entry['id']}/roster", {"players": [mia.pk]}))["entry"]
    assert changed["roster"] == ["mia"]
    assert changed == entry_fields(Entry.objects.get(pk=entry["id"]))
    for players in ([], [mia.pk] * 2, [make_user().pk]):
        refused(captain.put(f"/entries/{entry['id']}/roster", {"players": players}), 400, "bad_request")
    assert [each["id"] for each in ok(Person(mia).get("/me/entries"))["items"]] == [entry["id"]]


def test_a_players_matches_are_those_of_the_team():
    cup = open_registration(make_tournament(participation="team"))
    team = make_team("cleo", "mia")
    enter_team(cup, team)
    enter_team(cup, make_team())
    organizer = Person(cup.created_by)
    ok(organizer.post(f"/tournaments/{cup.pk}/close-registration"))
    [match] = ok(organizer.post(f"/tournaments/{cup.pk}/bracket"))["matches"]
    mia = Person(team.members.get(user__username="mia").user)
    assert [each["id"] for each in ok(mia.get("/me/matches"))["items"]] == [match["id"]]
    refused(mia.post(f"/matches/{match['id']}/report", {"home_score": 1, "away_score": 0}), 403, "permission_denied")
