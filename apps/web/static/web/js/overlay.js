// @ts-check
/**
 * An overlay on a stream: no hand touches it, and nobody reloads it. It keeps itself current, comes back by itself from
 * whatever happens to the line, and says nothing is live that it cannot vouch for: `data-fresh` of the body is "live",
 * "wait" (nobody has missed much) or "stale", and the style sheet shows a live mark for the first alone.
 */

import { Room, empty } from "../../clients/deltacrown.js";
import { Binder } from "./bind.js";
import { gettext } from "./i18n.js";
import { morph } from "./morph.js";
import { Regions } from "./region.js";
import { lookup } from "./shown.js";
import * as ticker from "./ticker.js";
import { localize } from "./times.js";

const CHECK_MS = 5_000; // a line that is dead is known to be after this and the client's three seconds at most
const STALE_MS = 5_000;
const AGAIN_MS = 8_000; // a draft has no room yet; whoever sets the scene up sees it all the same
const ABNORMAL = 1006;

/** @param {string} id */
const embedded = (id) => JSON.parse(document.getElementById(id)?.textContent ?? "null");

/** @type {{room: string, epoch: string, seq: number}} */
const page = embedded("page");
const rendered = embedded("state") ?? empty();
const binder = new Binder();
const regions = new Regions(() => live.position, swapped, { place: morph, gone: end, unseen: true });
/** How far the clock of this machine is behind the server's. */
let behindMs = 0;
/** @type {any} */
let staleTimer;
let gone = false;

const live = new Room(location.origin, page.room, {
  // A guest's always: the console's previews must not use up the connections of who looks at them.
  world: { fetch: (url, options) => fetch(url, { ...options, credentials: "omit" }) },
  position: { epoch: page.epoch, seq: page.seq },
  state: rendered,
  on: {
    status,
    event: ({ type, data }) => {
      binder.apply(lookup(live.state), touched(data), true);
      regions.touch(type);
    },
    snapshot: () => {
      binder.apply(lookup(live.state), null, true);
      regions.touchAll();
    },
    frame: ({ type, data }) => {
      if (type === "connection_established") behindMs = new Date(data.server_time).getTime() - Date.now() || 0;
      if (type === "pong" || live.isReadOnly) confirmed();
    },
  },
});

/** @param {any} data */
function touched(data) {
  const keys = Object.keys(data);
  return keys.length === 1 && data.match ? [`m.${data.match.id}`, "count"] : null;
}

/** @param {HTMLElement} part */
function swapped(part) {
  localize(part);
  binder.scan(document);
  binder.apply(lookup(live.state), null, false);
  freshness();
  count();
  ticker.look();
}

/** @param {import("../../../../../clients/js/deltacrown.js").Status} status */
function status({ kind }) {
  if (kind === "live") {
    live.check(); // what was missed follows the welcome, and the answer follows that
    return;
  }
  if (document.body.dataset.fresh === "live") fresh("wait");
  staleTimer ??= setTimeout(() => fresh("stale"), STALE_MS);
  if (kind === "stopped") setTimeout(again, AGAIN_MS);
}

/** All that was missed is here. */
function confirmed() {
  if (live.status.kind !== "live" || document.body.dataset.fresh === "live") return;
  clearTimeout(staleTimer);
  staleTimer = undefined;
  fresh("live");
}

/** @param {string} how */
function fresh(how) {
  document.body.dataset.fresh = how;
  freshness();
}

/** Say since when this is how things stood. */
function freshness() {
  const since = new Date(live.status.since + behindMs);
  const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(since);
  const words = document.body.dataset.fresh === "stale" ? gettext("as of {time}", { time }) : "";
  for (const mark of document.querySelectorAll("[data-asof]")) if (words && mark.textContent !== words) mark.textContent = words;
}

/** Where there is no room, or none any more, ask for the part itself, and then for the room again. */
async function again() {
  gone = false;
  for (const region of regions.regions) await regions.fetch(region);
  document.body.toggleAttribute("data-ended", gone);
  live.start();
}

/** The address has ended: leave the picture, unless it turns out that it has not. */
function end() {
  gone = true;
  document.body.toggleAttribute("data-ended", true);
  live.stop();
}

let due = false;

/** Show how long it is until each `data-until`; when it is time, something else is to be shown. */
function count() {
  let passed = false;
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-until]"))) {
    const left = new Date(element.dataset.until ?? "").getTime() - Date.now() - behindMs;
    const seconds = Math.max(Math.ceil(left / 1000), 0);
    const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
    const [first, ...rest] = (parts[0] ? parts : parts.slice(1)).map((part) => String(part).padStart(2, "0"));
    const text = [Number(first), ...rest].join(":");
    if (element.textContent !== text) element.textContent = text;
    passed ||= left <= 0;
  }
  if (passed && !due) regions.touchAll();
  due = passed;
}

localize(document);
binder.scan(document);
count();
ticker.run();
setInterval(count, 250);
staleTimer = setTimeout(() => fresh("stale"), STALE_MS); // until the room is open, this page is as old as its answer
live.start();

setInterval(() => {
  const { kind, code } = live.status;
  if (kind === "live" || (kind === "lost" && code === ABNORMAL)) live.check();
}, CHECK_MS);
addEventListener("online", () => live.check());
addEventListener("offline", () => live.check(true));
