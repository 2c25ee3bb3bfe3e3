// @ts-check
/** The step of a new tournament in which its format is chosen: the picture follows what is typed. */

const WAIT_MS = 250;

const form = /** @type {HTMLFormElement | null} */ (document.querySelector("form[data-outline]"));
const picture = form?.querySelector("[data-outline-here]");

if (form && picture) {
  /** @type {any} */
  let timer;
  let asked = 0;
  form.addEventListener("input", ({ target }) => {
    if (target instanceof HTMLInputElement && target.name === "format") return; // every format is in the picture
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const query = new URLSearchParams();
      for (const [name, value] of new FormData(form)) if (typeof value === "string") query.set(name, value);
      for (const secret of ["csrfmiddlewaretoken", "command_id", "next"]) query.delete(secret);
      query.set("region", "outline");
      const mine = (asked += 1);
      const answer = await fetch(`${location.pathname.replace(/save\/$/, "")}?${query}`).catch(() => null);
      if (!answer?.ok || mine !== asked) return;
      const focused = document.activeElement instanceof HTMLInputElement && picture.contains(document.activeElement);
      const template = document.createElement("template");
      template.innerHTML = await answer.text(); // from our own server, which escapes what people wrote
      for (const one of template.content.querySelectorAll("[autofocus]")) one.removeAttribute("autofocus");
      picture.replaceChildren(template.content);
      if (focused) /** @type {HTMLElement | null} */ (picture.querySelector("input:checked"))?.focus();
    }, WAIT_MS);
  });
  for (const button of form.querySelectorAll(".js-hidden")) button.setAttribute("hidden", "");
}
