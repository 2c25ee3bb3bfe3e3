// @ts-check
/** Whom the winner of a match meets next: the twin of apps/web/present/meeting.py, tested with the same vectors. */

import { gettext } from "./i18n.js";
import { OVER, entrantName } from "./shown.js";

/** @typedef {import("../../../../../clients/js/deltacrown.js").State} State */
/** @typedef {import("../../../../../clients/js/deltacrown.js").Row} Row */
/** @typedef {{rows: Map<string, Row>, to: Map<string, {row: Row, isWinner: boolean}>}} Sends */

/** @type {Record<string, string>} */
export const OTHER = { home: "away", away: "home" };

/**
 * Matches by "stage/number", and who sends somebody to "stage/number/side".
 * @param {State} state
 * @returns {Sends}
 */
export function sends(state) {
  const rows = new Map();
  const to = new Map();
  for (const row of Object.values(state.matches)) {
    rows.set(`${row.stage}/${row.number}`, row);
    for (const what of ["winner", "loser"]) {
      const at = row[`${what}_to`];
      if (at != null) to.set(`${row.stage}/${at}/${row[`${what}_to_side`]}`, { row, isWinner: what === "winner" });
    }
  }
  return { rows, to };
}

/**
 * @param {State} state
 * @param {Row} row
 * @param {Sends} [known]
 */
export function winnerMeets(state, row, known = sends(state)) {
  const following = known.rows.get(`${row.stage}/${row.winner_to}`);
  if (OVER.includes(row.state) || !following) return "";
  const side = OTHER[row.winner_to_side];
  const name = entrantName(state, following[side]);
  if (name) return gettext("Winner meets {name}", { name });
  const source = known.to.get(`${row.stage}/${following.number}/${side}`);
  if (following[`${side}_closed`] || !source || source.row === row) return ""; // in a reset both meet again
  const [home, away] = [source.row.home, source.row.away].map((id) => entrantName(state, id));
  const number = source.row.number;
  if (source.isWinner && home && away) return gettext("Winner meets {name} or {other}", { name: home, other: away });
  return source.isWinner
    ? gettext("Winner meets the winner of {number}", { number })
    : gettext("Winner meets the loser of {number}", { number });
}
