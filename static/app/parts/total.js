/** How good a call was, in a few words after it. */
import { html } from "./html.js";
import { t } from "./words.js";

/** @typedef {import("../lib/protocol.js").TotalNoun} TotalNoun */

const LEVELS = /** @type {const} */ (["good", "fair", "poor"]);

/**
 * The shares that there are, and what brought the bad ones about.
 * @param {TotalNoun} total
 */
export function totalWords(total) {
  const shares = LEVELS.filter((level) => total[`${level}_percent`] > 0).map((level) =>
    t("total.share", { word: t(`quality.${level}`), n: total[`${level}_percent`] }),
  );
  const cause = total.cause && total.place && t("total.cause", { cause: t(`total.cause.${total.cause}`), place: t(`total.place.${total.place}`) });
  return [shares.join(t("total.and")), cause].filter(Boolean).join(t("total.stop"));
}

/** @param {{total: TotalNoun | undefined}} props */
export function Total({ total }) {
  return total ? html`<div class="dim">${t("quality.title")} ${totalWords(total)}</div>` : null;
}
