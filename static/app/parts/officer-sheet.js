/** 設定一覧・適合確認票: every setting on paper, with a column for the municipality's own clauses. */
import { dateTime } from "../lib/format.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { enforcedWords } from "./officer-policy.js";
import { language, t } from "./words.js";

/** @param {{app: import("./officer-model.js").OfficerApp}} props */
export function OfficerSheet({ app }) {
  const policy = app.policy.value;
  const lang = language();
  if (!policy) return html`<main class="dmain"><p role="status">${t("officer.loading")}</p></main>`;
  return html`<main class="dmain sheet">
    <div class="row noprint"><p>${t("sheet.what")}</p><button class="btn primary push" type="button" onClick=${() => print()}><${Icon} name="print" />${t("sheet.print")}</button></div>
    <article class="paper">
      <h1>${t("sheet.title")}</h1>
      <p>${app.you.value?.municipality.name} ${policy.number === 0 ? t("officer.version.baseline") : t("officer.version", { number: policy.number })} ${policy.since ? dateTime(policy.since, lang) : ""}</p>
      <table>
        <caption class="vh">${t("sheet.title")}</caption>
        <thead><tr>${["setting", "value", "standing", "source", "clause", "fits"].map((key) => html`<th key=${key} scope="col">${t(`sheet.col.${key}`)}</th>`)}</tr></thead>
        ${policy.sections.map(
          (section) =>
            html`<tbody key=${section.key}>
              <tr><th scope="colgroup" colspan="6" class="group">${section.title[lang]}</th></tr>
              ${section.settings.map(
                (one) =>
                  html`<tr key=${one.key}>
                    <th scope="row">${one.name[lang]}<span class="key">${one.key}</span><span class="small">${enforcedWords(one)}</span></th>
                    <td>${one.words[lang]}${!one.in_effect && html`<br />（${t("officer.not_yet")}: ${one.waits?.[lang]}）`}</td>
                    <td>${t(`standing.${one.standing}`)}</td>
                    <td>${one.source === "own" ? t("officer.source.own") : one.source}</td>
                    <td>${one.clause}</td>
                    <td class="blank"></td>
                  </tr>`,
              )}
            </tbody>`,
        )}
      </table>
      <div class="signs">${["drafted", "approved"].map((key) => html`<p key=${key}>${t(`sheet.${key}`)}</p>`)}</div>
    </article>
  </main>`;
}
