"""Every page, for everybody who may open it, and for those who may not."""

import json
import re

import pytest
from django.test import override_settings

from apps.accounts.models import User
from apps.tournaments.models import Match, Role, Status
from apps.tournaments.services import Actor, brackets, entries, matches, tournaments
from engine.match_flow import Score
from engine.stages import Format
from tests import factories

pytestmark = pytest.mark.django_db

TABS = ("", "bracket/", "matches/", "entrants/", "schedule/", "activity/")
CONSOLE = ("manage/", "manage/entrants/", "manage/schedule/", "manage/files/", "manage/settings/", "manage/staff/")
NASTY = ("<script>alert(1)</script>", "</script><b>", '"quoted" & <i>', "{{ t.name }}")


@pytest.fixture
def referee() -> User:
    return factories.make_user("rita")


@pytest.fixture
def cup(referee):
    """A tournament of five, its first match live."""
    cup = factories.drawn(5, accent="#0f9d58", description="Best of one.", game="Chess")
    tournaments.add_member(Actor(cup.created_by), cup.pk, username="rita", role=Role.REFEREE)
    first = factories.match_number(cup, 1)
    matches.start(Actor(cup.created_by), first.pk)
    matches.update_score(Actor(cup.created_by), first.pk, Score(2, 1))
    return factories.fresh(cup)


def player_of(cup) -> User:
    return factories.match_number(cup, 1).home.user


class TestEverybodyReads:
    def test_a_tournament_in_all_its_tabs(self, visitor, cup, referee):
        for person in (None, factories.make_user(), player_of(cup), referee, cup.created_by):
            for tab in TABS:
                page = visitor(person).open(f"/t/{cup.pk}/{tab}")
                assert page.response.status_code == 200, tab
                assert cup.name in page.text

    def test_a_match(self, visitor, cup, referee):
        match = factories.match_number(cup, 1)
        for person in (None, factories.make_user(), player_of(cup), referee, cup.created_by):
            page = visitor(person).open(f"/m/{match.pk}/")
            assert page.response.status_code == 200
            assert match.home.name in page.text
            assert f"{match.home.name} 2–1 {match.away.name}." in page.text

    def test_a_match_whose_entrants_are_still_to_come(self, visitor, cup):
        final = Match.objects.filter(tournament=cup).order_by("-number")[0]
        page = visitor().open(f"/m/{final.pk}/")
        assert "Winner of 2" in page.text
        assert "Winner of 3" in page.text

    def test_the_list_of_tournaments(self, visitor, cup):
        open_one = factories.open_registration(factories.make_tournament(name="Open Cup"))
        draft = factories.make_tournament(name="Secret Cup")
        page = visitor().open("/")
        assert page.text.index(cup.name) < page.text.index(open_one.name)
        assert "Secret Cup" not in page.text
        assert "Secret Cup" in visitor(draft.created_by).open("/").text

    def test_what_is_over(self, visitor):
        cup = factories.make_tournament(name="Called off")
        factories.publish(cup)
        tournaments.cancel(Actor(cup.created_by), cup.pk)
        assert "Called off" in visitor().open("/").text
        assert "Called off" in visitor().open("/finished/").text
        assert "cancelled" in visitor().open(f"/t/{cup.pk}/").text

    def test_empty_pages_say_what_comes(self, visitor):
        cup = factories.publish(factories.make_tournament())
        texts = [visitor().open(f"/t/{cup.pk}/{tab}").text for tab in TABS]
        for words, text in zip(
            (
                "not drawn yet",
                "not drawn yet",
                "no matches yet",
                "Nobody has entered yet",
                "Nothing is planned yet",
                "The tournament was published",
            ),
            texts,
            strict=True,
        ):
            assert words in text

    def test_the_account_pages(self, visitor):
        for path in ("login", "signup", "password/reset"):
            page = visitor().open(f"/accounts/{path}/")
            assert page.response.status_code == 200
            assert 'class="site"' in page.html
        user = factories.make_user(password=factories.PASSWORD)
        for path in ("logout", "password/change", "email", "sessions"):
            page = visitor(user).open(f"/accounts/{path}/")
            assert page.response.status_code == 200, path
            assert 'class="site"' in page.html

    def test_times_are_readable_in_utc(self, visitor):
        cup = factories.publish(factories.make_tournament(starts_at=factories.make_tournament().created_at))
        page = visitor().open(f"/t/{cup.pk}/")
        assert re.search(
            r'<time datetime="[^"]+Z" data-when="datetime">\w+ \d+ \w+ \d{4}, \d\d:\d\d UTC</time>', page.html
        )
        assert re.search(r"as of \d\d:\d\d:\d\d UTC , reload for news", page.text)


class TestTheConsole:
    def test_opens_for_the_organiser(self, visitor, cup):
        for tab in CONSOLE:
            assert visitor(cup.created_by).open(f"/t/{cup.pk}/{tab}").response.status_code == 200

    def test_shows_a_referee_what_a_referee_may_do(self, visitor, cup, referee):
        match = factories.match_number(cup, 1)
        page = visitor(referee).open(f"/t/{cup.pk}/manage/?match={match.pk}")
        assert page.has_form(f"/m/{match.pk}/step/")
        assert "Settings" not in page.text
        assert visitor(referee).open(f"/t/{cup.pk}/manage/settings/").response.status_code == 403
        assert visitor(referee).open(f"/t/{cup.pk}/manage/staff/").response.status_code == 403

    def test_is_closed_to_players_and_strangers(self, visitor, cup):
        for person in (player_of(cup), factories.make_user()):
            page = visitor(person).open(f"/t/{cup.pk}/manage/")
            assert page.response.status_code == 403
            assert "Only a referee or organiser of this tournament" in page.text

    def test_asks_a_guest_to_sign_in(self, visitor, cup):
        response = visitor().open(f"/t/{cup.pk}/manage/").response
        assert response.status_code == 302
        assert response["Location"] == f"/accounts/login/?next=/t/{cup.pk}/manage/"


class TestPrivatePages:
    def test_a_draft_does_not_exist_for_others(self, visitor):
        draft = factories.make_tournament(name="Secret Cup")
        for person in (None, factories.make_user()):
            for tab in (*TABS, "manage/"):
                page = visitor(person).open(f"/t/{draft.pk}/{tab}")
                assert page.response.status_code == 404
                assert "Secret Cup" not in page.html
        assert visitor(draft.created_by).open(f"/t/{draft.pk}/").response.status_code == 200

    def test_nothing_is_there_for_unknown_ids(self, visitor):
        for path in ("/t/999999/", "/m/999999/", "/nowhere/"):
            page = visitor().open(path)
            assert page.response.status_code == 404
            assert "There is nothing here" in page.text

    def test_ones_own_page_needs_somebody_signed_in(self, visitor):
        for path in ("/me/", "/new/"):
            assert visitor().open(path).response["Location"] == f"/accounts/login/?next={path}"

    def test_the_style_guide_is_for_development(self, visitor):
        assert visitor().open("/styleguide/").response.status_code == 404
        with override_settings(DEBUG=True):
            assert visitor().open("/styleguide/").response.status_code == 200

    def test_pages_that_hold_forms_are_not_posted_to(self, visitor, cup):
        person = visitor(cup.created_by).open(f"/t/{cup.pk}/manage/")
        token = person.form(f"/m/{factories.match_number(cup, 1).pk}/finish/")["csrfmiddlewaretoken"]
        person.post(f"/t/{cup.pk}/", {"csrfmiddlewaretoken": token})
        assert person.status == 405


class TestOnesOwnPage:
    def test_shows_the_next_match_and_its_one_action(self, visitor, cup):
        match = factories.match_number(cup, 1)
        page = visitor(match.home.user).open("/me/")
        assert f"You play {match.away.name}" in page.text
        assert page.has_form(f"/m/{match.pk}/report/")

    def test_says_what_is_waited_for(self, visitor):
        user = factories.make_user()
        assert "You have no match to play" in visitor(user).open("/me/").text
        cup = factories.open_with_entries(1)
        factories.enter(cup, user)
        page = visitor(user).open("/me/")
        assert cup.name in page.text
        assert "Your first match shows here when the bracket is drawn." in page.text
        assert [seat["room"] for seat in embedded(page.html, "rooms")] == [f"tournament:{cup.pk}"]

    def test_shows_everything_of_all_ones_tournaments_in_few_queries(self, visitor, django_assert_max_num_queries):
        user = factories.make_user()
        full = factories.open_with_entries(2, capacity=2)
        for _ in range(2):
            factories.enter(full, factories.make_user())
        factories.enter(full, user, "Me")
        league = factories.open_with_entries(3, format=Format.ROUND_ROBIN)
        factories.enter(league, user, "Me")
        factories.play(factories.draw(league), matches_at_most=4)
        cup = factories.open_with_entries(3, stage={"best_of": 3})
        factories.enter(cup, user, "Me")
        factories.draw(cup)
        swiss = factories.open_with_entries(4, format=Format.SWISS)
        factories.enter(swiss, user, "Me")
        factories.draw(swiss)
        final = factories.open_with_entries(2)
        factories.enter(final, user, "Me")
        factories.draw(final)
        over = factories.open_with_entries(1)
        factories.enter(over, user, "Me")
        factories.play(factories.draw(over))
        page = visitor(user)
        with django_assert_max_num_queries(12):
            page.open("/me/")
        assert "You are number 3 on the waitlist." in page.text
        assert re.search(r"Place \d of 4", page.text)
        assert "2–0" in page.text
        assert "2–1" in page.text
        assert "You have a bye in round 1." in page.text
        assert "You finished second." in page.text
        rooms = [seat["room"] for seat in embedded(page.html, "rooms")]
        assert rooms[0].startswith("match:")
        assert len(rooms) == len(set(rooms)) == 5

    def test_a_waitlist_place_and_a_standing_are_those_of_the_tournaments_page(self, visitor):
        user = factories.make_user()
        league = factories.open_with_entries(3, format=Format.ROUND_ROBIN)
        factories.enter(league, user, "Me")
        factories.play(factories.draw(league), matches_at_most=4)
        said = [re.search(r"Place \d of 4", visitor(user).open(path).text)[0] for path in ("/me/", f"/t/{league.pk}/")]
        assert said[0] == said[1]


class TestTheBracket:
    def test_has_every_match_once_and_draws_byes_as_passes(self, visitor, cup):
        html = visitor().open(f"/t/{cup.pk}/bracket/").html
        numbers = re.findall(r'class="match__no"[^>]*>(\d+)<', html)
        assert sorted(map(int, numbers)) == [1, 2, 3, 4, 5]
        assert html.count('class="pass"') == 3
        assert "Third place" in html
        assert [*re.findall(r'class="round__head">([^<]+)<', html)] == ["Quarter-finals", "Semi-finals", "Final"]

    @pytest.mark.parametrize("entrants", [2, 3, 8, 16, 33, 64, 128])
    def test_is_drawn_at_every_size(self, visitor, entrants):
        cup = factories.make_tournament(capacity=128)
        for n in range(entrants):
            entries.add(Actor(cup.created_by), cup.pk, name=f"Entrant {n}")
        factories.publish(cup)
        brackets.generate(Actor(cup.created_by), cup.pk)
        for view in ("", "?view=tv"):
            html = visitor().open(f"/t/{cup.pk}/bracket/{view}").html
            assert len(set(re.findall(r'data-match="(\d+)"', html))) > 0
        html = visitor().open(f"/t/{cup.pk}/bracket/").html
        assert len(re.findall(r'<article class="match"', html)) == Match.objects.filter(tournament=cup).count()

    def test_on_a_wall_has_no_chrome_but_the_chip(self, visitor, cup):
        html = visitor().open(f"/t/{cup.pk}/bracket/?view=tv").html
        assert 'class="tv"' in html
        assert 'class="tabs"' not in html
        assert 'class="foot"' not in html
        assert 'id="chip"' in html


class TestWhatPeopleWrote:
    @pytest.mark.parametrize("name", NASTY)
    def test_is_text_on_every_page_and_in_the_data_for_scripts(self, visitor, name):
        cup = factories.make_tournament(name=name, game=name[:60], description=name)
        for entrant in (name, "Somebody else"):
            entries.add(Actor(cup.created_by), cup.pk, name=entrant)
        factories.publish(cup)
        brackets.generate(Actor(cup.created_by), cup.pk)
        match = factories.match_number(cup, 1)
        matches.start(Actor(cup.created_by), match.pk)
        paths = ["/", *(f"/t/{cup.pk}/{tab}" for tab in (*TABS, *CONSOLE)), f"/m/{match.pk}/", "/me/"]
        for path in paths:
            page = visitor(cup.created_by).open(path)
            assert page.response.status_code == 200
            assert name not in page.html or not set(name) & set('<>&"')
        state = embedded(visitor().open(f"/t/{cup.pk}/").html, "state")
        assert name in {entry["name"] for entry in state["entries"].values()}

    def test_no_page_has_inline_code_or_styles(self, visitor, cup):
        for path in ("/", *(f"/t/{cup.pk}/{tab}" for tab in (*TABS, *CONSOLE)), "/me/", "/new/"):
            html = visitor(cup.created_by).open(path).html
            assert not re.search(r"\son\w+=|\sstyle=|javascript:|<style", html), path
            scripts = re.findall(r"<script[^>]*>", html)
            assert all('src="' in tag or 'type="application/json"' in tag for tag in scripts)


class TestWhatKeepsAPageCurrent:
    def test_state_and_position_are_of_the_same_moment_as_the_html(self, visitor, cup):
        page = visitor().open(f"/t/{cup.pk}/bracket/")
        where = embedded(page.html, "page")
        assert where["room"] == f"tournament:{cup.pk}"
        assert page.response["X-Position"] == f"{where['epoch']}:{where['seq']}"
        first = factories.match_number(cup, 1)
        assert embedded(page.html, "state")["matches"][str(first.pk)]["home_score"] == 2
        card = page.html.split(f'data-match="{first.pk}"')[1].split("</article>")[0]
        assert re.findall(r'class="side__score">(\d*)<', card) == ["2", "1"]

    def test_a_part_can_be_asked_for_alone(self, visitor, cup):
        for path, regions in {
            f"/t/{cup.pk}/": ("head", "mine", "tabs", "overview"),
            f"/t/{cup.pk}/bracket/": ("head", "bracket"),
            f"/t/{cup.pk}/activity/": ("activity",),
            f"/m/{factories.match_number(cup, 1).pk}/": ("panel", "history", "after"),
            f"/t/{cup.pk}/manage/": ("steps", "board"),
            "/": ("home",),
            "/me/": ("next",),
        }.items():
            whole = visitor(cup.created_by).open(path)
            for region in regions:
                assert f'data-region="{region}"' in whole.html
                part = visitor(cup.created_by).open(f"{path}?region={region}&seq=1")
                assert part.response.status_code == 200
                assert "<html" not in part.html
            assert "<html" in visitor(cup.created_by).open(f"{path}?region=nonsense").html

    def test_every_region_of_a_page_can_be_asked_for(self, visitor, cup):
        match = factories.match_number(cup, 1)
        for path in (*(f"/t/{cup.pk}/{tab}" for tab in (*TABS, *CONSOLE)), f"/m/{match.pk}/", "/", "/me/"):
            for region in re.findall(r'data-region="(\w+)"', visitor(cup.created_by).open(path).html):
                assert "<html" not in visitor(cup.created_by).open(f"{path}?region={region}").html, (path, region)


class TestQueries:
    def test_are_few_before_anybody_has_entered(self, visitor, django_assert_max_num_queries):
        """With entrants: test_formats.py."""
        cup = factories.open_registration(factories.make_tournament(capacity=128))
        for person in (None, factories.make_user(), cup.created_by):
            browser = visitor(person)
            for path in ("/", *(f"/t/{cup.pk}/{tab}" for tab in TABS)):
                with django_assert_max_num_queries(12):
                    browser.open(path)
                assert browser.response.status_code == 200


class TestErrors:
    def test_a_form_without_its_token_is_explained(self, visitor, cup):
        person = visitor(cup.created_by)
        person.post(f"/t/{cup.pk}/manage/cancel/", {})
        assert person.status == 403
        assert "The form has expired" in person.text
        assert factories.fresh(cup).status == Status.LIVE

    def test_a_mistake_of_ours_is_a_page_with_plain_words(self, client, monkeypatch, cup):
        assert client.get(f"/t/{cup.pk}/").status_code == 200  # loads the views, which take `visit` from one another
        monkeypatch.setattr("apps.web.views.tournaments.visit", lambda *_args, **_kwargs: 1 / 0)
        client.raise_request_exception = False
        response = client.get(f"/t/{cup.pk}/")
        assert response.status_code == 500
        assert "Something went wrong here" in response.content.decode()


class TestColours:
    def test_are_a_style_sheet(self, visitor):
        response = visitor().open("/accent/0f9d58-2f6fed.css").response
        assert response["Content-Type"] == "text/css"
        assert '[data-accent="#0f9d58"]{--accent-source:#0f9d58}' in response.content.decode()
        assert "immutable" in response["Cache-Control"]

    @pytest.mark.parametrize("colours", ["red", "0f9d5", "0f9d58-", "0f9d58}body{", "0F9D58"])
    def test_are_nothing_else(self, visitor, colours):
        assert visitor().open(f"/accent/{colours}.css").response.status_code == 404


def embedded(html: str, name: str):
    found = re.search(rf'<script id="{name}" type="application/json">(.*?)</script>', html, flags=re.DOTALL)
    assert found
    return json.loads(found.group(1))
