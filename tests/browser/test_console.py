"""
The organiser's console in a real browser: from nothing to a champion by the keyboard alone, seeds by hand, and a
referee who came by a link takes a result back.
"""

import re

import pytest
from playwright.async_api import expect

from apps.eventlog.models import Event
from apps.tournaments.models import Match, Role, Tournament
from apps.tournaments.services import Actor, staff_links
from engine.stages import Format
from tests import factories
from tests.browser.test_pages import Window, current, do
from tests.server import running_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

ENTRANTS = [f"Player {number:02d}" for number in range(1, 17)]


@pytest.fixture
def olivia(transactional_db):
    return factories.make_user("olivia")


@pytest.fixture
def site(olivia):
    with running_server() as address:
        yield address


async def test_from_nothing_to_a_champion_by_the_keyboard_alone(browser, site, olivia):
    async with Window(browser, site, olivia, viewport={"width": 1280, "height": 900}) as page:
        keys = page.keyboard
        await page.goto("/new/")
        await expect(page.locator("input[name=name]")).to_be_focused()
        await keys.press("Enter")  # the name that is suggested will do
        await expect(page).to_have_url(re.compile(r"/setup/format/$"))
        await expect(page.locator("input[name=format]:checked")).to_be_focused()
        await keys.press("ArrowDown")  # from single to double elimination
        await expect(page.locator(".format:has(:checked)")).to_contain_text("30 or 31 matches")
        await keys.press("Enter")
        await expect(page).to_have_url(re.compile(r"/setup/entrants/$"))
        await page.locator("textarea[name=list]").focus()
        await keys.insert_text("\n".join(ENTRANTS))
        await keys.press("Tab")
        await keys.press("Tab")
        await keys.press("Enter")
        await expect(page.get_by_text("16 entrants understood")).to_be_visible()
        await page.get_by_role("button", name="Add 16 entrants and go on").focus()
        await keys.press("Enter")
        await page.get_by_label("Let people sign up at once").set_checked(False)
        await page.get_by_role("button", name="Publish").focus()
        await keys.press("Enter")
        await expect(page).to_have_url(re.compile(r"/t/\d+/manage/$"))

        await page.get_by_role("button", name="Draw the bracket").focus()
        await keys.press("Enter")
        await expect(page.locator(".toast")).to_contain_text("The bracket is drawn.")
        await current(page)
        await page.evaluate("window.neverLeft = true")
        await page.locator("[data-region=board] .scoreline input.number").first.focus()
        line = await page.locator("[data-region=board] .scoreline").first.bounding_box()
        assert line["height"] < 60  # names, numbers and the button stand in one line
        for played in range(40):
            if await page.locator(".champion").count():
                break
            form = page.locator("[data-region=board] .scoreline:has(input:focus)")
            match = await form.get_attribute("data-result")
            await keys.insert_text("2" if played % 3 else "0")
            await keys.press("Tab")
            await keys.insert_text("1")
            await keys.press("Enter")
            await expect(page.locator(f".scoreline[data-result='{match}']")).to_have_count(0)
            await expect(page.locator(".scoreline input:focus, .champion").first).to_be_visible()
        await expect(page.locator(".champion").first).to_contain_text("Champion")
        assert await page.evaluate("window.neverLeft") is True
        assert played in (30, 31)

    cup = await do(lambda: Tournament.objects.select_related("champion").get())
    assert (cup.status, cup.capacity) == ("completed", 16)
    assert await do(lambda: cup.matches.exclude(state="cancelled").count()) == played


async def test_a_wrong_result_is_taken_back_from_the_toast_and_on_a_phone_the_match_is_a_sheet(browser, site, olivia):
    cup = await do(factories.drawn, 4, olivia)
    first = await do(factories.match_number, cup, 1)
    async with Window(browser, site, olivia, viewport={"width": 390, "height": 844}) as page:
        await page.goto(f"/t/{cup.pk}/manage/")
        await current(page)
        row = page.locator(f".row[data-match='{first.pk}']")
        await row.locator("input[name=home_score]").fill("3")
        await row.locator("input[name=away_score]").fill("0")
        await row.get_by_role("button", name="Enter the result").click()
        await page.locator(".toast").get_by_role("button", name="Undo").click()
        await expect(page.locator(".toast")).to_contain_text("The result was taken back.")
        await expect(row.locator("input[name=home_score]")).to_have_value("")

        await page.goto(f"/t/{cup.pk}/manage/bracket/")
        await current(page)
        opener = page.locator(f".bracket [data-match='{first.pk}'] .side").first
        await opener.focus()
        await page.keyboard.press("Enter")
        sheet = page.locator(".workbench__match")
        await expect(sheet.get_by_role("heading", name=re.compile("Match 1"))).to_be_focused()
        assert await sheet.evaluate("e => getComputedStyle(e).position") == "fixed"
        await sheet.get_by_role("button", name="Start the match").click()
        await expect(page.locator(f".bracket [data-match='{first.pk}']")).to_have_attribute("data-state", "live")
        await page.keyboard.press("Escape")
        await expect(sheet.get_by_role("heading", name=re.compile("Match 1"))).to_have_count(0)
        assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


async def test_seeds_are_set_by_keyboard_and_by_drag_in_one_save(browser, site, olivia):
    cup = await do(factories.open_with_entries, 4, olivia)
    names = await do(lambda: list(cup.entries.order_by("pk").values_list("name", flat=True)))
    async with Window(browser, site, olivia, viewport={"width": 1100, "height": 900}) as page:
        await page.goto(f"/t/{cup.pk}/manage/entrants/")
        grips, say = page.locator("[data-grip]"), page.locator("[data-seeding-say]")
        first = page.locator(".seeds__one").first
        await grips.nth(3).focus()
        for key in ("Space", "ArrowUp", "ArrowUp"):
            await page.keyboard.press(key)
        await expect(say).to_have_text(f"Seed 2 of 4. Meets {names[1]} first.")
        await page.keyboard.press("Escape")
        await expect(page.locator(".seeds__one").nth(3)).to_contain_text(names[3])
        for key in ("Space", "Home", "Space"):
            await page.keyboard.press(key)
        await expect(first).to_contain_text(names[3])
        await expect(say).to_contain_text(f"{names[3]} is dropped. Seed 1 of 4.")

        # And with the pointer: who is first now goes below who is third.
        start, end = await grips.nth(0).bounding_box(), await grips.nth(2).bounding_box()
        await page.mouse.move(start["x"] + 10, start["y"] + 10)
        await page.mouse.down()
        await page.mouse.move(end["x"] + 10, end["y"] + end["height"] - 2, steps=6)
        await page.mouse.up()
        await expect(page.locator(".firstround__pair").first).to_contain_text(names[0])
        before = await do(lambda: Event.objects.filter(type="entries_seeded").count())
        await page.locator("[data-seeding-save]").click()
        await expect(page.locator(".toast")).to_contain_text("Seeds saved.")
    seeded = await do(lambda: list(cup.entries.order_by("seed").values_list("name", flat=True)))
    assert seeded == [names[0], names[1], names[3], names[2]]
    assert await do(lambda: Event.objects.filter(type="entries_seeded").count()) == before + 1


async def test_a_referee_by_link_takes_a_result_back_and_sees_first_what_it_undoes(browser, site, olivia):
    cup = await do(factories.drawn, 8, olivia, format=Format.DOUBLE_ELIMINATION)
    await do(factories.play, cup, matches_at_most=8)
    await do(staff_links.make, Actor(olivia), cup.pk, role=Role.REFEREE)
    link = await do(cup.staff_links.get)
    first = await do(factories.match_number, cup, 1)
    rita = await do(factories.make_user, "rita")
    async with Window(browser, site, rita, viewport={"width": 1280, "height": 900}) as page:
        await page.goto(f"/join/{link.token}/")
        await page.get_by_role("button", name="Join as a referee").click()
        await expect(page).to_have_url(re.compile(r"/manage/$"))
        await page.goto(f"/t/{cup.pk}/manage/bracket/")
        await current(page)
        await page.locator(f".bracket [data-match='{first.pk}'] .side").first.click()
        beside = await page.locator(".workbench__aside").bounding_box()
        assert await page.evaluate("innerWidth") - beside["x"] - beside["width"] < 80  # the rest is the bracket's
        await page.get_by_role("button", name="Take the result back").click()
        await expect(page).to_have_url(re.compile(rf"/m/{first.pk}/reopen/$"))
        await expect(page.locator(".bracket [data-mark=this] .match__mark")).to_have_text("this match")
        voided = page.locator(".bracket [data-mark=voided]")
        await expect(voided.first).to_contain_text("loses its result")
        told = await page.locator(".effects li:not([data-live]) .effects__where").count()
        assert 0 < await voided.count() <= told
        await page.get_by_role("button", name="Open the match again").click()
        await expect(page.locator(".toast")).to_contain_text("Done.")
        assert (await do(Match.objects.get, pk=first.pk)).state == "ready"
        await page.locator(".toast").get_by_role("button", name="Undo").click()
        await expect(page.locator(".board")).to_have_attribute("data-state", "completed")
