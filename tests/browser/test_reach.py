"""Everybody reaches everything: from right to left, by keyboard alone, by ear, without motion, in any colours."""

import re
from itertools import pairwise

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from apps.tournaments.services import matches
from engine.match_flow import Score
from tests import factories, pseudo
from tests.browser.test_pages import Window, current, do
from tests.server import running_server
from tests.world import World, make_world

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

WIDTHS = (320, 1280)
TALL = 2400  # so that what sticks to the edge of the window lies over nothing
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
LOOKS = [(390, "light"), (1280, "dark")]
# What sticks out of the window and does not lie in something that scrolls or cuts it off by intent.
STICKING_OUT = """() => [...document.body.querySelectorAll("*")].filter((element) => {
    const box = element.getBoundingClientRect();
    if (!box.width || !box.height || (box.left > -2 && box.right < innerWidth + 2)) return false;
    for (let one = element; one !== document.body; one = one.parentElement) {
        const style = getComputedStyle(one);
        if (style.position === "fixed" && style.display === "none") return false;
        if (one !== element && style.overflowX !== "visible") return false;
        if (style.clipPath !== "none" || style.visibility === "hidden") return false;
    }
    return true;
}).map((element) => `${element.tagName} ${element.className?.baseVal ?? element.className} in
    ${element.parentElement.className}`).slice(0, 3)"""


# All that folds, except what would lie over other things.
OPEN_ALL = """() => document.querySelectorAll("details").forEach((details) => {
    details.open = true;
    const positions = [...details.children].map((child) => getComputedStyle(child).position);
    details.open = !positions.includes("absolute");
})"""


@pytest.fixture
def world(transactional_db) -> World:
    return make_world()


@pytest.fixture
def site(world):
    with running_server() as address:
        yield address


def pages_of(world, person):
    """Every kind of page that a person has, where there is something on it."""
    states, double, groups, teams = (world.cups[name].pk for name in ("states", "double", "groups", "teams"))
    live, reported, disputed, done = (factories.match_number(world.cups["states"], n).pk for n in (1, 2, 3, 4))
    vetoed = world.cups["veto"].matches.exclude(veto=None).get().pk
    match person:
        case "guest":
            framed = [f"/embed/t/{states}/bracket/", f"/embed/t/{groups}/standings/", f"/embed/t/{states}/matches/"]
            return [
                "/", "/finished/", "/teams/", "/accounts/login/", "/accounts/signup/", "/nothing/", "/search/?q=a",
                *(f"/t/{states}/{tab}" for tab in ("", "bracket/", "matches/", "entrants/", "activity/", "history/")),
                f"/t/{double}/bracket/", f"/t/{double}/schedule/", f"/t/{groups}/bracket/",
                f"/t/{world.cups['swiss'].pk}/bracket/", f"/t/{world.cups['over'].pk}/",
                f"/t/{states}/bracket/?view=tv",
                f"/m/{live}/", f"/m/{done}/", f"/m/{vetoed}/", *framed, "/styleguide/",
            ]  # fmt: skip
        case "player":
            entry = world.cups["open"].entries.get(user=world.player)
            return [
                "/me/", "/me/access/", "/me/notifications/", "/me/data/", "/me/delete/",
                f"/t/{entry.tournament_id}/", f"/t/{entry.tournament_id}/entries/{entry.pk}/",
                f"/t/{teams}/",
                f"/m/{live}/", f"/m/{reported}/", f"/m/{disputed}/", "/accounts/password/change/", "/accounts/email/",
                "/accounts/sessions/",
            ]  # fmt: skip
    console = (
        "", "bracket/", "entrants/", "entrants/list/", "schedule/", "stages/", "files/", "moderation/",
        "settings/", "staff/", "integrations/", "overlays/",
    )  # fmt: skip
    return [
        "/new/", *(f"/t/{states}/manage/{tab}" for tab in console), f"/t/{double}/manage/schedule/",
        f"/t/{teams}/manage/entrants/", f"/m/{disputed}/", f"/m/{live}/", f"/m/{done}/reopen/",
        *(f"/t/{world.cups['draft'].pk}/setup/{step}/" for step in ("name", "format", "entrants", "publish")),
    ]  # fmt: skip


@pytest.mark.parametrize("person", ["guest", "organiser"])
async def test_nothing_sticks_out_of_a_page_that_is_read_from_right_to_left(browser, site, world, person, monkeypatch):
    pseudo.speak(monkeypatch, "ar-xa")
    wrong = []
    async with Window(browser, site, getattr(world, person, None)) as page:
        for path in await do(pages_of, world, person):
            await page.goto(path)
            await expect(page.locator("html")).to_have_attribute("dir", "rtl")
            for width in WIDTHS:
                await page.set_viewport_size({"width": width, "height": 800})
                if out := await page.evaluate(STICKING_OUT):
                    wrong.append((path, width, out))
    assert not wrong


@pytest.mark.parametrize("person", ["guest", "player", "organiser"])
async def test_axe_finds_nothing(browser, site, world, person):
    """Pages take turns at a phone in light and a desk in dark; what shows every part in every state is seen in both."""
    axe, wrong = Axe(), {}
    async with Window(browser, site, getattr(world, person, None)) as page:
        for number, path in enumerate(await do(pages_of, world, person)):
            await page.goto(path)
            await page.evaluate(OPEN_ALL)
            for width, scheme in LOOKS if path == "/styleguide/" else [LOOKS[number % 2]]:
                await page.set_viewport_size({"width": width, "height": TALL})
                await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                found = await axe.run(page, options={"runOnly": WCAG, "resultTypes": ["violations"]})
                for violation in found.response["violations"]:
                    for node in violation["nodes"]:
                        why = " ".join(node["failureSummary"].split())[:200]
                        wrong.setdefault(f"{violation['id']}: {node['html'][:160]} {why}", f"{path} {width} {scheme}")
    assert not wrong, "\n".join(f"{where}: {what}" for what, where in wrong.items())


FOCUS = """() => {
    const element = document.activeElement, box = element.getBoundingClientRect(), style = getComputedStyle(element);
    const name = element.getAttribute("aria-label") ?? element.labels?.[0]?.innerText ?? element.innerText ?? "";
    const top = document.elementFromPoint(box.left + box.width / 2, box.top + Math.min(box.height / 2, 10));
    const around = getComputedStyle(element.parentElement);
    const shown = [style, around].some((one) => one.outlineStyle !== "none" || one.boxShadow !== "none");
    return { name: name.trim().replace(/\\s+/g, " "), tag: element.tagName, html: element.outerHTML.slice(0, 200),
        seen: (shown || element.id === "main") && (!top || element.contains(top) || top.contains(element)) };
}"""
HEARD = """() => {
    window.heard = [];
    const region = document.getElementById("announcer");
    const note = () => heard.push([performance.now(), region.textContent]);
    new MutationObserver(note).observe(region, { childList: true });
}"""


async def test_twenty_changes_at_once_are_heard_in_one_breath(browser, site, world, every_score):
    """A screen reader is not flooded: at most a message every four seconds, and the last says how things stand."""
    live = await do(factories.match_number, world.cups["states"], 1)
    async with Window(browser, site) as page:
        await page.goto(f"/t/{live.tournament_id}/bracket/")
        await current(page)
        await page.evaluate(HEARD)
        for points in range(3, 23):
            await do(matches.update_score, world.by, live.pk, Score(points, 1))
        await expect(page.locator("#announcer")).to_have_text(f"{live.home.name} 22, {live.away.name} 1.")
        heard = await page.evaluate("heard")
        assert len(heard) <= 3
        assert all(later[0] - former[0] > 3500 for former, later in pairwise(heard))


async def test_whoever_wants_no_motion_sees_none(browser, site, world):
    moving = """() => document.getAnimations().filter((one) => one.playState === "running"
        && one.effect.getComputedTiming().duration > 1).map((one) => one.animationName ?? one.transitionProperty)"""
    live = await do(factories.match_number, world.cups["states"], 1)
    async with Window(browser, site, reduced_motion="reduce") as page:
        for path in ("/", f"/t/{live.tournament_id}/bracket/", f"/m/{live.pk}/"):
            await page.goto(path)
            await current(page) if path != "/" else None
            assert await page.evaluate(moving) == []


async def test_a_player_signs_in_finds_the_match_and_reports_it_by_keyboard_alone(browser, site, world):
    """Tab, Enter and typing; what has the focus is to be seen, and lies nowhere behind the header."""
    match = await do(factories.match_number, world.cups["states"], 8)
    player = match.home.user
    player.set_password(factories.PASSWORD)
    await do(player.save)
    async with Window(browser, site) as page:
        keys = page.keyboard

        async def tab_to(name, *, most=80):
            for _ in range(most):
                await keys.press("Tab")
                if await page.evaluate("() => document.activeElement.matches('body')"):
                    continue
                focus = await page.evaluate(FOCUS)
                assert focus["seen"], focus
                if re.fullmatch(name, focus["name"]):
                    return
            pytest.fail(f"no way to {name} on {page.url}")

        await page.goto("/")
        await keys.press("Tab")
        assert (await page.evaluate(FOCUS))["name"] == "Skip to the content"
        await tab_to("Sign in")
        await keys.press("Enter")
        await page.wait_for_url("**/accounts/login/**")
        await tab_to("User name or e-mail address")
        await keys.type(player.username)
        await tab_to("Password")
        await keys.type(factories.PASSWORD)
        await keys.press("Enter")
        await page.wait_for_url(lambda address: "login" not in address)
        await page.goto(f"/t/{match.tournament_id}/")
        await keys.press("Tab")
        await keys.press("Enter")
        assert await page.evaluate("() => document.activeElement.id") == "main"
        await tab_to(r"Your match, number 8|Match 8.*|.*Report.*")
        await keys.press("Enter")
        await page.wait_for_url(f"**/m/{match.pk}/**")
        await current(page)
        await tab_to("I won")
        await keys.press("Space")
        for side, points in ((match.home, "3"), (match.away, "1")):
            await tab_to(side.name)
            await keys.type(points)
        await tab_to("Report the score")
        await keys.press("Enter")
        await expect(page.locator("[data-region=panel]")).to_contain_text("3–1")
