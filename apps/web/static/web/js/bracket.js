// @ts-check
/**
 * The bracket under a hand: an entrant's path lights up, rounds that are over fold, a large one zooms and has a map, and
 * a phone shows one round at a time. Without this module the bracket is a drawing that scrolls, with all its matches.
 */

import { foldable, unfold } from "./bracket/folds.js";
import { minimap } from "./bracket/minimap.js";
import { paged } from "./bracket/pager.js";
import { paths } from "./bracket/paths.js";
import { PHONE, motion, roundsOf, startOf, tellStates } from "./bracket/rounds.js";
import { zoomable } from "./bracket/zoom.js";
import { sends, winnerMeets } from "./meeting.js";

/** @typedef {import("../../../../../clients/js/deltacrown.js").State} State */
/** @typedef {{pinned?: string | null, zoom?: number, folds?: Record<string, boolean>, left?: number, top?: number, stop?: AbortController}} Memory */

/** What a person has set in each bracket: a part of the page that is rendered anew keeps it. @type {Map<string, Memory>} */
const memories = new Map();

/**
 * @param {HTMLElement} view
 * @param {() => State} state
 */
export function bringToLife(view, state) {
  const key = view.dataset.bracket ?? "";
  const bracket = /** @type {HTMLElement} */ (view.querySelector(".bracket"));
  const memory = memories.get(key) ?? {};
  memories.set(key, memory);
  memory.stop?.abort();
  memory.stop = new AbortController();
  const { signal } = memory.stop;
  const isTv = view.closest(".tv") !== null;

  let redraw = () => {};
  /** @type {Map<HTMLElement, (round: HTMLElement, how?: ScrollBehavior) => void>} */
  const pagers = new Map();

  /** Bring a match into view, wherever it is. @param {HTMLElement | null} card */
  function reveal(card) {
    const round = /** @type {HTMLElement | null} */ (card?.closest(".round") ?? null);
    const part = /** @type {HTMLElement | null} */ (card?.closest(".part") ?? null);
    if (!card || !round || !part) return;
    unfold(round);
    if (PHONE.matches) {
      pagers.get(part)?.(round, "instant");
      card.scrollIntoView({ block: "center", behavior: motion() });
      return;
    }
    const [own, whole] = [card.getBoundingClientRect(), bracket.getBoundingClientRect()];
    bracket.scrollTo({
      left: bracket.scrollLeft + (own.left + own.right - whole.left - whole.right) / 2,
      top: bracket.scrollTop + (own.top + own.bottom - whole.top - whole.bottom) / 2,
      behavior: motion(),
    });
  }

  if (!isTv) {
    foldable(bracket, key, memory);
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (bracket.querySelectorAll(".part:not(.part--final)"))) {
      pagers.set(part, paged(part, signal));
    }
    if (bracket.classList.contains("bracket--large")) redraw = minimap(view, bracket);
    zoomable(view, bracket, memory, () => redraw());
    if (memory.left !== undefined) bracket.scrollTo({ left: memory.left, top: memory.top, behavior: "instant" });
    else lookAtThePresent(bracket, pagers);
    bracket.addEventListener("scroll", () => {
      memory.left = bracket.scrollLeft;
      memory.top = bracket.scrollTop;
    }, { passive: true, signal });
  }
  const relight = paths(view, bracket, memory, state, signal, { changed: () => redraw(), reveal });
  view.querySelector("[data-reveal]")?.addEventListener("click", (event) => {
    event.preventDefault();
    reveal(bracket.querySelector("#my-match"));
  });

  const watch = new MutationObserver(() => {
    tellStates(bracket);
    tellMeetings(bracket, state());
    relight();
    redraw();
  });
  watch.observe(bracket, { subtree: true, attributeFilter: ["data-entry"] });
  for (const card of bracket.querySelectorAll(".match")) watch.observe(card, { attributeFilter: ["data-state"] });
  signal.addEventListener("abort", () => watch.disconnect());
}

/**
 * Scroll to the first round that is not over: of each part on a phone, of the whole drawing elsewhere.
 * @param {HTMLElement} bracket
 * @param {Map<HTMLElement, (round: HTMLElement, how?: ScrollBehavior) => void>} pagers
 */
function lookAtThePresent(bracket, pagers) {
  const present = [...pagers.keys()].map((part) => {
    const rounds = roundsOf(part);
    return rounds.find((round) => round.dataset.state !== "done") ?? rounds[rounds.length - 1];
  });
  if (PHONE.matches) {
    [...pagers.values()].forEach((goTo, index) => goTo(present[index], "instant"));
    return;
  }
  const first = present.sort((a, b) => Math.abs(startOf(a, bracket)) - Math.abs(startOf(b, bracket)))[0];
  const before = /** @type {HTMLElement | null} */ (first?.previousElementSibling ?? null);
  // The round before it tells where they come from.
  if (first && before) bracket.scrollTo({ left: startOf(before, bracket), behavior: "instant" });
}

/** Keep whom each winner meets. @param {HTMLElement} bracket @param {State} state */
function tellMeetings(bracket, state) {
  const known = sends(state);
  for (const card of /** @type {NodeListOf<HTMLElement>} */ (bracket.querySelectorAll(".slot > .match"))) {
    const row = state.matches[card.dataset.match ?? ""];
    if (!row) continue;
    const words = winnerMeets(state, row, known);
    let line = card.querySelector(".match__next");
    if (!line && words) {
      line = document.createElement("span");
      line.className = "match__next";
      card.append(line);
    }
    if (line && line.textContent !== words) line.textContent = words;
  }
}
