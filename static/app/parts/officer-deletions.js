/** 削除証明: what was deleted because its time was over, each with its signed proof. */
import { dateTime } from "../lib/format.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { language, t } from "./words.js";

/** @typedef {import("./officer-model.js").OfficerApp} OfficerApp */
/** @typedef {import("./officer-model.js").Deletion} Deletion */

/** @param {{one: Deletion}} props */
function Row({ one }) {
  return html`<tr class=${one.verified ? "" : "looser"}>
    <td class="nw">${dateTime(one.at, language())}</td>
    <td>${one.kind ? t(`deletion.kind.${one.kind}`) : "―"}</td>
    <td class="num">${one.count ?? "―"}</td>
    <td class="mono">${one.call ? html`<a href=${`#audit?call=${one.call}`}>${one.call}</a>` : "―"}</td>
    <td class="mono">${one.because ?? "―"}</td>
    <td>
      <span class=${one.verified ? "chip ok" : "chip stop"}><${Icon} name=${one.verified ? "okc" : "xc"} />${t(one.verified ? "deletion.verified" : "deletion.broken")}</span>
      ${one.statement && html`<details><summary>${t("deletion.proof")}</summary><p class="mono wrap">${one.statement}</p><p class="mono wrap">${one.signature}</p></details>`}
    </td>
  </tr>`;
}

/** @param {{app: OfficerApp}} props */
export function OfficerDeletions({ app }) {
  const found = app.deletions.value;
  if (!found) return null;
  return html`<section class="panel">
    <header><h2>${t("deletion.title")}</h2><span class="dim">${t("deletion.what")}</span></header>
    ${found.deletions.length === 0
      ? html`<p class="body empty">${t("deletion.none")}</p>`
      : html`<table class="log">
          <caption class="vh">${t("deletion.title")}</caption>
          <thead><tr>${["at", "kind", "count", "call", "because", "proof"].map((key) => html`<th key=${key} scope="col" class=${key === "count" ? "num" : ""}>${t(`deletion.col.${key}`)}</th>`)}</tr></thead>
          <tbody>${found.deletions.map((one) => html`<${Row} key=${one.id} one=${one} />`)}</tbody>
        </table>`}
    ${found.more && html`<p class="body dim">${t("deletion.more", { n: found.deletions.length })} <button class="btn plain" type="button" onClick=${app.olderDeletions}>${t("audit.more")}</button></p>`}
  </section>`;
}
