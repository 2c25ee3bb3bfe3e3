// @ts-check
/** Wires a page together: state, connection, bindings, regions, chip. Every page loads this one module. */

import { Room, empty } from "../../clients/deltacrown.js";
import { Announcer, sentence } from "./announce.js";
import { Binder } from "./bind.js";
import { Chip } from "./chip.js";
import { Console } from "./console.js";
import { offerCopies } from "./copy.js";
import { countDown } from "./countdown.js";
import { hearSlash, sift } from "./find.js";
import { quicken } from "./forms.js";
import { gettext } from "./i18n.js";
import { poll } from "./poll.js";
import { Regions } from "./region.js";
import { seeding } from "./seeding.js";
import { lookup } from "./shown.js";
import { localize } from "./times.js";
import { travel } from "./travel.js";
import { onReturn } from "./wake.js";

/** @param {string} id */
function embedded(id) {
  const element = document.getElementById(id);
  return element ? JSON.parse(element.textContent ?? "null") : null;
}

/** @type {{room: string, epoch: string, seq: number, mine: number[], rest?: Record<string, [number, number][]>} | null} */
const page = embedded("page");
/** @type {import("../../../../../clients/js/deltacrown.js").State} */
const rendered = embedded("state") ?? empty();
for (const [state, runs] of Object.entries(page?.rest ?? {})) {
  // Matches that this page does not show: they count, and that is all.
  for (const [first, last] of runs) for (let id = first; id <= last; id += 1) rendered.matches[id] = { id, state };
}

const chip = new Chip();
const binder = new Binder();
const announcer = new Announcer(document.getElementById("announcer"));
/** @type {Room | null} */
let live = null;
const state = () => live?.state ?? rendered;
const regions = new Regions(() => live?.position ?? null, swapped);

/** Follows the rooms that a desk names. @type {(() => void) | null} */
let settle = null;

/** @param {ParentNode} part */
function prepare(part) {
  localize(part);
  countDown(part);
  seeding(part);
  offerCopies(part);
  if (part.querySelector("form[data-photos]")) import("./photos.js").then(({ takePhotos }) => takePhotos(part));
  const brackets = /** @type {NodeListOf<HTMLElement>} */ (part.querySelectorAll("[data-bracket]"));
  if (brackets.length) import("./bracket.js").then(({ bringToLife }) => brackets.forEach((one) => bringToLife(one, state)));
}

/** @param {HTMLElement} part */
function swapped(part) {
  try {
    prepare(part);
  } catch (error) {
    reportError(error); // a part of a newer version may be built otherwise; what is current has to stay so all the same
  }
  sifted();
  binder.scan(document);
  binder.apply(lookup(state()), null, false);
  markMine();
  settle?.();
  const said = part.querySelector("[data-say]")?.textContent?.trim();
  if (said) announcer.say(part.dataset.region ?? "", said);
}

/** Mark the rows of the person looking. */
function markMine() {
  const mine = new Set((page?.mine ?? []).map(String));
  if (!mine.size) return;
  for (const row of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".side, .pass, .team, .line, .cross__line"))) {
    row.classList.toggle("is-mine", mine.has(row.dataset.entry ?? ""));
  }
}

/**
 * What an event may have changed, as bindings name it.
 * @param {any} data
 */
function touchedBy(data) {
  const keys = new Set(["t", "count"]);
  if (data.entry || data.entries || data.removed || data.matches || data.tournament?.on_stream !== undefined) return null;
  if (data.match) keys.add(`m.${data.match.id}`);
  return keys;
}

/** @type {{seq: number, resolve: () => void}[]} */
let waiting = [];
const SHOWN_MS = 2_000; // a change is late by a second at most, when a hint is lost

/**
 * Resolve when the page shows what happened at `seq`, or after a while.
 * @param {number} seq
 */
function shown(seq) {
  if ((live?.position?.seq ?? 0) >= seq) return Promise.resolve();
  return /** @type {Promise<void>} */ (
    new Promise((resolve) => {
      waiting.push({ seq, resolve });
      setTimeout(resolve, SHOWN_MS);
    })
  );
}

/** @param {number} seq */
function reached(seq) {
  for (const one of waiting) if (one.seq <= seq) one.resolve();
  waiting = waiting.filter((one) => one.seq > seq);
}

/** @param {{type: string, seq: number, data: any}} frame */
function happened(frame) {
  reached(frame.seq);
  const look = lookup(state());
  binder.apply(look, touchedBy(frame.data), true);
  markMine();
  regions.touch(frame.type);
  if (frame.data.match) {
    const words = sentence(frame.type, look(`m.${frame.data.match.id}`));
    if (words) announcer.say(`m.${frame.data.match.id}`, words);
  }
  if (frame.type === "tournament_completed") {
    const { entries, tournament } = state();
    const champion = entries[String(tournament.champion)]?.name;
    if (champion) announcer.say("t", gettext("{name} won the tournament", { name: champion }));
  }
}

/**
 * Show who is in the match's room: "here.home" is "here", "away", or null when it is not known now; "here.home_word"
 * says it, "here.viewers" how many watch.
 */
function showPlayers() {
  const known = live?.status.kind === "live" ? live.presence : {};
  const here = (/** @type {boolean | undefined} */ is) => (is === undefined ? null : is ? "here" : "away");
  const word = (/** @type {boolean | undefined} */ is) =>
    is === undefined ? "–" : is ? gettext("has this page open") : gettext("not on this page");
  const shown = {
    home: here(known.home),
    away: here(known.away),
    home_word: word(known.home),
    away_word: word(known.away),
    viewers: known.viewers === undefined ? "–" : known.viewers.toLocaleString(),
    unknown: known.viewers === undefined,
  };
  binder.apply((path) => shown[/** @type {keyof typeof shown} */ (path.slice("here.".length))], ["here"], false);
}

prepare(document);
hearSlash();
const sifted = sift();
binder.scan(document);
markMine();
quicken(
  () => live?.status.kind === "live",
  shown,
  () => binder.apply(lookup(state()), null, false),
);

new Console(regions, () => live?.status.kind === "live");

const past = /** @type {HTMLElement | null} */ (document.querySelector("[data-travel]"));
if (past) travel(past, binder, prepare);

if (page) {
  live = new Room(location.origin, page.room, {
    position: { epoch: page.epoch, seq: page.seq },
    state: rendered,
    on: {
      status: (status) => {
        chip.show(status);
        showPlayers();
      },
      presence: ({ viewers }) => {
        chip.watching(viewers);
        regions.crowd = viewers;
        showPlayers();
      },
      event: happened,
      snapshot: (_, before) => {
        reached(live?.position?.seq ?? 0);
        const { matches } = state();
        for (const [id, row] of Object.entries(before.matches)) {
          if (row.state === undefined) matches[id] ??= row; // the page knows where its winner goes, the room does not
        }
        binder.apply(lookup(state()), null, true);
        markMine();
        regions.touchAll();
      },
    },
  });
  live.start();
  onReturn((slept) => {
    live?.check(slept);
    if (slept) chip.slept();
  });
  addEventListener("online", () => live?.check());
  addEventListener("offline", () => live?.check(true));
} else if (document.getElementById("rooms")) {
  import("./desk.js").then(({ follow }) => (settle = follow(regions, chip)));
} else if (chip.element) {
  poll(regions, chip);
}
