/** What can truly be said of picture and sound: whether they move, and whether the other end is heard. Pure. */

/**
 * @typedef {import("../lib/protocol.js").PartyNoun} PartyNoun
 * @typedef {import("../lib/protocol.js").QualityNoun} QualityNoun
 * @typedef {"off" | import("../lib/watchdog.js").Flow} Flow
 */

/**
 * What stands between the two ends, or null when picture and sound move.
 * @param {Flow} flow
 * @param {string | null} fault code of the last refused offer
 * @returns {"connecting" | "stalled" | "refused" | null}
 */
export function pathTrouble(flow, fault) {
  if (flow === "flowing") return null;
  if (fault !== null) return "refused";
  return flow === "stalled" ? "stalled" : "connecting";
}

/**
 * Whose sound and pictures a rule keeps from going as they do, and why, the own first; null for nobody's.
 * @param {{counter: PartyNoun, desk: PartyNoun} | undefined} parties
 * @param {"counter" | "desk"} own
 * @returns {{whose: "own" | "counter" | "desk", code: string} | null}
 */
export function refusedPath(parties, own) {
  if (!parties) return null;
  const other = own === "counter" ? "desk" : "counter";
  const code = parties[own].path ?? parties[other].path;
  return code === null ? null : { whose: parties[own].path === null ? other : "own", code };
}

/**
 * Whether the other end's voice can arrive.
 * @param {PartyNoun | undefined} party
 * @param {Flow} flow
 */
export function heard(party, flow) {
  return party?.microphone === "on" && flow === "flowing";
}

/**
 * The counter's word on the line, as a key of the words.
 * @param {Flow} flow
 * @param {string | null} fault
 * @param {QualityNoun | null} quality of the own connection
 */
export function lineAdvice(flow, fault, quality) {
  const trouble = pathTrouble(flow, fault);
  if (trouble) return trouble === "connecting" ? "own.connecting" : "own.stalled";
  if (quality?.cause === "paused") return "own.paused";
  return quality?.level === "poor" ? "own.poor" : "own.good";
}

/**
 * What the desk can do about a line that is not good, as a key of the words, or null when there is nothing to do.
 * @param {QualityNoun | null} quality
 */
export function deskAdvice(quality) {
  if (!quality?.cause || !quality.place) return null;
  return `quality.advice.${quality.place}.${quality.cause}`;
}
