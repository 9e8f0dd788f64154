/** 開始前点検 on screen and on paper: what was tried, ○ △ ×, and what to do about it. */
import { dateTime } from "../lib/format.js";
import { LanguageButton } from "./choose.js";
import { errorWords } from "./errors.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { LevelBars } from "./level.js";
import { Notice } from "./notice.js";
import { Brand } from "./topbar.js";
import { Playing } from "./video.js";
import { has, language, t } from "./words.js";

/**
 * @typedef {import("../lib/protocol.js").PrecheckNoun} PrecheckNoun
 * @typedef {import("../lib/protocol.js").PrecheckRow} PrecheckRow
 *
 * @typedef {object} PrecheckApp
 * @property {"counter" | "desk" | "officer"} page
 * @property {import("./html.js").Signal<any>} you
 * @property {import("./html.js").Signal<import("../lib/precheck.js").Step | null>} step what goes on
 * @property {import("./html.js").Signal<MediaStream | null>} stream
 * @property {import("./html.js").Signal<number>} level
 * @property {import("./html.js").Signal<((heard: boolean) => void) | null>} asked takes the answer whether the tone was heard
 * @property {() => void} tone
 * @property {import("./html.js").Signal<{prechecks: PrecheckNoun[], asked: "first" | "daily", current: boolean | null} | null>} results
 * @property {import("./html.js").Signal<string | null>} chosen the id of the result that is shown
 * @property {import("./html.js").Signal<string | null>} error
 * @property {() => void} run
 * @property {(id: string) => void} choose
 * @property {() => void} print
 */

export const GROUPS = Object.freeze({
  tablet: ["camera", "light", "microphone", "speaker", "clock"],
  line: ["path", "line", "chat", "file"],
  server: ["media", "database", "disk", "scanner", "server_clock"],
});
const STEPS = /** @type {const} */ (["begin", "camera", "line", "chat", "file", "speaker", "result"]);

/** What was measured, as the words of the row want it. @param {PrecheckRow} row */
function figures(row) {
  const shown = (/** @type {string | number | null} */ value) => (typeof value === "number" ? Math.abs(value) : (value ?? t("precheck.unknown")));
  return Object.fromEntries(Object.entries(row.figures).map(([name, value]) => [name, shown(value)]));
}

/** What was found, "" when the grade says it all. @param {PrecheckRow} row */
export function found(row) {
  const key = `precheck.found.${row.name}`;
  const none = row.code === "none" || row.code === "missing" || Object.keys(row.figures).length === 0;
  const own = `${key}.${row.code}`;
  if (row.name === "path" && !none) return t(`precheck.way.${row.figures.way}`);
  if (has(own)) return t(own, figures(row));
  return none ? "" : t(key, figures(row));
}

/** What to do, null when nothing. @param {PrecheckRow} row */
export function advice(row) {
  if (row.grade === "good") return null;
  const key = `precheck.fix.${row.name}.${row.code}`;
  if (has(key)) return t(key, figures(row));
  const reason = row.code === "refused" ? String(row.figures.reason) : row.code;
  return errorWords(reason);
}

/** @param {{row: PrecheckRow}} props */
function Row({ row }) {
  const help = advice(row);
  return html`<li class=${row.grade}>
    <span class="mark" aria-hidden="true"></span>
    <div>
      <b>${t(`precheck.row.${row.name}`)}</b>
      ${found(row) && html`<p>${found(row)}</p>`}
    </div>
    <span class="word">${t(`precheck.grade.${row.grade}`)}</span>
    ${help && html`<p class="fix"><${Icon} name="right" /><span>${help}</span></p>`}
  </li>`;
}

/** @param {{result: PrecheckNoun}} props */
function Result({ result }) {
  const todo = result.rows.filter((row) => row.grade === "bad").length;
  const rows = (/** @type {string[]} */ names) =>
    names.flatMap((name) => result.rows.filter((row) => row.name === name));
  return html`<section class="check-result" aria-labelledby="outcome">
    <div class=${`check-outcome ${result.outcome}`}>
      <span class="mark" aria-hidden="true"></span>
      <div>
        <h2 id="outcome">${t(`precheck.outcome.${result.outcome}`, { count: todo })}</h2>
        <p>${t("precheck.who", { office: result.office.name, tablet: result.tablet.name, name: result.person.name, at: dateTime(result.at, language()) })}</p>
      </div>
    </div>
    ${Object.entries(GROUPS).map(
      ([group, names]) =>
        html`<section key=${group}><h3>${t(`precheck.group.${group}`)}</h3><ul class="checks">${rows(names).map((row) => html`<${Row} key=${row.name} row=${row} />`)}</ul></section>`,
    )}
  </section>`;
}

/** Whether the tone was heard, asked of the clerk. @param {{app: PrecheckApp}} props */
function Heard({ app }) {
  const answer = app.asked.value;
  if (!answer) return html`<h2 class="easy">${t("precheck.speak")}</h2><p><${LevelBars} level=${app.level} /></p>`;
  return html`<h2 class="easy">${t("precheck.heard")}</h2>
    <div class="row wrap">
      <button class="btn primary big" type="button" onClick=${() => answer(true)}><${Icon} name="check" />${t("precheck.heard.yes")}</button>
      <button class="btn big" type="button" onClick=${() => answer(false)}><${Icon} name="xc" />${t("precheck.heard.no")}</button>
      <button class="btn big plain" type="button" onClick=${app.tone}><${Icon} name="speaker" />${t("precheck.heard.again")}</button>
    </div>`;
}

/** @param {{app: PrecheckApp}} props */
function Running({ app }) {
  const at = STEPS.indexOf(app.step.value ?? "begin");
  return html`<section class="check-running" aria-live="polite">
    <div class="video mirror"><${Playing} stream=${app.stream.value} muted=${true} label=${t("precheck.own")} /></div>
    <div class="stack">
      <${Heard} app=${app} />
      <ol class="check-steps">
        ${STEPS.map(
          (step, index) =>
            html`<li key=${step} class=${index < at ? "done" : index === at ? "now" : ""} aria-current=${index === at ? "step" : undefined}>
              <${Icon} name=${index < at ? "okc" : index === at ? "refresh" : "clock"} />${t(`precheck.step.${step}`)}
            </li>`,
        )}
      </ol>
    </div>
  </section>`;
}

/** @param {{app: PrecheckApp}} props */
function Actions({ app }) {
  const counter = app.page === "counter";
  const done = shown(app) !== null;
  const primary = counter && !done ? "primary" : "";
  return html`<footer class="cfoot no-print">
    ${counter &&
    html`<button class=${`btn big ${primary}`} type="button" onClick=${app.run}>
      <${Icon} name=${done ? "refresh" : "check"} />${t(done ? "precheck.again" : "precheck.begin")}
    </button>`}
    ${done && html`<button class="btn big" type="button" onClick=${app.print}><${Icon} name="print" />${t("precheck.print")}</button>`}
    <a class=${`btn big ${counter && done ? "primary" : "plain"}`} href=${`/${app.page}`}><${Icon} name="left" />${t(`precheck.back.${app.page}`)}</a>
  </footer>`;
}

/** The result that was chosen, else a counter's last. @param {PrecheckApp} app */
function shown(app) {
  const every = app.results.value?.prechecks ?? [];
  const chosen = every.find((one) => one.id === app.chosen.value);
  return chosen ?? (app.page === "counter" ? (every[0] ?? null) : null);
}

/** @param {{app: PrecheckApp}} props */
function List({ app }) {
  const every = app.results.value?.prechecks ?? [];
  if (every.length === 0) return html`<p class="dim">${t("precheck.none")}</p>`;
  return html`<table class="check-list no-print">
    <thead>
      <tr><th scope="col">${t("precheck.col.outcome")}</th><th scope="col">${t("precheck.col.at")}</th><th scope="col">${t("precheck.col.where")}</th><th scope="col">${t("precheck.col.who")}</th><th scope="col"><span class="vh">${t("precheck.col.open")}</span></th></tr>
    </thead>
    <tbody>
      ${every.map(
        (one) =>
          html`<tr key=${one.id} class=${one.outcome}>
            <td class="nw"><span class="mark" aria-hidden="true"></span> ${t(`precheck.grade.${one.outcome}`)}</td>
            <td class="nw">${dateTime(one.at, language())}</td>
            <td>${one.office.name} ${one.tablet.name}</td>
            <td>${one.person.name}</td>
            <td><button class="btn plain low" type="button" aria-pressed=${String(one.id === app.chosen.value)} onClick=${() => app.choose(one.id)}>${t("precheck.open")}</button></td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

/** @param {{app: PrecheckApp}} props */
function Lead({ app }) {
  const results = app.results.value;
  if (app.page !== "counter") return html`<p class="dim">${t("precheck.what.staff")}</p>`;
  const what = html`<p class="easy dim">${t("precheck.what")}</p>`;
  if (!results || results.current === null) return what;
  const kind = results.current ? "ok" : "warn";
  return html`${results.prechecks.length === 0 && what}<${Notice} kind=${kind} small=${true}>${t(`precheck.current.${results.current ? "yes" : "no"}.${results.asked}`)}<//>`;
}

/** @param {{app: PrecheckApp}} props */
function Body({ app }) {
  if (app.step.value) return html`<${Running} app=${app} />`;
  const result = shown(app);
  return html`
    ${app.error.value && html`<${Notice} kind="stop" role="alert">${errorWords(app.error.value)}<//>`}
    ${app.page !== "counter" && app.results.value && html`<${List} app=${app} />`}
    ${result && html`<${Result} result=${result} />`}
    <p class="dim log">${t("precheck.log")}</p>
  `;
}

/** @param {{app: PrecheckApp}} props */
export function Precheck({ app }) {
  const you = app.you.value;
  return html`<div class="counter precheck">
    <header class="ctop">
      <${Brand} name=${you?.municipality.name} />
      <div class="where">
        ${you?.office && html`<span><${Icon} name="office" />${you.office.name} ${you.tablet.name}</span>`}
        ${you?.clerk && html`<span><${Icon} name="person" />${t("counter.clerk", { name: you.clerk.name })}</span>`}
        <${LanguageButton} />
      </div>
    </header>
    <main class="cmain">
      <div class="stack tight"><h1>${t("precheck.title")}</h1><${Lead} app=${app} /></div>
      <${Body} app=${app} />
    </main>
    ${!app.step.value && html`<${Actions} app=${app} />`}
  </div>`;
}
