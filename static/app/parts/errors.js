/** Error codes in the reader's words: `error.<code>` of the word files, one for each code of PROTOCOL.md §6. */
import { html } from "./html.js";
import { Notice } from "./notice.js";
import { has, t } from "./words.js";

/**
 * What went wrong and what to do, in the reader's language.
 * @param {string} code
 */
export const errorWords = (code) => t(has(`error.${code}`) ? `error.${code}` : "error.internal");

/** @param {unknown} error a ServerError or anything that was thrown */
export const codeOf = (error) =>
  typeof (/** @type {{code?: unknown}} */ (error)?.code) === "string"
    ? /** @type {{code: string}} */ (error).code
    : "internal";

/** @param {{code: string | null}} props */
export function ErrorNotice({ code }) {
  return code && html`<${Notice} kind="stop" icon="alert" role="alert">${errorWords(code)}<//>`;
}
