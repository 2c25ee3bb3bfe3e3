// @ts-check
/**
 * Make a part of a page like new HTML with as few changes as can be: what stays is not touched, so nothing flickers.
 * Elements with the same `data-key` are the same one: it moves to its new place, and its text is changed. One that comes
 * fades in, and one that goes fades out where it stood, over what takes its place.
 */

const MS = 420;
const EASING = "cubic-bezier(0.22, 1, 0.36, 1)";
const RUNNING = ["flip", "glow"]; // classes that bind.js takes away when their animation is over

const still = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * @param {HTMLElement} into
 * @param {string} html from our own server, which escapes what people wrote
 */
export function morph(into, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const before = new Map(keyed(into).map((element) => [element, element.getBoundingClientRect()]));
  children(into, template.content, into);
  if (still.matches) return;
  for (const element of keyed(into)) {
    const was = before.get(element);
    if (!was) {
      if (!element.parentElement?.closest("[data-key]:not([data-stays])")) appear(element);
      continue;
    }
    const is = element.getBoundingClientRect();
    const [x, y] = [was.left - is.left, was.top - is.top];
    if (x || y) element.animate([{ transform: `translate(${x}px, ${y}px)` }, { transform: "none" }], { duration: MS, easing: EASING });
  }
  for (const element of keyed(into)) delete element.dataset.stays;
}

/** @param {ParentNode} root @returns {HTMLElement[]} */
const keyed = (root) => [...root.querySelectorAll("[data-key]:not([data-leaving])")].map((found) => /** @type {HTMLElement} */ (found));

/** @param {Node} node */
const keyOf = (node) => (node instanceof HTMLElement ? node.dataset.key : undefined);

/** @param {Node} node */
const isLeaving = (node) => node instanceof HTMLElement && node.dataset.leaving !== undefined;

/**
 * @param {Node} old
 * @param {Node} fresh
 * @param {HTMLElement} frame what leaves is placed in it
 */
function children(old, fresh, frame) {
  const stays = new Map([...old.childNodes].filter((node) => keyOf(node) && !isLeaving(node)).map((node) => [keyOf(node), node]));
  const present = [...old.childNodes].filter((node) => !keyOf(node) && !isLeaving(node));
  /** @type {ChildNode[]} */
  const next = [];
  for (const node of [...fresh.childNodes]) {
    const key = keyOf(node);
    const same = key ? stays.get(key) : present.find((one) => alike(one, node));
    if (key) stays.delete(key);
    else if (same) present.splice(0, present.indexOf(same) + 1).filter((one) => one !== same).forEach((one) => one.remove());
    if (same && alike(same, node)) patch(same, node, frame);
    next.push(same && alike(same, node) ? same : node);
  }
  for (const gone of present) gone.remove();
  for (const gone of stays.values()) leave(/** @type {HTMLElement} */ (gone), frame);
  let at = old.firstChild;
  for (const node of next) {
    while (at && isLeaving(at)) at = at.nextSibling;
    if (node === at) at = at.nextSibling;
    else old.insertBefore(node, at);
  }
}

/** @param {Node} a @param {Node} b */
function alike(a, b) {
  return a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);
}

/**
 * @param {Node} old
 * @param {Node} fresh
 * @param {HTMLElement} frame
 */
function patch(old, fresh, frame) {
  if (!(old instanceof Element) || !(fresh instanceof Element)) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && name !== "class") old.removeAttribute(name);
  }
  for (const { name, value } of [...fresh.attributes]) {
    const running = name === "class" ? RUNNING.filter((one) => old.classList.contains(one)) : [];
    const wanted = [value, ...running].join(" ").trim();
    if (old.getAttribute(name) !== wanted) old.setAttribute(name, wanted);
  }
  if (old instanceof HTMLElement && old.dataset.key) old.dataset.stays = "";
  children(old, fresh, frame);
}

/** @param {HTMLElement} element */
function appear(element) {
  element.animate([{ opacity: 0 }, { opacity: 1 }], { duration: MS, easing: "ease-out" });
}

/**
 * @param {HTMLElement} element
 * @param {HTMLElement} frame
 */
function leave(element, frame) {
  if (still.matches || typeof element.animate !== "function") {
    element.remove();
    return;
  }
  const [is, around] = [element.getBoundingClientRect(), frame.getBoundingClientRect()];
  element.dataset.leaving = "";
  element.setAttribute("aria-hidden", "true");
  Object.assign(element.style, {
    position: "absolute",
    left: `${is.left - around.left}px`,
    top: `${is.top - around.top}px`,
    width: `${is.width}px`,
    height: `${is.height}px`,
    margin: "0",
  });
  frame.append(element);
  element.animate([{ opacity: 1 }, { opacity: 0 }], { duration: MS, easing: "ease-in", fill: "forwards" }).onfinish = () =>
    element.remove();
}
