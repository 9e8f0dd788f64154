/** Between choosing and the ring: one question, answered by the resident; nothing is preset. */
import { Hear } from "./hear.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { Notice } from "./notice.js";
import { procedureName } from "./procedure.js";
import { Message, Rich, Say } from "./rich.js";
import { placeLock } from "./wanted.js";
import { language, t, tIn } from "./words.js";

/** Version of the words below, as in server/consents.py; `call.place` carries it, so that a record can say what was agreed to. */
export const CONSENT_VERSION = "1";

/** @param {{app: import("./model.js").CounterApp}} props */
export function CounterConsent({ app }) {
  const answer = app.agreed.value;
  const line = app.store.connection.value;
  const lock = placeLock({ agreed: answer, busy: app.busy.value, line });
  return html`<main class="cmain consent">
      <div>
        <p class="dim">${app.chosen.value && procedureName(app, app.chosen.value)}</p>
        <${Say} k="consent.title" as="h1" />
      </div>
      <section class="question panel">
        <${Message} title="consent.video" what="consent.video.what" as="h2" />
        <fieldset class="langs">
          <legend class="vh">${t("consent.video.label")}</legend>
          ${[true, false].map(
            (yes) =>
              html`<label key=${yes}
                ><input type="radio" name="video" checked=${answer === yes} onChange=${() => app.answer(yes)} />${t(yes ? "common.yes" : "common.no")}</label
              >`,
          )}
        </fieldset>
      </section>
      ${answer === false && html`<${Notice} kind="warn" role="status"><${Say} k="consent.refused" /><//>`}
      ${line.state !== "open" && html`<${Notice} kind="warn" icon="wifioff" role="status">${t("idle.why.line")}<//>`}
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
          aria-disabled=${lock ? "true" : undefined}
          aria-describedby="consent-why"
          onClick=${() => !lock && app.place()}
        >
          <${Icon} name=${lock ? "lock" : "phone"} />${t(app.busy.value ? "consent.placing" : "consent.place")}
        </button>
      </span>
      <span class="vh" id="consent-why">${lock ? t(lock) : ""}</span>
    </footer>`;
}
