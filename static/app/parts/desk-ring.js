/** A call that rings at this desk. */
import { Elapsed, secondsUntil } from "./clock.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { procedureName } from "./procedure.js";
import { TrainingChip } from "./training.js";
import { t } from "./words.js";

/** Seconds until it goes on to the next desk, or null when it does not say. @param {import("./model.js").DeskApp} app @param {import("./model.js").CallNoun} call */
function secondsLeft(app, call) {
  const limit = app.store.limits.value?.ring_seconds;
  if (!call.ringing_since || !limit) return null;
  const until = new Date(Date.parse(call.ringing_since) + limit * 1000).toISOString();
  return secondsUntil(until, app.now.value);
}

/** @param {{app: import("./model.js").DeskApp, call: import("./model.js").CallNoun}} props */
export function DeskRing({ app, call }) {
  const left = secondsLeft(app, call);
  return html`<section class="ringing" aria-label=${t("ring.title")}>
    <${Icon} name="bell" class="bell" />
    <div>
      <h2>${t("ring.title")} ${call.office.name} ${call.tablet.name}<${TrainingChip} call=${call} /></h2>
      <p>${procedureName(app, call.procedure)}・${t("ring.clerk", { name: call.clerk.name })}</p>
      <p>
        ${t("ring.waited")} <b><${Elapsed} from=${call.placed_at} now=${app.now} /></b>
        ${left !== null && html`<span class="dim"> ${t("ring.left", { n: left })}</span>`}
      </p>
    </div>
    <div class="row">
      <button class="btn plain big" type="button" onClick=${() => app.pass(call.id)}>${t("ring.pass")}</button>
      <button class="btn primary big" type="button" aria-disabled=${app.busy.value ? "true" : undefined} onClick=${() => app.accept(call.id)}>
        <${Icon} name="phone" />${t("queue.accept")} <kbd>Alt+A</kbd>
      </button>
    </div>
  </section>`;
}
