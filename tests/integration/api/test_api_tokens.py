"""API tokens: what each scope lets a program do, never more than its owner may, until it is revoked."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.api_tokens import owner_of
from apps.accounts.models import ApiToken
from apps.accounts.tokens import TokenError, read_token
from apps.api.throttle import throttle
from apps.integrations import tokens
from apps.tournaments.models import Match, Report, Role
from apps.tournaments.permissions import role_of
from apps.tournaments.services import Actor, reports, tournaments
from tests import factories
from tests.integration.api.client import Person, ok, refused, sign_in

pytestmark = pytest.mark.django_db

SCORE = {"home_score": 1, "away_score": 0}


@pytest.fixture(autouse=True)
def _fresh_budgets():
    throttle._full_at.clear()


def bot(user, *scopes, **options) -> Person:
    return Person(token=tokens.create(user, name="Bot", scopes=scopes, **options)[1])


@pytest.fixture
def cup():
    return factories.drawn(2)


def member(cup, role):
    user = factories.make_user()
    tournaments.add_member(Actor(cup.created_by), cup.pk, username=user.username, role=role)
    return user


# What is tried, and the scope that it takes; each by somebody who may do all of it themselves.
TRIED = {
    "publish": ("POST", "/tournaments/{draft}/publish", None, "organise"),
    "edit": ("PATCH", "/tournaments/{cup}", {"name": "Other"}, "organise"),
    "create": ("POST", "/tournaments", {"name": "New"}, "organise"),
    "hook": ("POST", "/tournaments/{cup}/integrations", {"url": "https://bot.example.org/"}, "organise"),
    "start": ("POST", "/matches/{match}/start", {}, "referee"),
    "members": ("GET", "/tournaments/{cup}/members", None, "referee"),
    "draft": ("GET", "/tournaments/{draft}", None, "referee"),
    "report": ("POST", "/matches/{match}/report", SCORE, "play"),
    "register": ("POST", "/tournaments/{open}/entries", {}, "play"),
    "withdraw": ("POST", "/entries/{entry}/withdraw", None, "play or organise"),
    "read": ("GET", "/tournaments/{cup}", None, ""),
    "events": ("GET", "/tournaments/{cup}/events", None, ""),
    "mine": ("GET", "/me/matches", None, ""),
}
ENOUGH = {
    "": ("", "play", "referee", "organise"),
    "play": ("play",),
    "play or organise": ("play", "organise"),  # an organiser withdraws anybody
    "referee": ("referee", "organise"),
    "organise": ("organise",),
}


@pytest.mark.parametrize("tried", TRIED)
@pytest.mark.parametrize("scope", ["", "play", "referee", "organise"])
def test_a_scope_lets_a_program_do_what_it_says_and_nothing_else(tried, scope):
    method, path, body, needed = TRIED[tried]
    ada = factories.make_user()  # organises and plays
    cup = factories.open_registration(factories.make_tournament(ada))
    entry = factories.enter(cup, ada)
    factories.enter(cup, factories.make_user())
    factories.draw(cup)
    ids = {
        "cup": cup.pk,
        "draft": factories.make_tournament(ada).pk,
        "open": factories.open_with_entries(0).pk,
        "match": factories.match_number(cup, 1).pk,
        "entry": entry.pk,
    }
    answer = bot(ada, *([scope] if scope else []))._send(method, path.format(**ids), body, "")
    if scope in ENOUGH[needed]:
        assert answer.status_code in (200, 201), answer.content
    elif "{draft}" in path and scope != "referee":
        refused(answer, 404, "not_found")
    else:
        refused(answer, 403, "permission_denied")


@pytest.mark.parametrize("scopes", [["organise"], ["play", "referee", "organise"]])
def test_a_program_may_never_do_more_than_its_owner(cup, scopes):
    match = factories.match_number(cup, 1)
    stranger, referee = factories.make_user(), member(cup, Role.REFEREE)
    refused(bot(stranger, *scopes).post(f"/matches/{match.pk}/start", {}), 403, "permission_denied")
    refused(bot(stranger, *scopes).post(f"/matches/{match.pk}/report", SCORE), 403, "permission_denied")
    refused(bot(referee, *scopes).patch(f"/tournaments/{cup.pk}", {"name": "X"}), 403, "permission_denied")
    assert bot(referee, *scopes).post(f"/matches/{match.pk}/start", {}).status_code == 200
    refused(bot(stranger, *scopes).get(f"/tournaments/{factories.make_tournament().pk}"), 404, "not_found")


def test_rights_are_those_of_the_moment(cup):
    referee = member(cup, Role.REFEREE)
    program, match = bot(referee, "referee"), factories.match_number(cup, 1)
    tournaments.remove_member(Actor(cup.created_by), cup.pk, referee.pk)
    refused(program.post(f"/matches/{match.pk}/start", {}), 403, "permission_denied")


def test_an_administrators_program_is_an_organiser_at_most(cup):
    admin = factories.make_user(is_superuser=True)
    draft = factories.make_tournament()
    _, token = tokens.create(admin, name="Bot", scopes=["organise"])
    assert role_of(owner_of(token), cup.pk) is Role.ORGANIZER
    assert Person(token=token).get(f"/tournaments/{draft.pk}").status_code == 200
    refused(bot(admin).get(f"/tournaments/{draft.pk}"), 404, "not_found")
    refused(bot(admin, "play").patch(f"/tournaments/{cup.pk}", {"name": "X"}), 403, "permission_denied")


class TestForOneTournament:
    @pytest.fixture
    def ada(self):
        return factories.make_user()

    @pytest.fixture
    def both(self, ada):
        rows = []
        for _ in range(2):
            cup = factories.open_registration(factories.make_tournament(ada))
            factories.enter(cup, ada)
            factories.enter(cup, factories.make_user())
            rows.append(factories.draw(cup))
        return rows

    def test_it_counts_there_and_nowhere_else(self, ada, both):
        here, there = both
        program = bot(ada, "play", "referee", "organise", tournament=here.pk)
        for body, path in (({}, "/matches/{}/start"), (SCORE, "/matches/{}/report")):
            mine, other = (factories.match_number(cup, 1).pk for cup in both)
            assert program.post(path.format(mine), body).status_code == 200
            refused(program.post(path.format(other), body), 403, "permission_denied")
        refused(program.patch(f"/tournaments/{there.pk}", {"name": "X"}), 403, "permission_denied")
        refused(program.post(f"/tournaments/{factories.open_with_entries(0).pk}/entries", {}), 403, "permission_denied")
        refused(program.post("/tournaments", {"name": "X"}), 403, "permission_denied")
        refused(program.get(f"/tournaments/{there.pk}/members"), 403, "permission_denied")
        assert ok(program.get(f"/tournaments/{there.pk}"))["role"] == "spectator"
        assert ok(program.get(f"/tournaments/{here.pk}"))["role"] == "organizer"

    def test_it_lists_what_is_of_that_tournament(self, ada, both):
        here, _ = both
        program = bot(ada, tournament=here.pk)
        assert [row["tournament"]["id"] for row in ok(program.get("/me/matches"))["items"]] == [here.pk]
        assert [row["tournament"]["id"] for row in ok(program.get("/me/entries"))["items"]] == [here.pk]
        assert ok(bot(ada).get("/me/entries"))["count"] == 2

    def test_other_drafts_are_hidden_from_it(self, ada, both):
        one, other = factories.make_tournament(ada), factories.make_tournament(ada)
        program = bot(ada, "organise", tournament=one.pk)
        assert program.get(f"/tournaments/{one.pk}").status_code == 200
        refused(program.get(f"/tournaments/{other.pk}"), 404, "not_found")


class TestItsLife:
    @pytest.fixture
    def ada(self):
        return factories.make_user("ada", password=factories.PASSWORD)

    @pytest.fixture
    def person(self, ada):
        return Person(ada)

    def test_is_shown_once_and_kept_as_a_hash(self, ada, person):
        body = {"name": "Scores", "scopes": ["play"], "expires_at": "2100-01-01T00:00:00Z"}
        made = ok(person.post("/me/tokens", body), 201)
        token = made["token"]
        assert token.startswith("dct_")
        assert len(token) >= 40
        listed = ok(person.get("/me/tokens"))
        assert listed["items"] == [made["api_token"]]
        assert made["api_token"] | {"id": 0, "created_at": ""} == {
            "id": 0, "name": "Scores", "ending": token[-4:], "scopes": ["read", "play"], "tournament": None,
            "created_at": "", "expires_at": "2100-01-01T00:00:00.000Z", "used_at": None,
        }  # fmt: skip
        assert token not in repr(list(ApiToken.objects.values()))
        assert token[4:-4] not in repr(listed)

    def test_when_it_was_last_used_is_told(self, ada, person):
        program = bot(ada)
        program.get("/me/matches")
        used = ok(person.get("/me/tokens"))["items"][0]["used_at"]
        assert used is not None
        program.get("/me/matches")
        assert ok(person.get("/me/tokens"))["items"][0]["used_at"] == used, "once a minute is enough"

    def test_revoking_takes_effect_at_once(self, ada, person):
        program = bot(ada, "play")
        assert program.get("/me/matches").status_code == 200
        [row] = ok(person.get("/me/tokens"))["items"]
        assert person.delete(f"/me/tokens/{row['id']}").status_code == 204
        refused(program.get("/me/matches"), 401, "authentication_required")
        refused(program.get("/tournaments"), 401, "authentication_required")
        refused(person.delete(f"/me/tokens/{row['id']}"), 404, "not_found")

    def test_nobody_revokes_somebody_elses(self, ada):
        program = bot(ada)
        refused(Person(factories.make_user()).delete(f"/me/tokens/{ApiToken.objects.get().pk}"), 404, "not_found")
        assert program.get("/me/matches").status_code == 200

    def test_it_outlives_a_new_password_and_not_the_account(self, ada):
        program = bot(ada)
        ada.set_password("another long passphrase")
        ada.save()
        assert program.get("/me/matches").status_code == 200
        ada.is_active = False
        ada.save()
        refused(program.get("/me/matches"), 401, "authentication_required")

    def test_it_ends_when_it_says(self, ada):
        program = bot(ada, expires_at=timezone.now() + timedelta(hours=1))
        assert program.get("/me/matches").status_code == 200
        ApiToken.objects.update(expires_at=timezone.now())
        refused(program.get("/me/matches"), 401, "authentication_required")

    @pytest.mark.parametrize("token", ["dct_", "dct_x", "dct_" + "x" * 43, "dct_" + "x" * 5000, "dct_ä" + "x" * 42])
    def test_what_is_none_is_refused(self, token):
        answer = Person(token=token.encode("utf-8").decode("latin-1")).get("/tournaments")
        refused(answer, 401, "authentication_required")
        assert 'error="invalid_token"' in answer["WWW-Authenticate"]

    def test_nothing_about_the_account_is_done_with_one(self, ada):
        program = bot(ada, "play", "referee", "organise")
        for answer in (
            program.get("/me"),
            program.patch("/me", {"first_name": "X"}),
            program.get("/me/tokens"),
            program.post("/me/tokens", {"name": "More", "scopes": ["organise"]}),
            program.delete(f"/me/tokens/{ApiToken.objects.get().pk}"),
            program.post("/me/calendar"),
        ):
            refused(answer, 403, "permission_denied")
        assert Person(token=sign_in(ada)["access_token"]).get("/me").status_code == 200

    def test_a_person_has_twenty_at_most(self, ada, person):
        for number in range(ApiToken.MOST):
            ok(person.post("/me/tokens", {"name": f"Bot {number}"}), 201)
        refused(person.post("/me/tokens", {"name": "One more"}), 409, "conflict")

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({"name": " "}, 400),
            ({"name": "x", "expires_at": "2020-01-01T00:00:00Z"}, 400),
            ({"name": "x", "expires_at": "2100-01-01"}, 422),
            ({"name": "x", "scopes": ["admin"]}, 422),
            ({"name": "x", "tournament": 999_999}, 404),
        ],
    )
    def test_what_makes_no_token(self, person, body, status):
        assert person.post("/me/tokens", body).status_code == status
        assert not ApiToken.objects.exists()

    def test_a_draft_of_somebody_else_cannot_be_named(self, person):
        body = {"name": "x", "tournament": factories.make_tournament().pk}
        refused(person.post("/me/tokens", body), 404, "not_found")


def test_each_token_has_a_budget_of_its_own(settings, monkeypatch):
    settings.WS_RATE_MSG_RPS, settings.WS_RATE_MSG_BURST = 1, 3
    now = [0.0]
    monkeypatch.setattr(throttle, "_clock", lambda: now[0])
    user = factories.make_user()
    first, second = bot(user), bot(user)
    assert [first.get("/tournaments").status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = first.get("/tournaments")
    body = refused(answer, 429, "rate_limited")
    assert (answer["Retry-After"], body["data"]) == ("1", {"retry_after_ms": 1000})
    assert second.get("/tournaments").status_code == 200
    now[0] += 1
    assert [first.get("/tournaments").status_code for _ in range(2)] == [200, 429]
    settings.WS_RATE_ENABLED = False
    assert first.get("/tournaments").status_code == 200


class TestRooms:
    def test_a_token_gets_a_room_token_that_ends_with_it(self, cup):
        user, room = factories.make_user(), f"tournament:{cup.pk}"
        issued = ok(bot(user, "play").post("/realtime/token", {"room": room}))["token"]
        holder = read_token(issued, room=room)
        row = ApiToken.objects.get()
        assert (holder.user, holder.id, holder.session) == (user, f"user:{user.pk}", f"token:{row.pk}")
        assert holder.grant == holder.user.grant == row.grant
        row.delete()
        with pytest.raises(TokenError):
            read_token(issued, room=room)

    def test_a_read_only_program_is_not_the_player(self, cup):
        match = Match.objects.get(tournament=cup)
        player = match.home.user
        room = f"match:{match.pk}"
        issued = ok(bot(player).post("/realtime/token", {"room": room}))["token"]
        assert role_of(read_token(issued, room=room).user, cup.pk) is Role.SPECTATOR

    def test_a_draft_opens_for_a_program_that_acts_for_its_staff(self):
        draft = factories.make_tournament()
        room = {"room": f"tournament:{draft.pk}"}
        refused(bot(draft.created_by).post("/realtime/token", room), 404, "not_found")
        ok(bot(draft.created_by, "referee").post("/realtime/token", room))


def test_a_team_is_led_by_a_token_for_playing_alone(cup):
    team = factories.make_team()
    reader, elsewhere, player = (
        bot(team.captain, "read"),
        bot(team.captain, "play", tournament=cup.pk),
        bot(team.captain, "play"),
    )
    for person in (reader, elsewhere):
        assert person.delete(f"/teams/{team.pk}").status_code == 403
    assert player.delete(f"/teams/{team.pk}").status_code == 200


def test_no_token_has_the_rights_of_an_administrator_over_teams():
    team, admin = factories.make_team(), factories.make_user(is_superuser=True)
    reports.report_team(Actor(factories.make_user()), team.pk, reason="spam")
    token = bot(admin, "play", "organise")
    assert token.delete(f"/teams/{team.pk}").status_code == 403
    assert token.post(f"/reports/{Report.objects.get().pk}/resolve", {}).status_code == 403
