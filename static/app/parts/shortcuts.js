/** Keys of the desk: Alt with one letter, never a single letter, never while an input method composes. */

/**
 * Follow the keys; `keys` maps a letter to what it does. The answer ends it.
 * @param {Record<string, () => void>} keys
 * @param {Pick<EventTarget, "addEventListener" | "removeEventListener">} [target]
 */
export function followKeys(keys, target = document) {
  /** @param {Event} raw */
  const press = (raw) => {
    const event = /** @type {KeyboardEvent} */ (raw);
    if (!event.altKey || event.ctrlKey || event.metaKey || event.isComposing || event.repeat) return;
    // `code` names the key itself: with Alt some layouts put another letter into `key`.
    const run = keys[event.code.replace("Key", "")];
    if (!run) return;
    event.preventDefault();
    run();
  };
  target.addEventListener("keydown", press);
  return () => target.removeEventListener("keydown", press);
}
