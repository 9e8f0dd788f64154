/**
 * Words on the screen, in Japanese and English.
 *
 *     const text = createText(ja, en);
 *     text.t("call.wait", {minutes: 3})   // "{minutes}" is replaced
 *     text.t("files.count", {count: 1})   // takes "files.count.one" where the language has it
 *     text.language.value; text.setLanguage("en");
 *
 * `t` reads the language signal, so a component that uses it is drawn again when the language
 * changes. Keys are flat ("counter.idle.title") or nested objects; both work.
 */
import { signal } from "../../vendor/signals-core.js";
import { safeStorage } from "./storage.js";

const KEY = "madoguchi.language";

/**
 * @typedef {"ja" | "en"} Language
 * @typedef {{[key: string]: string | Words}} Words
 * @typedef {Record<string, string | number>} Values
 * @typedef {ReturnType<typeof createText>} Text
 */

/**
 * @param {Words} ja
 * @param {Words} en
 * @param {{storage?: Pick<Storage, "getItem" | "setItem"> | null, language?: Language, strict?: boolean}} [options]
 * `strict` throws where a key or a value is missing (default: wherever there is no document)
 */
export function createText(ja, en, options = {}) {
  const browser = /** @type {any} */ (globalThis);
  const { storage = safeStorage(() => browser.localStorage), strict = !browser.document } = options;
  const words = { ja: flatten(ja), en: flatten(en) };
  const language = signal(options.language ?? kept(storage) ?? "ja");

  /** @param {string} key @param {Values} [values] */
  function t(key, values = {}) {
    const now = language.value;
    const found = words[now].get(variant(words[now], now, key, values));
    if (found === undefined) return missing(`no words for "${key}" in ${now}`, key, strict);
    return found.replace(/\{(\w+)\}/g, (whole, name) =>
      name in values
        ? String(values[name])
        : missing(`"${key}" wants a value for ${whole}`, whole, strict),
    );
  }

  return {
    t,
    language,
    /** Tell whether there are words for `key`. @param {string} key */
    has: (key) => words[language.value].has(key),
    /** @param {Language} code */
    setLanguage(code) {
      language.value = code;
      storage?.setItem(KEY, code);
    },
  };
}

/**
 * Fetch both languages.
 * @param {string} base folder of ja.json and en.json, ending in "/"
 * @param {typeof fetch} [fetcher]
 * @returns {Promise<{ja: Words, en: Words}>}
 */
export async function loadText(base, fetcher = fetch) {
  const [ja, en] = await Promise.all(
    ["ja", "en"].map(async (code) => (await fetcher(`${base}${code}.json`)).json()),
  );
  return { ja, en };
}

/** @param {Pick<Storage, "getItem"> | null} storage @returns {Language | null} */
function kept(storage) {
  const code = storage?.getItem(KEY);
  return code === "ja" || code === "en" ? code : null;
}

/** @param {Words} words @param {string} [prefix] @returns {Map<string, string>} */
function flatten(words, prefix = "") {
  /** @type {Map<string, string>} */
  const flat = new Map();
  for (const [key, value] of Object.entries(words)) {
    if (typeof value === "string") flat.set(prefix + key, value);
    else for (const [inner, text] of flatten(value, `${prefix}${key}.`)) flat.set(inner, text);
  }
  return flat;
}

/** @param {Map<string, string>} words @param {Language} code @param {string} key @param {Values} values */
function variant(words, code, key, values) {
  if (typeof values.count !== "number") return key;
  const plural = `${key}.${new Intl.PluralRules(code).select(values.count)}`;
  return words.has(plural) ? plural : key;
}

/** @param {string} message @param {string} shown @param {boolean} strict */
function missing(message, shown, strict) {
  if (strict) throw new Error(message);
  console.error(message);
  return shown;
}
