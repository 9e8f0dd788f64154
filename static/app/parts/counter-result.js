/** What came of the call: said plainly, what to do next, and the number to keep. */
import { dateTime } from "../lib/format.js";
import { Hear } from "./hear.js";
import { html } from "./html.js";
import { Icon, Pictogram } from "./icon.js";
import { Notice } from "./notice.js";
import { procedureName } from "./procedure.js";
import { tellReason } from "./reasons.js";
import { ResidentButton } from "./resident.js";
import { Message, Rich } from "./rich.js";
import { language, t, tIn } from "./words.js";

/** @typedef {import("./model.js").CounterApp} CounterApp */

const PICTURES = { verified: "done", completed: "done", returned: "back", refused: "refused", aborted: "stop", none: "stop", waited: "stop" };

/** What the resident does next, as numbers of the words `result.<outcome>.next.<n>`. */
const STEPS = { verified: 2, completed: 2, returned: 3, refused: 2, aborted: 2, none: 1, waited: 2 };

/** @param {{app: CounterApp, kind: keyof typeof STEPS}} props */
function Slip({ app, kind }) {
  const call = app.store.call.value;
  if (!call) return null;
  return html`<section class="slip" aria-label=${t("slip.title")}>
    <p class="row"><b>${t("slip.title")}</b><span class="push">${app.store.you.value?.municipality.name}</span></p>
    ${call.training && html`<p class="chip train"><${Icon} name="grad" />${t("training.slip")}</p>`}
    <p>${t("call.number")}</p>
    <b class="no">${call.number}</b>
    <dl class="kv">
      <dt>${t("slip.procedure")}</dt><dd>${procedureName(app, call.procedure)}</dd>
      <dt>${t("slip.at")}</dt><dd>${dateTime(call.closed_at ?? call.placed_at, language())}</dd>
      <dt>${t("slip.office")}</dt><dd>${call.office.name}</dd>
      <dt>${t("slip.outcome")}</dt><dd><b>${t(`outcome.${kind}`)}</b></dd>
    </dl>
  </section>`;
}

/** @param {{app: CounterApp}} props */
export function CounterResult({ app }) {
  const call = app.store.call.value;
  const kind = /** @type {keyof typeof STEPS} */ (call?.outcome ?? (call?.reason === "max_waiting" ? "waited" : "none"));
  const steps = Array.from({ length: STEPS[kind] }, (_, index) => index + 1);
  const reason = tellReason(call?.reason ?? null, language());
  return html`<main class="cmain result">
      <div class="head" role="status">
        <${Pictogram} name=${PICTURES[kind]} class="big-p" />
        <${Message} title=${`result.${kind}.title`} what=${`result.${kind}.what`} />
      </div>
      ${reason && html`<${Notice} kind=${kind === "refused" ? "stop" : "warn"} title=${t("result.reason")}>${reason}<//>`}
      <div class="two">
        <section>
          <h2>${t("result.next")}</h2>
          <ol class="todo-list">
            ${steps.map((n) => html`<li key=${n}><span class="easy"><${Rich} text=${tIn(language(), `result.${kind}.next.${n}`)} /></span></li>`)}
          </ol>
        </section>
        <${Slip} app=${app} kind=${kind} />
      </div>
    </main>
    <footer class="cfoot">
      <button class="btn big" type="button" onClick=${() => globalThis.print()}><${Icon} name="print" />${t("slip.print")}</button>
      <${ResidentButton} app=${app} class="big plain" />
      <${Hear} speech=${app.speech} texts=${[`result.${kind}.title`, `result.${kind}.what`]} />
      <button class="btn big primary push" type="button" onClick=${app.finish}>${t("result.finish")}</button>
    </footer>`;
}
