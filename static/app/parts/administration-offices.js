/** Post offices: what real calls wait for, which procedures are open since when, and the tablets. */
import { AdministrationTablets } from "./administration-tablets.js";
import { Confirm, Field } from "./confirm.js";
import { date } from "../lib/format.js";
import { Dialog } from "./dialog.js";
import { html, useState } from "./html.js";
import { Icon } from "./icon.js";
import { language, t } from "./words.js";

/** @typedef {import("./administration-model.js").AdministrationApp} AdministrationApp */
/** @typedef {import("./administration-model.js").House} House */
/** @typedef {import("./administration-model.js").Office} Office */

/** @param {string | null} day */
const shown = (day) => (day ? date(day, language()) : "―");

/** What an office still lacks for real calls, as keys of the words. @param {Office} office @param {string} today */
export function lacks(office, today) {
  const dated = (/** @type {string | null} */ day, /** @type {string} */ key) => (day === null ? [`adm.lack.${key}`] : day > today ? [`adm.lack.${key}.later`] : []);
  const real = office.tablets.some((one) => one.real && one.enrolled_at && !one.revoked_at) ? [] : ["adm.lack.tablet"];
  return [...dated(office.designated_on, "designated"), ...dated(office.resolved_on, "resolved"), ...(office.clerks ? [] : ["adm.lack.clerk"]), ...real];
}

/** @param {{app: AdministrationApp, onClose: () => void}} props */
function AddOffice({ app, onClose }) {
  const [name, setName] = useState("");
  const [kind, setKind] = useState("direct");
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    onClose();
    const made = await app.addOffice(name, kind);
    if (made) location.hash = `#offices/${made.id}`;
  };
  const foot = html`<button class="btn plain" type="button" onClick=${onClose}>${t("common.back")}</button>
    <button class="btn primary" type="submit" form="add-office"><${Icon} name="check" />${t("adm.office.add")}</button>`;
  return html`<${Dialog} title=${t("adm.office.add")} onClose=${onClose} foot=${foot}>
    <form id="add-office" class="stack" onSubmit=${save}>
      <${Field} id="office-name" label=${t("adm.office.name")} value=${name} onInput=${setName} required />
      <fieldset class="picks">
        <legend>${t("adm.office.kind")}</legend>
        ${["direct", "simple"].map(
          (one) => html`<label key=${one} class="pick"><input type="radio" name="kind" checked=${kind === one} onChange=${() => setKind(one)} />${t(`adm.kind.${one}`)}</label>`,
        )}
      </fieldset>
      <p class="hint">${t("adm.kind.what")}</p>
    </form>
  <//>`;
}

/** @param {{app: AdministrationApp, office: Office}} props */
function Days({ app, office }) {
  const [days, setDays] = useState(office);
  const set = (/** @type {string} */ key) => (/** @type {string} */ value) => setDays({ ...days, [key]: value });
  const save = (/** @type {Event} */ event) => {
    event.preventDefault();
    const { designated_on, resolved_on, resolution_ref, contract_ref } = days;
    void app.enterOffice(office.id, { designated_on: designated_on || null, resolved_on: resolved_on || null, resolution_ref, contract_ref });
  };
  return html`<form class="panel" onSubmit=${save}>
    <header><h2>${t("adm.days")}</h2><span class="dim">${t("adm.days.what")}</span></header>
    <div class="body fields">
      <${Field} id="designated" type="date" label=${t("adm.designated_on")} hint=${t("adm.designated_on.hint")} value=${days.designated_on ?? ""} onInput=${set("designated_on")} />
      <${Field} id="resolved" type="date" label=${t("adm.resolved_on")} hint=${t("adm.resolved_on.hint")} value=${days.resolved_on ?? ""} onInput=${set("resolved_on")} />
      <${Field} id="resolution" label=${t("adm.resolution_ref")} value=${days.resolution_ref} onInput=${set("resolution_ref")} />
      <${Field} id="contract" label=${t("adm.contract_ref")} value=${days.contract_ref} onInput=${set("contract_ref")} />
    </div>
    <div class="body"><button class="btn primary" type="submit"><${Icon} name="check" />${t("adm.save")}</button></div>
  </form>`;
}

/** @param {{app: AdministrationApp, house: House, office: Office, procedure: string, opens: boolean, onClose: () => void}} props */
function OpenDialog({ app, house, office, procedure, opens, onClose }) {
  const [day, setDay] = useState(house.today);
  const [basis, setBasis] = useState("");
  const name = house.procedures.find(({ id }) => id === procedure)?.name[language()] ?? procedure;
  const title = t(opens ? "adm.open.title" : "adm.close.title", { procedure: name });
  const save = (/** @type {Event} */ event) => {
    event.preventDefault();
    onClose();
    void app.openProcedure(office.id, { procedure, opens, from_on: day, basis });
  };
  const foot = html`<button class="btn plain" type="button" onClick=${onClose}>${t("common.back")}</button>
    <button class=${`btn ${opens ? "primary" : "stop"}`} type="submit" form="open"><${Icon} name="check" />${t(opens ? "adm.open" : "adm.close")}</button>`;
  return html`<${Dialog} title=${title} onClose=${onClose} foot=${foot}>
    <form id="open" class="stack" onSubmit=${save}>
      <p>${t("adm.open.what", { office: office.name })}</p>
      <${Field} id="open-day" type="date" label=${t(opens ? "adm.open.day" : "adm.close.day")} value=${day} onInput=${setDay} required />
      <${Field} id="open-basis" label=${t("adm.basis")} hint=${t("adm.basis.hint")} value=${basis} onInput=${setBasis} required />
    </form>
  <//>`;
}

/** @param {{app: AdministrationApp, house: House, office: Office}} props */
function Procedures({ app, house, office }) {
  const [asked, ask] = useState(/** @type {{procedure: string, opens: boolean} | null} */ (null));
  const name = (/** @type {string} */ id) => house.procedures.find((one) => one.id === id)?.name[language()] ?? id;
  return html`<section class="panel">
    <header><h2>${t("adm.procedures")}</h2><span class="dim">${t("adm.procedures.what")}</span></header>
    <table>
      <caption class="vh">${t("adm.procedures")}</caption>
      <thead><tr>${["procedure", "state", "since", "basis", "do"].map((key) => html`<th key=${key} scope="col">${t(`adm.col.${key}`)}</th>`)}</tr></thead>
      <tbody>
        ${office.procedures.map(
          (one) => html`<tr key=${one.id}>
            <th scope="row">${name(one.id)}</th>
            <td>
              ${one.open ? html`<span class="chip ok"><${Icon} name="okc" />${t("procedure.open")}</span>` : html`<span class="chip"><${Icon} name="clock" />${t("procedure.preparing")}</span>`}
              ${one.opens_on && html` <span class="small">${t("adm.opens_on", { day: shown(one.opens_on) })}</span>`}
            </td>
            <td>${one.since ? shown(one.since) : t("adm.shipped")}</td>
            <td>${one.basis || "―"}</td>
            <td><button class="btn low" type="button" onClick=${() => ask({ procedure: one.id, opens: !one.open })}>${t(one.open ? "adm.close" : "adm.open")}</button></td>
          </tr>`,
        )}
      </tbody>
    </table>
    ${asked && html`<${OpenDialog} app=${app} house=${house} office=${office} ...${asked} onClose=${() => ask(null)} />`}
    <${History} app=${app} office=${office} name=${name} />
  </section>`;
}

/** Every entry that was ever made. @param {{app: AdministrationApp, office: Office, name: (id: string) => string}} props */
function History({ app, office, name }) {
  const [asked, ask] = useState(/** @type {string | null} */ (null));
  if (office.openings.length === 0) return html`<p class="body dim">${t("adm.history.none")}</p>`;
  return html`<details class="body">
    <summary>${t("adm.history", { n: office.openings.length })}</summary>
    <ul class="history">
      ${office.openings.map(
        (one) => html`<li key=${one.id} class=${one.withdrawn_at ? "gone" : ""}>
          <span>${shown(one.from_on)} ${name(one.procedure)} ${t(one.opens ? "adm.open" : "adm.close")}・${one.basis}・${one.set_by ?? t("adm.by_command")}</span>
          ${one.withdrawn_at && html`<span class="chip">${t("adm.withdrawn")}</span>`}
          ${one.may_withdraw && html`<button class="btn plain low" type="button" onClick=${() => ask(one.id)}>${t("adm.withdraw")}</button>`}
        </li>`,
      )}
    </ul>
    ${asked && html`<${Confirm} title=${t("adm.withdraw.title")} verb=${t("adm.withdraw")} onYes=${() => app.withdrawOpening(asked)} onClose=${() => ask(null)}><p>${t("adm.withdraw.what")}</p><//>`}
  </details>`;
}

/** @param {{app: AdministrationApp, house: House}} props */
export function AdministrationOffices({ app, house }) {
  const [adding, add] = useState(false);
  const { id } = app.where.value;
  const office = house.offices.find((one) => one.id === id) ?? (house.offices.length === 1 ? house.offices[0] : null);
  return html`<main class="dmain change alone">
    <section class="panel">
      <header><h1>${t("adm.offices")}</h1><span class="dim">${t("adm.offices.what")}</span>
        <button class="btn low" type="button" onClick=${() => add(true)}><${Icon} name="office" />${t("adm.office.add")}</button>
      </header>
      ${house.offices.length === 0 && html`<p class="body empty">${t("adm.offices.none")}</p>`}
      ${house.offices.length > 0 &&
      html`<ul class="cards">
        ${house.offices.map((one) => {
          const missing = lacks(one, house.today);
          return html`<li key=${one.id}>
            <a href=${`#offices/${one.id}`} aria-current=${one.id === office?.id ? "true" : undefined}><b>${one.name}</b>
              ${missing.length === 0 ? html`<span class="chip ok"><${Icon} name="okc" />${t("adm.ready")}</span>` : missing.map((key) => html`<span key=${key} class="chip warn"><${Icon} name="alert" />${t(key)}</span>`)}
            </a>
          </li>`;
        })}
      </ul>`}
    </section>
    ${office &&
    html`<h2 class="of">${office.name}</h2>
      <${Days} key=${`days-${office.id}`} app=${app} office=${office} />
      <${Procedures} key=${`procedures-${office.id}`} app=${app} house=${house} office=${office} />
      <${AdministrationTablets} key=${`tablets-${office.id}`} app=${app} office=${office} />`}
    ${adding && html`<${AddOffice} app=${app} onClose=${() => add(false)} />`}
  </main>`;
}
