// @ts-check
/**
 * When somebody comes back to a page: to its tab, to a laptop that was shut, to a phone out of a pocket, by the back
 * button to a page that the browser had kept. Whether the page slept meanwhile is seen by its own clock, for timers
 * do not run in what sleeps.
 */

const BEAT_MS = 5_000;
const VISIBLE_MS = 15_000; // a timer of a page in view is not late by that much
const HIDDEN_MS = 75_000; // browsers run those of a tab in the background once a minute

/** @param {(slept: boolean) => void} returned `slept`: the page did not run for a while, its state may be an old one */
export function onReturn(returned) {
  let last = Date.now();
  let hidden = document.hidden;

  function slept() {
    const gap = Date.now() - last;
    const most = hidden ? HIDDEN_MS : VISIBLE_MS;
    last = Date.now();
    hidden = document.hidden;
    return gap > most;
  }

  setInterval(() => {
    if (slept()) returned(true);
  }, BEAT_MS);
  document.addEventListener("visibilitychange", () => {
    const asleep = slept();
    if (!document.hidden) returned(asleep);
  });
  document.addEventListener("resume", () => returned(true)); // a tab that was frozen
  addEventListener("pageshow", (event) => {
    if (event.persisted) returned(true); // out of the browser's page cache
  });
}
