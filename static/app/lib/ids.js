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
