// @ts-check
/** A page that was opened before the site was upgraded goes on; once it has got a part of the new version, it offers to load anew. */

import { gettext } from "./i18n.js";

const own = document.querySelector("meta[name=version]")?.getAttribute("content") ?? "";

/** Look at an answer's version, and offer to load the page anew when it is another one. @param {Response} answer */
export function compare(answer) {
  const theirs = answer.headers.get("X-Version") ?? "";
  if (!own || !theirs || theirs === own || document.querySelector(".newer")) return;
  const bar = document.createElement("div");
  bar.className = "newer";
  bar.setAttribute("role", "status");
  const words = document.createElement("span");
  words.textContent = gettext("The site was upgraded. What you see is current; load the page anew when it suits you.");
  const load = document.createElement("button");
  load.type = "button";
  load.className = "button button--primary";
  load.textContent = gettext("Load anew");
  load.addEventListener("click", () => location.reload());
  const later = document.createElement("button");
  later.type = "button";
  later.className = "button button--quiet";
  later.textContent = gettext("Later");
  later.addEventListener("click", () => (bar.hidden = true));
  bar.append(words, load, later);
  document.body.append(bar);
}
