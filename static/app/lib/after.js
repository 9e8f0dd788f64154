/**
 * Where a browser goes on after it was at the municipality's directory: kept by this tab alone,
 * taken once, and only to a page of ours that is meant for it.
 */
import { safeStorage } from "./storage.js";

const KEY = "madoguchi.after";
const OURS = /^\/(account\?page=(desk|officer)|factor#[A-Za-z0-9_-]{1,128})$/;

/** @param {() => Pick<Storage, "getItem" | "setItem" | "removeItem"> | undefined} [open] */
export function createAfter(open = () => globalThis.sessionStorage) {
  const storage = safeStorage(open);
  return {
    /** @param {string} path */
    keep: (path) => storage.setItem(KEY, path),
    /** The path that was kept, once; null without one. @returns {string | null} */
    take: () => {
      const path = storage.getItem(KEY);
      storage.removeItem(KEY);
      return path !== null && OURS.test(path) ? path : null;
    },
    /** Whether a recovery's link waits for half a sign-in. */
    waitsForHalf: () => (storage.getItem(KEY) ?? "").startsWith("/factor#"),
  };
}
