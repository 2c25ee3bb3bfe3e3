// @ts-check
/** A small map of a large bracket: where the window is, and, by click or drag, where it goes. */

import { isRightToLeft } from "./rounds.js";

const MOST_WIDE = 176; // px
const MOST_HIGH = 208;
const EDGE = 20; // px from the end of the bracket

/**
 * @param {HTMLElement} view
 * @param {HTMLElement} bracket
 * @returns {() => void} draws it anew, soon
 */
export function minimap(view, bracket) {
  const parts = /** @type {HTMLElement} */ (bracket.firstElementChild);
  const map = document.createElement("div");
  map.className = "minimap";
  map.setAttribute("aria-hidden", "true"); // for eyes; the bracket itself is read
  map.hidden = true; // until it is drawn, so that nobody sees it take its place
  const canvas = document.createElement("canvas");
  const frame = document.createElement("div");
  frame.className = "minimap__frame";
  map.append(canvas, frame);
  view.append(map);
  let scale = 1;
  let asked = 0;
  /** How far the window is from the left of the drawing. */
  const left = () => bracket.scrollLeft + before();
  const before = () => (isRightToLeft(bracket) ? bracket.scrollWidth - bracket.clientWidth : 0);

  function draw() {
    asked = 0;
    const [width, height] = [bracket.scrollWidth, bracket.scrollHeight];
    map.hidden = width <= bracket.clientWidth + 1 && height <= bracket.clientHeight + 1;
    if (map.hidden || !map.offsetParent) return;
    scale = Math.min(MOST_WIDE / width, MOST_HIGH / height);
    const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
    canvas.style.inlineSize = `${w}px`;
    canvas.style.blockSize = `${h}px`;
    map.style.marginBlock = `${-map.offsetHeight - EDGE}px ${EDGE}px`; // over the bracket, and always in the window
    canvas.width = w * devicePixelRatio;
    canvas.height = h * devicePixelRatio;
    const pen = canvas.getContext("2d");
    if (!pen) return;
    pen.scale(devicePixelRatio, devicePixelRatio);
    const origin = bracket.getBoundingClientRect();
    const style = getComputedStyle(map);
    for (const card of bracket.querySelectorAll(".match, .pass, .is-folded")) {
      const box = card.getBoundingClientRect();
      if (!box.width) continue;
      const name = card.querySelector(".is-path") ? "outline-color" : colour(/** @type {HTMLElement} */ (card));
      pen.fillStyle = style.getPropertyValue(name);
      const [x, y] = [box.left - origin.left + left(), box.top - origin.top + bracket.scrollTop];
      pen.fillRect(x * scale, y * scale, Math.max(box.width * scale, 2), Math.max(box.height * scale - 0.5, 1));
    }
    place();
  }

  /** The map borrows its inks from its own style, where light and dark are known. @param {HTMLElement} card */
  function colour(card) {
    if (card.dataset.state === "live") return "text-decoration-color";
    return card.dataset.state === "completed" || card.dataset.state === "forfeit" ? "column-rule-color" : "color";
  }

  function place() {
    frame.style.inlineSize = `${bracket.clientWidth * scale}px`;
    frame.style.blockSize = `${bracket.clientHeight * scale}px`;
    frame.style.translate = `${left() * scale}px ${bracket.scrollTop * scale}px`;
  }

  function soon() {
    asked ||= requestAnimationFrame(draw);
  }

  /** @param {PointerEvent} event */
  function go(event) {
    const box = canvas.getBoundingClientRect();
    const x = (event.clientX - box.left) / scale - bracket.clientWidth / 2;
    const y = (event.clientY - box.top) / scale - bracket.clientHeight / 2;
    bracket.scrollTo({ left: x - before(), top: y, behavior: "instant" });
  }

  map.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    map.setPointerCapture(event.pointerId);
    go(event);
  });
  map.addEventListener("pointermove", (event) => {
    if (map.hasPointerCapture(event.pointerId)) go(event);
  });
  bracket.addEventListener("scroll", place, { passive: true });
  const size = new ResizeObserver(soon);
  size.observe(parts);
  size.observe(bracket);
  return soon;
}
