/** 件数: a month's calls by office, procedure and outcome, as a file too, and corrections. */
import { dateTime, shortHash } from "../lib/format.js";
import { TextField } from "./door.js";
import { html, useState } from "./html.js";
import { Icon } from "./icon.js";
import { SystemsPage } from "./systems-page.js";
import { language, t } from "./words.js";

/**
 * @typedef {{office: string, procedure: string, outcome: string, count: number, corrected: number, total: number}} Row
 * @typedef {{id: string, office: string, procedure: string, outcome: string, difference: number, reason: string, by: string, at: string}} Correction
 * @typedef {{months: string[], month: string, closed_at: string | null, sha256: string | null, rows: Row[], corrections: Correction[], offices: Record<string, string>}} Counts
 * @typedef {ReturnType<typeof import("../pages/systems.js").createSystems> & {
 *   counts: import("./html.js").Signal<Counts | null>, procedures: import("./html.js").Signal<{id: string, name: Record<string, string>, outcomes: string[]}[]>,
 *   show: (month: string) => Promise<void>, exportUrl: (month: string) => string, correct: (body: any) => Promise<boolean>,
 * }} CountsApp
 */

const OUTCOMES = ["verified", "completed", "returned", "refused", "aborted"];

/** @param {CountsApp} app @param {string} id */
const procedureName = (app, id) => app.procedures.value.find((one) => one.id === id)?.name[language()] ?? id;

/** @param {{app: CountsApp, counts: Counts}} props */
function Months({ app, counts }) {
  return html`<div class="pickmonth">
    <div class="field">
      <label for="month">${t("counts.month")}</label>
      <select id="month" value=${counts.month} onChange=${(/** @type {any} */ event) => app.show(event.currentTarget.value)}>
        ${counts.months.map((month) => html`<option key=${month} value=${month}>${month}</option>`)}
      </select>
    </div>
    <a class="btn" href=${app.exportUrl(counts.month)} download><${Icon} name="file" />${t("counts.csv")}</a>
    ${counts.closed_at
      ? html`<span class="chip ok"><${Icon} name="okc" />${t("counts.closed", { at: dateTime(counts.closed_at, language()) })}</span><span class="dim mono">${shortHash(counts.sha256 ?? "")}</span>`
      : html`<span class="chip warn"><${Icon} name="clock" />${t("counts.open")}</span>`}
  </div>`;
}

/** @param {{app: CountsApp, counts: Counts}} props */
function Table({ app, counts }) {
  if (counts.rows.length === 0) return html`<p class="body empty">${t("counts.none")}</p>`;
  const total = counts.rows.reduce((sum, row) => sum + row.total, 0);
  return html`<table>
    <caption class="vh">${t("counts.title")}</caption>
    <thead><tr>${["office", "procedure", "outcome"].map((key) => html`<th key=${key} scope="col">${t(`counts.col.${key}`)}</th>`)}${["count", "corrected", "total"].map((key) => html`<th key=${key} scope="col" class="num">${t(`counts.col.${key}`)}</th>`)}</tr></thead>
    <tbody>
      ${counts.rows.map(
        (row) => html`<tr key=${`${row.office} ${row.procedure} ${row.outcome}`}>
          <th scope="row">${counts.offices[row.office] ?? row.office}</th>
          <td>${procedureName(app, row.procedure)}</td>
          <td>${t(`outcome.${row.outcome}`)}</td>
          <td class="num">${row.count}</td>
          <td class="num">${row.corrected === 0 ? "―" : row.corrected > 0 ? `+${row.corrected}` : row.corrected}</td>
          <td class="num"><b>${row.total}</b></td>
        </tr>`,
      )}
    </tbody>
    <tfoot><tr><th scope="row" colspan="5">${t("counts.sum")}</th><td class="num"><b>${total}</b></td></tr></tfoot>
  </table>`;
}

/** @param {{app: CountsApp, counts: Counts}} props */
function Corrections({ app, counts }) {
  return html`<section class="panel" aria-labelledby="corrections">
    <header><h2 id="corrections">${t("counts.corrections")}</h2><span class="dim">${t("counts.corrections.what")}</span></header>
    ${counts.corrections.length > 0 &&
    html`<table>
      <caption class="vh">${t("counts.corrections")}</caption>
      <thead><tr>${["at", "of", "difference", "reason", "by"].map((key) => html`<th key=${key} scope="col">${t(`counts.col.${key}`)}</th>`)}</tr></thead>
      <tbody>
        ${counts.corrections.map(
          (one) => html`<tr key=${one.id}>
            <td>${dateTime(one.at, language())}</td>
            <td>${counts.offices[one.office] ?? one.office} ${procedureName(app, one.procedure)} ${t(`outcome.${one.outcome}`)}</td>
            <td class="num">${one.difference > 0 ? `+${one.difference}` : one.difference}</td>
            <td class="long">${one.reason}</td>
            <td>${one.by}</td>
          </tr>`,
        )}
      </tbody>
    </table>`}
    ${app.you.value?.person.role === "administrator" && html`<${NewCorrection} app=${app} counts=${counts} />`}
  </section>`;
}

/** @param {{id: string, label: string, value: string, onChange: (value: string) => void, options: [string, string][]}} props */
function Select({ id, label, value, onChange, options }) {
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <select id=${id} value=${value} onChange=${(/** @type {any} */ event) => onChange(event.currentTarget.value)}>
      ${options.map(([key, words]) => html`<option key=${key} value=${key}>${words}</option>`)}
    </select>
  </div>`;
}

/** @param {{app: CountsApp, counts: Counts}} props */
function NewCorrection({ app, counts }) {
  const offices = /** @type {[string, string][]} */ (Object.entries(counts.offices));
  const procedures = app.procedures.value.map((one) => /** @type {[string, string]} */ ([one.id, one.name[language()]]));
  const [office, setOffice] = useState("");
  const [procedure, setProcedure] = useState("");
  const [outcome, setOutcome] = useState("verified");
  const [difference, setDifference] = useState("1");
  const [reason, setReason] = useState("");
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const body = { month: counts.month, office: office || offices[0]?.[0], procedure: procedure || procedures[0]?.[0], outcome, difference: Number(difference), reason: reason.trim() };
    if (await app.correct(body)) setReason("");
  };
  return html`<form class="hform" onSubmit=${submit} aria-label=${t("counts.correct")}>
    <div class="two">
      <${Select} id="office" label=${t("counts.col.office")} value=${office} onChange=${setOffice} options=${offices} />
      <${Select} id="procedure" label=${t("counts.col.procedure")} value=${procedure} onChange=${setProcedure} options=${procedures} />
    </div>
    <div class="two">
      <${Select} id="outcome" label=${t("counts.col.outcome")} value=${outcome} onChange=${setOutcome} options=${OUTCOMES.map((one) => [one, t(`outcome.${one}`)])} />
      <${TextField} id="difference" label=${t("counts.field.difference")} value=${difference} onInput=${setDifference} autocomplete="off" />
    </div>
    <${TextField} id="reason" label=${t("counts.field.reason")} value=${reason} onInput=${setReason} autocomplete="off" />
    <button class="btn primary" type="submit" aria-disabled=${app.busy.value ? "true" : undefined}>${t("counts.correct")}</button>
  </form>`;
}

/** @param {{app: CountsApp}} props */
export function CountsPage({ app }) {
  const counts = app.counts.value;
  return html`<${SystemsPage} here="counts" page=${app.page} you=${app.you.value} error=${app.error.value} toasts=${app.toasts} signOut=${app.signOut}>
    ${counts &&
    html`<main class="dmain change alone stack">
      <section class="panel" aria-labelledby="counts">
        <header><h1 id="counts">${t("counts.title")}</h1><span class="dim">${t("counts.what")}</span></header>
        <${Months} app=${app} counts=${counts} />
        <${Table} app=${app} counts=${counts} />
      </section>
      ${counts.closed_at && html`<${Corrections} app=${app} counts=${counts} />`}
    </main>`}
  <//>`;
}
