/**
 * Numbers and times as people read them, in Japanese and English. Pure; times are shown in Asia/Tokyo.
 */

const ZONE = "Asia/Tokyo";
const TAG = { ja: "ja-JP", en: "en-GB" };

/** @typedef {"ja" | "en"} Language */

/**
 * "2分5秒", "2 min 5 s"; hours without seconds.
 * @param {number} seconds
 * @param {Language} language
 */
export function duration(seconds, language) {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const units = language === "ja" ? ["時間", "分", "秒"] : [" h", " min", " s"];
  const parts = h
    ? [`${h}${units[0]}`, m ? `${m}${units[1]}` : ""]
    : [m ? `${m}${units[1]}` : "", s || !m ? `${s}${units[2]}` : ""];
  return parts.filter(Boolean).join(language === "ja" ? "" : " ");
}

/** "1:05", "12:00", "1:00:00". @param {number} seconds */
export function countdown(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/**
 * A waiting time in words: "約3分", "about 3 min"; under a minute counts as one.
 * @param {number} seconds
 * @param {Language} language
 */
export function waitMinutes(seconds, language) {
  const minutes = Math.max(1, Math.round(seconds / 60));
  return language === "ja" ? `約${minutes}分` : `about ${minutes} min`;
}

/** "81 KB", "5.2 MB"; decimal units, the same in both languages. @param {number} count */
export function bytes(count) {
  if (count < 1000) return `${count} B`;
  const [value, unit] = count < 999_500 ? [count / 1e3, "KB"] : [count / 1e6, "MB"];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/** "14:05". @param {string | number} at RFC 3339 or ms */
export function time(at) {
  return format(at, "en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

/** "2026年11月23日(月)", "Mon 23 November 2026". @param {string | number} at @param {Language} language */
export function date(at, language) {
  /** @type {Intl.DateTimeFormatOptions} */
  const options = { year: "numeric", month: "long", day: "numeric", weekday: "short" };
  return format(at, language, options).replace(",", "");
}

/** Date and time. @param {string | number} at @param {Language} language */
export function dateTime(at, language) {
  return `${date(at, language)} ${time(at)}`;
}

/** "3f2a9c…e1d0" of a hash in hex. @param {string} hex */
export function shortHash(hex) {
  return hex.length <= 12 ? hex : `${hex.slice(0, 6)}…${hex.slice(-4)}`;
}

/** A hash in groups of eight, to be read out and compared. @param {string} hex */
export function groupHash(hex) {
  return hex.match(/.{1,8}/g)?.join(" ") ?? "";
}

/** @param {string | number} at @param {Language} language @param {Intl.DateTimeFormatOptions} options */
function format(at, language, options) {
  return new Intl.DateTimeFormat(TAG[language], { ...options, timeZone: ZONE }).format(
    new Date(at),
  );
}
