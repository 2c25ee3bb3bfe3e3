"""The schedule in a real browser: it follows what happens, and a choice that somebody has begun to make stays."""

import pytest
from playwright.async_api import expect

from apps.tournaments.services import Actor, matches, schedule, stations
from tests import factories
from tests.browser.test_pages import Window, current, do
from tests.server import running_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]


async def test_plan_start_and_move_are_seen_without_a_reload(transactional_db, browser):
    cup = await do(factories.drawn, 4, await do(factories.make_user, "olivia"))
    organizer = Actor(cup.created_by)
    with running_server() as site:
        async with Window(browser, site) as hall, Window(browser, site, cup.created_by) as console:
            await hall.goto(f"/t/{cup.pk}/schedule/")
            await current(hall)
            await expect(hall.get_by_text("Nothing is planned yet")).to_be_visible()
            for name in ("Court 1", "Court 2"):
                await do(stations.add, organizer, cup.pk, name=name)
            await do(schedule.plan, organizer, cup.pk)
            await expect(hall.locator(".lane h2")).to_have_text(["Court 1", "Court 2"], timeout=20_000)

            await console.goto(f"/t/{cup.pk}/manage/schedule/")
            await current(console)
            second = await do(factories.match_number, cup, 2)
            row = console.locator(f'.row[data-match="{second.pk}"]')
            await row.locator("summary").click()
            await row.locator("select").select_option(label="Court 1")
            first = await do(factories.match_number, cup, 1)
            await do(matches.start, organizer, first.pk)
            await expect(hall.locator(".lane", has_text="Court 1").locator(".lane__slot").first).to_contain_text(
                "Now", timeout=20_000
            )
            await expect(console.get_by_text("This part has changed since you began to type.")).to_be_visible(
                timeout=20_000
            )
            assert await row.locator("select option:checked").inner_text() == "Court 1"
            await row.get_by_role("button", name="Move").click()
            await expect(console.locator("#failure")).to_contain_text("Court 1 would have two matches at once")
