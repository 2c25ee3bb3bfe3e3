// @ts-check
/** The page of overlays: what is chosen is in the address and in the preview at once. Without this, a button does it. */

for (const card of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-overlay]"))) {
  const form = card.querySelector("form");
  const field = card.querySelector("input[readonly]");
  const preview = card.querySelector("iframe");
  if (!form || !(field instanceof HTMLInputElement) || !preview) continue;
  form.querySelector("[data-unneeded]")?.remove();
  form.addEventListener("change", () => {
    const address = new URL(card.dataset.base ?? "");
    for (const [name, value] of new FormData(form)) if (value && name !== "kind") address.searchParams.set(name, String(value));
    field.value = String(address);
    address.searchParams.set("preview", "1");
    preview.src = String(address);
  });
}
