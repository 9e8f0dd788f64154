/** Between choosing and the ring: one question, answered by the resident; nothing is preset. */
import { Hear } from "./hear.js";
import { html, useState } from "./html.js";
import { Icon } from "./icon.js";
import { Notice } from "./notice.js";
import { Message, Rich, Say } from "./rich.js";
import { language, t, tIn } from "./words.js";

/** Version of the words below; `call.place` carries it, so that a record can say what was agreed to. */
export const CONSENT_VERSION = "1";

/** @param {{app: import("./model.js").CounterApp}} props */
export function CounterConsent({ app }) {
  const [answer, setAnswer] = useState(/** @type {boolean | null} */ (null));
  const chosen = app.procedures.value.find((procedure) => procedure.id === app.chosen.value);
  const locked = answer !== true || app.busy.value;
  return html`<main class="cmain consent">
      <div>
        <p class="dim">${chosen?.name[language()]}</p>
        <${Say} k="consent.title" as="h1" />
      </div>
      <section class="question panel">
        <${Message} title="consent.video" what="consent.video.what" as="h2" />
        <fieldset class="langs">
          <legend class="vh">${t("consent.video.label")}</legend>
          ${[true, false].map(
            (yes) =>
              html`<label key=${yes}
                ><input type="radio" name="video" checked=${answer === yes} onChange=${() => setAnswer(yes)} />${t(yes ? "common.yes" : "common.no")}</label
              >`,
          )}
        </fieldset>
      </section>
      ${answer === false && html`<${Notice} kind="warn" role="status"><${Say} k="consent.refused" /><//>`}
      <ul class="promises">
        ${["pin", "crypt", "stop"].map(
          (key) =>
            html`<li key=${key}><${Icon} name=${{ pin: "camoff", crypt: "lock", stop: "x" }[key]} /><span class="easy"><${Rich} text=${tIn(language(), `consent.promise.${key}`)} /></span></li>`,
        )}
      </ul>
    </main>
    <footer class="cfoot">
      <button class="btn plain big" type="button" onClick=${app.back}><${Icon} name="left" />${t("common.back")}</button>
      <span class="push row">
        <${Hear} speech=${app.speech} label="hear.read" texts=${["consent.title", "consent.video", "consent.video.what"]} />
        <button
          class="btn primary big go"
          type="button"
          aria-disabled=${locked ? "true" : undefined}
          aria-describedby="consent-why"
          onClick=${() => !locked && app.place()}
        >
          <${Icon} name=${locked ? "lock" : "phone"} />${t(app.busy.value ? "consent.placing" : "consent.place")}
        </button>
      </span>
      <span class="vh" id="consent-why">${answer === null ? t("consent.why") : ""}</span>
    </footer>`;
}
