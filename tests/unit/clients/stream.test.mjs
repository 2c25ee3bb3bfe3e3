// The way round a network that lets no WebSocket through: server-sent events, which can only be read.
import assert from "node:assert/strict";
import { test } from "node:test";

import { RETRY_WEBSOCKET_MS } from "../../../clients/js/deltacrown.js";
import { event, open, room, settle, welcome } from "./world.mjs";

/** A room whose WebSockets are cut off, and its first stream. */
async function blocked(options) {
  const r = room(options);
  r.room.start();
  for (let i = 0; i < 2; i++) {
    await r.clock.pass(1000);
    r.last().closes(1006);
  }
  await r.clock.pass(1000);
  return { ...r, stream: () => r.streams.at(-1) };
}

async function watching(options) {
  const r = await blocked(options);
  r.stream().opens();
  await settle();
  await r.stream().says(welcome());
  return r;
}

test("after two WebSockets that ended before the welcome it reads a stream, with token and position in headers", async () => {
  const r = await blocked();
  assert.equal(r.sockets.length, 2);
  assert.equal(r.streams.length, 1);
  assert.equal(r.stream().path, "/sse/tournament/7/");
  assert.equal(r.stream().headers.Authorization, "Bearer t3");
  assert.equal(r.stream().headers["Last-Event-ID"], "e1:10");
});

test("one WebSocket that fails, or two that were refused with a code, are not blocked", async () => {
  const r = room();
  r.room.start();
  await settle();
  for (const code of [1006, 4500, 4013]) {
    r.last().closes(code);
    await r.clock.pass(5000);
  }
  assert.equal(r.sockets.length, 4);
  assert.equal(r.streams.length, 0);
});

test("a connection that was open is not blocked, however often it breaks", async () => {
  const r = await open();
  for (let i = 0; i < 4; i++) {
    r.last().closes(1006);
    await r.clock.pass(20_000);
    r.last().says(welcome());
  }
  assert.equal(r.streams.length, 0);
});

test("a stream's frames count as those of a WebSocket, wherever the bytes are cut", async () => {
  const r = await watching();
  assert.equal(r.room.status.kind, "live");
  const text = `id: e1:11\ndata: ${JSON.stringify(event(11))}\n\n: \n\ndata: ${JSON.stringify(event(12))}\r\n\r\n`;
  for (const letter of text) await r.stream().writes(letter);
  assert.deepEqual(r.seen.events, [11, 12]);
  assert.equal(r.room.position.seq, 12);
});

test("a stream without a position asks for none", async () => {
  const r = await blocked({ position: null });
  assert.equal("Last-Event-ID" in r.stream().headers, false);
});

test("comments are signs of life", async () => {
  const r = await watching();
  for (let i = 0; i < 4; i++) {
    await r.clock.pass(30_000);
    await r.stream().writes(": \n\n");
  }
  assert.equal(r.streams.length, 1);
  await r.clock.pass(62_000);
  assert.equal(r.streams.length, 2);
  assert.equal(r.streams[0].aborted, true);
});

test("a hole is answered by a new stream that begins with a snapshot", async () => {
  const r = await watching();
  await r.stream().says(event(13, 12));
  assert.equal(r.room.status.kind, "lost");
  await r.clock.pass(3000);
  assert.equal(r.streams.length, 2);
  assert.equal("Last-Event-ID" in r.stream().headers, false);
});

test("a stream that ends is opened again from where it was", async () => {
  const r = await watching();
  await r.stream().says(event(11));
  await r.stream().ends();
  await r.clock.pass(3000);
  assert.equal(r.streams.length, 2);
  assert.equal(r.stream().headers["Last-Event-ID"], "e1:11");
});

test("a restart is waited for as long as the server says", async () => {
  const r = await watching();
  await r.stream().says({ type: "server_restarting", retry_after_ms: 9000 });
  await r.stream().ends();
  await r.clock.pass(8900);
  assert.equal(r.streams.length, 1);
  await r.clock.pass(200);
  assert.equal(r.streams.length, 2);
});

test("an error frame with a close code, then the end, is that close", async () => {
  const r = await watching();
  await r.stream().says({ type: "error", code: "not_found", message: "", close_code: 4404 });
  await r.stream().ends();
  assert.deepEqual([r.room.status.kind, r.room.status.code], ["stopped", 4404]);
});

test("the end of the token is a new stream with a new one, at once", async () => {
  const r = await watching();
  await r.stream().says({ type: "token_expiring", in_ms: 60_000 });
  assert.equal(r.seen.tokens, 3);
  await r.clock.pass(20_000);
  await r.stream().says({ type: "error", code: "token_expired", message: "", close_code: 4002 });
  await r.stream().ends();
  await r.clock.pass(1);
  assert.equal(r.stream().headers.Authorization, "Bearer t4");
});

for (const [status, code] of [[401, 4001], [403, 4003], [404, 4404]]) {
  test(`HTTP ${status} instead of a stream stops`, async () => {
    const r = await blocked();
    r.stream().refuses(status);
    await settle();
    assert.deepEqual([r.room.status.kind, r.room.status.code], ["stopped", code]);
  });
}

for (const status of [429, 503]) {
  test(`HTTP ${status} instead of a stream waits as long as it says`, async () => {
    const r = await blocked();
    r.stream().refuses(status, { "Retry-After": "7" });
    await r.clock.pass(6_900);
    assert.equal(r.streams.length, 1);
    await r.clock.pass(200);
    assert.equal(r.streams.length, 2);
  });
}

test("a stream cannot act: what waited and what comes is told to use the HTTP API", async () => {
  const r = room();
  r.room.start();
  const waiting = r.room.act("check_in");
  for (let i = 0; i < 2; i++) {
    await r.clock.pass(1000);
    r.last().closes(1006);
  }
  await r.clock.pass(1000);
  r.streams[0].opens();
  await settle();
  const rejected = assert.rejects(waiting, { code: "read_only", message: /HTTP API/ });
  await r.streams[0].says(welcome());
  await rejected;
  await assert.rejects(r.room.act("check_in"), { code: "read_only" });
});

test("now and then it tries a WebSocket again, and goes back to the stream when that fails once", async () => {
  const r = await watching();
  for (let passed = 0; passed < RETRY_WEBSOCKET_MS; passed += 30_000) {
    await r.clock.pass(30_000);
    await r.stream().writes(": \n\n");
  }
  assert.equal(r.sockets.length, 2);
  await r.stream().ends();
  await r.clock.pass(1000);
  assert.equal(r.sockets.length, 3);
  r.last().closes(1006);
  await r.clock.pass(2000);
  assert.equal(r.sockets.length, 3);
  assert.equal(r.streams.length, 2);
});

test("a stream that does not open either is given up for WebSockets", async () => {
  const r = await blocked();
  r.stream().reject(new TypeError("network"));
  await r.clock.pass(5000);
  assert.equal(r.sockets.length, 3);
});

test("stop ends the stream", async () => {
  const r = await watching();
  r.room.stop();
  assert.equal(r.stream().aborted, true);
  assert.equal(r.clock.timers.size, 0);
});
