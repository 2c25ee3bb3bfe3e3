"""Sign up, sign in, refresh and sign out over the API, and what each does to the tokens that are out."""

import pytest
from django.test import Client

from apps.accounts.models import User
from tests.factories import PASSWORD, make_user
from tests.integration.accounts.client import call, complaints, sign_in, sign_up, tokens, who

pytestmark = pytest.mark.django_db

OTHER_PASSWORD = "another horse, another battery"


class TestSignUp:
    def test_signs_in_at_once(self):
        access, _ = tokens(sign_up(username="Ann.B-2"))
        assert who(access) == "Ann.B-2"

    @pytest.mark.parametrize(
        ("password", "code"),
        [
            ("kj3!9z", "password_too_short"),
            ("password1", "password_too_common"),
            ("4920174620", "password_entirely_numeric"),
            ("annabelle7", "password_too_similar"),
        ],
    )
    def test_refuses_a_weak_password(self, password, code):
        assert complaints(sign_up(username="annabelle", password=password))["password"] == code
        assert not User.objects.exists()

    @pytest.mark.parametrize(
        ("username", "code"),
        [
            ("ab", "min_length"),
            ("-ann", "invalid"),
            ("ann.", "invalid"),
            ("ann b", "invalid"),
            ("ann@home", "invalid"),
            ("аnn", "invalid"),  # noqa: RUF001 - Cyrillic, and so looks like somebody else
            ("Admin", "username_blacklisted"),
            ("guest", "username_blacklisted"),
        ],
    )
    def test_refuses_a_name_that_is_not_plain_or_not_free_to_take(self, username, code):
        assert complaints(sign_up(username=username))["username"] == code

    def test_refuses_a_name_that_is_taken_in_any_case(self):
        tokens(sign_up())
        assert complaints(sign_up(username="ANN", email="other@example.test")) == {"username": "username_taken"}

    def test_refuses_an_address_that_is_taken_in_any_case(self):
        tokens(sign_up())
        assert complaints(sign_up(username="other", email="ANN@example.test")) == {"email": "email_taken"}


class TestSignIn:
    @pytest.fixture(autouse=True)
    def ann(self):
        return make_user("ann", password=PASSWORD)

    @pytest.mark.parametrize("login", [{"username": "ann"}, {"username": "ANN"}, {"email": "ann@example.test"}])
    def test_by_name_or_address(self, login):
        assert who(tokens(sign_in(**login))[0]) == "ann"

    def test_abuse_65_a_wrong_password_and_an_unknown_name_sound_the_same(self):
        wrong, unknown = sign_in(OTHER_PASSWORD), sign_in(username="nobody")
        assert complaints(wrong) == complaints(unknown)
        assert wrong.json() == unknown.json()

    def test_guessing_a_password_is_slowed_down(self):
        answers = [sign_in(f"guess number {number}").status_code for number in range(7)]
        assert answers[0] == 400
        assert answers[-1] in (400, 429)
        assert sign_in().status_code != 200, "even the right password has to wait"

    def test_a_venue_can_sign_in_from_one_address(self):
        assert {sign_in().status_code for _ in range(60)} == {200}

    def test_a_blocked_account_cannot(self, ann):
        ann.is_active = False
        ann.save()
        assert sign_in().status_code != 200


class TestTokens:
    @pytest.fixture(autouse=True)
    def ann(self):
        return make_user("ann", password=PASSWORD)

    def test_an_access_token_dies_with_sign_out(self):
        access, refresh = tokens(sign_in())
        assert who(access) == "ann"
        assert call("DELETE", "/auth/session", token=access).status_code == 401
        assert who(access) is None
        assert call("POST", "/tokens/refresh", {"refresh_token": refresh}).status_code == 400

    def test_signing_out_on_one_device_leaves_the_others(self):
        phone, laptop = tokens(sign_in())[0], tokens(sign_in())[0]
        call("DELETE", "/auth/session", token=phone)
        assert (who(phone), who(laptop)) == (None, "ann")

    def test_an_access_token_dies_with_the_account(self, ann):
        access, refresh = tokens(sign_in())
        ann.is_active = False
        ann.save()
        assert who(access) is None
        assert call("POST", "/tokens/refresh", {"refresh_token": refresh}).status_code == 400

    def test_a_new_password_ends_the_sessions_on_other_devices(self):
        phone, laptop = tokens(sign_in())[0], tokens(sign_in())[0]
        body = {"current_password": PASSWORD, "new_password": OTHER_PASSWORD}
        assert call("POST", "/account/password/change", body, token=laptop).status_code == 200
        assert who(phone) is None

    def test_a_refresh_token_gives_a_new_pair_once(self):
        _, refresh = tokens(sign_in())
        answer = call("POST", "/tokens/refresh", {"refresh_token": refresh})
        assert answer.status_code == 200
        fresh = answer.json()["data"]
        assert who(fresh["access_token"]) == "ann"
        assert call("POST", "/tokens/refresh", {"refresh_token": refresh}).status_code == 400
        assert call("POST", "/tokens/refresh", {"refresh_token": fresh["refresh_token"]}).status_code == 200

    def test_an_access_token_that_has_expired_is_not_accepted(self, settings):
        settings.HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN = -1
        assert who(tokens(sign_in())[0]) is None

    def test_neither_token_stands_for_the_other(self):
        access, refresh = tokens(sign_in())
        assert who(refresh) is None
        assert call("POST", "/tokens/refresh", {"refresh_token": access}).status_code == 400

    def test_a_token_signed_with_another_key_is_not_accepted(self, settings):
        access, _ = tokens(sign_in())
        settings.SECRET_KEY = "another secret key that is long enough for the algorithm"
        assert who(access) is None


class TestHowManyAccounts:
    """Made from one address in an hour, through either door."""

    def test_the_eleventh_is_refused_with_a_sentence(self):
        for number in range(10):
            tokens(sign_up(username=f"ann{number}", email=f"ann{number}@example.test"))
        refused = sign_up(username="eleven", email="eleven@example.test")
        assert [(e["code"], e["message"].partition(".")[0]) for e in refused.json()["errors"]] == [
            ("too_many_signups", "10 accounts were made from your address in the last hour")
        ]
        assert "10 accounts were made" in through_the_page("eleven").content.decode()
        assert not User.objects.filter(username="eleven").exists()
        assert through_the_page("eleven", REMOTE_ADDR="203.0.113.9").status_code == 302

    def test_an_attempt_that_fails_uses_nothing_up(self):
        for _ in range(12):
            complaints(sign_up(password="short"))
            through_the_page("ann", password1="short")
        assert through_the_page("ann").status_code == 302

    def test_an_hour_later_there_is_room_again(self, monkeypatch):
        from allauth.core.internal import ratelimit

        for number in range(10):
            assert through_the_page(f"ann{number}").status_code == 302
        assert through_the_page("later").status_code == 200
        now = ratelimit.time.time()
        monkeypatch.setattr(ratelimit.time, "time", lambda: now + 3601)
        assert through_the_page("later").status_code == 302


def through_the_page(username: str, password1: str = PASSWORD, **extra: str):
    form = {"username": username, "email": f"{username}@example.test", "password1": password1}
    return Client().post("/accounts/signup/", form, **extra)


def test_who_tries_too_often_is_told_so_on_a_page_of_the_site(settings):
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "signup": "1/m/ip"}
    through_the_page("ann")
    answer = through_the_page("bob")
    assert answer.status_code == 429
    assert "Wait a minute, then try again." in answer.content.decode()
