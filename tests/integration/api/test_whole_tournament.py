"""A tournament from nothing to its champion, over the API alone."""

import pytest

from engine.projection import fold
from tests.factories import make_user
from tests.integration.api.client import Person, ok

pytestmark = pytest.mark.django_db


def test_from_an_account_to_a_champion():
    organizer, ann, bob = Person(make_user("olga")), Person(make_user("ann")), Person(make_user("bob"))
    viewer = Person()

    created = organizer.post("/tournaments", {"name": "Friday Cup", "game": "Chess", "capacity": 4, "check_in": True})
    cup = ok(created, 201)["tournament"]
    here = f"/tournaments/{cup['id']}"
    assert created["Location"] == f"/api/v1{here}"
    assert (cup["name"], cup["status"]) == ("Friday Cup", "draft")

    assert ok(organizer.patch(here, {"accent": "#AA0033"}))["tournament"]["accent"] == "#aa0033"
    assert ok(organizer.post(f"{here}/publish"))["tournament"]["status"] == "published"
    assert ok(organizer.post(f"{here}/open-registration"))["tournament"]["status"] == "registration_open"

    first = ok(ann.post(f"{here}/entries"), 201)["entry"]
    second = ok(bob.post(f"{here}/entries", {"name": "Bob the Great"}), 201)["entry"]
    absent = ok(organizer.post(f"{here}/entries/by-name", {"name": "Cat"}), 201)["entry"]
    assert [first["name"], second["name"], absent["name"]] == ["ann", "Bob the Great", "Cat"]

    assert ok(ann.put(f"/entries/{first['id']}/check-in"))["entry"]["checked_in"] is True
    assert ok(ann.delete(f"/entries/{first['id']}/check-in"))["entry"]["checked_in"] is False
    ok(ann.put(f"/entries/{first['id']}/check-in"))
    ok(bob.put(f"/entries/{second['id']}/check-in"))

    assert ok(organizer.post(f"{here}/close-registration"))["tournament"]["status"] == "registration_closed"
    order = [second["id"], first["id"], absent["id"]]
    seeded = ok(organizer.post(f"{here}/seeds", {"order": order}))
    assert [entry["id"] for entry in seeded["entries"]] == order

    drawn = ok(organizer.post(f"{here}/bracket"))
    assert [entry["id"] for entry in drawn["entries"]] == [second["id"], first["id"]], "who did not check in is out"
    [final] = drawn["matches"]
    assert (final["home"], final["away"], final["state"]) == (second["id"], first["id"], "ready")

    match = f"/matches/{final['id']}"
    assert [each["id"] for each in ok(ann.get("/me/matches"))["items"]] == [final["id"]]
    assert ok(organizer.post(f"{match}/start"))["match"]["state"] == "live"
    assert ok(organizer.put(f"{match}/score", {"home_score": 0, "away_score": 1}))["match"]["away_score"] == 1
    reported = ok(ann.post(f"{match}/report", {"home_score": 1, "away_score": 2}))["match"]
    assert (reported["state"], reported["reported_by"]) == ("pending_result", "away")
    confirmed = ok(bob.post(f"{match}/confirm", {"expected_version": reported["version"]}))
    assert (confirmed["match"]["state"], confirmed["match"]["winner"]) == ("completed", first["id"])

    detail = ok(viewer.get(here))
    assert (detail["status"], detail["champion"], detail["runner_up"]) == ("completed", first["id"], second["id"])
    assert ok(ann.get("/me/matches"))["count"] == 0

    snapshot = ok(viewer.get(f"{here}/snapshot"))
    log = ok(viewer.get(f"{here}/events"))
    assert log["events"][-1]["type"] == "tournament_completed"
    assert log["head"] == snapshot["seq"] == log["events"][-1]["seq"]
    assert fold(event["data"] for event in log["events"]) == snapshot["data"]


def test_a_referee_can_decide_every_match():
    organizer = Person(make_user())
    cup = ok(organizer.post("/tournaments", {"name": "Cup"}), 201)["tournament"]
    here = f"/tournaments/{cup['id']}"
    ok(organizer.post(f"{here}/publish"))
    for name in ("A", "B", "C", "D"):
        ok(organizer.post(f"{here}/entries/by-name", {"name": name}), 201)
    ok(organizer.post(f"{here}/seeds", {"draw_seed": 7}))
    semi, other_semi, third, final = [match["id"] for match in ok(organizer.post(f"{here}/bracket"))["matches"]]

    walkover = ok(organizer.post(f"/matches/{semi}/walkover", {"winner": "home"}))["match"]
    assert (walkover["reason"], walkover["winner"]) == ("walkover", walkover["home"])
    ok(organizer.post(f"/matches/{other_semi}/start"))
    forfeit = ok(organizer.post(f"/matches/{other_semi}/forfeit", {"loser": "home"}))["match"]
    assert (forfeit["reason"], forfeit["winner"]) == ("forfeit", forfeit["away"])
    ok(organizer.post(f"/matches/{third}/start"))
    shootout = {"home_score": 1, "away_score": 1, "home_shootout": 4, "away_shootout": 5}
    decided = ok(organizer.post(f"/matches/{third}/complete", shootout))["match"]
    assert decided["winner"] == decided["away"]
    ok(organizer.post(f"/matches/{final}/start"))
    ok(organizer.put(f"/matches/{final}/score", {"home_score": 3, "away_score": 0}))
    champion = ok(organizer.post(f"/matches/{final}/complete"))["match"]["winner"]
    assert ok(Person().get(here))["champion"] == champion == walkover["winner"]
