// @ts-check
/**
 * A phone shows one round at a time, and a swipe goes on to the next. It arrives at the matches that follow from those
 * that were in view: rounds beside the one shown stand as high as it takes, and are put right when the swipe has ended.
 */

import { PHONE, isRightToLeft, motion, roundsOf, startOf } from "./rounds.js";

const REST_MS = 120; // without a scroll event, where `scrollend` is not known
const GOING_ON = `.match:is([data-state="live"], [data-state="ready"], [data-state="check_in"])`;
const BELOW = 24; // px of air under the last match

/**
 * @param {HTMLElement} part
 * @param {AbortSignal} signal
 * @returns {(round: HTMLElement, how?: ScrollBehavior) => void} goes to a round
 */
export function paged(part, signal) {
  const rounds = roundsOf(part);
  const links = /** @type {HTMLElement[]} */ ([...part.querySelectorAll(".roundnav a")]);
  const nav = /** @type {HTMLElement} */ (part.querySelector(".roundnav"));
  const strip = /** @type {HTMLElement} */ (part.querySelector(".bracket__rounds"));
  let shown = 0;
  let near = 0; // the round that a swipe is about to reach
  let swiping = false;
  let asked = 0;
  /** @type {any} */
  let timer;

  /** @param {number} index */
  function mark(index) {
    near = index;
    links.forEach((link, i) => (i === index ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")));
    const link = links[index];
    if (link) nav.scrollTo({ left: startOf(link, nav) - (isRightToLeft(nav) ? -24 : 24), behavior: motion() });
  }

  const box = (/** @type {HTMLElement} */ round) => /** @type {HTMLElement} */ (round.querySelector(".round__slots")).getBoundingClientRect();

  /** How far a round has to stand lower than the strip begins, to show what belongs to the middle of the window. @param {HTMLElement} round */
  function lower(round) {
    const top = box(rounds[shown]).top;
    const bar = nav.getBoundingClientRect().bottom;
    if (top >= bar) return 0;
    const middle = (bar + innerHeight) / 2;
    const share = Math.min(Math.max((middle - top) / box(rounds[shown]).height, 0), 1);
    return Math.min(middle - top - share * box(round).height, bar - top);
  }

  function lineUp() {
    asked = 0;
    if (swiping) return;
    const by = rounds.map((round) => (PHONE.matches && round !== rounds[shown] ? lower(round) : 0));
    rounds.forEach((round, index) => (round.style.translate = by[index] ? `0 ${by[index]}px` : ""));
  }

  function soon() {
    asked ||= requestAnimationFrame(lineUp);
  }

  /** A later round is shorter than the first; the page must not keep room for what is out of sight. */
  function fit() {
    strip.style.blockSize = PHONE.matches ? `${rounds[shown].offsetHeight + BELOW}px` : "";
    lineUp();
  }

  function settled() {
    clearTimeout(timer);
    if (!swiping) return;
    swiping = false;
    if (near !== shown) {
      const by = parseFloat(rounds[near].style.translate.split(" ")[1] ?? "0");
      shown = near;
      for (const round of rounds) round.style.translate = "";
      strip.style.blockSize = `${rounds[shown].offsetHeight + BELOW}px`;
      if (by) scrollBy({ top: -by, behavior: "instant" });
    }
    fit();
  }

  /** @param {HTMLElement} round */
  function goTo(round, /** @type {ScrollBehavior} */ how = motion()) {
    if (!PHONE.matches) return;
    lineUp();
    strip.scrollTo({ left: startOf(round, strip), behavior: how });
    if (how !== "instant") return;
    shown = rounds.indexOf(round);
    mark(shown);
    fit();
  }

  links.forEach((link, index) =>
    link.addEventListener("click", (event) => {
      event.preventDefault();
      if (index !== shown) goTo(rounds[index]);
      else rounds[index].querySelector(GOING_ON)?.scrollIntoView({ block: "center", behavior: motion() });
    }),
  );
  strip.addEventListener("scroll", () => {
    if (!PHONE.matches) return;
    swiping = true;
    const { left, right } = strip.getBoundingClientRect();
    const middle = (left + right) / 2;
    const index = rounds.findIndex((round) => round.getBoundingClientRect().left <= middle && middle < round.getBoundingClientRect().right);
    if (index >= 0 && index !== near) mark(index);
    clearTimeout(timer);
    if (!("onscrollend" in strip)) timer = setTimeout(settled, REST_MS);
  }, { passive: true });
  strip.addEventListener("scrollend", settled);
  addEventListener("scroll", soon, { passive: true, signal });
  addEventListener("resize", fit, { signal });
  PHONE.addEventListener("change", fit, { signal });
  fit();
  return goTo;
}
