"""What people do with the forms of the pages, without JavaScript."""

import pytest

from apps.eventlog.models import Event
from apps.tournaments.models import Entry, EntryStatus, Match, Member, Role, Status, Tournament
from apps.tournaments.services import Actor, entries, matches, tournaments
from engine.match_flow import MatchState, Score
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def olivia(visitor):
    return visitor(factories.make_user("olivia"))


@pytest.fixture
def cup(olivia):
    """A tournament of five players, drawn."""
    return factories.drawn(5, olivia.user)


def events(cup) -> int:
    return Event.objects.filter(stream__name=cup.stream).count()


class TestAWholeTournament:
    def test_from_a_name_to_a_champion(self, olivia):
        olivia.open("/new/").send("/new/create/", name="Club Cup", capacity=8, game="Chess")
        cup = Tournament.objects.get(name="Club Cup")
        assert "How is it played?" in olivia.text

        base = f"/t/{cup.pk}/manage"
        olivia.open(f"{base}/").send(f"{base}/publish/")
        olivia.open(f"{base}/entrants/").send(f"{base}/entrants/add/", names="Ada\nGrace\n\n  Edsger \nBarbara\nDonald")
        assert "5 entrants added." in olivia.text
        donald = Entry.objects.get(name="Donald")
        olivia.send(f"{base}/entrants/seed/", move=f"up:{donald.pk}")
        assert names_by_seed(cup) == ["Ada", "Grace", "Edsger", "Donald", "Barbara"]
        olivia.open(f"{base}/").send(f"{base}/generate/")
        assert "The bracket is drawn." in olivia.text

        for _ in range(5):
            match = Match.objects.filter(tournament=cup, state=MatchState.READY).order_by("number")[0]
            olivia.open(f"{base}/?match={match.pk}").send(f"/m/{match.pk}/start/")
            olivia.send(f"/m/{match.pk}/step/", step="home+")
            olivia.send(f"/m/{match.pk}/step/", step="home+")
            olivia.send(f"/m/{match.pk}/step/", step="away+")
            olivia.send(f"/m/{match.pk}/finish/")
        cup.refresh_from_db()
        assert cup.status == Status.COMPLETED
        assert "Champion Ada" in olivia.open(f"/t/{cup.pk}/").text
        assert "5 of 5 matches done" in olivia.text

    def test_with_registration_check_in_and_results_by_the_players(self, olivia, visitor):
        olivia.open("/new/").send("/new/create/", name="Open Cup", capacity=2, check_in="on")
        cup = Tournament.objects.get(name="Open Cup")
        base = f"/t/{cup.pk}/manage"
        olivia.open(f"{base}/").send(f"{base}/publish/").send(f"{base}/open-registration/")

        ann, ben, cem = (visitor(factories.make_user(name)) for name in ("ann", "ben", "cem"))
        for person, name in ((ann, "Ann"), (ben, "Ben"), (cem, "Cem")):
            person.open(f"/t/{cup.pk}/").send(f"/t/{cup.pk}/register/", name=name)
            assert "You are registered." in person.text
        assert "You are number 1 on the waitlist" in cem.text

        entry = Entry.objects.get(name="Ben")
        ben.send(f"/t/{cup.pk}/entries/{entry.pk}/withdraw/")
        assert "Only entrants who check in are drawn." in cem.open(f"/t/{cup.pk}/").text
        for person, name in ((ann, "Ann"), (cem, "Cem")):
            entry = Entry.objects.get(name=name)
            person.open(f"/t/{cup.pk}/").send(f"/t/{cup.pk}/entries/{entry.pk}/check-in/")
            assert "You are checked in" in person.text

        olivia.open(f"{base}/").send(f"{base}/close-registration/").send(f"{base}/generate/")
        match = Match.objects.get(tournament=cup)
        ann.open("/me/").send(f"/m/{match.pk}/report/", home_score=1, away_score=1, home_shootout=3, away_shootout=4)
        assert "You reported 1–1 (3–4 in the shootout)" in ann.text
        assert not ann.has_form(f"/m/{match.pk}/confirm/")
        cem.open("/me/").send(f"/m/{match.pk}/confirm/")
        assert "Result confirmed." in cem.text
        assert "You won the tournament." in cem.open(f"/t/{cup.pk}/").text
        assert "You finished second." in ann.open(f"/t/{cup.pk}/").text

    def test_called_off(self, olivia, cup):
        olivia.open(f"/t/{cup.pk}/manage/settings/").send(f"/t/{cup.pk}/manage/cancel/")
        assert factories.fresh(cup).status == Status.CANCELLED
        assert "was cancelled" in olivia.text


class TestSentTwice:
    def test_a_command_has_one_effect(self, olivia, cup):
        match = factories.match_number(cup, 1)
        matches.start(Actor(olivia.user), match.pk)
        path = f"/m/{match.pk}/step/"
        fields = olivia.open(f"/m/{match.pk}/").form(path) | {"step": "home+"}
        before = events(cup)
        for _ in range(3):
            olivia.post(path, fields)
            assert olivia.response.status_code == 200
            assert not olivia.sentence
        match.refresh_from_db()
        assert match.home_score == 1
        assert events(cup) == before + 1

    def test_a_pasted_list_enters_everybody_once(self, olivia):
        cup = factories.make_tournament(olivia.user)
        path = f"/t/{cup.pk}/manage/entrants/add/"
        fields = olivia.open(f"/t/{cup.pk}/manage/entrants/").form(path) | {"names": "Ada\nGrace"}
        olivia.post(path, fields)
        olivia.post(path, fields)
        assert not olivia.sentence
        assert Entry.objects.filter(tournament=cup).count() == 2

    def test_a_tournament_is_created_once(self, olivia):
        fields = olivia.open("/new/").form("/new/create/") | {"name": "Once"}
        olivia.post("/new/create/", fields)
        olivia.post("/new/create/", fields)
        assert Tournament.objects.filter(name="Once").count() == 1


class TestTooLate:
    def test_a_form_made_before_a_change_is_refused_with_what_was_typed(self, olivia, cup):
        match = factories.match_number(cup, 1)
        matches.start(Actor(olivia.user), match.pk)
        olivia.open(f"/m/{match.pk}/")
        fields = olivia.form(f"/m/{match.pk}/finish/") | {"home_score": "9", "away_score": "7"}
        matches.update_score(Actor(olivia.user), match.pk, Score(1, 0))
        olivia.post(f"/m/{match.pk}/finish/", fields)
        assert olivia.status == 409
        assert olivia.sentence.startswith("The match has changed since you looked at it.")
        assert 'name="home_score" type="number" inputmode="numeric" min="0" max="999" required value="9"' in olivia.html
        match.refresh_from_db()
        assert match.state == MatchState.LIVE
        assert int(olivia.form(f"/m/{match.pk}/finish/")["expected_version"]) == match.version

    def test_the_second_referee_is_told(self, olivia, visitor, cup):
        match = factories.match_number(cup, 1)
        matches.start(Actor(olivia.user), match.pk)
        tournaments.add_member(
            Actor(olivia.user), cup.pk, username=factories.make_user("rita").username, role=Role.REFEREE
        )
        rita = visitor(Member.objects.get(user__username="rita").user).open(f"/t/{cup.pk}/manage/?match={match.pk}")
        olivia.open(f"/t/{cup.pk}/manage/?match={match.pk}").send(f"/m/{match.pk}/step/", step="home+")
        rita.send(f"/m/{match.pk}/step/", step="away+")
        assert rita.status == 409
        assert "The match has changed" in rita.sentence
        rita.send(f"/m/{match.pk}/step/", step="away+")
        match.refresh_from_db()
        assert (match.home_score, match.away_score) == (1, 1)

    def test_a_step_that_the_status_does_not_allow(self, olivia, cup):
        fields = olivia.open(f"/t/{cup.pk}/manage/").form(f"/t/{cup.pk}/manage/generate/")
        olivia.post(f"/t/{cup.pk}/manage/publish/", fields)
        assert olivia.status == 409
        assert "it is not possible to publish" in olivia.sentence


class TestWrongInput:
    def test_a_level_score_needs_a_shootout(self, olivia, cup):
        match = factories.match_number(cup, 1)
        matches.start(Actor(olivia.user), match.pk)
        olivia.open(f"/m/{match.pk}/").send(f"/m/{match.pk}/finish/", home_score=2, away_score=2)
        assert olivia.status == 400
        assert "2–2 is level, and this match needs a winner." in olivia.sentence

    @pytest.mark.parametrize(
        ("typed", "sentence"),
        [
            ({"home_score": ""}, "is missing"),
            ({"home_score": "two"}, "is not a whole number"),
            ({"home_score": "-1"}, "from 0 to 999"),
            ({"home_score": "1000"}, "from 0 to 999"),
            ({"home_score": "٣"}, ""),  # digits of other scripts are digits
            ({"home_shootout": "3"}, "needs a number for both sides"),
            ({"home_shootout": "3", "away_shootout": "2"}, "decides only a level score"),
            ({"home_score": "9" * 5000}, "is not a whole number"),
        ],
    )
    def test_a_score_that_makes_no_sense(self, visitor, cup, typed, sentence):
        match = factories.match_number(cup, 1)
        player = visitor(match.home.user).open(f"/m/{match.pk}/")
        player.send(f"/m/{match.pk}/report/", **({"home_score": 2, "away_score": 1} | typed))
        if not sentence:
            assert player.status == 302
            return
        assert player.status == 400
        assert sentence in player.sentence
        assert Match.objects.get(pk=match.pk).state == MatchState.READY

    def test_nothing_typed_into_settings_is_lost(self, olivia):
        cup = factories.make_tournament(olivia.user)
        olivia.open(f"/t/{cup.pk}/manage/settings/")
        olivia.send(f"/t/{cup.pk}/manage/settings/save/", name="New name", description="Long\ntext", capacity=5000)
        assert olivia.status == 400
        assert olivia.sentence == "A tournament has 2 to 4096 places."
        form = olivia.form(f"/t/{cup.pk}/manage/settings/save/")
        assert form["name"] == "New name"
        assert form["description"].split() == ["Long", "text"]
        assert form["capacity"] == "5000"
        assert 'aria-invalid="true"' in olivia.html

    def test_a_new_tournament_needs_a_name(self, olivia):
        olivia.open("/new/").send("/new/create/", name=" ", game="Chess", starts_at="tomorrow")
        assert olivia.status == 400
        assert olivia.form("/new/create/")["game"] == "Chess"
        olivia.send("/new/create/", name=" ", starts_at="2027-01-02T18:00")
        assert olivia.sentence == "The name is missing."

    def test_names_that_are_refused_stay_in_the_box(self, olivia):
        cup = factories.make_tournament(olivia.user)
        path = f"/t/{cup.pk}/manage/entrants/add/"
        olivia.open(f"/t/{cup.pk}/manage/entrants/").send(path, names="Ada\nada\nGrace\n" + "x" * 61)
        assert olivia.status in (400, 409)
        assert olivia.sentence.startswith("2 entrants added. Somebody is registered as ada already.")
        assert olivia.form(path)["names"].split() == ["ada", "x" * 61]
        olivia.open(f"/t/{cup.pk}/manage/entrants/").send(path, names="\n \n")
        assert "Write at least one name" in olivia.sentence
        olivia.send(path, names="\n".join(map(str, range(129))))
        assert "at most 128" in olivia.sentence

    def test_a_name_that_is_taken_can_be_changed(self, visitor):
        cup = factories.open_with_entries(1)
        taken = Entry.objects.get(tournament=cup).name
        person = visitor(factories.make_user()).open(f"/t/{cup.pk}/")
        person.send(f"/t/{cup.pk}/register/", name=taken)
        assert person.status == 409
        assert f"Somebody is registered as {taken} already." in person.sentence
        assert person.form(f"/t/{cup.pk}/register/")["name"] == taken


class TestPermissions:
    def test_a_stranger_changes_nothing(self, visitor, cup):
        match = factories.match_number(cup, 1)
        stranger = visitor(factories.make_user()).open("/me/")
        token = stranger.form("/accounts/logout/")["csrfmiddlewaretoken"]
        before = events(cup)
        for path, fields in {
            f"/m/{match.pk}/start/": {},
            f"/m/{match.pk}/report/": {"home_score": "1", "away_score": "0"},
            f"/m/{match.pk}/walkover/": {"side": "home"},
            f"/t/{cup.pk}/manage/generate/": {},
            f"/t/{cup.pk}/manage/cancel/": {},
            f"/t/{cup.pk}/manage/entrants/add/": {"names": "Eve"},
            f"/t/{cup.pk}/manage/staff/add/": {"username": stranger.user.username, "role": "organizer"},
            f"/t/{cup.pk}/entries/{match.home_id}/withdraw/": {},
        }.items():
            stranger.post(path, fields | {"csrfmiddlewaretoken": token})
            assert stranger.status == 403, path
        assert events(cup) == before

    def test_a_guest_is_asked_to_sign_in_and_comes_back(self, visitor, cup):
        match = factories.match_number(cup, 1)
        guest = visitor().open("/accounts/login/")
        token = guest.form("/accounts/login/")["csrfmiddlewaretoken"]
        response = guest.client.post(f"/m/{match.pk}/start/", {"csrfmiddlewaretoken": token})
        assert response["Location"] == f"/accounts/login/?next=/m/{match.pk}/"

    def test_a_draft_cannot_be_found_through_its_forms(self, visitor):
        draft = factories.make_tournament()
        stranger = visitor(factories.make_user()).open("/me/")
        token = stranger.form("/accounts/logout/")["csrfmiddlewaretoken"]
        for path in (
            f"/t/{draft.pk}/manage/publish/",
            f"/t/{draft.pk}/register/",
            f"/t/{draft.pk}/manage/entrants/add/",
        ):
            stranger.post(path, {"csrfmiddlewaretoken": token, "names": "Eve"})
            assert stranger.status == 404, path

    def test_nobody_confirms_an_own_report(self, visitor, cup):
        match = factories.match_number(cup, 1)
        player = visitor(match.home.user).open(f"/m/{match.pk}/")
        player.send(f"/m/{match.pk}/report/", home_score=2, away_score=1)
        token = player.form(f"/m/{match.pk}/report/")["csrfmiddlewaretoken"]
        player.post(f"/m/{match.pk}/confirm/", {"csrfmiddlewaretoken": token})
        assert player.status == 409
        assert "You reported this result yourself" in player.sentence


class TestWhereAFormLeads:
    def test_back_to_the_page_it_stood_on(self, olivia, cup):
        match = factories.match_number(cup, 1)
        olivia.open(f"/t/{cup.pk}/manage/").send(f"/m/{match.pk}/start/")
        assert olivia.response.request["PATH_INFO"] == f"/t/{cup.pk}/manage/"
        olivia.open(f"/m/{match.pk}/").send(f"/m/{match.pk}/step/", step="away+")
        assert olivia.response.request["PATH_INFO"] == f"/m/{match.pk}/"

    @pytest.mark.parametrize(
        "elsewhere",
        ["https://evil.example/", "//evil.example/", "/\\evil.example/", "/admin/", "javascript:alert(1)", "/nowhere/"],
    )
    def test_never_to_another_site(self, olivia, cup, elsewhere):
        match = factories.match_number(cup, 1)
        fields = olivia.open(f"/m/{match.pk}/").form(f"/m/{match.pk}/start/") | {"next": elsewhere}
        response = olivia.client.post(f"/m/{match.pk}/start/", fields)
        assert response["Location"] == f"/m/{match.pk}/"


class TestTheRefereesWork:
    def test_a_step_never_goes_below_nothing(self, olivia, cup):
        match = factories.match_number(cup, 1)
        matches.start(Actor(olivia.user), match.pk)
        olivia.open(f"/m/{match.pk}/").send(f"/m/{match.pk}/step/", step="home-")
        match.refresh_from_db()
        assert match.home_score == 0

    def test_a_score_is_written_and_play_goes_on(self, olivia, cup):
        match = factories.match_number(cup, 1)
        matches.start(Actor(olivia.user), match.pk)
        olivia.open(f"/m/{match.pk}/")
        fields = olivia.form(f"/m/{match.pk}/finish/") | {"home_score": "12", "away_score": "11"}
        olivia.post(f"/m/{match.pk}/score/", fields)
        match.refresh_from_db()
        assert (match.state, match.home_score, match.away_score) == (MatchState.LIVE, 12, 11)

    def test_walkover_and_forfeit(self, olivia, cup):
        first = factories.match_number(cup, 1)
        olivia.open(f"/m/{first.pk}/").send(f"/m/{first.pk}/walkover/", side="home")
        first.refresh_from_db()
        assert first.winner == first.away
        second = factories.match_number(cup, 2)
        matches.start(Actor(olivia.user), second.pk)
        olivia.open(f"/m/{second.pk}/").send(f"/m/{second.pk}/forfeit/", side="away")
        second.refresh_from_db()
        assert second.winner == second.home
        assert "Forfeit" in olivia.open(f"/m/{second.pk}/").text

    def test_a_report_is_accepted(self, olivia, cup):
        match = factories.match_number(cup, 1)
        matches.report(Actor(match.home.user), match.pk, Score(3, 2))
        olivia.open(f"/t/{cup.pk}/manage/")
        assert f"{match.home.name} 3–2 {match.away.name}" in olivia.text
        olivia.send(f"/m/{match.pk}/finish/")
        match.refresh_from_db()
        assert (match.state, match.home_score) == (MatchState.COMPLETED, 3)

    def test_a_tap_gets_an_answer_in_json(self, olivia, cup):
        match = factories.match_number(cup, 1)
        matches.start(Actor(olivia.user), match.pk)
        path = f"/m/{match.pk}/step/"
        fields = olivia.open(f"/m/{match.pk}/").form(path) | {"step": "home+"}
        response = olivia.client.post(path, fields, headers={"Accept": "application/json"})
        assert response.json() == {"ok": True, "seq": Event.objects.latest("pk").seq, "said": "", "undo": ""}
        again = fields | {"command_id": "f" * 32}
        response = olivia.client.post(path, again, headers={"Accept": "application/json"})
        assert response.status_code == 409
        assert response.json()["message"].startswith("The match has changed")


class TestSeeds:
    @pytest.fixture
    def four(self, olivia):
        cup = factories.make_tournament(olivia.user)
        for name in "ABCD":
            entries.add(Actor(olivia.user), cup.pk, name=name)
        return cup

    def seed(self, olivia, cup, **fields):
        rows = {entry.name: entry.pk for entry in Entry.objects.filter(tournament=cup)}
        typed = {(f"seed__{rows[key]}" if key in rows else key): value for key, value in fields.items()}
        olivia.open(f"/t/{cup.pk}/manage/entrants/").send(f"/t/{cup.pk}/manage/entrants/seed/", **typed)
        return names_by_seed(cup)

    def test_by_numbers(self, olivia, four):
        assert self.seed(olivia, four, A=4, B=3, C=2, D=1) == ["D", "C", "B", "A"]

    def test_a_single_number_moves_one_entrant(self, olivia, four):
        assert self.seed(olivia, four, D=1) == ["D", "A", "B", "C"]
        assert self.seed(olivia, four, D=3) == ["A", "B", "D", "C"]

    def test_nonsense_leaves_an_entrant_where_it_is(self, olivia, four):
        assert self.seed(olivia, four, A="first", B="", C="1e9") == ["A", "B", "C", "D"]

    def test_a_place_up_or_down(self, olivia, four):
        rows = {entry.name: entry.pk for entry in Entry.objects.filter(tournament=four)}
        assert self.seed(olivia, four, move=f"up:{rows['C']}") == ["A", "C", "B", "D"]
        assert self.seed(olivia, four, move=f"down:{rows['D']}") == ["A", "C", "B", "D"]

    def test_a_draw_is_recorded_and_can_be_replayed(self, olivia, four):
        path = f"/t/{four.pk}/manage/entrants/"
        olivia.open(path).send(f"{path}draw/")
        drawn, number = names_by_seed(four), factories.fresh(four).draw_seed
        assert str(number) in olivia.text
        self.seed(olivia, four, A=1, B=2, C=3, D=4)
        olivia.open(path).send(f"{path}draw/", draw_seed=number)
        assert names_by_seed(four) == drawn
        olivia.open(path).send(f"{path}draw/", draw_seed="x")
        assert olivia.status == 400


class TestStaff:
    def test_somebody_joins_and_leaves(self, olivia, cup):
        rita = factories.make_user("rita")
        path = f"/t/{cup.pk}/manage/staff/"
        olivia.open(path).send(f"{path}add/", username="RITA", role="referee")
        assert Member.objects.get(tournament=cup, user=rita).role == Role.REFEREE
        olivia.send(f"{path}{rita.pk}/remove/")
        assert not Member.objects.filter(tournament=cup, user=rita).exists()

    def test_a_name_that_nobody_has(self, olivia, cup):
        path = f"/t/{cup.pk}/manage/staff/"
        olivia.open(path).send(f"{path}add/", username="nobody-at-all", role="organizer")
        assert olivia.status == 404
        assert "Nobody has this user name" in olivia.sentence
        assert olivia.form(f"{path}add/")["username"] == "nobody-at-all"

    def test_the_last_organiser_stays(self, olivia, cup):
        path = f"/t/{cup.pk}/manage/staff/"
        olivia.open(path).send(f"{path}{olivia.user.pk}/remove/")
        assert olivia.status == 409
        assert "A tournament needs an organiser." in olivia.sentence

    def test_who_leaves_goes_back_to_the_public_page(self, olivia, cup):
        other = factories.make_user("otto")
        tournaments.add_member(Actor(olivia.user), cup.pk, username="otto", role=Role.ORGANIZER)
        path = f"/t/{cup.pk}/manage/staff/"
        olivia.open(path).send(f"{path}{olivia.user.pk}/remove/")
        assert olivia.response.request["PATH_INFO"] == f"/t/{cup.pk}/"
        assert [m.user for m in Member.objects.filter(tournament=cup)] == [other]


class TestCheckIn:
    def test_the_staff_checks_in_and_takes_it_back(self, olivia):
        cup = factories.open_with_entries(2, olivia.user, check_in=True)
        entry = Entry.objects.filter(tournament=cup).first()
        path = f"/t/{cup.pk}/entries/{entry.pk}"
        olivia.open(f"/t/{cup.pk}/manage/entrants/").send(f"{path}/check-in/")
        assert Entry.objects.get(pk=entry.pk).checked_in_at
        assert "1 checked in" in olivia.text
        olivia.send(f"{path}/revert-check-in/")
        assert not Entry.objects.get(pk=entry.pk).checked_in_at
        olivia.send(f"{path}/withdraw/")
        assert Entry.objects.get(pk=entry.pk).status == EntryStatus.WITHDRAWN


def names_by_seed(cup) -> list[str]:
    return [entry.name for entry in Entry.objects.filter(tournament=cup).order_by("seed")]
