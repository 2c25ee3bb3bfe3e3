// @ts-check
/**
 * One entrant's path through a bracket: lit while a mouse or the keyboard's focus is on the name, and kept by a click, a
 * tap or the space bar until Escape. `?entrant=` in the address is a path to show others.
 */

import { gettext, locale } from "../i18n.js";
import { OTHER, sends } from "../meeting.js";
import { OVER, entrantName } from "../shown.js";
import { roundsOf, slotsOf } from "./rounds.js";

/** @typedef {import("../../../../../../clients/js/deltacrown.js").State} State */

const NAMED_MOST = 4; // possible opponents; of more the number is said

/**
 * Whom an entrant plays next, or may play: entry ids, and the matches that decide it. Null: no match is to come.
 * @param {State} state
 * @param {number} stage
 * @param {string} entry
 */
export function opponents(state, stage, entry) {
  const known = sends(state);
  const own = [...known.rows.values()].filter(
    (row) => row.stage === stage && !OVER.includes(row.state) && [row.home, row.away].map(String).includes(entry),
  );
  const match = own.sort((a, b) => a.number - b.number)[0];
  if (!match) return null;
  /** @type {Set<number>} */
  const entries = new Set();
  /** @type {Set<number>} */
  const deciding = new Set();
  const asked = [{ row: match, side: String(match.home) === entry ? "away" : "home" }];
  for (const one of asked) {
    const there = one.row[one.side];
    if (there !== null) {
      entries.add(there);
      continue;
    }
    const source = known.to.get(`${one.row.stage}/${one.row.number}/${one.side}`)?.row;
    if (!source || one.row[`${one.side}_closed`] || deciding.has(source.id)) continue;
    deciding.add(source.id);
    asked.push(...Object.keys(OTHER).map((side) => ({ row: source, side })));
  }
  entries.delete(Number(entry));
  return { match, entries: [...entries], deciding: [...deciding] };
}

/**
 * @param {HTMLElement} view
 * @param {HTMLElement} bracket
 * @param {{pinned?: string | null}} memory
 * @param {() => State} state
 * @param {AbortSignal} signal
 * @param {{changed: () => void, reveal: (card: HTMLElement | null) => void}} tell
 */
export function paths(view, bracket, memory, state, signal, { changed, reveal }) {
  const stage = Number(view.dataset.bracket?.split("-")[1]);
  const select = /** @type {HTMLSelectElement | null} */ (view.querySelector("select[name=entrant]"));
  const own = (/** @type {string} */ entry) => `[data-entry="${CSS.escape(entry)}"]`;
  /** @type {string | null} */
  let lit = null;
  /** @type {HTMLElement | null} */
  let bar = null;

  const row = (/** @type {EventTarget | null} */ target) =>
    target instanceof Element ? /** @type {HTMLElement | null} */ (target.closest("[data-entry]")) : null;

  /** @param {string | null} entry */
  function light(entry) {
    lit = entry;
    for (const one of bracket.querySelectorAll(".is-path, .is-path-in, .is-path-out, .is-next")) {
      one.classList.remove("is-path", "is-path-in", "is-path-out", "is-next");
    }
    bracket.classList.toggle("has-path", entry !== null);
    if (entry !== null) {
      for (const one of bracket.querySelectorAll(own(entry))) one.classList.add("is-path");
      for (const part of bracket.querySelectorAll(".part")) lightLines(roundsOf(part), own(entry));
      lightFinal(bracket, own(entry));
      for (const id of opponents(state(), stage, entry)?.deciding ?? []) {
        bracket.querySelector(`[data-match="${id}"]`)?.classList.add("is-next");
      }
    }
    changed();
  }

  /** @param {string | null} entry */
  function pin(entry) {
    const isSame = bar !== null && memory.pinned === entry;
    memory.pinned = entry;
    light(entry);
    if (select) select.value = entry ?? "";
    for (const link of view.querySelectorAll("[data-follow]")) {
      link.setAttribute("aria-current", String(entry === /** @type {HTMLElement} */ (link).dataset.follow));
    }
    const here = new URL(location.href);
    if (entry === null) here.searchParams.delete("entrant");
    else here.searchParams.set("entrant", entry);
    if (here.hash.startsWith("#entrant=")) here.hash = "";
    history.replaceState(history.state, "", here);
    const made = entry === null ? null : pathbar(entry);
    if (isSame && made?.textContent === bar?.textContent) return;
    bar?.remove();
    bar = made;
    if (bar) view.append(bar);
  }

  /** What is known of an entrant, and the way to the match. @param {string} entry */
  function pathbar(entry) {
    const made = document.createElement("div");
    made.className = "pathbar";
    made.setAttribute("role", "status");
    const words = document.createElement("span");
    const name = document.createElement("strong");
    name.textContent = bracket.querySelector(`${own(entry)} .side__name`)?.textContent ?? "";
    words.append(name, next(entry));
    made.append(words);
    const card = present(entry);
    const number = card?.querySelector("a.match__no");
    if (card && number instanceof HTMLAnchorElement) {
      const link = document.createElement("a");
      link.className = "button button--primary";
      link.href = number.href;
      link.textContent = gettext("Open match {number}", { number: number.textContent?.trim() ?? "" });
      made.append(link);
    }
    const close = document.createElement("button");
    close.type = "button";
    close.className = "button button--square";
    close.textContent = "×";
    close.setAttribute("aria-label", gettext("Let go of the path (Escape)"));
    close.addEventListener("click", () => pin(null));
    made.append(close);
    return made;
  }

  /** The card of an entrant's next match, else of the last. @param {string} entry */
  function present(entry) {
    const cards = /** @type {HTMLElement[]} */ ([...bracket.querySelectorAll(`.match:has(${own(entry)})`)]);
    return cards.find((card) => !OVER.includes(card.dataset.state ?? "")) ?? cards.at(-1) ?? null;
  }

  /** @param {string} entry */
  function next(entry) {
    const found = opponents(state(), stage, entry);
    if (found) {
      const names = found.entries.map((id) => entrantName(state(), id) ?? "?");
      if (!names.length) return gettext("Next: nobody yet");
      if (names.length > NAMED_MOST) return gettext("Next: one of {count}", { count: names.length });
      const list = new Intl.ListFormat(locale, { type: "disjunction" });
      return gettext("Next: {name}", { name: list.format(names) });
    }
    const card = present(entry);
    const side = card?.querySelector(`.side${own(entry)}`);
    const won = side instanceof HTMLElement && side.dataset.outcome === "won";
    return won && card?.closest(".part--main .round--last > * > .slot, .part--final") ? gettext("Champion") : gettext("Out");
  }

  bracket.addEventListener("pointerover", (event) => {
    if (event.pointerType === "mouse" && memory.pinned == null) light(row(event.target)?.dataset.entry ?? null);
  });
  bracket.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "mouse" && memory.pinned == null) light(null);
  });
  bracket.addEventListener("focusin", (event) => {
    const side = row(event.target);
    if (side?.matches(":focus-visible")) light(side.dataset.entry ?? null);
  });
  bracket.addEventListener("focusout", () => light(memory.pinned ?? null));
  bracket.addEventListener("click", (event) => {
    const side = row(event.target);
    // The keyboard's Enter, and a click with a key held, open the match; so does the second click.
    if (!side || event.detail === 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (memory.pinned === side.dataset.entry && side instanceof HTMLAnchorElement) return;
    event.preventDefault();
    pin(side.dataset.entry ?? null);
  });
  bracket.addEventListener("keydown", (event) => {
    const entry = row(event.target)?.dataset.entry;
    if (event.key !== " " || !entry) return;
    event.preventDefault();
    pin(memory.pinned === entry ? null : entry);
  });
  view.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? /** @type {HTMLElement | null} */ (event.target.closest("[data-follow]")) : null;
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const entry = link.dataset.follow ?? "";
    pin(memory.pinned === entry ? null : entry);
    if (memory.pinned) reveal(present(entry));
  });
  select?.addEventListener("change", () => {
    pin(select.value || null);
    if (select.value) reveal(present(select.value));
  });
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    if (memory.pinned != null) pin(null);
    else light(null);
  }, { signal });
  signal.addEventListener("abort", () => bar?.remove());

  const asked = new URLSearchParams(location.search).get("entrant") ?? /^#entrant=(\d+)/.exec(location.hash)?.[1];
  if (memory.pinned === undefined && asked && bracket.querySelector(own(asked))) {
    pin(asked);
    reveal(present(asked));
  } else if (memory.pinned != null) pin(memory.pinned);
  return () => {
    if (memory.pinned != null) pin(memory.pinned);
    else if (lit !== null) light(lit);
  };
}

/**
 * @param {HTMLElement[]} rounds of one part
 * @param {string} own finds the entrant in a slot
 */
function lightLines(rounds, own) {
  rounds.forEach((round, index) => {
    const following = rounds[index + 1] ? slotsOf(rounds[index + 1]) : [];
    const isStraight = round.classList.contains("round--straight");
    slotsOf(round).forEach((slot, place) => {
      const next = following[isStraight ? place : Math.floor(place / 2)];
      if (!next || !slot.querySelector(own) || !next.querySelector(own)) return;
      slot.classList.add("is-path-out");
      next.classList.add("is-path-in");
    });
  });
}

/** The line from the end of the upper or the lower bracket to the grand final. @param {HTMLElement} bracket @param {string} own */
function lightFinal(bracket, own) {
  const final = bracket.querySelector(".part--final .slot");
  if (!final?.querySelector(own)) return;
  for (const part of bracket.querySelectorAll(".part--upper, .part--lower")) {
    const last = part.querySelector(".round--last .slot");
    if (last?.querySelector(own) && cameFrom(last, own)) {
      for (const element of [part, last]) element.classList.add("is-path-out");
      final.classList.add("is-path-in");
    }
  }
}

/** Whether an entrant went on from a slot as its winner. @param {Element} slot @param {string} own */
const cameFrom = (slot, own) => slot.querySelector(`.pass${own}, .side${own}[data-outcome="won"]`) !== null;
