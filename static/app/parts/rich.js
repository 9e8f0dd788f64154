/** Text with readings: `[漢字|かんじ]` becomes ruby, everything else stays as it is. */
import { html } from "./html.js";
import { language, other, tIn } from "./words.js";

const READING = /\[([^|\]]+)\|([^\]]+)\]/g;

/**
 * The text without its readings, for chat, speech and labels.
 * @param {string} text
 */
export const plain = (text) => text.replace(READING, "$1");

/**
 * Words with readings stay whole: a browser may break a line at either end of a reading.
 * @param {{text: string}} props
 */
export function Rich({ text }) {
  return text
    .split(" ")
    .map((word, index) => [index ? " " : "", word.includes("|") ? html`<span class="nw"><${Word} text=${word} /></span>` : word]);
}

/** @param {{text: string}} props */
function Word({ text }) {
  const parts = text.split(READING);
  return parts.map((part, index) => {
    if (index % 3 === 0) return part;
    if (index % 3 === 2) return null;
    return html`<ruby>${part}<rt>${parts[index + 1]}</rt></ruby>`;
  });
}

/**
 * A headline and a sentence for the resident in the chosen language, then both in the second.
 * @param {{title: string, what: string, as?: string}} props keys of the words
 */
export function Message({ title, what, as = "h1" }) {
  const first = plain(tIn(other(), title));
  const stop = /[?？。.]$/.test(first) ? "" : other() === "ja" ? "。" : ".";
  return html`<div class="stack tight">
    <${Say} k=${title} as=${as} second=${false} />
    <${Say} k=${what} class="lead" second=${false} />
    <p class="second" lang=${other()}>${first}${stop} ${plain(tIn(other(), what))}</p>
  </div>`;
}

/**
 * One sentence for the resident: large in the chosen language, below it in the second.
 * @param {{k: string, vars?: import("./words.js").Vars, as?: string, class?: string, second?: boolean}} props
 */
export function Say({ k, vars = {}, as = "p", class: extra = "", second = true }) {
  return html`
    <${as} class=${`easy ${extra}`} lang=${language()}><${Rich} text=${tIn(language(), k, vars)} /><//>
    ${second && html`<p class="second" lang=${other()}>${plain(tIn(other(), k, vars))}</p>`}
  `;
}
