/** 上席確認: asked at the desk with a written reason, answered by a senior in the call or from the queue. */
import { Dialog } from "./dialog.js";
import { html, useState } from "./html.js";
import { Icon } from "./icon.js";
import { Notice } from "./notice.js";
import { procedureName } from "./procedure.js";
import { validWords } from "./steps-words.js";
import { language, t } from "./words.js";

/**
 * @typedef {import("./model.js").DeskApp} DeskApp
 * @typedef {import("../lib/protocol.js").ApprovalNoun} ApprovalNoun
 */

/** In which of four ways a confirmation stands. @param {ApprovalNoun | undefined} approval */
export function approvalState(approval) {
  if (!approval) return "none";
  if (approval.approved === null) return "asked";
  return approval.approved ? "given" : "refused";
}

const LOOK = { none: ["warn", "alert"], asked: ["warn", "clock"], given: ["ok", "check"], refused: ["stop", "xc"] };

/** @param {{approval: ApprovalNoun | undefined}} props */
export function ApprovalChip({ approval }) {
  const state = approvalState(approval);
  const [kind, icon] = LOOK[state];
  return html`<span class="chip ${kind} wraps"><${Icon} name=${icon} />${t(`senior.state.${state}`, { name: approval?.answered_by?.name ?? "" })}</span>`;
}

/** The desk asks, and says why. @param {{app: DeskApp}} props */
export function ApprovalDialog({ app }) {
  const [reason, setReason] = useState("");
  const about = app.steps.asking.value;
  if (!about) return null;
  const lock = reason.trim() ? null : "senior.need.reason";
  const foot = html`<p class="why push-end" id="approval-why">${lock && t(lock)}</p>
    <button class="btn plain" type="button" onClick=${app.steps.putAway}>${t("common.back")} <kbd>Esc</kbd></button>
    <button
      class="btn primary"
      type="button"
      aria-disabled=${lock ? "true" : undefined}
      aria-describedby="approval-why"
      onClick=${() => !lock && app.steps.askApproval(about, reason.trim())}
    >
      <${Icon} name=${lock ? "lock" : "people"} />${t("senior.ask")}
    </button>`;
  return html`<${Dialog} title=${t(`senior.title.${about}`)} onClose=${app.steps.putAway} foot=${foot}>
    <p>${t(`senior.what.${about}`)}</p>
    <div class="field">
      <label for="approval-reason">${t("senior.reason")}</label>
      <textarea
        id="approval-reason"
        rows="3"
        maxlength="500"
        value=${reason}
        onInput=${(/** @type {{currentTarget: HTMLTextAreaElement}} */ event) => setReason(event.currentTarget.value)}
      ></textarea>
    </div>
    <${Notice} kind="info" small=${true}>${t("senior.note")}<//>
  <//>`;
}

/** What a senior is asked to confirm, with both answers. @param {{asked: ReturnType<typeof askedOf>, app: DeskApp}} props */
function ApprovalAnswer({ asked, app }) {
  const [answer, setAnswer] = useState("");
  const { call, about } = asked;
  const id = `approval-${call}-${about}`;
  const lock = answer.trim() ? null : "senior.need.answer";
  const give = (/** @type {boolean} */ approve) => app.answerApproval(call, about, approve, answer.trim() || null);
  return html`<section class="panel approval" aria-label=${t(`senior.title.${about}`)}>
    <header><h2>${t(`senior.title.${about}`)}</h2><span class="mono">${asked.number}</span></header>
    <div class="body stack tight">
      <p>${procedureName(app, asked.procedure)}・${asked.office} ${t("senior.asked_by", { name: asked.by })}</p>
      <p class="reason">${asked.reason}</p>
      ${asked.documents.length > 0 &&
      html`<ul>${asked.documents.map((shown) => html`<li key=${shown.kind}>${shown.name[language()]}・${validWords(shown).words}</li>`)}</ul>`}
      <div class="field tight">
        <label for=${id}>${t("senior.answer")}</label>
        <textarea id=${id} rows="2" maxlength="500" value=${answer} onInput=${(/** @type {{currentTarget: HTMLTextAreaElement}} */ event) => setAnswer(event.currentTarget.value)}></textarea>
      </div>
      <div class="row tight wrap">
        <button class="btn plain" type="button" onClick=${() => give(true)}><${Icon} name="check" />${t("senior.give")}</button>
        <button class="btn stop" type="button" aria-disabled=${lock ? "true" : undefined} aria-describedby=${`${id}-why`} onClick=${() => !lock && give(false)}>
          <${Icon} name=${lock ? "lock" : "xc"} />${t("senior.refuse")}
        </button>
        <span class="dim" id=${`${id}-why`}>${lock && t(lock)}</span>
      </div>
    </div>
  </section>`;
}

/** Everything that seniors are asked, the oldest first; in a call only what is asked of it. @param {{app: DeskApp, call?: string}} props */
export function ApprovalQueue({ app, call }) {
  const asked = app.store.approvals.value.filter((one) => call === undefined || one.call === call);
  return asked.map((one) => html`<${ApprovalAnswer} key=${`${one.call}-${one.about}`} asked=${askedOf(one)} app=${app} />`);
}

/** One line of the list as it is drawn. @param {import("../lib/protocol.js").AskedApproval} one */
const askedOf = (one) => ({ ...one, office: `${one.office.name} ${one.tablet.name}`, by: one.desk.name });
