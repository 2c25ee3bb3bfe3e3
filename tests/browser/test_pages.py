"""The pages in a real browser: what their scripts do, and that nothing sticks out at any width."""

import json
import re

import pytest
from channels.db import database_sync_to_async
from django.test import Client
from playwright.async_api import expect

from apps.tournaments.models import Role
from apps.tournaments.services import Actor, brackets, entries, matches, tournaments
from engine.match_flow import Score
from tests import factories
from tests.server import running_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

LONG = "A name that is as long as a name can be, sixty characters ok"


@pytest.fixture
def cup(transactional_db):
    """A bracket of six, one match live, one reported, one with a name that is too long for its place."""
    cup = factories.open_with_entries(5, factories.make_user("olivia"), accent="#e8b400", description="Hello")
    entries.add(Actor(cup.created_by), cup.pk, name=LONG)
    tournaments.close_registration(Actor(cup.created_by), cup.pk)
    brackets.generate(Actor(cup.created_by), cup.pk)
    first, second = (factories.match_number(cup, number) for number in (2, 1))
    matches.start(Actor(cup.created_by), first.pk)
    matches.report(Actor(second.home.user), second.pk, Score(3, 2))
    return factories.fresh(cup)


@pytest.fixture
def site(cup):
    with running_server() as address:
        yield address


class Window:
    """A browser in which a person, or a guest, has opened the site."""

    def __init__(self, browser, site, user=None, **options):
        self.browser, self.site, self.options = browser, site, options
        self.user = user
        self.thrown = []

    async def __aenter__(self):
        address = f"http://{self.site}"
        self.context = await self.browser.new_context(base_url=address, **self.options)
        if self.user is not None:
            session = await do(session_of, self.user)
            await self.context.add_cookies([{"name": "sessionid", "value": session, "url": address}])
        page = await self.context.new_page()
        page.on("pageerror", lambda error: self.thrown.append(str(error)))
        return page

    async def __aexit__(self, *_):
        await self.context.close()
        assert self.thrown == []


async def do(service, *args, **kwargs):
    """Call a service beside the page."""
    return await database_sync_to_async(service)(*args, **kwargs)


def session_of(user) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


async def current(page):
    await expect(page.locator("#chip")).to_have_attribute("data-state", "live")


@pytest.fixture
def organizer(cup):
    return cup.created_by


@pytest.fixture
def live(cup):
    return factories.match_number(cup, 2)


async def test_taps_count_one_by_one_however_fast(browser, site, cup, organizer, live):
    async with Window(browser, site, organizer) as page:
        await page.goto(f"/m/{live.pk}/")
        await current(page)
        plus = page.get_by_role("button", name=f"{live.home.name}: one more")
        for _ in range(7):
            await plus.click()
        await expect(page.locator(".board__points").first).to_have_text("7")
        await page.get_by_role("button", name=f"{live.home.name}: one less").click()
        await expect(page.locator(".board__points").first).to_have_text("6")
        await expect(page.get_by_role("button", name="End the match")).to_have_text(
            f"End the match: {live.home.name} wins"
        )
        await expect(page.locator("#failure")).to_have_count(0)


async def test_what_is_being_typed_is_not_taken_away(browser, site, cup, organizer, live):
    async with Window(browser, site, organizer) as page:
        await page.goto(f"/m/{live.pk}/")
        await current(page)
        await page.get_by_text("Write the score").click()
        await page.locator("input[name=home_score][type=number]").fill("42")
        await do(matches.finish, Actor(organizer), live.pk, Score(2, 1))
        await expect(page.get_by_text("This part has changed since you began to type.")).to_be_visible()
        await expect(page.locator("input[name=home_score][type=number]")).to_have_value("42")
        await page.get_by_role("button", name="Show it as it is now").click()
        await expect(page.locator("input[name=home_score][type=number]")).to_have_count(0)


async def test_a_refused_form_leaves_a_page_that_stays_current(browser, site, cup, organizer, live):
    async with Window(browser, site, organizer) as page:
        await page.goto(f"/m/{live.pk}/")
        await page.get_by_role("button", name="End the match").click()
        await expect(page.locator("#failure")).to_contain_text("0–0 is level")
        assert page.url.endswith(f"/m/{live.pk}/")
        await current(page)
        await do(matches.finish, Actor(organizer), live.pk, Score(0, 1))
        await expect(page.locator("[data-region=panel]")).to_contain_text(f"{live.away.name} won.")


async def test_a_players_page_shows_the_action_when_it_becomes_possible(browser, site, cup, organizer):
    reported = await do(factories.match_number, cup, 1)
    async with Window(browser, site, reported.away.user) as page:
        await page.goto("/me/")
        await current(page)
        before = await page.locator(".panel--mine h2").inner_text()
        assert "reported 3–2" in before
        await do(matches.finish, Actor(organizer), reported.pk)
        await expect(page.locator(".panel--mine h2, [data-region=next] .quiet").first).not_to_have_text(before)


async def test_a_players_page_goes_over_to_the_next_match(browser, site, cup, organizer, live):
    async with Window(browser, site, live.home.user) as page:
        await page.goto("/me/")
        await current(page)
        await page.evaluate("window.neverReloaded = true")
        await expect(page.locator(".panel--mine h2")).to_have_text(f"You play {live.away.name}")
        await do(matches.finish, Actor(organizer), live.pk, Score(2, 1))
        following = await do(factories.match_number, cup, live.winner_to)
        await expect(page.locator(".panel--mine a").first).to_have_text(f"Your match, number {following.number}")
        await current(page)
        assert await page.evaluate("window.neverReloaded") is True


async def test_who_leaves_the_staff_loses_the_console(browser, site, cup, organizer):
    other = await do(factories.make_user, "otto")
    await do(tournaments.add_member, Actor(organizer), cup.pk, username="otto", role=Role.ORGANIZER)
    async with Window(browser, site, other) as page:
        await page.goto(f"/t/{cup.pk}/manage/staff/")
        await current(page)
        await do(tournaments.remove_member, Actor(organizer), cup.pk, other.pk)
        await expect(page.get_by_text("This is not for you")).to_be_visible(timeout=10_000)


async def test_an_entrants_path_lights_up(browser, site, cup):
    async with Window(browser, site) as page:
        await page.goto(f"/t/{cup.pk}/bracket/")
        seed_one = page.locator(".pass").first
        entry = await seed_one.get_attribute("data-entry")
        await seed_one.hover()
        await expect(page.locator(f".side[data-entry='{entry}']")).to_have_class(re.compile("is-path"))
        await expect(page.locator(".slot.is-path-out")).to_have_count(1)
        await expect(page.locator(".slot.is-path-in")).to_have_count(1)
        await page.locator(f".side[data-entry='{entry}']").focus()
        await page.mouse.move(0, 0)
        await page.keyboard.press("Escape")
        await expect(page.locator(".is-path")).to_have_count(0)


async def test_a_phone_shows_one_round_and_begins_with_the_one_in_play(browser, site, cup, organizer, live):
    for number in (1, 2):
        match = await do(factories.match_number, cup, number)
        await do(matches.finish, Actor(organizer), match.pk, Score(2, 1))
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    async with Window(browser, site, **phone) as page:
        await page.goto(f"/t/{cup.pk}/bracket/")
        await expect(page.locator(".roundnav [aria-current]")).to_have_text("Semi-finals")
        await expect(page.locator("#round-2")).to_be_in_viewport(ratio=0.9)
        await page.get_by_role("link", name="Final", exact=True).tap()
        await expect(page.locator("#round-3")).to_be_in_viewport(ratio=0.9)
        await page.get_by_role("link", name="Semi-finals").tap()
        row = page.locator("#round-2 .side[data-entry]").first
        await row.tap()
        await expect(page.locator(".pathbar")).to_contain_text("Next:")
        await row.tap()
        await expect(page).to_have_url(re.compile(r"/m/\d+/"))


CUT_WEBSOCKETS = """
WebSocket = class {
  constructor() { setTimeout(() => this.onclose?.({ code: 1006 })); }
  close() {}
};
"""


async def test_a_page_that_no_websocket_reaches_reads_a_stream(browser, site, cup, live):
    async def stream(route):
        assert route.request.headers["authorization"].startswith("Bearer ey")
        epoch, seq = route.request.headers["last-event-id"].split(":")
        welcome = {"type": "connection_established", "data": {"epoch": epoch, "seq": int(seq), "resumed": True}}
        match = {"match": {"id": live.pk, "home_score": 77}}
        event = {"type": "score_updated", "seq": int(seq) + 1, "prev": int(seq), "at": "", "data": match}
        body = "".join(f"data: {json.dumps(frame)}\n\n" for frame in (welcome, event))
        await route.fulfill(content_type="text/event-stream", body=body)

    async with Window(browser, site) as page:
        await page.add_init_script(CUT_WEBSOCKETS)
        await page.route("**/sse/match/*/", stream)
        await page.goto(f"/m/{live.pk}/")
        await expect(page.locator(f'[data-bind="m.{live.pk}.home.score"]').first).to_have_text("77")


async def test_screen_readers_hear_the_score(browser, site, cup, organizer, live):
    async with Window(browser, site) as page:
        await page.goto(f"/t/{cup.pk}/bracket/")
        await current(page)
        await do(matches.update_score, Actor(organizer), live.pk, Score(2, 1))
        heard = page.locator("#announcer")
        await expect(heard).to_have_text(f"{live.home.name} 2, {live.away.name} 1.")


async def test_the_list_of_tournaments_says_as_of_when_it_is(browser, site, cup, live, organizer):
    async with Window(browser, site) as page:
        await page.goto("/")
        chip = page.locator("#chip")
        await expect(chip).to_contain_text(re.compile(r"as of \d\d:\d\d:\d\d"))
        first = await chip.inner_text()
        await do(matches.update_score, Actor(organizer), live.pk, Score(9, 1))
        await expect(page.locator(".match--link .side__score").first).to_have_text("9", timeout=15_000)
        assert await chip.inner_text() != first
        await page.context.set_offline(True)
        await expect(chip).to_contain_text("stale since", timeout=15_000)


@pytest.mark.parametrize("scripts", [True, False])
async def test_nothing_sticks_out_at_any_width(browser, site, cup, organizer, live, scripts):
    paths = [
        "/", "/new/", "/me/", "/me/access/", "/me/notifications/", f"/m/{live.pk}/",
        *(f"/t/{cup.pk}/{tab}" for tab in ("", "bracket/", "matches/", "entrants/", "activity/")),
        *(f"/t/{cup.pk}/manage/{tab}" for tab in ("", "entrants/", "settings/", "staff/", "integrations/")),
        f"/t/{cup.pk}/bracket/?view=tv",
    ]  # fmt: skip
    async with Window(
        browser, site, organizer, java_script_enabled=scripts, viewport={"width": 320, "height": 640}
    ) as page:
        for path in paths:
            await page.goto(path)
            for width in (320, 390, 768, 1280, 1920):
                await page.set_viewport_size({"width": width, "height": 800})
                over = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert over <= 0, (path, width)


async def test_lines_of_the_bracket_never_cross_a_card(browser, site, cup):
    """Gutters hold the lines; no card reaches into a gutter, and each card stands between the two it follows from."""
    async with Window(browser, site, viewport={"width": 1440, "height": 900}) as page:
        await page.goto(f"/t/{cup.pk}/bracket/")
        slots = await page.evaluate(
            """() => [...document.querySelectorAll('.round')].map(
                round => [...round.querySelectorAll('.slot')].map(slot => {
                    const box = slot.getBoundingClientRect();
                    const card = slot.firstElementChild.getBoundingClientRect();
                    return {left: card.left - box.left, right: box.right - card.right,
                            middle: box.top + box.height / 2, card: card.top + card.height / 2};
                }))"""
        )
        for column, after in zip(slots, [*slots[1:], []], strict=True):
            for slot in column:
                assert min(slot["left"], slot["right"]) >= 16
                assert abs(slot["middle"] - slot["card"]) < 1
            for place, slot in enumerate(after):
                between = (column[2 * place]["middle"] + column[2 * place + 1]["middle"]) / 2
                assert abs(slot["middle"] - between) < 1


async def test_a_page_says_how_many_watch_and_whether_the_players_are_here(browser, site, cup, live, monkeypatch):
    monkeypatch.setattr("apps.tournaments.realtime.presence.GRACE_SECONDS", 0.5)
    async with Window(browser, site) as page:
        await page.goto(f"/m/{live.pk}/")
        await current(page)
        home, away = page.locator(".team--home .team__here"), page.locator(".team--away .team__here")
        await expect(home).to_have_attribute("data-here", "away")
        await expect(page.locator("#chip")).to_have_text("live")
        async with Window(browser, site, live.home.user) as player:
            await player.goto(f"/m/{live.pk}/")
            await expect(home).to_have_attribute("data-here", "here")
            await expect(home.get_by_text("here")).to_have_count(1)
            await expect(away).to_have_attribute("data-here", "away")
            await expect(page.locator("#chip")).to_have_text("live · 2 watching")
        await expect(home).to_have_attribute("data-here", "away")
        await expect(page.locator("#chip")).to_have_text("live")
        await page.context.set_offline(True)
        await page.evaluate("dispatchEvent(new Event('offline'))")
        await expect(home).to_be_hidden()


async def test_without_scripts_nothing_is_said_of_who_is_here(browser, site, cup, live):
    async with Window(browser, site, java_script_enabled=False) as page:
        await page.goto(f"/m/{live.pk}/")
        await expect(page.locator(".team--home")).to_be_visible()
        await expect(page.locator(".team--home .team__here")).to_be_hidden()
