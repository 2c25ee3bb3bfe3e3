// @ts-check
/** Times in the viewer's zone. Without this module a page shows them in UTC, unless the server knows the zone by then. */

import { gettext, locale } from "./i18n.js";

const DAY_MS = 86_400_000;
const YEAR_S = 31_536_000;

/** The viewer's zone, which the server is told for the pages to come (apps/web/reader.py); not in another site's frame or picture. */
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const told = document.cookie.split("; ").includes(`zone=${zone}`);
if (!told && !document.body.matches("[data-kind], .embed")) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `zone=${zone}; path=/; max-age=${YEAR_S}; samesite=lax${secure}`;
}

/** As the server writes them (apps/words.py), which has the names of months from America: "Sep", not "Sept". */
const names = locale.replace("en-GB", "en-US");
const part = (/** @type {Intl.DateTimeFormatOptions} */ options, in_ = names) => new Intl.DateTimeFormat(in_, options);
const PARTS = {
  weekday: part({ weekday: "short" }),
  day: part({ day: "numeric" }, "en"),
  month: part({ month: "short" }),
  year: part({ year: "numeric" }, "en"),
  time: part({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }, "en"),
  clock: part({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }, "en"),
};
const ZONE = part({ timeZoneName: "short" }, locale);

/** @type {Record<string, (parts: Record<string, string>) => string>} */
const FORMS = {
  datetime: (parts) => gettext("{weekday} {day} {month} {year}, {time} {zone}", parts),
  date: (parts) => gettext("{day} {month} {year}", parts),
  day: (parts) => gettext("{day} {month}, {time}", parts),
  time: (parts) => parts.time,
  clock: (parts) => parts.clock,
};

/** @param {Date} at @param {string} form */
function written(at, form) {
  const parts = Object.fromEntries(Object.entries(PARTS).map(([name, format]) => [name, format.format(at)]));
  const zoneName = ZONE.formatToParts(at).find(({ type }) => type === "timeZoneName")?.value ?? "";
  return (FORMS[form] ?? FORMS.datetime)({ ...parts, zone: zoneName });
}

/** Hours, minutes and seconds. @param {Date} at */
export function clock(at) {
  return PARTS.clock.format(at);
}

/** Rewrite the times in a part of the page; those that the server wrote in the viewer's zone stand. @param {ParentNode} root */
export function localize(root) {
  for (const element of root.querySelectorAll("time[data-when]")) {
    const at = new Date(element.getAttribute("datetime") ?? "");
    if (Number.isNaN(at.getTime())) continue;
    const form = element.getAttribute("data-when") ?? "datetime";
    element.setAttribute("title", written(at, "datetime"));
    if (form === "until") countDown(element, at);
    else if (!(told && element.hasAttribute("data-zoned"))) show(element, at, form);
  }
}

/**
 * Write a time that is another one now.
 * @param {Element} element
 * @param {Date} at
 * @param {string} form
 */
function show(element, at, form) {
  const old = form === "time" && Math.abs(Date.now() - at.getTime()) > DAY_MS;
  element.textContent = written(at, old ? "day" : form);
}

/** Put another time into an element that shows one. @param {Element | null | undefined} element @param {string} at */
export function retime(element, at) {
  element?.setAttribute("datetime", at);
  if (element) show(element, new Date(at), element.getAttribute("data-when") ?? "datetime");
}

/**
 * Show how long it is until a time, as long as the element is on the page.
 * @param {Element} element
 * @param {Date} at
 */
function countDown(element, at) {
  const seconds = Math.max(Math.ceil((at.getTime() - Date.now()) / 1000), 0);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const shown = parts[0] ? parts : parts.slice(1);
  const [first, ...rest] = shown.map((number) => String(number).padStart(2, "0"));
  const time = [Number(first), ...rest].join(":");
  element.textContent = seconds ? gettext("{time} left", { time }) : gettext("time is up");
  if (seconds) setTimeout(() => element.isConnected && countDown(element, at), 1000);
}
