// @ts-check
/**
 * The bracket under a hand: an entrant's path lights up on hover, focus or tap; a phone shows one round at a time
 * and begins with the one being played. Without this module the bracket is a drawing that scrolls.
 */

import { gettext } from "./i18n.js";
import { OVER } from "./shown.js";

const PHONE = "(width < 42rem)";

/** @param {HTMLElement} bracket */
export function bringToLife(bracket) {
  lightPaths(bracket);
  const parts = /** @type {HTMLElement[]} */ ([...bracket.querySelectorAll(".part")]);
  const present = parts.map((part) => pageRounds(bracket, part)).filter((round) => round !== null);
  lookAtThePresent(bracket, present);
}

/** Scroll a wide drawing to the first round that is not over. On a phone each part has done so already. */
function lookAtThePresent(/** @type {HTMLElement} */ bracket, /** @type {HTMLElement[]} */ rounds) {
  if (matchMedia(PHONE).matches || bracket.scrollWidth <= bracket.clientWidth) return;
  const left = Math.min(...rounds.map((round) => leftOf(round, bracket)));
  const before = rounds[0]?.offsetWidth ?? 0; // the round before it tells where they come from
  if (Number.isFinite(left) && left > before) bracket.scrollTo({ left: left - before, behavior: "instant" });
}

/** Where an element begins in what a scroller shows, from the scroller's own beginning. */
function leftOf(/** @type {HTMLElement} */ element, /** @type {HTMLElement} */ scroller) {
  return element.getBoundingClientRect().left - scroller.getBoundingClientRect().left + scroller.scrollLeft;
}

/** @param {HTMLElement} bracket */
function lightPaths(bracket) {
  const columns = [...bracket.querySelectorAll(".part")].map((part) =>
    [...part.querySelectorAll(".round")].map((round) => ({
      straight: round.classList.contains("round--straight"),
      slots: [...round.querySelectorAll(".slot")],
    })),
  );
  /** @type {string | null} */
  let pinned = null;
  /** @type {HTMLElement | null} */
  let bar = null;

  const entrant = (/** @type {EventTarget | null} */ target) =>
    target instanceof Element ? /** @type {HTMLElement | null} */ (target.closest("[data-entry]")) : null;

  /** @param {string | null} entry */
  function light(entry) {
    for (const lit of bracket.querySelectorAll(".is-path, .is-path-in, .is-path-out")) {
      lit.classList.remove("is-path", "is-path-in", "is-path-out");
    }
    bracket.classList.toggle("has-path", entry !== null);
    if (entry === null) return;
    const own = `[data-entry="${CSS.escape(entry)}"]`;
    for (const element of bracket.querySelectorAll(own)) element.classList.add("is-path");
    for (const rounds of columns) {
      rounds.forEach(({ slots, straight }, round) => {
        slots.forEach((slot, place) => {
          const next = rounds[round + 1]?.slots[straight ? place : Math.floor(place / 2)];
          if (next && slot.querySelector(own) && next.querySelector(own)) {
            slot.classList.add("is-path-out");
            next.classList.add("is-path-in");
          }
        });
      });
    }
  }

  /** @param {string | null} entry */
  function pin(entry, /** @type {HTMLElement | null} */ row = null) {
    pinned = entry;
    light(entry);
    bar?.remove();
    bar = null;
    if (entry === null || !row) return;
    bar = document.createElement("div");
    bar.className = "pathbar";
    const words = document.createElement("span");
    const name = document.createElement("strong");
    name.textContent = row.querySelector(".side__name")?.textContent ?? "";
    words.append(name, nextOpponent(bracket, entry));
    bar.append(words);
    const match = row.closest(".match")?.querySelector("a.match__no");
    if (match instanceof HTMLAnchorElement) {
      const link = document.createElement("a");
      link.className = "button button--primary";
      link.href = match.href;
      link.textContent = gettext("Open match {number}", { number: match.textContent?.trim() ?? "" });
      bar.append(link);
    }
    document.body.append(bar);
  }

  bracket.addEventListener("pointerover", (event) => {
    if (event.pointerType === "mouse" && pinned === null) light(entrant(event.target)?.dataset.entry ?? null);
  });
  bracket.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "mouse" && pinned === null) light(null);
  });
  bracket.addEventListener("focusin", (event) => {
    const row = entrant(event.target);
    if (row?.matches(":focus-visible")) light(row.dataset.entry ?? null);
  });
  bracket.addEventListener("focusout", () => light(pinned));

  let touched = false;
  bracket.addEventListener("pointerdown", (event) => {
    touched = event.pointerType !== "mouse";
  });
  bracket.addEventListener("click", (event) => {
    const row = entrant(event.target);
    if (!touched || !row) return;
    if (pinned === row.dataset.entry && row instanceof HTMLAnchorElement) return; // the second tap opens the match
    event.preventDefault();
    pin(row.dataset.entry ?? null, row);
  });
  document.addEventListener("click", (event) => {
    if (pinned !== null && event.target instanceof Element && !event.target.closest("[data-bracket], .pathbar")) pin(null);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") pin(null);
  });
}

/**
 * @param {HTMLElement} bracket
 * @param {string} entry
 */
function nextOpponent(bracket, entry) {
  for (const row of bracket.querySelectorAll(`.side[data-entry="${CSS.escape(entry)}"]`)) {
    const match = /** @type {HTMLElement | null} */ (row.closest(".match"));
    if (!match || OVER.includes(match.dataset.state ?? "")) continue;
    const other = [...match.querySelectorAll(".side")].find((side) => side !== row);
    return gettext("Next: {name}", { name: other?.querySelector(".side__name")?.textContent ?? "" });
  }
  const last = [...bracket.querySelectorAll(`.round--last .side[data-entry="${CSS.escape(entry)}"]:not([data-outcome=""])`)].at(-1);
  const isFinal = last?.closest(".part--main .slot, .part--final");
  return isFinal && last instanceof HTMLElement && last.dataset.outcome === "won" ? gettext("Champion") : gettext("Out");
}

/**
 * Lead a phone through one part of a bracket, round by round. Returns the first round that is not over, if there is one.
 * @param {HTMLElement} bracket
 * @param {HTMLElement} part
 */
function pageRounds(bracket, part) {
  const rounds = /** @type {HTMLElement[]} */ ([...part.querySelectorAll(".round")]);
  const links = [...part.querySelectorAll(".roundnav a")];
  const strip = /** @type {HTMLElement} */ (part.querySelector(".bracket__rounds"));
  const phone = matchMedia(PHONE);
  let shown = -1;

  /** @param {number} index */
  function mark(index) {
    if (index === shown) return;
    shown = index;
    links.forEach((link, i) => (i === index ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")));
    const link = links[index];
    if (link?.parentElement) link.parentElement.scrollTo({ left: /** @type {HTMLElement} */ (link).offsetLeft - 24, behavior: "smooth" });
    fit();
  }

  /** A later round is shorter than the first; the page must not keep room for what is out of sight. */
  function fit() {
    const round = rounds[Math.max(shown, 0)];
    strip.style.blockSize = phone.matches && round ? `${round.offsetHeight + 24}px` : "";
  }

  /** @param {number} index */
  function goTo(index, /** @type {ScrollBehavior} */ behavior = "smooth") {
    const round = rounds[index];
    if (!round) return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const scroller = phone.matches ? strip : bracket;
    scroller.scrollTo({ left: leftOf(round, scroller), behavior: calm ? "auto" : behavior });
  }

  links.forEach((link, index) =>
    link.addEventListener("click", (event) => {
      event.preventDefault();
      goTo(index);
    }),
  );
  strip.addEventListener("scroll", () => {
    const middle = strip.getBoundingClientRect().left + strip.clientWidth / 2;
    const index = rounds.findIndex((round) => round.getBoundingClientRect().right > middle);
    mark(index < 0 ? rounds.length - 1 : index);
  }, { passive: true });
  phone.addEventListener("change", fit);
  addEventListener("resize", fit);

  const over = OVER.map((state) => `[data-state="${state}"]`).join(",");
  const playing = rounds.findIndex((round) => round.querySelector(`.slot .match:not(${over})`));
  if (phone.matches) {
    const first = playing < 0 ? rounds.length - 1 : playing;
    goTo(first, "instant");
    mark(first);
  }
  return rounds[playing] ?? null;
}
