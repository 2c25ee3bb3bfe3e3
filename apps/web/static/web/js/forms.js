// @ts-check
/**
 * Forms marked `data-quick` are sent without leaving the page: a referee taps +1 and sees the score change.
 * Taps are sent one after another, each with an id of its own, so none is lost and none counts twice.
 */

import { gettext } from "./i18n.js";

const counts = /** @type {Record<string, 1 | -1>} */ ({ "+": 1, "-": -1 });

/**
 * @param {() => boolean} isLive whether the result will come by itself
 * @param {(seq: number) => Promise<void>} shown resolves when the page shows what happened at `seq`
 * @param {() => void} rebind write the present state into the page again
 */
export function quicken(isLive, shown, rebind) {
  /** @type {Promise<void>} */
  let queue = Promise.resolve();
  let waiting = 0;
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.hasAttribute("data-quick")) return;
    event.preventDefault();
    const body = new FormData(form, event.submitter);
    body.set("command_id", randomId());
    countAhead(form, String(body.get("step") ?? ""));
    form.setAttribute("data-busy", "");
    waiting += 1;
    queue = queue.then(() => send(form.action, body)).then((answer) => void settle(answer));
  });

  /**
   * Let the form follow the page again when the page has caught up with it; until then it counts ahead.
   * @param {{refusal: string} | {seq: number}} answer
   */
  async function settle(answer) {
    if ("seq" in answer && isLive()) await shown(answer.seq);
    waiting -= 1;
    if (waiting === 0) {
      for (const busy of document.querySelectorAll("form[data-busy]")) busy.removeAttribute("data-busy");
      rebind();
    }
    if ("refusal" in answer) complain(answer.refusal);
    else if (!isLive() && waiting === 0) location.reload();
  }
}

/**
 * The next tap follows from this one, before the server has answered.
 * @param {HTMLFormElement} form
 * @param {string} step "home+" or "away-"
 */
function countAhead(form, step) {
  const by = counts[step.slice(-1)];
  const points = form.elements.namedItem(`${step.slice(0, -1)}_score`);
  if (by && points instanceof HTMLInputElement) points.value = String(Math.max(Number(points.value) + by, 0));
  const version = form.elements.namedItem("expected_version");
  if (version instanceof HTMLInputElement) version.value = String(Number(version.value) + 1);
}

/**
 * @param {string} url
 * @param {FormData} body
 * @returns {Promise<{refusal: string} | {seq: number}>} the sentence of a refusal, or when it happened
 */
async function send(url, body) {
  try {
    const answer = await fetch(url, { method: "POST", body, headers: { Accept: "application/json" } });
    if (answer.ok) return { seq: (await answer.json()).seq };
    const type = answer.headers.get("Content-Type") ?? "";
    if (type.includes("json")) return { refusal: (await answer.json()).message };
    return { refusal: gettext("This did not reach the tournament. Reload the page and try again.") };
  } catch {
    return { refusal: gettext("There is no connection. Nothing was changed; try again when it is back.") };
  }
}

/** @param {string} sentence */
export function complain(sentence) {
  document.querySelector(".failure")?.remove();
  const wrap = document.createElement("div");
  wrap.className = "wrap failure";
  const box = document.createElement("div");
  box.className = "alert";
  box.id = "failure";
  box.setAttribute("role", "alert");
  const words = document.createElement("p");
  words.textContent = sentence;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "button button--quiet";
  close.textContent = gettext("Close");
  close.addEventListener("click", () => wrap.remove());
  box.append(words, close);
  wrap.append(box);
  document.getElementById("main")?.before(wrap);
}

/** Not crypto.randomUUID, which a venue's plain-http address does not have. */
function randomId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
