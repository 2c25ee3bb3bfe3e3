// Reads [{events, start, words}] on stdin; writes for each the folded state and what a page shows of it.
import { fold } from "../../../clients/js/deltacrown.js";
import { speak } from "../../../apps/web/static/web/js/i18n.js";
import { sends, winnerMeets } from "../../../apps/web/static/web/js/meeting.js";
import { counts, feeders, matchShown } from "../../../apps/web/static/web/js/shown.js";

let text = "";
for await (const part of process.stdin) text += part;
const answers = JSON.parse(text).map(({ events, start, words }) => {
  speak(words ?? {});
  const state = fold(events, start);
  const known = feeders(state);
  const sent = sends(state);
  const whole = Object.values(state.matches).filter((row) => "away_score" in row && "version" in row);
  return {
    state,
    matches: Object.fromEntries(whole.map((row) => [row.id, matchShown(state, row, known)])),
    meets: Object.fromEntries(whole.map((row) => [row.id, winnerMeets(state, row, sent)])),
    counts: Object.values(state.entries).every((row) => "status" in row) ? counts(state) : null,
  };
});
process.stdout.write(JSON.stringify(answers));
