// @ts-check
/**
 * The words and numbers that a page shows for a state: the twin of apps/web/present/shown.py, tested with the same
 * vectors. The server writes them into the page, this keeps them current.
 */

import { gettext } from "./i18n.js";

/** @typedef {import("../../../../../clients/js/deltacrown.js").State} State */
/** @typedef {import("../../../../../clients/js/deltacrown.js").Row} Row */
/** @typedef {Map<string, string>} Feeders */

/** Labels are said when they are asked for. @type {Record<string, () => string>} */
export const STATUS_LABELS = {
  draft: () => gettext("Draft"),
  published: () => gettext("Upcoming"),
  registration_open: () => gettext("Registration open"),
  registration_closed: () => gettext("Registration closed"),
  live: () => gettext("Live"),
  completed: () => gettext("Completed"),
  cancelled: () => gettext("Cancelled"),
};

/** @type {Record<string, () => string>} */
export const STATE_LABELS = {
  scheduled: () => gettext("Upcoming"),
  check_in: () => gettext("Check-in"),
  ready: () => gettext("Ready"),
  live: () => gettext("Live"),
  pending_result: () => gettext("To confirm"),
  disputed: () => gettext("Disputed"),
  completed: () => gettext("Finished"),
};

/** @type {Record<string, () => string>} */
const FORFEIT_LABELS = {
  walkover: () => gettext("Walkover"),
  forfeit: () => gettext("Forfeit"),
  no_show: () => gettext("No-show"),
};
/** @type {Record<string, () => string>} */
const NOBODY_WON_LABELS = {
  walkover: () => gettext("Not played"),
  forfeit: () => gettext("Double forfeit"),
  no_show: () => gettext("Nobody came"),
};
/**
 * What stands where the score would: of the winner, of the loser, and of both when nobody won.
 * @type {Record<string, () => [string, string, string]>}
 */
const UNPLAYED_SCORES = {
  walkover: () => [gettext("w/o"), "", ""],
  forfeit: () => [gettext("W"), gettext("FF"), gettext("FF")],
  no_show: () => [gettext("W"), gettext("NS"), gettext("NS")],
};
export const OVER = ["completed", "forfeit", "cancelled"];
const LEAGUES = ["round_robin", "swiss"];
const BEFORE_PLAY = ["scheduled", "check_in", "ready"];

/**
 * Where the entrant of each waiting side comes from: "Winner of 3", "Loser of 13".
 * @param {State} state
 * @returns {Feeders}
 */
export function feeders(state) {
  /** @type {Feeders} */
  const found = new Map();
  for (const row of Object.values(state.matches)) {
    const place = (/** @type {string} */ to) => `${row.stage}/${row[to]}/${row[`${to}_side`]}`;
    const { number } = row;
    if (row.winner_to != null) found.set(place("winner_to"), gettext("Winner of {number}", { number }));
    if (row.loser_to != null) found.set(place("loser_to"), gettext("Loser of {number}", { number }));
  }
  return found;
}

/**
 * A match as a card, a row or a page shows it.
 * @param {State} state
 * @param {Row} row
 * @param {Feeders} [known] the result of `feeders`, when it is at hand
 */
export function matchShown(state, row, known = feeders(state)) {
  const home = side(state, row, "home", known);
  const away = side(state, row, "away", known);
  return {
    id: row.id,
    stage: row.stage,
    number: row.number,
    round: row.round,
    position: row.position,
    group: row.group,
    bracket: row.bracket,
    best_of: row.best_of,
    is_league: LEAGUES.includes(state.stages[row.stage]?.format),
    state: row.state,
    label: label(row),
    over: OVER.includes(row.state),
    home,
    away,
    version: row.version,
    home_points: row.home_score,
    away_points: row.away_score,
    home_shootout: text(row.home_shootout),
    away_shootout: text(row.away_shootout),
    game: games(row),
    games: games(row).filter(Boolean).join(", "),
    leading: leading(row, home, away),
    deadline_at: row.deadline_at,
    started_at: row.started_at,
    completed_at: row.completed_at,
    winner_to: row.winner_to,
    loser_to: row.loser_to,
    reported_by: row.reported_by,
    on_stream: state.tournament.on_stream === row.id,
  };
}

/**
 * The numbers in a tournament's head and tabs.
 * @param {State} state
 */
export function counts(state) {
  const entries = Object.values(state.entries);
  const confirmed = entries.filter((row) => row.status === "confirmed");
  const matches = Object.values(state.matches);
  const inState = (/** @type {string} */ name) => matches.filter((row) => row.state === name).length;
  const over = matches.filter((row) => OVER.includes(row.state)).length;
  const capacity = state.tournament.capacity ?? 0;
  return {
    confirmed: confirmed.length,
    waitlisted: entries.filter((row) => row.status === "waitlisted").length,
    checked_in: confirmed.filter((row) => row.checked_in).length,
    capacity,
    left: Math.max(capacity - entries.filter((row) => ["confirmed", "offered"].includes(row.status)).length, 0),
    places: gettext("{count} of {total}", { count: confirmed.length, total: capacity }),
    matches: matches.length,
    over,
    live: inState("live"),
    ready: inState("ready"),
    pending: inState("pending_result"),
    disputed: inState("disputed"),
    waiting: inState("pending_result") + inState("disputed"),
    progress: gettext("{count} of {total}", { count: over, total: matches.length }),
  };
}

/**
 * Look up what a `data-bind` names: "t.name", "count.live", "m.5.home.score".
 * Undefined: not known here, leave what the server wrote.
 * @param {State} state
 * @returns {(path: string) => any}
 */
export function lookup(state) {
  const known = feeders(state);
  /** @type {Map<string, any>} */
  const matches = new Map();
  const totals = counts(state);
  /** @type {Record<string, any>} */
  const count = { ...totals, no_live: totals.live === 0 };
  const t = { ...state.tournament, status_label: STATUS_LABELS[state.tournament.status]?.() };
  const match = (/** @type {string} */ id) => {
    if (!matches.has(id)) {
      const row = state.matches[id];
      // A row that only says where its winner goes, or how it stands, is no match to show.
      const shown = row && row.state !== undefined && row.number !== undefined ? matchShown(state, row, known) : undefined;
      matches.set(id, shown && { ...shown, no_shootout: !shown.home.shootout, off_stream: !shown.on_stream });
    }
    return matches.get(id);
  };
  return (path) => {
    const [root, ...rest] = path.split(".");
    if (root === "count") return Object.keys(state.entries).length ? count[rest[0]] : undefined;
    if (root === "t") return /** @type {Record<string, any>} */ (t)[rest[0]];
    if (root !== "m") return undefined;
    return rest.slice(1).reduce((value, key) => value?.[key], match(rest[0]));
  };
}

/**
 * @param {State} state
 * @param {number | null} id
 * @returns {string | null}
 */
export function entrantName(state, id) {
  return state.entries[String(id)]?.name ?? null;
}

/**
 * @param {State} state
 * @param {Row} row
 * @param {string} which
 * @param {Feeders} known
 */
function side(state, row, which, known) {
  const entry = row[which];
  let name;
  if (entry !== null) name = entrantName(state, entry);
  else if (row.state === "cancelled") name = "–";
  else if (row[`${which}_closed`]) name = gettext("Nobody");
  else name = known.get(`${row.stage}/${row.number}/${which}`) ?? null;
  const result = outcome(row, entry);
  const [score, shootout] = scores(row, which, result);
  const here = row.state !== "check_in" ? "" : row[`${which}_checked_in`] ? "here" : "away";
  return { entry, name, seed: text(state.entries[String(entry)]?.seed), score, shootout, outcome: result, here };
}

/**
 * @param {Row} row
 * @param {number | null} entry
 */
function outcome(row, entry) {
  if ((row.state !== "completed" && row.state !== "forfeit") || entry === null) return "";
  if (row.winner === null) return row.state === "completed" ? "drew" : "lost";
  return row.winner === entry ? "won" : "lost";
}

/**
 * @param {Row} row
 * @param {string} which
 * @param {string} result
 */
function scores(row, which, result) {
  if (BEFORE_PLAY.includes(row.state) || row.state === "cancelled") return ["", ""];
  if (row.state === "forfeit") {
    const [won, lost, both] = UNPLAYED_SCORES[row.reason]?.() ?? ["", "", ""];
    return [row.winner === null ? both : result === "won" ? won : lost, ""];
  }
  const numbers = stated(row);
  if (numbers === null) return ["?", ""];
  return [text(numbers[`${which}_score`]), text(numbers[`${which}_shootout`])];
}

/**
 * Where the score stands: in the report that waits, in the row, or nowhere while it is disputed.
 * @param {Row} row
 * @returns {any}
 */
function stated(row) {
  if (row.state === "disputed" && row.report) return null;
  return row.state === "pending_result" && row.report ? row.report : row;
}

/** @param {Row} row */
function games(row) {
  if (row.best_of === 1) return [];
  const numbers = BEFORE_PLAY.includes(row.state) ? null : stated(row);
  /** @type {string[]} */
  const played = (numbers?.games ?? []).map((/** @type {any} */ game) => `${game.home}–${game.away}`);
  while (played.length < row.best_of) played.push("");
  return played;
}

/**
 * @param {Row} row
 * @param {{name: string | null, score: string, shootout: string}} home
 * @param {{name: string | null, score: string, shootout: string}} away
 */
function leading(row, home, away) {
  if (row.state !== "live" && row.state !== "pending_result") return "";
  const ahead = Number(home.score) - Number(away.score) || Number(home.shootout) - Number(away.shootout);
  const enough = row.best_of > 1 ? Math.floor(row.best_of / 2) + 1 : 0;
  if (ahead === 0 || Math.max(Number(home.score), Number(away.score)) < enough) return "";
  return gettext(": {name} wins", { name: (ahead > 0 ? home : away).name ?? "" });
}

/** @param {Row} row */
function label(row) {
  const isReset = row.bracket === "grand_final" && row.round > 1;
  if (row.state === "completed" && row.winner === null) return gettext("Draw");
  if (row.state === "forfeit") {
    return ((row.winner === null ? NOBODY_WON_LABELS : FORFEIT_LABELS)[row.reason] ?? FORFEIT_LABELS.forfeit)();
  }
  if (row.state === "cancelled" && row.home === null && row.away === null) {
    return isReset ? gettext("Not needed") : gettext("Not played");
  }
  if (row.state === "cancelled") return gettext("Cancelled");
  return row.state === "scheduled" && isReset ? gettext("If needed") : STATE_LABELS[row.state]();
}

/** @param {any} value */
function text(value) {
  return value === null || value === undefined ? "" : String(value);
}
