// @ts-check
/** What a screen reader hears: politely, at most one message every few seconds, always the latest. */

import { gettext, ngettext } from "./i18n.js";

const EVERY_MS = 4000;

export class Announcer {
  /** @param {HTMLElement | null} element an aria-live region */
  constructor(element) {
    this.element = element;
    /** The latest message about each subject. @type {Map<string, string>} */
    this.pending = new Map();
    this.at = 0;
    /** @type {any} */
    this.timer = undefined;
  }

  /**
   * @param {string} subject a newer message about the same subject replaces the older one
   * @param {string} message
   */
  say(subject, message) {
    this.pending.delete(subject);
    this.pending.set(subject, message);
    this.timer ??= setTimeout(() => this.#speak(), Math.max(this.at + EVERY_MS - Date.now(), 200));
  }

  #speak() {
    this.timer = undefined;
    this.at = Date.now();
    const messages = [...this.pending.values()];
    this.pending.clear();
    const more = messages.length - 3;
    const rest = more > 0 ? ` ${ngettext("And {count} more change.", "And {count} more changes.", more)}` : "";
    if (this.element) this.element.textContent = `${messages.slice(-3).join(". ")}.${rest}`;
  }
}

/**
 * What an event says aloud, or null: "Argentina 2, France 2".
 * @param {string} type
 * @param {{label: string, state: string, home: {name: string | null, score: string, outcome: string},
 *          away: {name: string | null, score: string, outcome: string}} | undefined} match
 */
export function sentence(type, match) {
  if (!match || !match.home.name || !match.away.name) return null;
  const [home, away] = [match.home.name, match.away.name];
  const score = `${home} ${match.home.score}, ${away} ${match.away.score}`;
  switch (type) {
    case "score_updated":
      return score;
    case "match_started":
      return gettext("{home} against {away} has started", { home, away });
    case "result_reported":
      return gettext("Reported: {score}", { score });
    case "result_disputed":
      return gettext("{home} and {away} do not agree about their result", { home, away });
    case "match_reopened":
      return gettext("The result of {home} against {away} was taken back", { home, away });
    case "match_completed": {
      const winner = [match.home, match.away].find((side) => side.outcome === "won")?.name;
      const values = { winner: winner ?? "", home, away, score, label: match.label };
      if (!winner) {
        return match.home.outcome === "drew"
          ? gettext("A draw. {score}", values)
          : gettext("{label}: {home} against {away}", values);
      }
      return /^\d+$/.test(match.home.score)
        ? gettext("{winner} won. {score}", values)
        : gettext("{winner} won: {label}", values);
    }
    default:
      return null;
  }
}
