// @ts-check
/**
 * Parts of a page that the server renders anew when something happened that changes their structure, or that depend
 * on who is looking. `data-region` names the part, `data-on` the events that change it ("match_* registration_*"),
 * `data-except` events that do not, `data-mine` that only the person looking is meant (no crowd to spread),
 * `data-every` after how many seconds it is another one without any event.
 *
 * Asked for at most once in MIN_MS, after a delay that differs from viewer to viewer: a result must not bring the
 * whole audience to the server in one instant.
 */

import { isDirty } from "./bind.js";
import { gettext } from "./i18n.js";
import { compare } from "./version.js";

const MIN_MS = 1500;
const SPREAD_MS = 900;
const SPREAD_MINE_MS = 150;
const SPREAD_EACH_MS = 4; // for each who watches: at most 250 requests a second however many they are
const SPREAD_MOST_MS = 30_000;
const AGAIN_MS = 600;
const FAILED_MS = 3000;
const TRIES = 4;

/** @typedef {{element: HTMLElement, name: string, on: string[], except: string[], at: number, timer: any, tries: number, html: string, asked: number, shown: number}} Region */

export class Regions {
  /**
   * @param {() => {epoch: string, seq: number} | null} position what the answer must reach
   * @param {(region: HTMLElement) => void} swapped called after new HTML is in place
   * @param {{place?: (region: HTMLElement, html: string) => void, gone?: () => void, unseen?: boolean}} ways how HTML is
   *   put in place; what to do when the page is not there any more; whether to ask while nobody sees the page, too
   */
  constructor(position, swapped, { place = replace, gone = () => location.reload(), unseen = false } = {}) {
    this.position = position;
    this.swapped = swapped;
    this.place = place;
    this.gone = gone;
    this.unseen = unseen;
    this.crowd = 0; // how many watch, when that is known
    this.path = (document.querySelector("meta[name=here]")?.getAttribute("content") ?? location.pathname).split("?")[0];
    // A page that shows a refused form stands at the form's address; a reload must ask for the page, not send the form.
    if (this.path !== location.pathname) history.replaceState(null, "", this.path);
    /** @type {Region[]} */
    this.regions = [...document.querySelectorAll("[data-region]")].map((found) => {
      const element = /** @type {HTMLElement} */ (found);
      return {
        element,
        name: element.dataset.region ?? "",
        on: words(element.dataset.on),
        except: words(element.dataset.except),
        at: 0,
        timer: undefined,
        tries: 0,
        html: "",
        asked: 0,
        shown: 0,
      };
    });
    for (const region of this.regions) {
      const every = Number(region.element.dataset.every);
      // Time alone is no news for somebody who is typing.
      if (every) setInterval(() => isDirty(region.element) || this.#schedule(region), every * 1000);
    }
    this.waiting = new Set();
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) return;
      for (const region of this.waiting) this.#schedule(region);
      this.waiting.clear();
    });
  }

  /** Tell that an event came. @param {string} type */
  touch(type) {
    for (const region of this.regions) {
      const hit = (/** @type {string} */ pattern) =>
        pattern.endsWith("*") ? type.startsWith(pattern.slice(0, -1)) : pattern === type;
      if (region.on.some(hit) && !region.except.some(hit)) this.#schedule(region);
    }
  }

  /**
   * Ask for some regions at once: the person looking has just changed them, or asked for them.
   * @param {string[]} names
   */
  now(names) {
    return Promise.all(this.regions.filter((region) => names.includes(region.name)).map((region) => this.fetch(region)));
  }

  /** Ask for all regions again: the state was replaced. */
  touchAll() {
    for (const region of this.regions) if (region.on.length) this.#schedule(region);
  }

  /** @param {Region} region */
  #schedule(region) {
    if (region.timer !== undefined) return;
    if (document.hidden && !this.unseen) {
      this.waiting.add(region);
      return;
    }
    const crowd = Math.min(Math.max(this.crowd * SPREAD_EACH_MS, SPREAD_MS), SPREAD_MOST_MS);
    const spread = Math.random() * (region.element.hasAttribute("data-mine") ? SPREAD_MINE_MS : crowd);
    const wait = Math.max(region.at + MIN_MS - Date.now(), 0) + 60 + spread;
    region.timer = setTimeout(async () => {
      region.timer = undefined;
      if (!(await this.fetch(region))) setTimeout(() => this.#schedule(region), FAILED_MS * (1 + Math.random()));
    }, wait);
  }

  /**
   * Fetch a region now. Resolves to whether the server answered.
   * @param {Region} region
   */
  async fetch(region) {
    region.at = Date.now();
    const asked = (region.asked += 1);
    const wanted = this.position();
    const query = new URLSearchParams(location.search);
    query.set("region", region.name);
    if (wanted) query.set("seq", String(wanted.seq));
    let answer;
    try {
      answer = await fetch(`${this.path}?${query}`, { headers: { Accept: "text/html" } });
    } catch {
      return false;
    }
    if (answer.redirected || [401, 403, 404].includes(answer.status)) {
      this.gone(); // signed out, or not allowed here any more: a page that is loaded again says it in words
      return true;
    }
    if (!answer.ok) return false;
    const [epoch, seq] = (answer.headers.get("X-Position") ?? "").split(":");
    if (wanted && epoch === wanted.epoch && Number(seq) < wanted.seq && region.tries < TRIES) {
      region.tries += 1;
      setTimeout(() => this.fetch(region), AGAIN_MS * region.tries);
      return true;
    }
    region.tries = 0;
    const html = await answer.text();
    if (asked < region.shown) return true; // what was asked for later came sooner
    region.shown = asked;
    this.#offer(region, html);
    compare(answer);
    return true;
  }

  /**
   * Put new HTML in place, unless somebody is typing there: then say that there is news.
   * @param {Region} region
   * @param {string} html
   */
  #offer(region, html) {
    const plain = html.replace(/value="[0-9a-zA-Z]{32,64}"/g, ""); // ids of forms differ each time
    if (plain === region.html) return;
    if (isDirty(region.element)) {
      this.#news(region, html);
      return;
    }
    region.html = plain;
    this.#swap(region, html);
  }

  /**
   * @param {Region} region
   * @param {string} html
   */
  #swap(region, html) {
    const open = [...region.element.querySelectorAll("details[open] > summary")].map((s) => s.textContent);
    const focused = region.element.contains(document.activeElement) ? mark(document.activeElement) : null;
    const heights = held(region.element);
    this.place(region.element, html);
    for (const [name, part] of parts(region.element)) {
      const before = heights.get(name) ?? 0;
      if (part.offsetHeight < before) part.style.minBlockSize = `${before}px`; // what stands below does not jump up
    }
    for (const summary of region.element.querySelectorAll("details > summary")) {
      if (open.includes(summary.textContent)) summary.parentElement?.setAttribute("open", "");
    }
    if (focused) {
      for (const element of region.element.querySelectorAll("a, button, summary, input, textarea")) {
        if (mark(element) === focused) {
          /** @type {HTMLElement} */ (element).focus({ preventScroll: true });
          break;
        }
      }
    }
    this.swapped(region.element);
  }

  /**
   * @param {Region} region
   * @param {string} html
   */
  #news(region, html) {
    region.element.querySelector(":scope > .changed")?.remove();
    const bar = document.createElement("div");
    bar.className = "changed";
    bar.setAttribute("role", "status");
    const words = document.createElement("span");
    words.textContent = gettext("This part has changed since you began to type.");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button";
    button.textContent = gettext("Show it as it is now");
    button.addEventListener("click", () => this.#swap(region, html));
    bar.append(words, button);
    region.element.prepend(bar);
  }
}

/** The parts that keep their height when they have less in them, by name. @param {HTMLElement} within */
function parts(within) {
  const found = /** @type {NodeListOf<HTMLElement>} */ (within.querySelectorAll("[data-hold]"));
  return new Map([...found].map((part) => [part.dataset.hold ?? "", part]));
}

/** @param {HTMLElement} within */
function held(within) {
  return new Map([...parts(within)].map(([name, part]) => [name, part.offsetHeight]));
}

/**
 * @param {HTMLElement} element
 * @param {string} html from our own server, which escapes what people wrote
 */
function replace(element, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  element.replaceChildren(template.content);
}

/** @param {string | undefined} text */
function words(text) {
  return (text ?? "").split(/\s+/).filter(Boolean);
}

/** What makes an element the same one after a swap. @param {Element | null} element */
function mark(element) {
  if (!element) return null;
  const action = element.closest("form")?.getAttribute("action") ?? "";
  const named = ["name", "value", "href"].map((name) => element.getAttribute(name) ?? "");
  if (element instanceof HTMLInputElement) named[1] = ""; // its value may be another one now
  return [element.tagName, action, ...named, element.textContent?.trim()].join("|");
}
