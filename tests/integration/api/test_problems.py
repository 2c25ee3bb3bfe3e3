"""Every refusal is a problem with the code of its kind, and never repeats what was sent."""

import json
import re

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.exceptions import SessionInterrupted
from django.test import Client

from apps.errors import ErrorCode
from apps.tournaments.selectors import lists
from deltacrown.urls import handler400
from tests.factories import drawn, make_tournament, make_user, open_with_entries, publish
from tests.integration.api.client import PROBLEM, Person, ok, refused

pytestmark = pytest.mark.django_db

MARK = "zq9sentbyclientzq9"


def send(content, **headers):
    person = Person(make_user())
    return person.client.generic(
        "POST", "/api/v1/tournaments", content, headers=headers, content_type="application/json"
    )


class TestKinds:
    def test_nobody_signed_in(self):
        answer = Person().post("/tournaments", {"name": "Cup"})
        refused(answer, 401, "authentication_required")
        assert answer["WWW-Authenticate"] == "Bearer"

    def test_not_allowed_says_who_is(self):
        cup = publish(make_tournament())
        problem = refused(Person(make_user()).post(f"/tournaments/{cup.pk}/cancel"), 403, "permission_denied")
        assert problem["detail"] == "Only an organiser of this tournament can do this."

    def test_a_host_that_is_none_of_ours(self):
        for host in ("[<iaz.#I.", "elsewhere.example"):
            problem = refused(Client(headers={"Host": host}).get("/api/v1/tournaments"), 400, "bad_request")
            names = "The header Host names no address of this site. Its operator lists them in ALLOWED_HOSTS."
            assert problem["detail"] == names

    def test_a_session_that_ended_while_it_was_answered(self, rf):
        answer = handler400(rf.get("/api/v1/me"), SessionInterrupted())
        assert (answer.status_code, answer["Content-Type"]) == (400, PROBLEM)
        detail = "The request was refused. Send it again; if you were signed out meanwhile, sign in first."
        assert json.loads(answer.content)["detail"] == detail

    def test_no_such_thing(self):
        refused(Person().get("/tournaments/999"), 404, "not_found")
        refused(Person(make_user()).post("/matches/999/start"), 404, "not_found")
        refused(Person(make_user()).post("/entries/999/withdraw"), 404, "not_found")

    def test_conflict_tells_how_things_stand(self):
        cup = open_with_entries(1)
        problem = refused(Person(cup.created_by).post(f"/tournaments/{cup.pk}/open-registration"), 409, "conflict")
        assert problem["data"] == {"status": "registration_open", "possible": ["close registration", "cancel"]}

    @pytest.mark.parametrize(
        "score",
        [
            {"home_score": 1, "away_score": 1},
            {"home_score": 1, "away_score": 1, "home_shootout": 4},
            {"home_score": 2, "away_score": 1, "home_shootout": 4, "away_shootout": 5},
            {"home_score": 1, "away_score": 1, "home_shootout": 4, "away_shootout": 4},
        ],
    )
    def test_values_that_make_no_sense_together(self, score):
        match = drawn(2).matches.get()
        body = {"expected_version": match.version, **score}
        refused(Person(match.home.user).post(f"/matches/{match.pk}/report", body), 400, "bad_request")

    @pytest.mark.parametrize("content", ["{", "", "NaN", '{"name": "\\ud800"}', b'{"name": "\xff"}', "[" * 100_000])
    def test_a_body_that_is_not_json(self, content):
        answer = send(content)
        if content == "":
            refused(answer, 422, "invalid_schema")
        else:
            refused(answer, 400, "invalid_json")

    @pytest.mark.parametrize("content", ["[]", "null", '"name"', "7"])
    def test_json_that_is_no_object(self, content):
        refused(send(content), 422, "invalid_schema")

    def test_a_body_of_another_type(self):
        person = Person(make_user())
        refused(person.client.post("/api/v1/tournaments", {"name": "Cup"}), 415, "bad_request")
        chunked = {"Content-Length": "", "Transfer-Encoding": "chunked"}
        answer = person.client.post("/api/v1/tournaments", {"name": "Cup"}, headers=chunked)
        refused(answer, 415, "bad_request")

    def test_a_body_that_is_too_large(self, settings):
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
        refused(send(json.dumps({"name": "x" * 1000})), 413, "payload_too_large")

    def test_a_method_that_is_not_there_names_those_that_are(self):
        answer = Person(make_user()).delete("/tournaments")
        refused(answer, 405, "bad_request")
        assert answer["Allow"] == "GET, POST"

    @pytest.mark.parametrize("path", ["/nothing", "/tournaments/", "/tournaments/7/nothing", "/matches/7/start/"])
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_an_address_that_is_not_there(self, path, method):
        refused(Client(enforce_csrf_checks=True).generic(method, f"/api/v1{path}"), 404, "not_found")

    @pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json"])
    def test_pages_are_for_reading(self, path):
        answer = Client(enforce_csrf_checks=True).post(f"/api/v1{path}", content_type="application/json")
        refused(answer, 405, "bad_request")

    @pytest.mark.parametrize("row", ["0", "-1", "007", "1.0", "٣", "1" * 19, "9" * 5000, "abc", "1%00"])
    def test_an_id_that_no_row_can_have(self, row):
        person = Person(make_user())
        refused(person.get(f"/tournaments/{row}"), 404, "not_found")
        refused(person.post(f"/matches/{row}/confirm"), 404, "not_found")
        refused(person.put(f"/entries/{row}/check-in"), 404, "not_found")

    def test_the_largest_id_is_only_unknown(self):
        refused(Person().get(f"/matches/{10**18 - 1}"), 404, "not_found")

    def test_a_bug_is_logged_and_not_explained(self, monkeypatch, caplog):
        def broken(*_args, **_kwargs):
            raise RuntimeError(MARK)

        monkeypatch.setattr(lists, "visible_tournaments", broken)
        answer = Person().get("/tournaments")
        refused(answer, 500, "internal_error")
        assert MARK not in answer.content.decode()
        assert MARK in caplog.text

    def test_debug_mode_explains_no_more(self, monkeypatch, settings):
        settings.DEBUG = True
        monkeypatch.setattr(lists, "visible_tournaments", lambda *_, **__: 1 / 0)
        refused(Person().get("/tournaments"), 500, "internal_error")


class TestSchema:
    def test_each_wrong_field_is_named_by_its_path(self):
        body = {"capacity": "16", "check_in": 1, "accent": "red", "starts_at": "tomorrow"}
        problem = refused(Person(make_user()).post("/tournaments", body), 422, "invalid_schema")
        assert sorted(field["path"] for field in problem["data"]["fields"]) == [
            "accent",
            "capacity",
            "check_in",
            "name",
            "starts_at",
        ]
        assert {field["in"] for field in problem["data"]["fields"]} == {"body"}

    def test_a_place_in_a_list_is_part_of_the_path(self):
        cup = make_tournament()
        body = {"order": [1, "two"]}
        problem = refused(Person(cup.created_by).post(f"/tournaments/{cup.pk}/seeds", body), 422, "invalid_schema")
        assert [field["path"] for field in problem["data"]["fields"]] == ["order.1"]

    def test_query_and_header_are_told_apart(self):
        problem = refused(Person().get("/tournaments", limit="many"), 422, "invalid_schema")
        assert problem["data"]["fields"][0]["in"] == "query"
        assert problem["data"]["fields"][0]["path"] == "limit"
        cup = make_tournament()
        answer = Person(cup.created_by).post(f"/tournaments/{cup.pk}/publish", key="no spaces")
        problem = refused(answer, 422, "invalid_schema")
        assert problem["data"]["fields"][0]["path"] == "Idempotency-Key"

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("/tournaments", {"name": "Cup", MARK: 1}),
            ("/tournaments", {"name": 7, "game": [MARK]}),
            ("/tournaments", {"name": f"{MARK}\0"}),
            ("/tournaments", {"name": MARK, "starts_at": MARK, "accent": MARK, "capacity": MARK}),
            ("/tournaments", {"name": MARK * 20}),
            ("/realtime/token", {"room": MARK}),
            ("/matches/1/walkover", {"winner": MARK}),
            ("/matches/1/complete", {"home_score": MARK}),
        ],
    )
    def test_what_was_sent_is_never_repeated(self, path, body):
        answer = Person(make_user()).post(path, body)
        refused(answer, 422, "invalid_schema")
        assert MARK not in answer.content.decode()

    @pytest.mark.parametrize("score", [-1, 1000, 2**63, 1.0, True, "3", None])
    def test_a_score_is_a_whole_number_from_0_to_999(self, score):
        match = drawn(2).matches.get()
        body = {"home_score": score, "away_score": 0}
        refused(Person(match.home.user).post(f"/matches/{match.pk}/report", body), 422, "invalid_schema")

    @pytest.mark.parametrize(
        "time", ["2026-11-22", "2026-11-22T18:00:00", "1795363200", 1795363200, True, "25:00Z", ""]
    )
    def test_a_time_has_a_date_and_a_zone(self, time):
        body = {"name": "Cup", "starts_at": time}
        refused(Person(make_user()).post("/tournaments", body), 422, "invalid_schema")

    @pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
    def test_a_time_at_the_end_of_the_calendar_is_refused(self, time):
        refused(Person(make_user()).post("/tournaments", {"name": "Cup", "starts_at": time}), 400, "bad_request")

    def test_a_time_may_have_any_offset_and_is_told_in_utc(self):
        body = {"name": "Cup", "starts_at": "2026-11-22T18:00:00+23:59"}
        created = ok(Person(make_user()).post("/tournaments", body), 201)
        assert created["tournament"]["starts_at"] == "2026-11-21T18:01:00.000Z"

    def test_null_does_not_stand_for_absent(self):
        cup = make_tournament()
        refused(Person(cup.created_by).patch(f"/tournaments/{cup.pk}", {"name": None}), 422, "invalid_schema")


def test_the_document_names_every_code_and_how_each_operation_can_refuse():
    document = Person().get("/openapi.json").json()
    assert set(document["components"]["schemas"]["ErrorCode"]["enum"]) == {code.value for code in ErrorCode}
    assert {tuple(each["content"]) for each in document["components"]["responses"].values()} == {(PROBLEM,)}
    for operations in document["paths"].values():
        for operation in operations.values():
            refusals = {status for status in operation["responses"] if status >= "400"}
            assert refusals >= {"401", "500"}
            assert all("$ref" in operation["responses"][status] for status in refusals)


def test_the_document_says_where_signing_in_is_optional():
    paths = Person().get("/openapi.json").json()["paths"]
    assert paths["/api/v1/tournaments"]["get"]["security"] == [{"AccessToken": []}, {"SessionCookie": []}, {}]
    assert paths["/api/v1/tournaments"]["post"]["security"] == [{"AccessToken": []}, {"SessionCookie": []}]


def test_the_root_leads_to_the_docs():
    assert Person().get("/")["Location"] == "/api/v1/docs"


def test_the_docs_page_loads_nothing_from_other_sites():
    page = Person().get("/docs")
    assert page.status_code == 200
    for address in re.findall(r'(?:src|href)="([^"]+)"', page.content.decode()):
        assert address.startswith(django_settings.STATIC_URL)
