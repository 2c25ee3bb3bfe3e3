"""Lists, windows, filters, the log, and what they cost."""

import json
from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pydantic import BaseModel

from apps.api import schemas
from apps.eventlog.log import PUBLIC, STAFF
from apps.tournaments.models import Entry, Match, Member, Role, StageEntry, Station, Tournament
from apps.tournaments.selectors.snapshots import tournament_snapshot
from apps.tournaments.services import Actor, entries, matches, reopening
from apps.tournaments.state import (
    entry_fields,
    match_fields,
    member_fields,
    stage_entry_fields,
    stage_fields,
    station_fields,
    tournament_fields,
)
from engine.match_flow import Score
from engine.projection import apply, fold
from engine.stages import Format
from tests.factories import drawn, enter, make_tournament, make_user, match_number, open_with_entries, play, publish
from tests.integration.api.client import Person, ok, refused
from tests.integration.tournaments.walk import RandomTournament

pytestmark = pytest.mark.django_db


def queries(read):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        ok(read())
    return len(captured)


class TestWindow:
    def test_pages_follow_without_gap_or_repetition(self):
        made = [publish(make_tournament()).pk for _ in range(5)]
        person = Person()
        pages = [ok(person.get("/tournaments", limit=2, offset=offset)) for offset in (0, 2, 4, 6)]
        assert [item["id"] for page in pages for item in page["items"]] == made[::-1]
        assert {page["count"] for page in pages} == {5}

    @pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 201}, {"offset": -1}, {"offset": 2**70}, {"limit": "x"}])
    def test_outside_its_bounds_it_is_refused(self, query):
        refused(Person().get("/tournaments", **query), 422, "invalid_schema")

    def test_counts_what_the_filter_leaves(self):
        publish(make_tournament())
        drawn(2)
        person = Person()
        assert ok(person.get("/tournaments", status="published"))["count"] == 1
        assert ok(person.get("/tournaments", status=["published", "registration_closed"]))["count"] == 2
        refused(person.get("/tournaments", status="unknown"), 422, "invalid_schema")


class TestLists:
    def test_tournaments_say_how_many_take_part(self):
        cup = open_with_entries(3, capacity=2)
        [item] = ok(Person().get("/tournaments"))["items"]
        assert (item["id"], item["confirmed_count"]) == (cup.pk, 2)
        assert ok(Person().get(f"/tournaments/{cup.pk}"))["confirmed_count"] == 2

    def test_entries_stand_by_seed_and_can_be_filtered(self):
        cup = open_with_entries(3, capacity=2)
        assert [e["status"] for e in ok(Person().get(f"/tournaments/{cup.pk}/entries"))["items"]] == [
            "confirmed",
            "confirmed",
            "waitlisted",
        ]
        assert ok(Person().get(f"/tournaments/{cup.pk}/entries", status="waitlisted"))["count"] == 1

    def test_matches_stand_in_the_order_of_play_and_can_be_filtered(self):
        cup = drawn(8)
        numbers = [m["number"] for m in ok(Person().get(f"/tournaments/{cup.pk}/matches"))["items"]]
        assert numbers == list(range(1, 9))
        assert ok(Person().get(f"/tournaments/{cup.pk}/matches", state="ready"))["count"] == 4

    def test_a_match_comes_with_its_entrants_and_tournament(self):
        cup = drawn(2)
        match = ok(Person().get(f"/matches/{cup.matches.get().pk}"))
        assert match["tournament"] == {"id": cup.pk, "name": cup.name, "status": "registration_closed"}
        assert (match["home_entry"]["id"], match["away_entry"]["id"]) == (match["home"], match["away"])

    def test_my_matches_and_entries_are_mine(self):
        user = make_user()
        one, two = open_with_entries(1), open_with_entries(1)
        enter(one, user)
        mine = enter(two, user)
        entries.withdraw(Actor(user), mine.pk)
        drawn(2)
        person = Person(user)
        assert [e["tournament"]["id"] for e in ok(person.get("/me/entries"))["items"]] == [one.pk]
        organizer = Person(one.created_by)
        ok(organizer.post(f"/tournaments/{one.pk}/close-registration"))
        ok(organizer.post(f"/tournaments/{one.pk}/bracket"))
        [match] = ok(person.get("/me/matches"))["items"]
        assert match["tournament"]["id"] == one.pk
        refused(Person().get("/me/entries"), 401, "authentication_required")


class TestCost:
    """No list asks the database more often because there is more in it."""

    @pytest.mark.parametrize("path", ["/tournaments", "/me/entries", "/me/matches"])
    def test_of_my_lists(self, path):
        user = make_user()
        person = Person(user)

        def another():
            cup = open_with_entries(1)
            enter(cup, user)
            organizer = Person(cup.created_by)
            ok(organizer.post(f"/tournaments/{cup.pk}/close-registration"))
            ok(organizer.post(f"/tournaments/{cup.pk}/bracket"))

        another()
        before = queries(lambda: person.get(path))
        for _ in range(3):
            another()
        assert queries(lambda: person.get(path)) == before <= 5

    @pytest.mark.parametrize("part", ["", "/entries", "/matches", "/snapshot", "/events", "/members"])
    def test_of_one_tournament(self, part):
        admin = Person(make_user(is_superuser=True))
        small, large = drawn(2), drawn(9)
        for _ in range(3):
            Member.objects.create(tournament=large, user=make_user(), role=Role.REFEREE)
        costs = [queries(lambda cup=cup: admin.get(f"/tournaments/{cup.pk}{part}")) for cup in (small, large)]
        assert costs[0] == costs[1] <= 11


class TestLog:
    def test_snapshot_and_later_events_make_the_present(self):
        cup = open_with_entries(2)
        person = Person(cup.created_by)
        before = ok(person.get(f"/tournaments/{cup.pk}/snapshot"))
        ok(person.post(f"/tournaments/{cup.pk}/close-registration"))
        ok(person.post(f"/tournaments/{cup.pk}/bracket"))
        later = ok(person.get(f"/tournaments/{cup.pk}/events", after=before["seq"]))
        state = before["data"]
        for event in later["events"]:
            apply(state, event["data"])
        now = ok(person.get(f"/tournaments/{cup.pk}/snapshot"))
        assert (state, later["head"], later["epoch"]) == (now["data"], now["seq"], now["epoch"])

    def test_pages_follow_and_say_when_there_are_more(self):
        cup = drawn(8)
        person = Person(cup.created_by)
        whole = ok(person.get(f"/tournaments/{cup.pk}/events"))
        assert whole["more"] is False
        found, after = [], 0
        while True:
            page = ok(person.get(f"/tournaments/{cup.pk}/events", after=after, limit=5))
            found += page["events"]
            after = page["events"][-1]["seq"]
            if not page["more"]:
                break
        assert found == whole["events"]
        assert ok(person.get(f"/tournaments/{cup.pk}/events", after=after))["events"] == []

    def test_each_event_names_the_one_before_that_its_reader_may_see(self):
        cup = drawn(4)
        for person in (Person(), Person(cup.created_by)):
            events = ok(person.get(f"/tournaments/{cup.pk}/events"))["events"]
            assert [event["prev"] for event in events] == [0, *(event["seq"] for event in events[:-1])]

    def test_what_is_for_the_staff_is_for_the_staff(self):
        cup = publish(make_tournament())
        staff, public = Person(cup.created_by), Person(make_user())
        types = [
            {event["type"] for event in ok(person.get(f"/tournaments/{cup.pk}/events"))["events"]}
            for person in (staff, public)
        ]
        assert types[0] - types[1] == {"member_added"}
        assert ok(staff.get(f"/tournaments/{cup.pk}/snapshot"))["data"]["staff"] != {}
        assert ok(public.get(f"/tournaments/{cup.pk}/snapshot"))["data"]["staff"] == {}

    def test_each_reader_can_fold_what_they_are_shown(self):
        cup = drawn(5)
        for person in (Person(), Person(cup.created_by)):
            events = ok(person.get(f"/tournaments/{cup.pk}/events"))["events"]
            snapshot = ok(person.get(f"/tournaments/{cup.pk}/snapshot"))
            assert fold(event["data"] for event in events) == snapshot["data"]

    def test_events_of_a_match_say_so(self):
        cup = drawn(2)
        match = cup.matches.get()
        ok(Person(cup.created_by).post(f"/matches/{match.pk}/start"))
        last = ok(Person().get(f"/tournaments/{cup.pk}/events"))["events"][-1]
        assert (last["type"], last["subject"]) == ("match_started", f"match:{match.pk}")

    @pytest.mark.parametrize("query", [{"after": -1}, {"after": 2**53}, {"limit": 0}, {"limit": 1001}])
    def test_a_position_outside_its_bounds_is_refused(self, query):
        refused(Person().get(f"/tournaments/{drawn(2).pk}/events", **query), 422, "invalid_schema")


class TestProfile:
    def test_shows_and_changes_ones_own_names(self):
        user = make_user("ann")
        person = Person(user)
        assert ok(person.patch("/me", {"first_name": "  Ann \u00e9 "})) == {
            "id": user.pk,
            "username": "ann",
            "email": "ann@example.test",
            "first_name": "Ann é",
            "last_name": "",
        }
        assert ok(person.get("/me"))["first_name"] == "Ann é"

    @pytest.mark.parametrize("body", [{"username": "x"}, {"is_superuser": True}, {"first_name": None}])
    def test_nothing_else_can_be_changed(self, body):
        refused(Person(make_user()).patch("/me", body), 422, "invalid_schema")

    def test_an_address_is_seen_by_its_owner_alone(self):
        cup = drawn(2)
        ann = cup.entries.first().user
        reader = Person(cup.created_by)
        for part in ("", "/snapshot", "/events", "/entries", "/matches", "/members"):
            assert ann.email not in reader.get(f"/tournaments/{cup.pk}{part}").content.decode()


def test_no_answer_is_kept_by_a_cache():
    for path in ("/tournaments", "/tournaments/999", "/me"):
        assert Person().get(path)["Cache-Control"] == "no-store"


def test_the_schemas_name_every_field_of_the_state():
    cup = drawn(2)
    station = Station.objects.create(tournament=cup, name="Court 1")
    rows = {
        "Tournament": tournament_fields(Tournament.objects.get(pk=cup.pk)),
        "Stage": stage_fields(cup.stages.get()),
        "StageEntry": stage_entry_fields(StageEntry.objects.filter(stage__tournament=cup).first()),
        "Entry": entry_fields(Entry.objects.filter(tournament=cup).first()),
        "Match": match_fields(Match.objects.get(tournament=cup)),
        "Station": station_fields(station),
        "Member": member_fields(cup.members.get()),
        "State": tournament_snapshot(cup.pk, audience=PUBLIC).data,
    }
    documented = Person().get("/openapi.json").json()["components"]["schemas"]
    for part in ("properties", "required"):
        assert {name: set(documented[name][part]) for name in rows} == {name: set(row) for name, row in rows.items()}


def subclasses(kind):
    return [each for child in kind.__subclasses__() for each in (child, *subclasses(child))]


def test_no_two_schemas_share_a_name_under_which_the_document_would_keep_one_of_them():
    # ninja derives some from ours, of the same name and module
    ours = {(each.__module__, each.__name__) for each in subclasses(BaseModel) if each.__module__.startswith("apps.")}
    names = Counter(name for _, name in ours)
    assert names["Tournament"] == 1
    assert [name for name, times in names.items() if times > 1] == []


def eventful():
    """A tournament with groups, games, a result that was taken back, and two reports that contradict each other."""
    cup = drawn(6, format=Format.ROUND_ROBIN, stage={"groups": 2, "best_of": 3})
    by = Actor(cup.created_by)
    play(cup, lambda match: Score.of_games([(13, 7), (5, 13), (13, 11)]), matches_at_most=2)
    again, disputed = (match_number(cup, number) for number in (1, 4))
    reopening.reopen(by, again.pk, token=reopening.preview(by, again.pk).token)
    matches.report(Actor(disputed.home.user), disputed.pk, Score(2, 0))
    matches.report(Actor(disputed.away.user), disputed.pk, Score(0, 2))
    return cup.pk


def walked(seed):
    cup = RandomTournament(seed)
    cup.check = lambda: None  # which is another test's
    cup.run(steps=40)
    return cup.pk


def test_a_state_is_what_its_schema_says_to_the_last_value():
    """Whatever has happened: read strictly as the schema and written again, nothing is missing and nothing is new."""
    met = Counter()
    for cup in (eventful(), *map(walked, range(4))):
        for audience in (PUBLIC, STAFF):
            data = tournament_snapshot(cup, audience=audience).data
            read = schemas.State.model_validate_json(json.dumps(data), strict=True)
            assert read.model_dump(mode="json") == data
        for match in data["matches"].values():
            met.update(part for part in ("report", "counter_report", "games", "kept", "group") if match[part])
    assert len(met) == 5, met
