// @ts-check
/** Smaller and larger, by button, key, wheel and pinch, and moving by hand. Where it scrolls is the browser's business. */

import { PHONE, isRightToLeft } from "./rounds.js";

const LEAST = 0.2;
const MOST = 2;
const STEP = 1.2;
const WHEEL = 0.0025; // of a factor e, for each pixel of a wheel or a pinch on a touch pad
const DRAG_FROM = 4; // px; less is a click

/**
 * @param {HTMLElement} view
 * @param {HTMLElement} bracket what scrolls
 * @param {{zoom?: number}} memory
 * @param {() => void} changed
 */
export function zoomable(view, bracket, memory, changed) {
  const parts = /** @type {HTMLElement} */ (bracket.firstElementChild);
  const level = view.querySelector("[data-zoom=reset] output");
  const group = /** @type {HTMLElement | null} */ (view.querySelector(".bracketbar__zoom"));
  let zoom = 1;

  /**
   * @param {number} to
   * @param {{clientX: number, clientY: number} | null} around what stays where it is; null: the middle
   */
  function set(to, around = null) {
    const next = Math.min(Math.max(to, LEAST), MOST);
    const box = bracket.getBoundingClientRect();
    const middle = { clientX: (box.left + box.right) / 2, clientY: (box.top + box.bottom) / 2 };
    const x = (around ?? middle).clientX - (isRightToLeft(bracket) ? box.right : box.left);
    const y = (around ?? middle).clientY - box.top;
    const [left, top] = [(bracket.scrollLeft + x) / zoom, (bracket.scrollTop + y) / zoom];
    zoom = memory.zoom = next;
    parts.style.zoom = zoom === 1 ? "" : String(zoom);
    bracket.scrollTo({ left: left * zoom - x, top: top * zoom - y, behavior: "instant" });
    if (level) level.textContent = String(Math.round(zoom * 100));
    changed();
  }

  function fit() {
    set(1);
    parts.style.inlineSize = "max-content";
    parts.style.minInlineSize = "0";
    const [width, height] = [parts.offsetWidth, parts.offsetHeight];
    parts.style.inlineSize = parts.style.minInlineSize = "";
    set(Math.min(bracket.clientWidth / width, bracket.clientHeight / height, 1));
    bracket.scrollTo({ left: 0, top: 0, behavior: "instant" });
  }

  /** @type {Record<string, () => void>} */
  const does = { in: () => set(zoom * STEP), out: () => set(zoom / STEP), reset: () => set(1), fit };
  /** @type {Record<string, string>} */
  const keys = { "+": "in", "=": "in", "-": "out", "−": "out", "0": "reset", f: "fit" };

  group?.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    if (button) does[button.dataset.zoom ?? ""]?.();
  });
  view.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target instanceof HTMLSelectElement) return;
    const what = keys[event.key];
    if (!what || PHONE.matches) return;
    event.preventDefault();
    does[what]();
  });
  bracket.addEventListener("wheel", (event) => {
    if (!(event.ctrlKey || event.metaKey) || PHONE.matches) return;
    event.preventDefault();
    set(zoom * Math.exp(-event.deltaY * (event.deltaMode ? 20 : 1) * WHEEL), event);
  }, { passive: false });

  pinch(bracket, () => zoom, set);
  drag(bracket);
  if (group) group.hidden = false;
  if (memory.zoom) set(memory.zoom);
}

/**
 * @param {HTMLElement} bracket
 * @param {() => number} zoom
 * @param {(to: number, around: {clientX: number, clientY: number}) => void} set
 */
function pinch(bracket, zoom, set) {
  let from = 0;
  let began = 1;
  const apart = (/** @type {TouchList} */ [a, b]) => Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
  bracket.addEventListener("touchstart", ({ touches }) => {
    if (touches.length !== 2 || PHONE.matches) return;
    from = apart(touches);
    began = zoom();
  }, { passive: true });
  bracket.addEventListener("touchmove", (event) => {
    if (event.touches.length !== 2 || PHONE.matches || !from) return;
    event.preventDefault();
    const [a, b] = event.touches;
    const around = { clientX: (a.clientX + b.clientX) / 2, clientY: (a.clientY + b.clientY) / 2 };
    set((began * apart(event.touches)) / from, around);
  }, { passive: false });
}

/** A mouse takes hold of the drawing anywhere; a finger does so by itself. @param {HTMLElement} bracket */
function drag(bracket) {
  /** @type {{x: number, y: number, left: number, top: number} | null} */
  let hold = null;
  let moved = false;
  bracket.addEventListener("dragstart", (event) => event.preventDefault());
  bracket.addEventListener("pointerdown", (event) => {
    moved = false;
    const onBar = event.offsetX > bracket.clientWidth || event.offsetY > bracket.clientHeight;
    if (event.pointerType !== "mouse" || event.button !== 0 || (onBar && event.target === bracket)) return;
    hold = { x: event.clientX, y: event.clientY, left: bracket.scrollLeft, top: bracket.scrollTop };
  });
  bracket.addEventListener("pointermove", (event) => {
    if (!hold) return;
    const [x, y] = [event.clientX - hold.x, event.clientY - hold.y];
    if (!moved && Math.hypot(x, y) < DRAG_FROM) return;
    if (!moved) {
      moved = true;
      bracket.setPointerCapture(event.pointerId);
      bracket.classList.add("is-held");
    }
    bracket.scrollTo({ left: hold.left - x, top: hold.top - y, behavior: "instant" });
  });
  const release = () => {
    hold = null;
    bracket.classList.remove("is-held");
  };
  for (const type of ["pointerup", "pointercancel"]) bracket.addEventListener(type, release);
  bracket.addEventListener("click", (event) => {
    if (!moved) return;
    moved = false;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, { capture: true });
}
