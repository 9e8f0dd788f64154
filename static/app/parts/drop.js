/** Files dropped anywhere on a page: whether some hover over it, and what to do with those let go. */
import { useEffect, useState } from "./html.js";

/**
 * Follow files over `target`. Entering a child tells before leaving its parent, so both are counted.
 * @param {Pick<EventTarget, "addEventListener" | "removeEventListener">} target
 * @param {{onOver: (over: boolean) => void, onFiles: (files: File[]) => void}} then
 * @returns {() => void} ends it
 */
export function followDrops(target, { onOver, onFiles }) {
  let inside = 0;
  /** @param {number} count */
  const become = (count) => {
    inside = Math.max(0, count);
    onOver(inside > 0);
  };
  /** @param {Event} raw */
  const hear = (raw) => {
    const event = /** @type {DragEvent} */ (raw);
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    if (event.type === "dragenter") become(inside + 1);
    if (event.type === "dragleave") become(inside - 1);
    if (event.type !== "drop") return;
    become(0);
    onFiles([...event.dataTransfer.files]);
  };
  const names = ["dragenter", "dragover", "dragleave", "drop"];
  for (const name of names) target.addEventListener(name, hear);
  return () => names.forEach((name) => target.removeEventListener(name, hear));
}

/** Take files anywhere on this page while the part is drawn. @param {(files: File[]) => void} onFiles @returns {boolean} whether some hover */
export function useDrops(onFiles) {
  const [over, setOver] = useState(false);
  useEffect(() => followDrops(document, { onOver: setOver, onFiles }), []);
  return over;
}
