// @ts-check
/**
 * Keep elements in step with a state. `data-bind="m.5.home.score"` is an element's text;
 * `data-bind-to="data-state:m.5.state hidden:count.no_live"` are attributes. Text goes in as text, never as HTML.
 * A match card (templates/web/_card.html) needs neither: its parts are known by their class.
 */

/** @typedef {(path: string) => any} Look */
/** @typedef {{element: HTMLElement, attribute: string | null, path: string}} Binding */

const SIDE_PARTS = ["seed", "name", "shootout", "score"];
const GLOWS = ".side, .team, .stepper__side, .pass";

export class Binder {
  constructor() {
    /** Bindings by what they depend on: "t", "count", "m.5". @type {Map<string, Binding[]>} */
    this.index = new Map();
  }

  /**
   * Read the bindings of a page anew: at the start, and after a part of it was replaced.
   * @param {ParentNode} root
   */
  scan(root) {
    this.index.clear();
    for (const element of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-bind]"))) {
      this.#add(element, null, element.dataset.bind ?? "");
    }
    for (const element of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-bind-to]"))) {
      for (const pair of (element.dataset.bindTo ?? "").split(/\s+/)) {
        const [attribute, path] = pair.split(":");
        this.#add(element, attribute, path);
      }
    }
    for (const card of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll(".match[data-match]"))) {
      this.#addCard(card, `m.${card.dataset.match}`);
    }
  }

  /**
   * Write what changed.
   * @param {Look} look
   * @param {Iterable<string> | null} keys what may have changed ("m.5", "count"); null: everything
   * @param {boolean} animate show where it happened
   */
  apply(look, keys, animate) {
    for (const key of keys ?? this.index.keys()) {
      for (const binding of this.index.get(key) ?? []) this.#write(binding, look(binding.path), animate);
    }
  }

  /**
   * @param {HTMLElement} card
   * @param {string} match
   */
  #addCard(card, match) {
    const part = (/** @type {string} */ name) => /** @type {HTMLElement | null} */ (card.querySelector(`.match__${name}`));
    const [state, games] = [part("state"), part("games")];
    this.#add(card, "data-state", `${match}.state`);
    if (state) this.#add(state, null, `${match}.label`);
    if (games) {
      this.#add(games, null, `${match}.games`);
      this.#add(card, "title", `${match}.games`);
    }
    const sides = /** @type {NodeListOf<HTMLElement>} */ (card.querySelectorAll(".side"));
    sides.forEach((side, index) => {
      const path = `${match}.${index ? "away" : "home"}`;
      this.#add(side, "data-entry", `${path}.entry`);
      this.#add(side, "data-outcome", `${path}.outcome`);
      SIDE_PARTS.forEach((name, place) => this.#add(/** @type {HTMLElement} */ (side.children[place]), null, `${path}.${name}`));
    });
  }

  /**
   * @param {HTMLElement} element
   * @param {string | null} attribute
   * @param {string} path
   */
  #add(element, attribute, path) {
    const [root, id] = path.split(".");
    const key = root === "m" ? `m.${id}` : root;
    const bindings = this.index.get(key) ?? [];
    bindings.push({ element, attribute, path });
    this.index.set(key, bindings);
  }

  /**
   * @param {Binding} binding
   * @param {any} value
   * @param {boolean} animate
   */
  #write({ element, attribute, path }, value, animate) {
    if (value === undefined || (value === null && attribute === null)) return;
    if (attribute !== null) {
      writeAttribute(element, attribute, value);
      return;
    }
    const text = String(value);
    if (element.textContent === text) return;
    element.textContent = text;
    if (!animate) return;
    if (/\.(score|shootout)$/.test(path)) play(element, "flip");
    const row = element.closest(GLOWS);
    if (row) play(row, "glow");
  }
}

/**
 * @param {HTMLElement} element
 * @param {string} attribute
 * @param {any} value
 */
function writeAttribute(element, attribute, value) {
  if (attribute === "value" && element instanceof HTMLInputElement) {
    if (element.form?.hasAttribute("data-busy")) return; // a step is on its way and has counted ahead
    if (element.hasAttribute("data-bind-clean") && element.form && isDirty(element.form)) return;
    element.value = element.defaultValue = String(value);
    return;
  }
  if (value === null || value === false) element.removeAttribute(attribute);
  else if (element.getAttribute(attribute) !== String(value)) {
    element.setAttribute(attribute, value === true ? "" : String(value));
  }
  if (attribute === "data-accent") element.style.setProperty("--accent-source", String(value));
}

/**
 * Whether somebody has typed or chosen something in `within` that has not been sent.
 * @param {ParentNode} within
 */
export function isDirty(within) {
  if (within.querySelector(".photos__list")) return true; // photos wait to be sent
  for (const field of within.querySelectorAll("input, textarea, select")) {
    if (field instanceof HTMLSelectElement) {
      const chosen = [...field.options].find((option) => option.defaultSelected) ?? field.options[0];
      if (chosen && !chosen.selected) return true;
    } else if (field instanceof HTMLInputElement) {
      if (field.type === "hidden") continue;
      const choice = field.type === "checkbox" || field.type === "radio";
      if (choice ? field.checked !== field.defaultChecked : field.value !== field.defaultValue) return true;
    } else if (field instanceof HTMLTextAreaElement && field.value !== field.defaultValue) return true;
  }
  return false;
}

/**
 * @param {Element} element
 * @param {string} name
 */
function play(element, name) {
  element.classList.remove(name);
  void (/** @type {HTMLElement} */ (element).offsetWidth); // starts the animation again when it is still running
  element.classList.add(name);
  element.addEventListener("animationend", () => element.classList.remove(name), { once: true });
}
