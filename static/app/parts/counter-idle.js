/** The tablet at rest: how things stand, the procedures, the language, and the one large button. */
import { date, waitMinutes } from "../lib/format.js";
import { LanguageChoice } from "./choose.js";
import { Dialog } from "./dialog.js";
import { html, useState } from "./html.js";
import { Icon } from "./icon.js";
import { Notice } from "./notice.js";
import { procedureName } from "./procedure.js";
import { Say } from "./rich.js";
import { language, t } from "./words.js";

/** @typedef {import("./model.js").CounterApp} CounterApp */
/** @typedef {import("./model.js").Procedure} Procedure */

/** @param {{good: boolean | null, title: string, text: string}} props `good` null: not known */
function StateCard({ good, title, text }) {
  const sign = good === null ? "clock" : good ? "okc" : "alert";
  return html`<li class=${good === false ? "bad" : good ? "" : "unknown"}>
    <${Icon} name=${sign} /><b>${title}</b><span>${text}</span>
  </li>`;
}

/** @param {CounterApp} app @returns {{good: boolean | null, text: string}} */
function devicesState(app) {
  const { camera, microphone } = app.health.value;
  for (const state of ["denied", "none"]) {
    if (camera === state) return { good: false, text: t(`idle.camera.${state}`) };
    if (microphone === state) return { good: false, text: t(`idle.microphone.${state}`) };
  }
  const known = camera === "ready" && microphone === "ready";
  return { good: known ? true : null, text: t(known ? "idle.devices.ready" : "idle.devices.unknown") };
}

/** @param {CounterApp} app @returns {{good: boolean | null, title: string, text: string}} */
function hallState(app) {
  const position = app.store.position.value;
  if (!position) return { good: null, title: t("idle.hall"), text: t("idle.hall.unknown") };
  if (position.desks_open === 0) return { good: false, title: t("idle.hall.closed"), text: t("idle.hall.closed.text") };
  const { ahead, wait_seconds } = position;
  const wait = ahead === 0 || wait_seconds === null ? "" : `${t("idle.hall.and")}${waitMinutes(wait_seconds, language())}`;
  if (position.busy) return { good: null, title: t("idle.hall.busy"), text: t("idle.hall.ahead", { n: ahead }) + wait };
  return { good: true, title: t("idle.hall.open"), text: t("idle.hall.ahead", { n: ahead }) + wait };
}

/** @param {{app: CounterApp}} props */
function States({ app }) {
  const line = app.store.connection.value.state === "open";
  const devices = devicesState(app);
  const hall = hallState(app);
  return html`<ul class="states" aria-label=${t("idle.states")}>
    <${StateCard} good=${devices.good} title=${t("idle.devices")} text=${devices.text} />
    <${StateCard} good=${line} title=${t("idle.line")} text=${t(line ? "idle.line.good" : "idle.line.lost")} />
    <${StateCard} ...${hall} />
  </ul>`;
}

/** @param {{procedure: Procedure, app: CounterApp}} props */
function Choice({ procedure, app }) {
  return html`<label class="choice">
    <input
      type="radio"
      name="procedure"
      checked=${app.chosen.value === procedure.id}
      onChange=${() => app.choose(procedure.id)}
    />
    <span><b>${procedure.name[language()]}</b><span class="what">${procedure.what[language()]}</span></span>
    <span class="chip ok"><${Icon} name="check" />${t("procedure.open")}</span>
  </label>`;
}

/** @param {{procedure: Procedure, onClose: () => void}} props */
function Reason({ procedure, onClose }) {
  const foot = html`<button class="btn primary big" type="button" onClick=${onClose}>${t("common.close")}</button>`;
  return html`<${Dialog} title=${procedure.name[language()]} onClose=${onClose} foot=${foot}>
    <div class="stack">
      <p class="row"><span class="chip"><${Icon} name="clock" />${t("procedure.preparing")}</span></p>
      <p>${procedure.opens_on ? t("procedure.opens_on", { day: date(procedure.opens_on, language()) }) : (procedure.reason?.[language()] ?? t("procedure.closed"))}</p>
      <${Notice} icon="person" title=${t("procedure.for_resident")}><${Say} k="procedure.not_here" /><//>
    </div>
  <//>`;
}

/** @param {{app: CounterApp}} props */
function Procedures({ app }) {
  const [asked, setAsked] = useState(/** @type {Procedure | null} */ (null));
  const open = app.procedures.value.filter((procedure) => procedure.status === "open");
  const preparing = app.procedures.value.filter((procedure) => procedure.status !== "open");
  return html`<section class="pick-procedure">
    <h1>${t("idle.choose")}</h1>
    <div class="choices" role="radiogroup" aria-label=${t("idle.open_list")}>
      ${open.map((procedure) => html`<${Choice} key=${procedure.id} procedure=${procedure} app=${app} />`)}
    </div>
    ${preparing.length > 0 &&
    html`<h2>${t("procedure.preparing")}<small>${t("idle.preparing_why")}</small></h2>
      <ul class="soon">
        ${preparing.map(
          (procedure) =>
            html`<li key=${procedure.id}>
              <button type="button" aria-haspopup="dialog" onClick=${() => setAsked(procedure)}>
                ${procedure.name[language()]}
                <span class="dim"><${Icon} name="clock" />${t("procedure.preparing")}</span>
              </button>
            </li>`,
        )}
      </ul>`}
    ${asked && html`<${Reason} procedure=${asked} onClose=${() => setAsked(null)} />`}
  </section>`;
}

/** @param {{app: CounterApp}} props */
function ReadAloud({ app }) {
  if (!app.speech.languages.value.includes(language())) return null;
  return html`<div class="langs">
    <label
      ><input
        type="checkbox"
        checked=${app.readAloud.value}
        onChange=${(/** @type {{currentTarget: HTMLInputElement}} */ event) => app.setReadAloud(event.currentTarget.checked)}
      /><${Icon} name="speaker" />${t("idle.read_aloud")}</label
    >
  </div>`;
}

/** @param {CounterApp} app why the call cannot be placed, as a key of the words */
function hindrance(app) {
  if (app.store.connection.value.state !== "open") return "idle.why.line";
  if (devicesState(app).good === false) return "idle.why.devices";
  return app.chosen.value ? "" : "idle.why.choose";
}

/** @param {{app: CounterApp}} props */
export function CounterIdle({ app }) {
  const closed = app.store.position.value?.closed_notice;
  const chosen = app.chosen.value;
  const why = hindrance(app);
  // What can be mended is not locked: the button leads to what to do.
  const mendable = why === "idle.why.devices";
  const press = () => (mendable ? app.explain() : !why && app.begin());
  return html`<main class="cmain idle">
    <${States} app=${app} />
    <${Procedures} app=${app} />
    <section class="idle-side" aria-label=${t("idle.call")}>
      <div class="prefs"><${LanguageChoice} /><${ReadAloud} app=${app} /></div>
      <a class="check-link" href="/precheck"><${Icon} name="check" />${t("precheck.link")}</a>
      <div class="idle-foot">
        ${closed && html`<${ClosedNotice} notice=${closed} />`}
        ${why && html`<p class="why" id="call-why"><${Icon} name="info" />${t(why)}</p>`}
        <button
          class="callbtn"
          type="button"
          aria-disabled=${why && !mendable ? "true" : undefined}
          aria-describedby=${why ? "call-why" : undefined}
          onClick=${press}
        >
          <${Icon} name=${mendable ? "gear" : why ? "lock" : "phone"} />
          <span><b>${t("idle.call")}</b><span>${mendable ? t("idle.call.mend") : chosen ? t("idle.call.for", { procedure: procedureName(app, chosen) }) : t("idle.choose")}</span></span>
        </button>
      </div>
    </section>
  </main>`;
}

/** Hours and telephone while no desk is open. @param {{notice: {hours: string, telephone: string}}} props */
export function ClosedNotice({ notice }) {
  return html`<${Notice} kind="warn" icon="clock" title=${t("closed.title")}>
    ${notice.hours && html`<span>${t("closed.hours", { hours: notice.hours })}</span><br />`}
    ${notice.telephone && html`<span class="nw">${t("closed.telephone", { telephone: notice.telephone })}</span>`}
  <//>`;
}
