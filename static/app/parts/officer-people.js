/** Who may sign policies: appointed by two administrators; and what each role may do. */
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { OfficerRecovery } from "./officer-recovery.js";
import { t } from "./words.js";

/** @param {{app: import("./officer-model.js").OfficerApp}} props */
export function OfficerPeople({ app }) {
  const officers = app.officers.value?.officers ?? [];
  const administrator = app.you.value?.person.role === "administrator";
  return html`<main class="dmain change alone">
    <section class="panel">
      <header><h1>${t("people.title")}</h1><span class="dim">${t("people.what")}</span></header>
      ${officers.length === 0 && html`<p class="body empty">${t("people.none")}</p>`}
      ${administrator && officers.some((one) => !one.appointed) && html`<p class="body">${t("people.void")}</p>`}
      ${officers.length > 0 &&
      html`<table>
        <caption class="vh">${t("people.title")}</caption>
        <thead><tr>${["name", "state", "proposed", "confirmed", "do"].map((key) => html`<th key=${key} scope="col">${t(`people.col.${key}`)}</th>`)}</tr></thead>
        <tbody>
          ${officers.map((one) => {
            const proposed = one.proposed_by !== null;
            return html`<tr key=${one.id}>
              <th scope="row">${one.name}</th>
              <td>
                ${one.appointed
                  ? html`<span class="chip ok"><${Icon} name="okc" />${t("people.appointed")}</span>`
                  : html`<span class="chip warn"><${Icon} name="clock" />${t(proposed ? "people.proposed" : "people.not_yet")}</span>`}
              </td>
              <td>${one.proposed_by === "init" ? t("people.init") : one.proposed_by ?? "―"}</td>
              <td>${one.confirmed_by ?? "―"}</td>
              <td>
                ${administrator &&
                !one.appointed &&
                html`<button class="btn low" type="button" onClick=${() => app.appoint(one.id)}>${t(proposed ? "people.confirm" : "people.propose")}</button>`}
              </td>
            </tr>`;
          })}
        </tbody>
      </table>`}
    </section>
    ${administrator && html`<${OfficerRecovery} app=${app} />`}
    ${app.roles.value && html`<${RoleTable} roles=${app.roles.value} />`}
  </main>`;
}

/** The table by which the gate decides: actions down, roles across. @param {{roles: import("./officer-model.js").Roles}} props */
function RoleTable({ roles }) {
  return html`<section class="panel">
    <header><h2 id="roles">${t("roles.title")}</h2><span class="dim">${t("roles.what")}</span></header>
    <div class="wide" tabindex="0" role="region" aria-labelledby="roles">
      <table class="roles">
        <thead><tr><th scope="col">${t("roles.action")}</th>${roles.roles.map(({ role }) => html`<th key=${role} scope="col">${t(`role.${role}`)}</th>`)}</tr></thead>
        <tbody>
          ${roles.actions.map(
            (action) => html`<tr key=${action}>
              <th scope="row">${t(`action.${action}`)}<span class="key">${action}</span></th>
              ${roles.roles.map(({ role, actions }) => {
                const may = actions.includes(action);
                return html`<td key=${role} class=${may ? "may" : "dim"}>${may ? html`<${Icon} name="okc" />` : "―"}<span class="vh">${t(may ? "roles.may" : "roles.not")}</span></td>`;
              })}
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}
