"""Stages over the API: their settings, games, the rounds of a Swiss, standings with reasons."""

from itertools import pairwise

import pytest

from apps.tournaments.services import Actor, brackets
from engine.match_flow import Score
from engine.stages import Format
from engine.tiebreaks import Measure, Part
from tests.factories import drawn, fresh, make_tournament, make_user, match_number, play
from tests.integration.api.client import Person, ok, refused

pytestmark = pytest.mark.django_db

SETTINGS = {
    "game": "Chess",
    "participation": "team",
    "roster_min": 3,
    "roster_max": 5,
    "entry_rule": "approval",
    "rating_min": -10.5,
    "rating_max": None,
    "late_entry": True,
    "claim_minutes": 30,
    "check_in": True,
    "check_in_opens_at": "2026-11-22T17:00:00.000Z",
    "check_in_closes_at": "2026-11-22T17:30:00.000Z",
    "no_show_rule": "walkover",
    "match_check_in_minutes": 10,
    "confirm_minutes": 0,
    "rated": True,
}
STAGE = {
    "third_place_match": False,
    "grand_final_reset": False,
    "groups": 4,
    "legs": 2,
    "rounds": 5,
    "ends_at_wins": 3,
    "ends_at_losses": 3,
    "points": {"win": 2.5, "draw": 1, "loss": 0, "bye": 1},
    "tie_breaks": ["points", "tied:score_difference", "draw"],
    "rule_year": 2024,
    "best_of": 3,
    "best_of_rounds": {"final": 5, "lower 2": 1},
    "advance": 2,
    "advance_rest": 4,
    "seating": "crossed",
    "veto": {
        "pool": ["Dust", "Nuke", "Inferno"],
        "scripts": {"1": "1 ban, 2 ban, decider"},
        "seconds": 30,
        "sides": ["A", "B"],
    },
}


class TestSettings:
    def test_every_setting_can_be_chosen_and_changed(self):
        person = Person(make_user())
        body = {"name": "Cup", "format": "round_robin", "stage": STAGE, **SETTINGS}
        chosen = ok(person.post("/tournaments", body), 201)["tournament"]
        assert chosen | SETTINGS == chosen
        [stage] = ok(person.get(f"/tournaments/{chosen['id']}"))["stages"]
        assert stage | STAGE | {"format": "round_robin"} == stage
        plain = ok(person.post("/tournaments", {"name": "Plain"}), 201)["tournament"]
        assert plain["confirm_minutes"] == 15
        assert ok(person.patch(f"/tournaments/{plain['id']}", SETTINGS))["tournament"] == chosen | {
            "id": plain["id"],
            "name": "Plain",
        }
        [stage] = ok(person.get(f"/tournaments/{plain['id']}"))["stages"]
        changed = ok(person.patch(f"/stages/{stage['id']}", {**STAGE, "name": "Groups", "format": "swiss"}))["stage"]
        assert changed == {**stage, **STAGE, "name": "Groups", "format": "swiss"}

    @pytest.mark.parametrize(
        ("body", "path"),
        [
            ({"format": "knockout"}, "format"),
            ({"stage": {"groups": 0}}, "stage.groups"),
            ({"stage": {"tie_breaks": ["luck"]}}, "stage.tie_breaks.0"),
            ({"stage": {"points": {"win": 0.3, "draw": 0, "loss": 0, "bye": 0}}}, "stage.points.win"),
            ({"stage": {"points": {"win": 3}}}, "stage.points.draw"),
            ({"stage": {"best_of_rounds": {"zq9": 3}}}, "stage.best_of_rounds"),
            ({"stage": {"best_of_rounds": {"final": 22}}}, "stage.best_of_rounds"),
            ({"stage": {"veto": {"scripts": {"zq9": "decider"}}}}, "stage.veto.scripts"),
            ({"stage": {"veto": {"pool": ["a\0"]}}}, "stage.veto.pool.0"),
            ({"stage": {"zq9": 1}}, "stage"),
            ({"stage": None}, "stage"),
            ({"entry_rule": "zq9"}, "entry_rule"),
            ({"confirm_minutes": -1}, "confirm_minutes"),
            ({"invite_code": "x" * 41}, "invite_code"),
        ],
    )
    def test_what_could_not_be_one_is_refused_without_being_repeated(self, body, path):
        answer = Person(make_user()).post("/tournaments", {"name": "Cup", **body})
        problem = refused(answer, 422, "invalid_schema")
        assert problem["data"]["fields"][0]["path"] == path
        assert "zq9" not in answer.content.decode()

    @pytest.mark.parametrize(
        "body",
        [
            {"stage": {"best_of": 2}},
            {"stage": {"rule_year": 2025}},
            {"stage": {"veto": {"pool": ["Dust", "Nuke"], "scripts": {"1": "1 ban, 2 ban, decider"}}}},
            {"stage": {"points": {"win": 0, "draw": 1, "loss": 0, "bye": 0}}},
            {"confirm_minutes": 10_081},
            {"rating_min": 20_000},
            {"rating_min": 30, "rating_max": 20},
            {"roster_min": 5, "roster_max": 3},
            {"check_in_opens_at": "2026-11-22T18:00:00Z", "check_in_closes_at": "2026-11-22T17:00:00Z"},
        ],
    )
    def test_what_makes_no_sense_is_refused(self, body):
        refused(Person(make_user()).post("/tournaments", {"name": "Cup", **body}), 400, "bad_request")


class TestStages:
    def test_one_is_added_changed_and_removed(self):
        cup = make_tournament()
        person, path = Person(cup.created_by), f"/tournaments/{cup.pk}/stages"
        body = {"format": "double_elimination", "name": "Playoffs", "best_of": 3}
        created = person.post(path, body, key="k")
        stage = ok(created, 201)["stage"]
        assert created["Location"] == f"/api/v1/stages/{stage['id']}"
        assert (stage["number"], stage["state"], stage["name"], stage["best_of"]) == (2, "pending", "Playoffs", 3)
        assert ok(person.post(path, body, key="k"), 201)["stage"]["id"] == stage["id"], "once"
        assert ok(person.get(f"/stages/{stage['id']}")) == stage
        refused(Person().get(f"/stages/{stage['id']}"), 404, "not_found")  # of a draft
        assert ok(person.patch(f"/stages/{stage['id']}", {"advance": 4}))["stage"] == stage | {"advance": 4}
        seq = ok(person.delete(f"/stages/{stage['id']}", key="gone"))["seq"]
        assert ok(person.delete(f"/stages/{stage['id']}", key="gone"))["seq"] == seq
        refused(person.delete(f"/stages/{stage['id']}"), 404, "not_found")
        [first] = ok(person.get(f"/tournaments/{cup.pk}"))["stages"]
        refused(person.delete(f"/stages/{first['id']}"), 409, "conflict")

    def test_what_shaped_the_draw_stays_once_there_is_one(self):
        cup = drawn(4)
        person, stage = Person(cup.created_by), cup.stages.get()
        problem = refused(person.patch(f"/stages/{stage.pk}", {"legs": 2}), 409, "conflict")
        assert "legs" in problem["detail"]
        assert ok(person.patch(f"/stages/{stage.pk}", {"name": "Knockout"}))["stage"]["name"] == "Knockout"

    def test_rounds_of_a_swiss_are_paired_one_after_the_other_and_again(self):
        cup = drawn(8, format=Format.SWISS)
        person, path = Person(cup.created_by), f"/tournaments/{cup.pk}/pair-round"
        assert refused(person.post(path), 409, "conflict")["data"] == {"open": 4}
        play(cup, matches_at_most=4)
        first = ok(person.post(path, key="k"))
        assert [match["round"] for match in first["matches"]] == [1] * 4 + [2] * 4
        assert ok(person.post(path, key="k")) == first
        again = ok(person.post(path, {"again": True}))
        assert {match["id"] for match in again["matches"]} > {match["id"] for match in first["matches"][:4]}
        assert not {m["id"] for m in again["matches"][4:]} & {m["id"] for m in first["matches"]}

    def test_the_next_stage_is_drawn_of_those_who_qualified(self):
        cup = drawn(4, format=Format.ROUND_ROBIN, stage={"advance": 2})
        person = Person(cup.created_by)
        ok(person.post(f"/tournaments/{cup.pk}/stages", {"format": "single_elimination"}), 201)
        play(cup, matches_at_most=5)
        refused(person.post(f"/tournaments/{cup.pk}/bracket"), 409, "conflict")
        play(cup, matches_at_most=1)
        final = ok(person.post(f"/tournaments/{cup.pk}/bracket"))["matches"][-1]
        assert {final["home"], final["away"]} == set(cup.entries.filter(seed__lte=2).values_list("pk", flat=True))


class TestGames:
    def test_either_the_numbers_or_the_games_are_given(self):
        cup = drawn(2, stage={"best_of": 3})
        referee, match = Person(cup.created_by), cup.matches.get()
        path, games = f"/matches/{match.pk}", [{"home": 13, "away": 7}, {"home": 13, "away": 11}]
        ok(referee.post(f"{path}/start"))
        scored = ok(referee.put(f"{path}/score", {"games": games[:1]}))["match"]
        assert (scored["home_score"], scored["away_score"], scored["games"]) == (1, 0, games[:1])
        scored = ok(referee.put(f"{path}/score", {"home_score": 1, "away_score": 1}))["match"]
        assert (scored["home_score"], scored["games"]) == (1, [])
        both = {"home_score": 0, "away_score": 2, "games": games}
        assert "add up to 2–0" in refused(referee.put(f"{path}/score", both), 400, "bad_request")["detail"]
        done = ok(referee.post(f"{path}/complete", both | {"home_score": 2, "away_score": 0}))["match"]
        assert (done["winner"], done["games"]) == (match.home_id, games)

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({}, 422),
            ({"games": []}, 422),
            ({"home_score": 1}, 422),
            ({"home_score": 1, "games": [{"home": 13, "away": 7}]}, 422),
            ({"home_shootout": 1, "away_shootout": 0, "games": [{"home": 13, "away": 7}]}, 422),
            ({"games": [{"home": 1}]}, 422),
            ({"games": [{"home": 1, "away": 0, "map": "Dust"}]}, 422),
            ({"games": [{"home": 1, "away": 0}] * 22}, 422),
            ({"games": [{"home": 1000, "away": 0}]}, 422),
            ({"games": [{"home": 1, "away": 0}] * 3}, 400),
            ({"home_score": 3, "away_score": 0}, 400),
        ],
    )
    def test_what_is_no_score_of_a_best_of_three_is_refused(self, body, status):
        cup = drawn(2, stage={"best_of": 3})
        match = cup.matches.get()
        Person(cup.created_by).post(f"/matches/{match.pk}/start")
        answer = Person(cup.created_by).put(f"/matches/{match.pk}/score", body)
        refused(answer, status, {400: "bad_request", 422: "invalid_schema"}[status])


class TestStandings:
    def test_each_separation_has_its_reason_as_a_sentence(self):
        cup = drawn(6, format=Format.SWISS, stage={"rounds": 3})
        play(cup, lambda match: Score(2, 2) if match.position == 1 else Score(match.position, 0))
        standings = ok(Person().get(f"/stages/{cup.stages.get().pk}/standings"))
        [table] = standings["tables"]
        assert (standings["stage"]["state"], table["group"]) == ("completed", 0)
        rows = table["rows"]
        names = dict(cup.entries.values_list("pk", "name"))
        assert [row["name"] for row in rows] == [names[row["entry"]] for row in rows]
        assert {row["record"]["played"] for row in rows} == {3}
        assert [row["rank"] for row in rows] == sorted(row["rank"] for row in rows)
        for upper, lower in pairwise(rows):
            reason = upper["reason"]
            assert reason["other"] == lower["entry"]
            verb = "above" if reason["tie_break"] else "level with"
            assert reason["text"].startswith(f"{verb} {lower['name']}")
            if reason["tie_break"] and Part.parse(reason["tie_break"]).measure is Measure.POINTS:
                assert reason["own"] == upper["record"]["points"] > lower["record"]["points"] == reason["others"]
        assert rows[-1]["reason"] is None
        parts = {row["reason"]["tie_break"] for row in rows[:-1]}
        assert parts - {"points"}, "some were level on points"

    def test_groups_have_tables_of_their_own_and_results_change_them_at_once(self):
        cup = drawn(6, format=Format.ROUND_ROBIN, stage={"groups": 2})
        path = f"/stages/{cup.stages.get().pk}/standings"
        before = ok(Person().get(path))["tables"]
        assert [(table["group"], len(table["rows"])) for table in before] == [(1, 3), (2, 3)]
        play(cup, matches_at_most=1)
        match = match_number(cup, 1)
        table = next(table for table in ok(Person().get(path))["tables"] if table["group"] == match.group)
        assert (table["rows"][0]["entry"], table["rows"][0]["record"]["wins"]) == (match.winner_id, 1)

    def test_a_bracket_has_ranks_when_it_is_over(self):
        cup = drawn(4)
        path = f"/stages/{cup.stages.get().pk}/standings"
        assert {row["rank"] for row in ok(Person().get(path))["tables"][0]["rows"]} == {None}
        play(cup)
        rows = ok(Person().get(path))["tables"][0]["rows"]
        assert [row["rank"] for row in rows] == [1, 2, 3, 4]
        assert rows[0]["entry"] == fresh(cup).champion_id

    def test_a_stage_that_is_not_drawn_has_none(self):
        cup = make_tournament(format=Format.SWISS)
        assert ok(Person(cup.created_by).get(f"/stages/{cup.stages.get().pk}/standings"))["tables"] == []
        refused(Person().get(f"/stages/{cup.stages.get().pk}/standings"), 404, "not_found")

    def test_byes_are_told(self):
        cup = drawn(3, format=Format.SWISS)
        play(cup, matches_at_most=1)
        brackets.pair(Actor(cup.created_by), cup.pk)
        [table] = ok(Person().get(f"/stages/{cup.stages.get().pk}/standings"))["tables"]
        assert sum(row["record"]["byes"] for row in table["rows"]) == 2
