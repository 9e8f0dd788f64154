/** The municipality's own templates of procedures: drawn up by one administrator, approved by another. */
import { Confirm, Field } from "./confirm.js";
import { date, dateTime } from "../lib/format.js";
import { html, useState } from "./html.js";
import { Icon } from "./icon.js";
import { language, t } from "./words.js";

/** @typedef {import("./administration-model.js").AdministrationApp} AdministrationApp */
/** @typedef {import("./administration-model.js").House} House */

const CHIPS = { draft: "warn", approved: "here", in_force: "ok", past: "", withdrawn: "" };

/** @param {{app: AdministrationApp, house: House}} props */
function Draft({ app, house }) {
  const [procedure, setProcedure] = useState("");
  const [text, setText] = useState("");
  const [note, setNote] = useState("");
  const begin = async (/** @type {any} */ event) => {
    const id = event.currentTarget.value;
    setProcedure(id);
    setText(id ? await app.textOf(id) : "");
  };
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const made = await app.draft(text, note);
    if (!made) return;
    setProcedure("");
    setText("");
    setNote("");
    location.hash = `#procedures/${made.number}`;
  };
  return html`<form class="panel" onSubmit=${save}>
    <header><h2>${t("adm.draft")}</h2><span class="dim">${t("adm.draft.what")}</span></header>
    <div class="body stack">
      <div class="field">
        <label for="draft-procedure">${t("adm.col.procedure")}</label>
        <select id="draft-procedure" value=${procedure} onChange=${begin}>
          <option value="">${t("adm.draft.choose")}</option>
          ${house.procedures.map((one) => html`<option key=${one.id} value=${one.id}>${one.name[language()]}</option>`)}
        </select>
      </div>
      ${procedure &&
      html`<div class="field">
          <label for="draft-text">${t("adm.draft.text")}</label>
          <textarea id="draft-text" class="mono" rows="18" spellcheck="false" value=${text} onInput=${(/** @type {any} */ event) => setText(event.currentTarget.value)}></textarea>
        </div>
        <${Field} id="draft-note" label=${t("adm.draft.note")} hint=${t("adm.draft.note.hint")} value=${note} onInput=${setNote} max=${1000} required />
        <div><button class="btn primary" type="submit"><${Icon} name="check" />${t("adm.draft.save")}</button></div>`}
    </div>
  </form>`;
}

/** @param {{app: AdministrationApp}} props */
function Version({ app }) {
  const [asked, ask] = useState(/** @type {"approve" | "withdraw" | null} */ (null));
  const [day, setDay] = useState("");
  const one = app.version.value;
  if (!one) return null;
  const lang = language();
  const open = one.state === "draft" || one.state === "approved";
  // From midnight in Japan of that day; without a day at once.
  const starts = day ? new Date(`${day}T00:00:00+09:00`).toISOString() : null;
  const yes = () => (asked === "approve" ? app.approve(one.number, starts) : app.withdraw(one.number));
  return html`<section class="panel">
    <header><h2>${t("adm.version", { number: one.number })}</h2><span class=${`chip ${CHIPS[one.state]}`}>${t(`adm.state.${one.state}`)}</span></header>
    <div class="body stack">
      <p>${one.note}</p>
      <h3>${t("adm.changes", { n: one.changes.length })}</h3>
      ${one.changes.length === 0 ? html`<p class="dim">${t("adm.changes.none")}</p>` : html`<ul class="history">${one.changes.map((words, index) => html`<li key=${index}>${words[lang]}</li>`)}</ul>`}
      ${one.state === "draft" &&
      !one.mine &&
      html`<${Field} id="starts" type="date" label=${t("adm.starts")} hint=${t("adm.starts.hint")} value=${day} onInput=${setDay} />
        <div><button class="btn primary" type="button" onClick=${() => ask("approve")}><${Icon} name="check" />${t("adm.approve")}</button></div>`}
      ${one.state === "draft" && one.mine && html`<p class="hint">${t("adm.own_draft")}</p>`}
      ${open && html`<div><button class="btn plain" type="button" onClick=${() => ask("withdraw")}>${t("adm.version.withdraw")}</button></div>`}
      <details><summary>${t("adm.draft.text")}</summary><pre class="mono template">${one.text}</pre></details>
    </div>
    ${asked &&
    html`<${Confirm} title=${t(`adm.version.${asked}.title`, { number: one.number })} verb=${t(asked === "approve" ? "adm.approve" : "adm.version.withdraw")} stop=${asked === "withdraw"} onYes=${yes} onClose=${() => ask(null)}>
      <p>${t(asked === "approve" ? "adm.version.approve.what" : "adm.version.withdraw.what", { day: day ? date(day, lang) : t("adm.at_once") })}</p>
    <//>`}
  </section>`;
}

/** @param {{app: AdministrationApp, house: House}} props */
export function AdministrationProcedures({ app, house }) {
  const versions = app.versions.value?.versions ?? [];
  const name = (/** @type {string} */ id) => house.procedures.find((one) => one.id === id)?.name[language()] ?? id;
  return html`<main class="dmain change alone">
    <section class="panel">
      <header><h1>${t("adm.versions")}</h1><span class="dim">${t("adm.versions.what")}</span></header>
      ${app.versions.value && versions.length === 0 && html`<p class="body empty">${t("adm.versions.none")}</p>`}
      ${versions.length > 0 &&
      html`<table>
        <caption class="vh">${t("adm.versions")}</caption>
        <thead><tr>${["number", "procedure", "state", "author", "approver", "starts"].map((key) => html`<th key=${key} scope="col">${t(`adm.col.${key}`)}</th>`)}</tr></thead>
        <tbody>
          ${versions.map(
            (one) => html`<tr key=${one.number}>
              <th scope="row"><a href=${`#procedures/${one.number}`}>${t("adm.version", { number: one.number })}</a></th>
              <td>${name(one.procedure)}</td>
              <td><span class=${`chip ${CHIPS[one.state]}`}>${t(`adm.state.${one.state}`)}</span></td>
              <td>${one.author ?? t("adm.by_command")}</td>
              <td>${one.approved_at ? (one.approved_by ?? t("adm.by_command")) : "―"}</td>
              <td class="nw">${one.starts_at ? dateTime(one.starts_at, language()) : "―"}</td>
            </tr>`,
          )}
        </tbody>
      </table>`}
    </section>
    <${Version} key=${app.version.value?.number ?? 0} app=${app} />
    <${Draft} app=${app} house=${house} />
  </main>`;
}
