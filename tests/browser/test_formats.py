"""Brackets, tables, the past and a correction in a real browser, for every format."""

import re

import pytest
from playwright.async_api import expect

from apps.eventlog.models import Event
from apps.tournaments.models import Match
from apps.tournaments.services import Actor, brackets, matches, stages
from engine.match_flow import Score
from engine.stages import Format
from tests import factories
from tests.browser.test_pages import LONG, Window, current, do
from tests.server import running_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def olivia(transactional_db):
    return factories.make_user("olivia")


@pytest.fixture
def double(olivia):
    """A double elimination of six, best of three, half played."""
    cup = factories.drawn(6, olivia, format=Format.DOUBLE_ELIMINATION, stage={"best_of": 3})
    cup.entries.filter(seed=2).update(name=LONG)
    factories.play(cup, matches_at_most=5)
    return factories.fresh(cup)


@pytest.fixture
def swiss(olivia):
    """A Swiss of five in its second round."""
    cup = factories.drawn(5, olivia, format=Format.SWISS)
    cup.entries.filter(seed=1).update(name=LONG)
    factories.play(cup, matches_at_most=3)
    return factories.fresh(cup)


@pytest.fixture
def groups(olivia):
    """Two groups of four with one match left, and playoffs to come."""
    cup = factories.open_with_entries(8, olivia, format=Format.ROUND_ROBIN, stage={"groups": 2, "advance": 2})
    stages.add(Actor(olivia), cup.pk, format=Format.SINGLE_ELIMINATION, name="Playoffs")
    cup = factories.draw(cup)
    factories.play(cup, matches_at_most=11)
    return factories.fresh(cup)


@pytest.fixture
def site(olivia):
    with running_server() as address:
        yield address


@pytest.mark.parametrize("scripts", [True, False])
async def test_nothing_sticks_out_at_any_width(browser, site, olivia, double, swiss, groups, scripts):
    over = await do(lambda: Match.objects.filter(tournament=double, state="completed").first())
    open_one = await do(lambda: Match.objects.filter(tournament=double, state="ready").first())
    paths = [
        *(f"/t/{cup.pk}/{tab}" for cup in (double, swiss, groups) for tab in ("", "bracket/", "matches/", "history/")),
        f"/t/{groups.pk}/bracket/?stage=2", f"/t/{double.pk}/bracket/?view=tv", f"/t/{swiss.pk}/bracket/?view=tv",
        f"/t/{groups.pk}/manage/", f"/t/{swiss.pk}/manage/", f"/t/{groups.pk}/manage/stages/",
        f"/m/{over.pk}/", f"/m/{over.pk}/reopen/", f"/m/{open_one.pk}/",
    ]  # fmt: skip
    async with Window(browser, site, olivia, java_script_enabled=scripts) as page:
        for path in paths:
            await page.set_viewport_size({"width": 320, "height": 640})
            await page.goto(path)
            # All at once: one that is open may cover the next.
            await page.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")
            for width in (320, 768, 1280):
                await page.set_viewport_size({"width": width, "height": 800})
                out = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert out <= 0, (path, width)


LINES = """() => {
    const box = (element) => {
        const {left, top, right, bottom} = element.getBoundingClientRect();
        return {left, top, right, bottom};
    };
    const lines = [];
    for (const element of document.querySelectorAll(".slot, .part--upper, .part--lower")) {
        if (!element.getClientRects().length) continue; // in a round that is folded
        for (const which of ["::before", "::after"]) {
            const style = getComputedStyle(element, which);
            if (style.content === "none" || style.display === "none") continue;
            const {left, top} = box(element);
            const px = (name) => parseFloat(style[name]) * element.currentCSSZoom;
            const x = left + px("left"), y = top + px("top");
            lines.push({left: x, top: y, right: x + px("width"), bottom: y + px("height")});
        }
    }
    for (const part of document.querySelectorAll(".part--upper, .part--lower")) {
        const [first] = [...part.querySelectorAll(".round--last .match")].map(box);
        const middle = (first.top + first.bottom) / 2;
        lines.push({left: first.right + 1, top: middle - 1, right: box(part).right, bottom: middle + 1});
    }
    const cards = [...document.querySelectorAll(".match, .pass")].filter((card) => card.getClientRects().length);
    return {lines, cards: cards.map(box),
            border: box(document.querySelector(".part--lower")).top,
            final: [...document.querySelectorAll(".part--final .match")].map(box)};
}"""


UNBOUND = """() => {
    const sheet = new CSSStyleSheet();  // which the page's policy lets pass, unlike an element with styles
    sheet.replaceSync(".bracket {max-block-size: none !important; overflow: visible !important}");
    document.adoptedStyleSheets.push(sheet);
}"""


@pytest.mark.parametrize("entrants", [3, 6, 11])
async def test_lines_of_a_double_elimination_never_cross_a_card(browser, site, olivia, entrants):
    cup = await do(factories.drawn, entrants, olivia, format=Format.DOUBLE_ELIMINATION)
    async with Window(browser, site, viewport={"width": 1440, "height": 900}) as page:
        await page.goto(f"/t/{cup.pk}/bracket/")
        await page.evaluate(UNBOUND)
        seen = await page.evaluate(LINES)
    assert len(seen["lines"]) > entrants
    for line in seen["lines"]:
        assert line["right"] >= line["left"]
        assert line["bottom"] >= line["top"]
        for card in seen["cards"]:
            apart_x = line["right"] <= card["left"] + 1 or line["left"] >= card["right"] - 1
            apart_y = line["bottom"] <= card["top"] + 1 or line["top"] >= card["bottom"] - 1
            assert apart_x or apart_y, (line, card)
    for card in seen["final"]:  # between the two brackets
        assert abs((card["top"] + card["bottom"]) / 2 - seen["border"]) < 2


async def test_a_phone_leads_through_each_bracket_by_itself(browser, site, double):
    async with Window(browser, site, **PHONE) as page:
        await page.goto(f"/t/{double.pk}/bracket/")
        upper, lower = page.locator(".part--upper"), page.locator(".part--lower")
        await lower.get_by_role("link", name="Lower final").tap()
        await expect(lower.locator(".round--last")).to_be_in_viewport(ratio=0.9)
        await expect(lower.locator(".roundnav [aria-current]")).to_have_text("Lower final")
        await expect(upper.locator(".roundnav [aria-current]")).to_have_text("Upper final")
        await page.locator("#grand-final-1").scroll_into_view_if_needed()
        await expect(page.locator("#grand-final-1")).to_be_in_viewport(ratio=0.9)


async def test_a_reset_that_is_not_needed_turns_grey_without_a_reload(browser, site, olivia, double):
    async with Window(browser, site) as page:
        await page.goto(f"/t/{double.pk}/bracket/")
        await current(page)
        reset = page.locator("#grand-final-2 .match")
        await expect(reset).to_contain_text("If needed")
        await do(factories.play, double)
        await expect(reset).to_have_attribute("data-state", "cancelled")
        await expect(reset).to_contain_text("Not needed")


async def test_a_table_follows_every_result_and_keeps_what_was_opened(browser, site, olivia, swiss):
    async with Window(browser, site, **PHONE) as page:
        await page.goto(f"/t/{swiss.pk}/bracket/")
        await current(page)
        second = page.locator(".line").nth(1)
        await second.locator("summary").tap()
        await expect(second.locator("p")).to_contain_text(re.compile("^(above|level with) "))
        points = page.locator(".standing__points")
        before = await points.all_inner_texts()
        match = await do(lambda: Match.objects.filter(tournament=swiss, state="ready").first())
        await do(matches.start, Actor(olivia), match.pk)
        await do(matches.finish, Actor(olivia), match.pk, Score(1, 1))
        await expect(points).not_to_have_text(before)
        await expect(page.locator(".why[open]")).to_have_count(1)


async def test_the_next_stage_appears_when_it_is_drawn(browser, site, olivia, groups):
    async with Window(browser, site) as page:
        await page.goto(f"/t/{groups.pk}/bracket/")
        await current(page)
        await expect(page.locator(".switch [aria-current]")).to_contain_text("in play")
        await do(factories.play, groups, matches_at_most=1)
        await expect(page.locator(".switch [aria-current]")).to_contain_text("over")
        await do(brackets.generate, Actor(olivia), groups.pk)
        await expect(page.locator(".switch [aria-current]")).to_contain_text("Playoffs")
        await expect(page.locator(".bracket .match")).to_have_count(4)
        await expect(page.locator(".standing")).to_have_count(0)


async def test_the_slider_shows_the_past_at_once_and_then_as_the_server_has_it(browser, site, double):
    drawn = await do(lambda: Event.objects.get(stream__name=double.stream, type="bracket_generated").seq)
    async with Window(browser, site) as page:
        await page.goto(f"/t/{double.pk}/history/")
        slider, past = page.locator("input[type=range]"), page.locator(".past")
        score = page.locator(".part--upper .side__score").first
        await expect(score).not_to_be_empty()
        await expect(page.locator(".moment")).to_contain_text("This is how it stands now")

        # The log is folded here: no page comes from the server.
        await page.route("**/history/*region=past*", lambda route: route.abort())
        await slider.fill(str(drawn + 1))
        await expect(score).to_be_empty()
        await expect(past).not_to_have_attribute("data-at", str(drawn + 1))

        await page.unroute_all()
        await slider.fill(str(drawn - 1))
        await expect(past).to_have_attribute("data-at", str(drawn - 1))
        await expect(page.locator(".bracket")).to_have_count(0)
        await expect(page.locator(".moment")).to_contain_text("You are looking at")
        assert page.url.endswith(f"?at={drawn - 1}")

        await page.get_by_role("link", name="One step on").click()
        await expect(page.locator(".bracket .match").first).to_be_visible()
        await slider.focus()
        await page.keyboard.press("End")
        await expect(page.locator(".moment")).to_contain_text("This is how it stands now")
        await page.get_by_role("link", name="Back to now").click()
        await current(page)


async def test_the_slider_is_a_form_without_scripts(browser, site, double):
    async with Window(browser, site, java_script_enabled=False) as page:
        await page.goto(f"/t/{double.pk}/history/")
        await page.locator("input[type=range]").focus()
        await page.keyboard.press("Home")
        await page.get_by_role("button", name="Show").click()
        await expect(page.locator(".moment")).to_contain_text("The tournament was published.")
        await expect(page.locator(".bracket")).to_have_count(0)


async def test_a_result_is_corrected_after_a_preview_and_the_correction_undone(browser, site, olivia):
    cup = await do(factories.drawn, 4, olivia)
    await do(factories.play, cup, matches_at_most=3)
    first, final = [await do(factories.match_number, cup, number) for number in (1, 4)]
    await do(matches.start, Actor(olivia), final.pk)
    async with Window(browser, site, olivia, **PHONE) as page, Window(browser, site) as watching:
        await watching.goto(f"/t/{cup.pk}/bracket/")
        await current(watching)
        finalists = watching.locator("#round-2 .slot .side__name")
        await expect(finalists).to_have_text([final.home.name, final.away.name])

        await page.goto(f"/m/{first.pk}/")
        await page.get_by_role("link", name="Correct it or take it back").tap()
        await page.locator("input[name=home_score]").first.fill("0")
        await page.locator("input[name=away_score]").first.fill("3")
        await page.get_by_role("button", name="See what this would undo").tap()
        await expect(page.get_by_text("is being played now")).to_be_visible()
        await do(matches.update_score, Actor(olivia), final.pk, Score(1, 0))  # meanwhile
        await page.get_by_role("button", name="Make it 0–3").tap()
        await expect(page.locator("#failure")).to_contain_text("Things have changed")
        await page.get_by_role("button", name="Make it 0–3").tap()
        await expect(page.locator(".board__points")).to_have_text(["0", "3"])
        await expect(finalists).to_have_text([first.away.name, final.away.name])

        await page.get_by_role("button", name="Undo this").first.tap()
        await expect(page.locator(".board__points")).to_have_text(["1", "0"])
        await expect(finalists).to_have_text([final.home.name, final.away.name])


async def test_a_player_checks_in_and_then_reports(browser, site, olivia):
    cup = await do(factories.drawn, 4, olivia, match_check_in_minutes=10, stage={"third_place_match": False})
    await do(factories.play, cup, matches_at_most=2)
    final = await do(factories.match_number, cup, 3)
    async with Window(browser, site, final.home.user, **PHONE) as page:
        await page.goto("/me/")
        await current(page)
        await page.get_by_role("button", name="I am here").tap()
        await expect(page.locator(".panel--mine")).to_contain_text("has not checked in yet")
        await do(matches.check_in, Actor(final.away.user), final.pk)
        await expect(page.get_by_role("button", name="Report the score")).to_be_visible()
