"""Two captains settle their maps, each on a phone, and somebody watches."""

import re

import pytest
from playwright.async_api import expect

from tests import factories
from tests.browser.test_pages import Window, current
from tests.server import running_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

PHONE = {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True}
SCRIPT = "seed; 1 ban, 2 ban, 1 pick, 2 side, 2 pick, 1 side, decider"


@pytest.fixture
def match(transactional_db):
    settings = {"pool": ["Ascent", "Bind", "Haven", "Icebox", "Lotus"], "scripts": {"3": SCRIPT}, "seconds": 90}
    return factories.match_number(factories.drawn(2, stage={"best_of": 3, "veto": settings}), 1)


@pytest.fixture
def site(match):
    with running_server() as address:
        yield address


async def tap(page, option):
    """Choose as soon as it is offered; what the other side did shows by itself."""
    await page.locator(".veto").get_by_role("button", name=option, exact=True).tap()


async def test_two_captains_pick_on_their_phones_and_everybody_sees_it(browser, site, match):
    home, away, path = match.home, match.away, f"/m/{match.pk}/"
    async with (
        Window(browser, site, home.user, **PHONE) as one,
        Window(browser, site, away.user, **PHONE) as two,
        Window(browser, site) as watcher,
    ):
        for page in (one, two, watcher):
            await page.goto(path)
            await current(page)
        await expect(watcher.locator(".veto")).to_have_count(0)
        await one.get_by_role("button", name="Start the veto").tap()
        await expect(two.locator(".veto__headline")).to_have_text(f"{home.name} bans one")
        await expect(two.locator(".veto button[name=option]")).to_have_count(0)
        await expect(two.locator(".veto__left")).to_have_text(re.compile(r"1:[12]\d"))
        await expect(watcher.locator(".veto__headline")).to_have_text(f"{home.name} bans one")

        await tap(one, "Ascent")
        await expect(two.locator(".veto__headline")).to_have_text("Your turn: ban one")
        await expect(two.locator("#announcer")).to_contain_text("Your turn: ban one")
        await expect(two.locator("[data-mark=banned]")).to_contain_text("Ascent")
        for page in (one, two):
            over = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert over <= 0
        box = await two.get_by_role("button", name="Bind").bounding_box()
        assert min(box["width"], box["height"]) >= 44, "WCAG 2.5.5: a target for a thumb"

        for page, option in ((two, "Bind"), (one, "Haven"), (two, "Attack"), (two, "Icebox"), (one, "Defence")):
            await tap(page, option)
        games = ["Game 1: Haven", "Game 2: Icebox", "Game 3: Lotus"]
        for page in (one, two, watcher):
            await expect(page.locator(".veto__games li")).to_contain_text(games)
            await expect(page.locator(".veto__games li").first).to_contain_text(f"picked by {home.name}")
            await expect(page.locator(".veto__games li").nth(1)).to_contain_text(f"{home.name} starts on Defence")
