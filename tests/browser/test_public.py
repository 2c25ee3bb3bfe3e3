"""What somebody meets who comes from outside: other sites to sign in with, the search, a site that goes away."""

import re

import pytest
from asgiref.sync import sync_to_async
from playwright.async_api import Browser, expect

from apps.tournaments.models import Match, Tournament
from apps.tournaments.services import Actor, matches
from engine.match_flow import Score
from tests.factories import drawn
from tests.page_load import loading
from tests.providers import standing_in
from tests.server import ServerProcess

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
            assert len(load.sizes) < 40
            await expect(load.page.locator("#chip")).to_have_attribute("data-state", "live")
            shown = await load.page.locator(".match[data-match]").first.get_attribute("data-match")
            await sync_to_async(play_some)(tournament, int(shown))
            await expect(load.page.locator(f'.match[data-match="{shown}"] .side__score').first).to_have_text("3")
            if not path:
                await expect(load.page.locator('[data-hold="latest"] .match[data-match]')).not_to_have_count(0)
            seen = await load.observed()
            assert seen["shift"] == 0, seen["shifted"]


async def test_nothing_moves_while_a_page_arrives_bit_by_bit(address: str, browser: Browser):
    tournament = await sync_to_async(drawn)(64, capacity=64)
    for path in ("", "bracket/", "matches/"):
        async with loading(browser, f"http://{address}/t/{tournament.pk}/{path}") as load:
            # Again, with the styles there already, and slowly.
            network = await load.page.context.new_cdp_session(load.page)
            slow = {"offline": False, "latency": 20, "downloadThroughput": 8_000, "uploadThroughput": 8_000}
            await network.send("Network.emulateNetworkConditions", slow)
            await load.page.reload()
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


WATCH_CHIP = """
window.told = [];
addEventListener("DOMContentLoaded", () => {
  const score = (id) => document.querySelector(`[data-match="${id}"] .side__score`)?.textContent;
  const chip = document.getElementById("chip");
  new MutationObserver(() => told.push([chip.dataset.state, score(MATCH)]))
    .observe(chip, {attributes: true, attributeFilter: ["data-state"]});
});
"""


async def test_a_page_comes_back_by_itself_and_never_calls_an_old_score_live(
    transactional_db, fresh_limits, browser: Browser
):
    tournament = await sync_to_async(drawn)(4)
    match = await sync_to_async(begun)(tournament)
    with ServerProcess() as site:
        page = await browser.new_page()
        thrown: list[str] = []
        page.on("pageerror", lambda error: thrown.append(str(error)))
        await page.add_init_script(WATCH_CHIP.replace("MATCH", str(match)))
        await page.goto(f"http://{site.address}/t/{tournament.pk}/bracket/")
        chip, score = page.locator("#chip"), page.locator(f'[data-match="{match}"] .side__score').first
        await expect(chip).to_have_attribute("data-state", "live")

        async def missing(points: int) -> None:
            """The score changes while the page cannot know, which it has to say."""
            await expect(chip).to_have_attribute("data-state", re.compile("reconnecting|stale"), timeout=3_000)
            await page.evaluate("told.length = 0")
            await sync_to_async(scored)(tournament, match, points)

        async def back(points: int) -> None:
            await expect(score).to_have_text(str(points), timeout=15_000)
            await expect(chip).to_have_attribute("data-state", "live")
            told = await page.evaluate("told")
            assert [state for state, shown in told if state == "live" and shown != str(points)] == []

        # A restart of the server, as in an upgrade or a crash.
        await sync_to_async(site.kill)()
        await missing(1)
        await expect(chip).to_contain_text(re.compile(r"stale since \d\d:\d\d:\d\d"), timeout=8_000)
        await sync_to_async(site.start)()
        # Somebody looks, so it tries at once.
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await back(1)

        # On a line of its own: what it shows, the site knows.
        elsewhere = await (await browser.new_context()).new_page()
        await elsewhere.goto(page.url)
        await expect(elsewhere.locator("#chip")).to_have_attribute("data-state", "live")

        # The Wi-Fi is gone, and comes back.
        await page.context.set_offline(True)
        await missing(2)
        await expect(elsewhere.locator(f'[data-match="{match}"] .side__score').first).to_have_text("2")
        await page.context.set_offline(False)
        await back(2)

        # A phone sleeps.
        lifecycle = await page.context.new_cdp_session(page)
        await lifecycle.send("Page.setWebLifecycleState", {"state": "frozen"})
        await sync_to_async(scored)(tournament, match, 3)
        await expect(elsewhere.locator(f'[data-match="{match}"] .side__score').first).to_have_text("3")
        await page.evaluate("told.length = 0")
        await lifecycle.send("Page.setWebLifecycleState", {"state": "active"})
        await back(3)
        assert thrown == []


def begun(tournament: Tournament) -> int:
    match = Match.objects.filter(tournament=tournament, state="ready").order_by("number").first()
    matches.start(Actor(tournament.created_by), match.pk)
    return match.pk


def scored(tournament: Tournament, match: int, points: int) -> None:
    matches.update_score(Actor(tournament.created_by), match, Score(points, 0))


async def test_a_page_from_before_an_upgrade_goes_on_and_offers_the_new_one(address: str, browser: Browser):
    tournament = await sync_to_async(drawn)(4)
    match = await sync_to_async(begun)(tournament)
    page = await browser.new_page()

    async def of_a_newer_version(route):
        answer = await route.fetch()
        alien = '<div data-bind="n.1.unknown">new</div><div data-bracket><section class="part"></section></div>'
        headers = {**answer.headers, "x-version": "ffffffffffff"}
        await route.fulfill(response=answer, headers=headers, body=(await answer.text()) + alien)

    await page.goto(f"http://{address}/t/{tournament.pk}/bracket/")
    await expect(page.locator("#chip")).to_have_attribute("data-state", "live")
    offer = page.get_by_role("status").filter(has_text="The site was upgraded")
    await sync_to_async(scored)(tournament, match, 1)
    await expect(page.locator(f'[data-match="{match}"] .side__score').first).to_have_text("1")
    await expect(offer).to_have_count(0)

    await page.route("**/*region=*", of_a_newer_version)
    await sync_to_async(matches.finish)(Actor(tournament.created_by), match, Score(2, 0))
    await expect(offer).to_be_visible()
    await expect(page.get_by_text("new", exact=True)).to_have_count(1)
    other = await sync_to_async(begun)(tournament)
    await sync_to_async(scored)(tournament, other, 7)
    await expect(page.locator(f'[data-match="{other}"] .side__score').first).to_have_text("7")
    await page.unroute("**/*region=*")
    await offer.get_by_role("button", name="Load anew").click()
    await expect(page.locator("#chip")).to_have_attribute("data-state", "live")
    await expect(offer).to_have_count(0)


async def test_slash_searches_and_a_list_of_entrants_is_sifted_while_one_types(address: str, browser: Browser):
    tournament = await sync_to_async(drawn)(10, name="Zürich Open")
    page = await browser.new_page(viewport={"width": 1280, "height": 800})
    await page.goto(f"http://{address}/")
    await page.keyboard.press("/")
    await page.keyboard.type("zuri")
    await page.keyboard.press("Enter")
    await page.get_by_role("link", name="Zürich Open").click()
    await page.goto(f"http://{address}/t/{tournament.pk}/entrants/")
    people = page.locator(".people__one:visible")
    await expect(people).to_have_count(10)
    name = await people.nth(3).locator(".people__name").inner_text()
    box = page.get_by_placeholder("Filter by name")
    await box.fill(name.upper())
    await expect(people.first).to_contain_text(name)
    assert await people.count() < 10
    await box.press("/")
    await expect(box).to_have_value(f"{name.upper()}/")  # whoever writes a slash means one
    await box.fill("nobody is called so")
    await expect(people).to_have_count(0)
    await page.get_by_role("link", name="Overview").focus()
    await page.set_viewport_size({"width": 390, "height": 800})
    await page.keyboard.press("/")
    await page.wait_for_url("**/search/")
    await expect(page.get_by_role("searchbox")).to_be_focused()
