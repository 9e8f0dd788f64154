/** Keys of the desk: Alt with one letter, never a single letter, never while an input method composes. */

/**
 * Whether a key belongs to an input method. Safari ends the composition before the key that confirms
 * it; only its code, 229, still says so.
 * @param {Pick<KeyboardEvent, "isComposing" | "keyCode">} event
 */
export const composes = (event) => event.isComposing || event.keyCode === 229;

/**
 * Follow the keys; `keys` maps a letter to what it does. The answer ends it.
 * @param {Record<string, () => void>} keys
 * @param {Pick<EventTarget, "addEventListener" | "removeEventListener">} [target]
 */
export function followKeys(keys, target = document) {
  /** @param {Event} raw */
  const press = (raw) => {
    const event = /** @type {KeyboardEvent} */ (raw);
    if (!event.altKey || event.ctrlKey || event.metaKey || composes(event) || event.repeat) return;
    // `code` names the key itself: with Alt some layouts put another letter into `key`.
    const run = keys[event.code.replace("Key", "")];
    if (!run) return;
    event.preventDefault();
    run();
  };
  target.addEventListener("keydown", press);
  return () => target.removeEventListener("keydown", press);
}
