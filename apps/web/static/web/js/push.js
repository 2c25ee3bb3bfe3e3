// @ts-check
/**
 * Notifications on this device: says whether they can be had, asks for leave only when somebody taps, and hands the
 * browser's subscription over with a form.
 */

import { gettext } from "./i18n.js";

const section = /** @type {HTMLElement} */ (document.querySelector("[data-push]"));
const form = /** @type {HTMLFormElement} */ (section.querySelector("form[data-push-form]"));
const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
const words = /** @type {HTMLElement} */ (section.querySelector("[data-push-words]"));
const key = bytes(section.dataset.push ?? "");

/** @param {string} text */
function say(text) {
  words.textContent = text;
  words.hidden = !text;
}

async function begin() {
  const problem = missing();
  if (problem) {
    say(problem);
    return;
  }
  say("");
  button.hidden = false;
  button.addEventListener("click", () => void switchOn());
  const worker = await navigator.serviceWorker.getRegistration("/");
  const known = await worker?.pushManager.getSubscription();
  if (!known) return;
  const digest = await sha256(known.endpoint);
  const row = section.querySelector(`[data-digest="${digest}"]`);
  if (!row) return; // removed here, or switched on by somebody else who uses this browser
  row.querySelector("[data-this]")?.removeAttribute("hidden");
  button.hidden = true;
}

/** What keeps this browser from being told anything, in a sentence; "" when nothing does. */
function missing() {
  const isApple = /iPhone|iPad/.test(navigator.userAgent);
  if (!isSecureContext) return gettext("Browsers take notifications only from sites with https.");
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) {
    return isApple
      ? gettext("On an iPhone or iPad, put this site on the home screen first (Share, Add to Home Screen), and open it from there.")
      : gettext("This browser takes no notifications from sites.");
  }
  if (Notification.permission === "denied") {
    return gettext("This browser has been told to take no notifications from this site. Change that in its settings for the site.");
  }
  return "";
}

async function switchOn() {
  button.disabled = true;
  try {
    if ((await Notification.requestPermission()) !== "granted") {
      say(missing() || gettext("Nothing was switched on: the browser was not given leave."));
      return;
    }
    await navigator.serviceWorker.register("/sw.js", { scope: "/" });
    const { pushManager } = await navigator.serviceWorker.ready;
    const old = await pushManager.getSubscription();
    if (old && !same(new Uint8Array(old.options.applicationServerKey ?? new ArrayBuffer(0)), key)) await old.unsubscribe();
    const made = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
    const { endpoint, keys } = made.toJSON();
    for (const [name, value] of Object.entries({ endpoint, ...keys })) {
      const field = form.elements.namedItem(name);
      if (field instanceof HTMLInputElement) field.value = value ?? "";
    }
    form.requestSubmit();
  } catch {
    say(gettext("The browser could not reach its push service. Try again when the connection is better."));
  } finally {
    button.disabled = false;
  }
}

/** @param {string} text base64url */
function bytes(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
}

/** @param {Uint8Array} one @param {Uint8Array} other */
function same(one, other) {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

/** @param {string} text */
async function sha256(text) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

void begin();
