// @ts-check
/** The search under a hand: `/` goes to its box; a box with `data-sift` leaves of a list what matches while one types. */

const WRITES = "input, textarea, select, [contenteditable]";

/** Letters that Unicode does not take for one with a mark on it. @type {Record<string, string>} */
const PLAIN = { ß: "ss", ı: "i", ø: "o", đ: "d", ł: "l", ð: "d", þ: "th", æ: "ae", œ: "oe" };

/** A text as the server compares it (apps/tournaments/text.py). @param {string} text */
function plain(text) {
  const marked = text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  return marked.replace(/[ßıøđłðþæœ]/g, (letter) => PLAIN[letter]);
}

/** @param {string} text @param {string[]} wanted */
function matches(text, wanted) {
  const words = plain(text).split(/[^\p{L}\p{N}]+/u);
  return wanted.every((word) => words.some((one) => one.startsWith(word)));
}

/** Go to the search with `/`, unless somebody is writing. */
export function hearSlash() {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target instanceof Element && event.target.closest(WRITES)) return;
    const boxes = /** @type {HTMLInputElement[]} */ ([...document.querySelectorAll("[data-find]")]);
    const box = boxes.filter((one) => one.offsetParent !== null).at(-1);
    const link = /** @type {HTMLAnchorElement | null} */ (document.querySelector(".find__link"));
    if (!box && !link) return;
    event.preventDefault();
    if (box) box.select();
    else link?.click();
  });
}

/** Sift a list by what its box says, now and after each replacement of the list. */
export function sift() {
  const box = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-sift]"));
  if (!box) return () => {};
  const apply = () => {
    const wanted = plain(box.value).split(/[^\p{L}\p{N}]+/u).filter(Boolean);
    for (const row of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(box.dataset.sift ?? ""))) {
      row.hidden = wanted.length > 0 && !matches(row.textContent ?? "", wanted);
    }
  };
  box.addEventListener("input", apply);
  box.form?.addEventListener("submit", (event) => event.preventDefault());
  apply();
  return apply;
}
