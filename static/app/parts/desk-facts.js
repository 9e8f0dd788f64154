/** The line of facts above a call at the desk: what may never be hidden. */
import { Elapsed } from "./clock.js";
import { pathTrouble } from "./flow.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { LevelBars } from "./level.js";
import { LanguageButton } from "./choose.js";
import { procedureName } from "./procedure.js";
import { Playing } from "./video.js";
import { t } from "./words.js";

const BARS = { good: 4, fair: 3, poor: 1, unknown: 0 };

/** The quality in words, or what keeps picture and sound from moving. @param {{app: import("./model.js").DeskApp}} props */
function Meter({ app }) {
  const trouble = pathTrouble(app.media.state.value, app.media.fault.value);
  return html`<span role="status">
      ${trouble && html`<span class="chip ${trouble === "connecting" ? "" : "warn"}"><${Icon} name="wifioff" />${t(`path.${trouble}`)}</span>`}
    </span>
    ${!trouble && html`<${Quality} quality=${app.media.quality.value} />`}`;
}

/** @param {{quality: import("../lib/quality.js").Quality}} props */
function Quality({ quality }) {
  const lit = BARS[quality.level];
  const details = [
    quality.width && `${quality.width}×${quality.height}`,
    quality.fps && t("quality.fps", { n: Math.round(quality.fps) }),
    quality.rtt_ms !== null && t("quality.rtt", { n: Math.round(quality.rtt_ms) }),
    quality.loss !== null && t("quality.loss", { n: (quality.loss * 100).toFixed(1) }),
  ].filter(Boolean);
  return html`<span class="meter" title=${details.join("・")}>
    <span class="bars ${quality.level}" aria-hidden="true">
      ${[1, 2, 3, 4].map((bar) => html`<i key=${bar} class=${bar <= lit ? "" : "off"}></i>`)}
    </span>
    <span>${t(`quality.${quality.level}`)}</span>
    <span class="dim only-wide">${details.join("・")}</span>
  </span>`;
}

/** @param {{app: import("./model.js").DeskApp, call: import("./model.js").CallNoun}} props */
export function DeskFacts({ app, call }) {
  const lost = call.state === "interrupted" || app.store.connection.value.state !== "open";
  const { microphone } = call.parties.counter;
  return html`<header class="facts-bar">
    ${lost
      ? html`<span class="chip warn"><${Icon} name="wifioff" />${t("state.interrupted")}</span>`
      : html`<span class="chip ok"><${Icon} name="phone" />${t(call.state === "deciding" ? "state.deciding" : "call.talking")}</span>`}
    <span role="status">${microphone !== "on" && html`<span class="chip warn"><${Icon} name="micoff" />${t(`stage.microphone.${microphone}`)}</span>`}</span>
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
