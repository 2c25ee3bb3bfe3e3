"""The forms of a match's whole life, of stages and of rounds, and what they say when they refuse."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.accounts.models import User
from apps.errors import BadRequest
from apps.eventlog.models import Event
from apps.tournaments import uploads
from apps.tournaments.models import Dispute, Match, Role, Stage, Status, Tournament
from apps.tournaments.services import Actor, Done, matches, reopening, stages, tournaments
from apps.web import evidence
from engine.match_flow import Score
from engine.stages import Format
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def olivia(visitor):
    return visitor(factories.make_user("olivia"))


def first_match(cup) -> Match:
    return factories.match_number(cup, 1)


def state_of(match) -> str:
    return Match.objects.get(pk=match.pk).state


class TestCheckIn:
    @pytest.fixture
    def match(self, olivia):
        """A final to which both have to check in."""
        cup = factories.drawn(4, olivia.user, match_check_in_minutes=10, stage={"third_place_match": False})
        factories.play(cup, matches_at_most=2)
        return factories.match_number(cup, 3)

    def test_both_sides_say_that_they_are_here(self, visitor, match):
        home, away = visitor(match.home.user), visitor(match.away.user)
        home.open("/me/").send(f"/m/{match.pk}/check-in/")
        assert "Checked in." in home.text
        assert f"You are here. {match.away.name} has not checked in yet" in home.text
        away.open(f"/m/{match.pk}/")
        assert f"{match.home.name} is here already." in away.text
        away.send(f"/m/{match.pk}/check-in/")
        assert state_of(match) == "ready"

    def test_the_staff_checks_a_side_in(self, olivia, match):
        olivia.open(f"/m/{match.pk}/").send(f"/m/{match.pk}/check-in/", side="home")
        match.refresh_from_db()
        assert (match.home_checked_in, match.away_checked_in) == (True, False)
        assert f"{match.home.name} is here" in olivia.text
        fields = olivia.form(f"/m/{match.pk}/check-in/")
        olivia.post(f"/m/{match.pk}/check-in/", fields | {"side": "home"})
        assert olivia.status == 409
        assert olivia.sentence == "This side is checked in already."
        olivia.post(f"/m/{match.pk}/check-in/", {k: v for k, v in fields.items() if k not in ("side", "command_id")})
        assert olivia.status == 400

    def test_what_a_player_can_do_comes_before_what_a_referee_decides(self, visitor, olivia, match):
        player = match.home.user
        other = factories.open_with_entries(1)
        factories.enter(other, player, "Me")
        disputed = first_match(factories.draw(other))
        matches.start(Actor(other.created_by), disputed.pk)
        matches.dispute(Actor(player), disputed.pk, text="Look at this.")
        page = visitor(player).open("/me/")
        assert page.has_form(f"/m/{match.pk}/check-in/")
        assert page.text.index("Say that you are here") < page.text.index("A referee decides your match")

    def test_the_board_shows_who_is_here_and_until_when(self, olivia, match):
        matches.check_in(Actor(match.home.user), match.pk)
        text = olivia.open(f"/t/{match.tournament_id}/manage/").text
        assert "Next 1" in text
        assert f"{match.home.name} is here" in text
        assert f"{match.away.name} is not here yet" in text
        assert re.search(r"until \d\d:\d\d UTC", text)


class TestGames:
    @pytest.fixture
    def match(self, olivia):
        return first_match(factories.drawn(2, olivia.user, stage={"best_of": 3}))

    def test_are_reported_one_by_one_and_add_up(self, visitor, match):
        home, away = visitor(match.home.user), visitor(match.away.user)
        games = {
            "game1_home": 13,
            "game1_away": 7,
            "game2_home": 9,
            "game2_away": 13,
            "game3_home": 13,
            "game3_away": 11,
        }
        home.open(f"/m/{match.pk}/").send(f"/m/{match.pk}/report/", **games)
        assert "You reported 2–1" in home.text
        away.open(f"/m/{match.pk}/")
        assert "Games: 13–7, 9–13, 13–11." in away.text
        away.send(f"/m/{match.pk}/confirm/")
        assert "won: " in away.text
        assert f'data-bind="m.{match.pk}.game.1">9–13<' in away.html

    def test_or_only_the_games_won_are_known(self, visitor, match):
        away = visitor(match.away.user).open("/me/")
        away.send(f"/m/{match.pk}/report/", won="away", result_away="1-2")
        assert "You reported 2–1" in away.text

    def test_of_a_single_game_it_is_enough_who_won(self, visitor, olivia):
        match = first_match(factories.drawn(2, olivia.user))
        home = visitor(match.home.user).open("/me/")
        home.send(f"/m/{match.pk}/report/", won="away", home_score=3, away_score=1)
        assert (home.status, home.form(f"/m/{match.pk}/report/")["won"]) == (400, "away")
        home.send(f"/m/{match.pk}/report/", won="home", home_score="", away_score="")
        assert "You reported 1–0" in home.text

    @pytest.mark.parametrize(
        ("typed", "sentence"),
        [
            ({}, "Choose who won, or write the score."),
            ({"won": "home"}, "Choose the score, too."),
            ({"won": "away", "game1_home": 13, "game1_away": 7}, "do not fit together"),
            ({"game2_home": 13, "game2_away": 7}, "Game 1 has no score; fill in the games in order."),
            ({"game1_home": 13}, "Game 1 needs a whole number for both sides."),
            ({"game1_home": "many", "game1_away": 1}, "Game 1 needs a whole number for both sides."),
            ({"game1_home": 13, "game1_away": 7}, "1–0 is not the end of a best of 3"),
            (
                {
                    "won": "home",
                    "result_home": "2-0",
                    "game1_home": 1,
                    "game1_away": 0,
                    "game2_home": 0,
                    "game2_away": 1,
                    "game3_home": 1,
                    "game3_away": 0,
                },
                "do not fit together",
            ),
        ],
    )
    def test_what_makes_no_score_is_refused_and_stays_typed(self, visitor, match, typed, sentence):
        home = visitor(match.home.user).open(f"/m/{match.pk}/").send(f"/m/{match.pk}/report/", **typed)
        assert home.status == 400
        assert sentence in home.sentence
        form = home.form(f"/m/{match.pk}/report/")
        assert {name: form[name] for name in typed} == {name: str(value) for name, value in typed.items()}
        assert state_of(match) == "ready"

    def test_play_goes_on_between_games(self, olivia, match):
        matches.start(Actor(olivia.user), match.pk)
        olivia.open(f"/m/{match.pk}/")
        olivia.send(f"/m/{match.pk}/finish/", to=f"/m/{match.pk}/score/", game1_home=13, game1_away=2)
        match.refresh_from_db()
        assert (match.state, match.home_score, match.games) == ("live", 1, [{"home": 13, "away": 2}])
        assert olivia.form(f"/m/{match.pk}/finish/")["game1_home"] == "13"
        olivia.send(f"/m/{match.pk}/finish/", game2_home=13, game2_away=2)
        assert state_of(match) == "completed"


class TestDisputes:
    @pytest.fixture
    def match(self, olivia):
        """A match of whose result both sides say something else."""
        match = first_match(factories.drawn(2, olivia.user))
        matches.report(Actor(match.home.user), match.pk, Score(2, 1))
        matches.report(Actor(match.away.user), match.pk, Score(0, 2))
        return match

    def test_a_referee_sees_both_reports_and_rules_by_one(self, olivia, match):
        olivia.open(f"/t/{match.tournament_id}/manage/")
        assert olivia.text.index("Disputed 1") < olivia.text.index("they do not agree")
        olivia.open(f"/m/{match.pk}/")
        for words in (f"{match.home.name} says 2–1", f"{match.away.name} says 0–2", "Rule 0–2"):
            assert words in olivia.text
        olivia.send(f"/m/{match.pk}/finish/")  # the first of the two
        match.refresh_from_db()
        assert (match.state, match.home_score, match.away_score) == ("completed", 2, 1)

    def test_a_ruling_is_told_to_both_sides_and_to_nobody_else(self, olivia, visitor, match):
        olivia.open(f"/m/{match.pk}/").send(f"/m/{match.pk}/forfeit/", side="both", ruling="Neither told the truth.")
        match.refresh_from_db()
        assert (match.state, match.winner) == ("forfeit", None)
        for person in (match.home.user, match.away.user, olivia.user):
            page = visitor(person).open(f"/m/{match.pk}/")
            assert "Neither told the truth." in page.text
            assert "Double forfeit" in page.text
        for person in (None, factories.make_user()):
            assert "Neither told the truth." not in visitor(person).open(f"/m/{match.pk}/").text

    def test_a_player_calls_a_referee_with_a_cause_and_a_text(self, olivia, visitor):
        match = first_match(factories.drawn(2, olivia.user))
        matches.report(Actor(match.home.user), match.pk, Score(2, 1))
        away = visitor(match.away.user).open(f"/m/{match.pk}/")
        away.send(f"/m/{match.pk}/dispute/", cause="rules", text=" ")
        assert away.status == 400
        assert away.sentence == "Say what happened, so that a referee can decide."
        away.send(f"/m/{match.pk}/dispute/", cause="luck", text="x")
        assert away.status == 400
        away.send(f"/m/{match.pk}/dispute/", cause="rules", text="He used <both> hands.")
        assert "A referee decides now." in away.text
        dispute = Dispute.objects.get(match=match)
        assert (dispute.cause, dispute.opened_by) == ("rules", "away")
        assert "He used &lt;both&gt; hands." in olivia.open(f"/m/{match.pk}/").html
        assert "hands" not in visitor().open(f"/m/{match.pk}/").html

    def test_images_go_to_the_service_one_by_one(self, visitor, match, monkeypatch):
        kept = []

        def add_evidence(actor, match_id, data):
            if data == b"bad":
                raise BadRequest("This is no image.")
            kept.append((actor.user, match_id, data))
            return Done("", len(kept), {"match_id": match_id})

        monkeypatch.setattr(evidence, "add_evidence", add_evidence)
        player = visitor(match.away.user).open(f"/m/{match.pk}/")
        path = f"/m/{match.pk}/evidence/"
        fields = player.form(path)

        def images(*contents):
            files = [SimpleUploadedFile(f"{n}.png", content) for n, content in enumerate(contents)]
            player.post(path, fields | {"file": files})

        images(b"one", b"two")
        assert "The images were added." in player.text
        assert kept == [(match.away.user, match.pk, b"one"), (match.away.user, match.pk, b"two")]
        images(b"three", b"bad")
        assert (player.status, player.sentence) == (400, "This is no image.")
        assert len(kept) == 3
        images()
        assert player.sentence == "Choose at least one image."
        images(*[b"x"] * 20)
        assert "at most" in player.sentence
        images(b"x" * (uploads.PICTURE + 1))
        assert (player.status, player.sentence) == (413, "The file is too large: at most 5 MiB.")


class TestCancelling:
    def test_a_match_of_a_league_is_not_played_and_does_not_count(self, olivia):
        cup = factories.drawn(3, olivia.user, format=Format.ROUND_ROBIN)
        match = first_match(cup)
        olivia.open(f"/m/{match.pk}/").send(f"/m/{match.pk}/cancel/")
        assert "The match was cancelled." in olivia.text
        assert "This match will not be played." in olivia.text
        assert "1 of 3 matches done" in olivia.open(f"/t/{cup.pk}/").text

    def test_a_bracket_needs_its_matches(self, olivia):
        match = first_match(factories.drawn(2, olivia.user))
        olivia.open(f"/m/{match.pk}/")
        assert not olivia.has_form(f"/m/{match.pk}/cancel/")
        olivia.post(f"/m/{match.pk}/cancel/", olivia.form(f"/m/{match.pk}/start/"))
        assert olivia.status == 409
        assert "Rule a forfeit" in olivia.sentence


class TestReopening:
    @pytest.fixture
    def cup(self, olivia):
        """A tournament of four, its final in play."""
        cup = factories.drawn(4, olivia.user)
        factories.play(cup, matches_at_most=3)
        matches.start(Actor(olivia.user), factories.match_number(cup, 4).pk)
        return cup

    def test_first_the_page_says_what_would_be_undone(self, olivia, cup):
        first, final = first_match(cup), factories.match_number(cup, 4)
        olivia.open(f"/m/{first.pk}/")
        assert f'href="/m/{first.pk}/reopen/"' in olivia.html
        before = Event.objects.count()
        olivia.open(f"/m/{first.pk}/reopen/")
        assert "2 later matches lose the result or the score." in olivia.text
        assert f"Match 4, {final.home.name} – {final.away.name}, is being played now" in olivia.text
        assert "Third place, match 3" in olivia.text
        assert Event.objects.count() == before

    def test_then_it_is_done_and_can_be_undone(self, olivia, cup):
        first = first_match(cup)
        olivia.open(f"/m/{first.pk}/reopen/").send(f"/m/{first.pk}/reopen/")
        assert olivia.response.request["PATH_INFO"] == f"/m/{first.pk}/"
        assert state_of(first) == "ready"
        undo = re.search(r'action="(/m/\d+/reopenings/\d+/undo/)"', olivia.html)[1]
        assert olivia.html.count(f'action="{undo}"') == 3  # above, in the toast, and in the history
        olivia.send(undo)
        assert "Undone." in olivia.text
        assert state_of(first) == "completed"
        assert state_of(factories.match_number(cup, 4)) == "live"
        assert "undo/" not in olivia.html

    def test_a_correction_sets_another_score(self, olivia, cup):
        first = first_match(cup)
        olivia.open(f"/m/{first.pk}/reopen/?home_score=5&away_score=4")
        assert "Only this score changes." in olivia.text
        olivia.open(f"/m/{first.pk}/reopen/?home_score=0&away_score=3")
        fields = olivia.form(f"/m/{first.pk}/reopen/")
        assert (fields["home_score"], fields["away_score"]) == ("0", "3")
        olivia.post(f"/m/{first.pk}/reopen/", fields)
        first.refresh_from_db()
        assert (first.state, first.home_score, first.away_score) == ("completed", 0, 3)
        assert factories.match_number(cup, 4).home == first.away

    def test_when_something_has_happened_the_new_preview_is_shown(self, olivia, cup):
        first, final = first_match(cup), factories.match_number(cup, 4)
        olivia.open(f"/m/{first.pk}/reopen/")
        fields = olivia.form(f"/m/{first.pk}/reopen/")
        matches.finish(Actor(olivia.user), final.pk, Score(3, 0))
        olivia.post(f"/m/{first.pk}/reopen/", fields)
        assert olivia.status == 409
        assert "Things have changed since you looked" in olivia.sentence
        assert "is being played now" not in olivia.text
        assert "3–0" in olivia.text
        assert olivia.form(f"/m/{first.pk}/reopen/")["token"] != fields["token"]
        olivia.post(f"/m/{first.pk}/reopen/", olivia.form(f"/m/{first.pk}/reopen/"))
        assert state_of(first) == "ready"

    def test_a_score_that_makes_no_sense_is_told(self, olivia, cup):
        path = f"/m/{first_match(cup).pk}/reopen/"
        for query, sentence in (
            ("?home_score=1&away_score=1", "1–1 is level"),
            ("?home_score=1", "Score: is missing."),
            ("?home_score=x&away_score=1", "Score: is not a whole number."),
        ):
            olivia.open(path + query)
            assert olivia.response.status_code == 200
            assert sentence in olivia.text
            assert 'name="token"' not in olivia.html

    def test_what_cannot_be_reopened_says_why(self, olivia, cup):
        final = factories.match_number(cup, 4)
        olivia.open(f"/m/{final.pk}/reopen/")
        assert "This match has no result that could be taken back." in olivia.text

    def test_it_is_for_the_staff(self, visitor, cup):
        path = f"/m/{first_match(cup).pk}/reopen/"
        player = visitor(first_match(cup).home.user)
        assert player.open(path).response.status_code == 403
        assert "reopen/" not in player.open(f"/m/{first_match(cup).pk}/").html
        assert visitor().open(path).response["Location"] == f"/accounts/login/?next={path}"

    def test_after_more_has_happened_nothing_is_offered_that_would_be_refused(self, olivia, cup):
        first = first_match(cup)
        by = Actor(olivia.user)
        done = reopening.reopen(by, first.pk, token=reopening.preview(by, first.pk).token)
        fields = olivia.open(f"/m/{first.pk}/").form(f"/m/{first.pk}/start/")
        matches.start(by, first.pk)
        assert "undo/" not in olivia.open(f"/m/{first.pk}/").html
        olivia.post(f"/m/{first.pk}/reopenings/{done.ids['reopening_id']}/undo/", fields)
        assert olivia.status == 409
        assert "Something has happened since" in olivia.sentence

    def test_a_result_is_offered_again_to_the_same_two(self, olivia, cup):
        first, final = first_match(cup), factories.match_number(cup, 4)
        by = Actor(olivia.user)
        matches.finish(by, final.pk, Score(3, 2))
        reopening.reopen(by, first.pk, token=reopening.preview(by, first.pk).token)
        matches.start(by, first.pk)
        matches.finish(by, first.pk, Score(9, 0))
        olivia.open(f"/m/{final.pk}/")
        assert "These two had 3–2 here before." in olivia.text
        olivia.send(f"/m/{final.pk}/take-kept/")
        final.refresh_from_db()
        assert (final.state, final.home_score, final.away_score) == ("completed", 3, 2)
        olivia.post(
            f"/m/{final.pk}/take-kept/", olivia.open("/new/").form("/new/create/") | {"next": f"/m/{final.pk}/"}
        )
        assert olivia.status == 409
        assert "No earlier result" in olivia.sentence


class TestRounds:
    def test_a_swiss_is_led_from_round_to_round(self, olivia):
        cup = factories.drawn(4, olivia.user, format=Format.SWISS)
        path = f"/t/{cup.pk}/manage/"
        pair = f"{path}pair-round/"
        olivia.open(path)
        assert "Pair the latest round again" in olivia.text
        olivia.post(pair, {k: v for k, v in olivia.form(pair).items() if k != "again"})
        assert olivia.status == 409
        assert "2 matches of round 1 have no result yet." in olivia.sentence
        olivia.open(path).send(pair)
        assert cup.matches.count() == 2
        factories.play(factories.fresh(cup), matches_at_most=2)
        olivia.open(path)
        assert "Round 1 is over. Round 2 of 2 can be paired." in olivia.text
        olivia.send(pair)
        assert "The round is paired." in olivia.text
        assert cup.matches.filter(round=2).count() == 2

    def test_the_next_stage_is_drawn_from_the_board(self, olivia):
        cup = factories.open_with_entries(4, olivia.user, format=Format.ROUND_ROBIN, stage={"advance": 2})
        stages.add(Actor(olivia.user), cup.pk, format=Format.SINGLE_ELIMINATION)
        tournaments.close_registration(Actor(olivia.user), cup.pk)
        path = f"/t/{cup.pk}/manage/"
        olivia.open(path)
        assert "Draw the matches" in olivia.text
        olivia.send(f"{path}generate/")
        factories.play(factories.fresh(cup), matches_at_most=6)
        olivia.open(path)
        assert "Playoffs can be drawn" in olivia.text
        olivia.send(f"{path}generate/")
        assert cup.stages.get(number=2).matches.count() == 1
        assert "Draw the bracket again" in olivia.text


class TestStages:
    def test_a_tournament_is_created_with_the_way_it_is_played(self, olivia):
        olivia.open("/new/").send(
            "/new/create/",
            name="Groups",
            format="round_robin",
            groups=4,
            legs=2,
            best_of=2,
            points_win=2,
            tie_1="points",
            tie_2="tied:score_difference",
            match_check_in_minutes=5,
            confirm_minutes=0,
        )
        cup = Tournament.objects.get(name="Groups")
        options = cup.stages.get().options
        assert (cup.match_check_in_minutes, cup.confirm_minutes) == (5, 0)
        assert (options.groups, options.legs, options.best_of) == (4, 2, 2)
        assert (options.points.win, options.points.draw) == (2, 1)
        assert options.tie_breaks == ["points", "tied:score_difference"]

    @pytest.mark.parametrize("format", Format)
    def test_what_is_left_empty_is_as_usual_for_the_format(self, olivia, format):
        cup = factories.make_tournament(olivia.user)
        form = f"/t/{cup.pk}/setup/format/"
        olivia.open(form).send(f"{form}save/", format=format.value, third_place_match="on", grand_final_reset="on")
        stage = cup.stages.get()
        assert stage.format == format
        points = stage.options.points
        assert (points.win, points.draw) == ((1, 0.5) if format is Format.SWISS else (3, 1))
        assert (stage.options.third_place_match, stage.options.grand_final_reset) == (True, True)

    @pytest.mark.parametrize(
        ("typed", "sentence"),
        [
            ({"best_of": 4}, "Choose 3 or 5."),
            ({"best_of": "x"}, "Best of: is not a whole number."),
            ({"format": "ladder"}, "Choose a format from the list."),
            ({"format": "swiss", "points_win": 0, "points_draw": 1}, "less than a draw"),
            ({"format": "swiss", "points_win": 0.3}, "in halves"),
            ({"format": "round_robin", "groups": 1000}, "groups is a number from 1"),
        ],
    )
    def test_a_setting_that_makes_no_sense_is_refused_and_stays_typed(self, olivia, typed, sentence):
        olivia.open("/new/").send("/new/create/", name="Nonsense", **typed)
        assert olivia.status == 400
        assert sentence in olivia.sentence
        form = olivia.form("/new/create/")
        assert form["name"] == "Nonsense"
        assert not Tournament.objects.filter(name="Nonsense").exists()

    def test_one_is_added_changed_and_removed(self, olivia):
        cup = factories.make_tournament(olivia.user, format=Format.ROUND_ROBIN)
        base = f"/t/{cup.pk}/manage/stages"
        olivia.open(f"{base}/").send(
            f"{base}/add/", name="Playoffs", format="single_elimination", best_of=3, best_of_final=5
        )
        second = cup.stages.get(number=2)
        assert (second.name, second.options.best_of, second.options.best_of_rounds) == ("Playoffs", 3, {"final": 5})
        form = f"{base}/{second.pk}/save/"
        assert olivia.form(form)["games final"] == "5"
        changes = {"name": "Finals", "format": "double_elimination", "games final": "", "games semi_finals": ""}
        olivia.post(form, olivia.form(form) | changes)
        second.refresh_from_db()
        assert (second.name, second.format) == ("Finals", "double_elimination")
        assert (second.options.best_of, second.options.best_of_rounds) == (3, {})
        olivia.send(f"{base}/{second.pk}/remove/")
        assert cup.stages.count() == 1
        first = cup.stages.get()
        assert not olivia.has_form(f"{base}/{first.pk}/remove/")
        olivia.post(f"{base}/{first.pk}/remove/", olivia.form(f"{base}/add/"))
        assert olivia.status == 409
        assert "Only the last stage can be removed" in olivia.sentence

    def test_another_format_has_other_points_unless_they_were_chosen(self, olivia):
        cup = factories.make_tournament(olivia.user, format=Format.SWISS)
        stage = cup.stages.get()
        path = f"/t/{cup.pk}/manage/stages/"
        olivia.open(path).send(f"{path}{stage.pk}/save/", format="round_robin")
        stage.refresh_from_db()
        assert (stage.options.points.win, stage.options.points.draw) == (3, 1)
        olivia.open(path).send(f"{path}{stage.pk}/save/", points_win=2)
        olivia.open(path).send(f"{path}{stage.pk}/save/", format="swiss")
        stage.refresh_from_db()
        assert (stage.options.points.win, stage.options.points.draw) == (2, 1)

    def test_of_one_that_is_drawn_only_what_can_still_change_is_asked(self, olivia):
        cup = factories.drawn(4, olivia.user, format=Format.ROUND_ROBIN, stage={"advance": 2})
        stage = cup.stages.get()
        path = f"/t/{cup.pk}/manage/stages/"
        form = olivia.open(path).form(f"{path}{stage.pk}/save/")
        assert "best_of" not in form
        olivia.send(f"{path}{stage.pk}/save/", name="League", advance=3, tie_1="wins")
        stage.refresh_from_db()
        assert (stage.name, stage.options.advance, stage.options.tie_breaks) == ("League", 3, ["wins"])
        olivia.post(f"{path}{stage.pk}/save/", olivia.form(f"{path}{stage.pk}/save/") | {"groups": "2"})
        assert olivia.status == 409
        assert "groups cannot change now" in olivia.sentence

    def test_one_of_another_tournament_is_not_touched(self, olivia):
        mine, other = factories.make_tournament(olivia.user), factories.make_tournament()
        path = f"/t/{mine.pk}/manage/stages/"
        theirs = other.stages.get()
        for deed in ("save", "remove"):
            olivia.open(path)
            olivia.post(f"{path}{theirs.pk}/{deed}/", olivia.form(f"{path}add/"))
            assert olivia.status == 404
        assert Stage.objects.get(pk=theirs.pk).format == theirs.format


def test_strangers_players_and_guests_change_nothing(visitor, olivia):
    cup = factories.drawn(4, olivia.user, format=Format.SWISS)
    match, stage = first_match(cup), cup.stages.get()
    tournaments.add_member(Actor(olivia.user), cup.pk, username=factories.make_user("rita").username, role=Role.REFEREE)
    manage = f"/t/{cup.pk}/manage"
    only_staff = {
        f"/m/{match.pk}/cancel/": {},
        f"/m/{match.pk}/take-kept/": {},
        f"/m/{match.pk}/reopen/": {"token": "x"},
        f"/m/{match.pk}/reopenings/1/undo/": {},
    }
    only_organizers = {
        f"{manage}/pair-round/": {},
        f"{manage}/stages/add/": {"format": "swiss"},
        f"{manage}/stages/{stage.pk}/save/": {"name": "Mine"},
        f"{manage}/stages/{stage.pk}/remove/": {},
    }
    before = Event.objects.count()
    stranger = factories.make_user()
    referee = User.objects.get(username="rita")
    for user, closed in (
        (stranger, only_staff | only_organizers),
        (match.home.user, only_staff),
        (referee, only_organizers),
    ):
        person = visitor(user).open("/new/")
        token = person.form("/new/create/")["csrfmiddlewaretoken"]
        for path, fields in closed.items():
            person.post(path, fields | {"csrfmiddlewaretoken": token})
            assert person.status in (403, 404), (user, path)  # there is no reopening yet
    for path in (f"/m/{match.pk}/check-in/", f"/m/{match.pk}/dispute/"):
        person = visitor(stranger).open("/new/")
        person.post(path, {"text": "x", "csrfmiddlewaretoken": person.form("/new/create/")["csrfmiddlewaretoken"]})
        assert person.status == 403
    assert Event.objects.count() == before
    assert factories.fresh(cup).status == Status.REGISTRATION_CLOSED
