/** The lines on top of both pages: who and where, and the ways out. */
import { Ending } from "./ending.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { LanguageButton } from "./choose.js";
import { t } from "./words.js";

/** @param {{name?: string}} props the municipality's name */
export function Brand({ name = "" }) {
  return html`<span class="brand"><${Icon} name="window" />${name} ${t("brand")}</span>`;
}

/** @param {{app: import("./model.js").CounterApp, idle: boolean}} props at rest the language has its own place and the clerk may sign out */
export function CounterTop({ app, idle }) {
  const you = /** @type {import("../lib/protocol.js").CounterYou | null} */ (app.store.you.value);
  return html`<header class="ctop">
    <${Brand} name=${you?.municipality.name} />
    <div class="where">
      ${you && html`<span><${Icon} name="office" />${you.office.name} ${you.tablet.name}</span>`}
      ${!app.training.value && html`<span class="chip">${t("mode.real")}</span>`}
      ${you?.clerk && html`<span><${Icon} name="person" />${t("counter.clerk", { name: you.clerk.name })}</span>`}
      ${!idle && html`<${LanguageButton} />`}
      ${idle &&
      you?.clerk &&
      html`<button class="btn plain low" type="button" onClick=${app.signOut}>
        <${Icon} name="exit" />${t("shift.leave")}
      </button>`}
    </div>
  </header>`;
}

/** The resident's line while a call runs: what never may be hidden. @param {{app: import("./model.js").CounterApp, children?: import("./html.js").Node}} props */
export function CounterCallTop({ app, children }) {
  return html`<header class="ctop">
    ${children}
    <${Ending} app=${app} />
    <div class="where">
      <span class="nw">${t("call.number")} <b class="mono">${app.store.call.value?.number}</b></span>
      <${LanguageButton} />
    </div>
  </header>`;
}

/** @param {{app: import("./model.js").DeskApp}} props */
export function DeskTop({ app }) {
  const you = /** @type {import("../lib/protocol.js").DeskYou | null} */ (app.store.you.value);
  const open = app.store.deskState.value === "open";
  return html`<header class="dtop">
    <${Brand} name=${you?.municipality.name} />
    <div class="end">
      <div class="switch" role="group" aria-label=${t("desk.state.title")}>
        <button class="btn low" type="button" aria-pressed=${String(open)} onClick=${() => app.setState("open")}>
          <${Icon} name="okc" />${t("desk.state.open")}
        </button>
        <button class="btn plain low" type="button" aria-pressed=${String(!open)} onClick=${() => app.setState("away")}>
          <${Icon} name="pause" />${t("desk.state.away")}
        </button>
      </div>
      <a class="row tight nw own" href="/account?page=desk" title=${t("account.title")}><${Icon} name="person" />${you?.person.name}</a>
      <${LanguageButton} />
      <button class="btn plain low" type="button" onClick=${app.signOut}>
        <${Icon} name="exit" />${t("common.sign_out")}
      </button>
    </div>
  </header>`;
}
