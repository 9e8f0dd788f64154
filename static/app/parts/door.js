/** The frame of the pages by which one comes in, and their fields. */
import { LanguageButton } from "./choose.js";
import { html, useState } from "./html.js";
import { Icon } from "./icon.js";
import { Brand } from "./topbar.js";
import { t } from "./words.js";

/** @param {{name?: string, title: string, wide?: boolean, children?: import("./html.js").Node, below?: import("./html.js").Node}} props */
export function Door({ name, title, wide = false, children, below }) {
  return html`<main class="door ${wide ? "wide" : ""}">
    <div class="row"><${Brand} name=${name} /><span class="push"><${LanguageButton} /></span></div>
    <div class="panel"><h1>${title}</h1>${children}</div>
    ${below && html`<div class="dim">${below}</div>`}
  </main>`;
}

/** @typedef {{currentTarget: HTMLInputElement}} InputEvent */

/**
 * @param {{id: string, label: string, value: string, onInput: (value: string) => void, autocomplete: string, hint?: string, invalid?: boolean, class?: string, inputmode?: string}} props
 */
export function TextField({ id, label, value, onInput, autocomplete, hint, invalid = false, class: extra = "", inputmode }) {
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <input
      id=${id}
      class=${extra}
      type="text"
      inputmode=${inputmode}
      value=${value}
      autocomplete=${autocomplete}
      autocapitalize="none"
      spellcheck="false"
      aria-invalid=${invalid ? "true" : undefined}
      aria-describedby=${hint ? `${id}-hint` : undefined}
      onInput=${(/** @type {InputEvent} */ event) => onInput(event.currentTarget.value)}
    />
    ${hint && html`<span class="hint" id=${`${id}-hint`}>${hint}</span>`}
  </div>`;
}

/**
 * @param {{id: string, label: string, value: string, onInput: (value: string) => void, autocomplete: string, hint?: string, invalid?: boolean}} props
 */
export function PasswordField({ id, label, value, onInput, autocomplete, hint, invalid = false }) {
  const [shown, setShown] = useState(false);
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <input
      id=${id}
      type=${shown ? "text" : "password"}
      value=${value}
      autocomplete=${autocomplete}
      aria-invalid=${invalid ? "true" : undefined}
      aria-describedby=${hint ? `${id}-hint` : undefined}
      onInput=${(/** @type {InputEvent} */ event) => onInput(event.currentTarget.value)}
    />
    ${hint && html`<span class="hint" id=${`${id}-hint`}>${hint}</span>`}
    <label class="pick"
      ><input type="checkbox" checked=${shown} onChange=${() => setShown(!shown)} />${t("sign_in.show")}</label
    >
  </div>`;
}

/** @param {{busy: boolean, label: string, busyLabel: string, icon: string}} props */
export function Submit({ busy, label, busyLabel, icon }) {
  return html`<button class="btn primary big wide" type="submit" aria-disabled=${busy ? "true" : undefined}>
    <${Icon} name=${busy ? "refresh" : icon} class=${busy ? "turning" : ""} />${busy ? busyLabel : label}
  </button>`;
}
