"""The administration: all can be looked at by those who run the site, and next to nothing can be changed there."""

import re
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.core import serializers
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.eventlog.models import Event, Receipt, Stream
from apps.read_only import ReadOnlyAdmin
from apps.tournaments.models import Evidence, Rating, SearchWord, StaffLink, Station, Team, TeamMember, Tournament
from apps.tournaments.services import Actor, bans, matches, reopening, reports
from deltacrown.csp import HEADER
from engine.match_flow import Score
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("media")]

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
READ_ONLY = [model for model in MODELS if isinstance(admin.site._registry[model], ReadOnlyAdmin)]


def address(model: Any, page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def browser(user: User | None = None) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def known_session(user: User) -> UserSession:
    """Return a session as signing in on the site makes one."""
    key = factories.signed_in(user).session_key
    return UserSession.objects.create(user=user, ip="203.0.113.7", user_agent="Browser", session_key=key)


@pytest.fixture
def root() -> Client:
    return browser(factories.make_user("root", is_superuser=True))


@pytest.fixture
def cup() -> Tournament:
    return furnished()


def furnished() -> Tournament:
    """Return a tournament around which there are at least two rows of everything that the administration shows."""
    cup = factories.drawn(4, game="Chess", rated=True)
    by = Actor(cup.created_by)
    factories.play(cup, matches_at_most=2)
    for number in (1, 2):
        match = factories.match_number(cup, number)
        reopening.reopen(by, match.pk, token=reopening.preview(by, match.pk).token)
        match = factories.match_number(cup, number)
        matches.report(Actor(match.home.user), match.pk, Score(1, 0))
        matches.dispute(Actor(match.away.user), match.pk, cause="score", text="It was 0:1.")
        image = factories.add_image(match, match.away.user)
        reports.report_evidence(Actor(match.home.user), image.pk, reason="private")
        reports.report_entry(by, match.home_id, reason="offensive")
        bans.ban(by, cup.pk, username=factories.make_user().username)
        StaffLink.objects.create(
            tournament=cup, role=2, nonce=f"half of {number}", expires_at=timezone.now(), created_at=timezone.now()
        )
        Station.objects.create(tournament=cup, name=f"Table {number}")
        team = Team.objects.create(name=f"Team {cup.pk} {number}", captain=match.home.user, created_at=timezone.now())
        reports.report_team(by, team.pk, reason="spam")
        TeamMember.objects.create(team=team, user=match.home.user, joined_at=timezone.now())
        Rating.objects.create(game=f"Go {number}", team=team, mu=25, sigma=8, matches=1)
        known_session(match.home.user)
        match.home.user.emailaddress_set.create(email=match.home.user.email, primary=True)
        match.home.user.socialaccount_set.create(provider="discord", uid=str(match.pk))
        Group.objects.create(name=f"Group {cup.pk} {number}")
    return cup


class TestLooking:
    def test_lists_and_rows_open_for_superusers_under_the_policy(self, cup, root):
        for model in MODELS:
            row = model.objects.order_by("pk").last()
            for path in (address(model, "changelist"), address(model, "change", row.pk)):
                page = root.get(path)
                assert page.status_code == 200, path
                assert "default-src 'self'" in page[HEADER]
                html = page.content.decode()
                assert not re.search(r"\son\w+=|\sstyle=|javascript:|<style", html), path
                scripts = re.findall(r"<script[^>]*>", html)
                assert all('src="' in tag or 'type="application/json"' in tag for tag in scripts), path

    def test_a_list_takes_as_many_queries_for_many_rows_as_for_few(self, cup, root):
        def count() -> dict[str, int]:
            counted = {}
            for model in MODELS:
                with CaptureQueriesContext(connection) as queries:
                    root.get(address(model, "changelist"))
                counted[model.__name__] = len(queries)
            return counted

        count()  # content types are asked for once
        few = count()
        furnished()
        assert count() == few

    def test_nobody_else_sees_them(self, cup):
        people = [cup.entries.first().user, cup.created_by, factories.make_user(is_staff=True)]
        for model in MODELS:
            row = model.objects.order_by("pk").last()
            for path in (address(model, "changelist"), address(model, "change", row.pk)):
                answer = browser().get(path, follow=True)
                assert answer.redirect_chain[-1][0].startswith("/accounts/login/?next="), path
        for client in map(browser, people):
            for model in MODELS:
                row = model.objects.order_by("pk").last()
                for path in (address(model, "changelist"), address(model, "change", row.pk)):
                    assert client.get(path, follow=True).status_code == 403, path

    def test_staff_sees_what_it_was_given(self, cup):
        helper = factories.make_user(is_staff=True)
        helper.user_permissions.add(Permission.objects.get(codename="view_match"))
        match = cup.matches.first()
        assert browser(helper).get(address(type(match), "change", match.pk)).status_code == 200
        assert browser(helper).get(address(Event, "changelist")).status_code == 403

    def test_what_somebody_asked_for_and_the_keys_of_sessions_are_not_shown(self, cup, root):
        assert Receipt not in admin.site._registry
        known = known_session(cup.created_by)
        pages = (address(UserSession, "changelist"), address(UserSession, "change", known.pk))
        assert not any(known.session_key in root.get(path).content.decode() for path in pages)

    @pytest.mark.parametrize(
        ("path", "found"),
        [
            ("/admin/accounts/user/?q=sought", "sought@example.test"),
            ("/admin/accounts/user/?q=sought@example", "sought@example.test"),
            ("/admin/tournaments/tournament/?q=The+sought", "The sought cup"),
            ("/admin/tournaments/entry/?q=sought", "The sought cup"),
        ],
    )
    def test_finds_people_and_what_they_play_in(self, cup, root, path, found):
        sought = factories.make_user("sought")
        theirs = factories.open_registration(factories.make_tournament(name="The sought cup"))
        factories.enter(theirs, sought)
        assert found in root.get(path).content.decode()
        assert "0 results" in root.get(path.replace("sought", "nothing")).content.decode()

    def test_leads_to_the_pages_on_which_things_are_changed(self, cup, root):
        for row in (cup, cup.matches.first(), cup.entries.first(), Evidence.objects.first()):
            for path in (address(type(row), "changelist"), address(type(row), "change", row.pk)):
                assert f'href="/t/{cup.pk}/manage/"' in root.get(path).content.decode()


class TestChanging:
    def test_a_row_that_is_for_looking_stays_as_it_is_whatever_is_sent(self, cup, root):
        def everything() -> str:
            return "\n".join(serializers.serialize("json", model.objects.order_by("pk")) for model in READ_ONLY)

        before = everything()
        for model in READ_ONLY:
            row = model.objects.order_by("pk").last()
            fields = {field.name: "1" for field in model._meta.concrete_fields}
            assert root.post(address(model, "change", row.pk), fields).status_code == 403, model
            assert root.post(address(model, "add"), fields).status_code == 403, model
            assert root.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403, model
            chosen = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
            root.post(address(model, "changelist"), chosen)
        assert everything() == before

    def test_everything_of_a_tournament_and_the_log_is_for_looking(self):
        ours = {model for model in MODELS if model._meta.app_label in ("tournaments", "eventlog")}
        assert ours <= set(READ_ONLY)
        assert ours == {Event, Stream, *apps.get_app_config("tournaments").get_models()} - {SearchWord}  # an index

    def test_a_name_that_stands_in_states_and_an_account_that_rows_refer_to_stay(self, root):
        user = factories.make_user("ann")
        form = {"username": "eve", "email": "eve@example.test", "is_active": "on", "first_name": "Ann"}
        assert root.post(address(User, "change", user.pk), form).status_code == 302
        assert root.post(address(User, "delete", user.pk), {"post": "yes"}).status_code == 403
        user.refresh_from_db()
        assert (user.username, user.email, user.first_name) == ("ann", "ann@example.test", "Ann")

    def test_who_is_no_superuser_gives_no_rights_and_touches_no_superuser(self):
        helper, boss, user = (
            factories.make_user(is_staff=True),
            factories.make_user(is_superuser=True),
            factories.make_user(),
        )
        helper.user_permissions.add(*Permission.objects.filter(codename__in=("view_user", "change_user")))
        form = {"is_active": "on", "is_staff": "on", "is_superuser": "on", "first_name": "Ann"}
        assert browser(helper).post(address(User, "change", user.pk), form).status_code == 302
        assert browser(helper).post(address(User, "change", boss.pk), {}).status_code == 403
        assert browser(helper).get(f"/admin/accounts/user/{boss.pk}/password/").status_code == 403
        browser(helper).post(address(User, "changelist"), {"action": "block", "_selected_action": [boss.pk]})
        user.refresh_from_db()
        boss.refresh_from_db()
        assert (user.first_name, user.is_staff, user.is_superuser) == ("Ann", False, False)
        assert boss.is_active


class TestTheDoor:
    def test_is_the_site_s_own(self, client):
        for path in ("/admin/", "/admin/login/"):
            assert client.get(path, follow=True).redirect_chain[-1][0] == "/accounts/login/?next=/admin/"
        sent = client.post("/admin/login/", {"username": "root", "password": "x"})
        assert (sent.status_code, sent["Location"]) == (302, "/accounts/login/?next=/admin/")

    def test_signs_out_and_changes_passwords_there(self, root):
        assert root.get("/admin/password_change/")["Location"] == "/accounts/password/change/"
        root.post("/admin/logout/")
        assert root.get("/admin/").status_code == 302

    def test_static_files_of_the_administration_are_served(self, root):
        html = root.get("/admin/").content.decode()
        files = re.findall(r'(?:href|src)="(/static/[^"]+)"', html)
        assert files
        assert {root.get(file).status_code for file in files} == {200}
