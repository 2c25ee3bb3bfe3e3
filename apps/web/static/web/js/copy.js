// @ts-check
/** Buttons that copy the field beside them. Without this module the field is there to be copied by hand. */

import { gettext } from "./i18n.js";

const SAID_MS = 2_000;

/** @param {ParentNode} part */
export function offerCopies(part) {
  for (const button of part.querySelectorAll("[data-copy]")) button.removeAttribute("hidden");
}

document.addEventListener("focusin", ({ target }) => {
  if (target instanceof HTMLElement && target.matches("[data-copied]")) /** @type {HTMLInputElement} */ (target).select();
});

document.addEventListener("click", async ({ target }) => {
  const button = target instanceof Element ? target.closest("[data-copy]") : null;
  const field = button?.parentElement?.querySelector("[data-copied]");
  if (!button || !(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement)) return;
  const said = button.textContent;
  button.textContent = (await copied(field)) ? gettext("Copied") : gettext("Press Ctrl+C");
  setTimeout(() => (button.textContent = said), SAID_MS);
});

/** @param {HTMLInputElement | HTMLTextAreaElement} field */
async function copied(field) {
  field.select();
  try {
    await navigator.clipboard.writeText(field.value); // pages without TLS have no clipboard
    return true;
  } catch {
    return document.execCommand("copy");
  }
}
