/** A sentence that must be read: what happened, does the call go on, what next. */
import { html } from "./html.js";
import { Icon } from "./icon.js";

const SIGNS = { info: "info", warn: "alert", stop: "xc", ok: "okc" };

/**
 * @param {{kind?: "info" | "warn" | "stop" | "ok", icon?: string, title?: string, small?: boolean, role?: string, action?: import("./html.js").Node, children?: import("./html.js").Node}} props
 */
export function Notice({ kind = "info", icon, title, small = false, role, action, children }) {
  return html`<div class=${`notice ${kind} ${small ? "small" : ""}`} role=${role}>
    <${Icon} name=${icon ?? SIGNS[kind]} />
    <div>${title && html`<b>${title}</b>`}${title && html`<br />`}${children}</div>
    ${action}
  </div>`;
}
