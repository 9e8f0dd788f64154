/** A modal dialog on the browser's own <dialog>: focus stays inside, Esc closes the dialog and never a call. */
import { html, useEffect, useRef } from "./html.js";

let serial = 0;

/**
 * @param {{title: string, onClose: () => void, foot?: import("./html.js").Node, size?: "" | "wide" | "full", children?: import("./html.js").Node}} props
 */
export function Dialog({ title, onClose, foot, size = "", children }) {
  const box = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const id = useRef(`dialog-${(serial += 1)}`);
  useEffect(() => {
    const before = document.activeElement;
    box.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  /** @param {Event} event */
  const cancel = (event) => {
    event.preventDefault();
    onClose();
  };
  return html`<dialog ref=${box} class=${size} aria-labelledby=${id.current} onCancel=${cancel}>
    <div class="head"><h2 id=${id.current}>${title}</h2></div>
    <div class="body">${children}</div>
    ${foot && html`<div class="foot">${foot}</div>`}
  </dialog>`;
}
