/** A received image, whole; it comes from the server as it is offered and is not kept. */
import { bytes } from "../lib/format.js";
import { Dialog } from "./dialog.js";
import { html, useState } from "./html.js";
import { Notice } from "./notice.js";
import { t } from "./words.js";

/** @param {{file: import("./model.js").FileNoun, url: string, onClose: () => void, action?: import("./html.js").Node}} props */
export function Viewer({ file, url, onClose, action }) {
  const [failed, setFailed] = useState(false);
  const foot = html`<span class="dim push-end">${bytes(file.offered_bytes ?? file.size_bytes)}</span>
    ${action}
    <button class="btn primary" type="button" onClick=${onClose}>${t("common.close")} <kbd>Esc</kbd></button>`;
  return html`<${Dialog} title=${file.name} onClose=${onClose} foot=${foot} size="full">
    ${failed
      ? html`<${Notice} kind="warn" icon="alert" role="alert">${t("files.image_failed")}<//>`
      : html`<img class="viewed" src=${url} alt=${t("files.image", { name: file.name })} onError=${() => setFailed(true)} />`}
  <//>`;
}
