/** What a person or a tablet is handed, once: a code, a link or a first PIN. It stays until it is put away. */
import { dateTime } from "../lib/format.js";
import { Dialog } from "./dialog.js";
import { html } from "./html.js";
import { Notice } from "./notice.js";
import { language, t } from "./words.js";

/** @param {{handed: import("./administration-model.js").Handed, onClose: () => void}} props */
export function Handed({ handed, onClose }) {
  const foot = html`<button class="btn primary" type="button" onClick=${onClose}>${t("handed.done")}</button>`;
  const secret = handed.kind === "pin" ? `${handed.secret.slice(0, 4)} ${handed.secret.slice(4)}` : handed.secret;
  return html`<${Dialog} title=${t(`handed.${handed.kind}`, { name: handed.name })} onClose=${onClose} foot=${foot} size="wide">
    <div class="stack">
      <p>${t(`handed.${handed.kind}.what`)}</p>
      <p class=${`handed mono ${handed.kind}`}>${secret}</p>
      ${handed.kind === "code" && html`<p class="mono small breaks">${handed.link}</p>`}
      <${Notice} kind="warn">${t("handed.once", { until: dateTime(handed.until, language()) })}<//>
    </div>
  <//>`;
}
