/**
 * Sentences that the desk taps (定型文) and the counter shows large, with a pictogram.
 * They travel as plain chat text; the counter finds them again by that text, in either language.
 */
import { plain } from "./rich.js";
import { tIn } from "./words.js";

/** @typedef {{id: string, picture: string, rests?: boolean}} Template `rests`: from then on nothing is asked */

/** Each stands in the words as `template.<id>.label` and `template.<id>.say`. */
export const TEMPLATES = Object.freeze(/** @type {Template[]} */ ([
  { id: "nearer", picture: "card" },
  { id: "back", picture: "card" },
  { id: "glare", picture: "card" },
  { id: "front", picture: "card" },
  { id: "tilt", picture: "card" },
  { id: "farther", picture: "card" },
  { id: "face", picture: "turn" },
  { id: "turn", picture: "turn" },
  { id: "louder", picture: "speak" },
  { id: "form", picture: "card" },
  { id: "pin", picture: "pin" },
  { id: "wait", picture: "wait" },
  { id: "thanks", picture: "wait", rests: true },
]));

/** The sentence as it travels. @param {string} id @param {"ja" | "en"} language */
export const templateText = (id, language) => plain(tIn(language, `template.${id}.say`));

/** The template that `text` is, or null. @param {string} text */
export function findTemplate(text) {
  const same = (/** @type {{id: string}} */ { id }) =>
    text === templateText(id, "ja") || text === templateText(id, "en");
  return TEMPLATES.find(same) ?? null;
}

/**
 * What the desk last asked for by template, and the message that asked, or null.
 * @param {readonly import("../lib/protocol.js").ChatNoun[]} chat
 */
export function lastAsked(chat) {
  for (const message of chat.toReversed()) {
    const template = message.from === "desk" ? findTemplate(message.text) : null;
    if (template) return { template, message };
  }
  return null;
}
