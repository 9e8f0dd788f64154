/** People: who works here in which role, trained when; new ones get a link or a first PIN, once. */
import { Confirm, Field } from "./confirm.js";
import { date } from "../lib/format.js";
import { Dialog } from "./dialog.js";
import { html, useState } from "./html.js";
import { Icon } from "./icon.js";
import { language, t } from "./words.js";

/** @typedef {import("./administration-model.js").AdministrationApp} AdministrationApp */
/** @typedef {import("./administration-model.js").House} House */
/** @typedef {import("./administration-model.js").Worker} Worker */
/** @typedef {{what: "entrance" | "training" | "end", worker: Worker}} Asked */

/** Whom one administrator may add; administrators are added by a command. */
const ROLES = ["clerk", "verifier", "senior", "interpreter", "representative", "officer", "auditor"];

/** @param {{app: AdministrationApp, house: House, onClose: () => void}} props */
function AddPerson({ app, house, onClose }) {
  const [name, setName] = useState("");
  const [login, setLogin] = useState("");
  const [role, setRole] = useState("clerk");
  const [office, setOffice] = useState(house.offices[0]?.id ?? "");
  const clerk = role === "clerk";
  const save = (/** @type {Event} */ event) => {
    event.preventDefault();
    onClose();
    void app.addPerson({ login, name, role, office: clerk ? office : null });
  };
  const pick = (/** @type {(value: string) => void} */ set) => (/** @type {any} */ event) => set(event.currentTarget.value);
  const foot = html`<button class="btn plain" type="button" onClick=${onClose}>${t("common.back")}</button>
    <button class="btn primary" type="submit" form="add-person"><${Icon} name="check" />${t("adm.person.add")}</button>`;
  return html`<${Dialog} title=${t("adm.person.add")} onClose=${onClose} foot=${foot}>
    <form id="add-person" class="stack" onSubmit=${save}>
      <${Field} id="person-name" label=${t("adm.person.name")} hint=${t("adm.person.name.hint")} value=${name} onInput=${setName} required />
      <${Field} id="person-login" label=${t("adm.person.login")} hint=${t("adm.person.login.hint")} value=${login} onInput=${setLogin} required max=${64} />
      <div class="field">
        <label for="person-role">${t("adm.person.role")}</label>
        <select id="person-role" value=${role} onChange=${pick(setRole)}>${ROLES.map((one) => html`<option key=${one} value=${one}>${t(`role.${one}`)}</option>`)}</select>
      </div>
      ${clerk &&
      html`<div class="field">
        <label for="person-office">${t("adm.person.office")}</label>
        ${house.offices.length === 0
          ? html`<p class="hint">${t("adm.person.no_office")}</p>`
          : html`<select id="person-office" value=${office} onChange=${pick(setOffice)}>${house.offices.map((one) => html`<option key=${one.id} value=${one.id}>${one.name}</option>`)}</select>`}
      </div>`}
      <p class="hint">${t(clerk ? "adm.person.pin" : "adm.person.link")}</p>
    </form>
  <//>`;
}

/** @param {{app: AdministrationApp, house: House, worker: Worker, onClose: () => void}} props */
function TrainingDialog({ app, house, worker, onClose }) {
  const [day, setDay] = useState(house.today);
  const save = (/** @type {Event} */ event) => {
    event.preventDefault();
    onClose();
    void app.setTraining(worker.id, day);
  };
  const foot = html`<button class="btn plain" type="button" onClick=${onClose}>${t("common.back")}</button>
    <button class="btn primary" type="submit" form="training"><${Icon} name="check" />${t("adm.save")}</button>`;
  return html`<${Dialog} title=${t("adm.training.title", { name: worker.name })} onClose=${onClose} foot=${foot}>
    <form id="training" class="stack" onSubmit=${save}>
      <${Field} id="training-day" type="date" label=${t("adm.training.day")} hint=${t("adm.training.hint")} value=${day} onInput=${setDay} required />
    </form>
  <//>`;
}

/** @param {{app: AdministrationApp, house: House, asked: Asked, onClose: () => void}} props */
function Question({ app, house, asked, onClose }) {
  const { what, worker } = asked;
  if (what === "training") return html`<${TrainingDialog} app=${app} house=${house} worker=${worker} onClose=${onClose} />`;
  const kind = what === "end" ? "end" : worker.role === "clerk" ? "pin" : "link";
  const yes = () => (what === "end" ? app.endPerson(worker.id) : app.newEntrance(worker.id));
  return html`<${Confirm} title=${t(`adm.${kind}.title`, { name: worker.name })} verb=${t(`adm.${kind}`)} stop=${what === "end"} onYes=${yes} onClose=${onClose}>
    <p>${t(`adm.${kind}.what`)}</p>
  <//>`;
}

/** @param {{worker: Worker}} props */
function State({ worker }) {
  if (worker.ended_at) return html`<span class="chip"><${Icon} name="x" />${t("adm.person.ended")}</span>`;
  if (!worker.ready) return html`<span class="chip warn"><${Icon} name="clock" />${t("adm.person.not_yet")}</span>`;
  return html`<span class="chip ok"><${Icon} name="okc" />${t("adm.person.ready")}</span>`;
}

/** @param {{app: AdministrationApp, house: House}} props */
export function AdministrationPeople({ app, house }) {
  const [adding, add] = useState(false);
  const [asked, ask] = useState(/** @type {Asked | null} */ (null));
  const [ended, setEnded] = useState(false);
  const gone = house.people.filter((one) => one.ended_at).length;
  const people = house.people.filter((one) => ended || !one.ended_at);
  const office = (/** @type {string | null} */ id) => house.offices.find((one) => one.id === id)?.name ?? "―";
  const me = app.you.value?.person.id;
  const button = (/** @type {Worker} */ worker, /** @type {Asked["what"]} */ what, /** @type {string} */ key) =>
    html`<button class=${`btn low ${what === "end" ? "plain" : ""}`} type="button" onClick=${() => ask({ what, worker })}>${t(key)}</button>`;
  return html`<main class="dmain change alone">
    <section class="panel">
      <header><h1>${t("adm.people")}</h1><span class="dim">${t("adm.people.what")}</span>
        ${gone > 0 && html`<label class="row tight nw"><input type="checkbox" checked=${ended} onChange=${() => setEnded(!ended)} />${t("adm.person.show_ended", { n: gone })}</label>`}
        <button class="btn low" type="button" onClick=${() => add(true)}><${Icon} name="people" />${t("adm.person.add")}</button>
      </header>
      <table>
        <caption class="vh">${t("adm.people")}</caption>
        <thead><tr>${["name", "login", "role", "office", "trained", "state", "do"].map((key) => html`<th key=${key} scope="col">${t(`adm.col.${key}`)}</th>`)}</tr></thead>
        <tbody>
          ${people.map(
            (one) => html`<tr key=${one.id}>
              <th scope="row">${one.name}</th>
              <td class="mono">${one.login}</td>
              <td>${t(`role.${one.role}`)}</td>
              <td>${office(one.office)}</td>
              <td class="nw">${one.trained_on ? date(one.trained_on, language()) : "―"}</td>
              <td><${State} worker=${one} /></td>
              <td>${!one.ended_at &&
              html`<div class="row tight wrap">
                ${button(one, "training", "adm.training")}
                ${one.role !== "administrator" && button(one, "entrance", one.role === "clerk" ? "adm.pin" : "adm.link")}
                ${one.id !== me && button(one, "end", "adm.end")}
              </div>`}</td>
            </tr>`,
          )}
        </tbody>
      </table>
    </section>
    ${adding && html`<${AddPerson} app=${app} house=${house} onClose=${() => add(false)} />`}
    ${asked && html`<${Question} app=${app} house=${house} asked=${asked} onClose=${() => ask(null)} />`}
  </main>`;
}
