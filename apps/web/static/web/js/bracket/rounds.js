// @ts-check
/** The rounds of a bracket as they stand in the page, and what each says of itself. */

import { gettext, ngettext } from "../i18n.js";
import { OVER } from "../shown.js";

/** On a phone one round is shown at a time (css/components/bracket.css). */
export const PHONE = matchMedia("(width < 42rem)");

/** @param {ParentNode} within @returns {HTMLElement[]} */
export const roundsOf = (within) => [...within.querySelectorAll(".round")].map((round) => /** @type {HTMLElement} */ (round));

/** @param {HTMLElement} round @returns {HTMLElement[]} */
export const slotsOf = (round) => [...round.querySelectorAll(".slot")].map((slot) => /** @type {HTMLElement} */ (slot));

/**
 * Whether a round is done, live, open (some of it is over) or "", and that in a word: the twin of Column in
 * present/bracket.py.
 * @param {HTMLElement} round
 */
export function stateOf(round) {
  const states = [...round.querySelectorAll(".slot > .match")].map((card) => /** @type {HTMLElement} */ (card).dataset.state ?? "");
  const over = states.filter((state) => OVER.includes(state)).length;
  const live = states.filter((state) => state === "live").length;
  if (!states.length) return { state: "", says: "" };
  if (over === states.length) return { state: "done", says: gettext("done") };
  if (live) return { state: "live", says: ngettext("{count} live", "{count} live", live) };
  return over ? { state: "open", says: gettext("{count} of {total}", { count: over, total: states.length }) } : { state: "", says: "" };
}

/** Write on each round, and on its link, how it stands. @param {HTMLElement} bracket */
export function tellStates(bracket) {
  for (const part of bracket.querySelectorAll(".part")) {
    const links = part.querySelectorAll(".roundnav a");
    roundsOf(part).forEach((round, index) => {
      const { state, says } = stateOf(round);
      round.dataset.state = state;
      for (const element of [round.querySelector(".round__head"), links[index]]) {
        element?.setAttribute("data-state", state);
        element?.setAttribute("data-say", says);
      }
    });
  }
}

/** Whether motion is unwelcome. @returns {ScrollBehavior} */
export const motion = () => (matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth");

/** @param {Element} element */
export const isRightToLeft = (element) => getComputedStyle(element).direction === "rtl";

/** Where to scroll so that an element stands at the beginning of what a scroller shows. @param {Element} element @param {Element} scroller */
export function startOf(element, scroller) {
  const [own, whole] = [element.getBoundingClientRect(), scroller.getBoundingClientRect()];
  return (isRightToLeft(scroller) ? own.right - whole.right : own.left - whole.left) + scroller.scrollLeft;
}
