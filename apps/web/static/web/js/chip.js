// @ts-check
/**
 * The one status chip: says at any moment how far the page can be trusted. Never a green dot over an old score.
 */

import { gettext, locale } from "./i18n.js";
import { clock } from "./times.js";

const RECONNECTING_AFTER_MS = 800; // shorter than that nobody has missed anything
const STALE_AFTER_MS = 5000;

/** @typedef {import("../../../../../clients/js/deltacrown.js").Status} Status */

export class Chip {
  constructor() {
    this.element = document.getElementById("chip");
    this.text = this.element?.querySelector(".chip__text") ?? null;
    /** @type {Status | null} */
    this.status = null;
    this.viewers = 0;
    this.lostAt = 0;
    /** @type {any} */
    this.timer = undefined;
  }

  /** @param {Status} status */
  show(status) {
    if (status.kind !== "live" && (this.status === null || this.status.kind === "live")) this.lostAt = Date.now();
    this.status = status;
    this.#draw();
  }

  /** The page has slept: what it shows is as old as its last sign of life, and no grace is due. */
  slept() {
    if (!this.status || this.status.kind === "live") return;
    this.lostAt = 0;
    this.#draw();
  }

  /** @param {number} viewers */
  watching(viewers) {
    this.viewers = viewers;
    this.#draw();
  }

  /** For pages that ask now and then: the moment of the last answer. @param {Date} at */
  asOf(at) {
    this.#put("asof", gettext("as of {time}", { time: clock(at) }));
  }

  /** @param {Date} at */
  staleSince(at) {
    this.#put("stale", gettext("stale since {time}", { time: clock(at) }));
  }

  #draw() {
    clearTimeout(this.timer);
    const status = this.status;
    if (!status) return;
    if (status.kind === "live") {
      const viewers = this.viewers.toLocaleString(locale);
      const watching = gettext("live · {viewers} watching", { viewers });
      this.#put("live", this.viewers >= 2 ? watching : gettext("live"));
      return;
    }
    const gone = Date.now() - this.lostAt;
    if (status.kind === "stopped" || gone >= STALE_AFTER_MS) {
      this.#put("stale", gettext("stale since {time}", { time: clock(new Date(status.since)) }));
      return;
    }
    if (gone >= RECONNECTING_AFTER_MS) this.#put("reconnecting", gettext("reconnecting…"));
    const next = gone >= RECONNECTING_AFTER_MS ? STALE_AFTER_MS : RECONNECTING_AFTER_MS;
    this.timer = setTimeout(() => this.#draw(), next - gone + 5);
  }

  /**
   * @param {string} state
   * @param {string} words
   */
  #put(state, words) {
    if (!this.element || !this.text) return;
    this.element.dataset.state = state;
    if (this.text.textContent !== words) this.text.textContent = words;
  }
}
