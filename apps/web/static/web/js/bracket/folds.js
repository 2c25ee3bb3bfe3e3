// @ts-check
/**
 * Rounds that are over fold to a narrow strip and open again. The server folds those nobody needs open; what a person
 * chose is remembered. Nothing folds by itself while somebody looks.
 */

import { gettext } from "../i18n.js";
import { roundsOf, slotsOf } from "./rounds.js";

/** @param {string} key */
const place = (key) => `deltacrown.folds.${key}`;

/** @param {string} key @returns {Record<string, boolean>} */
function remembered(key) {
  try {
    return JSON.parse(localStorage.getItem(place(key)) ?? "{}");
  } catch {
    return {}; // no storage here, or not ours
  }
}

/** @param {string} key @param {Record<string, boolean>} chosen */
function remember(key, chosen) {
  try {
    localStorage.setItem(place(key), JSON.stringify(chosen));
  } catch {
    // it holds until the page is left
  }
}

/**
 * @param {HTMLElement} bracket
 * @param {string} key of the stage
 * @param {{folds?: Record<string, boolean>}} memory how the rounds of this page stand
 */
export function foldable(bracket, key, memory) {
  const chosen = remembered(key);
  const standing = (memory.folds ??= {});
  for (const round of roundsOf(bracket)) {
    if (round.closest(".part--final") || round.classList.contains("round--last")) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "round__fold";
    round.prepend(button);
    const done = round.dataset.state === "done";
    const isFolded = standing[round.id] ?? (done && (chosen[round.id] ?? round.classList.contains("is-folded")));
    set(round, isFolded);
    standing[round.id] = isFolded;
    button.addEventListener("click", () => {
      const folded = !round.classList.contains("is-folded");
      keepInPlace(bracket, round, () => set(round, folded));
      chosen[round.id] = standing[round.id] = folded;
      remember(key, chosen);
    });
  }
}

/** Open a round that somebody wants to see. @param {HTMLElement | null | undefined} round */
export function unfold(round) {
  if (round?.classList.contains("is-folded")) set(round, false);
}

/** @param {HTMLElement} round @param {boolean} isFolded */
function set(round, isFolded) {
  round.classList.toggle("is-folded", isFolded);
  const button = round.querySelector(".round__fold");
  if (!button) return;
  const name = round.querySelector(".round__head")?.textContent ?? "";
  button.setAttribute("aria-expanded", String(!isFolded));
  button.setAttribute("aria-label", isFolded ? gettext("Open {name}", { name }) : gettext("Fold {name}", { name }));
  button.replaceChildren();
  if (!isFolded) return;
  const words = document.createElement("span");
  words.textContent = name;
  button.append(words);
}

/**
 * Change how high the rounds are, and keep what stands in the middle of the window where it is.
 * @param {HTMLElement} bracket
 * @param {HTMLElement} round
 * @param {() => void} change
 */
function keepInPlace(bracket, round, change) {
  const after = /** @type {HTMLElement | null} */ (round.nextElementSibling);
  const box = bracket.getBoundingClientRect();
  const middle = (box.top + Math.min(box.bottom, innerHeight)) / 2;
  const at = (/** @type {Element} */ slot) => (slot.getBoundingClientRect().top + slot.getBoundingClientRect().bottom) / 2;
  const slots = after ? slotsOf(after).filter((slot) => slot.offsetParent) : [];
  const kept = slots.sort((a, b) => Math.abs(at(a) - middle) - Math.abs(at(b) - middle))[0];
  const before = kept ? at(kept) : 0;
  change();
  if (kept) bracket.scrollTop += at(kept) - before;
}
