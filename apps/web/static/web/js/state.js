// @ts-check
/**
 * Fold events into the state of a tournament: the same rule as engine/projection.py, tested with the same vectors.
 *
 * Values are absolute, so applying an event twice changes nothing. No DOM, no network.
 */

/** @typedef {Record<string, any>} Row */
/** @typedef {Record<string, Row>} Rows  rows by id */
/**
 * @typedef {object} State
 * @property {Row} tournament
 * @property {Rows} stages
 * @property {Rows} entries
 * @property {Rows} matches
 * @property {Rows} staff
 */

/** @type {("stages" | "entries" | "matches" | "staff")[]} */
export const COLLECTIONS = ["stages", "entries", "matches", "staff"];

/** @type {Record<string, "stages" | "entries" | "matches" | "staff">} */
const SINGULAR = { stage: "stages", entry: "entries", match: "matches", member: "staff" };

/** The state before the first event. @returns {State} */
export function empty() {
  return { tournament: {}, stages: {}, entries: {}, matches: {}, staff: {} };
}

/**
 * Change `state` in place by one event's data, and return it.
 * @param {State} state
 * @param {Record<string, any>} data
 * @returns {State}
 */
export function apply(state, data) {
  for (const [name, gone] of Object.entries(data.removed ?? {})) {
    for (const id of gone) delete state[/** @type {"matches"} */ (name)][String(id)];
  }
  Object.assign(state.tournament, data.tournament ?? {});
  for (const [key, name] of Object.entries(SINGULAR)) {
    if (key in data) merge(state[name], data[key]);
  }
  for (const name of COLLECTIONS) {
    for (const row of data[name] ?? []) merge(state[name], row);
  }
  return state;
}

/**
 * The state after all `events` (their data), from nothing or from a snapshot.
 * @param {Iterable<Record<string, any>>} events
 * @param {State} [state]
 * @returns {State}
 */
export function fold(events, state = empty()) {
  for (const data of events) apply(state, data);
  return state;
}

/**
 * @param {Rows} rows
 * @param {Row} row
 */
function merge(rows, row) {
  const id = String(row.id);
  rows[id] = Object.assign(rows[id] ?? {}, row);
}
