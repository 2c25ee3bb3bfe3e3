// The rule of a room, with a socket and a clock that do what the test says.
import assert from "node:assert/strict";
import { test } from "node:test";

import { BACKOFF_MOST_MS, HANDSHAKE_MS, Live, PROBE_MS, RESYNC_MS, SILENCE_MS } from "../../../apps/web/static/web/js/live.js";

class Clock {
  time = 1_000_000;
  timers = new Map();
  next = 1;
  setTimeout = (run, ms) => {
    this.timers.set(this.next, { run, at: this.time + ms });
    return this.next++;
  };
  clearTimeout = (id) => this.timers.delete(id);
  now = () => this.time;
  async pass(ms) {
    await settle();
    const until = this.time + ms;
    for (;;) {
      const due = [...this.timers].filter(([, timer]) => timer.at <= until).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      this.timers.delete(due[0]);
      this.time = due[1].at;
      due[1].run();
      await settle();
    }
    this.time = until;
    await settle();
  }
}

const settle = async () => {
  for (let i = 0; i < 8; i++) await Promise.resolve();
};

function room({ position = { epoch: "e1", seq: 10 }, random = () => 1, token } = {}) {
  const clock = new Clock();
  const sockets = [];
  class Socket {
    constructor(url) {
      this.url = new URL(url);
      this.readyState = 1;
      this.sent = [];
      sockets.push(this);
    }
    send(text) {
      this.sent.push(JSON.parse(text));
    }
    close() {
      this.readyState = 3;
    }
    says(frame) {
      this.onmessage?.({ data: JSON.stringify(frame) });
    }
    closes(code) {
      this.readyState = 3;
      this.onclose?.({ code });
    }
  }
  const seen = { events: [], snapshots: [], statuses: [], viewers: [], tokens: 0 };
  const live = new Live({
    room: "tournament:7",
    position,
    token:
      token ??
      (async () => {
        seen.tokens += 1;
        return { token: `t${seen.tokens}` };
      }),
    address: (name, ticket, since) => `ws://host/ws/${name.replace(":", "/")}/?token=${ticket}&since=${since}`,
    on: {
      event: (frame) => seen.events.push(frame.seq),
      snapshot: (data, at) => seen.snapshots.push([data, at]),
      status: (status) => seen.statuses.push(status),
      presence: (viewers) => seen.viewers.push(viewers),
    },
    world: { WebSocket: Socket, setTimeout: clock.setTimeout, clearTimeout: clock.clearTimeout, now: clock.now, random },
  });
  const welcome = (socket, more = {}) =>
    socket.says({ type: "connection_established", data: { epoch: "e1", seq: 10, resumed: true, ...more } });
  return { live, clock, sockets, seen, welcome, last: () => sockets.at(-1) };
}

async function open(options) {
  const r = room(options);
  r.live.start();
  await settle();
  r.welcome(r.last());
  return r;
}

const event = (seq, prev = seq - 1) => ({ type: "score_updated", seq, prev, at: "", data: { seq } });
const kinds = (seen) => seen.statuses.map((status) => status.kind);

test("connects with a token and says where it stands", async () => {
  const r = await open();
  assert.equal(r.last().url.pathname, "/ws/tournament/7/");
  assert.equal(r.last().url.searchParams.get("token"), "t1");
  assert.equal(r.last().url.searchParams.get("since"), "e1:10");
  assert.equal(r.live.status.kind, "live");
});

test("without a position it asks for nothing and waits for the snapshot before it counts as current", async () => {
  const r = room({ position: null });
  r.live.start();
  await settle();
  assert.equal(r.last().url.searchParams.get("since"), "");
  r.welcome(r.last(), { resumed: false, seq: 42 });
  assert.deepEqual(kinds(r.seen), []);
  r.last().says({ type: "snapshot", epoch: "e1", seq: 42, data: { a: 1 } });
  assert.deepEqual(r.seen.snapshots, [[{ a: 1 }, { epoch: "e1", seq: 42 }]]);
  assert.equal(r.live.status.kind, "live");
});

test("applies what follows, ignores what it has, and takes a coalesced jump", async () => {
  const r = await open();
  r.last().says(event(11));
  r.last().says(event(11));
  r.last().says(event(9));
  r.last().says(event(15, 11)); // 12 to 14 were coalesced or for others
  r.last().says(event(16, 12)); // prev lies behind: still no hole
  assert.deepEqual(r.seen.events, [11, 15, 16]);
  assert.equal(r.live.position.seq, 16);
  assert.deepEqual(r.last().sent, []);
});

test("a hole asks for a snapshot once, and nothing is applied until it is there", async () => {
  const r = await open();
  r.last().says(event(13, 12));
  r.last().says(event(14));
  r.last().says(event(15));
  assert.deepEqual(r.last().sent, [{ type: "resync" }]);
  assert.deepEqual(r.seen.events, []);
  assert.equal(r.live.status.kind, "lost");
  r.last().says({ type: "snapshot", epoch: "e1", seq: 15, data: {} });
  r.last().says(event(15));
  r.last().says(event(16));
  assert.deepEqual(r.seen.events, [16]);
  assert.equal(r.live.status.kind, "live");
});

test("a snapshot that does not come is a broken connection", async () => {
  const r = await open();
  r.last().says(event(13, 12));
  await r.clock.pass(RESYNC_MS + 600);
  assert.equal(r.sockets.length, 2);
});

test("another epoch replaces everything, although its numbers are lower", async () => {
  const r = await open();
  r.last().closes(1006);
  await r.clock.pass(600);
  r.welcome(r.last(), { epoch: "e2", seq: 3, resumed: false });
  r.last().says({ type: "snapshot", epoch: "e2", seq: 3, data: { fresh: true } });
  assert.deepEqual(r.live.position, { epoch: "e2", seq: 3 });
  r.last().says(event(4));
  assert.deepEqual(r.seen.events, [4]);
});

test("comes back from where it was, with a token of its own for every connection", async () => {
  const r = await open();
  r.last().says(event(11));
  r.last().closes(1006);
  assert.equal(r.live.status.kind, "lost");
  await r.clock.pass(600);
  assert.equal(r.last().url.searchParams.get("since"), "e1:11");
  assert.equal(r.last().url.searchParams.get("token"), "t2");
});

test("waits longer each time, spread over the whole span, up to 20 s", async () => {
  const r = room({ random: () => 1 });
  r.live.start();
  await settle();
  const waits = [];
  for (let i = 0; i < 8; i++) {
    const at = r.clock.time;
    const count = r.sockets.length;
    r.last().closes(1006);
    while (r.sockets.length === count) await r.clock.pass(100);
    waits.push(r.clock.time - at);
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 16000, 20000, 20000]);
  assert.equal(Math.max(...waits), BACKOFF_MOST_MS);
});

test("the wait is random from nothing up", async () => {
  const r = room({ random: () => 0 });
  r.live.start();
  await settle();
  r.last().closes(1006);
  await r.clock.pass(1);
  assert.equal(r.sockets.length, 2);
});

test("after a steady connection the next loss waits shortly again", async () => {
  const r = await open();
  for (let i = 0; i < 4; i++) {
    r.last().closes(1006);
    await r.clock.pass(20_000);
  }
  r.welcome(r.last());
  for (let i = 0; i < 3; i++) {
    await r.clock.pass(5_000);
    r.last().says({ type: "ping", timestamp: 1 });
  }
  const before = r.sockets.length;
  r.last().closes(1006);
  await r.clock.pass(500);
  assert.equal(r.sockets.length, before + 1);
});

for (const code of [4000, 4001, 4003, 4009, 4404, 1009]) {
  test(`${code} stops for good`, async () => {
    const r = await open();
    r.last().closes(code);
    await r.clock.pass(600_000);
    assert.equal(r.sockets.length, 1);
    assert.equal(r.live.status.kind, "stopped");
    assert.equal(r.live.status.code, code);
    r.live.check();
    await settle();
    assert.equal(r.sockets.length, 1);
  });
}

for (const code of [4004, 4013, 4500, 1006, 1001, 1011]) {
  test(`${code} comes back`, async () => {
    const r = await open();
    r.last().closes(code);
    await r.clock.pass(600);
    assert.equal(r.sockets.length, 2);
  });
}

test("4002 takes a new token and comes back at once, but not in a loop", async () => {
  const r = await open();
  r.last().closes(4002);
  await r.clock.pass(1);
  assert.equal(r.last().url.searchParams.get("token"), "t2");
  r.last().closes(4002);
  await r.clock.pass(1);
  assert.equal(r.sockets.length, 2);
  await r.clock.pass(1000);
  assert.equal(r.sockets.length, 3);
});

for (const code of [4008, 4010]) {
  test(`${code} waits as long as it was told`, async () => {
    const r = await open();
    r.last().says({ type: "error", code: "room_full", message: "", retry_after_ms: 30_000, close_code: code });
    r.last().closes(code);
    await r.clock.pass(29_000);
    assert.equal(r.sockets.length, 1);
    await r.clock.pass(1_100);
    assert.equal(r.sockets.length, 2);
  });
}

test("a token that is about to end is renewed on the open connection", async () => {
  const { clock, sockets, live, seen, welcome } = room();
  live.start();
  await clock.pass(0);
  welcome(sockets[0]);
  sockets[0].says({ type: "token_expiring", in_ms: 60_000 });
  await clock.pass(0);
  assert.equal(seen.tokens, 2);
  assert.deepEqual(sockets[0].sent, [{ type: "authenticate", data: { token: "t2" } }]);
  assert.equal(sockets.length, 1);
  assert.equal(live.status.kind, "live");
});

test("a renewal that fails leaves the connection to its end", async () => {
  let asked = 0;
  const token = async () => {
    asked += 1;
    if (asked === 2) throw { status: 503 };
    return { token: `t${asked}` };
  };
  const { clock, sockets, live, welcome } = room({ token });
  live.start();
  await clock.pass(0);
  welcome(sockets[0]);
  sockets[0].says({ type: "token_expiring", in_ms: 60_000 });
  await clock.pass(0);
  assert.deepEqual(sockets[0].sent, []);
  sockets[0].closes(4002);
  await clock.pass(1000);
  assert.equal(sockets[1].url.searchParams.get("token"), "t3");
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

test("answers pings, passes on how many watch", async () => {
  const r = await open();
  r.last().says({ type: "ping", timestamp: 5 });
  assert.deepEqual(r.last().sent, [{ type: "pong" }]);
  r.last().says({ type: "presence", viewers: 1240 });
  assert.deepEqual(r.seen.viewers, [1240]);
});

test("a minute without a word is a dead connection; any frame is life", async () => {
  const r = await open();
  await r.clock.pass(SILENCE_MS - 1000);
  r.last().says({ type: "ping", timestamp: 1 });
  await r.clock.pass(SILENCE_MS - 1000);
  assert.equal(r.sockets.length, 1);
  await r.clock.pass(2000);
  assert.equal(r.sockets.length, 2);
  assert.equal(r.live.status.kind, "lost");
  assert.equal(r.live.status.since, r.seen.statuses.at(-1).since);
});

test("after sleep it asks at once, and believes an answer within 3 s", async () => {
  const r = await open();
  r.live.check();
  assert.deepEqual(r.last().sent, [{ type: "ping" }]);
  await r.clock.pass(PROBE_MS - 500);
  r.last().says({ type: "pong", timestamp: 1 });
  await r.clock.pass(10_000);
  assert.equal(r.sockets.length, 1);
  r.live.check();
  await r.clock.pass(PROBE_MS + 100);
  assert.equal(r.sockets.length, 2);
});

test("with a doubt it does not count as current until the answer", async () => {
  const r = await open();
  r.live.check(true);
  assert.equal(r.live.status.kind, "lost");
  r.last().says({ type: "pong", timestamp: 1 });
  assert.equal(r.live.status.kind, "live");
});

test("a check while waiting connects at once", async () => {
  const r = await open();
  r.last().closes(1006);
  r.live.check();
  await settle();
  assert.equal(r.sockets.length, 2);
});

test("a handshake that hangs is given up", async () => {
  const r = room();
  r.live.start();
  await settle();
  await r.clock.pass(HANDSHAKE_MS + 1000);
  assert.equal(r.sockets.length, 2);
});

test("a token that is refused for the room stops; a server in trouble does not", async () => {
  const gone = room({ token: () => Promise.reject({ status: 404 }) });
  gone.live.start();
  await gone.clock.pass(60_000);
  assert.deepEqual(kinds(gone.seen), ["stopped"]);
  let tries = 0;
  const busy = room({
    token: () => (++tries < 3 ? Promise.reject({ status: 503 }) : Promise.resolve({ token: "t" })),
  });
  busy.live.start();
  await busy.clock.pass(5_000);
  assert.equal(busy.sockets.length, 1);
});

test("what an old connection still says is not heard", async () => {
  const r = await open();
  const old = r.last();
  const heard = old.onmessage;
  old.closes(1006);
  await r.clock.pass(600);
  heard({ data: JSON.stringify(event(11)) });
  assert.deepEqual(r.seen.events, []);
});

test("frames that make no sense are passed over", async () => {
  const r = await open();
  r.last().onmessage({ data: "{" });
  r.last().onmessage({ data: "null" });
  r.last().onmessage({ data: "[1]" });
  r.last().says({ type: "something_new" });
  r.last().says(event(11));
  assert.deepEqual(r.seen.events, [11]);
});

test("stop leaves no timer behind", async () => {
  const r = await open();
  r.live.stop();
  assert.equal(r.clock.timers.size, 0);
  await r.clock.pass(100_000);
  assert.equal(r.sockets.length, 1);
});
