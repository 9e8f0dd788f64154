/** A question before what is hard to undo; the button says what will happen. */
import { Dialog } from "./dialog.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { t } from "./words.js";

/**
 * @param {{title: string, verb: string, stop?: boolean, onYes: () => unknown, onClose: () => void, children?: import("./html.js").Node}} props
 */
export function Confirm({ title, verb, stop = false, onYes, onClose, children }) {
  const yes = () => {
    onClose();
    onYes();
  };
  const foot = html`<button class="btn plain" type="button" onClick=${onClose}>${t("common.back")}</button>
    <button class=${`btn ${stop ? "stop" : "primary"}`} type="button" onClick=${yes}><${Icon} name=${stop ? "x" : "check"} />${verb}</button>`;
  return html`<${Dialog} title=${title} onClose=${onClose} foot=${foot}><div class="stack">${children}</div><//>`;
}

/** A labelled field of a form. @param {{id: string, label: string, hint?: string, type?: string, value: string, onInput: (value: string) => void, required?: boolean, max?: number}} props */
export function Field({ id, label, hint, type = "text", value, onInput, required = false, max = 200 }) {
  const limits = type === "text" ? { maxlength: max } : {};
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <input id=${id} type=${type} ...${limits} value=${value} required=${required} aria-describedby=${hint ? `${id}-hint` : undefined} onInput=${(/** @type {any} */ event) => onInput(event.currentTarget.value)} />
    ${hint && html`<span class="hint" id=${`${id}-hint`}>${hint}</span>`}
  </div>`;
}
