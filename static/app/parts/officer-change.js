/** Versions of the policy: what a change makes looser or stricter, what it would have been, and the second signature. */
import { dateTime } from "../lib/format.js";
import { html, useState } from "./html.js";
import { Icon } from "./icon.js";
import { Notice } from "./notice.js";
import { language, t } from "./words.js";

/** @typedef {import("./officer-model.js").OfficerApp} OfficerApp */
/** @typedef {import("./officer-model.js").Version} Version */
/** @typedef {import("./officer-model.js").WholeVersion} WholeVersion */

const STATES = { draft: ["warn", "clock"], approved: ["here", "clock"], in_force: ["ok", "okc"], past: ["", "info"], withdrawn: ["", "x"] };
const DAYS = [7, 30, 90];
const BECOMES = { looser: ["stop", "alert"], stricter: ["here", "key"], different: ["", "info"], to_set: ["warn", "alert"], same: ["", "okc"] };

/** @param {{state: Version["state"]}} props */
function StateChip({ state }) {
  const [kind, sign] = STATES[state];
  return html`<span class=${`chip ${kind}`}><${Icon} name=${sign} />${t(`version.${state}`)}</span>`;
}

/** @param {{app: OfficerApp}} props */
function Versions({ app }) {
  const versions = app.versions.value?.versions ?? [];
  if (versions.length === 0) {
    return html`<div class="body empty"><${Icon} name="file" class="big" /><h2>${t("change.none")}</h2><p>${t("change.none.what")}</p></div>`;
  }
  return html`<table>
    <caption class="vh">${t("change.title")}</caption>
    <thead><tr>${["number", "state", "note", "author", "approved", "starts"].map((key) => html`<th key=${key} scope="col">${t(`change.col.${key}`)}</th>`)}</tr></thead>
    <tbody>
      ${versions.map(
        (one) =>
          html`<tr key=${one.number}>
            <th scope="row"><a href=${`#change/${one.number}`}>${t("officer.version", { number: one.number })}</a></th>
            <td><${StateChip} state=${one.state} /></td>
            <td>${one.note}</td>
            <td>${one.author.name}<br /><span class="dim">${dateTime(one.drafted_at, language())}</span></td>
            <td>${one.approved_by?.name ?? "―"}</td>
            <td>${one.starts_at ? dateTime(one.starts_at, language()) : "―"}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

/** @param {{change: import("./officer-model.js").Change}} props */
function Difference({ change }) {
  const lang = language();
  const [kind, sign] = BECOMES[/** @type {keyof typeof BECOMES} */ (change.standing)];
  return html`<div class="difference">
    <p><b>${change.name[lang]}</b> <span class="mono dim">${change.key}</span> <span class=${`chip ${kind}`}><${Icon} name=${sign} />${t(`becomes.${change.standing}`)}</span></p>
    <div class="diff">
      <div class="was"><small>${t("change.was")}</small><b>${change.before[lang]}</b></div>
      <${Icon} name="right" />
      <div class="will"><small>${t("change.will")}</small><b>${change.after[lang]}</b></div>
    </div>
  </div>`;
}

/** How past decisions would have come out, over so many days. @param {{app: OfficerApp, number: number}} props */
function Rehearsed({ app, number }) {
  const [days, setDays] = useState(DAYS[1]);
  /** @param {number} chosen */
  const choose = (chosen) => {
    setDays(chosen);
    app.rehearse(number, chosen);
  };
  const found = app.rehearsal.value;
  return html`<div class="field">
      <label for="days">${t("change.rehearsal.days")}</label>
      <select id="days" value=${days} onChange=${(/** @type {any} */ e) => choose(Number(e.currentTarget.value))}>
        ${DAYS.map((n) => html`<option key=${n} value=${n} selected=${n === days}>${t("change.rehearsal.day", { n })}</option>`)}
      </select>
    </div>
    ${found === null && html`<p role="status" class="dim">${t("change.rehearsing")}</p>`}
    ${found === "failed" &&
    html`<p role="alert">${t("change.rehearsal.failed")} <button class="btn low plain" type="button" onClick=${() => app.rehearse(number, days)}>${t("change.rehearsal.again")}</button></p>`}
    ${found && found !== "failed" && html`<${Outcome} found=${found} />`}`;
}

/** @param {{found: import("./officer-model.js").Rehearsal}} props */
function Outcome({ found }) {
  return html`<h2>${t("change.rehearsal", { days: found.days, n: found.asked })}</h2>
    ${found.ends_calls > 0 && html`<${Notice} kind="stop" role="status" title=${t("change.ends", { n: found.ends_calls })}>${t("change.ends.what")}<//>`}
    ${found.cut_at && html`<p class="dim">${t("change.rehearsal.cut", { at: dateTime(found.cut_at, language()) })}</p>`}
    ${found.by_action.length === 0
      ? html`<p>${t("change.rehearsal.same")}</p>`
      : html`<table>
          <caption class="vh">${t("change.rehearsal", { days: found.days, n: found.asked })}</caption>
          <thead><tr>${["action", "refused", "allowed", "why"].map((key) => html`<th key=${key} scope="col" class=${key === "refused" || key === "allowed" ? "num" : ""}>${t(`rehearsal.col.${key}`)}</th>`)}</tr></thead>
          <tbody>
            ${found.by_action.map(
              (row) =>
                html`<tr key=${row.action}><th scope="row">${t(`action.${row.action}`)}</th><td class="num">${row.refused}</td><td class="num">${row.allowed}</td><td>${row.codes.map((code) => t(`term.${code}`)).join("・")}</td></tr>`,
            )}
          </tbody>
        </table>
        <${EachChanged} found=${found} />`}`;
}

/** Each decision that would come out otherwise, with the way to its entry. @param {{found: import("./officer-model.js").Rehearsal}} props */
function EachChanged({ found }) {
  return html`<details>
    <summary>${t("change.rehearsal.each", { n: found.changed_count })}</summary>
    ${found.changed_count > found.changed.length && html`<p class="dim">${t("change.rehearsal.first", { n: found.changed_count, shown: found.changed.length })}</p>`}
    <ul>
      ${found.changed.map(
        (one) =>
          html`<li key=${one.position}><a class="mono" href=${`#audit?before=${one.position + 1}`}>${one.position}</a> ${t(`action.${one.action}`)}: ${t(one.allowed ? "rehearsal.col.allowed" : "rehearsal.col.refused")} <span class="dim">${one.codes.map((code) => t(`term.${code}`)).join("・")}</span></li>`,
      )}
    </ul>
  </details>`;
}

/** What changes from any other version to this one. @param {{app: OfficerApp, version: WholeVersion}} props */
function Against({ app, version }) {
  const { against } = version;
  const named = (/** @type {number} */ number) => (number === 0 ? t("officer.version.baseline") : t("officer.version", { number }));
  const others = [...(app.versions.value?.versions ?? []).map((one) => one.number), 0].filter((number) => number !== version.number);
  const chosen = against ? String(against.number) : "";
  return html`<div class="field">
      <label for="against">${t("change.against")}</label>
      <select id="against" value=${chosen} onChange=${(/** @type {any} */ e) => app.compare(version.number, e.currentTarget.value)}>
        <option value="" selected=${chosen === ""}>${t("change.against.none")}</option>
        ${others.map((number) => html`<option key=${number} value=${number} selected=${chosen === String(number)}>${named(number)}</option>`)}
      </select>
    </div>
    ${against &&
    html`<section role="status">
      <h2>${t("change.against.found", { before: named(against.number), after: named(version.number), n: against.changes.length })}</h2>
      ${against.changes.length === 0 && html`<p>${t("change.against.same")}</p>`}
      ${against.changes.map((one) => html`<${Difference} key=${one.key} change=${one} />`)}
    </section>`}`;
}

/** Whom of those who sign it the version would keep out. @param {{found: WholeVersion["shut_out"]}} props */
function KeptOut({ found }) {
  if (found.officers.length === 0) return null;
  return html`<${Notice} kind="stop" title=${t(found.everybody ? "shut_out.all" : "shut_out.some")}>
    <ul>
      ${found.officers.map((one) => html`<li key=${one.id}>${t("shut_out.one", { name: one.name, why: one.codes.map((code) => t(`term.${code}`)).join("・") })}</li>`)}
    </ul>
    <p>${t(found.everybody ? "shut_out.all.what" : "shut_out.some.what")}</p>
  <//>`;
}

/** What must hold before the second signature, with the words of each. @param {OfficerApp} app @param {WholeVersion} version @returns {[boolean, string][]} */
export function approvalTerms(app, version) {
  const me = app.you.value;
  const rehearsed = app.rehearsal.value;
  return [
    [version.author.id !== me?.person.id, "approval.other"],
    [me?.appointed ?? false, "approval.appointed"],
    [version.state === "draft", "approval.draft"],
    [rehearsed !== null && rehearsed !== "failed", "approval.rehearsed"],
  ];
}

/** @param {{app: OfficerApp, version: WholeVersion}} props */
function Approval({ app, version }) {
  const [read, setRead] = useState(false);
  const [sure, setSure] = useState(false);
  const [when, setWhen] = useState("");
  const me = app.you.value;
  const terms = approvalTerms(app, version);
  const { officers, everybody } = version.shut_out;
  const concerned = officers.some((one) => one.id === me?.person.id || one.id === version.author.id);
  const ready = terms.every(([met]) => met) && read && (sure || !concerned) && !everybody && !app.busy.value;
  return html`<aside class="panel" aria-label=${t("approval.title")}>
    <header><h2>${t("approval.title")}</h2></header>
    <div class="body stack">
      <ul class="met">${terms.map(([met, key]) => html`<li key=${key} class=${met ? "" : "unmet"}><${Icon} name=${met ? "okc" : "xc"} />${t(key)}</li>`)}</ul>
      <div class="field">
        <label for="when">${t("approval.when")}</label>
        <input id="when" type="datetime-local" value=${when} onInput=${(/** @type {any} */ e) => setWhen(e.currentTarget.value)} aria-describedby="when-hint" />
        <span class="hint" id="when-hint">${t("approval.when.hint")}</span>
      </div>
      <${KeptOut} found=${version.shut_out} />
      ${concerned &&
      !everybody &&
      html`<label class="pick"><input type="checkbox" checked=${sure} onChange=${() => setSure(!sure)} />${t("shut_out.sure")}</label>`}
      <label class="pick"><input type="checkbox" checked=${read} onChange=${() => setRead(!read)} />${t("approval.read", { n: version.against_in_force.length })}</label>
      <button
        class="btn primary wide"
        type="button"
        aria-disabled=${ready ? undefined : "true"}
        onClick=${() => ready && app.approve(version.number, when ? new Date(when).toISOString() : null, sure)}
      >
        <${Icon} name=${ready ? "check" : "lock"} />${t(when ? "approval.later" : "approval.now")}
      </button>
      <button class="btn stop wide" type="button" disabled=${!me?.appointed} onClick=${() => app.withdraw(version.number)}><${Icon} name="x" />${t("approval.withdraw")}</button>
      <p class="dim">${t("approval.logged")}</p>
    </div>
  </aside>`;
}

/** @param {{app: OfficerApp, version: WholeVersion}} props */
function One({ app, version }) {
  const lang = language();
  const open = version.state === "draft" || version.state === "approved";
  const differences = open ? version.against_in_force : version.changes;
  return html`<main class=${`dmain change ${open ? "" : "alone"}`}>
    <div class="stack">
      <section class="panel">
        <header><h1>${t("officer.version", { number: version.number })} ${version.note}</h1><${StateChip} state=${version.state} /></header>
        <div class="body stack">
          <dl class="kv">
            <dt>${t("change.col.author")}</dt>
            <dd>${version.author.name} ${dateTime(version.drafted_at, lang)}</dd>
            ${version.approved_by && html`<dt>${t("change.col.approved")}</dt><dd>${version.approved_by.name} ${dateTime(version.approved_at ?? "", lang)}</dd>`}
            ${version.starts_at && html`<dt>${t("change.col.starts")}</dt><dd>${dateTime(version.starts_at, lang)}</dd>`}
            ${version.withdrawn_by && html`<dt>${t("version.withdrawn")}</dt><dd>${version.withdrawn_by.name} ${dateTime(version.withdrawn_at ?? "", lang)}</dd>`}
          </dl>
          <h2>${t("change.differences", { n: differences.length })}</h2>
          ${differences.length === 0 && html`<p>${t("change.same")}</p>`}
          ${differences.map((one) => html`<${Difference} key=${one.key} change=${one} />`)}
          ${open && html`<${Rehearsed} key=${version.number} app=${app} number=${version.number} />`}
          <${Against} app=${app} version=${version} />
          <details><summary>${t("change.text")}</summary><pre class="mono">${version.text}</pre></details>
        </div>
      </section>
    </div>
    ${open && html`<${Approval} app=${app} version=${version} />`}
  </main>`;
}

/** @param {{app: OfficerApp}} props */
export function OfficerChange({ app }) {
  const { id } = app.where.value;
  const version = app.version.value;
  if (id && version) return html`<${One} app=${app} version=${version} />`;
  return html`<main class="dmain change alone">
    <section class="panel">
      <header><h1>${t("change.title")}</h1><span class="dim">${t("change.what")}</span></header>
      ${id && !app.error.value ? html`<p class="body" role="status">${t("officer.loading")}</p>` : html`<${Versions} app=${app} />`}
    </section>
  </main>`;
}
