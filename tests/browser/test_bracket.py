"""The bracket under a hand: paths, zoom, folds, the map, a phone, and what is left without scripts."""

import re

import pytest
from playwright.async_api import expect

from apps.tournaments.models import Match
from apps.tournaments.services import Actor, brackets, entries, matches
from engine.match_flow import Score
from engine.stages import Format
from tests import factories
from tests.browser.test_formats import LINES, PHONE
from tests.browser.test_pages import Window, current, do
from tests.server import running_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

# The map is drawn anew in the frame after a change.
DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
DESK = {"viewport": {"width": 1440, "height": 900}}


@pytest.fixture
def olivia(transactional_db):
    return factories.make_user("olivia")


@pytest.fixture
def large(olivia):
    """128 entrants, of whom 40 play on in the second round: the first is over."""
    cup = factories.make_tournament(olivia, capacity=128)
    for n in range(128):
        entries.add(Actor(olivia), cup.pk, name=f"Entrant {n + 1}")
    factories.publish(cup)
    brackets.generate(Actor(olivia), cup.pk)
    factories.play(cup, matches_at_most=64 + 24)
    return factories.fresh(cup)


@pytest.fixture
def site(olivia):
    with running_server() as address:
        yield address


async def crossings(page):
    """Lines that touch a card, and how many lines there are."""
    seen = await page.evaluate(LINES)
    found = [
        (line, card)
        for line in seen["lines"]
        for card in seen["cards"]
        if not (
            line["right"] <= card["left"] + 1
            or line["left"] >= card["right"] - 1
            or line["bottom"] <= card["top"] + 1
            or line["top"] >= card["bottom"] - 1
        )
    ]
    return len(seen["lines"]), found


async def test_a_path_lights_by_mouse_keyboard_and_tap_and_stays_in_the_address(browser, site, olivia):
    cup = await do(factories.drawn, 8, olivia, format=Format.DOUBLE_ELIMINATION)
    await do(factories.play, cup, matches_at_most=5)  # the first upper round, and one match of the second
    first = await do(factories.match_number, cup, 1)
    entry, name = first.home_id, first.home.name
    async with Window(browser, site, **DESK) as page:
        await page.goto(f"/t/{cup.pk}/bracket/")
        rows, lit = page.locator(f".side[data-entry='{entry}']"), page.locator(".side.is-path")
        await rows.first.hover()
        await expect(lit).to_have_count(await rows.count())
        await expect(page.locator(".slot.is-path-out").first).to_be_attached()
        await page.mouse.move(1, 1)
        await expect(lit).to_have_count(0)

        await rows.first.click()
        await expect(page).to_have_url(re.compile(rf"\?entrant={entry}$"))
        await page.mouse.move(1, 1)
        await expect(page.locator(".pathbar")).to_contain_text(name)
        await page.keyboard.press("Escape")
        await expect(lit).to_have_count(0)
        await expect(page.locator(".pathbar")).to_have_count(0)
        assert "entrant" not in page.url

        await page.keyboard.press("Tab")
        await rows.first.focus()
        await expect(lit).to_have_count(await rows.count())
        await page.keyboard.press(" ")
        await page.get_by_label("Follow an entrant").focus()
        await expect(page.get_by_label("Follow an entrant")).to_have_value(str(entry))
        await expect(lit).to_have_count(await rows.count())

    third, fourth = [await do(factories.match_number, cup, number) for number in (3, 4)]
    async with Window(browser, site, **PHONE) as page:
        await page.goto(f"/t/{cup.pk}/bracket/?entrant={third.home_id}")  # a link that somebody was given
        await expect(page.locator(".pathbar")).to_contain_text(third.home.name)
        await expect(page.locator(".pathbar")).to_contain_text(f"Next: {fourth.home.name}")
        await page.get_by_role("button", name=re.compile("^Let go")).tap()
        waiting = page.locator("#round-2 .side[data-entry]").first
        await waiting.tap()
        await expect(page.locator(".pathbar strong")).to_have_text(await waiting.locator(".side__name").inner_text())


async def test_ones_own_path_is_offered_and_the_possible_next_opponents_are_told(browser, site, olivia):
    cup = await do(factories.drawn, 8, olivia)
    await do(factories.play, cup, matches_at_most=1)
    first, second = [await do(factories.match_number, cup, number) for number in (1, 2)]
    async with Window(browser, site, first.home.user, **DESK) as page:
        await page.goto(f"/t/{cup.pk}/bracket/")
        await current(page)
        await page.get_by_role("link", name="My path").click()
        names = f"Next: {second.home.name} or {second.away.name}"
        await expect(page.locator(".pathbar")).to_contain_text(names)
        await expect(page.locator(f"[data-match='{second.pk}']")).to_have_class(re.compile("is-next"))
        await do(matches.start, Actor(olivia), second.pk)
        await do(matches.finish, Actor(olivia), second.pk, Score(0, 1))
        await expect(page.locator(".pathbar")).to_contain_text(f"Next: {second.away.name}")
        await expect(page.locator(".match.is-next")).to_have_count(0)


@pytest.mark.parametrize("entrants", [11])
async def test_no_line_crosses_a_card_at_any_zoom_or_with_rounds_folded(browser, site, olivia, entrants):
    cup = await do(factories.drawn, entrants, olivia, format=Format.DOUBLE_ELIMINATION)
    await do(factories.play, cup, matches_at_most=9)
    async with Window(browser, site, **DESK) as page:
        await page.goto(f"/t/{cup.pk}/bracket/")
        zoom, parts = page.get_by_role("group", name="Zoom"), page.locator(".bracket__parts")
        await expect(zoom).to_be_visible()
        await page.locator(".bracket").focus()
        for key, level in (("+", "120"), ("0", "100"), ("-", "83"), ("-", "69")):
            await page.keyboard.press(key)
            await expect(zoom.locator("output")).to_have_text(level)
            lines, crossed = await crossings(page)
            assert lines > entrants
            assert crossed == []
        await page.get_by_role("button", name="Fold Upper round 1").click()
        await expect(page.locator("#round-1 .match").first).to_be_hidden()
        assert (await crossings(page))[1] == []
        await zoom.get_by_role("button", name="Fit").click()
        box, whole = await parts.bounding_box(), await page.locator(".bracket").bounding_box()
        assert box["width"] <= whole["width"] + 1
        assert box["height"] <= whole["height"] + 1
        before = float(await zoom.locator("output").inner_text())
        await page.mouse.move(whole["x"] + 300, whole["y"] + 200)
        await page.keyboard.down("Control")
        await page.mouse.wheel(0, -200)
        await page.keyboard.up("Control")
        await expect(zoom.locator("output")).not_to_have_text(f"{before:.0f}")
        assert (await crossings(page))[1] == []


async def test_a_round_that_is_over_folds_and_stays_as_it_was_left(browser, site, olivia, large):
    async with Window(browser, site, **DESK) as page:
        await page.goto(f"/t/{large.pk}/bracket/")
        await current(page)
        first, second = page.locator("#round-1"), page.locator("#round-2")
        await expect(first.locator(".match").first).to_be_hidden()
        await page.get_by_role("button", name="Open Round of 128").click()
        await expect(first.locator(".match").first).to_be_visible()
        await page.reload()
        await expect(first.locator(".match").first).to_be_visible()  # it is remembered
        await page.get_by_role("button", name="Fold Round of 128").click()
        await expect(first.locator(".match").first).to_be_hidden()
        await page.evaluate(DRAWN)

        bracket, frame = page.locator(".bracket"), page.locator(".minimap__frame")
        await expect(frame).to_have_css("translate", re.compile(r"^[\d.]+px$"))  # not scrolled down
        box = await page.locator(".minimap").bounding_box()
        await page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] - 8)
        assert await bracket.evaluate("b => b.scrollTop + b.clientHeight > b.scrollHeight - 5")
        await expect(frame).to_have_css(
            "translate", re.compile(r"^[\d.]+px \d{2,3}\.")
        )  # told a frame after the scroll
        await page.mouse.move(600, 700)
        await page.mouse.down()
        await page.mouse.move(600, 840, steps=3)
        await page.mouse.up()
        top = await bracket.evaluate("b => b.scrollHeight - b.clientHeight - b.scrollTop")
        assert 100 < top < 180
        assert page.url.endswith("/bracket/")  # to move is no click

        place = await bracket.evaluate("b => b.scrollTop")
        await do(factories.play, large, matches_at_most=8)  # the second round ends while it is looked at
        await expect(second).to_have_attribute("data-state", "done", timeout=10_000)
        await expect(second.locator(".match").first).to_be_visible()
        await expect(page.get_by_role("button", name="Fold Round of 64")).to_be_visible()
        assert await bracket.evaluate("b => b.scrollTop") == place


async def test_128_entrants_on_a_phone_are_read_round_by_round(browser, site, large):
    async with Window(browser, site, **PHONE) as page:
        await page.goto(f"/t/{large.pk}/bracket/")
        here = page.locator(".roundnav [aria-current]")
        await expect(here).to_have_text("Round of 64")
        assert await here.get_attribute("data-say") == "24 of 32"
        assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        card = page.locator("#round-2 .match:not([data-state=completed])").first
        await card.scroll_into_view_if_needed()
        await expect(card.locator(".match__next")).to_contain_text("Winner meets ")
        names = card.locator(".side__name")
        for at in (0, 1):
            assert await names.nth(at).evaluate("n => n.scrollWidth <= n.clientWidth")
            assert float((await names.nth(at).evaluate("n => getComputedStyle(n).fontSize"))[:-2]) >= 13

        # A swipe goes on to the next round, and arrives at the match that follows from the one in view.
        number = int(await card.get_attribute("data-match"))
        goes_to = await do(lambda: Match.objects.get(pk=number).winner_to)
        following = await do(factories.match_number, large, goes_to)
        await card.evaluate("c => c.scrollIntoView({block: 'center'})")
        await page.locator(".bracket__rounds").evaluate("s => s.scrollBy({left: s.clientWidth, behavior: 'smooth'})")
        await expect(here).to_have_text("Round of 32")
        await expect(page.locator("#round-3")).to_be_in_viewport(ratio=0.1)
        await expect(page.locator(f"[data-match='{following.pk}']")).to_be_in_viewport(ratio=0.9)
        await page.get_by_role("link", name="Quarter-finals").tap()
        await expect(page.locator("#round-5 .match").first).to_be_in_viewport(ratio=0.9)


async def test_without_scripts_every_match_can_be_reached(browser, site, large):
    async with Window(browser, site, java_script_enabled=False, **DESK) as page:
        await page.goto(f"/t/{large.pk}/bracket/")
        first = page.locator("#round-1 .match")
        await expect(first).to_have_count(64)
        await expect(first.first).to_be_visible()  # nothing is folded that nobody could open
        last = first.last
        await last.scroll_into_view_if_needed()
        await expect(last).to_be_in_viewport()
        await last.locator(".side").first.click()
        await expect(page).to_have_url(re.compile(r"/m/\d+/$"))
        await page.goto(f"/t/{large.pk}/bracket/")
        await page.get_by_label("Follow an entrant").select_option(label="Entrant 7")
        await page.get_by_role("button", name="Follow", exact=True).click()
        await expect(page.locator(".side.is-path .side__name").first).to_have_text("Entrant 7")
        await page.set_viewport_size({"width": 390, "height": 844})
        await page.locator(".roundnav").get_by_role("link", name="Final", exact=True).click()
        await expect(page.locator("#round-7 .match").first).to_be_in_viewport(ratio=0.9)
