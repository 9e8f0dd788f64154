/**
 * One file on its way to the server, whatever the line does.
 *
 *     const upload = new Upload({file, url: api.urls.files(callId), csrf: api.csrf, limits});
 *     upload.on("progress", ({phase, sent, total}) => …);
 *     const {id} = await upload.start();    // rejects with ServerError; "aborted" after abort()
 *     upload.wake();                        // the line is back: try at once
 *     await upload.abort();                 // takes the file back from the server
 *
 * Phases: "hashing" → "sending" ⇄ "waiting" (the line is away) → "done", or "failed". Done means
 * that every byte is at the server; whether it is offered or refused comes as a `file` message.
 *
 * Before anything travels: `empty_file`, `too_large` (limits.file_bytes), `wrong_type` (by the first
 * bytes), `unreadable_file`. A lost line is waited for without end; anything else that may pass is
 * tried again a few times; a "no" is final.
 */
import { backoffMs } from "./backoff.js";
import { ServerError } from "./errors.js";
import { SNIFF_BYTES, sniffType } from "./magic.js";
import * as tus from "./tus.js";

export { sniffType } from "./magic.js";

const MIB = 1024 * 1024;
export const MIN_CHUNK_BYTES = MIB;
export const MAX_CHUNK_BYTES = 4 * MIB;
/** A chunk faster than this lets the next be larger, one slower than the second smaller. */
const FAST_MS = 700;
const SLOW_MS = 4_000;
/** A request that hangs for longer is made anew. */
const REQUEST_MS = 60_000;
const RETRY_SECONDS = Object.freeze([0.5, 1, 2, 4, 8]);

/** The line or the server is away: worth waiting for without end. */
const AWAY = new Set(["no_network", "timeout", "unavailable", "stopping"]);
/** May pass, but not if it goes on and on. */
const PASSING = new Set([
  "wrong_offset",
  "wrong_state",
  "conflict",
  "checksum_mismatch",
  "csrf",
  "internal",
  "too_fast",
]);
const MAX_PASSING = 6;

/**
 * @typedef {"hashing" | "sending" | "waiting" | "done" | "failed"} Phase
 * @typedef {{phase: Phase, sent: number, total: number}} Progress
 * @typedef {{location: string, sha256: string, bytes: Uint8Array<ArrayBuffer>}} Created
 * @typedef {{progress: Progress, created: Created}} UploadEvents
 *
 * @typedef {object} UploadOptions
 * @property {Blob & {name?: string}} file
 * @property {string} [name] instead of `file.name`
 * @property {string} url of the call's files
 * @property {(options?: {fresh?: boolean}) => Promise<string>} csrf
 * @property {{file_bytes: number, file_types: string[]}} limits
 * @property {string} [location] goes on with an upload that was announced before a reload
 * @property {typeof fetch} [fetch]
 * @property {(bytes: Uint8Array<ArrayBuffer>) => Promise<ArrayBuffer>} [digest] SHA-256
 * @property {number} [chunkBytes] first size of a chunk
 * @property {() => number} [random]
 * @property {() => number} [now] ms
 * @property {(run: () => void, ms: number) => any} [setTimer]
 * @property {(timer: any) => void} [clearTimer]
 * @property {EventTarget | null} [scope] says `online`
 */

export class Upload extends EventTarget {
  #options;
  #chunk;
  #sent = 0;
  #best = -1;
  #passing = 0;
  #tries = 0;
  #freshCsrf = false;
  #aborted = false;
  #created = false;
  /** @type {Promise<{id: string, location: string, sha256: string}> | null} */
  #running = null;
  /** @type {AbortController | null} */
  #request = null;
  /** @type {(() => void) | null} */
  #wakeUp = null;
  #onOnline = () => this.wake();

  /** @param {UploadOptions} options */
  constructor(options) {
    super();
    const browser = /** @type {any} */ (globalThis);
    this.#options = {
      fetch: /** @type {typeof fetch} */ ((input, init) => globalThis.fetch(input, init)),
      digest: (/** @type {Uint8Array<ArrayBuffer>} */ bytes) =>
        globalThis.crypto.subtle.digest("SHA-256", bytes),
      chunkBytes: MIN_CHUNK_BYTES,
      random: Math.random,
      now: Date.now,
      setTimer: (/** @type {() => void} */ run, /** @type {number} */ ms) => setTimeout(run, ms),
      clearTimer: (/** @type {any} */ timer) => clearTimeout(timer),
      scope: /** @type {EventTarget | null} */ (browser.document ? browser : null),
      ...options,
    };
    this.#chunk = this.#options.chunkBytes;
    this.name = (options.name ?? options.file.name ?? "file").normalize("NFC");
    this.total = options.file.size;
    /** @type {Phase} */
    this.phase = "hashing";
    /** @type {string | null} */
    this.location = options.location ?? null;
  }

  /**
   * Follow "progress" or "created"; the answer ends it.
   * @template {keyof UploadEvents} K
   * @param {K} name
   * @param {(detail: UploadEvents[K]) => void} handler
   * @returns {() => void}
   */
  on(name, handler) {
    const listener = (/** @type {Event} */ event) =>
      handler(/** @type {CustomEvent<UploadEvents[K]>} */ (event).detail);
    this.addEventListener(name, listener);
    return () => this.removeEventListener(name, listener);
  }

  /** Send the file; a second call gives the same promise. */
  start() {
    this.#running ??= this.#run();
    return this.#running;
  }

  /** The line may be back: do not wait any longer, and do not trust a request from before. */
  wake() {
    this.#wakeUp?.();
    if (this.#created) this.#request?.abort();
  }

  /** Stop; unless told otherwise, the file is taken back from the server. @param {{remove?: boolean}} [options] */
  async abort({ remove = true } = {}) {
    if (this.phase === "done") return;
    this.#aborted = true;
    this.wake();
    await this.#running?.catch(() => {});
    if (remove && this.location) await this.#remove(this.location);
  }

  async #run() {
    this.#options.scope?.addEventListener("online", this.#onOnline);
    try {
      this.#become("hashing");
      const bytes = await this.#read();
      const sha256 = tus.hex(await this.#options.digest(bytes));
      this.#stopIfAborted();
      const location = await this.#transfer(bytes, sha256);
      this.#become("done");
      return { id: idOf(location), location, sha256 };
    } catch (error) {
      this.#become("failed");
      throw error;
    } finally {
      this.#options.scope?.removeEventListener("online", this.#onOnline);
    }
  }

  /** @returns {Promise<Uint8Array<ArrayBuffer>>} */
  async #read() {
    const { file, limits } = this.#options;
    if (file.size === 0) throw new ServerError("empty_file");
    if (file.size > limits.file_bytes) throw new ServerError("too_large");
    const bytes = await file.arrayBuffer().then(
      (buffer) => new Uint8Array(buffer),
      (cause) => {
        throw new ServerError("unreadable_file", "the file could not be read", { cause });
      },
    );
    const type = sniffType(bytes.subarray(0, SNIFF_BYTES));
    if (!type || !limits.file_types.includes(type)) {
      throw new ServerError("wrong_type", `this is ${type ?? "of no known type"}`);
    }
    return bytes;
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes @param {string} sha256 @returns {Promise<string>} */
  async #transfer(bytes, sha256) {
    /** @type {number | null} */
    let at = null;
    while (at === null || at < bytes.length) {
      try {
        at = await this.#step(bytes, sha256, at);
        this.#stopIfAborted();
        this.#advance(at);
      } catch (error) {
        this.#stopIfAborted();
        await this.#pause(error);
        this.#stopIfAborted();
        at = null;
      }
    }
    return /** @type {string} */ (this.location);
  }

  /**
   * Announce the file, ask for the offset, or send a chunk: whatever comes next.
   * @param {Uint8Array<ArrayBuffer>} bytes
   * @param {string} sha256
   * @param {number | null} at
   * @returns {Promise<number>}
   */
  async #step(bytes, sha256, at) {
    const location = this.location;
    if (location === null) {
      const file = { name: this.name, size: bytes.length, sha256 };
      const made = await this.#ask((wire) => tus.create(wire, this.#options.url, file));
      this.location = made;
      this.dispatchEvent(new CustomEvent("created", { detail: { location: made, sha256, bytes } }));
      return 0;
    }
    this.#created = true;
    if (at === null) return this.#ask((wire) => tus.offset(wire, location));
    const chunk = bytes.subarray(at, at + this.#chunk);
    const digest = await this.#options.digest(chunk);
    const began = this.#options.now();
    const next = await this.#ask((wire) => tus.append(wire, location, at, chunk, digest));
    this.#resize(this.#options.now() - began);
    return next;
  }

  /** @template T @param {(wire: tus.Wire) => Promise<T>} ask @returns {Promise<T>} */
  async #ask(ask) {
    const { fetch, csrf, setTimer, clearTimer } = this.#options;
    const request = new AbortController();
    const timer = setTimer(() => request.abort(), REQUEST_MS);
    this.#request = request;
    try {
      const token = await csrf({ fresh: this.#freshCsrf });
      this.#freshCsrf = false;
      return await ask({ fetch, csrf: token, signal: request.signal });
    } finally {
      clearTimer(timer);
      this.#request = null;
    }
  }

  /** @param {number} ms that the last chunk took */
  #resize(ms) {
    if (ms < FAST_MS) this.#chunk = Math.min(this.#chunk * 2, MAX_CHUNK_BYTES);
    else if (ms > SLOW_MS) this.#chunk = Math.max(this.#chunk / 2, MIN_CHUNK_BYTES);
  }

  /** @param {number} at */
  #advance(at) {
    this.#sent = at;
    if (at > this.#best) {
      this.#best = at;
      this.#tries = this.#passing = 0;
    }
    this.#become("sending");
  }

  /** Wait before the next try, or give the error on when there shall be none. @param {unknown} error */
  async #pause(error) {
    if (!(error instanceof ServerError)) throw error;
    this.#freshCsrf = error.code === "csrf";
    if (PASSING.has(error.code)) this.#passing += 1;
    else if (!AWAY.has(error.code)) throw error;
    if (this.#passing > MAX_PASSING) throw error;
    this.#become("waiting");
    const { setTimer, clearTimer, random } = this.#options;
    const wait = backoffMs(this.#tries, random(), RETRY_SECONDS);
    this.#tries += 1;
    await new Promise((resolve) => {
      const timer = setTimer(() => resolve(null), wait);
      this.#wakeUp = () => {
        clearTimer(timer);
        resolve(null);
      };
    });
    this.#wakeUp = null;
  }

  #stopIfAborted() {
    if (this.#aborted) throw new ServerError("aborted");
  }

  /** The server forgets unfinished files by itself; this is only sooner. @param {string} location */
  async #remove(location) {
    await this.#ask((wire) => tus.remove(wire, location)).catch(() => {});
  }

  /** @param {Phase} phase */
  #become(phase) {
    this.phase = phase;
    const detail = { phase, sent: this.#sent, total: this.total };
    this.dispatchEvent(new CustomEvent("progress", { detail }));
  }
}

/**
 * Take an unfinished file back from the server; rejects with its error.
 * @param {Pick<UploadOptions, "csrf" | "fetch">} options
 * @param {string} location
 */
export async function withdraw({ csrf, fetch = globalThis.fetch }, location) {
  const signal = AbortSignal.timeout(REQUEST_MS);
  await tus.remove({ fetch, csrf: await csrf(), signal }, location);
}

/** @param {string} location */
function idOf(location) {
  return new URL(location).pathname.split("/").at(-1) ?? "";
}
