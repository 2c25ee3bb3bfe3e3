"""What a command does, once, whoever else acts at the same time."""

import threading

import pytest
from django.db import connection

from apps.eventlog.models import Event
from apps.tournaments.models import Entry, Match
from tests.factories import drawn, make_tournament, make_user, open_with_entries, publish
from tests.integration.api.client import Person, ok, refused

pytestmark = pytest.mark.django_db


def at_once(*requests):
    """Send requests from threads that start together, and return the answers in order."""
    answers = [None] * len(requests)
    gate = threading.Barrier(len(requests))

    def run(number, request):
        try:
            gate.wait(10)
            answers[number] = request()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(requests)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


class TestSameMoment:
    pytestmark = pytest.mark.django_db(transaction=True)

    def test_of_two_opposite_rulings_one_counts(self):
        cup = drawn(2)
        match = cup.matches.get()
        one, two = Person(cup.created_by), Person(cup.created_by)
        ok(one.post(f"/matches/{match.pk}/start"))
        answers = at_once(
            lambda: one.post(f"/matches/{match.pk}/forfeit", {"loser": "home"}),
            lambda: two.post(f"/matches/{match.pk}/forfeit", {"loser": "away"}),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        [winner] = [answer.json()["match"]["winner"] for answer in answers if answer.status_code == 200]
        match.refresh_from_db()
        assert match.winner_id == winner
        assert Event.objects.filter(type="match_completed").count() == 1

    def test_of_two_changes_to_one_version_one_counts(self):
        cup = drawn(2)
        match = cup.matches.get()
        one, two = Person(cup.created_by), Person(cup.created_by)
        version = ok(one.post(f"/matches/{match.pk}/start"))["match"]["version"]
        path, score = f"/matches/{match.pk}/score", {"home_score": 1, "away_score": 0, "expected_version": version}
        answers = at_once(lambda: one.put(path, score), lambda: two.put(path, {**score, "home_score": 2}))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        [lost] = [answer for answer in answers if answer.status_code == 409]
        match.refresh_from_db()
        assert refused(lost, 409, "conflict")["data"]["match"]["home_score"] == match.home_score

    def test_the_last_place_goes_to_one(self):
        cup = open_with_entries(1, capacity=2)
        people = [Person(make_user()) for _ in range(4)]
        answers = at_once(*(lambda p=p: p.post(f"/tournaments/{cup.pk}/entries") for p in people))
        statuses = sorted(ok(answer, 201)["entry"]["status"] for answer in answers)
        assert statuses == ["confirmed", "waitlisted", "waitlisted", "waitlisted"]

    def test_one_request_sent_twice_has_one_effect_and_one_answer(self):
        user = make_user()
        one, two = Person(user), Person(user)
        answers = at_once(
            lambda: one.post("/tournaments", {"name": "Cup"}, key="k1"),
            lambda: two.post("/tournaments", {"name": "Cup"}, key="k1"),
        )
        assert ok(answers[0], 201) == ok(answers[1], 201)
        assert Event.objects.filter(type="tournament_created").count() == 1


class TestIdempotencyKey:
    def test_a_retry_gets_the_first_seq_and_changes_nothing(self):
        cup = open_with_entries(0)
        person = Person(make_user())
        first = ok(person.post(f"/tournaments/{cup.pk}/entries", key="try-1"), 201)
        assert ok(person.post(f"/tournaments/{cup.pk}/entries", key="try-1"), 201) == first
        assert Entry.objects.count() == 1

    def test_without_a_key_the_second_is_another_command(self):
        cup = open_with_entries(0)
        person = Person(make_user())
        ok(person.post(f"/tournaments/{cup.pk}/entries"), 201)
        refused(person.post(f"/tournaments/{cup.pk}/entries"), 409, "conflict")

    def test_a_retry_shows_how_things_stand_by_then(self):
        cup = make_tournament()
        organizer = Person(cup.created_by)
        seq = ok(organizer.post(f"/tournaments/{cup.pk}/publish", key="k"))["seq"]
        ok(organizer.post(f"/tournaments/{cup.pk}/open-registration"))
        again = ok(organizer.post(f"/tournaments/{cup.pk}/publish", key="k"))
        assert (again["seq"], again["tournament"]["status"]) == (seq, "registration_open")

    def test_belongs_to_one_person(self):
        cup = open_with_entries(0)
        for person in (Person(make_user()), Person(make_user())):
            ok(person.post(f"/tournaments/{cup.pk}/entries", key="same"), 201)
        assert Entry.objects.count() == 2

    def test_of_another_command_is_refused(self):
        cup = make_tournament()
        organizer = Person(cup.created_by)
        ok(organizer.post(f"/tournaments/{cup.pk}/publish", key="k"))
        refused(organizer.post(f"/tournaments/{cup.pk}/cancel", key="k"), 409, "conflict")

    def test_of_the_same_command_on_another_match_is_refused(self):
        cup = drawn(4)
        organizer, (one, two) = Person(cup.created_by), cup.matches.order_by("number")[:2]
        ok(organizer.post(f"/matches/{one.pk}/start", key="k"))
        refused(organizer.post(f"/matches/{two.pk}/start", key="k"), 409, "conflict")
        assert Match.objects.get(pk=two.pk).state == "ready"

    def test_with_another_score_is_refused(self):
        cup = drawn(2)
        organizer, match = Person(cup.created_by), cup.matches.get()
        ok(organizer.post(f"/matches/{match.pk}/start"))
        ok(organizer.put(f"/matches/{match.pk}/score", {"home_score": 1, "away_score": 0}, key="k"))
        answer = organizer.put(f"/matches/{match.pk}/score", {"home_score": 2, "away_score": 0}, key="k")
        refused(answer, 409, "conflict")

    def test_of_a_refused_command_can_be_used_again(self):
        cup = publish(make_tournament())
        person = Person(make_user())
        refused(person.post(f"/tournaments/{cup.pk}/entries", key="k"), 409, "conflict")
        ok(Person(cup.created_by).post(f"/tournaments/{cup.pk}/open-registration"))
        ok(person.post(f"/tournaments/{cup.pk}/entries", key="k"), 201)

    @pytest.mark.parametrize("key", ["a b", "é", "x" * 65, '"k"', "a,b"])
    def test_of_other_characters_is_refused(self, key):
        cup = make_tournament()
        refused(Person(cup.created_by).post(f"/tournaments/{cup.pk}/publish", key=key), 422, "invalid_schema")


class TestExpectedVersion:
    def test_an_old_one_is_refused_with_the_match_as_it_is(self):
        cup = drawn(2)
        organizer, match = Person(cup.created_by), cup.matches.get()
        ok(organizer.post(f"/matches/{match.pk}/start", {"expected_version": match.version}))
        answer = organizer.post(f"/matches/{match.pk}/complete", {"expected_version": match.version})
        stands = refused(answer, 409, "conflict")["data"]["match"]
        assert stands == ok(organizer.post(f"/matches/{match.pk}/forfeit", {"loser": "home"}))["match"] | {
            field: stands[field] for field in ("state", "winner", "reason", "completed_at", "version")
        }

    @pytest.mark.parametrize(
        ("method", "part", "body"),
        [
            ("post", "start", {}),
            ("put", "score", {"home_score": 1, "away_score": 0}),
            ("post", "report", {"home_score": 1, "away_score": 0}),
            ("post", "confirm", {}),
            ("post", "complete", {}),
            ("post", "walkover", {"winner": "home"}),
            ("post", "forfeit", {"loser": "home"}),
            ("put", "check-in", {"side": "home"}),
            ("post", "dispute", {"text": "They left."}),
            ("post", "cancel", {}),
            ("post", "take-kept", {}),
        ],
    )
    def test_every_command_on_a_match_takes_one(self, method, part, body):
        match = drawn(2).matches.get()
        people = dict.fromkeys(("report", "confirm", "dispute"), match.home.user)
        person = Person(people.get(part, match.tournament.created_by))
        answer = getattr(person, method)(f"/matches/{match.pk}/{part}", {**body, "expected_version": 77})
        assert "match" in refused(answer, 409, "conflict")["data"]


class TestSeeds:
    def test_a_draw_can_be_repeated(self):
        cup = open_with_entries(6)
        organizer = Person(cup.created_by)
        one = ok(organizer.post(f"/tournaments/{cup.pk}/seeds"))
        assert one["tournament"]["seeding"] == "random"
        body = {"draw_seed": one["tournament"]["draw_seed"]}
        assert ok(organizer.post(f"/tournaments/{cup.pk}/seeds", body))["entries"] == one["entries"]

    def test_by_hand_or_by_draw(self):
        cup = open_with_entries(2)
        body = {"order": [1, 2], "draw_seed": 1}
        refused(Person(cup.created_by).post(f"/tournaments/{cup.pk}/seeds", body), 422, "invalid_schema")

    def test_an_order_names_every_entrant_once(self):
        cup = open_with_entries(3)
        organizer, ids = Person(cup.created_by), list(cup.entries.values_list("pk", flat=True))
        for order in (ids[:2], [*ids, ids[0]], [*ids[:2], 999]):
            refused(organizer.post(f"/tournaments/{cup.pk}/seeds", {"order": order}), 400, "bad_request")


class TestMembers:
    def test_appointed_changed_and_removed_by_user_name(self):
        cup, ann = make_tournament(), make_user("ann")
        organizer, path = Person(cup.created_by), f"/tournaments/{cup.pk}/members"
        member = ok(organizer.put(f"{path}/ann", {"role": "referee"}))["member"]
        assert member == {"id": ann.pk, "username": "ann", "role": "referee"}
        assert ok(organizer.put(f"{path}/ANN", {"role": "organizer"}))["member"]["role"] == "organizer"
        assert [each["username"] for each in ok(Person(ann).get(path))["items"]][-1] == "ann"
        ok(organizer.delete(f"{path}/ann"))
        assert ok(organizer.get(path))["count"] == 1
        refused(organizer.delete(f"{path}/ann"), 404, "not_found")

    def test_the_last_organiser_stays(self):
        cup = make_tournament()
        name = cup.created_by.username
        refused(Person(cup.created_by).delete(f"/tournaments/{cup.pk}/members/{name}"), 409, "conflict")

    @pytest.mark.parametrize("role", ["admin", "player", "", 3, None])
    def test_only_two_roles_can_be_given(self, role):
        cup = make_tournament()
        make_user("ann")
        answer = Person(cup.created_by).put(f"/tournaments/{cup.pk}/members/ann", {"role": role})
        refused(answer, 422, "invalid_schema")

    def test_somebody_unknown_cannot_be_appointed(self):
        cup = make_tournament()
        answer = Person(cup.created_by).put(f"/tournaments/{cup.pk}/members/nobody-here", {"role": "referee"})
        refused(answer, 404, "not_found")
