/** The dialog in which one setting is given another value, its clause, and if it is looser its reason. */
import { fieldOf, fromField, toField } from "../lib/policy.js";
import { Dialog } from "./dialog.js";
import { html, useState } from "./html.js";
import { Icon } from "./icon.js";
import { language, t } from "./words.js";

/** @typedef {import("./officer-model.js").Setting} Setting */

/** @param {{setting: Setting, content: any, onChange: (content: any) => void}} props */
function Field({ setting, content, onChange }) {
  const lang = language();
  const field = fieldOf(setting);
  if (field === "choice" || field === "choices") {
    const many = field === "choices";
    const picked = many ? content : [content];
    /** @param {string} value */
    const pick = (value) => {
      if (!many) return onChange(value);
      onChange(picked.includes(value) ? picked.filter((/** @type {string} */ one) => one !== value) : [...picked, value]);
    };
    return html`<fieldset class="picks">
      <legend>${t("edit.value")}</legend>
      ${setting.choices.map(
        (one) =>
          html`<label key=${one.value} class="pick"
            ><input type=${many ? "checkbox" : "radio"} name="value" checked=${picked.includes(one.value)} onChange=${() => pick(one.value)} />${one.name[lang]}</label
          >`,
      )}
    </fieldset>`;
  }
  const hint =
    field === "number"
      ? t("edit.range", { minimum: setting.minimum ?? 0, maximum: setting.maximum ?? 0, unit: setting.unit[lang] })
      : t(`edit.hint.${field}`);
  /** @param {any} event */
  const onInput = (event) => onChange(event.currentTarget.value);
  return html`<div class="field">
    <label for="value">${t("edit.value")}</label>
    ${field === "number"
      ? html`<input id="value" type="text" inputmode="numeric" value=${content} onInput=${onInput} aria-describedby="value-hint" />`
      : html`<textarea id="value" rows=${field === "text" ? 3 : 4} value=${content} onInput=${onInput} aria-describedby="value-hint"></textarea>`}
    <span class="hint" id="value-hint">${hint}</span>
  </div>`;
}

/** @param {{app: import("./officer-model.js").OfficerApp, setting: Setting, onClose: () => void}} props */
export function OfficerEdit({ app, setting, onClose }) {
  const lang = language();
  const known = app.edits.peek()[setting.key] ?? {};
  const [content, setContent] = useState(toField(setting, known.value === undefined ? setting.value : known.value));
  const [clause, setClause] = useState(known.clause ?? setting.clause);
  const [reason, setReason] = useState(known.reason ?? setting.looser?.reason ?? "");
  const [until, setUntil] = useState(known.until ?? setting.looser?.until ?? "");
  /** @param {Event} event */
  const save = (event) => {
    event.preventDefault();
    app.edit(setting, { value: fromField(setting, content), clause: clause.trim(), reason: reason.trim(), until });
    onClose();
  };
  /** @param {(text: string) => void} set */
  const input = (set) => (/** @type {any} */ event) => set(event.currentTarget.value);
  const foot = html`<button class="btn plain" type="button" onClick=${onClose}>${t("common.back")} <kbd>Esc</kbd></button>
    <button class="btn primary" type="submit" form="edit"><${Icon} name="check" />${t("edit.save")}</button>`;
  return html`<${Dialog} title=${setting.name[lang]} onClose=${onClose} foot=${foot} size="wide">
    <form id="edit" class="stack" onSubmit=${save}>
      <p>${setting.protects[lang]}</p>
      <dl class="kv">
        <dt>${t("edit.now")}</dt>
        <dd>${setting.words[lang]}</dd>
        <dt>${t("edit.baseline")}</dt>
        <dd>${setting.baseline_words[lang]}</dd>
      </dl>
      <${Field} setting=${setting} content=${content} onChange=${setContent} />
      <div class="field">
        <label for="clause">${t("edit.clause")}</label>
        <input id="clause" type="text" maxlength="200" value=${clause} onInput=${input(setClause)} />
      </div>
      <fieldset class="stack">
        <legend>${t("edit.looser")}</legend>
        <div class="field">
          <label for="reason">${t("edit.reason")}</label>
          <input id="reason" type="text" maxlength="200" value=${reason} onInput=${input(setReason)} />
        </div>
        <div class="field">
          <label for="until">${t("edit.until")}</label>
          <input id="until" type="date" value=${until} onInput=${input(setUntil)} />
        </div>
      </fieldset>
    </form>
  <//>`;
}
