/** The tablets of an office: enrolment codes, 本番 or 研修, revoking. */
import { Confirm, Field } from "./confirm.js";
import { html, useState } from "./html.js";
import { Icon } from "./icon.js";
import { t } from "./words.js";

/** @typedef {import("./administration-model.js").AdministrationApp} AdministrationApp */
/** @typedef {import("./administration-model.js").Tablet} Tablet */
/** @typedef {{what: "revoke" | "real" | "training" | "code", tablet: Tablet}} Asked */

/** @param {{tablet: Tablet}} props */
function State({ tablet }) {
  if (tablet.revoked_at) return html`<span class="chip"><${Icon} name="x" />${t("adm.tablet.revoked")}</span>`;
  if (!tablet.enrolled_at) return html`<span class="chip warn"><${Icon} name="clock" />${t("adm.tablet.not_yet")}</span>`;
  return html`<span class="chip ok"><${Icon} name="okc" />${t("adm.tablet.enrolled")}</span>`;
}

/** @param {{app: AdministrationApp, asked: Asked, onClose: () => void}} props */
function Question({ app, asked, onClose }) {
  const { what, tablet } = asked;
  const deeds = {
    revoke: () => app.revokeTablet(tablet.id),
    real: () => app.switchTablet(tablet.id, true),
    training: () => app.switchTablet(tablet.id, false),
    code: () => app.newCode(tablet.id),
  };
  return html`<${Confirm} title=${t(`adm.tablet.${what}.title`, { name: tablet.name })} verb=${t(`adm.tablet.${what}`)} stop=${what === "revoke"} onYes=${deeds[what]} onClose=${onClose}>
    <p>${t(`adm.tablet.${what}.what`)}</p>
  <//>`;
}

/** @param {{app: AdministrationApp, office: import("./administration-model.js").Office}} props */
export function AdministrationTablets({ app, office }) {
  const [asked, ask] = useState(/** @type {Asked | null} */ (null));
  const [name, setName] = useState("");
  const add = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (await app.addTablet(office.id, name)) setName("");
  };
  const button = (/** @type {Tablet} */ tablet, /** @type {Asked["what"]} */ what) =>
    html`<button class=${`btn low ${what === "revoke" ? "plain" : ""}`} type="button" onClick=${() => ask({ what, tablet })}>${t(`adm.tablet.${what}`)}</button>`;
  return html`<section class="panel">
    <header><h2>${t("adm.tablets")}</h2><span class="dim">${t("adm.tablets.what")}</span></header>
    ${office.tablets.length === 0 && html`<p class="body empty">${t("adm.tablets.none")}</p>`}
    ${office.tablets.length > 0 &&
    html`<table>
      <caption class="vh">${t("adm.tablets")}</caption>
      <thead><tr>${["tablet", "state", "mode", "do"].map((key) => html`<th key=${key} scope="col">${t(`adm.col.${key}`)}</th>`)}</tr></thead>
      <tbody>
        ${office.tablets.map(
          (one) => html`<tr key=${one.id}>
            <th scope="row">${one.name}</th>
            <td><${State} tablet=${one} /></td>
            <td>${one.real ? html`<span class="chip">${t("mode.real")}</span>` : html`<span class="chip train"><${Icon} name="grad" />${t("training.chip")}</span>`}</td>
            <td><div class="row tight wrap">${button(one, one.real ? "training" : "real")}${button(one, "code")}${!one.revoked_at && one.enrolled_at && button(one, "revoke")}</div></td>
          </tr>`,
        )}
      </tbody>
    </table>`}
    <form class="body row wrap" onSubmit=${add}>
      <${Field} id="tablet-name" label=${t("adm.tablet.name")} hint=${t("adm.tablet.name.hint")} value=${name} onInput=${setName} required />
      <button class="btn" type="submit">${t("adm.tablet.add")}</button>
    </form>
    ${asked && html`<${Question} app=${app} asked=${asked} onClose=${() => ask(null)} />`}
  </section>`;
}
