/**
 * What the browser keeps for us: asking it not to forget, and reading where reading may be refused.
 */

/**
 * Ask the browser to keep our data (the tablet stays enrolled).
 * @param {Partial<Pick<StorageManager, "persist" | "persisted">> | undefined} [manager]
 * @returns {Promise<"kept" | "not_kept" | "unknown">}
 */
export async function persist(manager = globalThis.navigator?.storage) {
  if (!manager?.persist) return "unknown";
  try {
    if (await manager.persisted?.()) return "kept";
    return (await manager.persist()) ? "kept" : "not_kept";
  } catch {
    return "unknown";
  }
}

/**
 * A storage that never throws: where the browser refuses, values live as long as the page.
 * @param {() => Pick<Storage, "getItem" | "setItem" | "removeItem"> | undefined} open
 */
export function safeStorage(open) {
  /** @type {Map<string, string>} */
  const memory = new Map();
  /** @template T @param {(storage: Pick<Storage, "getItem" | "setItem" | "removeItem">) => T} use @param {T} otherwise */
  const attempt = (use, otherwise) => {
    try {
      const storage = open();
      return storage ? use(storage) : otherwise;
    } catch {
      return otherwise;
    }
  };
  return {
    /** @param {string} key @returns {string | null} */
    getItem: (key) => attempt((s) => s.getItem(key), null) ?? memory.get(key) ?? null,
    /** @param {string} key @param {string} value */
    setItem(key, value) {
      memory.set(key, value);
      attempt((s) => s.setItem(key, value), undefined);
    },
    /** @param {string} key */
    removeItem(key) {
      memory.delete(key);
      attempt((s) => s.removeItem(key), undefined);
    },
  };
}
