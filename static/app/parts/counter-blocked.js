/** The tablet when a call cannot be placed: a sentence for the resident, then every unmet term and who does what about it. */
import { clauseWords, termsOf, unmetWords } from "./eligibility.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { Notice } from "./notice.js";
import { procedureName } from "./procedure.js";
import { Say } from "./rich.js";
import { has, t } from "./words.js";

/** @typedef {import("./model.js").CounterApp} CounterApp */

/** @param {{term: import("./eligibility.js").Term, index: number, said: import("./eligibility.js").Eligibility}} props */
function Unmet({ term, index, said }) {
  const words = unmetWords(term.code, said);
  return html`<li>
    <span class="n" aria-hidden="true">${index + 1}</span>
    <h3>${words.title}${term.clause && html`<small>${clauseWords(term.clause)}</small>`}</h3>
    <p>${words.what}</p>
    <p class="todo"><${Icon} name="right" /><span><b class="nw">${words.who}</b> ${words.todo}</span></p>
  </li>`;
}

/** @param {{app: CounterApp}} props */
export function CounterBlocked({ app }) {
  const said = app.eligibility.value;
  if (!said) return null;
  const { unmet, met } = termsOf(said);
  return html`<main class="cmain blocked">
    <div>
      ${app.chosen.value && html`<p class="dim">${t("blocked.chosen", { procedure: procedureName(app, app.chosen.value) })}</p>`}
      <h1 class="row"><${Icon} name="xc" />${t("blocked.title")}</h1>
    </div>
    <${Notice} icon="person" title=${t("procedure.for_resident")}><${Say} k="blocked.resident" /><//>
    <h2 id="unmet">${t("blocked.unmet", { n: unmet.length })}</h2>
    <ol class="unmet" aria-labelledby="unmet">
      ${unmet.map((term, index) => html`<${Unmet} key=${term.code} term=${term} index=${index} said=${said} />`)}
    </ol>
    ${met.length > 0 &&
    html`<div>
      <h2 id="met">${t("blocked.met", { n: met.length })}</h2>
      <ul class="met" aria-labelledby="met">
        ${met.map((term) => html`<li key=${term.code}><${Icon} name="okc" />${t(has(`term.${term.code}`) ? `term.${term.code}` : "blocked.other")}</li>`)}
      </ul>
    </div>`}
    </main>
    <footer class="cfoot actions">
      ${unmet.some((term) => term.code === "precheck_missing") && html`<a class="btn big" href="/precheck"><${Icon} name="check" />${t("precheck.go")}</a>`}
      <button class="btn primary big" type="button" onClick=${app.back}><${Icon} name="left" />${t("blocked.choose")}</button>
      <button class="btn big" type="button" aria-disabled=${app.busy.value ? "true" : undefined} onClick=${app.begin}><${Icon} name="refresh" />${t("blocked.again")}</button>
      ${said.mode === "real" && html`<button class="btn big plain" type="button" onClick=${app.practise}><${Icon} name="grad" />${t("blocked.practise")}</button>`}
    </footer>`;
}
