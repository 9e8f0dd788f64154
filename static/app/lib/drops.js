/**
 * A file that is dropped beside its place must not take the browser away from the call.
 */

/** Nothing but files: text may still be dragged into a line to write on. @param {Event} event */
function carriesFiles(event) {
  return /** @type {DragEvent} */ (event).dataTransfer?.types.includes("Files") ?? false;
}

/**
 * Hold files that are dropped where nobody takes them; a place that takes them has its turn first.
 * @param {Pick<EventTarget, "addEventListener">} [scope]
 */
export function holdDrops(scope = globalThis.window) {
  /** @param {Event} event */
  const hold = (event) => {
    if (event.defaultPrevented || !carriesFiles(event)) return;
    event.preventDefault();
    const { dataTransfer } = /** @type {DragEvent} */ (event);
    if (dataTransfer) dataTransfer.dropEffect = "none";
  };
  for (const name of ["dragover", "drop"]) scope.addEventListener(name, hold);
}
