// @ts-check
/** A page that no room covers asks for itself again every few seconds while somebody looks, and says as of when it is. */

/**
 * @param {import("./region.js").Regions} regions
 * @param {import("./chip.js").Chip} chip
 */
export function poll(regions, chip) {
  const region = regions.regions.find((candidate) => candidate.element.dataset.poll);
  if (!region) return;
  const everyMs = Number(region.element.dataset.poll) * 1000;
  let asOf = new Date();
  /** @type {any} */
  let timer;
  chip.asOf(asOf);

  async function ask() {
    clearTimeout(timer);
    if (!document.hidden && region) {
      if (await regions.fetch(region)) chip.asOf((asOf = new Date()));
      else chip.staleSince(asOf);
    }
    timer = setTimeout(ask, everyMs * (0.9 + Math.random() * 0.2));
  }

  timer = setTimeout(ask, everyMs);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && Date.now() - asOf.getTime() > everyMs) ask();
  });
  addEventListener("online", ask);
}
