/** Choosing the language: one button on every page, and the two large choices on the tablet. */
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { language, other, setLanguage, t, tIn } from "./words.js";

const NAMES = { ja: "日本語", en: "English" };

/** The button that turns the page to the other language; it is written in that language. */
export function LanguageButton() {
  const to = other();
  return html`<button
    class="btn plain low"
    type="button"
    lang=${to}
    aria-label=${tIn(to, "language.switch")}
    onClick=${() => setLanguage(to)}
  >
    <${Icon} name="globe" />${NAMES[to]}
  </button>`;
}

/** @param {{onPick?: () => void}} props */
export function LanguageChoice({ onPick }) {
  return html`<fieldset class="langs">
    <legend>${t("language.title")} <span class="second" lang=${other()}>${tIn(other(), "language.title")}</span></legend>
    ${/** @type {const} */ (["ja", "en"]).map(
      (code) =>
        html`<label key=${code} lang=${code}>
          <input
            type="radio"
            name="language"
            checked=${language() === code}
            onChange=${() => {
              setLanguage(code);
              onPick?.();
            }}
          />${NAMES[code]}
        </label>`,
    )}
  </fieldset>`;
}
