// A room in a world that does what the test says: its clock, its sockets, its streams, its tokens.
import { Room } from "../../../clients/js/deltacrown.js";

export const settle = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

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

/** An answer to `fetch`: headers at once, then what the test says. */
class Answer {
  constructor(url, { headers, signal }) {
    this.path = new URL(url).pathname;
    this.headers = headers;
    this.answered = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }));
    this.body = new ReadableStream({ start: (controller) => (this.controller = controller) });
    signal.addEventListener("abort", () => {
      this.aborted = true;
      this.reject(signal.reason);
    });
  }
  opens() {
    this.resolve(new Response(this.body, { headers: { "Content-Type": "text/event-stream" } }));
  }
  refuses(status, headers = {}) {
    this.resolve(new Response("", { status, headers }));
  }
  async writes(text) {
    this.controller.enqueue(new TextEncoder().encode(text));
    await new Promise((resolve) => setImmediate(resolve)); // streams hand on by tasks
  }
  says = (frame) => this.writes(`id: e1:1\ndata: ${JSON.stringify(frame)}\n\n`);
  async ends() {
    this.controller.close();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export function room({ position = { epoch: "e1", seq: 10 }, random = () => 1, token } = {}) {
  const clock = new Clock();
  const sockets = [];
  const streams = [];
  class Socket {
    constructor(url, protocols) {
      Object.assign(this, { url: new URL(url), protocols, readyState: 1, sent: [] });
      sockets.push(this);
    }
    get token() {
      return this.protocols[1].replace("bearer.", "");
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
  const seen = { events: [], snapshots: [], statuses: [], presence: [], frames: [], tokens: 0 };
  const fetch = (url, options) => {
    const answer = new Answer(url, options);
    streams.push(answer);
    return answer.answered;
  };
  const room = new Room("http://host", "tournament:7", {
    position,
    token: token ?? (async () => `t${++seen.tokens}`),
    on: {
      event: (frame) => seen.events.push(frame.seq),
      snapshot: (frame, before) => seen.snapshots.push([frame.data, before]),
      status: (status) => seen.statuses.push(status.kind),
      presence: (presence) => seen.presence.push(presence),
      frame: (frame) => seen.frames.push(frame.type),
    },
    world: { WebSocket: Socket, fetch, setTimeout: clock.setTimeout, clearTimeout: clock.clearTimeout, now: clock.now, random },
  });
  return { room, clock, sockets, streams, seen, last: () => sockets.at(-1) };
}

export const welcome = (more = {}) => ({
  type: "connection_established",
  data: { epoch: "e1", seq: 10, resumed: true, ...more },
});

export const event = (seq, prev = seq - 1) => ({
  type: "score_updated",
  seq,
  prev,
  at: "",
  data: { match: { id: 5, home_score: seq } },
});

export async function open(options) {
  const r = room(options);
  r.room.start();
  await settle();
  r.last().says(welcome());
  return r;
}
