/** What the tablet's call before has left that broke off: taken over by one press, once. */
import { time } from "../lib/format.js";
import { html } from "./html.js";
import { Notice } from "./notice.js";
import { t } from "./words.js";

/** @param {{app: import("./model.js").DeskApp}} props */
export function Earlier({ app }) {
  const earlier = app.steps.noun.value?.earlier;
  if (!earlier || earlier.taken) return null;
  const { number, documents, files, things } = earlier;
  const action = html`<button class="btn low" type="button" onClick=${() => app.steps.takeOver(earlier.call)}>${t("earlier.take")}</button>`;
  return html`<${Notice} kind="info" small=${true} action=${action} title=${t("earlier.title", { number, at: time(earlier.closed_at) })}>
    ${t("earlier.what", { documents, files, things })}
  <//>`;
}
