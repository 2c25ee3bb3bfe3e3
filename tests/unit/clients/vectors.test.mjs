// The recorded vectors, as clients/README.md describes them, on the JavaScript client's rules.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { Follower, empty } from "../../../clients/js/deltacrown.js";

const VECTORS = new URL("../../../clients/vectors/", import.meta.url);
const EXPECTATIONS = ["since", "sent", "changed", "renew", "settled", "wait", "position", "state", "status", "presence"];
const ACTED = { since: undefined, sent: [], changed: false, renew: false, settled: "", wait: undefined };

/** What one input makes of a follower, apart from its attributes. */
function take(follower, step, now) {
  if ("connect" in step) return { since: follower.connecting(now) };
  if ("receive" in step) {
    const { send: sent, ...rest } = follower.receive(step.receive, now);
    return { sent, ...rest };
  }
  if ("close" in step) return { wait: follower.ended(step.close, now) };
  if ("refused" in step) return { wait: follower.refused(step.refused.status, now, step.refused.retry_after_ms) };
  if ("act" in step) return { sent: follower.act(step.act.type, step.act.data ?? {}, step.act.id) };
  if ("leave" in step) return follower.leave() ?? {};
  if ("forget" in step) return { sent: follower.forget(step.forget) ?? [] };
  if ("renewed" in step) return { sent: follower.renewed(step.renewed) };
  if ("probe" in step) return { sent: follower.probe(now, step.probe.doubt) };
  assert("pass" in step, JSON.stringify(step));
  const late = follower.tick(now);
  return late === null ? { wait: follower.ended(1006, now) } : { sent: late };
}

function play({ start = {}, steps }, chance) {
  const { position = null, state = empty(), renewable = true } = structuredClone(start);
  const follower = new Follower({ position, state, renewable, random: () => chance });
  let expected = { position, state: structuredClone(state), status: "lost", presence: {} };
  let now = 0;
  steps.forEach((step, number) => {
    now += step.pass ?? 0;
    const seen = { ...ACTED, ...take(follower, structuredClone(step), now) };
    const { position, state, presence, status } = follower;
    Object.assign(seen, { position, state, presence, status: status.kind });
    const named = Object.fromEntries(EXPECTATIONS.filter((name) => name in step).map((name) => [name, step[name]]));
    if (step.wait) named.wait = step.wait[chance];
    expected = { ...expected, ...ACTED, ...named };
    const where = `step ${number + 1}: ${JSON.stringify(step)}`;
    assert.deepEqual(JSON.parse(JSON.stringify(seen)), JSON.parse(JSON.stringify(expected)), where);
    if ("since_ms" in step) assert.equal(status.since, step.since_ms, where);
  });
}

for (const file of readdirSync(VECTORS)) {
  for (const vector of JSON.parse(readFileSync(new URL(file, VECTORS), "utf-8"))) {
    test(`${file}: ${vector.name}`, () => [0, 1].forEach((chance) => play(vector, chance)));
  }
}
