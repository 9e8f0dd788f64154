/** The level of the own microphone as ten bars. */
import { html } from "./html.js";
import { t } from "./words.js";

const BARS = Array.from({ length: 10 }, (_, index) => index);

/** @param {{level: import("./html.js").Signal<number>}} props `level` from 0 to 1 */
export function LevelBars({ level }) {
  const lit = Math.round(Math.min(1, level.value) * BARS.length);
  return html`<span class="level" role="img" aria-label=${t(lit > 1 ? "level.heard" : "level.quiet")}>
    ${BARS.map((bar) => html`<i key=${bar} class=${`${bar < lit ? "on" : ""} ${bar > 7 ? "hot" : ""}`}></i>`)}
  </span>`;
}
