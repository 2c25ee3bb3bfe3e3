// @ts-check
/**
 * The slider through a tournament's past. While a hand moves it, the log is folded here and the page's bindings follow;
 * when it rests, the server's page of that moment takes their place, with all that is more than text.
 * Without this module the slider is a form, and each moment is a page of its own.
 */

import { fold } from "../../clients/deltacrown.js";
import { lookup } from "./shown.js";
import { retime } from "./times.js";

const REST_MS = 140;
const PAGE = 1000; // events in one answer
const MOST = 5000; // more events than these are not folded while the hand moves

/** @typedef {{seq: number, at: string, data: Record<string, any>}} Logged */

/**
 * @param {HTMLElement} root
 * @param {import("./bind.js").Binder} binder
 * @param {(part: ParentNode) => void} prepare brings new HTML to life
 */
export function travel(root, binder, prepare) {
  const slider = /** @type {HTMLInputElement | null} */ (root.querySelector("input[type=range]"));
  const past = /** @type {HTMLElement | null} */ (root.querySelector("[data-region=past]"));
  if (!slider || !past) return;
  const last = Number(slider.max);
  /** @type {Promise<Logged[]> | null} */
  let log = null;
  /** @type {AbortController | null} */
  let asking = null;
  /** @type {any} */
  let timer;

  slider.addEventListener("input", () => {
    void follow(Number(slider.value));
    clearTimeout(timer);
    timer = setTimeout(() => void show(Number(slider.value)), REST_MS);
  });
  past.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a[rel=prev], a[rel=next]") : null;
    const at = link instanceof HTMLAnchorElement ? new URL(link.href).searchParams.get("at") : null;
    if (at === null) return;
    event.preventDefault();
    slider.value = at;
    void show(Number(at));
  });

  /** Write what the log adds up to into the page that is there. @param {number} seq */
  async function follow(seq) {
    log ??= last <= MOST ? read(root.dataset.events ?? "", last) : Promise.resolve([]);
    const events = await log;
    if (Number(slider?.value) !== seq || !events.length) return;
    const until = events.filter((event) => event.seq <= seq);
    binder.apply(lookup(fold(until.map((event) => event.data))), null, false);
    retime(past?.querySelector(".moment time"), until.at(-1)?.at ?? "");
  }

  /** Put the server's page of a moment in place. @param {number} seq */
  async function show(seq) {
    asking?.abort();
    asking = new AbortController();
    const here = new URL(location.href);
    here.searchParams.set("at", String(seq));
    const part = new URL(here);
    part.searchParams.set("region", "past");
    let answer;
    try {
      answer = await fetch(part, { headers: { Accept: "text/html" }, signal: asking.signal });
    } catch {
      return; // another moment is wanted by now, or there is no connection: the fold stays
    }
    if (!answer.ok || !past || !slider) return;
    const html = await answer.text();
    if (Number(slider.value) !== seq) return;
    const template = document.createElement("template");
    template.innerHTML = html; // from our own server, which escapes what people wrote
    const focused = document.activeElement?.getAttribute("rel");
    past.replaceChildren(template.content);
    prepare(past);
    binder.scan(document);
    if (focused) /** @type {HTMLElement | null} */ (past.querySelector(`a[rel=${focused}]`))?.focus();
    slider.setAttribute("aria-valuetext", past.querySelector(".moment__text")?.textContent?.trim() ?? "");
    history.replaceState(null, "", here);
  }
}

/**
 * Read the log, page by page. Resolves to nothing when it cannot be had.
 * @param {string} url
 * @param {number} last
 * @returns {Promise<Logged[]>}
 */
async function read(url, last) {
  /** @type {Logged[]} */
  const found = [];
  for (let after = 0, more = true; more && after < last; ) {
    const answer = await fetch(`${url}?after=${after}&limit=${PAGE}`).catch(() => null);
    if (!answer?.ok) return [];
    const page = await answer.json();
    found.push(...page.events);
    more = page.more;
    after = page.events.at(-1)?.seq ?? last;
  }
  return found;
}
