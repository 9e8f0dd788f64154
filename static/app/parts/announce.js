/** What a screen reader is told: a new call, a message, a loss. Never takes the focus. */
import { html, signal } from "./html.js";

/** A voice for screen readers: `say(text)` speaks politely, `now(text)` at once. */
export function createAnnouncer() {
  const polite = signal("");
  const urgent = signal("");
  return {
    polite,
    urgent,
    /** @param {string} text */
    say: (text) => void (polite.value = text),
    /** @param {string} text */
    now: (text) => void (urgent.value = text),
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
