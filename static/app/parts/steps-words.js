/** Steps in words: what a need still wants, how documents would be enough, whether one is valid on the day. */
import { date } from "../lib/format.js";
import { language, t } from "./words.js";

/**
 * @typedef {import("../lib/steps.js").Need} Need
 * @typedef {import("../lib/protocol.js").WayNoun} WayNoun
 */

/**
 * One way in which the documents would be enough: "B をもう1点".
 * @param {WayNoun} way
 */
export function wayWords(way) {
  const parts = [
    way.a > 0 && t("documents.more.a", { n: way.a }),
    way.b > 0 && t("documents.more.b", { n: way.b }),
    way.pin && t("documents.more.pin"),
    way.notice && t("documents.more.notice"),
  ];
  return parts.filter(Boolean).join(t("documents.and"));
}

/** What documents still want, the nearest way first. @param {readonly WayNoun[]} ways */
export const waysWords = (ways) => ways.map(wayWords).join(t("documents.or"));

/** What one need still wants, without its step; `brief`: of documents only the nearest way. @param {Need} need @param {boolean} [brief] */
export function lackWords(need, brief = false) {
  const ways = need.documents?.ways ?? [];
  if (need.kind === "documents") return ways.length > 1 && brief ? t("documents.nearest", { way: wayWords(ways[0]) }) : waysWords(ways);
  const kind = need.kind === "tick" ? `tick.${need.by}` : need.kind;
  return t(`lack.${kind}`, { n: need.left, what: need.words?.[language()] ?? "" });
}

/**
 * Whether a document counts on the day of the call, and until when.
 * @param {Pick<import("../lib/protocol.js").ShownNoun, "expires" | "counts">} shown
 * @returns {{kind: "ok" | "stop", words: string}}
 */
export function validWords({ expires, counts }) {
  if (expires === null) return { kind: "ok", words: t("documents.valid.always") };
  const until = date(`${expires}T12:00:00Z`, language());
  if (!counts) return { kind: "stop", words: t("documents.valid.expired", { until }) };
  return { kind: "ok", words: t("documents.valid.until", { until }) };
}
