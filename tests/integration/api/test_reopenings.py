"""Results taken back over the API: the preview, the confirmation, and the taking back of that."""

import pytest

from apps.tournaments.models import Reopening
from apps.tournaments.services import Actor, matches, stages
from engine.stages import Format
from tests.factories import draw, drawn, match_number, open_with_entries, play
from tests.integration.api.client import Person, ok, refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def cup():
    cup = drawn(8)
    play(cup)
    return cup


@pytest.fixture
def referee(cup):
    return Person(cup.created_by)


def groups_and_playoffs():
    cup = open_with_entries(8, format=Format.ROUND_ROBIN, stage={"groups": 2, "advance": 2})
    stages.add(Actor(cup.created_by), cup.pk, format=Format.SINGLE_ELIMINATION)
    draw(cup)
    play(cup)
    return cup


def state(cup):
    return ok(Person().get(f"/tournaments/{cup.pk}/snapshot"))["data"]


def without_versions(state):
    for match in state["matches"].values():
        del match["version"]
    return state


class TestPreview:
    def test_it_tells_all_that_would_change_and_changes_nothing(self, cup, referee):
        before, match = state(cup), match_number(cup, 1)
        preview = ok(referee.get(f"/matches/{match.pk}/reopening"))
        assert preview["match"] == before["matches"][str(match.pk)]
        assert sorted(each["number"] for each in preview["voided"]) == [5, 7, 8]
        assert {"match": match_number(cup, 5).pk, "side": "home", "entry": match.home_id} in preview["leaving"]
        assert (preview["live"], preview["withdrawn"]) == ([], [])
        assert state(cup) == before

    def test_a_correction_that_changes_no_winner_undoes_nothing(self, cup, referee):
        match = match_number(cup, 1)
        preview = ok(referee.get(f"/matches/{match.pk}/reopening", home_score=9, away_score=8))
        assert (preview["voided"], preview["leaving"]) == ([], [])

    def test_it_names_the_draw_that_would_be_taken_back(self):
        cup = groups_and_playoffs()
        referee, playoffs = Person(cup.created_by), cup.stages.get(number=2)
        before, first = without_versions(state(cup)), cup.matches.filter(stage__number=1).earliest("number")
        preview = ok(referee.get(f"/matches/{first.pk}/reopening"))
        assert preview["withdrawn"] == [playoffs.pk]
        assert {each["stage"] for each in preview["voided"]} == {playoffs.pk}
        done = ok(referee.post(f"/matches/{first.pk}/reopen", {"token": preview["token"]}))
        assert ok(referee.get(f"/stages/{playoffs.pk}"))["state"] == "pending"
        assert not playoffs.matches.exists()
        ok(referee.post(f"/reopenings/{done['reopening']}/undo"))
        assert without_versions(state(cup)) == before

    @pytest.mark.parametrize(
        ("query", "status"),
        [
            ({"home_score": 1}, 400),
            ({"home_score": 1, "away_score": 1}, 400),
            ({"home_shootout": 3, "away_shootout": 1}, 400),
            ({"games": ["13-7"]}, 400),
            ({"home_score": 1000, "away_score": 0}, 422),
            ({"games": ["13:7"]}, 422),
        ],
    )
    def test_a_correction_that_is_no_result_is_refused(self, cup, referee, query, status):
        answer = referee.get(f"/matches/{match_number(cup, 1).pk}/reopening", **query)
        refused(answer, status, {400: "bad_request", 422: "invalid_schema"}[status])

    def test_it_is_for_the_staff(self, cup):
        match = match_number(cup, 1)
        path = f"/matches/{match.pk}/reopening"
        refused(Person(match.home.user).get(path), 403, "permission_denied")
        refused(Person().get(path), 401, "authentication_required")

    def test_a_match_without_a_result_has_none_to_take_back(self):
        cup = drawn(2)
        answer = Person(cup.created_by).get(f"/matches/{cup.matches.get().pk}/reopening")
        assert refused(answer, 409, "conflict")["data"]["state"] == "ready"


class TestReopen:
    def test_a_preview_of_before_is_refused_with_the_present_one(self):
        cup = drawn(4)
        play(cup, matches_at_most=2)
        referee, first, final = Person(cup.created_by), match_number(cup, 1), match_number(cup, 4)
        path = f"/matches/{first.pk}"
        seen = ok(referee.get(f"{path}/reopening"))
        ok(referee.post(f"/matches/{final.pk}/start"))
        before = state(cup)
        problem = refused(referee.post(f"{path}/reopen", {"token": seen["token"]}), 409, "conflict")
        present = problem["data"]["preview"]
        assert present == ok(referee.get(f"{path}/reopening"))
        assert present["live"] == [final.pk]
        assert state(cup) == before
        assert not Reopening.objects.exists()
        ok(referee.post(f"{path}/reopen", {"token": present["token"]}))

    def test_another_score_than_the_previewed_one_is_refused(self, cup, referee):
        path = f"/matches/{match_number(cup, 1).pk}"
        seen = ok(referee.get(f"{path}/reopening", home_score=9, away_score=8))
        body = {"token": seen["token"], "score": {"home_score": 8, "away_score": 9}}
        refused(referee.post(f"{path}/reopen", body), 409, "conflict")
        body["score"] = {"home_score": 9, "away_score": 8}
        done = ok(referee.post(f"{path}/reopen", body))["match"]
        assert (done["state"], done["home_score"], done["away_score"]) == ("completed", 9, 8)

    def test_it_takes_games_in_a_best_of(self):
        cup = drawn(2, stage={"best_of": 3})
        play(cup)
        referee, match = Person(cup.created_by), cup.matches.get()
        path, games = f"/matches/{match.pk}", [{"home": 7, "away": 13}, {"home": 9, "away": 13}]
        seen = ok(referee.get(f"{path}/reopening", games=["7-13", "9-13"]))
        done = ok(referee.post(f"{path}/reopen", {"token": seen["token"], "score": {"games": games}}))["match"]
        assert (done["home_score"], done["away_score"], done["games"], done["winner"]) == (0, 2, games, match.away_id)

    def test_a_retry_reopens_once_and_gets_the_first_answer(self, cup, referee):
        path = f"/matches/{match_number(cup, 1).pk}"
        body = {"token": ok(referee.get(f"{path}/reopening"))["token"]}
        first = ok(referee.post(f"{path}/reopen", body, key="k"))
        assert ok(referee.post(f"{path}/reopen", body, key="k")) == first
        assert Reopening.objects.count() == 1
        refused(referee.post(f"{path}/reopen", body), 409, "conflict")

    def test_the_kept_result_is_offered_to_the_same_two_and_can_be_taken(self, cup, referee):
        match, final = match_number(cup, 1), match_number(cup, 8)
        path = f"/matches/{match.pk}"
        ok(referee.post(f"{path}/reopen", {"token": ok(referee.get(f"{path}/reopening"))["token"]}))
        [kept] = ok(referee.get(path))["kept"]
        assert (kept["home"], kept["winner"], kept["home_score"]) == (match.home_id, match.winner_id, match.home_score)
        taken = ok(referee.post(f"{path}/take-kept"))["match"]
        assert (taken["state"], taken["winner"]) == ("completed", match.winner_id)
        for number in (5, 7, 8):
            ok(referee.post(f"/matches/{match_number(cup, number).pk}/take-kept"))
        assert ok(referee.get(f"/tournaments/{cup.pk}"))["champion"] == final.winner_id
        refused(referee.post(f"{path}/take-kept"), 409, "conflict")

    def test_a_retry_may_find_that_the_match_is_gone_since(self):
        cup = groups_and_playoffs()
        referee = Person(cup.created_by)
        final, first = (cup.matches.filter(stage__number=number).latest("number") for number in (2, 1))
        bodies = {}
        for match in (final, first):
            token = ok(referee.get(f"/matches/{match.pk}/reopening"))["token"]
            bodies[match] = {"token": token}
            ok(referee.post(f"/matches/{match.pk}/reopen", bodies[match], key=f"k{match.pk}"))
        problem = refused(
            referee.post(f"/matches/{final.pk}/reopen", bodies[final], key=f"k{final.pk}"), 404, "not_found"
        )
        assert "gone since" in problem["detail"]


class TestUndo:
    def test_it_puts_everything_back_as_it_was(self, cup, referee):
        before = without_versions(state(cup))
        path = f"/matches/{match_number(cup, 1).pk}"
        done = ok(referee.post(f"{path}/reopen", {"token": ok(referee.get(f"{path}/reopening"))["token"]}))
        assert without_versions(state(cup)) != before
        first = ok(referee.post(f"/reopenings/{done['reopening']}/undo", key="k"))
        assert without_versions(state(cup)) == before
        assert ok(referee.post(f"/reopenings/{done['reopening']}/undo", key="k")) == first
        refused(referee.post(f"/reopenings/{done['reopening']}/undo"), 409, "conflict")

    def test_it_is_refused_once_something_has_happened(self, cup, referee):
        match = match_number(cup, 1)
        path = f"/matches/{match.pk}"
        done = ok(referee.post(f"{path}/reopen", {"token": ok(referee.get(f"{path}/reopening"))["token"]}))
        matches.start(Actor(cup.created_by), match.pk)
        problem = refused(referee.post(f"/reopenings/{done['reopening']}/undo"), 409, "conflict")
        assert problem["data"]["changed"] == [match.pk]

    def test_of_another_tournament_it_is_nobody_elses(self, cup, referee):
        path = f"/matches/{match_number(cup, 1).pk}"
        done = ok(referee.post(f"{path}/reopen", {"token": ok(referee.get(f"{path}/reopening"))["token"]}))
        organizer_elsewhere = Person(drawn(2).created_by)
        answer = organizer_elsewhere.post(f"/reopenings/{done['reopening']}/undo")
        refused(answer, 403, "permission_denied")
        refused(referee.post("/reopenings/999999/undo"), 404, "not_found")
