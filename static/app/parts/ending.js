/** The time that is left before a call ends by itself: told five minutes and one minute before, counted down between. */
import { countdown } from "../lib/format.js";
import { secondsUntil } from "./clock.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { t } from "./words.js";

const FIRST_SECONDS = 300;
const LAST_SECONDS = 60;

/** Whole seconds until the call ends, null while that is far away. @param {{ends_at: string | null, state: string} | null} call @param {number} now */
export function secondsLeft(call, now) {
  if (!call || call.state === "closed" || !call.ends_at) return null;
  const seconds = secondsUntil(call.ends_at, now);
  return seconds <= FIRST_SECONDS ? seconds : null;
}

/**
 * Which warning stands, as the end of its words: what ends (`wait` or `call`) and how near the end is; null: none.
 * @param {{ends_at: string | null, state: string} | null} call
 * @param {number} now
 */
export function warning(call, now) {
  const seconds = secondsLeft(call, now);
  if (seconds === null || !call) return null;
  const what = call.state === "waiting" || call.state === "ringing" ? "wait" : "call";
  return `${what}.${seconds <= LAST_SECONDS ? 1 : 5}`;
}

/** @param {{app: import("./model.js").CallApp}} props */
export function Ending({ app }) {
  const seconds = secondsLeft(app.store.call.value, app.now.value);
  if (seconds === null) return null;
  const kind = seconds <= LAST_SECONDS ? "stop" : "warn";
  return html`<span class="chip ${kind}" role="timer" aria-label=${t("ending.label", { seconds })}>
    <${Icon} name="clock" />${t("ending.left")} <b class="nw">${countdown(seconds)}</b>
  </span>`;
}
