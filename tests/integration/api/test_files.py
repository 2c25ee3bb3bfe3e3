"""Downloads and uploads: what comes out, what goes in, and how much."""

import json

import pytest

from apps.tournaments.exchange.decoding import MAX_BYTES
from apps.tournaments.models import DisputeCause, Rating, Role, Status, Tournament
from apps.tournaments.services import Actor, matches, tournaments
from engine.match_flow import Score
from engine.stages import Format
from tests import factories
from tests.integration.api.client import Person, ok, refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def league():
    cup = factories.drawn(4, name="Städte-Cup 2026", format=Format.SWISS, stage={"rounds": 2})
    factories.play(cup, matches_at_most=2)
    return cup


def files_of(cup):
    stage = cup.stages.get()
    return {
        f"/tournaments/{cup.pk}/export": ("application/json", "json"),
        f"/tournaments/{cup.pk}/entrants.csv": ("text/csv; charset=utf-8", "csv"),
        f"/tournaments/{cup.pk}/results.csv": ("text/csv; charset=utf-8", "csv"),
        f"/stages/{stage.pk}/standings.csv": ("text/csv; charset=utf-8", "csv"),
        f"/stages/{stage.pk}/report.trf": ("text/plain; charset=utf-8", "trf"),
    }


def test_every_file_is_a_download_with_a_name_and_a_type(league):
    for path, (media_type, extension) in files_of(league).items():
        answer = Person().get(path)
        assert answer.status_code == 200
        assert answer["Content-Type"] == media_type
        assert answer["Content-Disposition"].startswith("attachment; filename")
        assert "st%C3%A4dte-cup-2026" in answer["Content-Disposition"]
        assert answer["Content-Disposition"].endswith(f".{extension}")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Cache-Control"] == "no-store"


def test_the_files_of_a_draft_are_for_its_staff():
    draft = factories.make_tournament(format=Format.SWISS)
    referee = factories.make_user()
    tournaments.add_member(Actor(draft.created_by), draft.pk, username=referee.username, role=Role.REFEREE)
    for path in files_of(draft):
        for person in (None, factories.make_user()):
            refused(Person(person).get(path), 404, "not_found")
        assert Person(referee).get(path).status_code == 200


def test_what_was_exported_can_be_imported_by_somebody_else(league):
    document = Person().get(f"/tournaments/{league.pk}/export").content
    ann = factories.make_user()
    answer = Person(ann).upload("/tournaments/import", document, name="cup.json", key="once")
    made = ok(answer, 201)["tournament"]
    assert answer["Location"] == f"/api/v1/tournaments/{made['id']}"
    assert (made["name"], made["status"]) == ("Städte-Cup 2026", "live")
    assert ok(Person(ann).get(f"/tournaments/{made['id']}"))["role"] == "organizer"
    again = Person(ann).upload("/tournaments/import", document, name="cup.json", key="once")
    assert ok(again, 201)["tournament"]["id"] == made["id"]
    report = Person().get(f"/stages/{league.stages.get().pk}/report.trf").content
    assert ok(Person(ann).upload("/tournaments/import", report), 201)["tournament"]["status"] == "live"


def test_disputes_are_in_the_document_for_the_staff_alone():
    cup = factories.drawn(2)
    match = factories.match_number(cup, 1)
    matches.report(Actor(match.home.user), match.pk, Score(1, 0))
    matches.dispute(Actor(match.away.user), match.pk, cause=DisputeCause.RULES, text="A second ball.")
    for person, told in ((None, False), (match.away.user, False), (cup.created_by, True)):
        assert ("disputes" in ok(Person(person).get(f"/tournaments/{cup.pk}/export"))) is told


def test_a_document_that_contradicts_itself_is_refused_with_the_path(league):
    told = json.loads(Person().get(f"/tournaments/{league.pk}/export").content)
    told["stages"][0]["matches"][1]["winner"] = 99
    answer = Person(factories.make_user()).upload("/tournaments/import", json.dumps(told).encode())
    problem = refused(answer, 400, "bad_request")
    assert problem["data"] == {"field": "file", "path": "stages[0].matches[1].winner"}
    assert Tournament.objects.count() == 1


def test_a_list_of_entrants_is_entered_or_refused_whole():
    cup = factories.make_tournament(capacity=2)
    organizer = Person(cup.created_by)
    path = f"/tournaments/{cup.pk}/entries/import"
    problem = refused(organizer.upload(path, b"name\nAda\nada\n\n,\n"), 400, "bad_request")
    assert problem["data"]["errors"] == [
        {"row": 3, "column": "name", "message": "The name ada is also in row 2."}
    ]  # fmt: skip
    body = ok(organizer.upload(path, b"name,seed\nAda,2\nBob,1\nCem,\n"), 201)
    assert [(e["name"], e["seed"], e["status"]) for e in body["entries"]] == [
        ("Ada", 2, "confirmed"), ("Bob", 1, "confirmed"), ("Cem", None, "waitlisted")
    ]  # fmt: skip


class TestLimits:
    """Files are looked at piece by piece while they come in."""

    @pytest.mark.parametrize("path", ["/tournaments/import", "/tournaments/{pk}/entries/import"])
    @pytest.mark.parametrize("more", [1, 2**20], ids=["by-its-bytes", "by-its-head"])
    def test_more_than_any_file_needs_is_too_large(self, path, more):
        cup = factories.make_tournament()
        answer = Person(cup.created_by).upload(path.format(pk=cup.pk), b" " * (MAX_BYTES + more))
        refused(answer, 413, "payload_too_large")

    def test_a_body_that_is_no_form_is_refused(self):
        refused(Person(factories.make_user()).post("/tournaments/import", {"name": "Cup"}), 415, "bad_request")

    def test_a_guest_signs_in_first(self):
        refused(Person().upload("/tournaments/import", b"{}"), 401, "authentication_required")


class TestRatings:
    def test_a_page_of_a_game_best_first(self):
        ann, bob = factories.make_user("ann"), factories.make_user("bob")
        Rating.objects.create(game="Chess", user=ann, mu=30, sigma=6, matches=4)
        Rating.objects.create(game="Chess", user=bob, mu=28, sigma=2, matches=40)
        Rating.objects.create(game="Go", user=ann, mu=50, sigma=1, matches=1)
        body = ok(Person().get("/ratings", game="Chess", limit=1))
        assert body["count"] == 2
        assert body["items"] == [
            {"game": "Chess", "username": "bob", "team": None, "team_name": None, "mu": 28.0, "sigma": 2.0,
             "ordinal": 22.0, "matches": 40}
        ]  # fmt: skip
        assert [row["game"] for row in ok(Person(ann).get("/me/ratings"))] == ["Chess", "Go"]
        assert refused(Person().get("/ratings"), 422, "invalid_schema")["data"]["fields"][0]["path"] == "game"

    def test_seeds_by_rating(self):
        cup = factories.open_with_entries(2, game="Chess")
        first, second = cup.entries.order_by("pk")
        Rating.objects.create(game="Chess", user=second.user, mu=30, sigma=6, matches=4)
        body = ok(Person(cup.created_by).post(f"/tournaments/{cup.pk}/seeds", {"by_rating": True}))
        assert body["tournament"]["seeding"] == "rating"
        assert [entry["id"] for entry in body["entries"]] == [second.pk, first.pk]
        both = {"by_rating": True, "draw_seed": 5}
        refused(Person(cup.created_by).post(f"/tournaments/{cup.pk}/seeds", both), 422, "invalid_schema")


def test_a_live_document_comes_back_over_http_and_is_played_to_its_end(league):
    document = Person().get(f"/tournaments/{league.pk}/export").content
    made = ok(Person(factories.make_user()).upload("/tournaments/import", document), 201)["tournament"]
    copied = factories.fresh(Tournament.objects.get(pk=made["id"]))
    factories.play(copied)
    assert factories.fresh(copied).status == Status.COMPLETED
