/** How good the call is, at the desk: bars and a word, what to do about it, figures when asked for. */
import { Dialog } from "./dialog.js";
import { deskAdvice, pathTrouble } from "./flow.js";
import { html, useState } from "./html.js";
import { Icon } from "./icon.js";
import { t } from "./words.js";

/** @typedef {import("./model.js").DeskApp} DeskApp */
/** @typedef {import("../lib/protocol.js").QualityNoun} QualityNoun */
/** @typedef {import("../lib/protocol.js").LineNoun} LineNoun */

const BARS = { good: 4, fair: 3, poor: 1, unknown: 0 };

/** The directions in the order of who speaks to whom: party, way, key of the words. */
const WAYS = /** @type {const} */ ([
  ["counter", "sends"],
  ["desk", "receives"],
  ["desk", "sends"],
  ["counter", "receives"],
]);

/** Each figure, as text or null. @type {Readonly<Record<string, (line: LineNoun) => unknown>>} */
const FIGURES = Object.freeze({
  size: (line) => line.width && `${line.width}×${line.height}`,
  fps: (line) => line.fps !== null && String(Math.round(line.fps)),
  rate: (line) => line.kbps !== null && (line.kbps / 1000).toFixed(2),
  loss: (line) => line.loss !== null && (line.loss * 100).toFixed(1),
  repaired: (line) => line.repaired !== null && String(line.repaired),
  freezes: (line) => line.freezes !== null && String(line.freezes),
  rtt: (line) => line.rtt_ms !== null && String(line.rtt_ms),
  jitter: (line) => line.jitter_ms !== null && String(line.jitter_ms),
});

/** @param {{app: DeskApp}} props */
export function Meter({ app }) {
  const [open, setOpen] = useState(false);
  const trouble = pathTrouble(app.media.state.value, app.media.fault.value);
  const quality = app.store.quality.value;
  const level = quality?.level ?? "unknown";
  return html`<span role="status">
      ${trouble && html`<span class="chip ${trouble === "connecting" ? "" : "warn"}"><${Icon} name="wifioff" />${t(`path.${trouble}`)}</span>`}
    </span>
    ${!trouble &&
    html`<button
      class="meter"
      type="button"
      aria-haspopup="dialog"
      aria-label=${`${t("quality.title")} ${t(`quality.${level}`)}`}
      title=${t("quality.details")}
      onClick=${() => setOpen(true)}>
      <span class="bars ${level}" aria-hidden="true">
        ${[1, 2, 3, 4].map((bar) => html`<i key=${bar} class=${bar <= BARS[level] ? "" : "off"}></i>`)}
      </span>
      <span class="word">${t(`quality.${level}`)}</span>
    </button>`}
    ${open && html`<${Details} quality=${quality} onClose=${() => setOpen(false)} />`}`;
}

/** @param {{quality: QualityNoun | null, onClose: () => void}} props */
function Details({ quality, onClose }) {
  const advice = deskAdvice(quality);
  const foot = html`<button class="btn primary" type="button" onClick=${onClose}>${t("common.close")}</button>`;
  return html`<${Dialog} title=${t("quality.title")} size="wide" onClose=${onClose} foot=${foot}>
    <div class="stack">
      <p><b>${t(`quality.${quality?.level ?? "unknown"}`)}</b> ${t(advice ?? "quality.advice.none")}</p>
      <table class="figures">
        <thead>
          <tr>
            <th scope="col">${t("quality.figure")}</th>
            ${WAYS.map(([party, way]) => html`<th scope="col" key=${party + way}>${t(`quality.way.${party}.${way}`)}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${Object.entries(FIGURES).map(
            ([name, text]) =>
              html`<tr key=${name}>
                <th scope="row">${t(`quality.figure.${name}`)}</th>
                ${WAYS.map(([party, way]) => {
                  const line = quality?.lines?.[party]?.[way];
                  return html`<td key=${party + way}>${String((line && text(line)) || "―")}</td>`;
                })}
              </tr>`,
          )}
        </tbody>
      </table>
      <p class="dim">${t("quality.note")}</p>
    </div>
  <//>`;
}
