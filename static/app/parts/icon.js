/** Signs and pictograms of static/img/icons.svg. They never speak alone: a word stands beside each. */
import { html } from "./html.js";

const SPRITE = "/static/img/icons.svg";

/** @param {{name: string, class?: string}} props `name` without its `i-` */
export function Icon({ name, class: extra = "" }) {
  return html`<svg class=${`i ${extra}`} aria-hidden="true"><use href=${`${SPRITE}#i-${name}`} /></svg>`;
}

/** @param {{name: string, class?: string}} props `name` without its `p-` */
export function Pictogram({ name, class: extra = "p" }) {
  return html`<svg class=${extra} viewBox="0 0 120 120" aria-hidden="true">
    <use href=${`${SPRITE}#p-${name}`} />
  </svg>`;
}
