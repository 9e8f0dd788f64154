/** Why a call cannot be placed from this counter, term by term, in words a clerk understands. Pure but for the words. */
import { date } from "../lib/format.js";
import { has, language, t } from "./words.js";

/**
 * @typedef {{code: string, met: boolean, clause: string, setting: string}} Term
 * @typedef {object} Eligibility as `GET /api/v1/eligibility` gives it
 * @property {"training" | "real"} mode
 * @property {boolean} allowed
 * @property {Term[]} terms
 * @property {string | null} today
 * @property {string | null} designated_on
 * @property {string | null} resolved_on
 * @property {string | null} opens_on
 */

/** Terms about who is signed in at which page: always met where the list is shown, and nobody's question. */
const SILENT = new Set(["not_found"]);
const DAYS = /** @type {const} */ ({
  office_not_designated: "designated_on",
  resolution_missing: "resolved_on",
  procedure_not_open: "opens_on",
});

/** @param {Eligibility} said each code once, as several terms may share one */
export function termsOf(said) {
  const shown = said.terms.filter((term) => !SILENT.has(term.code));
  const unmet = shown.filter((term) => !term.met);
  const codes = new Set(unmet.map((term) => term.code));
  const met = shown.filter((term) => term.met && !codes.has(term.code));
  const once = (/** @type {Term[]} */ terms) => terms.filter((term, index) => terms.findIndex(({ code }) => code === term.code) === index);
  return { unmet: once(unmet), met: once(met) };
}

/** An article and its paragraph, as the law numbers them. */
const ARTICLE = /\u6cd5\u7b2c(\d+)\u6761\u7b2c(\d+)\u9805/g;

/** Where a term rests, as it is cited in the reader's language. @param {string} clause */
export const clauseWords = (clause) =>
  clause
    .replace(/Q&A (\d+)/g, (_, n) => t("blocked.source", { n }))
    .replace(ARTICLE, (_, article, paragraph) => t("blocked.act", { article, paragraph }));

/**
 * What of a term stands in the way, with the day that is entered if there is one.
 * @param {string} code @param {Eligibility} said
 */
export function unmetWords(code, said) {
  const day = said[DAYS[/** @type {keyof typeof DAYS} */ (code)]] ?? null;
  const dated = day !== null && has(`blocked.${code}.day`);
  const known = has(`blocked.${code}.what`) ? code : "other";
  const shown = { day: day ? date(day, language()) : "", today: said.today ? date(said.today, language()) : "" };
  return {
    title: t(known === "other" && has(`error.${code}`) ? `error.${code}` : `blocked.${known}`),
    what: t(dated ? `blocked.${code}.day` : `blocked.${known}.what`, shown),
    who: t(`blocked.${known}.who`),
    todo: t(`blocked.${known}.do`),
  };
}
