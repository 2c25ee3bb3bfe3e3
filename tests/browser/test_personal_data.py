"""A person takes their data and goes, in a real browser, while others watch them play."""

import zipfile

import pytest
from playwright.async_api import expect

from tests import factories
from tests.browser.test_pages import Window, do
from tests.lives import whole_life
from tests.server import running_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]


@pytest.fixture
def site(transactional_db, fresh_limits, media, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with running_server() as address:
        yield address


async def test_who_goes_is_gone_from_every_page_that_is_open_and_their_own_are_signed_out(browser, site):
    life = await do(whole_life)
    entry = await do(life.on.entries.get, user=life.user)
    phone = {"viewport": {"width": 320, "height": 700}}
    own, watcher = Window(browser, site, life.user, **phone), Window(browser, site, life.friend)
    async with own as page, watcher as others:
        elsewhere = await own.context.new_page()
        await elsewhere.goto(f"/t/{life.on.pk}/matches/")
        await expect(elsewhere.locator("#chip")).to_have_attribute("data-state", "live")
        await others.goto(f"/t/{life.on.pk}/entrants/")
        await others.evaluate("window.stayed = true")
        await expect(others.locator("#chip")).to_have_attribute("data-state", "live")
        await expect(others.locator("#main")).to_contain_text("zoe-quist")

        await page.goto("/me/")
        await page.get_by_role("link", name="Your data").click()
        async with page.expect_download() as download:
            await page.get_by_role("link", name="Download the file").click()
        with zipfile.ZipFile(await (await download.value).path()) as archive:
            assert archive.namelist()[:2] == ["data.json", "log.jsonl"]
        await page.get_by_role("link", name="Delete my account").click()
        assert await page.evaluate("document.documentElement.scrollWidth") <= 320
        await page.get_by_label("Your password").fill("a guess")
        await page.keyboard.press("Enter")
        await expect(page.locator("#failure")).to_have_text("This is not your password.")
        await page.get_by_label("Your password").fill(factories.PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("Your account is deleted.")).to_be_visible()

        await expect(others.locator("#main")).to_contain_text(f"Former entrant {entry.pk}")
        await expect(others.locator("#main")).not_to_contain_text("zoe-quist")
        assert await others.evaluate("window.stayed"), "nobody else was sent away"
        await expect(elsewhere.locator("#chip")).not_to_have_attribute("data-state", "live")
    assert own.thrown == watcher.thrown == []
