/** The line of facts above a call at the desk: what may never be hidden. */
import { Elapsed } from "./clock.js";
import { Ending } from "./ending.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { LevelBars } from "./level.js";
import { LanguageButton } from "./choose.js";
import { Meter } from "./meter.js";
import { procedureName } from "./procedure.js";
import { Playing } from "./video.js";
import { t } from "./words.js";

/** @param {{app: import("./model.js").DeskApp, call: import("./model.js").CallNoun}} props */
export function DeskFacts({ app, call }) {
  const lost = call.state === "interrupted" || app.store.connection.value.state !== "open";
  const { microphone } = call.parties.counter;
  return html`<header class="facts-bar">
    ${lost
      ? html`<span class="chip warn"><${Icon} name="wifioff" />${t("state.interrupted")}</span>`
      : html`<span class="chip ok"><${Icon} name="phone" />${t(call.state === "deciding" ? "state.deciding" : "call.talking")}</span>`}
    <span role="status">${microphone !== "on" && html`<span class="chip warn"><${Icon} name="micoff" />${t(`stage.microphone.${microphone}`)}</span>`}</span>
    <${Ending} app=${app} />
    <h1>${procedureName(app, call.procedure)}</h1>
    <span class="mono">${call.number}</span>
    <span class="where">${call.office.name} ${call.tablet.name}・${t("ring.clerk", { name: call.clerk.name })}</span>
    <div class="end">
      <span class="self mirror"><${Playing} stream=${app.media.local.value} label=${t("desk.self")} muted=${true} /></span>
      <${LevelBars} level=${app.meter.level} />
      ${!lost && html`<${Meter} app=${app} />`}
      <b><span class="vh">${t("desk.elapsed")} </span><${Elapsed} from=${call.answered_at} now=${app.now} /></b>
      <${LanguageButton} />
    </div>
  </header>`;
}
