"""What it costs a browser to show a page, as Chromium itself counts it; for tests and bench/page.py."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page

_OBSERVE = """
window.observed = {shift: 0, shifted: [], paint: null, largest: null};
const name = (node) => node ? `${node.nodeName}.${node.className || ""}` : "";
const place = (rect) => `${rect.x},${rect.y} ${rect.width}×${rect.height}`;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue;
    observed.shift += entry.value;
    observed.shifted.push(...entry.sources.map((source) =>
      `${name(source.node)} ${place(source.previousRect)} → ${place(source.currentRect)}, ${entry.startTime} ms`));
  }
}).observe({type: "layout-shift", buffered: true});
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (entry.name === "first-contentful-paint") observed.paint = entry.startTime;
}).observe({type: "paint", buffered: true});
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) observed.largest = entry.startTime;
}).observe({type: "largest-contentful-paint", buffered: true});
"""


@dataclass(slots=True)
class Load:
    """
    One load of a page with nothing cached.

    `sizes`: bytes that came over the network with their headers, by address; `kinds`: what each was for.
    """

    page: Page
    sizes: Counter[str] = field(default_factory=Counter)
    kinds: dict[str, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return self.sizes.total()

    def by_kind(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for address, size in self.sizes.items():
            found[self.kinds.get(address, "Other")] += size
        return found

    async def observed(self) -> dict[str, Any]:
        """Return what has been seen since: `shift` (CLS), what `shifted`, first and largest `paint` in ms."""
        return await self.page.evaluate("observed")


@asynccontextmanager
async def loading(browser: Browser, address: str, **options: Any) -> AsyncIterator[Load]:
    """Open an address in a browser that has never been there, and count all that comes until the network is still."""
    context: BrowserContext = await browser.new_context(**options)
    page = await context.new_page()
    await page.add_init_script(_OBSERVE)
    load = Load(page)
    network = await context.new_cdp_session(page)
    addresses: dict[str, str] = {}

    def requested(event: dict[str, Any]) -> None:
        addresses[event["requestId"]] = event["request"]["url"]

    def answered(event: dict[str, Any]) -> None:
        load.kinds[addresses[event["requestId"]]] = event["type"]

    def finished(event: dict[str, Any]) -> None:
        if event["requestId"] in addresses:
            load.sizes[addresses[event["requestId"]]] += int(event["encodedDataLength"])

    network.on("Network.requestWillBeSent", requested)
    network.on("Network.responseReceived", answered)
    network.on("Network.loadingFinished", finished)
    await network.send("Network.enable")
    try:
        await page.goto(address, wait_until="networkidle")
        yield load
    finally:
        await context.close()
