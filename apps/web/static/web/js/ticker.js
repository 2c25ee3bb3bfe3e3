// @ts-check
/** Results that run: a strip with more of them than it has room for goes on by one every few seconds, and starts again. */

const STEP_MS = 5_000;
const still = matchMedia("(prefers-reduced-motion: reduce)");
/** The newest result when the strip was last looked at. */
let newest = "";

/** Go on by one; back to the start after the last, and as soon as there is a new result. */
function step() {
  const strip = /** @type {HTMLElement | null} */ (document.querySelector(".strip__items"));
  const [first, second] = /** @type {HTMLElement[]} */ ([...(strip?.children ?? [])]);
  if (!strip || !second) return;
  const room = strip.scrollWidth - strip.clientWidth;
  const width = Math.abs(second.offsetLeft - first.offsetLeft);
  const isNew = newest !== first.dataset.key;
  newest = first.dataset.key ?? "";
  const at = Math.abs(strip.scrollLeft); // counts down where one reads from right to left
  const to = isNew || at >= room - 1 ? 0 : Math.min(at + width, room);
  strip.scrollTo({ left: getComputedStyle(strip).direction === "rtl" ? -to : to, behavior: still.matches ? "auto" : "smooth" });
}

export function run() {
  step();
  setInterval(step, STEP_MS);
}

/** Look at once whether there is a new result. */
export function look() {
  const first = /** @type {HTMLElement | null} */ (document.querySelector(".strip__item"));
  if (first && first.dataset.key !== newest) step();
}
