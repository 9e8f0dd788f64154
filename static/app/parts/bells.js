/** How a call makes itself known at the desk: the tone to try, and leave to notify. */
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { Notice } from "./notice.js";
import { t } from "./words.js";

/** A browser lets no sound out before the page is touched: nobody would hear a call. @param {{app: import("./model.js").DeskApp}} props */
export function Asleep({ app }) {
  return app.asleep.value && html`<${Notice} kind="warn" icon="speaker" role="status">${t("queue.asleep")}<//>`;
}

/** Trying the tone and letting the browser notify. @param {{app: import("./model.js").DeskApp}} props */
export function Bells({ app }) {
  return html`<div class="row wrap">
    <button class="btn low" type="button" onClick=${app.tryRing}><${Icon} name="speaker" />${t("queue.try_ring")}</button>
    ${app.asleep.value && html`<span class="chip warn"><${Icon} name="speaker" />${t("queue.asleep")}</span>`}
    ${app.permission.value === "default" &&
    html`<button class="btn plain low" type="button" onClick=${app.askPermission}><${Icon} name="bell" />${t("queue.notify")}</button>`}
    ${app.permission.value === "granted" && html`<span class="chip ok"><${Icon} name="bell" />${t("queue.notify.on")}</span>`}
    ${app.permission.value === "denied" && html`<span class="chip warn"><${Icon} name="bell" />${t("queue.notify.off")}</span>`}
  </div>`;
}
