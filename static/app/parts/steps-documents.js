/** Identity documents of a call at the desk: which were shown, whether each counts on the day, and what is still wanted. */
import { ApprovalChip, approvalState } from "./approvals.js";
import { KindOptions } from "./desk-cards.js";
import { grantsOf } from "../lib/steps.js";
import { html, useState } from "./html.js";
import { Icon } from "./icon.js";
import { validWords, waysWords } from "./steps-words.js";
import { language, t } from "./words.js";

/**
 * @typedef {import("./model.js").DeskApp} DeskApp
 * @typedef {import("../lib/steps.js").Need} Need
 * @typedef {import("../lib/protocol.js").ShownNoun} ShownDocument
 */

/** @param {{app: DeskApp, need: Need, shown: ShownDocument}} props */
function DocumentRow({ app, need, shown }) {
  const name = shown.name[language()];
  const valid = validWords(shown);
  return html`<li class="document">
    <b>${name}</b>
    <span class="chip ${valid.kind} wraps"><${Icon} name=${valid.kind === "ok" ? "check" : "xc"} />${t(`documents.class.${shown.document_class}.short`)}・${valid.words}</span>
    <button class="btn plain low" type="button" aria-label=${t("documents.remove", { name })} onClick=${() => app.steps.document(need, { kind: shown.kind, expires: null, on: false })}>
      <${Icon} name="x" />
    </button>
  </li>`;
}

/** Why a document cannot be added yet, as a key of the words, or null. @param {string} kind @param {string} expires @param {boolean} without */
export function addLock(kind, expires, without) {
  if (!kind) return "documents.need.kind";
  if (!without && !/^\d{4}-\d{2}-\d{2}$/.test(expires)) return "documents.need.expires";
  return null;
}

/** One more document: its kind, and the day until which it is valid. @param {{app: DeskApp, need: Need}} props */
function AddDocument({ app, need }) {
  const [kind, setKind] = useState("");
  const [expires, setExpires] = useState("");
  const [without, setWithout] = useState(false);
  const lock = addLock(kind, expires, without);
  /** @param {Event} event */
  const add = (event) => {
    event.preventDefault();
    if (lock) return;
    app.steps.document(need, { kind, expires: without ? null : expires, on: true });
    app.cardKind.value = kind;
    setKind("");
    setExpires("");
    setWithout(false);
  };
  return html`<form class="add-document" onSubmit=${add}>
    <select aria-label=${t("documents.kind")} id="document-kind" value=${kind} onChange=${(/** @type {{currentTarget: HTMLSelectElement}} */ event) => setKind(event.currentTarget.value)}>
      <option value="">${t("documents.choose")}</option>
      <${KindOptions} kinds=${app.kinds.value} />
    </select>
    <div class="row tight">
      <input
        aria-label=${t("documents.expires")}
        type="date"
        id="document-expires"
        lang=${language()}
        disabled=${without}
        value=${expires}
        onInput=${(/** @type {{currentTarget: HTMLInputElement}} */ event) => setExpires(event.currentTarget.value)}
      />
      <label class="pick"><input type="checkbox" checked=${without} onChange=${() => setWithout(!without)} />${t("documents.without")}</label>
    </div>
    <button class="btn low wide" type="submit" aria-disabled=${lock ? "true" : undefined} title=${lock ? t(lock) : undefined}>
      <${Icon} name=${lock ? "lock" : "check"} />${t("documents.add")}
    </button>
  </form>`;
}

/** What goes with the documents, where the rule knows it. @param {{app: DeskApp, need: Need, what: "pin" | "notice", on: boolean}} props */
const Grant = ({ app, need, what, on }) => html`<label class="pick">
  <input type="checkbox" checked=${on} onChange=${() => app.steps.grant(need, what, !on)} />${t(`documents.grant.${what}`)}
</label>`;

/** Too few documents: a senior may let them pass, when the desk says why. @param {{app: DeskApp, need: Need}} props */
function Override({ app, need }) {
  const approval = app.steps.noun.value?.approvals.findLast(({ about }) => about === "documents");
  const state = approvalState(approval);
  return html`${approval && html`<${ApprovalChip} approval=${approval} />${approval.answer && html`<p>${approval.answer}</p>`}`}
    ${!need.done &&
    state !== "asked" &&
    html`<button class="btn plain low wide" type="button" aria-haspopup="dialog" onClick=${() => (app.steps.asking.value = "documents")}>
      <${Icon} name="people" />${t("documents.override")}
    </button>`}`;
}

/** @param {{app: DeskApp, need: Need}} props */
export function DocumentsNeed({ app, need }) {
  const { documents } = need;
  if (!documents) return null;
  const grants = grantsOf(documents);
  return html`
    <p class=${need.done ? "chip ok wraps" : "chip warn wraps"} role="status">
      <${Icon} name=${need.done ? "okc" : "alert"} />${need.done ? t(documents.excused ? "documents.excused" : "documents.enough") : waysWords(documents.ways)}
    </p>
    <ul>${documents.shown.map((shown) => html`<${DocumentRow} key=${shown.kind} app=${app} need=${need} shown=${shown} />`)}</ul>
    ${grants.includes("pin") && html`<${Grant} app=${app} need=${need} what="pin" on=${documents.pin} />`}
    ${grants.includes("notice") && html`<${Grant} app=${app} need=${need} what="notice" on=${documents.notice} />`}
    <${AddDocument} app=${app} need=${need} />
    <${Override} app=${app} need=${need} />
  `;
}
