// @ts-check
/**
 * Seeds by dragging: with a pointer or a finger on the grip, or with the keyboard (Space picks up and drops, arrows
 * move, Escape puts back). The number fields of the form follow, so that saving is one submission of it, whatever was
 * dragged before. Who meets whom in the first round follows too.
 */

import { gettext } from "./i18n.js";

/** @param {ParentNode} part */
export function seeding(part) {
  for (const list of part.querySelectorAll("ol[data-seeding]")) new Seeding(/** @type {HTMLElement} */ (list));
}

class Seeding {
  /** @param {HTMLElement} list */
  constructor(list) {
    this.list = list;
    this.form = /** @type {HTMLFormElement} */ (list.closest("form"));
    /** The entrant in the hand, and the order to go back to. @type {{item: HTMLElement, before: Element[]} | null} */
    this.held = null;
    list.classList.add("is-draggable");
    for (const hidden of this.form.querySelectorAll("[data-seeding-how], [data-grip]")) hidden.removeAttribute("hidden");
    list.addEventListener("keydown", (event) => this.#pressed(event));
    list.addEventListener("pointerdown", (event) => this.#grabbed(event));
    list.addEventListener("pointermove", (event) => this.#dragged(event));
    list.addEventListener("pointerup", (event) => this.#let(event, false));
    list.addEventListener("pointercancel", (event) => this.#let(event, true));
    list.addEventListener("focusout", (event) => {
      // Moving an element takes the focus from it for a moment; only a focus that went elsewhere drops.
      if (this.held && event.relatedTarget && !this.held.item.contains(/** @type {Node} */ (event.relatedTarget))) this.#drop();
    });
    list.addEventListener("change", (event) => this.#typed(event));
  }

  /** @returns {HTMLElement[]} */
  get items() {
    return /** @type {HTMLElement[]} */ ([...this.list.children]);
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const grip = event.target instanceof Element ? event.target.closest("[data-grip]") : null;
    if (!grip) return;
    const item = /** @type {HTMLElement} */ (grip.closest("li"));
    if (event.key === " ") {
      event.preventDefault();
      if (this.held) this.#drop();
      else this.#pick(item, true);
    } else if (this.held) {
      const at = this.items.indexOf(item);
      const to = /** @type {Record<string, number>} */ ({ ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: this.items.length - 1 })[event.key];
      if (event.key === "Escape") {
        event.preventDefault();
        this.#putBack();
      } else if (to !== undefined) {
        event.preventDefault();
        this.#move(item, to);
        /** @type {HTMLElement} */ (grip).focus();
        this.#say(this.#place(item));
      } else if (event.key === "Enter") {
        event.preventDefault();
        this.#drop();
      }
    }
  }

  /** @param {PointerEvent} event */
  #grabbed(event) {
    const grip = event.target instanceof Element ? event.target.closest("[data-grip]") : null;
    if (!grip || event.button) return;
    event.preventDefault();
    /** @type {HTMLElement} */ (grip).focus({ preventScroll: true });
    grip.setPointerCapture(event.pointerId);
    this.pointer = event.pointerId;
    this.#pick(/** @type {HTMLElement} */ (grip.closest("li")), false);
  }

  /** @param {PointerEvent} event */
  #dragged(event) {
    if (!this.held || event.pointerId !== this.pointer) return;
    const { item } = this.held;
    const others = this.items.filter((other) => other !== item);
    const to = others.findIndex((other) => {
      const box = other.getBoundingClientRect();
      return event.clientY < box.top + box.height / 2;
    });
    this.#move(item, to < 0 ? others.length : to);
    const edge = 48; // pixels from the edge of the window at which the page scrolls along
    if (event.clientY < edge) scrollBy(0, -12);
    else if (event.clientY > innerHeight - edge) scrollBy(0, 12);
  }

  /** @param {PointerEvent} event @param {boolean} back */
  #let(event, back) {
    if (!this.held || event.pointerId !== this.pointer) return;
    this.pointer = undefined;
    if (back) this.#putBack();
    else this.#drop();
  }

  /** A number was typed: the entrant goes to that place. @param {Event} event */
  #typed(event) {
    const field = event.target;
    if (!(field instanceof HTMLInputElement) || !field.name.startsWith("seed-")) return;
    const wanted = Number.parseInt(field.value, 10);
    const item = /** @type {HTMLElement} */ (field.closest("li"));
    if (Number.isFinite(wanted)) this.#move(item, Math.min(Math.max(wanted, 1), this.items.length) - 1);
    this.#number();
    field.focus();
    this.#say(this.#place(item));
  }

  /** @param {HTMLElement} item @param {boolean} aloud */
  #pick(item, aloud) {
    this.held = { item, before: [...this.list.children] };
    item.classList.add("is-held");
    item.querySelector("[data-grip]")?.setAttribute("aria-pressed", "true");
    if (aloud) this.#say(`${gettext("{name} is picked up.", { name: nameOf(item) })} ${this.#place(item)}`);
  }

  /** @param {HTMLElement} item @param {number} to */
  #move(item, to) {
    const others = this.items.filter((other) => other !== item);
    const place = Math.min(Math.max(to, 0), others.length);
    if (this.items.indexOf(item) === place) return;
    this.list.insertBefore(item, others[place] ?? null);
    this.#number();
  }

  #drop() {
    const { item } = /** @type {{item: HTMLElement}} */ (this.held);
    this.#release();
    this.#say(`${gettext("{name} is dropped.", { name: nameOf(item) })} ${this.#place(item)}`);
  }

  #putBack() {
    const { item, before } = /** @type {{item: HTMLElement, before: Element[]}} */ (this.held);
    this.list.append(...before);
    this.#number();
    this.#release();
    /** @type {HTMLElement | null} */ (item.querySelector("[data-grip]"))?.focus();
    this.#say(gettext("{name} is where they were.", { name: nameOf(item) }));
  }

  #release() {
    this.held?.item.classList.remove("is-held");
    this.held?.item.querySelector("[data-grip]")?.setAttribute("aria-pressed", "false");
    this.held = null;
  }

  /** Write the numbers, the names in the first round, and whether there is something to save. */
  #number() {
    const names = this.items.map(nameOf);
    let changed = false;
    this.items.forEach((item, index) => {
      const field = /** @type {HTMLInputElement} */ (item.querySelector("input"));
      field.value = String(index + 1);
      changed ||= field.value !== field.defaultValue;
      item.querySelector("[data-grip]")?.setAttribute("aria-label", gettext("{name}, seed {seed}: move", { name: names[index], seed: index + 1 }));
    });
    for (const who of this.form.querySelectorAll("[data-of-seed]")) {
      const name = names[Number(who.getAttribute("data-of-seed")) - 1] ?? "";
      if (who.textContent !== name) who.textContent = name;
    }
    this.form.querySelector("[data-seeding-unsaved]")?.toggleAttribute("hidden", !changed);
    this.form.querySelector("[data-seeding-save]")?.classList.toggle("button--primary", changed);
  }

  /** @param {HTMLElement} item */
  #place(item) {
    const seed = this.items.indexOf(item) + 1;
    const where = gettext("Seed {seed} of {count}.", { seed, count: this.items.length });
    const own = this.form.querySelector(`[data-of-seed="${seed}"]`);
    const pair = own?.closest(".firstround__pair");
    if (!pair) return where;
    const other = [...pair.querySelectorAll("[data-of-seed]")].find((who) => who !== own)?.textContent ?? "";
    return `${where} ${gettext("Meets {name} first.", { name: other })}`;
  }

  /** @param {string} words */
  #say(words) {
    const region = this.form.querySelector("[data-seeding-say]");
    if (region) region.textContent = words;
  }
}

/** @param {HTMLElement} item */
const nameOf = (item) => item.dataset.name ?? "";
