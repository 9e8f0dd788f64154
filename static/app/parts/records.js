/** 本人確認記録: the list with its search, and what is done with one record. */
import { dateTime } from "../lib/format.js";
import { Dialog } from "./dialog.js";
import { ErrorNotice } from "./errors.js";
import { html, useState } from "./html.js";
import { Icon } from "./icon.js";
import { Notice } from "./notice.js";
import { OutcomeChip } from "./outcome.js";
import { RecordSheet } from "./record-sheet.js";
import { language, t } from "./words.js";

/**
 * @typedef {{ja: string, en: string}} Both
 * @typedef {{id: string, number: string, at: string, training: boolean, procedure: string, outcome: import("../lib/protocol.js").Outcome, office: string, clerk: string, verifier: string, additions: number}} Row
 * @typedef {{records: Row[], more: boolean, offices: Record<string, string>, people: Record<string, string>, procedures: Record<string, Both>}} Found
 * @typedef {{number: number, at: string, by: {id: string, name: string}, text: string}} Addition
 * @typedef {{record: any, sha256: string, signature: string, key: string, additions: Addition[], titles: Record<string, Both>, name: Both, documents: Record<string, Both>}} Shown
 * @typedef {{steps: {number: number, name: string, note: string}[], failed: {number: number, name: string, why: string} | null}} Checked
 *
 * @typedef {object} RecordsApp
 * @property {string} back where the page leads back to
 * @property {import("./html.js").Signal<any>} you
 * @property {import("./html.js").Signal<Found | null>} found
 * @property {import("./html.js").Signal<Shown | null>} shown
 * @property {import("./html.js").Signal<Checked | null>} checked
 * @property {import("./html.js").Signal<string | null>} error
 * @property {import("./html.js").Signal<boolean>} busy
 * @property {import("./html.js").Signal<boolean>} correcting
 * @property {(wanted: Record<string, string>) => void} search
 * @property {(id: string) => void} open
 * @property {() => void} close
 * @property {() => void} verify
 * @property {(text: string) => void} correct
 * @property {(id: string) => string} bundle address of the export
 * @property {() => void} pdf
 * @property {() => void} print
 */

const MAX_CHARACTERS = 2000;

/** @param {{id: string, label: string, value: string, from: Record<string, string>, onChange: (value: string) => void}} props */
function Choice({ id, label, value, from, onChange }) {
  return html`<label class="field" for=${id}><span>${label}</span>
    <select id=${id} value=${value} onChange=${(/** @type {any} */ event) => onChange(event.target.value)}>
      <option value="">${t("records.all")}</option>
      ${Object.entries(from).map(([key, name]) => html`<option key=${key} value=${key}>${name}</option>`)}
    </select></label>`;
}

/** @param {{app: RecordsApp, found: Found}} props */
function Search({ app, found }) {
  const [wanted, want] = useState(/** @type {Record<string, string>} */ ({}));
  const set = (/** @type {string} */ name) => (/** @type {string} */ value) => want({ ...wanted, [name]: value.trim() });
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    app.search(Object.fromEntries(Object.entries(wanted).filter(([, value]) => value)));
  };
  const typed = (/** @type {string} */ name) => (/** @type {any} */ event) => set(name)(event.target.value);
  return html`<form class="search no-print" role="search" onSubmit=${submit}>
    <label class="field" for="number"><span>${t("records.number")}</span><input id="number" autocomplete="off" placeholder="K-261124-0012" value=${wanted.number ?? ""} onInput=${typed("number")} /></label>
    <label class="field" for="day"><span>${t("records.day")}</span><input id="day" type="date" value=${wanted.day ?? ""} onInput=${typed("day")} /></label>
    <${Choice} id="office" label=${t("records.office")} value=${wanted.office ?? ""} from=${found.offices} onChange=${set("office")} />
    <${Choice} id="person" label=${t("records.person")} value=${wanted.person ?? ""} from=${found.people} onChange=${set("person")} />
    <button class="btn primary" type="submit">${t("records.search")}</button>
  </form>`;
}

/** @param {{app: RecordsApp, found: Found}} props */
function List({ app, found }) {
  if (!found.records.length) return html`<${Notice} kind="info">${t("records.none")}<//>`;
  return html`<div class="table"><table>
      <thead><tr>${["number", "closed", "procedure", "office", "verifier", "clerk", "outcome"].map((name) => html`<th scope="col" key=${name}>${t(`records.${name}`)}</th>`)}</tr></thead>
      <tbody>
        ${found.records.map(
          (row) => html`<tr key=${row.id}>
            <td class="nw"><button class="link" type="button" onClick=${() => app.open(row.id)}>${row.number}</button>${row.training && html` <span class="chip training">${t("records.training")}</span>`}</td>
            <td class="nw">${dateTime(row.at, language())}</td>
            <td>${found.procedures[row.procedure]?.[language()] ?? row.procedure}</td>
            <td>${found.offices[row.office]}</td>
            <td>${found.people[row.verifier]}</td>
            <td>${found.people[row.clerk]}</td>
            <td class="nw"><${OutcomeChip} outcome=${row.outcome} />${row.additions > 0 && html` ${t("records.corrected", { count: row.additions })}`}</td>
          </tr>`,
        )}
      </tbody>
    </table></div>
    ${found.more && html`<p>${t("records.more")}</p>`}`;
}

/** @param {{app: RecordsApp}} props */
function Correction({ app }) {
  const [text, write] = useState("");
  const empty = !text.trim();
  const foot = html`<button class="btn" type="button" onClick=${() => (app.correcting.value = false)}>${t("records.correct.stop")}</button>
    <button class="btn primary" type="button" aria-disabled=${empty || app.busy.value ? "true" : undefined} onClick=${() => !empty && app.correct(text)}>${t("records.correct.do")}</button>`;
  return html`<${Dialog} title=${t("records.correct")} onClose=${() => (app.correcting.value = false)} foot=${foot}>
    <p>${t("records.correct.what")}</p>
    <label class="field" for="correction"><span>${t("records.correct.text")}</span>
      <textarea id="correction" rows="5" maxlength=${MAX_CHARACTERS} value=${text} onInput=${(/** @type {any} */ event) => write(event.target.value)}></textarea></label>
  <//>`;
}

/** @param {{checked: Checked}} props */
function Verification({ checked }) {
  const { failed } = checked;
  return html`<section class="verification no-print" role="status">
    ${failed
      ? html`<${Notice} kind="stop" icon="alert">${t("records.verify.failed", { number: failed.number, name: failed.name })} <span class="mono">${failed.why}</span><//>`
      : html`<${Notice} kind="ok">${t("records.verify.sound", { count: checked.steps.length })}<//>`}
    <details><summary>${t("records.verify.steps")}</summary>
      <ol>${checked.steps.map((one) => html`<li key=${one.number}>${t(`records.step.${one.number}`)}${one.note && html` <span class="hint mono">${one.note}</span>`}</li>`)}</ol>
    </details>
  </section>`;
}

/** Who may correct and export, as security/roles.py says; the server asks again. */
const CORRECTS = new Set(["verifier", "senior"]);
const EXPORTS = new Set(["senior", "auditor"]);

/** @param {{app: RecordsApp, shown: Shown}} props */
function One({ app, shown }) {
  const role = app.you.value?.person.role;
  return html`<div class="tools no-print">
      <button class="btn" type="button" onClick=${app.close}>${t("records.back")}</button>
      <span class="grow"></span>
      <button class="btn" type="button" aria-disabled=${app.busy.value ? "true" : undefined} onClick=${app.verify}><${Icon} name="check" />${t("records.verify")}</button>
      ${CORRECTS.has(role) && html`<button class="btn" type="button" onClick=${() => (app.correcting.value = true)}>${t("records.correct")}</button>`}
      ${EXPORTS.has(role) && html`<a class="btn" href=${app.bundle(shown.record.id)} download>${t("records.export")}</a>`}
      <button class="btn" type="button" aria-disabled=${app.busy.value ? "true" : undefined} onClick=${app.pdf}>${t("records.pdf")}</button>
      <button class="btn primary" type="button" onClick=${app.print}>${t("records.print")}</button>
    </div>
    ${app.checked.value && html`<${Verification} checked=${app.checked.value} />`}
    <${RecordSheet} shown=${shown} by=${app.you.value?.person.name ?? ""} />
    ${app.correcting.value && html`<${Correction} app=${app} />`}`;
}

/** @param {{app: RecordsApp}} props */
export function RecordsPage({ app }) {
  const [found, shown] = [app.found.value, app.shown.value];
  return html`<div class="records">
    <header class="no-print"><a class="btn" href=${app.back}>${t("records.home")}</a><h1>${t("page.records")}</h1></header>
    <main>
      <${ErrorNotice} code=${app.error.value} />
      ${shown ? html`<${One} app=${app} shown=${shown} />` : found && html`<${Search} app=${app} found=${found} /><${List} app=${app} found=${found} />`}
    </main>
  </div>`;
}
