"""What somebody meets who comes from outside: other sites to sign in with, the search, a site that goes away."""

import pytest
from playwright.async_api import Browser, expect

from tests.providers import standing_in

pytestmark = pytest.mark.django_db(transaction=True)


async def test_somebody_signs_up_through_discord_and_finds_it_on_their_page(
    address: str, browser: Browser, monkeypatch, settings
):
    with standing_in(monkeypatch, settings) as there:
        there.person = {"id": "4711", "username": "ann", "email": "ann@elsewhere.test", "verified": True}
        page = await browser.new_page(viewport={"width": 390, "height": 800})
        await page.goto(f"http://{address}/accounts/login/?next=/me/")
        await page.get_by_role("button", name="Continue with Discord").press("Enter")
        await expect(page.get_by_role("heading", name="Choose your user name")).to_be_visible()
        await expect(page.get_by_label("User name")).to_have_value("ann")
        await page.get_by_role("button", name="Create the account").click()
        await page.wait_for_url("**/me/")
        ways = page.locator("section", has=page.get_by_role("heading", name="How you sign in"))
        await expect(ways).to_contain_text("your only way in")
        there.person = {"id": "815", "login": "ann_tv", "email": "ann@elsewhere.test"}
        await page.get_by_role("button", name="Add Twitch").click()
        await expect(page.get_by_role("status")).to_contain_text("you can sign in with Twitch, too")
        await page.get_by_role("button", name="Remove Discord").click()
        await expect(ways).not_to_contain_text("Discord ann")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
