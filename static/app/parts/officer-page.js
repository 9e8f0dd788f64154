/** The frame of the officer's page: brand, tabs, who is signed in, and what was refused. */
import { dateTime } from "../lib/format.js";
import { LanguageButton } from "./choose.js";
import { codeOf, errorWords } from "./errors.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { Notice } from "./notice.js";
import { OfficerAudit } from "./officer-audit.js";
import { OfficerChange } from "./officer-change.js";
import { OfficerCheck } from "./officer-check.js";
import { OfficerPeople } from "./officer-people.js";
import { OfficerPolicy } from "./officer-policy.js";
import { OfficerSheet } from "./officer-sheet.js";
import { Toasts } from "./toast.js";
import { Brand } from "./topbar.js";
import { language, t } from "./words.js";

/** @typedef {import("./officer-model.js").OfficerApp} OfficerApp */

const TABS = /** @type {const} */ ([
  ["policy", "key"],
  ["change", "file"],
  ["check", "zoom"],
  ["audit", "link"],
  ["sheet", "print"],
  ["officers", "people"],
]);
const BODIES = {
  policy: OfficerPolicy,
  change: OfficerChange,
  check: OfficerCheck,
  audit: OfficerAudit,
  sheet: OfficerSheet,
  officers: OfficerPeople,
};

/** @param {{app: OfficerApp}} props */
function Top({ app }) {
  const you = app.you.value;
  const drafts = app.versions.value?.versions.filter((one) => one.state === "draft").length ?? 0;
  return html`<header class="dtop otop">
    <${Brand} name=${you?.municipality.name} />
    <nav aria-label=${t("officer.nav")}>
      ${TABS.filter(([tab]) => tab !== "audit" || you?.person.role !== "administrator").map(
        ([tab, icon]) =>
          html`<a key=${tab} href=${`#${tab}`} aria-current=${app.where.value.tab === tab ? "page" : undefined}
            ><${Icon} name=${icon} />${t(`officer.tab.${tab}`)}${tab === "change" && drafts > 0 && html` <b>${drafts}</b>`}</a
          >`,
      )}
      ${you?.person.role === "administrator" && html`<a href="/administration"><${Icon} name="office" />${t("officer.administration")}</a>`}
    </nav>
    <div class="end">
      <a class="row tight nw own who" href="/account?page=officer" title=${`${t(`role.${you?.person.role ?? "officer"}`)} ${t("account.title")}`}><${Icon} name="person" />${you?.person.name}</a>
      <${LanguageButton} />
      <button class="btn plain low" type="button" onClick=${app.signOut} aria-label=${t("common.sign_out")}><${Icon} name="exit" /></button>
    </div>
  </header>`;
}

/** Everything that was refused, each reason on its own line. @param {{error: any}} props */
export function Refused({ error }) {
  const code = codeOf(error);
  const reasons = (error?.reasons ?? []).filter((/** @type {any} */ one) => one.message);
  return html`<${Notice} kind="stop" role="alert" title=${errorWords(code)}>
    ${reasons.length > 0 &&
    html`<ul class="reasons">
      ${reasons.map((/** @type {any} */ one) => html`<li key=${one.message} class="mono">${one.message}</li>`)}
    </ul>`}
  <//>`;
}

/** @param {{app: OfficerApp}} props */
export function OfficerPage({ app }) {
  if (!app.you.value) return html`<main class="dmain"><p role="status">${t("officer.loading")}</p></main>`;
  const Body = BODIES[app.where.value.tab];
  return html`<div class="desk flow">
    <${Top} app=${app} />
    ${app.error.value && html`<div class="owarn"><${Refused} error=${app.error.value} /></div>`}
    ${app.policy.value?.rescued &&
    html`<div class="owarn"><${Notice} kind="stop" role="alert" title=${t("rescued.title")}>${t("rescued.what", { at: dateTime(app.policy.value.since ?? "", language()) })}<//></div>`}
    <${Body} app=${app} />
    <${Toasts} toasts=${app.toasts} />
  </div>`;
}
