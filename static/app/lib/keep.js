/**
 * Unfinished files over a reload of the page, sealed.
 *
 *     const keep = createKeep();
 *     await keep.put({key, call, location, name, bytes});
 *     for (const file of await keep.all(callId)) …
 *     await keep.remove(key);  await keep.clear();
 *
 * The bytes stand in IndexedDB under AES-GCM; the key stands in this tab's sessionStorage and goes
 * with the tab, so that nothing readable stays on a tablet. Where the browser has no IndexedDB (or
 * refuses it), files live as long as the page and a reload asks for them again.
 */
import { newId } from "./ids.js";
import { safeStorage } from "./storage.js";

const KEY = "madoguchi.keep";
const DATABASE = "madoguchi";
const TABLE = "unfinished";
/** Rows that this tab cannot open belong to another tab; older than this they belong to nobody. */
export const STALE_MS = 60 * 60 * 1000;

/**
 * @typedef {{key: string, call: string, location: string, name: string, bytes: Uint8Array<ArrayBuffer>}} Kept
 * @typedef {{key: string, at: number, nonce: Uint8Array<ArrayBuffer>, sealed: ArrayBuffer}} Row
 * @typedef {{put: (row: Row) => Promise<void>, all: () => Promise<Row[]>, remove: (key: string) => Promise<void>}} Rows
 */

/**
 * @param {object} [options]
 * @param {() => Promise<Rows>} [options.open]
 * @param {Pick<Storage, "getItem" | "setItem">} [options.storage] `sessionStorage`
 * @param {() => number} [options.now] ms
 */
export function createKeep(options = {}) {
  const browser = /** @type {any} */ (globalThis);
  const {
    open = () => openRows(browser.indexedDB),
    storage = safeStorage(() => browser.sessionStorage),
    now = Date.now,
  } = options;
  /** @type {Promise<Rows> | null} */
  let rows = null;
  const table = () => (rows ??= open().catch(memoryRows));

  return {
    /** @param {Kept} file */
    async put(file) {
      const nonce = crypto.getRandomValues(new Uint8Array(12));
      const key = await sealingKey(storage);
      const sealed = await crypto.subtle.encrypt(
        { name: "AES-GCM", iv: nonce, additionalData: utf8(file.key) },
        key,
        pack(file),
      );
      await (await table()).put({ key: file.key, at: now(), nonce, sealed });
    },
    /** What this tab has left of a call; what nobody can open any more is thrown away. @param {string} call */
    async all(call) {
      const from = await table();
      const key = await sealingKey(storage);
      /** @type {Kept[]} */
      const found = [];
      for (const row of await from.all()) {
        const file = await unseal(row, key);
        if (file?.call === call) found.push(file);
        else if (file || now() - row.at > STALE_MS) await from.remove(row.key);
      }
      return found;
    },
    /** @param {string} key */
    async remove(key) {
      await (await table()).remove(key);
    },
    /** Throw everything away that this tab can open. */
    async clear() {
      await this.all("");
    },
  };
}

/** @param {Pick<Storage, "getItem" | "setItem">} storage */
async function sealingKey(storage) {
  let text = storage.getItem(KEY);
  if (!text) {
    text = newId() + newId();
    storage.setItem(KEY, text);
  }
  const digest = await crypto.subtle.digest("SHA-256", utf8(text));
  return crypto.subtle.importKey("raw", digest, "AES-GCM", false, ["encrypt", "decrypt"]);
}

/** @param {Row} row @param {CryptoKey} key @returns {Promise<Kept | null>} */
async function unseal(row, key) {
  try {
    const algorithm = { name: "AES-GCM", iv: row.nonce, additionalData: utf8(row.key) };
    return unpack(row.key, new Uint8Array(await crypto.subtle.decrypt(algorithm, key, row.sealed)));
  } catch {
    return null;
  }
}

/** A length, a head in JSON, the bytes. @param {Kept} file */
function pack({ call, location, name, bytes }) {
  const head = utf8(JSON.stringify({ call, location, name }));
  const packed = new Uint8Array(4 + head.length + bytes.length);
  new DataView(packed.buffer).setUint32(0, head.length);
  packed.set(head, 4);
  packed.set(bytes, 4 + head.length);
  return packed;
}

/** @param {string} key @param {Uint8Array<ArrayBuffer>} packed @returns {Kept} */
function unpack(key, packed) {
  const length = new DataView(packed.buffer).getUint32(0);
  const head = JSON.parse(new TextDecoder().decode(packed.subarray(4, 4 + length)));
  return { ...head, key, bytes: packed.subarray(4 + length) };
}

/** @param {string} text */
function utf8(text) {
  return new TextEncoder().encode(text);
}

/** Rows that live as long as the page. @returns {Rows} */
export function memoryRows() {
  /** @type {Map<string, Row>} */
  const rows = new Map();
  return {
    put: async (row) => void rows.set(row.key, row),
    all: async () => [...rows.values()],
    remove: async (key) => void rows.delete(key),
  };
}

/**
 * Rows in IndexedDB; rejects where there is none.
 * @param {IDBFactory | undefined} factory
 * @returns {Promise<Rows>}
 */
export async function openRows(factory) {
  if (!factory) throw new Error("this browser has no IndexedDB");
  const opening = factory.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE, { keyPath: "key" });
  const database = await done(opening);
  const table = (/** @type {IDBTransactionMode} */ mode) =>
    database.transaction(TABLE, mode).objectStore(TABLE);
  return {
    put: async (row) => void (await done(table("readwrite").put(row))),
    all: () => done(table("readonly").getAll()),
    remove: async (key) => void (await done(table("readwrite").delete(key))),
  };
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
