/** Times that run. Each follows the page's clock by itself, so that only its own words are drawn again. */
import { countdown, duration } from "../lib/format.js";
import { html } from "./html.js";
import { language } from "./words.js";

/** Whole seconds from `from` (RFC 3339) to `now` (ms of the server's clock), never negative.
 * @param {string | null} from @param {number} now */
export const secondsSince = (from, now) => (from ? Math.max(0, Math.floor((now - Date.parse(from)) / 1000)) : 0);

/** Whole seconds until `to`, never negative. @param {string | null | undefined} to @param {number} now */
export const secondsUntil = (to, now) => (to ? Math.max(0, Math.ceil((Date.parse(to) - now) / 1000)) : 0);

/** Time that has gone by. @param {{from: string | null, now: import("./html.js").Signal<number>}} props */
export function Elapsed({ from, now }) {
  return html`<span class="nw">${duration(secondsSince(from, now.value), language())}</span>`;
}

/** Time that is left. @param {{to: string, now: import("./html.js").Signal<number>}} props */
export function Countdown({ to, now }) {
  return html`<span class="nw">${countdown(secondsUntil(to, now.value))}</span>`;
}
