// @ts-check
/** What a screen reader hears: politely, at most one message every few seconds, always the latest. */

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
    const more = messages.length > 3 ? ` And ${messages.length - 3} more changes.` : "";
    if (this.element) this.element.textContent = messages.slice(-3).join(". ") + "." + more;
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
  const score = `${match.home.name} ${match.home.score}, ${match.away.name} ${match.away.score}`;
  const versus = `${match.home.name} against ${match.away.name}`;
  switch (type) {
    case "score_updated":
      return score;
    case "match_started":
      return `${versus} has started`;
    case "result_reported":
      return `Reported: ${score}`;
    case "result_disputed":
      return `${match.home.name} and ${match.away.name} do not agree about their result`;
    case "match_reopened":
      return `The result of ${versus} was taken back`;
    case "match_completed": {
      const winner = [match.home, match.away].find((side) => side.outcome === "won")?.name;
      if (!winner) return match.home.outcome === "drew" ? `A draw. ${score}` : `${match.label}: ${versus}`;
      return /^\d+$/.test(match.home.score) ? `${winner} won. ${score}` : `${winner} won by ${match.label.toLowerCase()}`;
    }
    default:
      return null;
  }
}
