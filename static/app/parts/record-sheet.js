/** One record as a page of paper: A4, black, no meaning by colour; the outcome in a box on top. */
import { bytes, dateTime, time } from "../lib/format.js";
import { html } from "./html.js";
import { tellReason } from "./reasons.js";
import { language, t } from "./words.js";

const EMPTY = "―";

/** First and last of a hash, in fours. @param {string} hex */
export const short = (hex) => `${hex.slice(0, 4)} ${hex.slice(4, 8)} … ${hex.slice(-8, -4)} ${hex.slice(-4)}`;

/** @param {any} need @param {boolean} [letPass] */
function said(need, letPass = false) {
  if (need.answer) return t("record.answer", { text: need.answer });
  if (need.left > 0 && need.kind === "documents" && letPass) return t("record.let_pass");
  if (need.left > 0) return t(`record.left.${need.kind}`, { count: need.left });
  const count = need.bound.length || need.ticked.length;
  return t(`record.done.${need.kind}`, { count, tries: need.tries });
}

/** @param {{shown: import("./records.js").Shown}} props */
function Steps({ shown }) {
  const { approvals, people } = shown.record;
  const letPass = approvals.some((/** @type {any} */ one) => one.about === "documents" && one.approved && one.answered_by?.id !== people.verifier.id);
  const at = (/** @type {any} */ step) => step.needs.map((/** @type {any} */ need) => need.at).filter(Boolean).sort().pop();
  const by = (/** @type {any} */ step) => [...new Set(step.needs.map((/** @type {any} */ need) => need.by?.name).filter(Boolean))].join("、");
  return html`<section><h2>${t("record.steps")}</h2><table class="steps">
    <thead><tr><th scope="col">${t("record.step")}</th><th scope="col">${t("record.time")}</th><th scope="col">${t("record.by")}</th><th scope="col">${t("record.result")}</th></tr></thead>
    <tbody>
      ${shown.record.steps.map(
        (/** @type {any} */ step, /** @type {number} */ index) => html`<tr key=${step.id}>
          <td>${index + 1} ${shown.titles[step.id]?.[language()] ?? step.id}</td>
          <td class="nw">${at(step) ? time(at(step)) : EMPTY}</td>
          <td>${by(step) || EMPTY}</td>
          <td>${step.needs.map((/** @type {any} */ need) => said(need, letPass)).join(language() === "ja" ? "、" : ", ")}</td>
        </tr>`,
      )}
    </tbody></table></section>`;
}

/** @param {{shown: import("./records.js").Shown}} props */
function Documents({ shown }) {
  const { documents, chips } = shown.record;
  const chip = (/** @type {string} */ kind) => chips.find((/** @type {any} */ one) => one.document === kind);
  return html`<section><h2>${t("record.documents")}</h2><table>
    <thead><tr><th scope="col">${t("record.class")}</th><th scope="col">${t("record.document")}</th><th scope="col">${t("record.expires")}</th><th scope="col">${t("record.chip")}</th></tr></thead>
    <tbody>
      ${documents.length === 0 && html`<tr><td colspan="4">${t("record.none")}</td></tr>`}
      ${documents.map(
        (/** @type {any} */ one) => html`<tr key=${one.kind}>
          <td>${one.document_class.toUpperCase()}</td><td>${shown.documents[one.kind]?.[language()] ?? one.kind}</td>
          <td>${one.expires ?? EMPTY}${!one.counts && ` ${t("record.expired")}`}</td>
          <td>${chip(one.kind) ? `${t(`record.chip.${chip(one.kind).result}`)} ${chip(one.kind).tool}` : t("record.chip.none")}</td>
        </tr>`,
      )}
    </tbody></table></section>`;
}

/** @param {{record: any}} props */
function Evidence({ record }) {
  const kept = record.evidence.filter((/** @type {any} */ one) => one.state === "offered");
  return html`<section><h2>${t("record.evidence")}</h2><table>
    <thead><tr><th scope="col">${t("record.kind")}</th><th scope="col">${t("record.content")}</th><th scope="col">${t("record.hash")}</th></tr></thead>
    <tbody>
      ${kept.map(
        (/** @type {any} */ one) => html`<tr key=${one.id}><td>${t(`record.kind.${one.kind}`)}</td><td>${one.media_type} ${bytes(one.size_bytes)}</td><td class="mono nw">${short(one.sha256)}</td></tr>`,
      )}
      <tr><td>${t("record.kind.chat")}</td><td>${t("record.messages", { count: record.chat.messages })}</td><td class="mono nw">${short(record.chat.sha256)}</td></tr>
    </tbody></table></section>`;
}

/** @param {{name: string, children?: import("./html.js").Node}} props */
const Pair = ({ name, children }) => html`<dt>${t(`record.${name}`)}</dt><dd>${children}</dd>`;

/** @param {{shown: import("./records.js").Shown}} props */
function Facts({ shown }) {
  const { record } = shown;
  const { people, times } = record;
  const clerks = [...people.clerks_before, people.clerk].map((/** @type {any} */ one) => one.name).join("、");
  const from = times.answered ? time(times.answered) : EMPTY;
  return html`<section><h2>${t("record.facts")}</h2><dl class="grid4">
    <${Pair} name="procedure">${shown.name[language()]}<//><${Pair} name="office">${record.office.name}<//>
    <${Pair} name="clerk">${clerks}<//><${Pair} name="tablet">${record.tablet.name}<//>
    <${Pair} name="verifier">${people.verifier.name}<//><${Pair} name="seniors">${people.seniors.map((/** @type {any} */ one) => one.name).join("、") || EMPTY}<//>
    <${Pair} name="from">${from}–${time(times.closed)}<//><${Pair} name="consent">${time(record.consent.at)} ${t("record.consent.version", { version: record.consent.version })}<//>
    ${people.verifiers_before.length > 0 && html`<${Pair} name="verifiers_before">${people.verifiers_before.map((/** @type {any} */ one) => one.name).join("、")}<//>`}
    ${record.earlier && html`<${Pair} name="earlier">${record.earlier.number}<//>`}
  </dl></section>`;
}

/** @param {{shown: import("./records.js").Shown}} props */
function Approvals({ shown }) {
  const { approvals } = shown.record;
  if (!approvals.length) return null;
  return html`<section><h2>${t("record.approvals")}</h2>
    ${approvals.map(
      (/** @type {any} */ one) =>
        html`<p>${t(`record.about.${one.about}`)} ${t(`record.approved.${one.approved && !one.answered_by ? "alone" : one.approved}`)} ${one.answered_by?.name} ${one.answered_at && time(one.answered_at)} ${t("record.because", { reason: one.reason })} ${one.answer && t("record.answered", { answer: one.answer })}</p>`,
    )}</section>`;
}

/** @param {{version: number}} basis */
const version = (basis) => (basis.version ? t("record.version", { version: basis.version }) : t("record.version.shipped"));

/** @param {{shown: import("./records.js").Shown}} props */
function Proof({ shown }) {
  const { record } = shown;
  const { first, last } = record.audit;
  return html`<section><h2>${t("record.proof")}</h2><dl class="grid4">
    <${Pair} name="policy">${version(record.policy)}<//>
    <${Pair} name="template">${version(record.procedure.template)}<//>
    <${Pair} name="audit">${t("record.positions", { first: first.position, last: last.position })}<//>
    <${Pair} name="sha256"><span class="mono nw">${short(shown.sha256)}</span><//>
    <${Pair} name="signature"><span class="mono nw">${short(shown.signature)}</span><//>
    <${Pair} name="key"><span class="mono nw">${short(shown.key)}</span><//>
  </dl></section>`;
}

/** @param {{shown: import("./records.js").Shown}} props */
function Corrections({ shown }) {
  if (!shown.additions.length) return null;
  return html`<section><h2>${t("record.additions")}</h2>
    <ol>${shown.additions.map((one) => html`<li key=${one.number}>${dateTime(one.at, language())} ${one.by.name}：${one.text}</li>`)}</ol></section>`;
}

/** @param {{shown: import("./records.js").Shown, by: string}} props */
export function RecordSheet({ shown, by }) {
  const { record } = shown;
  const reason = tellReason(record.reason, language());
  return html`<article class="sheet">
    ${record.training && html`<p class="training-mark">${t("record.training")}</p>`}
    <div class="top"><div><p>${record.municipality.name}</p><h1>${t("record.title")}</h1></div><div><p>${t("records.number")}</p><p class="no">${record.number}</p></div></div>
    <div class="outcome"><span>${t("record.outcome")}</span><b>${t(`outcome.${record.outcome}`)}</b><span>${dateTime(record.times.closed, language())} ${record.people.verifier.name}${reason && html`<br />${reason}`}</span></div>
    <${Facts} shown=${shown} /><${Steps} shown=${shown} /><${Documents} shown=${shown} /><${Approvals} shown=${shown} />
    <${Evidence} record=${record} /><${Proof} shown=${shown} /><${Corrections} shown=${shown} />
    <footer><span>${t("record.printed", { at: dateTime(Date.now(), language()), by })}</span></footer>
  </article>`;
}
