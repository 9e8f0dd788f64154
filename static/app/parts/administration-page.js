/** The frame of the administration page: brand, tabs, who is signed in, what was refused, what is handed over. */
import { AdministrationOffices } from "./administration-offices.js";
import { AdministrationPeople } from "./administration-people.js";
import { AdministrationProcedures } from "./administration-procedures.js";
import { LanguageButton } from "./choose.js";
import { codeOf, ErrorNotice } from "./errors.js";
import { Handed } from "./handed.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { Notice } from "./notice.js";
import { Refused } from "./officer-page.js";
import { Toasts } from "./toast.js";
import { Brand } from "./topbar.js";
import { t } from "./words.js";

/** @typedef {import("./administration-model.js").AdministrationApp} AdministrationApp */

const TABS = /** @type {const} */ ([
  ["offices", "office"],
  ["people", "people"],
  ["procedures", "file"],
]);
const BODIES = { offices: AdministrationOffices, people: AdministrationPeople, procedures: AdministrationProcedures };

/** @param {{app: AdministrationApp}} props */
function Top({ app }) {
  const you = app.you.value;
  return html`<header class="dtop otop">
    <${Brand} name=${you?.municipality.name} />
    <nav aria-label=${t("adm.nav")}>
      ${TABS.map(
        ([tab, icon]) =>
          html`<a key=${tab} href=${`#${tab}`} aria-current=${app.where.value.tab === tab ? "page" : undefined}><${Icon} name=${icon} />${t(`adm.tab.${tab}`)}</a>`,
      )}
      <a href="/officer#officers"><${Icon} name="key" />${t("adm.officers")}</a>
      <a href="/hooks"><${Icon} name="link" />${t("page.hooks")}</a>
    </nav>
    <div class="end">
      <a class="row tight nw own who" href="/account?page=officer" title=${t("account.title")}><${Icon} name="person" />${you?.person.name}</a>
      <${LanguageButton} />
      <button class="btn plain low" type="button" onClick=${app.signOut} aria-label=${t("common.sign_out")}><${Icon} name="exit" /></button>
    </div>
  </header>`;
}

/** @param {{app: AdministrationApp}} props */
export function AdministrationPage({ app }) {
  const you = app.you.value;
  if (!you) return html`<main class="dmain"><p role="status">${t("officer.loading")}</p></main>`;
  if (you.person.role !== "administrator") {
    return html`<div class="desk flow"><${Top} app=${app} /><main class="dmain change alone"><${Notice} kind="stop" title=${t("adm.only")} /></main></div>`;
  }
  const Body = BODIES[app.where.value.tab];
  return html`<div class="desk flow administration">
    <${Top} app=${app} />
    ${app.error.value && html`<div class="owarn">${codeOf(app.error.value) === "bad_template" ? html`<${Refused} error=${app.error.value} />` : html`<${ErrorNotice} code=${codeOf(app.error.value)} />`}</div>`}
    ${app.house.value ? html`<${Body} app=${app} house=${app.house.value} />` : html`<main class="dmain"><p role="status">${t("officer.loading")}</p></main>`}
    ${app.handed.value && html`<${Handed} handed=${app.handed.value} onClose=${() => (app.handed.value = null)} />`}
    <${Toasts} toasts=${app.toasts} />
  </div>`;
}
