/** The dialog of an outcome: what will happen, the reason that it needs, what the counter will show. */
import { Dialog } from "./dialog.js";
import { html, useState } from "./html.js";
import { Icon } from "./icon.js";
import { Notice } from "./notice.js";
import { GOOD, OUTCOME_LOOK } from "./outcome.js";
import { procedureName } from "./procedure.js";
import { composeReason, PRESETS, tellReason } from "./reasons.js";
import { plain, Say } from "./rich.js";
import { outcomeLock } from "./view.js";
import { language, t } from "./words.js";

/** @typedef {import("./model.js").DeskApp} DeskApp */
/** @typedef {import("./model.js").CallNoun} CallNoun */

const BUTTONS = { verified: "ok", completed: "ok", returned: "primary", refused: "stop full", aborted: "primary" };
const OTHER = "other";
/** The reason that stands chosen when breaking off was offered for the picture. */
const OFFERED = "quality";

/** @param {{app: DeskApp, call: CallNoun, outcome: string, sure: boolean, onSure: (sure: boolean) => void}} props */
function Facts({ app, call, outcome, sure, onSure }) {
  return html`<dl class="kv">
      <dt>${t("call.number")}</dt><dd class="mono">${call.number}</dd>
      <dt>${t("slip.procedure")}</dt><dd>${procedureName(app, call.procedure)}</dd>
      <dt>${t("slip.office")}</dt><dd>${call.office.name} ${call.tablet.name}</dd>
      <dt>${t("files.title")}</dt><dd>${t("decide.files", { n: app.store.fileList.value.filter((file) => file.state === "offered").length })}</dd>
    </dl>
    <label class="pick">
      <input type="checkbox" checked=${sure} onChange=${(/** @type {{currentTarget: HTMLInputElement}} */ event) => onSure(event.currentTarget.checked)} />${t(`decide.sure.${outcome}`)}
    </label>`;
}

/**
 * @param {{outcome: "returned" | "refused" | "aborted", preset: string, written: string, onPreset: (preset: string) => void, onWritten: (text: string) => void}} props
 */
function Reasons({ outcome, preset, written, onPreset, onWritten }) {
  const needed = preset === OTHER;
  return html`<div class="stack">
    <fieldset>
      <legend class="label">${t("decide.reason")}</legend>
      ${[...PRESETS[outcome], OTHER].map(
        (one) =>
          html`<label class="pick" key=${one}>
            <input type="radio" name="reason" checked=${preset === one} onChange=${() => onPreset(one)} />
            ${one === OTHER ? t("decide.other") : t(`reason.${one}`)}
          </label>`,
      )}
    </fieldset>
    <div class="field">
      <label for="reason-text">${t(needed ? "decide.write" : "decide.add")}</label>
      <textarea
        id="reason-text"
        rows="2"
        maxlength="400"
        value=${written}
        onInput=${(/** @type {{currentTarget: HTMLTextAreaElement}} */ event) => onWritten(event.currentTarget.value)}
      ></textarea>
    </div>
  </div>`;
}

/** What the reason still wants, as a key of the words, or null. @param {string} preset @param {string | null} reason */
export function reasonLack(preset, reason) {
  if (reason) return null;
  return preset === OTHER ? "decide.need.written" : "decide.need.reason";
}

/** What the resident will read. @param {{outcome: string, reason: string}} props */
function Preview({ outcome, reason }) {
  return html`<section class="panel preview" aria-label=${t("decide.preview")}>
    <header><h3>${t("decide.preview")}</h3></header>
    <div class="body stack">
      <b class="easy">${plain(t(`result.${outcome}.title`))}</b>
      <${Say} k=${`result.${outcome}.what`} second=${false} />
      <p class="reason">${reason ? tellReason(reason, language()) : html`<span class="dim">${t("decide.preview.none")}</span>`}</p>
      <p class="dim">${t("decide.preview.note")}</p>
    </div>
  </section>`;
}

/** @param {{app: DeskApp, call: CallNoun, outcome: import("../lib/protocol.js").Outcome}} props */
export function DecisionDialog({ app, call, outcome }) {
  const offered = outcome === "aborted" && app.store.quality.peek()?.abort_offered;
  const [preset, setPreset] = useState(offered ? OFFERED : "");
  const [written, setWritten] = useState("");
  const [sure, setSure] = useState(false);
  const good = GOOD.has(outcome);
  const reason = good ? null : composeReason(preset === OTHER || !preset ? null : preset, written);
  const lock = outcomeLock(outcome, call, app.store.connection.value, app.steps.noun.value);
  const unmet = lock ?? (good ? (sure ? null : "decide.need.sure") : reasonLack(preset, reason));
  const locked = unmet !== null || app.busy.value;
  const foot = html`
    <p class="why push-end" id="dialog-why">${unmet && (lock ? "" : t(unmet))}</p>
    <button class="btn plain" type="button" onClick=${app.putOff}>${t("common.back")} <kbd>Esc</kbd></button>
    <button
      class="btn ${BUTTONS[outcome]}"
      type="button"
      aria-disabled=${locked ? "true" : undefined}
      aria-describedby=${lock ? "decide-why" : "dialog-why"}
      onClick=${() => !locked && app.close(outcome, reason)}
    >
      <${Icon} name=${locked ? "lock" : OUTCOME_LOOK[outcome].icon} />${t(`decide.do.${outcome}`)}
    </button>
  `;
  return html`<${Dialog}
    title=${t("decide.dialog", { outcome: t(`outcome.${outcome}`) })}
    onClose=${app.putOff}
    foot=${foot}
    size=${good ? "" : "wide"}
  >
    ${outcome === "verified" || outcome === "completed"
      ? html`<${Facts} app=${app} call=${call} outcome=${outcome} sure=${sure} onSure=${setSure} />`
      : html`<div class="two-halves">
          <${Reasons} outcome=${outcome} preset=${preset} written=${written} onPreset=${setPreset} onWritten=${setWritten} />
          <${Preview} outcome=${outcome} reason=${reason ?? ""} />
        </div>`}
    <${Notice} kind=${lock ? "warn" : "info"} small=${true}>${lock ? t(lock, { n: app.steps.lacks.value.length, outcome: t(`outcome.${outcome}`) }) : t("decide.final")}<//>
  <//>`;
}
