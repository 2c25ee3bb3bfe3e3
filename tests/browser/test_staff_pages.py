"""The pages for those who run the site, in a real browser."""

import pytest
from playwright.async_api import expect

from tests import factories
from tests.browser.test_pages import Window, do
from tests.rooms import open_room, path
from tests.server import client, running_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]


@pytest.fixture
def site(transactional_db, fresh_limits):
    with running_server() as address:
        yield address


async def test_the_operators_page_counts_who_comes_without_a_reload(browser, site):
    root = await do(factories.make_user, is_superuser=True)
    cup = await do(factories.drawn, 2)
    async with Window(browser, site, root) as page:
        await page.goto("/ops/")
        await page.evaluate("window.stayed = true")
        cells = page.locator("tr[data-process] td")
        await expect(cells.first).to_have_text("0")
        async with client(site, await path(cup.stream)) as socket:
            await open_room(socket)
            await expect(cells.first).to_have_text("1")
        assert await page.evaluate("window.stayed")


async def test_no_page_breaks_the_policy_for_what_it_loads(browser, site):
    root = await do(factories.make_user, "root", is_superuser=True)
    cup = await do(factories.drawn, 4)
    window = Window(browser, site, root)
    async with window as page:
        broken = []
        page.on("console", lambda message: broken.append(message.text) if "Policy" in message.text else None)
        entry = await do(cup.entries.first)
        for address in (
            "/admin/",
            "/admin/accounts/user/",
            f"/admin/accounts/user/{root.pk}/change/",
            f"/admin/accounts/user/{root.pk}/password/",
            "/admin/eventlog/event/?audience__exact=public",
            f"/admin/tournaments/entry/{entry.pk}/change/",
            "/ops/",
            "/api/v1/docs",
            f"/t/{cup.pk}/bracket/",
        ):
            await page.goto(address)
            await page.wait_for_load_state("networkidle")
            assert broken == [], address
        await expect(page.locator("#chip")).to_have_attribute("data-state", "live")
    assert window.thrown == []
