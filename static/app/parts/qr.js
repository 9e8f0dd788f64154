/** A QR code drawn from rows of 0 and 1, with the quiet zone that readers need. */
import { html } from "./html.js";

const QUIET = 4;

/** The dark squares as one path. Pure. @param {string[]} rows */
export function qrPath(rows) {
  return rows
    .flatMap((row, y) => [...row].map((dark, x) => (dark === "1" ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : "")))
    .join("");
}

/** @param {{rows: string[], label: string}} props */
export function QrCode({ rows, label }) {
  const size = rows.length + 2 * QUIET;
  return html`<svg class="qr" viewBox=${`0 0 ${size} ${size}`} role="img" aria-label=${label} shape-rendering="crispEdges">
    <path d=${qrPath(rows)} />
  </svg>`;
}
