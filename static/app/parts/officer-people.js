/** Who may sign policies: appointed by two administrators; and what each role may do. */
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { t } from "./words.js";

/** @param {{app: import("./officer-model.js").OfficerApp}} props */
export function OfficerPeople({ app }) {
  const officers = app.officers.value?.officers ?? [];
  const administrator = app.you.value?.person.role === "administrator";
  return html`<main class="dmain change alone">
    <section class="panel">
      <header><h1>${t("people.title")}</h1><span class="dim">${t("people.what")}</span></header>
      ${officers.length === 0 && html`<p class="body empty">${t("people.none")}</p>`}
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
  </main>`;
}
