"""The waitlist in a real browser: a place that is held counts down and arrives by itself; nothing sticks out."""

import re

import pytest
from playwright.async_api import expect

from apps.tournaments.models import Entry
from apps.tournaments.services import Actor, entries, teams
from tests import factories
from tests.browser.test_pages import LONG, Window, current, do
from tests.server import running_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]


@pytest.fixture
def cup(transactional_db):
    """Two places that are taken, and two who wait."""
    cup = factories.open_with_entries(2, factories.make_user("olivia"), capacity=2, claim_minutes=90, check_in=True)
    for name in ("ann", "ben"):
        factories.enter(cup, factories.make_user(name), LONG if name == "ben" else "Ann")
    return cup


@pytest.fixture
def site(cup):
    with running_server() as address:
        yield address


async def test_a_held_place_arrives_counts_down_and_is_claimed(browser, site, cup):
    ann, first = await do(lambda: (Entry.objects.select_related("user").get(name="Ann"), cup.entries.first()))
    async with Window(browser, site, ann.user) as page, Window(browser, site, cup.created_by) as organizer:
        await page.goto(f"/t/{cup.pk}/")
        await organizer.goto(f"/t/{cup.pk}/manage/entrants/")
        for one in (page, organizer):
            await current(one)
            await one.evaluate("window.neverReloaded = true")
        await do(entries.withdraw, Actor(cup.created_by), first.pk)
        left = page.locator("time[data-when=until]").first
        await expect(left).to_have_text(re.compile(r"^1:29:\d\d left$"))
        before = await left.text_content()
        await expect(left).not_to_have_text(before)
        await expect(organizer.locator("time[data-when=until]").first).to_have_text(re.compile(r"^1:29:\d\d left$"))
        await page.get_by_role("button", name="Claim the place").click()
        await expect(page.get_by_text("Only entrants who check in are drawn.")).to_be_visible()
        await expect(organizer.get_by_text("A place is held for")).to_have_count(0)
        assert await organizer.evaluate("window.neverReloaded") is True


@pytest.mark.parametrize("width", [320, 1280])
async def test_nothing_sticks_out(browser, site, cup, width):
    made = (await do(teams.create, Actor(cup.created_by), name=LONG, tag="EIGHTLET")).ids["team_id"]
    await do(entries.withdraw, Actor(cup.created_by), (await do(cup.entries.first)).pk)
    waits = await do(Entry.objects.get, name=LONG)
    async with Window(browser, site, cup.created_by, viewport={"width": width, "height": 900}) as page:
        for path in (
            f"/t/{cup.pk}/entrants/",
            f"/t/{cup.pk}/manage/entrants/",
            f"/t/{cup.pk}/entries/{waits.pk}/",
            "/teams/",
            f"/teams/{made}/",
            "/me/",
        ):
            await page.goto(path)
            for summary in await page.locator("main details.more > summary").all():
                await summary.click()
            sticks_out = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert sticks_out <= 0, path
