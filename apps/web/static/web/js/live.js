// @ts-check
/**
 * One WebSocket room, kept open and without a gap. Knows the wire (docs/protocol.md), no DOM, and no tournament:
 * it hands on snapshots and events in order, and says at any moment whether what it handed on is current.
 *
 * The rule for a frame with `seq` and `prev`, where `mine` is the seq reached so far:
 * `seq <= mine`: ignore. `prev <= mine < seq`: apply. `prev > mine`: a hole; ask for a snapshot.
 *
 *     const live = new Live({ room: "match:5", position: { epoch, seq }, token, address, on: { event, snapshot, status } });
 *     live.start();
 */

/** @typedef {{epoch: string, seq: number}} Position */
/**
 * What a page may tell people. `since`: the last moment (ms) at which the state was known to be current.
 * @typedef {{kind: "live"} | {kind: "lost", since: number} | {kind: "stopped", since: number, code: number}} Status
 */
/**
 * @typedef {object} Listeners
 * @property {(status: Status) => void} [status]
 * @property {(data: any, position: Position) => void} [snapshot] replaces everything
 * @property {(frame: {type: string, seq: number, prev: number, at: string, data: any}) => void} [event]
 * @property {(viewers: number) => void} [presence]
 * @property {(frame: any) => void} [other] anything else the server says
 */
/**
 * What is injected in tests.
 * @typedef {object} World
 * @property {new (url: string) => any} WebSocket
 * @property {(run: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {() => number} now
 * @property {() => number} random
 */
/**
 * @typedef {object} Options
 * @property {string} room "tournament:7" or "match:5"
 * @property {Position | null} position where the state at hand stands; null asks for a snapshot
 * @property {() => Promise<{token: string}>} token good for one connection; rejects with {status, retryAfterMs?}
 * @property {(room: string, token: string, since: string) => string} address
 * @property {Listeners} on
 * @property {Partial<World>} [world]
 */

export const BACKOFF_FIRST_MS = 500;
export const BACKOFF_MOST_MS = 20_000;
export const SILENCE_MS = 60_000;
export const PROBE_MS = 3_000;
export const HANDSHAKE_MS = 10_000;
export const RESYNC_MS = 5_000;
export const STEADY_MS = 10_000; // open for this long, the next loss starts from the shortest wait again

const STOP = new Set([4000, 4001, 4003, 4009, 1009, 4404]);
const WAIT_AS_TOLD = new Set([4008, 4010, 1012]);
const TOKEN_EXPIRED = 4002;

export class Live {
  /** @param {Options} options */
  constructor(options) {
    /** @type {World} */
    this.world = {
      WebSocket: globalThis.WebSocket,
      setTimeout: (run, ms) => setTimeout(run, ms),
      clearTimeout: (timer) => clearTimeout(timer),
      now: () => Date.now(),
      random: () => Math.random(),
      ...options.world,
    };
    this.options = options;
    this.room = options.room;
    /** @type {Position | null} */
    this.position = options.position;
    /** @type {Status} */
    this.status = { kind: "lost", since: this.world.now() };
    this.currentAt = this.world.now();
    this.attempt = 0;
    this.run = 0; // counts connections; a late callback of an earlier one is recognised by it
    this.running = false;
    /** @type {any} */
    this.socket = null;
    this.established = false;
    this.awaitsSnapshot = false;
    this.heardAt = 0;
    this.openedAt = 0;
    /** @type {number | null} */
    this.retryAfterMs = null;
    /** @type {Record<string, any>} */
    this.timers = {};
  }

  start() {
    if (this.running) return;
    this.running = true;
    this.#connect();
  }

  stop() {
    this.running = false;
    this.#drop();
    this.#cancel("retry");
  }

  /**
   * Find out now whether the connection still lives: after sleep, or when the network changed.
   * With `doubt` the state does not count as current until an answer has come.
   */
  check(doubt = false) {
    if (!this.running) return;
    if (doubt && this.status.kind === "live") this.#tell({ kind: "lost", since: this.currentAt });
    if (!this.socket) {
      if (this.timers.retry !== undefined) this.#connect();
    } else if (this.established) {
      this.send({ type: "ping" });
      const asked = this.world.now();
      this.#after("probe", PROBE_MS, () => {
        if (this.heardAt < asked) this.#lost(0);
      });
    }
  }

  /**
   * Send a frame; false when there is no open connection.
   * @param {Record<string, any>} frame
   */
  send(frame) {
    if (!this.socket || this.socket.readyState !== 1) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  async #connect() {
    this.#drop();
    this.#cancel("retry");
    const run = this.run;
    this.#after("handshake", HANDSHAKE_MS, () => this.#lost(null));
    let ticket;
    try {
      ticket = (await this.options.token()).token;
    } catch (error) {
      if (run === this.run && this.running) this.#tokenRefused(/** @type {any} */ (error));
      return;
    }
    if (run !== this.run || !this.running) return;
    const since = this.position ? `${this.position.epoch}:${this.position.seq}` : "";
    const socket = new this.world.WebSocket(this.options.address(this.room, ticket, since));
    this.socket = socket;
    socket.onmessage = (/** @type {{data: any}} */ message) => {
      if (run === this.run) this.#heard(message.data);
    };
    socket.onclose = (/** @type {{code: number}} */ event) => {
      if (run === this.run) this.#closed(event.code);
    };
    socket.onerror = () => {};
  }

  /** Take a new token before the old one ends; without one the server closes with 4002, and a new connection tries. */
  async #renew() {
    const run = this.run;
    try {
      const { token } = await this.options.token();
      if (run === this.run) this.send({ type: "authenticate", data: { token } });
    } catch {
      // said above
    }
  }

  /** @param {{status?: number, retryAfterMs?: number}} error */
  #tokenRefused(error) {
    if (error.status === 404 || error.status === 403 || error.status === 401) {
      this.#stopped(error.status === 404 ? 4404 : 4003);
    } else {
      this.retryAfterMs = error.retryAfterMs ?? null;
      this.#lost(null);
    }
  }

  /** @param {any} text */
  #heard(text) {
    this.heardAt = this.world.now();
    this.#cancel("probe");
    this.#listenForSilence();
    if (this.status.kind === "live") this.currentAt = this.heardAt;
    let frame;
    try {
      frame = JSON.parse(text);
    } catch {
      return;
    }
    if (typeof frame !== "object" || frame === null) return;
    switch (frame.type) {
      case "connection_established":
        this.#welcomed(frame.data);
        break;
      case "snapshot":
        this.#snapshot(frame);
        break;
      case "ping":
        this.send({ type: "pong" });
        break;
      case "presence":
        this.options.on.presence?.(frame.viewers);
        break;
      case "token_expiring":
        void this.#renew();
        break;
      case "server_restarting":
        this.retryAfterMs = frame.retry_after_ms ?? null;
        break;
      case "error":
        if (typeof frame.retry_after_ms === "number") this.retryAfterMs = frame.retry_after_ms;
        this.options.on.other?.(frame);
        break;
      default:
        if (typeof frame.seq === "number" && typeof frame.prev === "number") this.#event(frame);
        else this.options.on.other?.(frame);
    }
    // An answer after a doubt: it was no loss.
    if (this.status.kind === "lost" && this.socket && this.established && !this.awaitsSnapshot) this.#current();
  }

  /** @param {any} welcome */
  #welcomed(welcome) {
    this.#cancel("handshake");
    this.established = true;
    this.openedAt = this.world.now();
    if (welcome.resumed && this.position && welcome.epoch === this.position.epoch) {
      this.#current(); // what was missed follows in the same breath
    } else {
      this.#awaitSnapshot();
    }
  }

  /** @param {{epoch: string, seq: number, data: any}} frame */
  #snapshot(frame) {
    this.#cancel("resync");
    this.awaitsSnapshot = false;
    const mine = this.position;
    if (!mine || mine.epoch !== frame.epoch || frame.seq >= mine.seq) {
      this.position = { epoch: frame.epoch, seq: frame.seq };
      this.options.on.snapshot?.(frame.data, this.position);
    }
    this.#current();
  }

  /** @param {{type: string, seq: number, prev: number, at: string, data: any}} frame */
  #event(frame) {
    if (!this.position || this.awaitsSnapshot) return; // the snapshot that is on its way holds it, or what follows does
    if (frame.seq <= this.position.seq) return;
    if (frame.prev > this.position.seq) {
      this.send({ type: "resync" });
      this.#awaitSnapshot();
      this.#tell({ kind: "lost", since: this.currentAt });
      return;
    }
    this.position = { epoch: this.position.epoch, seq: frame.seq };
    this.options.on.event?.(frame);
  }

  #awaitSnapshot() {
    this.awaitsSnapshot = true;
    this.#after("resync", RESYNC_MS, () => this.#lost(null));
  }

  #current() {
    this.currentAt = this.world.now();
    this.#tell({ kind: "live" });
  }

  /** @param {number} code */
  #closed(code) {
    if (STOP.has(code)) {
      this.#stopped(code);
    } else if (code === TOKEN_EXPIRED) {
      this.#lost(this.attempt === 0 ? 0 : null);
    } else if (WAIT_AS_TOLD.has(code)) {
      this.#lost(this.retryAfterMs ?? BACKOFF_FIRST_MS + this.world.random() * 5_000);
    } else {
      this.#lost(null);
    }
  }

  /**
   * Connect again: after `wait` ms, or with the backoff when null.
   * @param {number | null} wait
   */
  #lost(wait) {
    const steady = this.established && this.world.now() - this.openedAt >= STEADY_MS;
    this.#drop();
    if (steady) this.attempt = 0;
    const most = Math.min(BACKOFF_MOST_MS, BACKOFF_FIRST_MS * 2 ** this.attempt);
    const delay = this.retryAfterMs ?? wait ?? this.world.random() * most;
    this.attempt = Math.min(this.attempt + 1, 10);
    this.retryAfterMs = null;
    this.#tell({ kind: "lost", since: this.currentAt });
    this.#after("retry", delay, () => {
      delete this.timers.retry;
      this.#connect();
    });
  }

  /** @param {number} code */
  #stopped(code) {
    this.stop();
    this.#tell({ kind: "stopped", since: this.currentAt, code });
  }

  #drop() {
    this.run += 1;
    for (const name of ["handshake", "probe", "silence", "resync"]) this.#cancel(name);
    const socket = this.socket;
    this.socket = null;
    this.established = false;
    this.awaitsSnapshot = false;
    if (socket) {
      socket.onmessage = socket.onclose = socket.onerror = null;
      socket.close();
    }
  }

  /** One timer that starts itself again, not one for every frame. */
  #listenForSilence(rest = SILENCE_MS) {
    if (this.timers.silence !== undefined) return;
    this.#after("silence", rest, () => {
      delete this.timers.silence;
      const quiet = this.world.now() - this.heardAt;
      if (quiet >= SILENCE_MS) this.#lost(0);
      else this.#listenForSilence(SILENCE_MS - quiet);
    });
  }

  /** @param {Status} status */
  #tell(status) {
    this.status = status;
    this.options.on.status?.(status);
  }

  /**
   * @param {string} name
   * @param {number} ms
   * @param {() => void} run
   */
  #after(name, ms, run) {
    this.#cancel(name);
    this.timers[name] = this.world.setTimeout(run, ms);
  }

  /** @param {string} name */
  #cancel(name) {
    if (this.timers[name] !== undefined) this.world.clearTimeout(this.timers[name]);
    delete this.timers[name];
  }
}
