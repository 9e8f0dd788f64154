/**
 * The key of this tablet (PROTOCOL.md section 1.1): made in the browser, kept in IndexedDB, never out of it.
 *
 *     const tablet = createTabletKey();
 *     const claim = await tablet.claim(code);      // a fresh key that waits: {key, signature}
 *     await tablet.keep();                         // the server has taken it: this is the tablet's key now
 *     await tablet.page(asked); await tablet.socket(asked, pageId);
 *     await tablet.offer(asked, callId, connection, sdp);
 *
 * `asked` is what the server said as `challenge`. Where there is no key, or the browser keeps none,
 * each rejects with `ServerError` `key_missing`.
 */
import { ServerError } from "./errors.js";

export const DOMAIN = "madoguchi tablet-key v1";
const DATABASE = "madoguchi-tablet";
const TABLE = "keys";
const NOW = "now";
const NEXT = "next";
const KIND = { name: "ECDSA", namedCurve: "P-256" };
const SIGNING = { name: "ECDSA", hash: "SHA-256" };
const FINGERPRINT = /^a=fingerprint:(\S+)[ \t]+(\S+)[ \t]*\r?$/gm;

/**
 * @typedef {{challenge: string, issued_at: string, municipality: string, tablet: string}} Asked
 * @typedef {{get: (name: string) => Promise<CryptoKeyPair | undefined>, put: (name: string, pair: CryptoKeyPair) => Promise<void>, remove: (name: string) => Promise<void>}} Keys
 */

/**
 * @param {object} [options]
 * @param {() => Promise<Keys>} [options.open]
 * @param {SubtleCrypto} [options.subtle]
 */
export function createTabletKey(options = {}) {
  const { open = () => openKeys(globalThis.indexedDB), subtle = globalThis.crypto?.subtle } = options;

  /** @template T @param {(keys: Keys) => Promise<T>} use @returns {Promise<T>} */
  async function among(use) {
    try {
      return await use(await open());
    } catch (cause) {
      throw new ServerError("key_missing", "this browser keeps no key", { cause });
    }
  }

  /** @param {CryptoKeyPair} pair @param {string} purpose @param {string[]} fields */
  async function signed(pair, purpose, fields) {
    const message = utf8([DOMAIN, purpose, ...fields].join("\n"));
    return base64url(await subtle.sign(SIGNING, pair.privateKey, message));
  }

  /** @param {string} purpose @param {string[]} fields */
  async function sign(purpose, fields) {
    const pair = await among((keys) => keys.get(NOW));
    if (!pair) throw new ServerError("key_missing", "this browser has no key of a tablet");
    return signed(pair, purpose, fields);
  }

  /** @param {Asked} asked */
  const who = (asked) => [asked.municipality, asked.tablet, asked.challenge, asked.issued_at];

  return {
    /** Make a key to enrol with; the one in use stays until `keep`. @param {string} secret the code or token */
    async claim(secret) {
      if (!subtle) throw new ServerError("key_missing", "this page is not in a secure context");
      const pair = await subtle.generateKey(KIND, false, ["sign", "verify"]);
      await among((keys) => keys.put(NEXT, pair));
      const key = base64url(await subtle.exportKey("spki", pair.publicKey));
      return { key, signature: await signed(pair, "enrol", [secret, key]) };
    },
    /** The key that was made last is the tablet's from now on. */
    keep: () =>
      among(async (keys) => {
        const pair = await keys.get(NEXT);
        if (!pair) throw new Error("no key was made");
        await keys.put(NOW, pair);
        await keys.remove(NEXT);
      }),
    /** @param {Asked} asked */
    page: (asked) => sign("page", who(asked)),
    /** @param {Asked} asked @param {string} pageId */
    socket: (asked, pageId) => sign("socket", [...who(asked), pageId]),
    /** @param {Asked} asked @param {string} call @param {number} connection @param {string} sdp */
    async offer(asked, call, connection, sdp) {
      const digest = hex(await subtle.digest("SHA-256", utf8(sdp)));
      return sign("offer", [...who(asked), call, String(connection), fingerprintsOf(sdp), digest]);
    },
  };
}

/** Every certificate fingerprint of an SDP, each once, in order. @param {string} sdp */
export function fingerprintsOf(sdp) {
  const found = [...sdp.matchAll(FINGERPRINT)].map(([, name, value]) => `${name.toLowerCase()} ${value.toUpperCase()}`);
  return [...new Set(found)].sort().join(",");
}

/**
 * Keys in IndexedDB, as the browser's own objects: what cannot be taken out stays so.
 * @param {IDBFactory | undefined} factory
 * @returns {Promise<Keys>}
 */
export async function openKeys(factory) {
  if (!factory) throw new Error("this browser has no IndexedDB");
  const opening = factory.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE);
  const database = await done(opening);
  const table = (/** @type {IDBTransactionMode} */ mode) => database.transaction(TABLE, mode).objectStore(TABLE);
  return {
    get: (name) => done(table("readonly").get(name)),
    put: async (name, pair) => void (await done(table("readwrite").put(pair, name))),
    remove: async (name) => void (await done(table("readwrite").delete(name))),
  };
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @param {ArrayBuffer} buffer */
function base64url(buffer) {
  const text = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** @param {ArrayBuffer} buffer */
function hex(buffer) {
  return [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {string} text */
function utf8(text) {
  return new TextEncoder().encode(text);
}
