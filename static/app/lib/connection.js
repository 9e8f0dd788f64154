/**
 * The socket of a page and its return after a loss (PROTOCOL.md section 2).
 *
 *     const connection = new Connection({url, page: "desk", stillSignedIn: api.signedIn});
 *     const off = connection.on("message", (message) => …);   // every server message, in order, once
 *     connection.on("state", (status) => …);                   // {state, closeCode, code, since, attempt}
 *     connection.start();
 *     const {call} = await connection.send("call.accept", {call: null});   // rejects with ServerError
 *     connection.takeOver();   // after closeCode 4001, 4002, 4003
 *     connection.check();      // "look now": something about the network may have changed
 *     connection.stop();
 *
 * Four rules: a number is seen once and without gaps, or the socket is made anew; a socket that
 * has said nothing for 12 s is dead whatever the browser thinks; a close code that says "no" is
 * not argued with; what is idempotent is sent again, nothing else.
 */
import { backoffMs } from "./backoff.js";
import { ServerError } from "./errors.js";
import { loadPageId, newId } from "./ids.js";
import { Outbox } from "./outbox.js";
import { CLOSE_CODES } from "./protocol.js";

/** A living socket brings a ping every 5 s. */
export const SILENT_MS = 12_000;
/** From `new WebSocket` to `welcome`. */
export const CONNECT_MS = 6_000;
/** From a message to its answer on a living socket. */
export const ANSWER_MS = 15_000;
/** After a hint that the network changed, two pings may not be missing. */
const DOUBT_MS = 6_000;
/** Tries that broke the protocol before the page gives up. */
const MAX_BROKEN = 3;
/** A socket that lived this long starts the waiting times afresh. */
const STEADY_MS = 5_000;
const CHECK_MS = 1_000;

/** @type {Set<number>} */
const FINAL = new Set([
  CLOSE_CODES.not_allowed,
  CLOSE_CODES.corrupt,
  CLOSE_CODES.seat_taken,
  CLOSE_CODES.taken_over,
  CLOSE_CODES.replaced,
  CLOSE_CODES.signed_out,
]);
/** @type {Set<number>} */
const BROKEN = new Set([CLOSE_CODES.protocol, CLOSE_CODES.too_large]);

/**
 * @typedef {import("./protocol.js").ServerMessage} ServerMessage
 * @typedef {import("./protocol.js").ClientFields} ClientFields
 * @typedef {{state: "connecting" | "open" | "retrying" | "stopped", closeCode: number | null, code: string | null, since: number, attempt: number}} Status
 * `since` is ms of the page's clock; `code` says more than `closeCode` when the server did
 * @typedef {{message: ServerMessage, state: Status}} Events
 *
 * @typedef {object} Options
 * @property {string} url
 * @property {import("./protocol.js").PageName} page
 * @property {string} [pageId]
 * @property {Pick<Storage, "getItem" | "setItem"> | null} [storage] keeps the page id over a reload
 * @property {(asked: import("./tablet-key.js").Asked, pageId: string) => Promise<string>} [prove] a counter's: signs the server's challenge; hello waits for it
 * @property {() => Promise<boolean>} [stillSignedIn] asked when handshakes fail; false stops
 * @property {new (url: string) => WebSocket} [WebSocketClass]
 * @property {() => number} [random]
 * @property {() => number} [now] ms
 * @property {(run: () => void, ms: number) => any} [setTimer]
 * @property {(timer: any) => void} [clearTimer]
 * @property {EventTarget | null} [scope] says `online` and `offline`
 * @property {(EventTarget & {visibilityState?: string}) | null} [visibility] says `visibilitychange`
 */

export class Connection extends EventTarget {
  #options;
  #outbox = new Outbox();
  /** @type {WebSocket | null} */
  #socket = null;
  #timer = /** @type {any} */ (null);
  #ticker = /** @type {any} */ (null);
  #running = false;
  #welcomed = false;
  #takeOver = false;
  /** @type {string | null} */
  #epoch = null;
  /** @type {number | null} */
  #seq = null;
  /** @type {string | null} */
  #code = null;
  #heardAt = 0;
  #openedAt = 0;
  /** @type {import("./tablet-key.js").Asked | null} what a counter's offers on this socket are bound to */
  #asked = null;
  #attempt = 0;
  #broken = 0;
  #gaps = 0;
  #doubt = false;
  #wasOffline = false;
  /** @type {(() => void)[]} */
  #listeners = [];

  /** @param {Options} options */
  constructor(options) {
    super();
    const browser = /** @type {any} */ (globalThis);
    /** @type {Required<Omit<Options, "pageId" | "prove" | "stillSignedIn">> & Options} */
    this.#options = {
      storage: browser.sessionStorage ?? null,
      WebSocketClass: browser.WebSocket,
      random: Math.random,
      now: Date.now,
      setTimer: (/** @type {() => void} */ run, /** @type {number} */ ms) => setTimeout(run, ms),
      clearTimer: (/** @type {any} */ timer) => clearTimeout(timer),
      scope: /** @type {EventTarget | null} */ (browser.document ? browser : null),
      visibility: /** @type {any} */ (browser.document ?? null),
      ...options,
    };
    this.pageId = options.pageId ?? loadPageId(this.#options.storage);
    /** @type {Status} */
    this.status = { state: "stopped", closeCode: null, code: null, since: this.#now(), attempt: 0 };
  }

  /**
   * Follow "message" or "state"; the answer ends it.
   * @template {keyof Events} K
   * @param {K} name
   * @param {(detail: Events[K]) => void} handler
   * @returns {() => void}
   */
  on(name, handler) {
    const listener = (/** @type {Event} */ event) =>
      handler(/** @type {CustomEvent<Events[K]>} */ (event).detail);
    this.addEventListener(name, listener);
    return () => this.removeEventListener(name, listener);
  }

  /** Open the socket and keep it open. */
  start() {
    if (this.#running) return;
    this.#running = true;
    this.#attempt = 0;
    this.#broken = 0;
    this.#listen();
    this.#tick();
    this.#open("connecting");
  }

  /** Close the socket at once and stay away until `start`. What cannot wait is rejected. */
  stop() {
    if (this.#running) this.#halt(CLOSE_CODES.page_left);
  }

  /** Take the seat from the page that has it. */
  takeOver() {
    this.#takeOver = true;
    this.#attempt = 0;
    if (this.#running) this.#replace();
    else this.start();
  }

  /** Look at once whether the socket still lives; ask more of it for the next seconds. */
  check() {
    if (!this.#running) return;
    if (this.status.state === "retrying" && !this.#socket) this.#retryNow();
    else {
      this.#doubt = true;
      this.#look();
    }
  }

  /**
   * Send a message and return the promise of its answer (`ok` or `answer`).
   *
   * Rejects with `ServerError`: the server's code, `connection_lost` when the line is away or goes
   * before the answer, `timeout` after 15 s. `chat.send` waits for the line instead.
   * @template {keyof ClientFields} K
   * @param {K} type
   * @param {ClientFields[K]} fields
   * @param {{id?: string}} [options]
   * @returns {Promise<any>}
   */
  send(type, fields, { id = newId() } = {}) {
    const open = this.status.state === "open";
    if (!open && !Outbox.canWait(type)) {
      return Promise.reject(new ServerError("connection_lost", "there is no line now"));
    }
    const frame = JSON.stringify({ ...fields, type, id });
    const answer = this.#outbox.add(id, type, frame, open ? this.#now() : 0);
    if (open) this.#write(frame);
    return answer;
  }

  #now() {
    return this.#options.now();
  }

  /** @param {Status["state"]} state @param {number | null} [closeCode] */
  #become(state, closeCode = null) {
    const same = this.status.state === state;
    this.status = {
      state,
      closeCode,
      code: state === "open" ? null : this.#code,
      since: same ? this.status.since : this.#now(),
      attempt: this.#attempt,
    };
    this.dispatchEvent(new CustomEvent("state", { detail: this.status }));
  }

  /** @param {"connecting" | "retrying"} state */
  #open(state) {
    this.#clearTimer();
    this.#welcomed = false;
    this.#doubt = false;
    this.#heardAt = this.#now();
    const socket = new this.#options.WebSocketClass(this.#options.url);
    this.#socket = socket;
    socket.onopen = () => void (this.#options.prove || this.#hello());
    socket.onmessage = (/** @type {MessageEvent} */ event) => this.#frame(event.data);
    socket.onclose = (/** @type {CloseEvent} */ event) => this.#lost(event.code);
    this.#become(state, this.status.closeCode);
  }

  /** What the server asked this tablet on the present socket. */
  get asked() {
    return this.#asked;
  }

  /** @param {import("./tablet-key.js").Asked} asked */
  async #prove(asked) {
    const socket = this.#socket;
    try {
      const proof = await this.#options.prove?.(asked, this.pageId);
      if (socket !== this.#socket) return;
      this.#asked = asked;
      this.#hello({ proof });
    } catch (error) {
      if (socket !== this.#socket) return;
      this.#code = error instanceof ServerError ? error.code : "key_missing";
      this.#halt(CLOSE_CODES.not_allowed);
    }
  }

  /** @param {{proof?: string}} [shown] */
  #hello(shown = {}) {
    this.#write(
      JSON.stringify({
        ...shown,
        type: "hello",
        page: this.pageId,
        epoch: this.#seq === null ? null : this.#epoch,
        seq: this.#seq,
        takeover: this.#takeOver,
      }),
    );
  }

  /** @param {string} frame */
  #write(frame) {
    try {
      this.#socket?.send(frame);
    } catch {
      this.#replace();
    }
  }

  /** @param {unknown} data */
  #frame(data) {
    this.#heardAt = this.#now();
    this.#doubt = false;
    const message = parse(data);
    if (!message) this.#replace();
    else if (message.type === "ping") this.#ping(message.seq);
    else if (message.type === "welcome") this.#welcome(message);
    else if (message.type === "challenge") void this.#prove(message);
    else if (!this.#welcomed) this.#early(message);
    else this.#numbered(message);
  }

  /** @param {number} seq the last number that the server has used */
  #ping(seq) {
    if (!this.#welcomed) return;
    this.#write(JSON.stringify({ type: "pong", seq: this.#seq ?? 0 }));
    if (seq > (this.#seq ?? 0)) this.#gap();
  }

  /** Ask for what is missing; when asking did not help, for everything. */
  #gap() {
    this.#gaps += 1;
    if (this.#gaps > 1) this.#seq = null;
    this.#replace();
  }

  /** @param {import("./protocol.js").WelcomeMessage} message */
  #welcome(message) {
    this.#welcomed = true;
    this.#takeOver = false;
    this.#code = null;
    this.#epoch = message.epoch;
    if (!message.resumed) this.#seq = 0;
    this.#openedAt = this.#now();
    this.#emit(message);
    // Before "open" is told, since those who hear it send at once.
    for (const frame of this.#outbox.framesToResend(this.#now())) this.#write(frame);
    if (this.#welcomed) this.#become("open");
  }

  /** What comes before the welcome is the reason why there is none. @param {ServerMessage} message */
  #early(message) {
    if (message.type === "error") this.#code = message.error.code;
    this.#emit(message);
  }

  /** @param {ServerMessage & {seq?: number}} message */
  #numbered(message) {
    const expected = (this.#seq ?? 0) + 1;
    if (message.seq !== undefined) {
      if (message.seq < expected) return;
      if (message.seq > expected) return this.#gap();
      this.#seq = message.seq;
      this.#gaps = 0;
    }
    if (message.type === "ended") this.#code = message.code;
    if (message.type === "error" && message.re === undefined) this.#code = message.error.code;
    this.#emit(message);
    this.#outbox.settle(/** @type {{type: string, re?: string}} */ (message));
  }

  /** @param {ServerMessage} message */
  #emit(message) {
    this.dispatchEvent(new CustomEvent("message", { detail: message }));
  }

  /** @param {number} code */
  #lost(code) {
    const steady = this.#welcomed && this.#now() - this.#openedAt > STEADY_MS;
    const wasOpen = this.#welcomed;
    this.#drop();
    this.#broken = BROKEN.has(code) ? this.#broken + 1 : steady ? 0 : this.#broken;
    if (FINAL.has(code) || this.#broken >= MAX_BROKEN) return this.#halt(code);
    // A page that was told it broke the rules starts from nothing.
    if (BROKEN.has(code)) this.#seq = null;
    if (steady) this.#attempt = 0;
    this.#outbox.lineLost();
    this.#retryLater(code);
    if (!wasOpen && this.#attempt >= 2) void this.#askWhetherSignedIn();
  }

  async #askWhetherSignedIn() {
    const asked = this.#options.stillSignedIn?.() ?? Promise.resolve(true);
    // A server that cannot be asked has not said no.
    const signedIn = await asked.catch(() => true);
    if (signedIn || !this.#running || this.#welcomed) return;
    this.#code ??= "signed_out";
    this.#halt(CLOSE_CODES.signed_out);
  }

  /** @param {number} code */
  #halt(code) {
    this.#running = false;
    this.#takeOver = false;
    this.#clearTimer();
    this.#options.clearTimer(this.#ticker);
    for (const off of this.#listeners.splice(0)) off();
    this.#drop();
    if (code === CLOSE_CODES.page_left) this.#outbox.lineLost();
    else this.#outbox.close("connection_lost");
    this.#become("stopped", code);
    this.#code = null;
  }

  /** Let go of the socket without waiting for the browser's slow good-bye. */
  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    this.#asked = null;
    this.#welcomed = false;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(CLOSE_CODES.page_left);
  }

  /** Make the socket anew: at once, but later when that has just been done. */
  #replace() {
    if (!this.#running) return;
    const steady = this.#welcomed && this.#now() - this.#openedAt > STEADY_MS;
    if (steady) this.#attempt = 0;
    this.#drop();
    this.#outbox.lineLost();
    if (this.#attempt === 0) {
      this.#attempt = 1;
      this.#open("retrying");
    } else this.#retryLater(null);
  }

  /** @param {number | null} closeCode */
  #retryLater(closeCode) {
    this.#clearTimer();
    const wait = backoffMs(this.#attempt, this.#options.random());
    this.#attempt += 1;
    this.#timer = this.#options.setTimer(() => this.#open("retrying"), wait);
    this.#become("retrying", closeCode);
  }

  #retryNow() {
    this.#attempt = 0;
    this.#open("retrying");
  }

  #clearTimer() {
    if (this.#timer !== null) this.#options.clearTimer(this.#timer);
    this.#timer = null;
  }

  #tick() {
    this.#look();
    if (this.#running) this.#ticker = this.#options.setTimer(() => this.#tick(), CHECK_MS);
  }

  #look() {
    if (!this.#socket) return;
    const silent = this.#now() - this.#heardAt;
    const limit = !this.#welcomed ? CONNECT_MS : this.#doubt ? DOUBT_MS : SILENT_MS;
    if (silent > limit) this.#lost(CLOSE_CODES.come_back);
    else this.#outbox.expire(this.#now(), ANSWER_MS);
  }

  #listen() {
    const { scope, visibility } = this.#options;
    this.#hear(scope, "offline", () => (this.#wasOffline = true));
    this.#hear(scope, "online", () => this.#online());
    this.#hear(visibility, "visibilitychange", () => {
      if (visibility?.visibilityState !== "hidden") this.check();
    });
  }

  /** A socket from before the break hangs on an address that may be gone. */
  #online() {
    const broken = this.#wasOffline;
    this.#wasOffline = false;
    this.#attempt = 0;
    if (broken || !this.#welcomed) this.#replace();
    else this.check();
  }

  /** @param {EventTarget | null} target @param {string} name @param {() => void} handler */
  #hear(target, name, handler) {
    target?.addEventListener(name, handler);
    this.#listeners.push(() => target?.removeEventListener(name, handler));
  }
}

/** @param {unknown} data @returns {ServerMessage | null} null when it is not a message at all */
function parse(data) {
  try {
    const message = JSON.parse(String(data));
    return typeof message?.type === "string" ? message : null;
  } catch {
    return null;
  }
}
