/** The bar of 判定: the ways that the procedure has, each through its dialog; what is locked says why. */
import { ApprovalChip, approvalState } from "./approvals.js";
import { deskAdvice } from "./flow.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { outcomesOf } from "./procedure.js";
import { outcomeLock } from "./view.js";
import { t } from "./words.js";

/** @type {readonly {outcome: import("../lib/protocol.js").Outcome, kind: string, icon: string}[]} */
const WAYS = [
  { outcome: "verified", kind: "ok yes", icon: "check" },
  { outcome: "completed", kind: "ok yes", icon: "check" },
  { outcome: "returned", kind: "plain", icon: "return" },
  { outcome: "refused", kind: "stop", icon: "xc" },
  { outcome: "aborted", kind: "plain", icon: "pause" },
];

/** Locks that stand for most of a call: what is wrong with the line is told before them. */
const USUAL = new Set(["decide.locked.steps", "decide.locked.senior"]);

/**
 * What is told beside the buttons: a lock, breaking off that is offered, what to do about the line, what the steps want, else the way on.
 * @param {readonly (string | null)[]} locks
 * @param {import("./model.js").CallNoun} call
 * @param {import("../lib/protocol.js").QualityNoun | null} quality
 * @returns {{key: string, urgent: boolean}}
 */
export function decisionWords(locks, call, quality) {
  const lock = locks.find((one) => one !== null && !USUAL.has(one));
  if (lock) return { key: lock, urgent: false };
  if (quality?.abort_offered) return { key: "quality.abort", urgent: true };
  if (call.state === "deciding") return { key: "decide.deciding", urgent: false };
  const advice = deskAdvice(quality);
  if (advice) return { key: advice, urgent: true };
  return { key: locks.find(Boolean) ?? "decide.any", urgent: false };
}

/** A senior's confirmation that the decision wants: asked by this button, then how it stands. @param {{app: import("./model.js").DeskApp}} props */
function Confirmation({ app }) {
  const steps = app.steps.noun.value;
  const approval = steps?.approvals.findLast(({ about }) => about === "decision");
  if (!steps || steps.missing.length || !(steps.approval_wanted || approval)) return null;
  return html`${approval && html`<${ApprovalChip} approval=${approval} />`}
    ${approval?.approved === false && html`<span class="dim said" title=${approval.answer}>${approval.answer}</span>`}
    ${steps.approval_wanted &&
    approvalState(approval) !== "asked" &&
    html`<button class="btn primary" type="button" aria-haspopup="dialog" onClick=${() => (app.steps.asking.value = "decision")}>
      <${Icon} name="people" />${t("senior.ask")}
    </button>`}`;
}

/** @param {{app: import("./model.js").DeskApp, call: import("./model.js").CallNoun}} props */
export function DecisionBar({ app, call }) {
  const line = app.store.connection.value;
  const open = outcomesOf(app, call.procedure);
  const ways = WAYS.filter(({ outcome }) => open.includes(outcome));
  const steps = app.steps.noun.value;
  const locks = ways.map(({ outcome }) => outcomeLock(outcome, call, line, steps));
  const quality = app.store.quality.value;
  const values = { n: steps?.missing.length ?? 0, outcome: t(`outcome.${ways[0]?.outcome ?? "verified"}`) };
  const { key, urgent } = decisionWords(locks, call, quality);
  const offered = key === "quality.abort" ? "aborted" : null;
  return html`<footer class="decide" aria-label=${t("decide.title")}>
    <p class="why ${urgent ? "urgent" : ""}" id="decide-why">
      ${urgent ? html`<${Icon} name="alert" />` : html`<b>${t("decide.title")}</b> `}
      <span role="status">${urgent && t(key)}</span>${!urgent && t(key, values)}
    </p>
    ${call.state === "deciding" &&
    app.dialog.value === null &&
    html`<button class="btn" type="button" onClick=${app.putOff}><${Icon} name="left" />${t("decide.back")}</button>`}
    <${Confirmation} app=${app} />
    ${ways.map(({ outcome, kind, icon }, index) => {
      const locked = locks[index] !== null || app.busy.value;
      return html`<button
        key=${outcome}
        class="btn ${kind} ${outcome === offered ? "offered" : ""}"
        type="button"
        id=${`decide-${outcome}`}
        aria-haspopup="dialog"
        aria-disabled=${locked ? "true" : undefined}
        aria-describedby=${locks[index] ? "decide-why" : undefined}
        title=${locks[index] ? t(/** @type {string} */ (locks[index]), values) : undefined}
        onClick=${() => !locked && app.decide(outcome)}
      >
        <${Icon} name=${locks[index] ? "lock" : icon} />${t(`outcome.${outcome}`)}
      </button>`;
    })}
  </footer>`;
}
