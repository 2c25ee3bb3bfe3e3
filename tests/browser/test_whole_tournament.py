"""
The whole product, twice over: one browser runs a tournament from sign-up to champion, another only watches, never
reloads, and sees everything, also while the server is killed and comes back.
"""

import re
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, expect

from tests.server import ServerProcess

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]

PASSWORD = "a long enough passphrase"
ENTRANTS = ["Ada", "Bob", "Cleo", "Dan", "Eve"]


@pytest.fixture
def site(transactional_db):
    with ServerProcess() as server:
        yield server


@asynccontextmanager
async def visiting(browser, site, path="/"):
    """A browser of its own, which fails the test when the page throws."""
    context = await browser.new_context(base_url=f"http://{site.address}", viewport={"width": 1280, "height": 900})
    page = await context.new_page()
    thrown = []
    page.on("pageerror", lambda error: thrown.append(error))  # noqa: PLW0108 - Playwright marks the function
    await page.goto(path)
    yield page
    await context.close()
    assert thrown == []


async def never_reloads(page: Page) -> None:
    """Leave a mark that a reload would wipe out."""
    await page.evaluate("window.neverReloaded = true")


async def press(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name, exact=True).first.click()


async def sign_up(page: Page, username: str) -> None:
    await page.goto("/accounts/signup/")
    await page.locator("input[name=username]").fill(username)
    await page.locator("input[name=email]").fill(f"{username}@example.test")
    await page.locator("input[name=password1]").fill(PASSWORD)
    await page.locator("main form button").first.click()
    await expect(page.get_by_text(username).first).to_be_visible()


async def create(page: Page, name: str) -> int:
    await page.goto("/new/")
    await page.locator("input[name=name]").fill(name)
    await page.locator("main form button").first.click()
    await expect(page).to_have_url(re.compile(r"/t/\d+/"))
    return int(re.search(r"/t/(\d+)/", page.url)[1])


def chip(page: Page):
    return page.locator("#chip")


async def test_from_sign_up_to_champion_with_a_crash_in_the_middle(browser, site):
    async with visiting(browser, site) as organizer:
        await sign_up(organizer, "olivia")
        tournament = await create(organizer, "Friday Cup")
        await organizer.goto(f"/t/{tournament}/manage/")
        await press(organizer, "Publish")

        async with visiting(browser, site, f"/t/{tournament}/bracket/") as visitor:
            await expect(chip(visitor)).to_contain_text("live")
            await never_reloads(visitor)

            await organizer.goto(f"/t/{tournament}/manage/entrants/")
            await organizer.locator("textarea[name=names]").fill("\n".join(ENTRANTS))
            await press(organizer, "Add")
            await organizer.goto(f"/t/{tournament}/manage/")
            await press(organizer, "Draw the bracket")

            # The bracket appears by itself, byes drawn as a pass.
            for name in ENTRANTS:
                await expect(visitor.locator(".bracket").get_by_text(name, exact=True).first).to_be_visible()

            played = 0
            while True:
                await organizer.goto(f"/t/{tournament}/manage/")
                start = organizer.get_by_role("button", name="Start", exact=True).first
                if not await start.count():
                    break
                row = organizer.locator(".row[data-state=ready]").first
                match = await row.get_attribute("data-match")
                names = await row.locator("strong").all_text_contents()
                await start.click()
                await expect(visitor.locator(f"[data-match='{match}'][data-state=live]").first).to_be_visible()
                if played == 1:
                    await crash_and_come_back(site, visitor, organizer)
                await organizer.goto(f"/m/{match}/")
                winner = names[played % 2]
                for points in (1, 2):
                    await organizer.get_by_role("button", name=f"{winner}: one more").click()
                    side = visitor.locator(f"[data-match='{match}'] .side", has_text=winner).first
                    await expect(side.locator(".side__score")).to_have_text(str(points))
                await organizer.get_by_role("button", name=re.compile("^End ")).first.click()
                await expect(visitor.locator(f"[data-match='{match}'][data-state=completed]").first).to_be_visible()
                played += 1

            assert played == len(ENTRANTS)  # four matches, and the one for third place
            await expect(visitor.locator(".champion").first).to_contain_text(winner)
            await expect(chip(visitor)).to_contain_text("live")
            assert await visitor.evaluate("window.neverReloaded") is True


async def crash_and_come_back(site: ServerProcess, visitor: Page, organizer: Page) -> None:
    """Kill the server, see the visitor's page say so, start it again, and see the page be right again."""
    site.kill()
    await expect(chip(visitor)).to_contain_text("reconnecting", timeout=2_500)
    await expect(chip(visitor)).to_contain_text(re.compile(r"stale since \d"), timeout=10_000)
    site.start()
    await expect(chip(visitor)).to_contain_text("live", timeout=30_000)
