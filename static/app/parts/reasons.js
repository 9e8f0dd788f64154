/**
 * Reasons for an outcome: what the desk picks from, and how the counter says them.
 * A reason travels as one Japanese sentence; the counter finds a preset again and says it in the reader's language.
 */
import { plain } from "./rich.js";
import { has, tIn } from "./words.js";

/** @type {Readonly<Record<"returned" | "refused" | "aborted", readonly string[]>>} */
export const PRESETS = Object.freeze({
  returned: ["expired", "missing", "form", "unclear"],
  refused: ["not_same", "doubt", "not_eligible"],
  aborted: ["quality", "asked", "time"],
});

/** @param {string} preset @param {"ja" | "en"} language */
const words = (preset, language) => plain(tIn(language, `reason.${preset}`));

/**
 * The reason as it is sent: the preset's sentence, then what was written beside it.
 * @param {string | null} preset null when only written
 * @param {string} written
 */
export function composeReason(preset, written) {
  const detail = written.trim();
  if (!preset) return detail;
  return detail ? `${words(preset, "ja")} ${detail}` : words(preset, "ja");
}

/**
 * The reason as the reader is told it. Codes of the server (`withdrawn`, `line_lost`, …) are words too.
 * @param {string | null} reason
 * @param {"ja" | "en"} language
 */
export function tellReason(reason, language) {
  if (!reason) return "";
  if (has(`reason.code.${reason}`)) return plain(tIn(language, `reason.code.${reason}`));
  for (const preset of Object.values(PRESETS).flat()) {
    const sentence = words(preset, "ja");
    if (reason.startsWith(sentence)) return words(preset, language) + reason.slice(sentence.length);
  }
  return reason;
}
