// @ts-check
/**
 * Seconds that are left: `data-left` as the server wrote it, counted down from when it got here. The viewer's clock may
 * be wrong; how fast it runs is not.
 */

/** When each element's time is up, on the clock of `performance.now`. @type {WeakMap<Element, number>} */
const ends = new WeakMap();

/** Begin to count in a new part of the page. @param {ParentNode} root */
export function countDown(root) {
  for (const element of root.querySelectorAll("[data-left]")) {
    ends.set(element, performance.now() + Number(element.getAttribute("data-left")) * 1000);
  }
  tick();
}

function tick() {
  for (const element of document.querySelectorAll("[data-left]")) {
    const left = Math.max(Math.ceil(((ends.get(element) ?? 0) - performance.now()) / 1000), 0);
    const text = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (element.textContent !== text) element.textContent = text;
  }
}

setInterval(tick, 250);
