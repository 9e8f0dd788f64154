/**
 * What was sent and is not answered yet. Knows no socket: `Connection` moves the frames.
 *
 * A message that is idempotent by its id waits for the line to come back and is sent again;
 * any other is rejected with `connection_lost` when the line goes, since nobody knows whether it
 * was done.
 */
import { ServerError } from "./errors.js";

/** Types that may be sent twice (PROTOCOL.md section 3). */
const IDEMPOTENT = new Set(["chat.send"]);

/**
 * @typedef {object} Entry
 * @property {string} type
 * @property {string} frame
 * @property {number} sentAt ms, 0 while it has not been sent
 * @property {(reply: any) => void} resolve
 * @property {(error: ServerError) => void} reject
 */

export class Outbox {
  /** @type {Map<string, Entry>} */
  #entries = new Map();

  get size() {
    return this.#entries.size;
  }

  /** @param {string} type */
  static canWait(type) {
    return IDEMPOTENT.has(type);
  }

  /**
   * Remember a message and return the promise of its answer.
   * @param {string} id
   * @param {string} type
   * @param {string} frame
   * @param {number} sentAt ms; 0 when it waits for the line
   * @returns {Promise<any>}
   */
  add(id, type, frame, sentAt) {
    const before = this.#entries.get(id);
    if (before) before.reject(new ServerError("conflict", "the id is in use"));
    return new Promise((resolve, reject) => {
      this.#entries.set(id, { type, frame, sentAt, resolve, reject });
    });
  }

  /**
   * Settle what a reply answers; a reply to nothing is ignored (it came twice).
   * @param {{type: string, re?: string}} reply
   */
  settle(reply) {
    const entry = reply.re === undefined ? undefined : this.#entries.get(reply.re);
    if (!entry || reply.re === undefined) return;
    this.#entries.delete(reply.re);
    if (reply.type === "error") entry.reject(ServerError.from(reply, "internal"));
    else entry.resolve(reply);
  }

  /** The line is gone: what cannot wait is rejected. */
  lineLost() {
    this.#rejectWhere((entry) => !Outbox.canWait(entry.type), "connection_lost");
  }

  /**
   * Everything is over: all is rejected.
   * @param {string} code
   */
  close(code) {
    this.#rejectWhere(() => true, code);
  }

  /**
   * Reject what has waited too long for an answer on a living line.
   * @param {number} now ms
   * @param {number} limitMs
   */
  expire(now, limitMs) {
    this.#rejectWhere((entry) => entry.sentAt > 0 && now - entry.sentAt > limitMs, "timeout");
  }

  /**
   * Frames to send again, in the order in which they were made.
   * @param {number} now ms
   */
  framesToResend(now) {
    return [...this.#entries.values()].map((entry) => {
      entry.sentAt = now;
      return entry.frame;
    });
  }

  /**
   * @param {(entry: Entry) => boolean} chosen
   * @param {string} code
   */
  #rejectWhere(chosen, code) {
    for (const [id, entry] of [...this.#entries]) {
      if (!chosen(entry)) continue;
      this.#entries.delete(id);
      entry.reject(new ServerError(code));
    }
  }
}
