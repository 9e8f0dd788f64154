/** What can truly be said of picture and sound: whether they move, and whether the other end is heard. Pure. */

/**
 * @typedef {import("../lib/protocol.js").PartyNoun} PartyNoun
 * @typedef {import("../lib/quality.js").Quality["level"]} Level
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
 * @param {Level} level
 */
export function lineAdvice(flow, fault, level) {
  const trouble = pathTrouble(flow, fault);
  if (trouble) return trouble === "connecting" ? "own.connecting" : "own.stalled";
  return level === "poor" ? "own.poor" : "own.good";
}
