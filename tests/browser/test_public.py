"""What somebody meets who comes from outside: other sites to sign in with, the search, a site that goes away."""

import pytest
from asgiref.sync import sync_to_async
from playwright.async_api import Browser, expect

from apps.tournaments.models import Match, Tournament
from apps.tournaments.services import Actor, matches
from engine.match_flow import Score
from tests.factories import drawn
from tests.page_load import loading
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


async def test_a_first_visit_is_light_and_nothing_moves_while_matches_are_played(address: str, browser: Browser):
    tournament = await sync_to_async(drawn)(64, capacity=64)
    for path in ("", "bracket/", "matches/"):
        async with loading(browser, f"http://{address}/t/{tournament.pk}/{path}") as load:
            assert load.total < 120_000, load.sizes.most_common()
            assert len(load.sizes) < 30
            await expect(load.page.locator("#chip")).to_have_attribute("data-state", "live")
            shown = await load.page.locator(".match[data-match]").first.get_attribute("data-match")
            await sync_to_async(play_some)(tournament, int(shown))
            await expect(load.page.locator(f'.match[data-match="{shown}"] .side__score').first).to_have_text("3")
            if not path:
                await expect(load.page.locator('[data-hold="latest"] .match[data-match]')).not_to_have_count(0)
            seen = await load.observed()
            assert seen["shift"] == 0, seen["shifted"]


def play_some(tournament: Tournament, shown: int) -> None:
    """Begin six matches, end two of them, and leave the one that is looked at with a score of 3."""
    by = Actor(tournament.created_by)
    found = Match.objects.filter(tournament=tournament, state="ready").exclude(pk=shown)
    for match in (Match.objects.get(pk=shown), *found[:5]):
        if match.state == "ready":
            matches.start(by, match.pk)
        matches.update_score(by, match.pk, Score(1, 0))
    for match in found.model.objects.filter(tournament=tournament, state="live").exclude(pk=shown)[:2]:
        matches.finish(by, match.pk, Score(2, 1))
    matches.update_score(by, shown, Score(3, 1))
