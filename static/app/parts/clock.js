/** Times that run. Each follows the page's clock by itself, so that only its own words are drawn again. */
import { countdown, duration } from "../lib/format.js";
import { html } from "./html.js";
import { language } from "./words.js";

/** Whole seconds from `from` (RFC 3339) to `now` (ms of the server's clock), never negative.
 * @param {string | null} from @param {number} now */
export const secondsSince = (from, now) => (from ? Math.max(0, Math.floor((now - Date.parse(from)) / 1000)) : 0);

/**
 * When the seat is given up: what the server said, or what its rule says since our socket went.
 * @param {Pick<import("./model.js").CallApp, "store" | "now">} app
 */
export function givesUpAt({ store, now }) {
  const told = store.call.value?.interrupted?.gives_up_at;
  if (told) return told;
  const wait = (store.limits.value?.resume_seconds ?? 120) * 1000;
  const since = store.connection.value.since + store.serverOffset.value;
  // The page's clock moves once a second and may stand before the moment of the loss.
  return new Date(Math.min(since, now.value) + wait).toISOString();
}

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
