/**
 * Ids that a page makes: 22 characters of base64url, 16 random bytes (PROTOCOL.md).
 */

const PAGE_KEY = "madoguchi.page";
const SHAPE = /^[A-Za-z0-9_-]{22}$/;

/**
 * Make an id.
 * @param {{getRandomValues: (bytes: Uint8Array<ArrayBuffer>) => unknown}} [source]
 */
export function newId(source = globalThis.crypto) {
  const bytes = new Uint8Array(16);
  source.getRandomValues(bytes);
  const base64 = btoa(String.fromCharCode(...bytes));
  return base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * The id of this page, the same after a reload. A storage that refuses gives a fresh one.
 * @param {Pick<Storage, "getItem" | "setItem"> | null} storage `sessionStorage`
 */
export function loadPageId(storage) {
  try {
    const kept = storage?.getItem(PAGE_KEY);
    if (kept && SHAPE.test(kept)) return kept;
    const made = newId();
    storage?.setItem(PAGE_KEY, made);
    return made;
  } catch {
    return newId();
  }
}

/** A reloaded page may ask before the browser has let go of its former self. */
const CLAIM_MS = 500;

/**
 * The id of this page, which no other page has: a duplicated tab copies the storage, and would
 * take the seat of the first without asking. The page holds a lock by the name of its id as long
 * as it lives. A browser without locks gives the id of `loadPageId`.
 * @param {Pick<Storage, "getItem" | "setItem"> | null} storage `sessionStorage`
 * @param {Pick<LockManager, "request"> | undefined} [locks]
 * @param {number} [waitMs] how long another page may still hold the id
 */
export async function claimPageId(storage, locks = globalThis.navigator?.locks, waitMs = CLAIM_MS) {
  const id = loadPageId(storage);
  if (!locks || (await hold(locks, id, waitMs))) return id;
  storage?.setItem(PAGE_KEY, "");
  const fresh = loadPageId(storage);
  await hold(locks, fresh, waitMs);
  return fresh;
}

/** @param {Pick<LockManager, "request">} locks @param {string} id @param {number} waitMs @returns {Promise<boolean>} false: another page has it */
function hold(locks, id, waitMs) {
  return new Promise((resolve) => {
    const keep = () => {
      resolve(true);
      return new Promise(() => {});
    };
    const signal = AbortSignal.timeout(waitMs);
    // What fails without time running out is no other page, but a browser that refuses locks.
    locks.request(`${PAGE_KEY}.${id}`, { signal }, keep).catch(() => resolve(!signal.aborted));
  });
}
