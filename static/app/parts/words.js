/**
 * Words of the screen, from static/text/*.json, in the reader's language and in the second one.
 * `[漢字|かんじ]` in a text is a reading (ruby); spaces in やさしい日本語 are where a line may break.
 * A page loads the words once, before it draws; every part then speaks through this module.
 */
import { createText, loadText } from "../lib/i18n.js";

/**
 * @typedef {import("../lib/i18n.js").Language} Language
 * @typedef {import("../lib/i18n.js").Values} Vars
 * @typedef {import("../lib/i18n.js").Words} Words
 */

const NONE = { language: /** @type {Language} */ ("ja"), storage: null, strict: false };
let chosen = createText({}, {}, NONE);
let fixed = { ja: chosen, en: chosen };

/** Take the words of both languages. @param {{ja: Words, en: Words}} words */
export function useWords({ ja, en }) {
  chosen = createText(ja, en);
  fixed = {
    ja: createText(ja, en, { language: "ja", storage: null }),
    en: createText(ja, en, { language: "en", storage: null }),
  };
  followLanguage();
}

/** Fetch the words and take them. @param {string} [base] */
export const loadWords = async (base = "/static/text/") => useWords(await loadText(base));

/** The page's own `lang` says what its words are, for screen readers and line breaks. */
function followLanguage() {
  chosen.language.subscribe((code) => {
    const page = globalThis.document?.documentElement;
    if (page) page.lang = code;
  });
}

/** Words in the reader's language. @param {string} key @param {Vars} [vars] */
export const t = (key, vars) => chosen.t(key, vars);
/** Words in a given language. @param {Language} code @param {string} key @param {Vars} [vars] */
export const tIn = (code, key, vars) => fixed[code].t(key, vars);
/** Tell whether there are words for `key`. @param {string} key */
export const has = (key) => chosen.has(key);
/** The reader's language. */
export const language = () => chosen.language.value;
/** The second language on the resident's screen. @returns {Language} */
export const other = () => (language() === "ja" ? "en" : "ja");
/** @param {Language} code */
export const setLanguage = (code) => chosen.setLanguage(code);
