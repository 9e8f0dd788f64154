/**
 * The server's end of a page's socket, in memory: it numbers, keeps and replays as PROTOCOL.md
 * section 2.1 says, and a test may cut, mute or refuse.
 */
import { Connection } from "../../../static/app/lib/connection.js";
import { Clock, settle } from "./clock.js";

export const EPOCH = "e".repeat(22);
export const PAGE = "p".repeat(22);
export const LIMITS = {
  chat_characters: 2000,
  file_bytes: 50000000,
  resume_seconds: 120,
  ring_seconds: 20,
  file_types: ["application/pdf", "image/jpeg", "image/png"],
};
export const NOTHING = {
  call: null,
  chat: [],
  read: { counter: 0, desk: 0 },
  files: [],
  queue: null,
  position: null,
};
/** @type {any} */
export const DESK = {
  page: "desk",
  municipality: { id: "m", name: "架空市" },
  person: { id: "s", name: "見本 花子", role: "verifier" },
  desk_state: "open",
};

/** One socket as the page sees it. */
class Socket {
  /** @type {(() => void) | null} */
  onopen = null;
  /** @type {((event: {data: string}) => void) | null} */
  onmessage = null;
  /** @type {((event: {code: number}) => void) | null} */
  onclose = null;
  /** @type {any[]} */
  sent = [];
  closedByPage = false;

  /** @param {Server} server @param {string} url */
  constructor(server, url) {
    this.server = server;
    this.url = url;
    server.sockets.push(this);
    if (server.reachable) queueMicrotask(() => this.onopen?.());
  }

  /** @param {string} frame */
  send(frame) {
    const message = JSON.parse(frame);
    this.sent.push(message);
    this.server.receive(this, message);
  }

  close() {
    this.closedByPage = true;
  }

  /** @param {object} message */
  say(message) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  /** @param {number} code */
  end(code) {
    this.onclose?.({ code });
  }
}

export class Server {
  /** @type {Socket[]} */
  sockets = [];
  /** @type {any[]} */
  kept = [];
  /** @type {any[]} every command received */
  commands = [];
  epoch = EPOCH;
  seq = 0;
  reachable = true;
  /** @type {any} */
  state = NOTHING;
  /** @type {(socket: Socket, hello: any) => boolean} false refuses the welcome */
  admit = () => true;
  /** @type {(message: any) => object | null} the fields of `ok`; null says nothing */
  reply = () => ({});

  /** @param {Clock} clock */
  constructor(clock) {
    this.clock = clock;
    const open = (/** @type {string} */ url) => new Socket(this, url);
    this.WebSocketClass = /** @type {any} */ (
      class {
        /** @param {string} url */
        constructor(url) {
          return open(url);
        }
      }
    );
  }

  get socket() {
    return this.sockets[this.sockets.length - 1];
  }

  /** @param {Socket} socket @param {any} message */
  receive(socket, message) {
    if (message.type === "hello") this.#hello(socket, message);
    else if (message.type !== "pong") {
      this.commands.push(message);
      queueMicrotask(() => this.#answer(message));
    }
  }

  /** @param {any} message */
  #answer(message) {
    const fields = this.reply(message);
    if (fields) this.say({ type: "ok", re: message.id, ...fields });
  }

  /** @param {Socket} socket @param {any} hello */
  #hello(socket, hello) {
    if (!this.admit(socket, hello)) return;
    const known = hello.epoch === this.epoch && hello.seq !== null && hello.seq <= this.seq;
    if (!known) {
      this.seq = 0;
      this.kept = [];
    }
    socket.say({
      type: "welcome",
      epoch: this.epoch,
      resumed: known,
      server_time: new Date(this.clock.now()).toISOString(),
      you: DESK,
      limits: LIMITS,
      state: known ? null : this.state,
    });
    if (known) for (const old of this.kept) if (old.seq > hello.seq) socket.say(old);
  }

  /** Number a message, keep it and send it, or lose it on the way. @param {object} message */
  say(message, { lost = false } = {}) {
    this.seq += 1;
    const numbered = { ...message, seq: this.seq };
    this.kept.push(numbered);
    if (!lost) this.socket.say(numbered);
  }
}

/**
 * A page and its server.
 * @param {Partial<import("../../../static/app/lib/connection.js").Options>} [options]
 */
export function line(options = {}) {
  const clock = new Clock();
  const server = new Server(clock);
  const scope = new EventTarget();
  const connection = new Connection({
    url: "ws://server/api/v1/ws?page=desk",
    page: "desk",
    pageId: PAGE,
    WebSocketClass: server.WebSocketClass,
    random: () => 0,
    now: clock.now,
    setTimer: clock.setTimer,
    clearTimer: clock.clearTimer,
    scope,
    visibility: null,
    ...options,
  });
  /** @type {any[]} */
  const messages = [];
  /** @type {string[]} */
  const states = [];
  connection.on("message", (message) => messages.push(message));
  connection.on("state", (status) => states.push(status.state));
  return { clock, server, connection, scope, messages, states };
}

/** A page that has been welcomed. @param {Parameters<typeof line>[0]} [options] */
export async function openLine(options = {}) {
  const world = line(options);
  world.connection.start();
  await settle();
  return world;
}
