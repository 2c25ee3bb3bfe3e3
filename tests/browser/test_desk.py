"""A player with nothing but a phone: from signing up to a dispute, and being told while no page is open."""

import io
import json
import os
from ipaddress import ip_network

import pytest
from django.utils import timezone
from PIL import Image
from playwright.async_api import expect

from apps.accounts.models import User
from apps.notifications.models import Channel
from apps.notifications.sending import Notifier
from apps.tournaments.models import Evidence, Match
from apps.tournaments.services import Actor, brackets, entries, matches, schedule, stations, tournaments
from tests import factories
from tests.browser.test_pages import Window, current, do
from tests.integration.notifications.conftest import Device
from tests.receiver import Receiver
from tests.server import running_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SHOTS = os.environ.get("SHOTS")  # a folder that is there: pictures of the way


@pytest.fixture
def site(transactional_db, media):
    with running_server() as address:
        yield address


async def shot(page, name: str) -> None:
    if SHOTS:
        await page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def photo() -> bytes:
    """A picture as a phone takes it: 12 megapixels of noise, more than the site takes."""
    out = io.BytesIO()
    Image.frombytes("L", (4000, 3000), os.urandom(12_000_000)).save(out, "JPEG", quality=80)
    return out.getvalue()


async def test_from_signing_up_to_a_dispute_on_a_phone(browser, site, media):  # noqa: PLR0915 - one way from end to end
    olivia = await do(factories.make_user, "olivia")
    cup = await do(
        factories.make_tournament, olivia, name="Friday Cup", match_check_in_minutes=10, check_in=True,
        stage={"best_of": 3},
    )  # fmt: skip
    await do(factories.open_registration, cup)
    bob = await do(factories.make_user, "bob")
    theirs = await do(factories.enter, cup, bob)
    async with Window(browser, site, **PHONE) as page, Window(browser, site, bob, **PHONE) as other:
        await page.goto(f"/accounts/signup/?next=/t/{cup.pk}/")
        await page.get_by_label("User name").fill("ada")
        await page.get_by_label("E-mail address").fill("ada@example.test")
        await page.get_by_label("Password", exact=True).fill(factories.PASSWORD)
        await page.get_by_role("button", name="Create the account").tap()
        await page.get_by_role("button", name="Enter").tap()
        await page.get_by_role("button", name="Check in").tap()
        await expect(page.get_by_text("You are checked in.")).to_be_visible()

        await page.goto("/me/")
        await current(page)
        await page.evaluate("window.neverReloaded = true")
        await expect(page.get_by_text("Your first match shows here")).to_be_visible()
        await do(schedule_and_draw, cup, theirs)
        await expect(page.get_by_role("button", name="I am here")).to_be_visible()
        await expect(page.locator(".appointment")).to_contain_text("Come to Table 4 now")
        await shot(page, "me-check-in")
        assert await page.evaluate("window.neverReloaded") is True

        await page.get_by_role("button", name="I am here").tap()
        await expect(page.get_by_text("has not checked in yet")).to_be_visible()
        await page.evaluate("window.neverReloaded = true")
        match = await do(Match.objects.get, tournament=cup, number=1)
        await do(matches.check_in, Actor(bob), match.pk)
        await expect(page.get_by_text("Who won?")).to_be_visible()
        await expect(page.locator(".tile--score:visible")).to_have_count(0)
        await shot(page, "me-report")

        await page.locator(".tile", has_text="I won").tap()
        await page.locator(".tile--score:visible", has_text="2–1").tap()
        assert await page.evaluate("window.neverReloaded") is True
        await shot(page, "me-report-chosen")
        await page.get_by_role("button", name="Report the score").tap()
        await expect(page.locator(".panel--mine h2")).to_contain_text("You reported")
        await shot(page, "me-reported")

        await other.goto("/me/")
        await expect(other.locator(".panel--mine h2")).to_contain_text("ada reported")
        await expect(other.locator(".button--primary")).to_have_count(1)
        await shot(other, "me-confirm")
        await other.get_by_text("That is not right: call a referee").tap()
        await other.get_by_label("What happened?").fill("It was 2–0 for me, see the screen.")
        await other.locator("input[capture]").set_input_files(
            {"name": "IMG_0001.jpg", "mimeType": "image/jpeg", "buffer": photo()}
        )
        await expect(other.locator(".photo")).to_have_count(1)
        await shot(other, "me-dispute")
        await other.context.set_offline(True)
        await other.get_by_role("button", name="Ask a referee to decide").tap()
        await expect(other.locator(".photos__refused")).to_contain_text("There is no connection. Nothing is lost here")
        await expect(other.get_by_label("What happened?")).to_have_value("It was 2–0 for me, see the screen.")
        await expect(other.locator(".photo")).to_have_count(1)
        await other.context.set_offline(False)
        await other.get_by_role("button", name="Ask a referee to decide").tap()
        await expect(other.locator(".panel--mine h2")).to_contain_text("A referee decides your match against ada")
        await expect(page.locator(".panel--mine h2")).to_contain_text("A referee decides your match against bob")
        await shot(page, "me-disputed")
        kept = await do(Evidence.objects.get)
        assert kept.size < 5_000_000
        with Image.open(media / kept.path) as image:
            assert image.size == (2560, 1920)
        for path in ("/me/", "/me/notifications/", f"/t/{cup.pk}/"):
            await page.goto(path)
            await page.set_viewport_size({"width": 320, "height": 640})
            assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path


def schedule_and_draw(cup, theirs):
    organizer = Actor(cup.created_by)
    entries.check_in(organizer, theirs.pk)
    tournaments.close_registration(organizer, cup.pk)
    brackets.generate(organizer, cup.pk)
    match = Match.objects.get(tournament=cup, number=1)
    station = stations.add(organizer, cup.pk, name="Table 4").ids["station_id"]
    schedule.schedule(organizer, match.pk, station_id=station)
    schedule.call(organizer, match.pk)


STAND_IN = """
(() => {
  let made = null;
  PushManager.prototype.getSubscription = async () => made;
  PushManager.prototype.subscribe = async ({ applicationServerKey }) =>
    (made = {
      endpoint: SUBSCRIPTION.endpoint,
      options: { applicationServerKey: applicationServerKey.buffer },
      toJSON: () => ({ endpoint: SUBSCRIPTION.endpoint, keys: SUBSCRIPTION }),
    });
})();
"""


async def test_a_tap_switches_a_device_on_and_the_worker_shows_what_is_pushed(browser, site, settings):
    """Chromium has no push service here: a stand-in takes the message, and DevTools hands it to the worker."""
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    cup = await do(factories.open_with_entries, 2)
    user = await do(User.objects.get, entries__name=(await do(cup.entries.first)).name)
    with Receiver() as service:
        device = Device(service)
        async with Window(browser, site, user, permissions=["notifications"], **PHONE) as page:
            await page.add_init_script(STAND_IN.replace("SUBSCRIPTION", json.dumps(device.subscription)))
            await page.goto("/me/notifications/")
            await page.get_by_role("button", name="Switch on for this device").tap()
            await expect(page.locator("[data-digest]")).to_contain_text("Chrome on")
            await shot(page, "notifications")
            assert await do(Channel.objects.filter(user=user, way="push").count) == 1

            devtools = await page.context.new_cdp_session(page)
            registrations = []
            devtools.on(
                "ServiceWorker.workerRegistrationUpdated",
                lambda event: registrations.extend(row["registrationId"] for row in event["registrations"]),
            )
            await devtools.send("ServiceWorker.enable")
            await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
            await do(factories.draw, cup)
            await do(notify)
            [message] = device.read()
            assert registrations
            for _ in range(2):  # a message that comes again takes the place of the first
                await devtools.send(
                    "ServiceWorker.deliverPushMessage",
                    {"origin": f"http://{site}", "registrationId": registrations[-1], "data": json.dumps(message)},
                )
            shown = await page.evaluate(
                """async () => {
                    const registration = await navigator.serviceWorker.ready;
                    for (;;) {
                        const found = await registration.getNotifications();
                        if (found.length) return found.map(({title, body, tag, data}) => ({title, body, tag, data}));
                        await new Promise((resolve) => setTimeout(resolve, 50));
                    }
                }"""
            )
    match = await do(factories.match_number, cup, 1)
    assert [one["title"] for one in shown] == ["Your match is up"]
    assert shown[0]["data"]["url"] == f"/m/{match.pk}/"
    assert shown[0]["tag"] == f"match-{match.pk}"


def notify():
    notifier = Notifier()
    for notice, _ in notifier.upcoming(timezone.now(), 100):
        notifier.serve(notice)
