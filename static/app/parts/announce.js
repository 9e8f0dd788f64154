/** What a screen reader is told: a new call, a message, a loss. Never takes the focus. */
import { html, signal } from "./html.js";

/** Between two texts stands nothing for this long; else the same text twice would be said once. */
const PAUSE_MS = 100;

/**
 * A voice for screen readers: `say(text)` speaks politely, `now(text)` at once.
 * @param {{setTimer?: (run: () => void, ms: number) => unknown}} [options]
 */
export function createAnnouncer({ setTimer = setTimeout } = {}) {
  const polite = signal("");
  const urgent = signal("");
  /** @param {import("./html.js").Signal<string>} channel @param {string} text */
  const speak = (channel, text) => {
    channel.value = "";
    setTimer(() => (channel.value = text), PAUSE_MS);
  };
  return {
    polite,
    urgent,
    /** @param {string} text */
    say: (text) => speak(polite, text),
    /** @param {string} text */
    now: (text) => speak(urgent, text),
  };
}

/** @typedef {ReturnType<typeof createAnnouncer>} Announcer */

/** @param {{voice: Announcer}} props */
export function Announcements({ voice }) {
  return html`<div class="vh">
    <p aria-live="polite" aria-atomic="true">${voice.polite.value}</p>
    <p aria-live="assertive" aria-atomic="true">${voice.urgent.value}</p>
  </div>`;
}
