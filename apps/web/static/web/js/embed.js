// @ts-check
/**
 * A page in a frame tells the page around it how high it is, so that no frame has to scroll:
 * `{type: "deltacrown:height", height: 520}` by postMessage, at the start and whenever it changes. Nothing in it is secret.
 */

/** Links within the page stay in the frame; all others leave it. */
document.addEventListener("click", ({ target }) => {
  const link = target instanceof Element ? target.closest("a[href^='#']") : null;
  if (link) link.setAttribute("target", "_self");
}, true);

if (parent !== window) {
  let told = 0;
  new ResizeObserver(() => {
    const height = Math.ceil(document.body.getBoundingClientRect().height);
    if (height === told) return;
    told = height;
    parent.postMessage({ type: "deltacrown:height", height }, "*");
  }).observe(document.body);
}
