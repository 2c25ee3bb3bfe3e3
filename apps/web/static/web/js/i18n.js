/**
 * The words of scripts in the reader's language: what the page's `words` (JSON) translates, else the English as written.
 * `{name}` in a text is filled in from `values`.
 */

const element = globalThis.document?.getElementById("words"); // outside of a page there is none
const catalog = element ? JSON.parse(element.textContent) : {};

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));

/** @param {string} text @param {Record<string, string | number>} [values] */
export const gettext = (text, values = {}) => fill(catalog[text] ?? text, values);

/** @param {string} one @param {string} many @param {number} count @param {Record<string, string | number>} [values] */
export function ngettext(one, many, count, values = {}) {
  const forms = catalog[one] ?? [one, many];
  return fill(count === 1 ? forms[0] : forms[1], { count, ...values });
}
