"""Mail, Discord and browsers: what is sent, to whom, and the way out."""

import re

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from apps.errors import BadRequest, Conflict
from apps.integrations.sending import Answer
from apps.notifications import services, vapid
from apps.notifications.links import unsubscribe_path
from apps.notifications.models import Channel, SiteKey
from apps.notifications.sending import Notifier
from tests import factories
from tests.integration.notifications.conftest import ORIGIN, Device, confirm_address

pytestmark = pytest.mark.django_db


class TestMail:
    @pytest.fixture
    def sent(self, cup, ada, notify):
        confirm_address(ada)
        services.add_mail(ada, origin=ORIGIN)
        factories.draw(cup)
        notify()
        [message] = mail.outbox
        return message

    def test_says_in_plain_text_what_to_do_where_and_how_to_end_it(self, sent, cup, ada):
        match = factories.match_number(cup, 1)
        assert (sent.to, sent.subject) == ([ada.email], "Your match is up")
        assert sent.body.startswith("You play bob. Open Cup, match 1.\n\n")
        assert f"{ORIGIN}m/{match.pk}/\n" in sent.body
        leave = re.search(r"https://\S+/notifications/off/\S+", sent.body)[0]
        head = sent.message()
        assert head["List-Unsubscribe"] == f"<{leave}>"
        assert head["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert head["Message-ID"].endswith("@cup.example.org>")
        assert head.get_content_type() == "text/plain"

    def test_the_link_ends_it_without_signing_in_and_only_when_it_is_posted(self, sent, ada):
        path = sent.extra_headers["List-Unsubscribe"].strip("<>").removeprefix(ORIGIN.rstrip("/"))
        strict = Client(enforce_csrf_checks=True)
        assert strict.get(path).status_code == 200
        assert Channel.objects.filter(user=ada).exists(), "a program looked behind the link"
        answer = strict.post(path, {"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
        assert not Channel.objects.filter(user=ada).exists()
        assert strict.post(path).status_code == 200, "once more is no error"

    def test_a_link_that_somebody_made_up_ends_nothing(self, sent, ada):
        path = unsubscribe_path(Channel.objects.get())
        for wrong in (path[:-2] + "x/", reverse("unsubscribe", args=["7"]), reverse("unsubscribe", args=["7:abc"])):
            assert Client().post(wrong).status_code == 404
        assert Channel.objects.filter(user=ada).exists()

    def test_goes_to_no_address_that_is_not_confirmed(self, cup, ada, notify):
        with pytest.raises(Conflict):
            services.add_mail(ada, origin=ORIGIN)
        confirm_address(ada)
        services.add_mail(ada, origin=ORIGIN)
        ada.email = "another@example.test"
        ada.save()
        factories.draw(cup)
        notify()
        assert mail.outbox == []
        assert not Channel.objects.get().active

    def test_a_server_that_is_away_is_asked_again_under_the_same_id(
        self, cup, ada, notify, clock, settings, monkeypatch
    ):
        confirm_address(ada)
        services.add_mail(ada, origin=ORIGIN)
        factories.draw(cup)
        tried = []

        def away(message, **_):
            tried.append(message.extra_headers["Message-ID"])
            raise ConnectionRefusedError

        with monkeypatch.context() as patch:
            patch.setattr("django.core.mail.EmailMessage.send", away)
            notify()
        clock.pass_(seconds=5)
        notify()
        assert [message.extra_headers["Message-ID"] for message in mail.outbox] == tried


class TestDiscord:
    URL = "https://discord.com/api/webhooks/123456789012345678/abcdefghijklmnopqrstuvwx"

    def test_is_told_in_one_line_that_mentions_nobody(self, cup, ada, clock):
        services.add_discord(ada, url=self.URL, origin=ORIGIN)
        entry = cup.entries.get(name="bob")
        entry.name = "@everyone **b**"
        entry.save()
        factories.draw(cup)
        posted = []

        class Line:
            def __init__(self, target):
                self.target = target

            def __enter__(self):
                return self

            def __exit__(self, *_):
                pass

            def post(self, body, headers):
                posted.append((self.target, body.decode()))
                return Answer(204, 1)

        notifier = Notifier(clock=clock, line_to=Line)
        for notice, _ in notifier.upcoming(clock(), 10):
            notifier.serve(notice)
        [(target, body)] = posted
        assert target.host == "discord.com"
        assert r"You play \\@everyone \\*\\*b\\*\\*\\." in body
        assert '"allowed_mentions":{"parse":[]}' in body

    def test_no_other_address_is_taken(self, ada):
        for url in ("https://discord.com/api/users", "https://evil.example/api/webhooks/123456/abcdefghijklmnopqrstu"):
            with pytest.raises(BadRequest):
                services.add_discord(ada, url=url, origin=ORIGIN)


class TestBrowsers:
    def test_an_address_inside_of_a_network_is_refused(self, ada, device, settings):
        settings.WEBHOOK_ALLOWED_NETWORKS = []
        keys = device.subscription
        for endpoint in ("https://10.0.0.1/push", "http://push.example.org/x", "https://[::1]/x"):
            with pytest.raises(BadRequest):
                services.add_device(ada, **keys | {"endpoint": endpoint}, name="x", origin=ORIGIN)

    @pytest.mark.parametrize(("field", "value"), [("p256dh", "AAAA"), ("auth", "AAAA"), ("p256dh", "é"), ("auth", "")])
    def test_keys_that_are_none_are_refused(self, ada, device, field, value):
        with pytest.raises(BadRequest):
            services.add_device(ada, **device.subscription | {field: value}, name="x", origin=ORIGIN)

    def test_a_person_has_so_many_and_no_more(self, ada, service):
        for _ in range(Channel.MOST):
            Device(service).add(ada)
        with pytest.raises(Conflict):
            Device(service).add(ada)

    def test_the_key_is_made_once_and_kept(self, db):
        first = vapid.public_key()
        assert vapid.public_key() == first
        assert SiteKey.objects.count() == 1

    def test_the_key_of_the_settings_goes_before(self, db, settings):
        settings.VAPID_PRIVATE_KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"
        # The private key 1 has the base point of P-256 as its public key.
        assert vapid.public_key().startswith("BGsX0fLhLEJH-Lzm5WOkQPJ3A32BLeszoPShOUXYmMKW")
        assert not SiteKey.objects.exists()

    def test_with_another_secret_key_a_new_one_is_made(self, db, settings):
        first = vapid.public_key()
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", []
        second = vapid.public_key()
        assert second != first
        assert vapid.public_key() == second


def test_what_is_secret_lies_sealed(ada, device):
    confirm_address(ada)
    channel = device.add(ada)
    services.add_discord(ada, url=TestDiscord.URL, origin=ORIGIN)
    vapid.public_key()
    stored = repr([list(model.objects.values()) for model in (Channel, SiteKey)])
    assert device.subscription["endpoint"] not in stored
    assert device.subscription["auth"] not in stored
    assert "abcdefghijklmnopqrstuvwx" not in stored
    assert channel.digest in stored
