/** The line of facts above a call at the desk: what may never be hidden. */
import { Elapsed } from "./clock.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { LevelBars } from "./level.js";
import { LanguageButton } from "./choose.js";
import { Playing } from "./video.js";
import { language, t } from "./words.js";

const BARS = { good: 4, fair: 3, poor: 1, unknown: 0 };

/** @param {{quality: import("../lib/quality.js").Quality}} props */
function Meter({ quality }) {
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
  const procedure = app.procedures.value.find(({ id }) => id === call.procedure);
  const lost = call.state === "interrupted" || app.store.connection.value.state !== "open";
  return html`<header class="facts-bar">
    ${lost
      ? html`<span class="chip warn"><${Icon} name="wifioff" />${t("state.interrupted")}</span>`
      : html`<span class="chip ok"><${Icon} name="phone" />${t(call.state === "deciding" ? "state.deciding" : "call.talking")}</span>`}
    <h1>${procedure?.name[language()] ?? call.procedure}</h1>
    <span class="mono">${call.number}</span>
    <span class="where">${call.office.name} ${call.tablet.name}・${t("ring.clerk", { name: call.clerk.name })}</span>
    <div class="end">
      <span class="self mirror"><${Playing} stream=${app.media.local.value} label=${t("desk.self")} muted=${true} /></span>
      <${LevelBars} level=${app.meter.level} />
      <${Meter} quality=${app.media.quality.value} />
      <b><span class="vh">${t("desk.elapsed")} </span><${Elapsed} from=${call.answered_at} now=${app.now} /></b>
      <${LanguageButton} />
    </div>
  </header>`;
}
