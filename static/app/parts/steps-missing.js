/** What 確認済み still wants, each line leading to its step. */
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { lackWords } from "./steps-words.js";
import { t } from "./words.js";

/** @param {{app: import("./model.js").DeskApp}} props */
export function Missing({ app }) {
  const lacks = app.steps.lacks.value;
  const lines = app.steps.lines.value;
  if (!lines.length) return null;
  return html`<section class="panel missing" aria-label=${t("missing.title")}>
    <header>
      <h2>${t("missing.title")}</h2>
      ${lacks.length
        ? html`<span class="chip warn"><${Icon} name="alert" />${t("missing.left", { n: lacks.length })}</span>`
        : html`<span class="chip ok"><${Icon} name="check" />${t("missing.none")}</span>`}
    </header>
    ${lacks.length > 0 &&
    html`<ul class="scroll" tabindex="0" aria-label=${t("missing.title")}>
      ${lacks.map(
        (lack) => html`<li key=${`${lack.step}-${lack.need}`}>
          <button class="line" type="button" onClick=${() => app.steps.pick(lack.step)}>
            <${Icon} name="alert" /><span>${t("missing.line", { n: lack.number, what: lackWords(lack, true) })}</span>
          </button>
        </li>`,
      )}
    </ul>`}
  </section>`;
}
