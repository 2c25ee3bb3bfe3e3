// @ts-check
/**
 * The bracket under a hand: an entrant's path lights up on hover, focus or tap; a phone shows one round at a time
 * and begins with the one being played. Without this module the bracket is a drawing that scrolls.
 */

const PHONE = "(width < 42rem)";

/** @param {HTMLElement} bracket */
export function bringToLife(bracket) {
  const columns = [...bracket.querySelectorAll(".round")].map((round) => [...round.querySelectorAll(".slot")]);
  lightPaths(bracket, columns);
  pageRounds(bracket);
  return columns;
}

/**
 * @param {HTMLElement} bracket
 * @param {Element[][]} columns
 */
function lightPaths(bracket, columns) {
  /** @type {string | null} */
  let pinned = null;
  /** @type {HTMLElement | null} */
  let bar = null;

  const entrant = (/** @type {EventTarget | null} */ target) =>
    target instanceof Element ? /** @type {HTMLElement | null} */ (target.closest("[data-entry]")) : null;

  /** @param {string | null} entry */
  function light(entry) {
    for (const lit of bracket.querySelectorAll(".is-path, .is-path-in, .is-path-out")) {
      lit.classList.remove("is-path", "is-path-in", "is-path-out");
    }
    bracket.classList.toggle("has-path", entry !== null);
    if (entry === null) return;
    const own = `[data-entry="${CSS.escape(entry)}"]`;
    for (const element of bracket.querySelectorAll(own)) element.classList.add("is-path");
    columns.forEach((slots, round) => {
      slots.forEach((slot, place) => {
        const next = columns[round + 1]?.[Math.floor(place / 2)];
        if (next && slot.querySelector(own) && next.querySelector(own)) {
          slot.classList.add("is-path-out");
          next.classList.add("is-path-in");
        }
      });
    });
  }

  /** @param {string | null} entry */
  function pin(entry, /** @type {HTMLElement | null} */ row = null) {
    pinned = entry;
    light(entry);
    bar?.remove();
    bar = null;
    if (entry === null || !row) return;
    bar = document.createElement("div");
    bar.className = "pathbar";
    const words = document.createElement("span");
    const name = document.createElement("strong");
    name.textContent = row.querySelector(".side__name")?.textContent ?? "";
    words.append(name, nextOpponent(bracket, entry));
    bar.append(words);
    const match = row.closest(".match")?.querySelector("a.match__no");
    if (match instanceof HTMLAnchorElement) {
      const link = document.createElement("a");
      link.className = "button button--primary";
      link.href = match.href;
      link.textContent = `Open match ${match.textContent?.trim()}`;
      bar.append(link);
    }
    document.body.append(bar);
  }

  bracket.addEventListener("pointerover", (event) => {
    if (event.pointerType === "mouse" && pinned === null) light(entrant(event.target)?.dataset.entry ?? null);
  });
  bracket.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "mouse" && pinned === null) light(null);
  });
  bracket.addEventListener("focusin", (event) => {
    const row = entrant(event.target);
    if (row?.matches(":focus-visible")) light(row.dataset.entry ?? null);
  });
  bracket.addEventListener("focusout", () => light(pinned));

  let touched = false;
  bracket.addEventListener("pointerdown", (event) => {
    touched = event.pointerType !== "mouse";
  });
  bracket.addEventListener("click", (event) => {
    const row = entrant(event.target);
    if (!touched || !row) return;
    if (pinned === row.dataset.entry && row instanceof HTMLAnchorElement) return; // the second tap opens the match
    event.preventDefault();
    pin(row.dataset.entry ?? null, row);
  });
  document.addEventListener("click", (event) => {
    if (pinned !== null && event.target instanceof Element && !event.target.closest("[data-bracket], .pathbar")) pin(null);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") pin(null);
  });
}

/**
 * @param {HTMLElement} bracket
 * @param {string} entry
 */
function nextOpponent(bracket, entry) {
  for (const row of bracket.querySelectorAll(`.side[data-entry="${CSS.escape(entry)}"]`)) {
    const match = /** @type {HTMLElement | null} */ (row.closest(".match"));
    if (!match || match.dataset.state === "completed") continue;
    const other = [...match.querySelectorAll(".side")].find((side) => side !== row);
    return `Next: ${other?.querySelector(".side__name")?.textContent ?? ""}`;
  }
  return row_out(bracket, entry);
}

/**
 * @param {HTMLElement} bracket
 * @param {string} entry
 */
function row_out(bracket, entry) {
  const last = [...bracket.querySelectorAll(`.round--final .slot .side[data-entry="${CSS.escape(entry)}"]`)].at(-1);
  return last instanceof HTMLElement && last.dataset.outcome === "won" ? "Champion" : "Out";
}

/** @param {HTMLElement} bracket */
function pageRounds(bracket) {
  const rounds = /** @type {HTMLElement[]} */ ([...bracket.querySelectorAll(".round")]);
  const links = [...(bracket.parentElement?.querySelectorAll(".roundnav a") ?? [])];
  const phone = matchMedia(PHONE);
  let shown = -1;

  /** @param {number} index */
  function mark(index) {
    if (index === shown) return;
    shown = index;
    links.forEach((link, i) => (i === index ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")));
    const link = links[index];
    if (link?.parentElement) link.parentElement.scrollTo({ left: /** @type {HTMLElement} */ (link).offsetLeft - 24, behavior: "smooth" });
    fit();
  }

  /** A later round is shorter than the first; the page must not keep room for what is out of sight. */
  function fit() {
    const round = rounds[Math.max(shown, 0)];
    bracket.style.blockSize = phone.matches && round ? `${round.offsetHeight + 24}px` : "";
  }

  /** @param {number} index */
  function goTo(index, /** @type {ScrollBehavior} */ behavior = "smooth") {
    const round = rounds[index];
    if (!round) return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    bracket.scrollTo({ left: round.offsetLeft - (phone.matches ? 0 : 8), behavior: calm ? "auto" : behavior });
  }

  links.forEach((link, index) =>
    link.addEventListener("click", (event) => {
      event.preventDefault();
      goTo(index);
    }),
  );
  bracket.addEventListener("scroll", () => {
    const middle = bracket.scrollLeft + bracket.clientWidth / 2;
    const index = rounds.findIndex((round) => round.offsetLeft + round.offsetWidth > middle);
    mark(index < 0 ? rounds.length - 1 : index);
  }, { passive: true });
  phone.addEventListener("change", fit);
  addEventListener("resize", fit);

  const playing = rounds.findIndex((round) => round.querySelector('.slot .match:not([data-state="completed"])'));
  const first = playing < 0 ? rounds.length - 1 : playing;
  if (phone.matches) {
    goTo(first, "instant");
    mark(first);
  } else if (first > 1 && bracket.scrollWidth > bracket.clientWidth) {
    goTo(first - 1, "instant");
  }
}
