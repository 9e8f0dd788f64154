/** Lost second factors: one administrator starts, another confirms and hands the link over. */
import { dateTime } from "../lib/format.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { Notice } from "./notice.js";
import { language, t } from "./words.js";

/** @typedef {import("./officer-model.js").OfficerApp} OfficerApp */
/** @typedef {import("./officer-model.js").Recoverable} Recoverable */

const CHIPS = /** @type {const} */ ({
  none: null,
  asked: ["warn", "alert"],
  started: ["warn", "clock"],
  confirmed: ["here", "link"],
});

/** @param {{one: Recoverable}} props */
function State({ one }) {
  const chip = CHIPS[one.state];
  if (!chip) return "―";
  const at = one.asked_at ? dateTime(one.asked_at, language()) : "";
  return html`<span class=${`chip ${chip[0]}`}><${Icon} name=${chip[1]} />${t(`recovery.state.${one.state}`)}</span>
    ${one.state === "asked" ? html`<span class="small">${at}</span>` : html`<span class="small">${one.started_by}</span>`}`;
}

/** @param {{app: OfficerApp, one: Recoverable}} props */
function Deeds({ app, one }) {
  const again = one.state !== "started";
  return html`<div class="row tight wrap">
    ${again && !(one.mine && one.state === "none") && html`<button class="btn low" type="button" onClick=${() => app.recover(one.id, "start")}>${t("recovery.start")}</button>`}
    ${one.state === "started" && !one.mine && html`<button class="btn primary low" type="button" onClick=${() => app.recover(one.id, "confirm")}>${t("recovery.confirm")}</button>`}
    ${one.state === "started" && one.mine && html`<span class="hint">${t("recovery.other")}</span>`}
    ${one.state !== "none" && html`<button class="btn plain low" type="button" onClick=${() => app.recover(one.id, "withdraw")}>${t("recovery.withdraw")}</button>`}
  </div>`;
}

/** @param {{app: OfficerApp}} props */
export function OfficerRecovery({ app }) {
  const people = app.recoveries.value?.people ?? [];
  const link = app.recoveryLink.value;
  const columns = ["name", "role", "factors", "state", "do"];
  return html`<section class="panel">
    <header><h2>${t("recovery.title")}</h2><span class="dim">${t("recovery.what")}</span></header>
    ${link &&
    html`<div class="body"><${Notice} kind="ok" role="status" title=${t("recovery.link", { name: link.name, until: dateTime(link.expires_at, language()) })}>
      <code class="mono key">${link.link}</code>
    <//></div>`}
    <table>
      <caption class="vh">${t("recovery.title")}</caption>
      <thead><tr>${columns.map((key) => html`<th key=${key} scope="col">${t(`recovery.col.${key}`)}</th>`)}</tr></thead>
      <tbody>
        ${people.map(
          (one) => html`<tr key=${one.id}>
            <th scope="row">${one.name}</th>
            <td>${t(`role.${one.role}`)}</td>
            <td>${one.factors.map((kind) => t(`recovery.factor.${kind}`)).join(" ") || "―"}</td>
            <td><${State} one=${one} /></td>
            <td><${Deeds} app=${app} one=${one} /></td>
          </tr>`,
        )}
      </tbody>
    </table>
  </section>`;
}
