/**
 * Shows what the site pushes, and opens the page that it is about. It keeps nothing and answers no request.
 *
 * A message is {id, tag, title, body, at, lang, url, icon, badge}; `at` (ISO 8601) belongs where `body` has a NUL.
 */

addEventListener("install", () => skipWaiting());

addEventListener("push", (event) => event.waitUntil(show(read(event.data))));

addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data?.url ?? "/me/"));
});

function read(data) {
  try {
    return data.json();
  } catch {
    return {};
  }
}

async function show({ id = "", tag = "", title = "DeltaCrown", body = "", at = "", lang = "", url = "/me/", icon, badge }) {
  // Sent again after a crash it has the same id: it takes the place of the first, and makes no sound.
  const shown = tag ? await registration.getNotifications({ tag }) : [];
  const renotify = Boolean(tag) && !shown.some((one) => one.data?.id === id);
  await registration.showNotification(title, {
    body: body.replaceAll("\0", at && clock(at, lang)),
    tag,
    renotify,
    lang,
    icon,
    badge,
    data: { id, url },
  });
}

/** A time as this device's clock shows it. */
function clock(at, lang) {
  const format = { hour: "2-digit", minute: "2-digit" };
  const day = new Date(at).toDateString() === new Date().toDateString() ? {} : { weekday: "short" };
  return new Date(at).toLocaleString(lang || undefined, { ...day, ...format });
}

async function open(path) {
  const url = new URL(path, location.origin);
  if (url.origin !== location.origin) return;
  const pages = await clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = pages.find((page) => new URL(page.url).pathname === url.pathname);
  await (there ? there.focus() : clients.openWindow(url.href));
}
