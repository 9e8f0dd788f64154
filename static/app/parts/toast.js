/** Short notices of what just happened. They are announced, never take the focus, and can be put away. */
import { html, signal } from "./html.js";
import { Icon } from "./icon.js";
import { Notice } from "./notice.js";
import { t } from "./words.js";

/**
 * @typedef {{key: number, kind: "info" | "warn" | "stop" | "ok", icon?: string, text: string}} Toast
 */

/**
 * A list of toasts that put themselves away.
 * @param {{seconds?: number, most?: number}} [options]
 */
export function createToasts({ seconds = 12, most = 3 } = {}) {
  const items = signal(/** @type {Toast[]} */ ([]));
  let serial = 0;
  /** @param {number} key */
  const drop = (key) => {
    items.value = items.value.filter((toast) => toast.key !== key);
  };
  /**
   * @param {Toast["kind"]} kind
   * @param {string} text
   * @param {string} [icon]
   */
  const show = (kind, text, icon) => {
    if (items.value.some((toast) => toast.text === text)) return;
    const key = (serial += 1);
    items.value = [...items.value.slice(1 - most), { key, kind, text, icon }];
    setTimeout(drop, seconds * 1000, key);
  };
  const clear = () => {
    items.value = [];
  };
  return { items, show, drop, clear };
}

/** @typedef {ReturnType<typeof createToasts>} ToastList */

/** @param {{toasts: ToastList}} props */
export function Toasts({ toasts }) {
  return html`<div class="toasts" role="status" aria-live="polite">
    ${toasts.items.value.map(
      (toast) =>
        html`<${Notice}
          key=${toast.key}
          kind=${toast.kind}
          icon=${toast.icon}
          action=${html`<button
            class="btn quiet low"
            type="button"
            aria-label=${t("common.close")}
            onClick=${() => toasts.drop(toast.key)}
          >
            <${Icon} name="x" />
          </button>`}
          >${toast.text}<//
        >`,
    )}
  </div>`;
}
