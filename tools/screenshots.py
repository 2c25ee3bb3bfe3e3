"""
Take the pictures in docs/img: the demo in the middle of its quarter-finals, on a laptop and on a phone.

Usage: .venv/bin/python tools/screenshots.py
"""

import asyncio
import json
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from os import environ
from pathlib import Path
from typing import Any

from playwright.async_api import async_playwright

PORT = 8732
SITE = f"http://127.0.0.1:{PORT}"
IMAGES = Path(__file__).parents[1] / "docs" / "img"
LARGEST = 200_000  # bytes
SIZES = {"desktop": (1280, 880), "phone": (390, 844)}


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="deltacrown-shots-") as var:
        command = [sys.executable, "manage.py", "run", "--port", str(PORT), "--seconds", "8", "--pause", "1"]
        variables = {**environ, "VAR_DIR": var, "LOG_LEVEL": "WARNING"}
        with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) as server:
            try:
                password = next(line.split()[1] for line in server.stdout or () if "demo-organiser" in line)
                match = wait_for(quarter_final, seconds=180)
                asyncio.run(take(match, password))
            finally:
                server.send_signal(signal.SIGTERM)


def quarter_final() -> int | None:
    """Return a quarter-final that is being played, with a goal already."""
    try:
        with urllib.request.urlopen(f"{SITE}/api/v1/tournaments/1/snapshot", timeout=5) as answer:
            data = json.load(answer)["data"]
    except OSError:
        return None
    knockout = [m for m in data["matches"].values() if data["stages"][str(m["stage"])]["number"] == 2]  # noqa: PLR2004
    second_day = [m for m in knockout if m["number"] in (11, 12) and m["state"] == "live" and m["home_score"]]
    return second_day[0]["id"] if second_day else None


def wait_for(question: Callable[[], Any], *, seconds: float) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := question():
            return answer
        time.sleep(0.2)
    sys.exit("The demo did not get as far as its quarter-finals.")


async def take(match: int, password: str) -> None:
    pages = {"bracket": "/t/1/bracket/", "match": f"/m/{match}/", "home": "/", "board": "/t/1/manage/"}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
        )
        organiser = await browser.new_context()
        page = await organiser.new_page()
        await page.goto(f"{SITE}/accounts/login/")
        await page.get_by_label("User name").fill("demo-organiser")
        await page.get_by_label("Password", exact=True).fill(password)
        await page.locator("main").get_by_role("button", name="Sign in").click()
        await page.wait_for_url(f"{SITE}/")
        signed_in = await organiser.storage_state()
        for name, address in pages.items():
            for size, (width, height) in SIZES.items():
                state = signed_in if name == "board" else None
                page = await browser.new_page(viewport={"width": width, "height": height}, storage_state=state)
                await page.goto(f"{SITE}{address}")
                if name != "home":
                    await page.locator("#chip[data-state=live]").wait_for()
                file = IMAGES / f"{name}-{size}.png"
                await page.screenshot(path=file)
                await page.close()
                print(f"{file.name}: {file.stat().st_size:,} bytes")
                if file.stat().st_size > LARGEST:
                    sys.exit(f"{file.name} is larger than {LARGEST:,} bytes.")
        await browser.close()


if __name__ == "__main__":
    main()
