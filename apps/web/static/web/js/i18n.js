// @ts-check
/**
 * The words of scripts in the reader's language: what the page's `words` (JSON) translates, else the English as written.
 * `{name}` in a text is filled in from `values`.
 */

/** @typedef {Record<string, string | number>} Values */

const page = typeof document === "undefined" ? null : document; // tests have none

/** Texts by their English; of a text with a number, its forms in gettext's order. @type {Record<string, any>} */
let catalogue = JSON.parse(page?.getElementById("words")?.textContent ?? "{}");

/** What the page is written in, as `Intl` knows it. Our English is that of Britain. */
export const locale = (page?.documentElement.lang || "en").replace(/^en$/, "en-GB");

// Intl names the forms, gettext numbers them, both in this order.
const FORMS = ["zero", "one", "two", "few", "many", "other"];
const rules = new Intl.PluralRules(locale);
const forms = FORMS.filter((form) => rules.resolvedOptions().pluralCategories.includes(/** @type {any} */ (form)));

/** Take other words than the page's. @param {Record<string, any>} words */
export function speak(words) {
  catalogue = words;
}

/** @param {string} text @param {Values} [values] */
export function gettext(text, values = {}) {
  return fill(catalogue[text] ?? text, values);
}

/** @param {string} one @param {string} many @param {number} count `{count}` in the text @param {Values} [values] */
export function ngettext(one, many, count, values = {}) {
  const own = catalogue[one];
  const text = own ? own[forms.indexOf(rules.select(count))] ?? own.at(-1) : count === 1 ? one : many;
  return fill(text, { count, ...values });
}

/** @param {string} text @param {Values} values */
function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}
