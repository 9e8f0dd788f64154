/** The button that reads a sentence aloud; absent where the browser has no voice for the language. */
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { plain } from "./rich.js";
import { language, t, tIn } from "./words.js";

/**
 * @param {{speech: import("./speech.js").Speech, texts?: string[], said?: string | null, label?: string, class?: string, silent?: boolean}} props
 * `texts` are keys of the words, `said` words in place of them; `silent` while the veil is down, when no sound may come
 */
export function Hear({ speech, texts = [], said = null, label = "hear.again", class: extra = "btn big", silent = false }) {
  const tongue = language();
  if (silent || !speech.languages.value.includes(tongue)) return null;
  const say = () => speech.say(said ?? texts.map((key) => plain(tIn(tongue, key))).join("。 "), tongue);
  return html`<button class=${extra} type="button" onClick=${say}>
    <${Icon} name="speaker" /><span>${t(label)}</span>
  </button>`;
}
