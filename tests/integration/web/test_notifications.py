"""The page on which people choose how they are told, the way out, and what a phone needs of the site."""

import json
import re
from ipaddress import ip_network

import pytest
from django.core import mail
from PIL import Image, ImageChops

from apps.notifications.models import Channel, Preferences
from tests import factories
from tests.integration.notifications.conftest import Device
from tests.receiver import Receiver
from tools.icons import FOLDER, icons

pytestmark = pytest.mark.django_db

PAGE = "/me/notifications/"


@pytest.fixture
def ada(visitor):
    return visitor(factories.make_user("ada"))


def test_guests_are_asked_to_sign_in(visitor):
    assert visitor().open(PAGE).response["Location"].startswith("/accounts/login/?next=/me/notifications/")


def test_a_person_chooses_what_they_are_told(ada, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        ada.open(PAGE)
    fields = ada.form(f"{PAGE}save/")
    ada.post(f"{PAGE}save/", fields | {"kinds": ["match", "result"], "language": ""})
    assert "Saved." in ada.text
    assert set(Preferences.objects.get().kinds) == {"match", "result"}
    assert re.findall(r'name="kinds" value="(\w+)"\s+checked', ada.html) == ["match", "result"]


def test_an_address_is_confirmed_by_the_link_before_mail_can_be_switched_on(ada, visitor):
    ada.open(PAGE)
    assert not ada.has_form(f"{PAGE}mail/add/")
    ada.send(f"{PAGE}mail/confirm/")
    [message] = mail.outbox
    link = re.search(r"http://[^/\s]+(/\S+)", message.body)[1]
    page = visitor().open(link)
    page.send(re.search(r'action="(/accounts/confirm-email/[^"]+)"', page.html)[1])  # its signature is of that second
    ada.open(PAGE).send(f"{PAGE}mail/add/")
    assert "Mail tells you from now on." in ada.text
    assert Channel.objects.get().origin.startswith("http")


def test_a_device_is_added_named_tested_and_removed_by_its_owner_alone(ada, visitor, settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    with Receiver() as service:
        ada.open(PAGE).send(f"{PAGE}devices/add/", **Device(service).subscription)
    channel = Channel.objects.get()
    assert channel.digest in ada.html
    ada.send(f"{PAGE}{channel.pk}/test/")
    assert channel.notices.get().kind == "test"
    other = visitor(factories.make_user()).open(PAGE)
    token = other.form(f"{PAGE}save/")["csrfmiddlewaretoken"]
    for step in ("remove", "test"):
        other.post(f"{PAGE}{channel.pk}/{step}/", {"csrfmiddlewaretoken": token})
        assert other.status == 404
    ada.send(f"{PAGE}{channel.pk}/remove/")
    assert not Channel.objects.exists()


def test_what_cannot_be_an_address_is_said_where_it_was_typed(ada):
    ada.open(PAGE).send(f"{PAGE}discord/add/", url="https://example.org/hook")
    assert ada.status == 400
    assert "Copy the address from Discord" in ada.sentence
    assert 'name="url"' in ada.html


def test_the_worker_stands_at_the_root_and_is_asked_for_each_time(client):
    answer = client.get("/sw.js")
    assert answer["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer["Cache-Control"] == "no-cache"
    assert b"showNotification" in answer.content
    assert b"fetch" not in answer.content, "it answers no requests and keeps nothing"


def test_the_manifest_lets_a_phone_keep_the_site(client):
    answer = client.get("/manifest.webmanifest")
    said = json.loads(answer.content)
    assert answer["Content-Type"] == "application/manifest+json"
    assert (said["display"], said["scope"], said["start_url"]) == ("standalone", "/", "/me/")
    assert '<link rel="manifest" href="/manifest.webmanifest">' in client.get("/").content.decode()
    for icon in said["icons"]:
        with Image.open(FOLDER / icon["src"].rpartition("/")[2]) as image:
            assert "x".join(map(str, image.size)) == icon["sizes"]


def test_the_pictures_are_those_that_the_tool_draws():
    for name, drawn in icons().items():
        with Image.open(FOLDER / name) as kept:
            assert ImageChops.difference(kept.convert("RGBA"), drawn.convert("RGBA")).getbbox() is None, name
