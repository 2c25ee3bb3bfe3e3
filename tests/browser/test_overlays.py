"""
Overlays as OBS uses them: a page without a ground, without cookies, that nobody touches, for hours; whatever happens to
the line, it comes back by itself, and no old score is ever called live.
"""

import asyncio
from contextlib import ExitStack
from datetime import timedelta
from io import BytesIO

import pytest
from django.utils import timezone
from PIL import Image
from playwright.async_api import expect

from apps.tournaments.selectors.overlays import addresses_of
from apps.tournaments.services import Actor, matches, on_stream, tournaments
from engine.match_flow import Score
from tests import factories
from tests.browser.test_pages import Window, do
from tests.server import free_port, running_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

PICTURE = {"viewport": {"width": 1920, "height": 1080}}

# What a viewer could see: each frame that is drawn, the score, and whether it says "Live".
WITNESS = """
window.frames_ = [];
(function look() {
  const score = [...document.querySelectorAll(".score__points")].map((one) => one.textContent).join(":");
  const mark = document.querySelector(".fresh__state");
  if (mark) {
    const live = mark.dataset.state === "live" && document.body.dataset.fresh === "live";
    const last = window.frames_.at(-1);
    if (!last || last.score !== score || last.live !== live) window.frames_.push({ score, live, at: Date.now() });
  }
  requestAnimationFrame(look);
})();
"""


class Site:
    """A server that can go away and come back at its address."""

    def __init__(self):
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._running = ExitStack()

    async def up(self):
        await asyncio.to_thread(self._running.enter_context, running_server(port=self.port))

    async def down(self):
        await asyncio.to_thread(self._running.close)


@pytest.fixture
async def site(transactional_db):
    site = Site()
    await site.up()
    yield site
    await site.down()


@pytest.fixture
def cup(transactional_db):
    cup = factories.drawn(4, accent="#c2255c")
    for number in (1, 2):
        matches.start(Actor(cup.created_by), factories.match_number(cup, number).pk)
    return cup


def by(cup):
    return Actor(cup.created_by)


async def points(page):
    return await page.locator(".score:not([data-leaving]) .score__points").all_inner_texts()


async def test_a_scoreboard_through_a_broadcast(browser, site, cup):
    first, second = [await do(factories.match_number, cup, number) for number in (1, 2)]
    address = (await do(addresses_of, cup))["scoreboard"]
    async with Window(browser, site.address, **PICTURE) as page:
        page.context.set_default_timeout(30_000)
        await page.goto(address)  # hours before: nothing is on stream
        await page.evaluate(WITNESS)
        assert await page.context.cookies() == []
        await expect(page.locator("body")).to_have_attribute("data-fresh", "live")
        await expect(page.locator(".plate")).to_have_count(0)
        assert seen_through(await page.screenshot(omit_background=True)) == 1, "nothing is drawn"

        await do(on_stream.set_on_stream, by(cup), cup.pk, match_id=first.pk)
        await expect(page.locator(".team__name")).to_have_text([first.home.name, first.away.name])
        await do(matches.update_score, by(cup), first.pk, Score(1, 0))
        await expect(page.locator(".score__points")).to_have_text(["1", "0"])
        await expect(page.locator(".fresh__state")).to_have_css("opacity", "1")
        picture = await page.screenshot(omit_background=True)
        assert 0.85 < seen_through(picture) < 1
        ground = "[document.documentElement, document.body].map((one) => getComputedStyle(one).backgroundColor)"
        assert await page.evaluate(ground) == ["rgba(0, 0, 0, 0)"] * 2

        # The server goes away in the middle of the match, which goes on.
        place = await page.locator(".score").bounding_box()
        await site.down()
        await expect(page.locator("body")).not_to_have_attribute("data-fresh", "live")
        await do(matches.update_score, by(cup), first.pk, Score(2, 0))
        gone_at = await page.evaluate("Date.now()")
        await expect(page.locator(".fresh__state")).to_have_css("opacity", "0")
        await expect(page.locator("body")).to_have_attribute("data-fresh", "stale", timeout=15_000)
        assert (await page.locator("[data-asof]").inner_text()).startswith("as of ")
        assert await points(page) == ["1", "0"], "the picture does not change while nothing is known"
        assert await page.locator(".score").bounding_box() == place
        await do(matches.update_score, by(cup), first.pk, Score(2, 1))
        await site.up()
        await expect(page.locator("body")).to_have_attribute("data-fresh", "live", timeout=30_000)
        assert await points(page) == ["2", "1"]
        frames = await page.evaluate("window.frames_")
        assert not [f for f in frames if f["at"] > gone_at and f["live"] and f["score"] != "2:1"]

        # The result stays until the next match is chosen; then the names change places without a jump.
        await do(matches.finish, by(cup), first.pk, Score(2, 1))
        await expect(page.locator(".fresh__state")).to_have_text("Finished")
        await do(on_stream.set_on_stream, by(cup), cup.pk, match_id=second.pk)
        names = page.locator(".score:not([data-leaving]) .team__name")
        await expect(names).to_have_text([second.home.name, second.away.name])
        await expect(page.locator(".score")).to_have_count(1)
        assert await page.locator(".score").bounding_box() == place

        await do(on_stream.renew_overlays, by(cup), cup.pk)
        await expect(page.locator("body")).to_be_hidden()
        assert seen_through(await page.screenshot(omit_background=True)) == 1, "it left the picture"


async def test_a_line_that_says_nothing_is_found_out(browser, site, cup):
    """A router that swallows everything: no close, no error, only silence."""
    match = await do(factories.match_number, cup, 1)
    await do(on_stream.set_on_stream, by(cup), cup.pk, match_id=match.pk)
    swallowed = False

    def between(line):
        server = line.connect_to_server()
        line.on_message(lambda message: None if swallowed else server.send(message))
        server.on_message(lambda message: None if swallowed else line.send(message))

    async with Window(browser, site.address, **PICTURE) as page:
        await page.route_web_socket("**/ws/**", between)
        await page.goto((await do(addresses_of, cup))["scoreboard"])
        await expect(page.locator("body")).to_have_attribute("data-fresh", "live")
        swallowed = True
        await do(matches.update_score, by(cup), match.pk, Score(1, 0))
        await expect(page.locator("body")).not_to_have_attribute("data-fresh", "live", timeout=15_000)
        swallowed = False
        await expect(page.locator("body")).to_have_attribute("data-fresh", "live", timeout=20_000)
        assert await points(page) == ["1", "0"]


async def test_a_draft_is_there_for_the_rehearsal_and_live_once_it_is_published(browser, site, transactional_db):
    made = await do(factories.make_tournament, starts_at=timezone.now() + timedelta(hours=2, seconds=5))
    draft = await do(factories.fresh, made)
    async with Window(browser, site.address, **PICTURE) as page:
        await page.add_init_script("const late = setTimeout; window.setTimeout = (run, ms) => late(run, ms / 20)")
        await page.goto((await do(addresses_of, draft))["check-in"])
        await expect(page.locator(".clock .plate__title")).to_have_text("Starts in")
        assert (await page.locator(".clock__left").inner_text()).startswith(("2:00:0", "1:59:5"))
        await expect(page.locator("body")).to_have_attribute("data-fresh", "stale")
        closes = {"check_in": True, "check_in_closes_at": timezone.now() + timedelta(hours=1)}
        await do(tournaments.edit, by(draft), draft.pk, **closes)
        await expect(page.locator(".clock .plate__title")).to_have_text("Check-in closes in")
        await do(tournaments.publish, by(draft), draft.pk)
        await expect(page.locator("body")).to_have_attribute("data-fresh", "live")


def seen_through(picture: bytes) -> float:
    """Which share of a picture is fully transparent."""
    alpha = Image.open(BytesIO(picture)).convert("RGBA").getchannel("A").histogram()
    return alpha[0] / sum(alpha)


IN_VIEW = """strip => {
    const frame = strip.getBoundingClientRect();
    return [...strip.children].filter((item) => {
        const box = item.getBoundingClientRect();
        return box.left >= frame.left - 1 && box.right <= frame.right + 1;
    }).map((item) => item.dataset.key);
}"""


async def test_results_run_and_a_new_one_is_seen_at_once(browser, site, transactional_db):
    cup = await do(factories.drawn, 16)
    await do(factories.play, cup, matches_at_most=6)
    newest = [f"m{(await do(factories.match_number, cup, number)).pk}" for number in (7, 6, 5, 4, 3, 2, 1)]
    address = (await do(addresses_of, cup))["results"]

    async def until(expected):
        seen = f"({IN_VIEW})(document.querySelector('.strip__items'))"
        await page.wait_for_function(f"wanted => {seen}.join() === wanted", arg=",".join(expected), timeout=20_000)

    async with Window(browser, site.address, **PICTURE) as page:
        await page.goto(address)
        await expect(page.locator("body")).to_have_attribute("data-fresh", "live")
        await until(newest[1:5])
        await until(newest[2:6])
        await do(factories.play, cup, matches_at_most=1)
        await until(newest[0:4])
