"""Signing in through Discord, Twitch and Steam: who becomes whom, and who does not."""

import re
from http.client import HTTPConnection
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from apps.accounts.models import User
from apps.accounts.steam.provider import SteamProvider
from tests.factories import PASSWORD, make_user
from tests.providers import STEAM_ID, StandIn, standing_in

pytestmark = pytest.mark.django_db

ANN = {
    "id": "4711",
    "username": "ann_on_discord",
    "global_name": "Ann",
    "email": "ann@elsewhere.test",
    "verified": True,
}
PEOPLE = {
    "discord": ANN,
    "twitch": {"id": "815", "login": "ann_on_twitch", "display_name": "Ann", "email": "ann@elsewhere.test"},
    "steam": {"steamid": STEAM_ID, "personaname": "★ Ann on Steam ★"},
}


@pytest.fixture
def there(monkeypatch, settings):
    with standing_in(monkeypatch, settings) as stand_in:
        yield stand_in


def visit_there(address: str) -> str:
    """Open an address of the other site as a browser does, and return where it sends the browser."""
    url = urlsplit(address)
    connection = HTTPConnection(url.netloc)
    connection.request("GET", f"{url.path}?{url.query}")
    answer = connection.getresponse()
    connection.close()
    assert answer.status == 302
    return answer.headers["Location"]


def back(location: str) -> str:
    assert location.startswith("http://testserver/"), location
    return location.removeprefix("http://testserver")


def go(browser: Client, site: str, **form: str):
    """Press the button of a site, do there what the stand-in's person does, and come back."""
    answer = browser.post(f"/accounts/{site}/login/", form)
    assert answer.status_code == 302, answer.content
    return browser.get(back(visit_there(answer["Location"])))


def who(browser: Client) -> str | None:
    found = re.search(
        r'class="site__me" href="/me/">.*?<span>(.*?)</span>', browser.get("/").content.decode(), re.DOTALL
    )
    return found and found[1]


def sign_up(browser: Client, **fields: str):
    return browser.post("/accounts/3rdparty/signup/", {"username": "ann", "email": "ann@elsewhere.test", **fields})


@pytest.mark.parametrize("site", PEOPLE)
def test_a_newcomer_chooses_a_name_and_is_known_from_then_on(there: StandIn, site):
    there.person = PEOPLE[site]
    browser = Client()
    answer = go(browser, site, next="/teams/")
    assert answer["Location"] == "/accounts/3rdparty/signup/"
    form = browser.get(answer["Location"]).content.decode()
    suggested = {"discord": "ann_on_discord", "twitch": "ann_on_twitch", "steam": "AnnonSteam"}[site]
    assert f'value="{suggested}"' in form
    assert not User.objects.exists()
    assert sign_up(browser)["Location"] == "/teams/"
    assert who(browser) == "ann"
    assert not User.objects.get().has_usable_password()

    elsewhere = Client()
    assert go(elsewhere, site, next="/teams/")["Location"] == "/teams/"
    assert who(elsewhere) == "ann"
    assert User.objects.count() == 1
    assert set(SocialAccount.objects.get().extra_data) <= {"username", "global_name", "login", "personaname"}


def test_a_next_elsewhere_is_not_followed(there: StandIn):
    there.person = ANN
    SocialAccount.objects.create(user=make_user("ann"), provider="discord", uid="4711")
    assert go(Client(), "discord", next="https://evil.test/")["Location"] == "/"


@pytest.mark.parametrize("verified", [True, False])
def test_the_mail_of_somebody_else_opens_nothing(there: StandIn, verified):
    make_user("owner", password=PASSWORD)
    there.person = ANN | {"email": "owner@example.test", "verified": verified}
    browser = Client()
    assert go(browser, "discord")["Location"] == "/accounts/3rdparty/signup/"
    refused = sign_up(browser, username="thief", email="owner@example.test")
    assert refused.status_code == 200
    assert who(browser) is None
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize(
    ("told", "chosen", "expected"),
    [(True, "ann@elsewhere.test", True), (False, "ann@elsewhere.test", False), (True, "typed@else.test", False)],
)
def test_an_address_counts_as_verified_only_when_the_site_has_verified_this_one(there: StandIn, told, chosen, expected):
    there.person = ANN | {"verified": told}
    browser = Client()
    go(browser, "discord")
    sign_up(browser, email=chosen)
    [address] = EmailAddress.objects.all()
    assert (address.email, address.verified) == (chosen, expected)


def test_where_addresses_are_verified_an_unverified_one_has_to_be(there: StandIn, settings, mailoutbox):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    there.person = ANN | {"verified": False}
    browser = Client()
    go(browser, "discord")
    sign_up(browser)
    assert who(browser) is None
    [mail] = mailoutbox
    assert mail.to == ["ann@elsewhere.test"]


def test_names_are_under_the_rules_of_all_names(there: StandIn):
    make_user("ann_on_discord")
    there.person = ANN
    browser = Client()
    go(browser, "discord")
    assert 'value="ann_on_discord2"' in browser.get("/accounts/3rdparty/signup/").content.decode()
    for name in ("admin", "-ann", "аnn", "ann_on_discord"):  # noqa: RUF001 - Cyrillic
        assert sign_up(browser, username=name).status_code == 200
    assert User.objects.count() == 1


def test_signing_up_is_limited_as_with_a_password(there: StandIn, settings):
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"signup": "1/m/ip"}
    there.person = ANN
    browser = Client()
    go(browser, "discord")
    assert sign_up(browser, username="-").status_code == 200
    assert sign_up(browser).status_code == 429
    assert not User.objects.exists()


class TestWays:
    @pytest.fixture
    def ann(self) -> User:
        return make_user("ann", password=PASSWORD)

    @pytest.fixture
    def browser(self, ann) -> Client:
        browser = Client()
        browser.post("/accounts/login/", {"login": "ann", "password": PASSWORD})
        return browser

    @staticmethod
    def add(browser: Client, site: str):
        answer = go(browser, site, process="connect", next="/me/")
        if answer["Location"].startswith("/accounts/reauthenticate/"):
            answer = browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
        return answer

    @staticmethod
    def remove(browser: Client, provider: str) -> int:
        return browser.post(f"/me/ways/{SocialAccount.objects.get(provider=provider).pk}/remove/").status_code

    def test_an_account_elsewhere_is_added_after_the_password_and_then_signs_in(self, there: StandIn, browser):
        there.person = ANN
        answer = go(browser, "discord", process="connect", next="/me/")
        assert answer["Location"] == "/accounts/reauthenticate/"
        assert not SocialAccount.objects.exists()
        answer = browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
        assert answer["Location"] == "/me/"
        page = browser.get("/me/").content.decode()
        assert "you can sign in with Discord, too" in page
        assert "Add Discord" not in page
        assert "Add Twitch" in page
        elsewhere = Client()
        go(elsewhere, "discord")
        assert who(elsewhere) == "ann"

    def test_what_belongs_to_somebody_else_stays_theirs(self, there: StandIn, browser):
        SocialAccount.objects.create(user=make_user("bob"), provider="discord", uid="4711")
        there.person = ANN
        self.add(browser, "discord")
        assert "belongs to somebody else" in browser.get("/me/").content.decode()
        assert SocialAccount.objects.get().user.username == "bob"

    def test_each_goes_but_the_last_way_in(self, there: StandIn, browser, ann):
        for site, person in PEOPLE.items():
            there.person = person
            self.add(browser, site)
        assert self.remove(browser, "twitch") == 302
        ann.refresh_from_db()
        ann.set_unusable_password()
        ann.save()
        browser.force_login(ann)
        assert self.remove(browser, "steam") == 302
        assert self.remove(browser, "discord") == 409
        assert "Set a password" in browser.get("/me/").content.decode()
        browser.post("/accounts/password/set/", {"password1": PASSWORD, "password2": PASSWORD})
        browser.force_login(User.objects.get(pk=ann.pk))
        assert self.remove(browser, "discord") == 302
        assert not SocialAccount.objects.exists()

    def test_a_way_that_the_site_does_not_offer_any_more_is_none(self, there: StandIn, browser, ann, settings):
        for provider in ("discord", "steam"):
            SocialAccount.objects.create(user=ann, provider=provider, uid="1")
        ann.set_unusable_password()
        ann.save()
        browser.force_login(ann)
        settings.SOCIALACCOUNT_PROVIDERS = {"steam": settings.SOCIALACCOUNT_PROVIDERS["steam"]}
        assert browser.get("/me/").status_code == 200
        assert self.remove(browser, "steam") == 409
        assert self.remove(browser, "discord") == 302

    def test_nobody_removes_what_is_not_theirs(self, there: StandIn, browser):
        SocialAccount.objects.create(user=make_user("bob"), provider="discord", uid="4711")
        assert self.remove(browser, "discord") == 404
        assert SocialAccount.objects.exists()


class TestRefusals:
    @pytest.mark.parametrize("site", PEOPLE)
    def test_whoever_says_no_there_is_not_signed_in(self, there: StandIn, site):
        browser = Client()
        answer = go(browser, site)
        assert "nothing has changed here" in browser.get(answer["Location"]).content.decode()
        assert who(browser) is None

    @pytest.mark.parametrize("site", PEOPLE)
    def test_an_answer_belongs_to_the_browser_that_asked_and_counts_once(self, there: StandIn, site):
        there.person = PEOPLE[site]
        uid = {"discord": "4711", "twitch": "815", "steam": STEAM_ID}[site]
        SocialAccount.objects.create(user=make_user("ann"), provider=site, uid=uid)
        asked = Client()
        answer = back(visit_there(asked.post(f"/accounts/{site}/login/")["Location"]))
        victim = Client()
        assert victim.get(answer).status_code == 401
        assert who(victim) is None
        assert asked.get(answer).status_code == 302
        asked.logout()
        assert asked.get(answer).status_code == 401
        assert who(asked) is None

    @pytest.mark.parametrize("site", PEOPLE)
    def test_only_a_press_of_the_button_begins(self, there: StandIn, site):
        answer = Client().get(f"/accounts/{site}/login/")
        assert answer.status_code == 200
        assert "Continue" in answer.content.decode()
        assert Client(enforce_csrf_checks=True).post(f"/accounts/{site}/login/").status_code == 403

    @pytest.mark.parametrize("site", PEOPLE)
    def test_what_is_not_set_up_is_not_there(self, client, site):
        for path in ("login/", "login/callback/"):
            assert client.get(f"/accounts/{site}/{path}").status_code == 404
        assert "Continue with" not in client.get("/accounts/login/").content.decode()

    @pytest.mark.parametrize(
        "told",
        [
            {"openid.op_endpoint": "https://evil.test/openid/login"},
            {"openid.claimed_id": "https://evil.test/openid/id/76561197960287930"},
            {"openid.identity": "https://steamcommunity.com/openid/id/76561197960287931"},
            {
                "openid.claimed_id": "https://steamcommunity.com/openid/id/1",
                "openid.identity": "https://steamcommunity.com/openid/id/1",
            },
            {"openid.return_to": "http://testserver/accounts/steam/login/callback/?state=another"},
            {"openid.signed": "signed,op_endpoint,identity,return_to,response_nonce,assoc_handle"},
            {"openid.sig": "forged"},
            {"openid.mode": "error"},
            {"openid.ns": "http://openid.net/signon/1.1"},
        ],
        ids=lambda told: next(iter(told)),
    )
    def test_an_assertion_that_is_not_steams_own_is_none(self, there: StandIn, told):
        SocialAccount.objects.create(user=make_user("ann"), provider="steam", uid=STEAM_ID)
        there.person, there.told = PEOPLE["steam"], told
        browser = Client()
        assert go(browser, "steam").status_code == 401
        assert who(browser) is None

    def test_without_the_name_from_steam_somebody_known_still_comes_in(self, there: StandIn):
        SocialAccount.objects.create(user=make_user("ann"), provider="steam", uid=STEAM_ID)
        there.person, there.knows_names = PEOPLE["steam"], False
        browser = Client()
        assert go(browser, "steam").status_code == 302
        assert who(browser) == "ann"

    def test_when_the_other_site_is_away_the_page_says_so(self, there: StandIn, monkeypatch):
        nowhere = "http://127.0.0.1:9/openid/login"
        there.person, there.told = PEOPLE["steam"], {"openid.op_endpoint": nowhere}
        browser = Client()
        answer = back(visit_there(browser.post("/accounts/steam/login/")["Location"]))
        monkeypatch.setattr(SteamProvider, "authorize_url", nowhere)
        refused = browser.get(answer)
        assert refused.status_code == 401
        assert "Steam did not confirm who you are" in refused.content.decode()

    def test_the_address_to_come_back_to_is_the_documented_one(self, there: StandIn):
        for site, name in (("discord", "redirect_uri"), ("twitch", "redirect_uri"), ("steam", "openid.return_to")):
            query = parse_qs(urlsplit(Client().post(f"/accounts/{site}/login/")["Location"]).query)
            assert query[name][0].split("?")[0] == f"http://testserver/accounts/{site}/login/callback/"
