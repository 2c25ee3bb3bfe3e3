"""
From a referee's action to another browser's screen, on one machine.

A referee sends scores over a WebSocket; a real Chromium has the tournament's bracket page open, and notes when each
score appears in its document. Reported, in milliseconds:

  commit → screen   from the time that the event carries, which is taken before the commit, to the change of the page
  action → ack      what the referee waits

Usage: .venv/bin/python bench/latency.py [--updates 300] [--per-second 10] [--database URL] [--redis URL]
"""

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ["DJANGO_SETTINGS_MODULE"] = "deltacrown.settings"

PORT = 8731
SITE = f"127.0.0.1:{PORT}"

# Notes the moment at which the match's home score shows each value.
WATCH = """(id) => {
    window.seen = {};
    const note = () => {
        const digit = document.querySelector(`[data-bind="m.${id}.home.score"]`);
        const value = digit && digit.textContent.trim();
        if (value && !(value in window.seen)) window.seen[value] = performance.timeOrigin + performance.now();
    };
    new MutationObserver(note).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--updates", type=int, default=300)
    parser.add_argument("--per-second", type=float, default=10)
    parser.add_argument("--database", default="")
    parser.add_argument("--redis", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="deltacrown-bench-") as var:
        os.environ["VAR_DIR"] = var
        os.environ["LOG_LEVEL"] = "WARNING"
        for name, value in (("DATABASE_URL", options.database), ("REDIS_URL", options.redis)):
            os.environ.pop(name, None)
            if value:
                os.environ[name] = value
        command = [sys.executable, "manage.py", "run", "--no-demo", "--port", str(PORT)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
            try:
                wait_until_ready(server)
                tournament, match, token = prepare()
                asyncio.run(measure(tournament, match, token, options.updates, options.per_second))
            finally:
                server.send_signal(signal.SIGTERM)


def wait_until_ready(server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(f"http://{SITE}/readyz", timeout=2).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    sys.exit("The server did not start.")


def prepare() -> tuple[int, int, str]:
    """Make a tournament of 16 with one match in play, and a referee's token for its room."""
    import django

    django.setup()
    from apps.accounts.tokens import issue_room_token
    from apps.tournaments.services import Actor, matches
    from tests import factories

    cup = factories.drawn(16)
    match = factories.match_number(cup, 1)
    matches.start(Actor(cup.created_by), match.pk)
    return cup.pk, match.pk, issue_room_token(cup.stream, factories.signed_in(cup.created_by))[0]


async def measure(tournament: int, match: int, token: str, updates: int, per_second: float) -> None:
    from playwright.async_api import async_playwright
    from websockets.asyncio.client import connect

    acks = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
        )
        page = await browser.new_page()
        await page.goto(f"http://{SITE}/t/{tournament}/bracket/")
        await page.get_by_text("live", exact=True).first.wait_for()
        await page.evaluate(WATCH, match)
        offer = ["deltacrown.v1", f"bearer.{token}"]
        async with connect(f"ws://{SITE}/ws/tournament/{tournament}/", subprotocols=offer) as referee:
            for value in range(1, updates + 1):
                started = time.perf_counter()
                data = {"match_id": match, "home_score": value, "away_score": 0}
                await referee.send(json.dumps({"type": "update_score", "id": f"u{value}", "data": data}))
                while json.loads(await referee.recv())["type"] != "ack":
                    pass
                acks.append((time.perf_counter() - started) * 1000)
                await asyncio.sleep(max(0, 1 / per_second - (time.perf_counter() - started)))
        await page.wait_for_function(f"'{updates}' in window.seen", timeout=10_000)
        seen = {int(value): at for value, at in (await page.evaluate("window.seen")).items()}
        await browser.close()
    committed = commit_times(tournament)
    latencies = [seen[value] - committed[value] for value in committed if value in seen]
    report("commit → screen", latencies)
    report("action → ack", acks)
    print(f"{len(latencies)} of {updates} scores were seen, one after the other; the last one was right")


def commit_times(tournament: int) -> dict[int, float]:
    url = f"http://{SITE}/api/v1/tournaments/{tournament}/events?limit=100&after="
    after, times = 0, {}
    while True:
        with urllib.request.urlopen(f"{url}{after}") as answer:
            events = json.load(answer)["events"]
        if not events:
            return times
        for event in events:
            after = event["seq"]
            if event["type"] == "score_updated" and "home_score" in event["data"]["match"]:
                times[event["data"]["match"]["home_score"]] = datetime.fromisoformat(event["at"]).timestamp() * 1000


def report(name: str, milliseconds: list[float]) -> None:
    ordered = sorted(milliseconds)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    print(f"{name:<16} p50 {statistics.median(ordered):6.1f}   p99 {p99:6.1f}   max {ordered[-1]:6.1f} ms")


if __name__ == "__main__":
    main()
