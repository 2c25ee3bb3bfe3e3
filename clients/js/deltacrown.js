// @ts-check
/**
 * Watch and act in a DeltaCrown tournament, live and without a gap. One file, no dependency, no DOM: the site's pages
 * use it as it is, and so can a bot. clients/README.md has the rules, docs/protocol.md the wire.
 *
 *     const room = new Room("https://cup.example.org", "match:5", { on: { event: (frame) => console.log(room.state) } });
 *     room.start();
 *     await room.act("report_score", { home_score: 2, away_score: 1 });
 */

// The state -----------------------------------------------------------------------------------------------------------

/** @typedef {Record<string, any>} Row */
/** @typedef {Record<string, Row>} Rows  rows by id */
/**
 * @typedef {object} State
 * @property {Row} tournament
 * @property {Rows} stages
 * @property {Rows} entries
 * @property {Rows} stage_entries
 * @property {Rows} matches
 * @property {Rows} stations
 * @property {Rows} staff
 */
/** @typedef {"stages" | "entries" | "stage_entries" | "matches" | "stations" | "staff"} Collection */

/** @type {Collection[]} */
export const COLLECTIONS = ["stages", "entries", "stage_entries", "matches", "stations", "staff"];

/** @type {Record<string, Collection>} */
const SINGULAR = {
  stage: "stages",
  entry: "entries",
  stage_entry: "stage_entries",
  match: "matches",
  station: "stations",
  member: "staff",
};

/** The state before the first event. @returns {State} */
export function empty() {
  return { tournament: {}, stages: {}, entries: {}, stage_entries: {}, matches: {}, stations: {}, staff: {} };
}

/**
 * Change `state` in place by one event's data, and return it. Values are absolute: twice changes nothing.
 * @param {State} state
 * @param {Record<string, any>} data
 * @returns {State}
 */
export function apply(state, data) {
  for (const [name, gone] of Object.entries(data.removed ?? {})) {
    for (const id of gone) delete state[/** @type {"matches"} */ (name)][String(id)];
  }
  Object.assign(state.tournament, data.tournament ?? {});
  for (const [key, name] of Object.entries(SINGULAR)) {
    if (key in data) merge(state[name], data[key]);
  }
  for (const name of COLLECTIONS) {
    for (const row of data[name] ?? []) merge(state[name], row);
  }
  return state;
}

/**
 * The state after all `events` (their data), from nothing or from a snapshot.
 * @param {Iterable<Record<string, any>>} events
 * @param {State} [state]
 * @returns {State}
 */
export function fold(events, state = empty()) {
  for (const data of events) apply(state, data);
  return state;
}

/**
 * @param {Rows} rows
 * @param {Row} row
 */
function merge(rows, row) {
  const id = String(row.id);
  rows[id] = Object.assign(rows[id] ?? {}, row);
}

// The rules -----------------------------------------------------------------------------------------------------------

/** @typedef {Record<string, any>} Frame */
/** A place in the tournament's log. @typedef {{epoch: string, seq: number}} Position */
/**
 * How far the state can be trusted. `since` (ms): live, the moment from which on it is current; else the last moment at
 * which it was known to be. `code`: with which the last connection ended; null while there is one.
 * @typedef {{kind: "live" | "lost" | "stopped", since: number, code: number | null}} Status
 */
/**
 * What a frame asks for. `changed`: it is an event that was applied, or a snapshot. `renew`: a new token is wanted.
 * `settled`: the id of the action to which it is the answer.
 * @typedef {{send: Frame[], changed: boolean, renew: boolean, settled: string}} Reaction
 */

export const BACKOFF_FIRST_MS = 500;
export const BACKOFF_MOST_MS = 20_000;
export const HANDSHAKE_MS = 10_000; // from the wish to connect to the welcome
export const SNAPSHOT_MS = 5_000;
export const SILENCE_MS = 60_000; // the server says something every 25 s
export const PROBE_MS = 3_000;
export const STEADY_MS = 10_000; // open for this long, the next loss starts from the shortest wait again
const UNTOLD_MS = [500, 5_500]; // the wait for a server that did not say how long

const ABNORMAL = 1006;
const TOKEN_EXPIRED = 4002;
const STOP = new Set([1002, 1007, 1008, 1009, 4000, 4001, 4003, 4009, 4404]);
const WAIT_AS_TOLD = new Set([1012, 4008, 4010]);
/** @type {Record<number, number>} */
const STOP_FOR_STATUS = { 401: 4001, 403: 4003, 404: 4404 };

/** @type {Reaction} */
const NOTHING = Object.freeze({ send: [], changed: false, renew: false, settled: "" });

/**
 * The rules, without input or output. For each connection call `connecting`, then `receive` with every frame, then
 * `ended` or `refused`, which say how long to wait for the next one. When `deadline` has come, call `tick`.
 *
 * For a frame with `seq` and `prev`, where `mine` is the seq reached so far:
 * `seq <= mine`: ignore. `prev <= mine < seq`: apply. `prev > mine`: a hole; ask for a snapshot, and wait for it.
 *
 * clients/python has the same rules; both pass clients/vectors. Times are milliseconds of the caller's clock.
 */
export class Follower {
  #awaitsSnapshot = false;
  #attempt = 0;
  #openedAt;
  #currentAt;
  #renewable;
  #until = 0; // what was missed ends there
  #inDoubt = false;
  #random;
  /** The code that an error frame announced. @type {number | null} */
  #farewell = null;
  /** @type {number | null} */
  #told = null;
  /** @type {Map<string, number>} */
  #deadlines = new Map();

  /** @param {{position?: Position | null, state?: State, now?: number, renewable?: boolean, random?: () => number}} options */
  constructor({ position = null, state = empty(), now = 0, renewable = true, random = Math.random } = {}) {
    this.position = position;
    this.state = state;
    /** @type {Status} */
    this.status = { kind: "lost", since: now, code: null };
    /** Who you are here. @type {Frame} */
    this.welcome = {};
    /** @type {Frame} */
    this.presence = {};
    /** Actions without an answer, by id. @type {Map<string, Frame>} */
    this.pending = new Map();
    this.isOpen = false;
    this.#openedAt = this.#currentAt = now;
    this.#renewable = renewable;
    this.#random = random;
  }

  /** The next moment at which to call `tick`. @returns {number | null} */
  get deadline() {
    return this.#deadlines.size ? Math.min(...this.#deadlines.values()) : null;
  }

  /**
   * Begin a connection. Returns the value of `since`, "" to begin with a snapshot.
   * @param {number} now
   */
  connecting(now) {
    if (this.status.kind === "stopped") this.status = { ...this.status, kind: "lost" };
    this.#farewell = this.#told = null;
    this.#until = 0;
    this.#inDoubt = false;
    this.#deadlines = new Map([["handshake", now + HANDSHAKE_MS]]);
    return this.position && !this.#awaitsSnapshot ? `${this.position.epoch}:${this.position.seq}` : "";
  }

  /**
   * Take a frame of the server; {} for what is none, which is a sign of life, too.
   * @param {Frame} frame
   * @param {number} now
   */
  receive(frame, now) {
    if (frame.type === "pong") this.#inDoubt = false;
    if (!this.#inDoubt) this.#deadlines.delete("probe");
    this.#deadlines.set("silence", now + SILENCE_MS);
    const reaction = this.#read(frame, now);
    this.#judge(now);
    return reaction;
  }

  /**
   * Remember an action until it is answered. Returns what to send now.
   * @param {string} action
   * @param {Record<string, any>} data
   * @param {string} id
   * @returns {Frame[]}
   */
  act(action, data, id) {
    const frame = { type: action, id, ...(Object.keys(data).length && { data }) };
    this.pending.set(id, frame);
    return this.isOpen ? [frame] : [];
  }

  /** Do not send an action again. @param {string} id */
  forget(id) {
    this.pending.delete(id);
  }

  /**
   * What to send with a new token.
   * @param {string} token
   * @returns {Frame[]}
   */
  renewed(token) {
    return this.isOpen ? [{ type: "authenticate", data: { token } }] : [];
  }

  /**
   * Find out now whether the connection lives, for example after sleep. Returns what to send.
   * With `doubt` the state does not count as current until the server has answered: all that was on its way is here then.
   * @param {number} now
   * @returns {Frame[]}
   */
  probe(now, doubt = false) {
    if (doubt) this.#lost();
    if (!this.isOpen) return [];
    this.#inDoubt ||= doubt;
    this.#deadlines.set("probe", now + PROBE_MS);
    return [{ type: "ping" }];
  }

  /**
   * What to send because time has passed; null: the connection is broken, give it up as 1006.
   * @param {number} now
   * @returns {Frame[] | null}
   */
  tick(now) {
    const due = [...this.#deadlines].filter(([, at]) => at <= now).map(([name]) => name);
    if (due.some((name) => name !== "again")) return null;
    if (!due.length) return [];
    this.#deadlines.delete("again");
    return [...(this.#awaitsSnapshot ? [{ type: "resync" }] : []), ...this.pending.values()];
  }

  /**
   * Take the end of a connection. Returns the ms until the next one, null: there is none.
   * @param {number} code
   * @param {number} now
   * @returns {number | null}
   */
  ended(code, now) {
    if (code === ABNORMAL) code = this.#farewell ?? code;
    if (this.isOpen && now - this.#openedAt >= STEADY_MS) this.#attempt = 0;
    this.isOpen = false;
    this.#deadlines.clear();
    if (STOP.has(code) || (code === TOKEN_EXPIRED && !this.#renewable)) {
      this.status = { kind: "stopped", since: this.#currentAt, code };
      return null;
    }
    this.#lost(code);
    const wait = this.#wait(code);
    this.#attempt = Math.min(this.#attempt + 1, 10);
    return wait;
  }

  /**
   * Take an answer in HTTP instead of a token or a connection. Returns what `ended` does.
   * @param {number | undefined} httpStatus
   * @param {number} now
   * @param {number | null} retryAfterMs
   */
  refused(httpStatus, now, retryAfterMs = null) {
    this.#told = retryAfterMs;
    return this.ended(STOP_FOR_STATUS[httpStatus ?? 0] ?? ABNORMAL, now);
  }

  /** Follow the room no more, unless `connecting` begins anew. */
  leave() {
    this.isOpen = false;
    this.pending.clear();
    this.#deadlines.clear();
    if (this.status.kind !== "stopped") this.status = { kind: "stopped", since: this.#currentAt, code: null };
  }

  /** @param {number} code */
  #wait(code) {
    if (this.#told !== null) return this.#told;
    const [least, most] = UNTOLD_MS;
    if (WAIT_AS_TOLD.has(code)) return least + this.#random() * (most - least);
    if (code === TOKEN_EXPIRED && this.#attempt === 0) return 0;
    return this.#random() * Math.min(BACKOFF_MOST_MS, BACKOFF_FIRST_MS * 2 ** this.#attempt);
  }

  /**
   * @param {Frame} frame
   * @param {number} now
   * @returns {Reaction}
   */
  #read(frame, now) {
    switch (frame.type) {
      case "connection_established":
        return this.#welcomed(frame.data ?? {}, now);
      case "snapshot":
        this.position = { epoch: frame.epoch, seq: frame.seq };
        this.state = { ...empty(), ...frame.data };
        this.#awaitsSnapshot = false;
        this.#deadlines.delete("snapshot");
        return { ...NOTHING, changed: true };
      case "ping":
        return { ...NOTHING, send: [{ type: "pong" }] };
      case "token_expiring":
        return { ...NOTHING, renew: this.#renewable };
      case "ack":
        return this.#answered(frame);
      case "error":
        return this.#warned(frame, now);
      case "presence": {
        const { type, ...presence } = frame;
        this.presence = presence;
        return NOTHING;
      }
      case "server_restarting":
        this.#told = frame.retry_after_ms ?? null;
        return NOTHING;
      default:
        return typeof frame.seq === "number" && typeof frame.prev === "number" ? this.#event(frame, now) : NOTHING;
    }
  }

  /**
   * A second welcome on a connection says that you see other things now; a snapshot follows.
   * @param {Frame} welcome
   * @param {number} now
   */
  #welcomed(welcome, now) {
    const again = this.isOpen;
    this.isOpen = true;
    this.#deadlines.delete("handshake");
    this.welcome = welcome;
    if (!welcome.resumed || welcome.epoch !== this.position?.epoch) this.#awaitSnapshot(now);
    else this.#until = welcome.until ?? 0;
    if (again) return NOTHING;
    this.#openedAt = now;
    return { ...NOTHING, send: [...this.pending.values()] };
  }

  /**
   * @param {Frame} frame
   * @param {number} now
   */
  #event({ seq, prev, data }, now) {
    // The snapshot that is on its way holds the event, or the event comes after it once more.
    if (!this.position || this.#awaitsSnapshot || seq <= this.position.seq) return NOTHING;
    if (prev > this.position.seq) {
      this.#awaitSnapshot(now);
      return { ...NOTHING, send: [{ type: "resync" }] };
    }
    this.position = { epoch: this.position.epoch, seq };
    apply(this.state, data);
    return { ...NOTHING, changed: true };
  }

  /**
   * @param {Frame} error
   * @param {number} now
   */
  #warned(error, now) {
    const wait = error.retry_after_ms ?? null;
    if (error.close_code !== undefined) {
      this.#farewell = error.close_code;
      this.#told = wait;
    } else if (wait !== null) {
      this.#deadlines.set("again", now + wait); // a message was dropped, and which one it was need not be said
      return NOTHING;
    }
    return this.#answered(error);
  }

  /** @param {Frame} frame */
  #answered(frame) {
    return this.pending.delete(frame.id) ? { ...NOTHING, settled: frame.id } : NOTHING;
  }

  /** @param {number} now */
  #awaitSnapshot(now) {
    this.#awaitsSnapshot = true;
    this.#deadlines.set("snapshot", now + SNAPSHOT_MS);
  }

  /** @param {number} now */
  #judge(now) {
    if (!this.isOpen || this.#awaitsSnapshot || this.#inDoubt || (this.position?.seq ?? 0) < this.#until) {
      this.#lost();
      return;
    }
    this.#currentAt = now;
    if (this.status.kind !== "live") this.status = { kind: "live", since: now, code: null };
  }

  /** @param {number | null} code */
  #lost(code = null) {
    if (this.status.kind !== "live" && (code === null || code === this.status.code)) return;
    this.status = { kind: "lost", since: this.#currentAt, code };
  }
}

// The connection ------------------------------------------------------------------------------------------------------

/** Why an action was not done: `code` is one of the protocol's, or "stopped", or "read_only". */
export class ActionError extends Error {
  /** @param {Frame} frame */
  constructor(frame) {
    super(frame.message);
    this.code = /** @type {string} */ (frame.code);
    /** After a conflict: how things stand. */
    this.data = frame.data ?? {};
  }
}

const READ_ONLY = new ActionError({
  code: "read_only",
  message: "WebSockets do not get through here, so the room can only be watched. Act over the HTTP API.",
});

/**
 * @typedef {object} Listeners
 * @property {(status: Status) => void} [status]
 * @property {(frame: Frame) => void} [event] it has been applied to `state`
 * @property {(frame: Frame, before: State) => void} [snapshot] it has replaced `state`
 * @property {(presence: {viewers: number, home?: boolean, away?: boolean}) => void} [presence]
 * @property {(frame: Frame) => void} [frame] every frame, after what stands above
 */
/**
 * What a browser has, and what is injected elsewhere.
 * @typedef {object} World
 * @property {new (url: string, protocols: string[]) => any} WebSocket
 * @property {typeof globalThis.fetch} fetch
 * @property {(run: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {() => number} now
 * @property {() => number} random
 */
/**
 * @typedef {object} Options
 * @property {string | (() => Promise<string>)} [token] a function that gets a token, called for each connection and to
 *   renew one, rejects with {status, retryAfterMs?}; or an access token of the API, with which the room stops when it
 *   ends. Left out: `roomToken`, which makes you who you are on the page, or a guest.
 * @property {Position | null} [position] with `state`: go on from there instead of from a snapshot
 * @property {State} [state]
 * @property {Listeners} [on]
 * @property {Partial<World>} [world]
 */

const BLOCKED_AFTER = 2; // WebSockets in a row that ended before the welcome
export const RETRY_WEBSOCKET_MS = 900_000; // an attempt that hangs costs ten seconds of being current

/** A room, "tournament:7" or "match:5", kept open: a Follower with a socket and a clock. */
export class Room {
  #follower;
  /** @type {World} */
  #world;
  #token;
  /** @type {Listeners} */
  #on;
  #running = false;
  #run = 0; // counts connections; what an earlier one still says is recognised by it
  /** @type {any} */
  #socket = null;
  /** @type {any} */
  #timer;
  #timerAt = Infinity;
  /** @type {any} */
  #retry;
  /** @type {Map<string, {resolve: (ack: Frame) => void, reject: (error: Error) => void}>} */
  #answers = new Map();
  /** @type {Status} */
  #told;
  #unopened = 0;
  #triedAt = -Infinity;

  /**
   * @param {string} site "https://cup.example.org"
   * @param {string} name
   * @param {Options} options
   */
  constructor(site, name, { token, position, state, on = {}, world } = {}) {
    this.site = site;
    this.name = name;
    this.#world = {
      WebSocket: globalThis.WebSocket,
      fetch: (...request) => fetch(...request),
      setTimeout: (run, ms) => setTimeout(run, ms),
      clearTimeout: (timer) => clearTimeout(timer),
      now: () => Date.now(),
      random: () => Math.random(),
      ...world,
    };
    this.#token = token ?? (() => roomToken(site, name, null, this.#world.fetch));
    this.#on = on;
    const { now, random } = this.#world;
    this.#follower = new Follower({ position, state, now: now(), renewable: typeof token !== "string", random });
    this.#told = this.#follower.status;
  }

  get state() {
    return this.#follower.state;
  }

  get position() {
    return this.#follower.position;
  }

  get status() {
    return this.#follower.status;
  }

  /** Who you are here: the `data` of the last `connection_established`. */
  get welcome() {
    return this.#follower.welcome;
  }

  /** Whether the room can only be watched: WebSockets do not get through, and it comes as a stream. */
  get isReadOnly() {
    return this.#socket instanceof Stream;
  }

  /** Who is here: `viewers`, and in a match's room perhaps `home` and `away`. */
  get presence() {
    return this.#follower.presence;
  }

  start() {
    if (this.#running) return;
    this.#running = true;
    void this.#connect();
  }

  stop() {
    this.#running = false;
    this.#drop();
    this.#world.clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#rejectAll(new ActionError({ code: "stopped", message: "The room is over." }));
    this.#follower.leave();
    this.#tell();
  }

  /**
   * Find out now whether the connection still lives: after sleep, or when the network changed.
   * With `doubt` the state does not count as current until the server has answered: all that was on its way is here then.
   */
  check(doubt = false) {
    if (!this.#running) return;
    // A stream cannot be asked; left alone it says something every 25 s.
    if (doubt || !this.isReadOnly) this.#send(this.#follower.probe(this.#world.now(), doubt));
    this.#tell();
    if (this.#retry !== undefined) void this.#connect();
    else this.#arm();
  }

  /**
   * Do something in the tournament: resolves with the ack, rejects with an ActionError. It is sent again after a loss
   * until it is answered; its id keeps it from acting twice.
   * @param {string} action
   * @param {Record<string, any>} data
   * @returns {Promise<Frame>}
   */
  act(action, data = {}, id = newId()) {
    if (this.isReadOnly) return Promise.reject(READ_ONLY);
    if (!this.#running) return Promise.reject(new ActionError({ code: "stopped", message: "The room is not open." }));
    return new Promise((resolve, reject) => {
      this.#answers.set(id, { resolve, reject });
      this.#send(this.#follower.act(action, data, id));
    });
  }

  async #connect() {
    this.#drop();
    this.#world.clearTimeout(this.#retry);
    this.#retry = undefined;
    const run = this.#run;
    const since = this.#follower.connecting(this.#world.now());
    this.#tell();
    this.#arm();
    let token;
    try {
      token = await this.#newToken();
    } catch (error) {
      if (run === this.#run) this.#refused(/** @type {any} */ (error));
      return;
    }
    if (run === this.#run) this.#open(token, since);
  }

  /**
   * @param {string} token
   * @param {string} since
   */
  #open(token, since) {
    const run = this.#run;
    const path = this.name.replace(":", "/");
    const blocked = this.#unopened >= BLOCKED_AFTER && this.#world.now() - this.#triedAt < RETRY_WEBSOCKET_MS;
    const socket = (this.#socket = blocked
      ? new Stream(`${this.site}/sse/${path}/`, token, since, this.#world.fetch)
      : new this.#world.WebSocket(
          `${this.site.replace(/^http/, "ws")}/ws/${path}/${since && `?since=${since}`}`,
          ["deltacrown.v1", `bearer.${token}`],
        ));
    socket.onmessage = (/** @type {{data: any}} */ message) => run === this.#run && this.#heard(message.data);
    socket.onclose = (/** @type {{code: number}} */ end) => run === this.#run && this.#ended(end.code);
    if (socket instanceof Stream) socket.onrefused = (refusal) => run === this.#run && this.#refused(refusal);
  }

  /** @returns {Promise<string>} */
  async #newToken() {
    return typeof this.#token === "string" ? this.#token : this.#token();
  }

  /** Without a new token the server closes with 4002, and the next connection asks for one. */
  async #renew() {
    const run = this.#run;
    try {
      const token = await this.#newToken();
      if (run === this.#run) this.#send(this.#follower.renewed(token));
    } catch {
      // said above
    }
  }

  /** @param {any} text */
  #heard(text) {
    const run = this.#run;
    const before = this.#follower.state;
    const frame = read(text);
    const reaction = this.#follower.receive(frame, this.#world.now());
    if (frame.type === "connection_established") this.#opened();
    this.#send(reaction.send);
    if (reaction.renew && !(this.#socket instanceof Stream)) void this.#renew();
    if (reaction.settled) this.#settle(frame);
    if (reaction.changed && frame.type === "snapshot") this.#on.snapshot?.(frame, before);
    else if (reaction.changed) this.#on.event?.(frame);
    if (frame.type === "presence") this.#on.presence?.(/** @type {any} */ (this.presence));
    this.#on.frame?.(frame);
    if (run !== this.#run) return;
    this.#tell();
    this.#arm();
  }

  #opened() {
    if (this.#socket instanceof Stream) this.#rejectAll(READ_ONLY);
    else this.#unopened = 0;
  }

  /** @param {Frame} frame */
  #settle(frame) {
    const answer = this.#answers.get(frame.id);
    this.#answers.delete(frame.id);
    if (frame.type === "ack") answer?.resolve(frame);
    else answer?.reject(new ActionError(frame));
  }

  /** @param {ActionError} error */
  #rejectAll(error) {
    for (const [id, { reject }] of this.#answers) {
      this.#follower.forget(id);
      reject(error);
    }
    this.#answers.clear();
  }

  /** @param {Frame[]} frames */
  #send(frames) {
    if (this.#socket instanceof Stream) {
      // A new stream begins with a snapshot; nothing else can be said.
      if (frames.some((frame) => frame.type === "resync")) this.#ended(ABNORMAL);
    } else if (this.#socket?.readyState === 1) {
      for (const frame of frames) this.#socket.send(JSON.stringify(frame));
    }
  }

  /** @param {{status?: number, retryAfterMs?: number | null}} refusal */
  #refused(refusal) {
    this.#rest(this.#follower.refused(refusal.status, this.#world.now(), refusal.retryAfterMs ?? null));
  }

  /** @param {number} code */
  #ended(code) {
    const now = this.#world.now();
    if (this.#socket && !this.#follower.isOpen && code === ABNORMAL) {
      this.#unopened = this.#socket instanceof Stream ? 0 : this.#unopened + 1;
      this.#triedAt = now;
    }
    this.#rest(this.#follower.ended(code, now));
  }

  /** @param {number | null} wait until the next connection; null: there is none */
  #rest(wait) {
    this.#drop();
    if (wait === null) {
      this.stop();
      return;
    }
    this.#retry = this.#world.setTimeout(() => void this.#connect(), wait);
    this.#tell();
  }

  #drop() {
    this.#run += 1;
    this.#world.clearTimeout(this.#timer);
    this.#timerAt = Infinity;
    this.#socket?.close();
    this.#socket = null;
  }

  /** One timer, which is set anew only when the deadline comes nearer, not for every frame. */
  #arm() {
    const deadline = this.#follower.deadline ?? Infinity;
    if (deadline >= this.#timerAt || deadline === Infinity) return;
    this.#world.clearTimeout(this.#timer);
    this.#timerAt = deadline;
    this.#timer = this.#world.setTimeout(() => this.#due(), deadline - this.#world.now());
  }

  #due() {
    this.#timerAt = Infinity;
    const late = this.#follower.tick(this.#world.now());
    if (late === null) {
      this.#ended(ABNORMAL);
    } else {
      this.#send(late);
      this.#arm();
    }
  }

  #tell() {
    if (this.status === this.#told) return;
    this.#told = this.status;
    this.#on.status?.(this.status);
  }
}

/** The frame in a text, {} when there is none. @param {any} text @returns {Frame} */
function read(text) {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

/** A random id; `crypto.randomUUID` is missing from pages without TLS. */
function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Ask the site for a token, which is good for one connection to one room: as who is signed in on the page, or holds the
 * access token of the API, else as a guest.
 * @param {string} site
 * @param {string} room
 * @param {string | null} accessToken
 * @param {typeof globalThis.fetch} get
 * @returns {Promise<string>} rejects with {status, retryAfterMs?}
 */
export async function roomToken(site, room, accessToken = null, get = fetch) {
  const answer = await get(`${site}/api/v1/realtime/token`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      ...(accessToken && { Authorization: `Bearer ${accessToken}` }),
    },
    body: JSON.stringify({ room }),
  });
  if (!answer.ok) throw refusal(answer);
  return (await answer.json()).token;
}

/** @param {Response} answer */
function refusal(answer) {
  const seconds = Number(answer.headers.get("Retry-After"));
  return { status: answer.status, retryAfterMs: seconds > 0 ? seconds * 1000 : null };
}

/** A room as server-sent events, for networks that let no WebSocket through: looks like a socket that cannot send. */
class Stream {
  /** @type {((message: {data: string}) => void) | null} */
  onmessage = null;
  /** @type {((end: {code: number}) => void) | null} */
  onclose = null;
  /** @type {(refusal: {status: number, retryAfterMs: number | null}) => void} */
  onrefused = () => {};
  #abort = new AbortController();

  /**
   * @param {string} url
   * @param {string} token
   * @param {string} since
   * @param {typeof globalThis.fetch} get
   */
  constructor(url, token, since, get) {
    const headers = {
      Accept: "text/event-stream",
      Authorization: `Bearer ${token}`,
      ...(since && { "Last-Event-ID": since }),
    };
    this.#read(get(url, { headers, cache: "no-store", signal: this.#abort.signal })).catch(() =>
      this.onclose?.({ code: ABNORMAL }),
    );
  }

  close() {
    this.#abort.abort();
  }

  /** @param {Promise<Response>} asked */
  async #read(asked) {
    const answer = await asked;
    if (!answer.ok || !answer.body) {
      this.onrefused(refusal(answer));
      return;
    }
    const reader = answer.body.getReader();
    const decoder = new TextDecoder();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#line(line);
    }
    this.onclose?.({ code: ABNORMAL }); // unless an error frame has said why
  }

  /** A frame is one line; a comment is a sign of life. @param {string} line */
  #line(line) {
    if (line.startsWith("data:")) this.onmessage?.({ data: line.slice(5).trim() });
    else if (line.startsWith(":")) this.onmessage?.({ data: "" });
  }
}
