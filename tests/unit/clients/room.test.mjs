// A room's connections, one after the other. What it does with frames and codes is in the vectors.
import assert from "node:assert/strict";
import { test } from "node:test";

import { BACKOFF_MOST_MS, HANDSHAKE_MS, PROBE_MS, SILENCE_MS, SNAPSHOT_MS } from "../../../clients/js/deltacrown.js";
import { event, open, room, settle, welcome } from "./world.mjs";

test("connects with a token that stands in no address, and says where it stands", async () => {
  const r = await open();
  assert.equal(r.last().url.href, "ws://host/ws/tournament/7/?since=e1:10");
  assert.deepEqual(r.last().protocols, ["deltacrown.v1", "bearer.t1"]);
  assert.equal(r.room.status.kind, "live");
});

test("without a position it asks for nothing and waits for the snapshot before it counts as current", async () => {
  const r = room({ position: null });
  r.room.start();
  await settle();
  assert.equal(r.last().url.search, "");
  r.last().says(welcome({ resumed: false, seq: 42 }));
  assert.deepEqual(r.seen.statuses, []);
  r.last().says({ type: "snapshot", epoch: "e1", seq: 42, data: { matches: { 5: { id: 5 } } } });
  assert.deepEqual(r.room.state.matches, { 5: { id: 5 } });
  assert.deepEqual(r.seen.statuses, ["live"]);
});

test("tells of events and snapshots when the state has them, and of presence", async () => {
  const r = await open();
  r.last().says(event(11));
  r.last().says(event(11));
  assert.deepEqual(r.seen.events, [11]);
  assert.equal(r.room.state.matches[5].home_score, 11);
  const before = r.room.state;
  r.last().says({ type: "snapshot", epoch: "e1", seq: 12, data: {} });
  assert.deepEqual(r.seen.snapshots, [[{}, before]]);
  r.last().says({ type: "presence", viewers: 1240 });
  assert.deepEqual(r.seen.presence, [{ viewers: 1240 }]);
  assert.deepEqual(r.seen.frames, ["connection_established", "score_updated", "score_updated", "snapshot", "presence"]);
});

test("answers pings and asks for a snapshot at a hole", async () => {
  const r = await open();
  r.last().says({ type: "ping", timestamp: 5 });
  r.last().says(event(13, 12));
  assert.deepEqual(r.last().sent, [{ type: "pong" }, { type: "resync" }]);
  assert.deepEqual(r.seen.statuses, ["live", "lost"]);
});

test("a snapshot that does not come ends the connection", async () => {
  const r = await open();
  r.last().says(event(13, 12));
  await r.clock.pass(SNAPSHOT_MS + 600);
  assert.equal(r.sockets.length, 2);
});

test("comes back from where it was, with a token of its own for every connection", async () => {
  const r = await open();
  r.last().says(event(11));
  r.last().closes(1006);
  assert.equal(r.room.status.kind, "lost");
  await r.clock.pass(600);
  assert.equal(r.last().url.searchParams.get("since"), "e1:11");
  assert.equal(r.last().token, "t2");
});

test("a loss is told once, however many attempts fail alike", async () => {
  const r = await open();
  for (let i = 0; i < 3; i++) {
    r.last().closes(4013);
    await r.clock.pass(5000);
  }
  assert.deepEqual(r.seen.statuses, ["live", "lost"]);
});

test("waits longer each time, up to 20 s", async () => {
  const r = room();
  r.room.start();
  await settle();
  const waits = [];
  for (let i = 0; i < 8; i++) {
    const at = r.clock.time;
    const count = r.sockets.length;
    r.last().closes(4500);
    while (r.sockets.length === count) await r.clock.pass(100);
    waits.push(r.clock.time - at);
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 16000, 20000, 20000]);
  assert.equal(Math.max(...waits), BACKOFF_MOST_MS);
});

test("a code that stops leaves nothing that would connect again", async () => {
  const r = await open();
  r.last().closes(4404);
  await r.clock.pass(600_000);
  r.room.check();
  await settle();
  assert.equal(r.sockets.length, 1);
  assert.deepEqual([r.room.status.kind, r.room.status.code], ["stopped", 4404]);
  assert.equal(r.clock.timers.size, 0);
});

test("a token that is about to end is renewed on the open connection", async () => {
  const r = await open();
  r.last().says({ type: "token_expiring", in_ms: 60_000 });
  await settle();
  assert.deepEqual(r.last().sent, [{ type: "authenticate", data: { token: "t2" } }]);
  assert.equal(r.sockets.length, 1);
  assert.equal(r.room.status.kind, "live");
});

test("a renewal that fails leaves the connection to its end", async () => {
  let asked = 0;
  const token = async () => {
    asked += 1;
    if (asked === 2) throw { status: 503 };
    return `t${asked}`;
  };
  const r = await open({ token });
  r.last().says({ type: "token_expiring", in_ms: 60_000 });
  await settle();
  assert.deepEqual(r.last().sent, []);
  r.last().closes(4002);
  await r.clock.pass(1);
  assert.equal(r.last().token, "t3");
});

test("the only token there is ends the room with it", async () => {
  const r = await open({ token: "access" });
  assert.equal(r.last().token, "access");
  r.last().closes(4002);
  assert.deepEqual([r.room.status.kind, r.room.status.code], ["stopped", 4002]);
});

test("a token that is refused for the room stops; a server in trouble does not", async () => {
  const gone = room({ token: () => Promise.reject({ status: 404 }) });
  gone.room.start();
  await gone.clock.pass(60_000);
  assert.deepEqual(gone.seen.statuses, ["stopped"]);
  let tries = 0;
  const busy = room({
    token: () => (++tries < 3 ? Promise.reject({ status: 503, retryAfterMs: 2000 }) : Promise.resolve("t")),
  });
  busy.room.start();
  await busy.clock.pass(3_900);
  assert.equal(busy.sockets.length, 0);
  await busy.clock.pass(200);
  assert.equal(busy.sockets.length, 1);
});

test("a restart comes back after the jitter that was given", async () => {
  const r = await open();
  r.last().says({ type: "server_restarting", retry_after_ms: 3_000 });
  r.last().closes(1012);
  await r.clock.pass(2_900);
  assert.equal(r.sockets.length, 1);
  await r.clock.pass(200);
  assert.equal(r.sockets.length, 2);
});

test("a minute without a word is a dead connection; any frame is life", async () => {
  const r = await open();
  await r.clock.pass(SILENCE_MS - 1000);
  r.last().says({ type: "ping", timestamp: 1 });
  const heard = r.clock.time;
  await r.clock.pass(SILENCE_MS - 1000);
  assert.equal(r.sockets.length, 1);
  await r.clock.pass(2000);
  assert.equal(r.sockets.length, 2);
  assert.deepEqual([r.room.status.kind, r.room.status.since], ["lost", heard]);
});

test("after sleep it asks at once, and believes an answer within 3 s", async () => {
  const r = await open();
  r.room.check();
  assert.deepEqual(r.last().sent, [{ type: "ping" }]);
  await r.clock.pass(PROBE_MS - 500);
  r.last().says({ type: "pong", timestamp: 1 });
  await r.clock.pass(10_000);
  assert.equal(r.sockets.length, 1);
  r.room.check();
  await r.clock.pass(PROBE_MS + 600);
  assert.equal(r.sockets.length, 2);
});

test("in doubt it is not current until the server has answered", async () => {
  const r = await open();
  r.room.check(true);
  assert.deepEqual(r.seen.statuses, ["live", "lost"]);
  r.last().onmessage({ data: "no JSON" });
  r.last().says(event(11));
  assert.deepEqual(r.seen.statuses, ["live", "lost"]);
  r.last().says({ type: "pong", timestamp: 1 });
  assert.deepEqual(r.seen.statuses, ["live", "lost", "live"]);
});

test("a check while waiting connects at once", async () => {
  const r = await open();
  r.last().closes(1006);
  r.room.check();
  await settle();
  assert.equal(r.sockets.length, 2);
});

test("a handshake that hangs is given up", async () => {
  const r = room();
  r.room.start();
  await settle();
  await r.clock.pass(HANDSHAKE_MS + 1000);
  assert.equal(r.sockets.length, 2);
});

test("what an old connection still says is not heard", async () => {
  const r = await open();
  const heard = r.last().onmessage;
  r.last().closes(1006);
  await r.clock.pass(600);
  heard({ data: JSON.stringify(event(11)) });
  assert.deepEqual(r.seen.events, []);
});

test("texts that are no frames are passed over", async () => {
  const r = await open();
  for (const data of ["{", "null", "[1]", "5", '{"type": "something_new"}']) r.last().onmessage({ data });
  r.last().says(event(11));
  assert.deepEqual(r.seen.events, [11]);
});

test("an action resolves with its ack", async () => {
  const r = await open();
  const done = r.room.act("start_match", { match_id: 5 }, "a1");
  assert.deepEqual(r.last().sent, [{ type: "start_match", id: "a1", data: { match_id: 5 } }]);
  r.last().says({ type: "ack", id: "a1", seq: 11, data: { match_id: 5 } });
  assert.equal((await done).seq, 11);
});

test("an action that is refused rejects with the code and how things stand", async () => {
  const r = await open();
  const done = r.room.act("start_match", { match_id: 5 }, "a1");
  r.last().says({ type: "error", id: "a1", code: "conflict", message: "It is over.", data: { state: "completed" } });
  await assert.rejects(done, { code: "conflict", message: "It is over.", data: { state: "completed" } });
});

test("an action is sent again with its id after a loss, until it is answered", async () => {
  const r = await open();
  const done = r.room.act("check_in");
  const [sent] = r.last().sent;
  r.last().closes(1006);
  await r.clock.pass(600);
  assert.deepEqual(r.last().sent, []);
  r.last().says(welcome());
  assert.deepEqual(r.last().sent, [sent]);
  r.last().says({ type: "ack", id: sent.id, seq: 11, data: {} });
  assert.equal((await done).id, sent.id);
});

test("an action that was dropped for the rate is sent again", async () => {
  const r = await open();
  void r.room.act("check_in", {}, "a1");
  r.last().says({ type: "error", code: "rate_limited", message: "", retry_after_ms: 700 });
  await r.clock.pass(699);
  assert.equal(r.last().sent.length, 1);
  await r.clock.pass(1);
  assert.deepEqual(r.last().sent[1], { type: "check_in", id: "a1" });
});

test("the end of the room rejects what was not answered, and later actions", async () => {
  const r = await open();
  const done = r.room.act("check_in");
  r.last().closes(4003);
  await assert.rejects(done, { code: "stopped" });
  await assert.rejects(r.room.act("check_in"), { code: "stopped" });
});

test("stop while a token is on its way, or while waiting, connects no more", async () => {
  let give;
  const early = room({ token: () => new Promise((resolve) => (give = resolve)) });
  early.room.start();
  early.room.stop();
  give("late");
  await early.clock.pass(100_000);
  assert.equal(early.sockets.length, 0);
  const waiting = await open();
  waiting.last().closes(1006);
  waiting.room.stop();
  await waiting.clock.pass(100_000);
  assert.equal(waiting.sockets.length, 1);
});

test("stop is told, leaves no timer behind, and can be followed by a start", async () => {
  const r = await open();
  r.room.stop();
  assert.equal(r.clock.timers.size, 0);
  await r.clock.pass(100_000);
  assert.equal(r.sockets.length, 1);
  r.room.start();
  await settle();
  r.last().says(welcome());
  assert.deepEqual(r.seen.statuses, ["live", "stopped", "lost", "live"]);
});
