/** The bar of 判定: four ways, each through its dialog; what is locked says why. */
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { outcomeLock } from "./view.js";
import { t } from "./words.js";

/** @type {readonly {outcome: import("../lib/protocol.js").Outcome, kind: string, icon: string}[]} */
const WAYS = [
  { outcome: "verified", kind: "ok yes", icon: "check" },
  { outcome: "returned", kind: "plain", icon: "return" },
  { outcome: "refused", kind: "stop", icon: "xc" },
  { outcome: "aborted", kind: "plain", icon: "pause" },
];

/** @param {{app: import("./model.js").DeskApp, call: import("./model.js").CallNoun}} props */
export function DecisionBar({ app, call }) {
  const line = app.store.connection.value;
  const locks = WAYS.map(({ outcome }) => outcomeLock(outcome, call, line));
  const why = locks.find(Boolean) ?? (call.state === "deciding" ? "decide.deciding" : "decide.any");
  return html`<footer class="decide" aria-label=${t("decide.title")}>
    <p class="why" id="decide-why"><b>${t("decide.title")}</b> ${t(why)}</p>
    ${call.state === "deciding" &&
    app.dialog.value === null &&
    html`<button class="btn" type="button" onClick=${app.putOff}><${Icon} name="left" />${t("decide.back")}</button>`}
    ${WAYS.map(({ outcome, kind, icon }, index) => {
      const locked = locks[index] !== null || app.busy.value;
      return html`<button
        key=${outcome}
        class="btn ${kind}"
        type="button"
        id=${`decide-${outcome}`}
        aria-haspopup="dialog"
        aria-disabled=${locked ? "true" : undefined}
        aria-describedby=${locks[index] ? "decide-why" : undefined}
        onClick=${() => !locked && app.decide(outcome)}
      >
        <${Icon} name=${locks[index] ? "lock" : icon} />${t(`outcome.${outcome}`)}
      </button>`;
    })}
  </footer>`;
}
