"""Who is asking, and who may do what."""

import pytest
from django.test import Client

from apps.tournaments.models import Entry, Member, Role, Tournament
from tests.factories import PASSWORD, drawn, enter, make_tournament, make_user, open_registration, open_with_entries
from tests.integration.api.client import Person, ok, refused, sign_in

pytestmark = pytest.mark.django_db


def staff(cup, role):
    user = make_user()
    Member.objects.create(tournament=cup, user=user, role=role)
    return user


class TestAccessToken:
    def test_opens_what_needs_a_sign_in(self):
        user = make_user(password=PASSWORD)
        assert ok(Person(token=sign_in(user)["access_token"]).get("/me"))["username"] == user.username

    @pytest.mark.parametrize("token", ["x", "a.b.c", "é", "e30.e30.", "." * 5000, " "])
    @pytest.mark.parametrize("path", ["/me", "/tournaments"])
    def test_one_that_does_not_hold_is_refused_even_where_nobody_needs_one(self, token, path):
        answer = Client(headers={"Authorization": f"Bearer {token}"}).get(f"/api/v1{path}")
        refused(answer, 401, "authentication_required")
        assert answer["WWW-Authenticate"] == 'Bearer error="invalid_token"'

    def test_a_refresh_token_is_none(self):
        token = sign_in(make_user(password=PASSWORD))["refresh_token"]
        refused(Person(token=token).get("/tournaments"), 401, "authentication_required")

    def test_needs_no_csrf_token(self):
        token = sign_in(make_user(password=PASSWORD))["access_token"]
        client = Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {token}"})
        answer = client.post("/api/v1/tournaments", {"name": "Cup"}, content_type="application/json")
        assert answer.status_code == 201

    def test_counts_before_the_cookie(self):
        ann, bob = make_user(password=PASSWORD), make_user()
        both = Person(bob, token=sign_in(ann)["access_token"])
        assert ok(both.get("/me"))["username"] == ann.username

    def test_another_scheme_is_not_ours(self):
        answer = Client(headers={"Authorization": "Basic dXNlcjpwYXNz"}).get("/api/v1/tournaments")
        assert answer.status_code == 200


class TestCookie:
    def client(self, user):
        client = Client(enforce_csrf_checks=True)
        client.force_login(user)
        return client

    def test_may_read_as_it_is(self):
        assert self.client(make_user()).get("/api/v1/me").status_code == 200

    def test_changes_nothing_without_a_csrf_token(self):
        client = self.client(make_user())
        answer = client.post("/api/v1/tournaments", {"name": "Cup"}, content_type="application/json")
        refused(answer, 403, "forbidden")
        assert not Tournament.objects.exists()

    def test_changes_things_with_the_token_of_a_page(self):
        client = self.client(make_user())
        client.get("/api/v1/docs")
        answer = client.post(
            "/api/v1/tournaments",
            {"name": "Cup"},
            content_type="application/json",
            headers={"X-CSRFToken": client.cookies["csrftoken"].value},
        )
        assert answer.status_code == 201

    def test_of_a_blocked_account_is_none(self):
        user = make_user()
        person = Person(user)
        user.is_active = False
        user.save()
        refused(person.get("/me"), 401, "authentication_required")


class TestDrafts:
    """A draft exists for its staff alone; for anybody else it is not there, in any list and at any address."""

    @pytest.fixture
    def cup(self):
        return make_tournament()

    @pytest.fixture(params=["guest", "user"])
    def stranger(self, request):
        return Person(make_user() if request.param == "user" else None)

    @pytest.mark.parametrize("part", ["", "/snapshot", "/events", "/entries", "/matches"])
    def test_hidden_at_every_address(self, cup, stranger, part):
        refused(stranger.get(f"/tournaments/{cup.pk}{part}"), 404, "not_found")

    def test_hidden_in_lists(self, cup, stranger):
        assert ok(stranger.get("/tournaments")) == {"items": [], "count": 0}
        assert ok(stranger.get("/tournaments", status="draft")) == {"items": [], "count": 0}

    def test_its_room_has_no_token(self, cup, stranger):
        refused(stranger.post("/realtime/token", {"room": f"tournament:{cup.pk}"}), 404, "not_found")

    def test_commands_on_it_find_nothing(self, cup):
        stranger = Person(make_user())
        for step in ("publish", "entries", "bracket", "seeds"):
            refused(stranger.post(f"/tournaments/{cup.pk}/{step}"), 404, "not_found")
        refused(stranger.get(f"/tournaments/{cup.pk}/members"), 404, "not_found")

    def test_looks_the_same_as_one_that_was_never_made(self, cup, stranger):
        assert stranger.get(f"/tournaments/{cup.pk}").content == stranger.get("/tournaments/987654").content

    @pytest.mark.parametrize("part", ["", "/snapshot", "/events", "/entries", "/matches", "/members"])
    @pytest.mark.parametrize("role", [Role.REFEREE, Role.ORGANIZER])
    def test_open_to_its_staff(self, cup, part, role):
        assert Person(staff(cup, role)).get(f"/tournaments/{cup.pk}{part}").status_code == 200

    def test_open_to_an_administrator(self, cup):
        admin = Person(make_user(is_superuser=True))
        assert ok(admin.get(f"/tournaments/{cup.pk}"))["role"] == "admin"
        assert ok(admin.get("/tournaments"))["count"] == 1


class TestRoles:
    """Each operation with the least role that may use it, and everybody below."""

    ORGANIZER = [
        ("patch", "", {}),
        ("post", "/publish", None),
        ("post", "/open-registration", None),
        ("post", "/close-registration", None),
        ("post", "/cancel", None),
        ("post", "/seeds", None),
        ("post", "/bracket", None),
        ("post", "/entries/by-name", {"name": "New"}),
        ("put", "/members/somebody", {"role": "referee"}),
        ("delete", "/members/somebody", None),
    ]
    REFEREE = [
        ("post", "/start", None),
        ("put", "/score", {"home_score": 1, "away_score": 0}),
        ("post", "/complete", None),
        ("post", "/walkover", {"winner": "home"}),
        ("post", "/forfeit", {"loser": "home"}),
    ]

    @pytest.fixture
    def cup(self):
        return drawn(2)

    @pytest.fixture
    def match(self, cup):
        return cup.matches.select_related("home__user", "away__user").get()

    @pytest.fixture(params=["guest", "user", "player", "referee", "organizer", "admin"])
    def who(self, request, cup, match):
        users = {
            "guest": lambda: None,
            "user": make_user,
            "player": lambda: match.home.user,
            "referee": lambda: staff(cup, Role.REFEREE),
            "organizer": lambda: staff(cup, Role.ORGANIZER),
            "admin": lambda: make_user(is_superuser=True),
        }
        person = Person(users[request.param]())
        person.name = request.param
        return person

    def expect(self, answer, who, allowed):
        if who.name == "guest":
            refused(answer, 401, "authentication_required")
        elif who.name not in allowed:
            refused(answer, 403, "permission_denied")
        else:
            # The state of the match or tournament may still forbid it, which only who is allowed to act gets told.
            assert answer.status_code in (200, 201, 409), answer.content

    @pytest.mark.parametrize(("method", "part", "body"), ORGANIZER)
    def test_organisers_run_the_tournament(self, cup, who, method, part, body):
        make_user("somebody")
        path = f"/tournaments/{cup.pk}{part}"
        send = getattr(who, method)
        answer = send(path) if method == "delete" else send(path, body)
        if method == "delete" and who.name in ("organizer", "admin"):
            refused(answer, 404, "not_found")
        else:
            self.expect(answer, who, {"organizer", "admin"})

    @pytest.mark.parametrize(("method", "part", "body"), REFEREE)
    def test_referees_decide_matches(self, match, who, method, part, body):
        answer = getattr(who, method)(f"/matches/{match.pk}{part}", body)
        self.expect(answer, who, {"referee", "organizer", "admin"})

    def test_only_players_report_their_own_match(self, match, who):
        answer = who.post(f"/matches/{match.pk}/report", {"home_score": 2, "away_score": 0})
        self.expect(answer, who, {"player"})

    def test_only_players_confirm_their_own_match(self, match, who):
        Person(match.away.user).post(f"/matches/{match.pk}/report", {"home_score": 2, "away_score": 0})
        self.expect(who.post(f"/matches/{match.pk}/confirm"), who, {"player"})

    def test_a_player_or_an_organiser_withdraws(self, match, who):
        self.expect(who.post(f"/entries/{match.home_id}/withdraw"), who, {"player", "organizer", "admin"})

    def test_the_staff_sees_the_staff(self, cup, who):
        self.expect(who.get(f"/tournaments/{cup.pk}/members"), who, {"referee", "organizer", "admin"})

    def test_the_role_is_told(self, cup, who):
        role = ok(who.get(f"/tournaments/{cup.pk}"))["role"]
        assert role == {"guest": "spectator", "user": "spectator"}.get(who.name, who.name)

    def test_a_player_or_a_referee_checks_in(self, who, cup):
        waiting = open_registration(make_tournament(cup.created_by, check_in=True))
        for member in Member.objects.filter(tournament=cup).exclude(user=cup.created_by):
            Member.objects.create(tournament=waiting, user=member.user, role=member.role)
        entry = enter(waiting, Entry.objects.filter(tournament=cup).order_by("pk").first().user)
        self.expect(who.put(f"/entries/{entry.pk}/check-in"), who, {"player", "referee", "organizer", "admin"})


def test_nobody_confirms_their_own_report():
    match = drawn(2).matches.get()
    player = Person(match.home.user)
    ok(player.post(f"/matches/{match.pk}/report", {"home_score": 2, "away_score": 0}))
    refused(player.post(f"/matches/{match.pk}/confirm"), 409, "conflict")
    match.refresh_from_db()
    assert match.state == "pending_result"


def test_a_player_cannot_withdraw_somebody_else():
    cup = open_with_entries(2)
    ann, bob = cup.entries.order_by("pk")
    refused(Person(ann.user).post(f"/entries/{bob.pk}/withdraw"), 403, "permission_denied")
    bob.refresh_from_db()
    assert bob.status == "confirmed"
