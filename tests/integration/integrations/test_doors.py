"""What organisers do over the API and on their page: rules, what is shown, what is never shown again."""

from ipaddress import ip_network

import pytest
from django.test import Client

from apps.integrations import services, tokens
from apps.integrations.channels.webhook import Webhook
from apps.integrations.models import Endpoint
from apps.tournaments.models import Role
from apps.tournaments.services import Actor, tournaments
from tests import factories
from tests.integration.api.client import Person, ok, refused
from tests.integration.web.conftest import Visitor

pytestmark = pytest.mark.django_db

URL = "https://bot.example.org/hook/very-secret?key=more-secret"
DISCORD = "https://discord.com/api/webhooks/123456789012345678/" + "t" * 68
BAD = {
    "http://bot.example.org/": "whole address",
    "https://10.0.0.1/": "public internet",
    "https://2130706433/": "public internet",
    "https://user:pass@bot.example.org/": "user name",
    "nonsense": "whole address",
    "": "",
}


@pytest.fixture(autouse=True)
def _public_internet_alone(settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = []


@pytest.fixture
def row():
    return factories.make_tournament()


@pytest.fixture
def olivia(row):
    return Person(row.created_by)


@pytest.fixture
def base(row):
    return f"/tournaments/{row.pk}/integrations"


class TestOverTheApi:
    def test_add_look_edit_and_remove(self, olivia, base, row):
        made = ok(olivia.post(base, {"url": URL, "types": ["match_started"]}), 201)
        shown = made["integration"]
        assert made["secret"].startswith("whsec_")
        assert shown | {"id": 0, "created_at": ""} == {
            "id": 0, "tournament": row.pk, "kind": "webhook", "name": "bot.example.org", "host": "bot.example.org",
            "types": ["match_started"], "active": True, "off_reason": "", "cursor": shown["cursor"], "failures": 0,
            "error": "", "next_attempt_at": None, "created_at": "", "created_by": row.created_by.username,
        }  # fmt: skip
        path = f"/integrations/{shown['id']}"
        assert ok(olivia.get(base)) == {"items": [shown], "count": 1}
        assert ok(olivia.get(path)) == shown
        edited = ok(olivia.patch(path, {"name": "Scores", "types": [], "active": False}))["integration"]
        assert (edited["name"], edited["active"]) == ("Scores", False)
        assert edited["types"] == list(Webhook.types)
        assert ok(olivia.post(f"{path}/test"))["integration"] == edited
        assert ok(olivia.get(f"{path}/attempts")) == {"items": [], "count": 0}
        assert olivia.delete(path).status_code == 204
        refused(olivia.get(path), 404, "not_found")

    def test_nothing_secret_is_ever_shown_again(self, olivia, base):
        made = ok(olivia.post(base, {"url": URL}), 201)
        path = f"/integrations/{made['integration']['id']}"
        answers = [
            olivia.get(base),
            olivia.get(path),
            olivia.patch(path, {"name": "x"}),
            olivia.get(f"{path}/attempts"),
        ]
        for answer in answers:
            for secret in (made["secret"], "very-secret", "more-secret"):
                assert secret not in answer.content.decode()

    @pytest.mark.parametrize(("url", "words"), BAD.items())
    def test_an_address_that_cannot_be_is_explained(self, olivia, base, url, words):
        body = refused(olivia.post(base, {"url": url}), 400, "bad_request")
        assert words in body["detail"]
        assert not Endpoint.objects.exists()

    @pytest.mark.parametrize(
        "url", [URL, DISCORD + "/slack", DISCORD.replace("discord.com", "discord.com.evil.example")]
    )
    def test_only_discord_is_discord(self, olivia, base, url):
        body = refused(olivia.post(base, {"kind": "discord", "url": url}), 400, "bad_request")
        assert "Copy webhook URL" in body["detail"]
        assert ok(olivia.post(base, {"kind": "discord", "url": DISCORD}), 201)["secret"] == ""

    @pytest.mark.parametrize(("kind", "event"), [("webhook", "member_added"), ("webhook", "nonsense"),
                                                 ("discord", "result_disputed")])  # fmt: skip
    def test_events_that_are_not_told_there_cannot_be_chosen(self, olivia, base, kind, event):
        url = DISCORD if kind == "discord" else URL
        refused(olivia.post(base, {"kind": kind, "url": url, "types": [event]}), 400, "bad_request")

    def test_ten_are_enough_and_one_address_is_taken_once(self, olivia, base):
        for number in range(services.MOST):
            ok(olivia.post(base, {"url": f"https://bot.example.org/{number}"}), 201)
            refused(olivia.post(base, {"url": f"https://bot.example.org/{number}"}), 409, "conflict")
        refused(olivia.post(base, {"url": URL}), 409, "conflict")

    def test_what_can_be_replayed(self, olivia, base):
        hook = ok(olivia.post(base, {"url": URL}), 201)["integration"]
        channel = ok(olivia.post(base, {"kind": "discord", "url": DISCORD}), 201)["integration"]
        head = hook["cursor"]
        replay = f"/integrations/{hook['id']}/replay"
        refused(olivia.post(replay, {"first": head + 2}), 400, "bad_request")
        refused(olivia.post(replay, {"first": 0}), 422, "invalid_schema")
        assert ok(olivia.post(replay, {"first": head + 1}))["integration"]["cursor"] == head
        assert ok(olivia.post(replay, {"first": 1}))["integration"]["cursor"] == 0
        refused(olivia.post(f"/integrations/{channel['id']}/replay", {"first": 1}), 409, "conflict")

    def test_others_see_none_of_it(self, olivia, base, row):
        hook = ok(olivia.post(base, {"url": URL}), 201)["integration"]
        paths = (base, f"/integrations/{hook['id']}", f"/integrations/{hook['id']}/attempts")
        referee = factories.make_user()
        tournaments.add_member(Actor(row.created_by), row.pk, username=referee.username, role=Role.REFEREE)
        for path in paths:
            refused(Person(referee).get(path), 403, "permission_denied")
            refused(Person(factories.make_user()).get(path), 404, "not_found")
            refused(Person().get(path), 401, "authentication_required")
        factories.publish(row)
        for path in paths:
            refused(Person(factories.make_user()).get(path), 403, "permission_denied")

    def test_a_program_with_the_right_scope_sets_its_own_up(self, base, row):
        _, token = tokens.create(row.created_by, name="Bot", scopes=["organise"], tournament=row.pk)
        made = ok(Person(token=token).post(base, {"url": URL}), 201)
        assert ok(Person(token=token).get(f"/integrations/{made['integration']['id']}"))["name"] == "bot.example.org"


class TestOnThePage:
    @pytest.fixture
    def olivia(self, row):
        return Visitor(row.created_by)

    @pytest.fixture
    def page(self, row):
        return f"/t/{row.pk}/manage/integrations/"

    def test_a_webhook_from_its_secret_to_its_end(self, olivia, page, deliver):
        olivia.open(page)
        forms = olivia.form(f"{page}add/")
        assert forms["kind"] == "webhook"
        olivia.send(f"{page}add/", url=URL, name="Scores")
        endpoint = Endpoint.objects.get()
        assert "whsec_" in olivia.text
        assert olivia.response["Cache-Control"] == "no-store"
        here = f"{page}{endpoint.pk}"
        olivia.open(page)
        assert "Scores" in olivia.text
        for secret in ("whsec_", "very-secret", "more-secret"):
            assert secret not in olivia.html
        olivia.send(f"{here}/test/")
        assert "A test is on its way" in olivia.text
        assert Endpoint.objects.get().test_at
        olivia.send(f"{here}/save/", name="Results")
        assert "Results" in olivia.text
        olivia.send(f"{here}/switch/")
        assert not Endpoint.objects.get().active
        olivia.send(f"{here}/replay/", first=1)
        assert (Endpoint.objects.get().active, Endpoint.objects.get().cursor) == (True, 0)
        olivia.send(f"{here}/remove/")
        assert "There are none yet." in olivia.text

    def test_what_cannot_be_is_said_where_it_was_typed(self, olivia, page):
        olivia.open(page).send(f"{page}add/", url="https://10.0.0.1/")
        assert olivia.status == 400
        assert olivia.sentence == "The host is not on the public internet."
        assert 'value="https://10.0.0.1/"' in olivia.html

    def test_why_it_was_switched_off_is_told(self, olivia, page, row):
        services.add(Actor(row.created_by), row.pk, url=URL)
        Endpoint.objects.update(active=False, off_reason="The receiver answered 410: it is gone for good.")
        assert "Switched off. The receiver answered 410: it is gone for good." in olivia.open(page).text

    def test_how_deliveries_go_is_told(self, olivia, page, row, receiver, deliver, settings):
        settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
        endpoint = services.add(Actor(row.created_by), row.pk, url=receiver.url).endpoint
        receiver.close()
        tournaments.edit(Actor(row.created_by), row.pk, name="Other")
        deliver()
        text = olivia.open(page).text
        assert "Nobody listens there. 1 failed in a row" in text
        assert "tournament_updated" in text
        assert endpoint.attempts.count() == 1

    def test_it_is_for_organisers(self, page, row):
        referee = factories.make_user()
        tournaments.add_member(Actor(row.created_by), row.pk, username=referee.username, role=Role.REFEREE)
        assert Visitor(referee).open(page).response.status_code == 403
        assert "integrations" not in Visitor(referee).open(f"/t/{row.pk}/manage/").html
        factories.publish(row)
        assert Visitor(factories.make_user()).open(page).response.status_code == 403


class TestOnesOwnPage:
    @pytest.fixture
    def ada(self):
        return Visitor(factories.make_user("ada"))

    def test_a_token_is_made_shown_once_and_revoked(self, ada, row):
        factories.publish(row)
        ada.open("/me/access/").send(
            "/me/access/tokens/create/", name="Scores", scopes="play", tournament=row.pk, expires_on="2100-01-31"
        )
        [token] = ada.user.api_tokens.all()
        assert (token.scopes, token.tournament) == (["read", "play"], row.pk)
        assert token.expires_at.isoformat() == "2100-01-31T23:59:59+00:00"
        shown = ada.text.partition("dct_")[2].split()[0]
        assert len(shown) > 40
        assert shown not in ada.open("/me/access/").html
        assert f"read, play in {row.name}" in ada.text
        ada.send(f"/me/access/tokens/{token.pk}/revoke/")
        assert "Revoked." in ada.text
        assert not ada.user.api_tokens.exists()

    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            ({"name": " "}, "The name is missing."),
            ({"name": "x", "tournament": "my cup"}, "number in the address"),
            ({"name": "x", "tournament": "999999"}, "There is no such tournament."),
            ({"name": "x", "expires_on": "2020-01-01"}, "expired already"),
            ({"name": "x", "expires_on": "soon"}, "not a date"),
        ],
    )
    def test_what_makes_no_token_is_said(self, ada, typed, words):
        ada.open("/me/access/").send("/me/access/tokens/create/", **typed)
        assert words in ada.sentence
        assert not ada.user.api_tokens.exists()

    def test_the_calendars_address_is_made_shown_once_and_ended(self, ada):
        ada.open("/me/").open("/me/access/").send("/me/access/calendar/create/")
        address = ada.html.partition("/me/schedule.ics?token=")[2].partition("<")[0].strip()
        path = f"/me/schedule.ics?token={address}"
        assert ada.client.get(path).status_code == 200
        assert address not in ada.open("/me/access/").html
        ada.send("/me/access/calendar/end/")
        assert ada.client.get(path).status_code == 404

    def test_a_stranger_signs_in_first(self):
        for path in ("/me/access/",):
            assert "/accounts/login/" in Visitor().client.get(path)["Location"]
        for path in ("tokens/create/", "calendar/create/", "calendar/end/", "tokens/1/revoke/"):
            assert "/accounts/login/" in Client().post(f"/me/access/{path}")["Location"]
