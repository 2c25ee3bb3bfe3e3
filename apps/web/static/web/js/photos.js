// @ts-check
/**
 * Forms with photos (`data-photos`): large ones are made smaller before they are sent, what was chosen is shown and can
 * be taken back, sending shows how far it is, and whatever goes wrong is said beside the form, in which nothing is lost.
 */

import { gettext } from "./i18n.js";

const LONG_SIDE = 2560; // pixels: a scoreboard across a room can still be read
const SMALL_ENOUGH = 1_500_000; // bytes
const QUALITY = 0.85;
const MOST = 8; // as apps/web/evidence.py has it
const TOO_LARGE = 413;

/** What is chosen in each form. @type {WeakMap<HTMLFormElement, File[]>} */
const chosen = new WeakMap();

/** Take the photos of a page's forms over. @param {ParentNode} part */
export function takePhotos(part) {
  for (const box of part.querySelectorAll("form[data-photos] .photos")) box.setAttribute("data-live", "");
}

document.addEventListener("change", (event) => {
  const input = event.target;
  if (!(input instanceof HTMLInputElement) || input.type !== "file" || !input.form?.hasAttribute("data-photos")) return;
  const form = input.form;
  const files = [...(input.files ?? [])];
  input.value = ""; // the form keeps them; the same photo can be chosen again
  void add(form, files);
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !form.hasAttribute("data-photos")) return;
  event.preventDefault();
  if (!form.hasAttribute("data-busy")) void send(form);
});

/** @param {HTMLFormElement} form @param {File[]} files */
async function add(form, files) {
  complain(form, "");
  const before = chosen.get(form) ?? [];
  chosen.set(form, before);
  for (const file of files) {
    if (before.length >= MOST) {
      complain(form, gettext("At most {count} images go in at once.", { count: MOST }));
      break;
    }
    before.push(await smaller(file));
    await show(form);
  }
}

/**
 * The same picture, no larger than it needs to be; as it is when the browser cannot read it.
 * @param {File} file
 */
export async function smaller(file) {
  let picture;
  try {
    picture = await createImageBitmap(file);
  } catch {
    return file;
  }
  const scale = Math.min(1, LONG_SIDE / Math.max(picture.width, picture.height));
  if (scale === 1 && file.size <= SMALL_ENOUGH) return file;
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  /** @type {Blob | null} */
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
  if (!blob || blob.size >= file.size) return file;
  return new File([blob], file.name.replace(/\.\w+$/, "") + ".jpg", { type: "image/jpeg" });
}

/** @param {HTMLFormElement} form */
async function show(form) {
  const files = chosen.get(form) ?? [];
  const list = document.createElement("ul");
  list.className = "photos__list";
  for (const file of files) {
    const item = document.createElement("li");
    item.className = "photo";
    const canvas = document.createElement("canvas");
    canvas.width = 160;
    canvas.height = 120;
    await draw(canvas, file);
    const words = document.createElement("span");
    words.textContent = size(file.size);
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "button";
    remove.textContent = "×";
    remove.setAttribute("aria-label", gettext("Leave {name} out", { name: file.name }));
    remove.addEventListener("click", () => {
      files.splice(files.indexOf(file), 1);
      void show(form);
    });
    item.append(canvas, words, remove);
    list.append(item);
  }
  form.querySelector(".photos__list")?.remove();
  if (files.length) form.querySelector(".photos")?.append(list);
}

/** Draw the middle of a picture. @param {HTMLCanvasElement} canvas @param {File} file */
async function draw(canvas, file) {
  try {
    const picture = await createImageBitmap(file);
    const scale = Math.max(canvas.width / picture.width, canvas.height / picture.height);
    const [wide, high] = [picture.width * scale, picture.height * scale];
    canvas.getContext("2d")?.drawImage(picture, (canvas.width - wide) / 2, (canvas.height - high) / 2, wide, high);
    picture.close();
  } catch {
    // the name and the size say enough
  }
}

/** @param {number} bytes */
function size(bytes) {
  return bytes >= 1_000_000 ? `${(bytes / 1_000_000).toFixed(1)} MB` : `${Math.max(Math.round(bytes / 1000), 1)} kB`;
}

/**
 * Send a form by itself. The id that it carries makes a second attempt the same one.
 * @param {HTMLFormElement} form
 */
async function send(form) {
  const body = new FormData(form);
  const early = body.getAll("file").filter((file) => file instanceof File && file.size); // chosen before this script ran
  body.delete("file");
  for (const file of [...early, ...(chosen.get(form) ?? [])]) body.append("file", /** @type {File} */ (file));
  form.setAttribute("data-busy", "");
  complain(form, "");
  const progress = begin(form);
  const { status, text } = await post(form.action, body, progress);
  form.removeAttribute("data-busy");
  form.querySelector(".sending")?.remove();
  if (status >= 200 && status < 300) {
    chosen.delete(form);
    form.reset();
    location.reload();
    return;
  }
  complain(form, refusal(status, text));
}

/**
 * @param {string} url
 * @param {FormData} body
 * @param {(share: number) => void} progress
 * @returns {Promise<{status: number, text: string}>} status 0: it did not get there
 */
function post(url, body, progress) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest(); // fetch does not say how far an upload is
    request.open("POST", url);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", ({ loaded, total, lengthComputable }) => {
      if (lengthComputable) progress(loaded / total);
    });
    request.addEventListener("loadend", () => resolve({ status: request.status, text: request.responseText }));
    request.send(body);
  });
}

/** @param {number} status @param {string} text */
function refusal(status, text) {
  try {
    const { message } = JSON.parse(text);
    if (message) return message;
  } catch {
    // a page, or nothing
  }
  if (status === TOO_LARGE) return gettext("The images are too large together. Leave one out and send it again.");
  if (status === 0) return gettext("There is no connection. Nothing is lost here: send it again when it is back.");
  return gettext("The site could not take this. Nothing is lost here: try again in a moment.");
}

/** @param {HTMLFormElement} form */
function begin(form) {
  const box = document.createElement("div");
  box.className = "sending";
  box.setAttribute("role", "status");
  const words = document.createElement("span");
  words.textContent = gettext("Sending…");
  const bar = document.createElement("progress");
  bar.max = 1;
  box.append(words, bar);
  form.append(box);
  return (/** @type {number} */ share) => {
    bar.value = share;
    words.textContent = share < 1 ? gettext("Sending: {percent} %", { percent: Math.floor(share * 100) }) : gettext("Sent. The site looks at the images…");
  };
}

/** @param {HTMLFormElement} form @param {string} sentence */
function complain(form, sentence) {
  form.querySelector(".photos__refused")?.remove();
  if (!sentence) return;
  const words = document.createElement("p");
  words.className = "field__error photos__refused";
  words.setAttribute("role", "alert");
  words.textContent = sentence;
  form.append(words);
}
