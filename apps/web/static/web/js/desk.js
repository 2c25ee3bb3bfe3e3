// @ts-check
/**
 * One page, several rooms: a player's desk. What happens in any of them that concerns the player has the desk rendered
 * anew; the chip says the worst of them.
 */

import { Room, empty } from "../../clients/deltacrown.js";

/**
 * A room to listen to, from a position of its log if that is known. `entry`: the player's there; `matches`: theirs.
 * `whole`: everything that moves others moves them, too, as on a waitlist or in a table.
 * @typedef {{room: string, position: import("../../../../../clients/js/deltacrown.js").Position | null, entry: number,
 *   matches: number[], whole: boolean}} Seat
 */

/**
 * Whether an event changes what the desk shows of a seat.
 * @param {{type: string, data: any}} frame
 * @param {Seat} seat
 */
export function concerns({ type, data }, seat) {
  const { match, entry } = data;
  if (match) {
    const mine = seat.matches.includes(match.id) || match.home === seat.entry || match.away === seat.entry;
    return mine || (seat.whole && (type === "match_completed" || type === "match_reopened"));
  }
  if (entry) return entry.id === seat.entry || seat.whole;
  return true;
}

/** The state of several connections as the chip shows one: the worst, since the earliest. @param {any[]} statuses */
export function worst(statuses) {
  for (const kind of ["stopped", "lost"]) {
    const bad = statuses.filter((status) => status.kind === kind);
    if (bad.length) return bad.reduce((a, b) => (a.since <= b.since ? a : b));
  }
  return statuses[0];
}

/**
 * Follow the rooms that the page names, also when it names others after it was rendered anew.
 * @param {import("./region.js").Regions} regions
 * @param {import("./chip.js").Chip} chip
 * @returns {() => void} call it when the page was rendered anew
 */
export function follow(regions, chip) {
  /** @type {Map<string, {room: Room, seat: Seat}>} */
  const open = new Map();

  function told() {
    const statuses = [...open.values()].map(({ room }) => room.status);
    if (statuses.length) chip.show(worst(statuses));
  }

  /** @param {Seat} seat */
  function enter(seat) {
    const room = new Room(location.origin, seat.room, {
      position: seat.position,
      state: empty(),
      on: {
        status: told,
        event: (/** @type {any} */ frame) => {
          if (concerns(frame, open.get(seat.room)?.seat ?? seat)) regions.touch("desk");
        },
        snapshot: () => regions.touch("desk"),
      },
    });
    open.set(seat.room, { room, seat });
    room.start();
  }

  function settle() {
    /** @type {Seat[]} */
    const seats = JSON.parse(document.getElementById("rooms")?.textContent ?? "[]");
    const wanted = new Set(seats.map((seat) => seat.room));
    for (const [name, { room }] of open) {
      if (wanted.has(name)) continue;
      open.delete(name);
      room.stop();
    }
    for (const seat of seats) {
      const known = open.get(seat.room);
      if (known) known.seat = seat;
      else enter(seat);
    }
    told();
  }

  const all = (/** @type {(room: Room) => void} */ act) => {
    for (const { room } of open.values()) act(room);
  };
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) all((room) => room.check());
  });
  addEventListener("online", () => all((room) => room.check()));
  addEventListener("offline", () => all((room) => room.check(true)));
  addEventListener("pageshow", (event) => {
    if (event.persisted) all((room) => room.check());
  });
  settle();
  return settle;
}
