"""The console without scripts: the steps to a page, the board and the match beside it, the staff by link, the feed."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.eventlog.models import Event
from apps.tournaments.models import EntryStatus, Role, StaffLink, Tournament
from apps.tournaments.services import Actor, deadlines, entries, matches, notices, staff_links, tournaments
from engine.match_flow import Score
from engine.stages import Format
from tests import factories

pytestmark = pytest.mark.django_db

NAMES = ["Ada", "Grace", "Edsger", "Barbara", "Donald"]


@pytest.fixture
def olivia(visitor):
    return visitor(factories.make_user("olivia"))


@pytest.fixture
def cup(olivia):
    return factories.drawn(4, olivia.user, format=Format.DOUBLE_ELIMINATION)


class TestFromAnIdeaToAPage:
    def test_enter_four_times_publishes_and_opens_registration(self, olivia):
        olivia.open("/new/").send("/new/create/")
        cup = Tournament.objects.get()
        base = f"/t/{cup.pk}/setup"
        olivia.send(f"{base}/format/save/").send(f"{base}/entrants/save/").send(f"{base}/publish/now/")
        assert "Published, and people can sign up." in olivia.text
        assert cup.name.startswith("olivia’s cup")
        assert factories.fresh(cup).status == "registration_open"

    def test_with_a_list_the_places_grow_and_nobody_signs_up(self, olivia):
        cup = factories.make_tournament(olivia.user, capacity=2)
        base = f"/t/{cup.pk}/setup"
        save = f"{base}/entrants/save/"
        pasted = "\n".join(f"{number}. {name}" for number, name in enumerate([*NAMES, "Ada"], start=1))
        fields = olivia.open(f"{base}/entrants/").form(save) | {"list": pasted}
        del fields["signup"]
        olivia.post(save, fields)
        assert olivia.status == 200
        assert "5 entrants understood" in olivia.text
        assert "is on the list twice" in olivia.text
        assert not cup.entries.exists()
        olivia.send(save)
        assert "5 entrants added." in olivia.text
        assert not olivia.form(f"{base}/publish/now/").get("signup")
        olivia.send(f"{base}/publish/now/")
        cup = factories.fresh(cup)
        assert (cup.status, cup.capacity) == ("published", 5)
        assert list(cup.entries.order_by("seed").values_list("name", "status")) == [(n, "confirmed") for n in NAMES]

    def test_a_list_that_was_changed_after_it_was_shown_is_shown_again(self, olivia):
        cup = factories.make_tournament(olivia.user)
        save = f"/t/{cup.pk}/setup/entrants/save/"
        olivia.open(f"/t/{cup.pk}/setup/entrants/").send(save, list="Ada\nGrace")
        olivia.send(save, list="Ada\nGrace\nEdsger")
        assert "3 entrants understood" in olivia.text
        assert not cup.entries.exists()

    def test_the_picture_says_what_a_format_comes_to(self, olivia):
        cup = factories.make_tournament(olivia.user)
        text = olivia.open(f"/t/{cup.pk}/setup/format/?capacity=16&stations=4&minutes=30&best_of=1").text
        assert "30 or 31 matches , 4 upper and 6 lower rounds, then the grand final. Everybody plays 2 to 8" in text
        assert "About 2 h 30 min at 4 stations" in text
        assert "15 rounds" in text

    def test_a_mistake_loses_nothing_and_the_steps_can_be_gone_back(self, olivia):
        cup = factories.make_tournament(olivia.user)
        save = f"/t/{cup.pk}/setup/format/save/"
        olivia.open(f"/t/{cup.pk}/setup/format/").send(save, format="swiss", best_of=4, stations=7, capacity=1)
        assert olivia.status == 400
        assert olivia.form(save)["stations"] == "7"
        assert olivia.form(save)["format"] == "swiss"
        olivia.send(save, format="double_elimination", best_of=3, best_of_final=5, capacity=8)
        stage = cup.stages.get()
        assert (stage.format, stage.options.best_of, stage.options.best_of_rounds) == (
            "double_elimination",
            3,
            {"final": 5},
        )
        olivia.open(f"/t/{cup.pk}/setup/name/").send(f"/t/{cup.pk}/setup/name/save/", name="Other")
        assert factories.fresh(cup).name == "Other"

    def test_the_steps_are_for_organisers(self, visitor, olivia):
        cup = factories.make_tournament(olivia.user)
        rita = factories.make_user("rita")
        tournaments.add_member(Actor(olivia.user), cup.pk, username="rita", role=Role.REFEREE)
        for step in ("name", "format", "entrants", "publish"):
            assert visitor(rita).open(f"/t/{cup.pk}/setup/{step}/").response.status_code == 403
            assert visitor(factories.make_user()).open(f"/t/{cup.pk}/setup/{step}/").response.status_code == 404


class TestTheBoard:
    def test_the_worst_comes_first(self, olivia):
        cup = factories.drawn(16, olivia.user)
        by = Actor(olivia.user)
        one, two, three, four, *_ = cup.matches.order_by("number")
        reported = factories.match_number(cup, one.number)
        matches.report(Actor(reported.home.user), one.pk, Score(1, 0))
        disputed = factories.match_number(cup, two.number)
        matches.report(Actor(disputed.home.user), two.pk, Score(1, 0))
        matches.report(Actor(disputed.away.user), two.pk, Score(0, 1))
        matches.start(by, three.pk)
        cup.matches.filter(pk=four.pk).update(scheduled_at=timezone.now() - timedelta(minutes=12))
        html = olivia.open(f"/t/{cup.pk}/manage/").html
        assert re.findall(r'data-queue="(\w+)"', html) == ["disputed", "confirm", "late", "now", "next"]
        assert "12 min late" in olivia.text

    def test_a_result_is_entered_in_one_step_and_its_toast_takes_it_back(self, olivia, cup):
        match = factories.match_number(cup, 1)
        finish = f"/m/{match.pk}/finish/"
        olivia.open(f"/t/{cup.pk}/manage/").send(finish, home_score=2, away_score=1)
        assert olivia.response.request["PATH_INFO"] == f"/t/{cup.pk}/manage/"
        match.refresh_from_db()
        assert match.state == "completed"
        olivia.send(f"/m/{match.pk}/take-back/")
        match.refresh_from_db()
        assert match.state == "ready"
        undo = re.search(r'action="(/m/\d+/reopenings/\d+/undo/)"', olivia.html)[1]
        olivia.send(undo)
        match.refresh_from_db()
        assert match.state == "completed"

    def test_a_level_score_is_refused_and_stays_typed(self, olivia, cup):
        match = factories.match_number(cup, 1)
        olivia.open(f"/t/{cup.pk}/manage/").send(f"/m/{match.pk}/finish/", home_score=2, away_score=2)
        assert olivia.status == 400
        assert "is level" in olivia.sentence
        assert olivia.form(f"/m/{match.pk}/finish/")["home_score"] == "2"

    def test_what_would_undo_others_is_shown_first(self, olivia, cup):
        factories.play(cup)
        match = factories.match_number(cup, 1)
        olivia.open(f"/t/{cup.pk}/manage/?match={match.pk}").send(f"/m/{match.pk}/take-back/")
        assert olivia.response.request["PATH_INFO"] == f"/m/{match.pk}/reopen/"
        assert "Other matches would lose their results by it." in olivia.text
        match.refresh_from_db()
        assert match.state == "completed"
        marks = re.findall(r'data-mark="(\w+)"', olivia.html)
        told = olivia.html[olivia.html.index("Results and scores that are lost") :]
        assert marks.count("voided") == told[: told.index("</ul>")].count("<li")
        assert "loses its result" in olivia.text

    @pytest.mark.parametrize("page", ["", "bracket/"])
    def test_a_match_beside_it_has_all_that_can_be_done(self, olivia, cup, page):
        match = factories.match_number(cup, 1)
        olivia.open(f"/t/{cup.pk}/manage/{page}?match={match.pk}")
        for action in ("start", "walkover", "forfeit", "call", "schedule"):
            assert olivia.has_form(f"/m/{match.pk}/{action}/"), action
        olivia.send(f"/m/{match.pk}/start/")
        assert olivia.response.request["QUERY_STRING"] == f"match={match.pk}"
        assert olivia.has_form(f"/m/{match.pk}/step/")

    def test_a_match_of_another_tournament_is_not_beside_it(self, olivia, cup):
        other = factories.match_number(factories.drawn(2), 1)
        assert "Choose a match" in olivia.open(f"/t/{cup.pk}/manage/?match={other.pk}").text

    def test_pages_cost_the_same_for_a_large_bracket(self, olivia, django_assert_max_num_queries):
        large = factories.drawn(32, olivia.user, capacity=32, format=Format.DOUBLE_ELIMINATION)
        factories.play(large, matches_at_most=20)
        match = factories.match_number(large, 1)
        for path in (
            "manage/",
            f"manage/?match={match.pk}",
            f"manage/bracket/?match={match.pk}",
            "manage/staff/",
            "activity/?what=results&entrant=user",
        ):
            with django_assert_max_num_queries(14):  # two are the session's and its user's
                olivia.open(f"/t/{large.pk}/{path}")
            assert olivia.response.status_code == 200


class TestAnnouncements:
    def test_one_stands_on_every_page_until_it_is_taken_down(self, olivia, visitor, cup):
        match = factories.match_number(cup, 1)
        olivia.open(f"/t/{cup.pk}/manage/").send(f"/t/{cup.pk}/manage/announce/", text="Lunch <b>at one</b>.")
        guest = visitor()
        for path in (f"/t/{cup.pk}/", f"/t/{cup.pk}/bracket/", f"/m/{match.pk}/"):
            assert "Lunch &lt;b&gt;at one&lt;/b&gt;." in guest.open(path).html
        assert guest.open(f"/t/{cup.pk}/?region=notices").html.count("notice__text") == 1
        assert "Announced: “Lunch" in guest.open(f"/t/{cup.pk}/activity/").text
        olivia.send(f"/t/{cup.pk}/manage/announcements/1/take-down/")
        assert "notice__text" not in guest.open(f"/t/{cup.pk}/").html
        assert "Announced: “Lunch" not in guest.open(f"/t/{cup.pk}/").html.split("feed")[0]


class TestStaffByLink:
    def test_it_is_made_shown_taken_and_revoked(self, olivia, visitor, cup):
        base = f"/t/{cup.pk}/manage/staff/"
        olivia.open(base).send(f"{base}links/make/", role="referee", uses=2, hours=24)
        link = StaffLink.objects.get()
        assert f"/join/{link.token}/" in olivia.html
        rita = visitor(factories.make_user("rita"))
        rita.open(f"/join/{link.token}/")
        assert "olivia invites you." in rita.text
        assert link.used == 0
        rita.send(f"/join/{link.token}/take/")
        assert rita.response.request["PATH_INFO"] == f"/t/{cup.pk}/manage/"
        olivia.open(base)
        assert "rita" in olivia.text
        olivia.send(f"{base}links/{link.pk}/revoke/")
        late = visitor(factories.make_user()).open(f"/join/{link.token}/")
        assert "This invitation was taken back." in late.text
        assert not late.has_form(f"/join/{link.token}/take/")
        assert "See that you have the whole link." in visitor(rita.user).open(f"/join/{link.token[:-1]}/").text

    def test_a_guest_comes_back_to_it_after_signing_in(self, visitor, cup):
        staff_links.make(Actor(cup.created_by), cup.pk, role=Role.REFEREE)
        token = StaffLink.objects.get().token
        assert visitor().open(f"/join/{token}/").response["Location"] == f"/accounts/login/?next=/join/{token}/"
        assert visitor(factories.make_user()).open(f"/join/{token[:-1]}0x/").response.status_code == 404


class TestReinstating:
    def test_the_toast_after_a_disqualification_takes_it_back(self, olivia, cup):
        entry = cup.entries.first()
        olivia.open(f"/t/{cup.pk}/entries/{entry.pk}/").send(f"/t/{cup.pk}/entries/{entry.pk}/disqualify/")
        olivia.send(f"/t/{cup.pk}/entries/{entry.pk}/reinstate/")
        assert "Takes part again." in olivia.text
        entry.refresh_from_db()
        assert entry.status == EntryStatus.CONFIRMED

    def test_a_player_who_withdraws_is_not_offered_the_staffs_way_back(self, visitor):
        cup = factories.open_with_entries(2)
        entry = cup.entries.select_related("user").first()
        player = visitor(entry.user).open(f"/t/{cup.pk}/").send(f"/t/{cup.pk}/entries/{entry.pk}/withdraw/")
        assert "Withdrawn." in player.text
        assert not player.has_form(f"/t/{cup.pk}/entries/{entry.pk}/reinstate/")


class TestTheFeed:
    def test_filters_by_what_who_match_and_entrant(self, olivia, visitor, cup):
        first = factories.match_number(cup, 1)
        matches.report(Actor(first.home.user), first.pk, Score(1, 0))
        deadlines.sweep(timezone.now() + timedelta(hours=1))
        notices.announce(Actor(olivia.user), cup.pk, text="Lunch.")
        path = f"/t/{cup.pk}/activity/"
        text = olivia.open(f"{path}?what=announcements").text
        assert "Announced" in text
        assert "won:" not in text
        assert "by the clock" in olivia.open(f"{path}?by=clock").text
        assert "entered." not in olivia.text
        assert f"{first.home.name} reported" in olivia.open(f"{path}?by=user:{first.home.user_id}").text
        assert "Announced" not in olivia.text
        about = olivia.open(f"{path}?match=1").text
        assert "is ready" in about or "reported" in about
        assert "Announced" not in about
        name = first.home.name
        assert f"{name} entered." in olivia.open(f"{path}?entrant={name.upper()}").text
        guest = visitor().open(f"{path}?by=user:{olivia.user.pk}")
        assert "Everybody" not in guest.text  # who did it is for the staff, and so is asking
        assert "entered." in guest.text

    def test_pages_back_without_an_end_and_keeps_the_filter(self, olivia):
        cup = factories.open_with_entries(0, olivia.user, capacity=128)
        for number in range(130):
            entries.add(Actor(olivia.user), cup.pk, name=f"Entrant {number}")
        seen = 0
        olivia.open(f"/t/{cup.pk}/activity/?what=entrants")
        while True:
            seen += olivia.html.count("feed__at")
            older = re.search(r'href="(\?what=entrants&amp;before=\d+)"', olivia.html)
            if older is None:
                break
            olivia.open(f"/t/{cup.pk}/activity/{older[1].replace('&amp;', '&')}")
        assert seen == Event.objects.filter(type__startswith="registration_").count() == 131

    @pytest.mark.parametrize(
        "query", ["?what=x", "?by=user:x", "?match=-1", "?before=x", "?match=999999999999", "?by="]
    )
    def test_an_address_that_means_nothing_shows_everything(self, olivia, cup, query):
        assert "was created" in olivia.open(f"/t/{cup.pk}/activity/{query}").text
