// @ts-check
/** Times in the viewer's zone. Without this module a page shows them in UTC. */

const DAY_MS = 86_400_000;

const FORMATS = {
  datetime: new Intl.DateTimeFormat(undefined, {
    weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZoneName: "short",
  }),
  date: new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" }),
  time: new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" }),
  // The chip is narrow, and "02:05:12 PM" is not.
  clock: new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }),
  day: new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }),
};

/** Hours, minutes and seconds. @param {Date} at */
export function clock(at) {
  return FORMATS.clock.format(at);
}

/** Rewrite the times in a part of the page. @param {ParentNode} root */
export function localize(root) {
  for (const element of root.querySelectorAll("time[data-when]")) {
    const at = new Date(element.getAttribute("datetime") ?? "");
    if (Number.isNaN(at.getTime())) continue;
    const form = element.getAttribute("data-when") ?? "datetime";
    element.setAttribute("title", FORMATS.datetime.format(at));
    if (form === "until") {
      countDown(element, at);
      continue;
    }
    const old = form === "time" && Math.abs(Date.now() - at.getTime()) > DAY_MS;
    const format = old ? FORMATS.day : FORMATS[/** @type {"time"} */ (form)] ?? FORMATS.datetime;
    element.textContent = format.format(at);
  }
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
  const [first, ...rest] = shown.map((part) => String(part).padStart(2, "0"));
  element.textContent = seconds ? `${[Number(first), ...rest].join(":")} left` : "time is up";
  if (seconds) setTimeout(() => element.isConnected && countDown(element, at), 1000);
}
