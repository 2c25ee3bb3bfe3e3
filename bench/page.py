"""
What a first visit to a tournament costs a browser: bytes, time to paint, and what moves while scores change.

Serves the site as it is deployed, makes a tournament of 64 that is being played, and opens its pages in Chromium with
an empty cache, several times. The bytes are what crosses the network without a proxy that compresses more.

Usage: .venv/bin/python bench/page.py [--entrants 64] [--runs 5] [PAGE ...]
"""

import argparse
import asyncio
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from playwright.async_api import Browser, async_playwright

from bench.served import Site, surroundings
from tests.page_load import Load, loading

PAGES = ("", "bracket/", "matches/", "entrants/")
CHANGES = 6
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


def main() -> None:
    parser = argparse.ArgumentParser(description="What a first visit to a tournament costs a browser.")
    parser.add_argument(
        "pages", nargs="*", metavar="PAGE", help="of a tournament; overview, bracket/, matches/, entrants/"
    )
    parser.add_argument("--entrants", type=int, default=64)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with surroundings() as environment:
        tournament = make(options.entrants)
        with Site(environment | {"DEMO": "off"}) as site:
            address = f"http://{site.address}/t/{tournament}/"
            asyncio.run(measure(address, tournament, options.pages or list(PAGES), options.runs))


def make(entrants: int) -> int:
    """Return a tournament of which a third is played."""
    from tests.factories import drawn, play

    tournament = drawn(entrants, name="Open Championship", capacity=entrants)
    play(tournament, matches_at_most=entrants // 3)
    return int(tournament.pk)


async def measure(address: str, tournament: int, pages: list[str], runs: int) -> None:
    from tests.services import chromium

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        for page in pages:
            await report(browser, f"{address}{page}", tournament, page or "overview", runs)
        await browser.close()


async def report(browser: Browser, address: str, tournament: int, name: str, runs: int) -> None:
    paints, largest = [], []
    for _ in range(runs):
        async with loading(browser, address) as load:
            seen = await load.observed()
            paints.append(seen["paint"])
            largest.append(seen["largest"])
    async with loading(browser, address) as load:
        size, kinds = load.total, load.by_kind()
        await asyncio.to_thread(change_scores, tournament)
        await load.page.wait_for_timeout(4000)  # the latest region has been asked for by then
        seen = await load.observed()
        parts = ", ".join(f"{kind.lower()} {count / 1000:.1f}" for kind, count in kinds.most_common())
        print(f"{name}: {size / 1000:.1f} KB ({parts}) in {len(load.sizes)} requests")
        print(f"  first paint {statistics.median(paints):.0f} ms, largest {statistics.median(largest):.0f} ms")
        moved = f" by {', '.join(sorted(set(seen['shifted'])))}" if seen["shift"] else ""
        print(f"  layout shift while {CHANGES} matches began and ended: {seen['shift']:.4f}{moved}")
        heaviest(load)


def heaviest(load: Load) -> None:
    for address, size in load.sizes.most_common(4):
        print(f"    {size / 1000:6.1f} KB {address.partition('/static/')[2] or address.rpartition('/t/')[2]}")


def change_scores(tournament: int) -> None:
    from django.db import connections

    from apps.tournaments.models import Match
    from apps.tournaments.services import Actor, matches
    from engine.match_flow import Score

    found = Match.objects.filter(tournament=tournament, state="ready").select_related("tournament__created_by")
    for match in found[:CHANGES]:
        by = Actor(match.tournament.created_by)
        matches.start(by, match.pk)
        matches.update_score(by, match.pk, Score(1, 0))
        matches.finish(by, match.pk, Score(2, 1))
    connections.close_all()


if __name__ == "__main__":
    main()
