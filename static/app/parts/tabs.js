/** Tabs after the ARIA pattern: arrow keys move, one tab stop, the panel names its tab. */
import { html } from "./html.js";
import { Icon } from "./icon.js";

/**
 * @typedef {{id: string, label: string, icon: string, badge?: number, badgeLabel?: string}} Tab
 */

/**
 * @param {{name: string, label: string, tabs: Tab[], current: string, onPick: (id: string) => void}} props
 */
export function Tabs({ name, label, tabs, current, onPick }) {
  /** @param {KeyboardEvent} event */
  const move = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = tabs.findIndex((tab) => tab.id === current);
    const next = tabs[(at + step + tabs.length) % tabs.length];
    onPick(next.id);
    document.getElementById(`${name}-tab-${next.id}`)?.focus();
  };
  return html`<div class="tabs" role="tablist" aria-label=${label} onKeyDown=${move}>
    ${tabs.map(
      (tab) =>
        html`<button
          key=${tab.id}
          type="button"
          role="tab"
          id=${`${name}-tab-${tab.id}`}
          aria-selected=${String(tab.id === current)}
          aria-controls=${`${name}-panel`}
          tabindex=${tab.id === current ? 0 : -1}
          onClick=${() => onPick(tab.id)}
        >
          <${Icon} name=${tab.icon} />${tab.label}
          ${tab.badge ? html`<span class="badge">${tab.badge}<span class="vh">${tab.badgeLabel}</span></span>` : null}
        </button>`,
    )}
  </div>`;
}

/** @param {{name: string, current: string, class?: string, children?: import("./html.js").Node}} props */
export function TabPanel({ name, current, class: extra = "", children }) {
  return html`<div
    role="tabpanel"
    id=${`${name}-panel`}
    aria-labelledby=${`${name}-tab-${current}`}
    class=${extra}
  >
    ${children}
  </div>`;
}
