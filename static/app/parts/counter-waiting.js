/** Waiting: people and minutes instead of a spinner, who is being called, and the way to stop. */
import { Ending } from "./ending.js";
import { Hear } from "./hear.js";
import { html } from "./html.js";
import { Icon, Pictogram } from "./icon.js";
import { LevelBars } from "./level.js";
import { ResidentButton } from "./resident.js";
import { Message, Rich } from "./rich.js";
import { Playing } from "./video.js";
import { language, other, t, tIn } from "./words.js";

/** @param {{label: string, value: string, unit?: string, second: string}} props without a unit the value is in words */
function Figure({ label, value, unit, second }) {
  return html`<div>
    <p class="easy"><span><${Rich} text=${label} /></span></p>
    <b class=${unit ? "" : "words"}>${value}${unit && html`<small>${unit}</small>`}</b>
    <span class="second" lang=${other()}>${second}</span>
  </div>`;
}

/** @param {{position: import("../lib/protocol.js").PositionNoun | null}} props */
function Figures({ position }) {
  const minutes =
    position?.wait_seconds === null || position === null ? null : Math.max(1, Math.round(position.wait_seconds / 60));
  return html`<div class="facts" aria-live="polite">
    <${Figure}
      label=${tIn(language(), "waiting.ahead")}
      value=${String(position?.ahead ?? "―")}
      unit=${t("waiting.people", { count: position?.ahead ?? 0 })}
      second=${tIn(other(), "waiting.ahead.second")}
    />
    <${Figure}
      label=${tIn(language(), "waiting.wait")}
      value=${minutes === null ? t("waiting.unknown") : String(minutes)}
      unit=${minutes === null ? undefined : t("waiting.minutes")}
      second=${tIn(other(), minutes === null ? "waiting.unknown" : "waiting.wait.second")}
    />
  </div>`;
}

/** Hours and telephone while no desk is open. @param {{notice: {hours: string, telephone: string}}} props */
function Closed({ notice }) {
  const told = /** @type {const} */ (["hours", "telephone"]).filter((key) => notice[key]);
  return html`<div class="facts">
    ${told.map(
      (key) =>
        html`<${Figure} key=${key} label=${t(`waiting.closed.${key}`)} value=${notice[key]} second=${tIn(other(), `waiting.closed.${key}`)} />`,
    )}
  </div>`;
}

/** @param {{app: import("./model.js").CounterApp}} props */
export function CounterWaiting({ app }) {
  const position = app.store.position.value;
  const notice = position?.closed_notice;
  const offered = position?.offered_to;
  const busy = !notice && position?.busy;
  const title = notice ? "waiting.closed" : busy ? "waiting.busy" : "waiting.title";
  return html`<main class="cmain center">
      <${Pictogram} name="wait" class="big-p" />
      <${Message} title=${title} what=${notice ? "waiting.closed.what" : busy ? "waiting.busy.what" : "waiting.what"} />
      ${notice ? html`<${Closed} notice=${notice} />` : html`<${Figures} position=${position} />`}
      <p class="lead" aria-live="polite">
        ${offered && html`<span class="chip here ringing"><${Icon} name="bell" class="bell" />${t("waiting.offered", { name: offered })}</span>`}
      <${Ending} app=${app} />
      </p>
      <ul class="states">
        <li>
          <div class="video mini ${app.mirrored.value ? "mirror" : ""}"><${Playing} stream=${app.media.local.value} label=${t("own.title")} muted=${true} /></div>
          <b>${t("device.camera")}</b><span>${t(app.media.camera.value === "on" ? "device.camera.on" : "device.camera.off")}</span>
        </li>
        <li>
          <${Icon} name=${app.media.microphone.value === "on" ? "mic" : "micoff"} />
          <b>${t("device.microphone")}</b><span><${LevelBars} level=${app.meter.level} /></span>
        </li>
        <li><${Icon} name="file" /><b>${t("call.number")}</b><span class="mono nw">${app.store.call.value?.number}</span></li>
      </ul>
    </main>
    <footer class="cfoot">
      <button class="btn big plain" type="button" onClick=${app.withdraw}><${Icon} name="x" />${t("waiting.stop")}</button>
      <${ResidentButton} app=${app} class="big plain" />
      <span class="push"><${Hear} speech=${app.speech} texts=${[title, "waiting.what"]} /></span>
    </footer>`;
}
