"""A veto on its pages, in a browser without scripts: what everybody sees, and what the buttons do."""

import re
from datetime import timedelta

import pytest

from apps.tournaments.models import Match
from apps.tournaments.services import Actor, tournaments, unit, veto
from tests import factories

pytestmark = pytest.mark.django_db

MAPS = ["Ascent", "Bind", "Haven"]
SCRIPT = "seed; 1 ban, 2 ban, decider, 2 side"


def match_of(**settings):
    chosen = {"pool": MAPS, "scripts": {"1": SCRIPT}, **settings}
    return factories.match_number(factories.drawn(2, stage={"veto": chosen}), 1)


@pytest.fixture
def match():
    return match_of()


def page(visitor, match, person):
    return visitor(person).open(f"/m/{match.pk}/")


def choices(seen) -> list[str]:
    return re.findall(r'<button class="veto__tile" name="option" value="([^"]+)"', seen.html)


def choose(visitor, match, person, option):
    action = f"/m/{match.pk}/veto/move/"
    return page(visitor, match, person).send(action, option=option)


class TestTheMatchPage:
    def test_two_captains_settle_the_map_without_scripts(self, visitor, match):
        home, away = match.home, match.away
        seen = page(visitor, match, home.user)
        assert "The better seed is 1. Then: 1 ban, 2 ban, decider, 2 side." in seen.text
        seen.send(f"/m/{match.pk}/veto/start/")
        assert "Your turn: ban one" in seen.text
        assert choices(seen) == MAPS
        assert f"{home.name} bans one" in page(visitor, match, away.user).text
        assert choices(page(visitor, match, away.user)) == []

        seen = choose(visitor, match, home.user, "Bind")
        assert f"{away.name} bans one" in seen.text
        assert f"Bind banned by {home.name}" in seen.text
        seen = choose(visitor, match, away.user, "Ascent")
        assert "Your turn: choose your side on Haven" in seen.text
        assert choices(seen) == ["Attack", "Defence"]
        seen = choose(visitor, match, away.user, "Defence")
        assert "This is what you play on" in seen.text
        for person in (None, home.user, away.user):
            text = page(visitor, match, person).text
            assert "Game 1: Haven (the decider)" in text
            assert f"{home.name} starts on Attack, {away.name} on Defence" in text
            assert f"{home.name} and {away.name} play Haven." in text, "the history says it too"

    def test_who_picked_is_said(self, visitor):
        match = match_of(scripts={"1": "seed; 1 ban, 2 pick"})
        veto.start(Actor(match.home.user), match.pk)
        choose(visitor, match, match.home.user, "Bind")
        seen = choose(visitor, match, match.away.user, "Haven")
        assert f"Game 1: Haven (picked by {match.away.name})" in seen.text

    def test_the_toss(self, visitor):
        match = match_of(scripts={"1": "1 ban, 2 ban, decider"})
        veto.start(Actor(match.home.user), match.pk)
        assert f"{match.away.name} calls the coin" in page(visitor, match, None).text
        assert choices(page(visitor, match, match.away.user)) == ["heads", "tails"]
        seen = choose(visitor, match, match.away.user, "tails")
        stands = Match.objects.get(pk=match.pk).veto
        first = match.home if stands["first"] == "home" else match.away
        assert f"{match.away.name} called tails, and it was {stands['coin']}: {first.name} goes first." in seen.text
        assert stands["seed_hash"] in seen.text
        assert "The seed is shown at the end." in seen.text

    def test_a_referee_chooses_for_the_other_and_takes_it_back(self, visitor, match):
        organizer = match.tournament.created_by
        veto.start(Actor(organizer), match.pk)
        seen = page(visitor, match, organizer)
        assert f"Veto, as a referee for {match.home.name}" in seen.text
        seen = choose(visitor, match, organizer, "Bind")
        assert f"as a referee for {match.away.name}" in seen.text
        seen.send(f"/m/{match.pk}/veto/reset/")
        assert "The veto was taken back." in seen.text
        assert seen.has_form(f"/m/{match.pk}/veto/start/")

    def test_who_may_not_act_sees_no_button(self, visitor, match):
        for person in (None, factories.make_user()):
            assert "veto/start" not in page(visitor, match, person).html
        veto.start(Actor(match.home.user), match.pk)
        for person in (None, factories.make_user(), match.away.user):
            html = page(visitor, match, person).html
            assert "veto/move" not in html
            assert "veto/reset" not in html

    def test_a_choice_from_an_old_page_is_refused_with_what_is_possible(self, visitor, match):
        veto.start(Actor(match.home.user), match.pk)
        old = page(visitor, match, match.home.user)
        choose(visitor, match, match.tournament.created_by, "Bind")
        old.send(f"/m/{match.pk}/veto/move/", option="Haven")
        assert old.status == 409
        assert "has changed since you looked at it" in old.sentence
        assert f"{match.away.name} bans one" in old.text

    def test_one_form_sent_twice_is_one_choice(self, visitor, match):
        veto.start(Actor(match.home.user), match.pk)
        seen = page(visitor, match, match.home.user)
        fields = seen.form(f"/m/{match.pk}/veto/move/") | {"option": "Bind"}
        for _ in range(2):
            seen.post(f"/m/{match.pk}/veto/move/", fields)
            assert seen.sentence == ""
        assert len(Match.objects.get(pk=match.pk).veto["moves"]) == 1

    def test_the_time_that_is_left(self, visitor, monkeypatch):
        match = match_of(seconds=45)
        before = unit.present() - timedelta(seconds=15)
        monkeypatch.setattr(unit, "present", lambda: before)
        veto.start(Actor(match.home.user), match.pk)
        seen = page(visitor, match, None)
        assert 25 <= int(re.search(r'data-left="(\d+)"', seen.html)[1]) <= 30
        assert re.search(r"until \d\d:\d\d:\d\d UTC , then chance chooses", seen.text)

    def test_no_pool_no_panel(self, visitor):
        match = factories.match_number(factories.drawn(2), 1)
        assert "Veto" not in page(visitor, match, match.home.user).text

    def test_an_unfinished_veto_is_not_shown_where_it_cannot_go_on(self, visitor, match):
        veto.start(Actor(match.home.user), match.pk)
        tournaments.cancel(Actor(match.tournament.created_by), match.tournament_id)
        seen = page(visitor, match, match.home.user)
        assert choices(seen) == []
        assert "The veto began" in seen.text

    def test_names_are_text(self, visitor):
        nasty = ["<script>alert(1)</script>", '"quoted" & <i>', "{{ t.name }}"]
        match = match_of(pool=nasty)
        veto.start(Actor(match.home.user), match.pk)
        seen = page(visitor, match, match.home.user)
        assert "<script>alert(1)" not in seen.html
        assert "<i>" not in seen.html
        assert "{{ t.name }}" in seen.html


class TestTheSettings:
    def address(self, match):
        return f"/t/{match.tournament_id}/manage/stages/{match.stage_id}/veto/save/"

    def settings(self, visitor, match):
        return visitor(match.tournament.created_by).open(f"/t/{match.tournament_id}/manage/settings/")

    def test_an_organiser_writes_the_pool_and_a_script(self, visitor):
        match = factories.match_number(factories.drawn(2, stage={"best_of_rounds": {"final": 3}}), 1)
        seen = self.settings(visitor, match)
        action = self.address(match)
        typed = {"pool": "Ascent\n\n Bind \nHaven", "script__3": "1 pick, 2 pick, decider", "seconds": 30}
        seen.send(action, **typed, side__1="CT", side__2="T")
        assert "Saved." in seen.text
        match.stage.refresh_from_db()
        chosen = match.stage.options.veto
        assert (chosen.pool, chosen.sides, chosen.seconds) == (MAPS, ["CT", "T"], 30)
        assert chosen.scripts == {"3": "1 pick, 2 pick, decider"}
        assert "Empty: 1 ban, 2 ban, decider" in seen.text, "the usual script of a best of one"
        assert seen.form(action)["pool"] == "Ascent\nBind\nHaven"
        seen.send(action, script__3="")
        match.stage.refresh_from_db()
        assert match.stage.options.veto.scripts == {}

    @pytest.mark.parametrize(
        ("typed", "sentence"),
        [
            ({"script__1": "1 ban, decider"}, "Add 1 ban."),
            ({"script__1": "1 ban, 9 ban"}, "Step 2 of the script is not one."),
            ({"pool": "Bind\nbind"}, "The pool: names 1 and 2 are the same."),
            ({"seconds": "soon"}, "whole number of seconds"),
            ({"side__2": ""}, "each name has 1 to 40 characters"),
        ],
    )
    def test_what_is_wrong_is_said_and_nothing_typed_is_lost(self, visitor, match, typed, sentence):
        seen = self.settings(visitor, match).send(self.address(match), **typed)
        assert seen.status == 400
        assert sentence in seen.sentence
        for name, text in typed.items():
            assert seen.form(self.address(match))[name.replace("__", "-")] == text
        match.stage.refresh_from_db()
        assert match.stage.options.veto.pool == MAPS

    def test_it_is_for_organisers(self, visitor, match):
        seen = page(visitor, match, match.home.user)
        seen.post(self.address(match), seen.form(f"/m/{match.pk}/veto/start/"))
        assert seen.status == 403
