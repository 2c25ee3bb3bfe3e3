import assert from "node:assert/strict";
import { test } from "node:test";

// The site serves the clients beside its own scripts; here they lie elsewhere.
import { register } from "node:module";
register(
  "data:text/javascript," +
    encodeURIComponent(`
      export function resolve(specifier, context, next) {
        return specifier.endsWith("/clients/deltacrown.js")
          ? next(new URL("../../../clients/js/deltacrown.js", "${new URL(import.meta.url)}").href, context)
          : next(specifier, context);
      }`),
);
const { concerns, worst } = await import("../../../apps/web/static/web/js/desk.js");

const seat = { room: "tournament:1", position: null, entry: 7, matches: [3], whole: false };
const event = (type, data) => ({ type, data });

test("a desk follows what happens to its player, and not what happens to others", () => {
  assert.ok(concerns(event("score_updated", { match: { id: 3, home_score: 1 } }), seat));
  assert.ok(concerns(event("bracket_updated", { match: { id: 9, away: 7 } }), seat));
  assert.ok(concerns(event("registration_promoted", { entry: { id: 7 } }), seat));
  assert.ok(concerns(event("bracket_generated", { matches: [] }), seat));
  assert.ok(!concerns(event("score_updated", { match: { id: 4, home_score: 1 } }), seat));
  assert.ok(!concerns(event("match_completed", { match: { id: 4, winner: 8 } }), seat));
  assert.ok(!concerns(event("registration_created", { entry: { id: 8 } }), seat));
});

test("on a waitlist and in a table others move a player, too", () => {
  const waits = { ...seat, whole: true };
  assert.ok(concerns(event("registration_cancelled", { entry: { id: 8 } }), waits));
  assert.ok(concerns(event("match_completed", { match: { id: 4, winner: 8 } }), waits));
  assert.ok(!concerns(event("score_updated", { match: { id: 4, home_score: 1 } }), waits));
});

test("several connections are as good as the worst of them", () => {
  const live = { kind: "live", since: 9, code: null };
  const lost = { kind: "lost", since: 5, code: 1006 };
  const earlier = { kind: "lost", since: 3, code: 1006 };
  assert.equal(worst([live, live]), live);
  assert.equal(worst([live, lost, earlier]), earlier);
  assert.equal(worst([lost, { kind: "stopped", since: 8, code: 4001 }]).kind, "stopped");
});
