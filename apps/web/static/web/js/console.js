// @ts-check
/**
 * The organiser's console: what is done on it is sent without leaving the page, with the way back in the toast; and a
 * match opens beside the board or the bracket. Without this module the same forms and links lead from page to page.
 */

import { complain } from "./forms.js";
import { gettext } from "./i18n.js";

const WORK = ["board", "panel", "bracket", "entrants", "announce"]; // where the person looking is at work
const AROUND = ["standings", "steps", "notices", "tabs", "head"]; // what events bring anyway, while there are any
const MATCH = /^\/m\/(\d+)\/$/;
const TOAST_MS = 12_000;

export class Console {
  /**
   * @param {import("./region.js").Regions} regions
   * @param {() => boolean} isLive whether what happened comes by itself
   */
  constructor(regions, isLive) {
    this.regions = regions;
    this.isLive = isLive;
    this.aside = /** @type {HTMLElement | null} */ (document.querySelector("[data-console] .workbench__aside"));
    /** Where the focus was when a match was opened. @type {string} */
    this.opener = "";
    document.addEventListener("submit", (event) => this.#submitted(event));
    document.addEventListener("click", (event) => this.#clicked(event));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.aside?.hasAttribute("data-open") && !event.defaultPrevented) this.close();
    });
    document.addEventListener("focusin", ({ target }) => {
      if (target instanceof HTMLInputElement && target.matches("[data-select]")) target.select();
    });
    const first = document.activeElement;
    if (first instanceof HTMLInputElement && first.matches("[data-select]")) first.select();
    if (!this.aside) return;
    addEventListener("popstate", () => this.#show(false));
    this.#mark();
  }

  /** @param {SubmitEvent} event */
  async #submitted(event) {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.hasAttribute("data-act") || event.defaultPrevented) return;
    event.preventDefault();
    if (form.hasAttribute("data-busy")) return;
    form.setAttribute("data-busy", "");
    const submitter = event.submitter instanceof HTMLButtonElement ? event.submitter : null;
    const body = new FormData(form, submitter);
    const onBoard = form.closest("[data-region=board]") !== null;
    try {
      const address = submitter?.getAttribute("formaction") ?? form.getAttribute("action") ?? "";
      const answer = await fetch(address, { method: "POST", body, headers: { Accept: "application/json" } });
      if (!(answer.headers.get("Content-Type") ?? "").includes("json")) {
        location.reload(); // signed out, or gone: the page says it in words
        return;
      }
      const { ok, said, undo, message, go } = await answer.json();
      if (go) location.assign(go);
      else if (!ok) complain(message);
      else {
        document.querySelector(".failure")?.remove();
        form.reset();
        if (form.closest(".toast")) form.closest(".toast")?.remove();
        if (said) toast(said, undo, String(body.get("csrfmiddlewaretoken") ?? ""));
        await this.regions.now(this.isLive() ? WORK : [...WORK, ...AROUND]);
        this.#mark();
        if (onBoard && form.hasAttribute("data-result")) this.#nextResult();
      }
    } catch {
      complain(gettext("There is no connection. Nothing was changed; try again when it is back."));
    } finally {
      form.removeAttribute("data-busy");
    }
  }

  /** Put the cursor where the next result goes: results are entered one after another. */
  #nextResult() {
    const input = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-region=board] .scoreline input.number"));
    input?.focus();
    input?.select();
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    if (!this.aside || !(event.target instanceof Element)) return;
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const link = /** @type {HTMLAnchorElement | null} */ (event.target.closest("a[href]"));
    // A click on a name in the bracket lights a path, too; here the match is what the person is after.
    if (!link || (event.defaultPrevented && !link.matches(".bracket .side"))) return;
    if (link.hasAttribute("data-panel-close")) {
      event.preventDefault();
      this.close();
      return;
    }
    const match = link.dataset.panel ?? (link.closest(".mpanel") ? "" : (MATCH.exec(link.pathname)?.[1] ?? ""));
    if (!match || !link.closest("[data-console], .pathbar")) return;
    event.preventDefault();
    this.opener = pathOf(link);
    this.#go(match);
  }

  /** Close the match, and give the focus back to where it was. */
  close() {
    this.#go("");
    const back = this.opener ? document.querySelector(this.opener) : null;
    if (back instanceof HTMLElement) back.focus({ preventScroll: true });
  }

  /** @param {string} match its id, "" for none */
  #go(match) {
    const query = new URLSearchParams(location.search);
    if (match) query.set("match", match);
    else query.delete("match");
    history.pushState(null, "", `${this.regions.path}${query.size ? `?${query}` : ""}`);
    void this.#show(match !== "");
  }

  /** @param {boolean} focus whether a person opened it, who reads on there */
  async #show(focus) {
    for (const form of this.aside?.querySelectorAll("[data-region=panel] form") ?? []) /** @type {HTMLFormElement} */ (form).reset();
    await this.regions.now(["panel"]);
    this.#mark();
    if (focus) /** @type {HTMLElement | null} */ (this.aside?.querySelector("#mpanel-title"))?.focus({ preventScroll: matchMedia("(width >= 64rem)").matches });
  }

  /** Show which match is open. */
  #mark() {
    const open = this.aside?.querySelector("[data-panel-of]")?.getAttribute("data-panel-of") ?? "";
    this.aside?.toggleAttribute("data-open", open !== "");
    for (const card of document.querySelectorAll("[data-console] [data-match]")) {
      card.classList.toggle("is-open", card.getAttribute("data-match") === open);
    }
  }
}

/**
 * How to find a link again after its part of the page was put in place anew.
 * @param {HTMLAnchorElement} link
 */
function pathOf(link) {
  if (link.dataset.panel) return `[data-region=board] [data-panel="${CSS.escape(link.dataset.panel)}"]`;
  const side = link.matches(".side:last-child") ? ":last-child" : "";
  return `[data-console] a.${link.classList[0]}[href="${CSS.escape(link.getAttribute("href") ?? "")}"]${side}`;
}

/**
 * Say what was done, with the way back where there is one.
 * @param {string} said
 * @param {string} [undo] the address that takes it back
 * @param {string} [csrf]
 */
export function toast(said, undo = "", csrf = "") {
  let list = document.querySelector(".toasts");
  if (!list) {
    list = document.createElement("div");
    list.className = "toasts";
    list.setAttribute("role", "status");
    document.body.append(list);
  }
  const box = document.createElement("div");
  box.className = undo ? "toast toast--undo" : "toast";
  const words = document.createElement("span");
  words.textContent = said;
  box.append(words);
  if (undo) {
    const form = document.createElement("form");
    form.method = "post";
    form.action = undo;
    form.setAttribute("data-act", "");
    const token = document.createElement("input");
    token.type = "hidden";
    token.name = "csrfmiddlewaretoken";
    token.value = csrf;
    const button = document.createElement("button");
    button.className = "toast__undo";
    button.textContent = gettext("Undo");
    form.append(token, button);
    box.append(form);
  }
  list.replaceChildren(box);
  setTimeout(() => {
    if (!box.matches(":hover, :focus-within")) box.remove();
  }, TOAST_MS);
}
