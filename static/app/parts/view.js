/** Which view a page shows, from what it knows. Pure. */

const OUT = new Set([1008, 4004]);
const UNDER_WAY = new Set(["talking", "interrupted", "deciding"]);
const TAKEN = new Set([4001, 4002, 4003]);

/**
 * @typedef {import("../lib/connection.js").Status} Status
 * @typedef {import("../lib/protocol.js").CallNoun} CallNoun
 *
 * @typedef {object} Known
 * @property {unknown} you null until the server has said who this page is
 * @property {Status} line
 * @property {string | null} ended
 * @property {CallNoun | null} call
 */

/**
 * What stands above everything else: over, taken, broken, not known yet; null when the page may go on.
 * @param {Known} known
 * @returns {"ended" | "taken" | "broken" | "loading" | null}
 */
export function blockedView({ you, line, ended }) {
  if (ended || (line.state === "stopped" && OUT.has(line.closeCode ?? 0))) return "ended";
  if (line.state === "stopped" && TAKEN.has(line.closeCode ?? 0)) return "taken";
  if (line.state === "stopped" && line.closeCode !== null) return "broken";
  return you ? null : "loading";
}

/** After these a tablet is enrolled again. */
const ENROL = new Set(["not_enrolled", "tablet_revoked", "key_missing", "key_refused"]);

/** @param {string} code */
export const mustEnrol = (code) => ENROL.has(code);

/**
 * Why the sign-in is over, as a key of the words `ended`.
 * @param {Pick<Known, "ended" | "line">} known
 */
export function endedCode({ ended, line }) {
  return ended ?? (line.code && mustEnrol(line.code) ? line.code : "signed_out");
}

/**
 * Whether sound and pictures go on although the server is away, or knows the call as interrupted:
 * they do not depend on it (media/CONTROL.md), so that nothing is hidden that still comes.
 * @param {{call: CallNoun | null, line: Status, arrives: boolean}} known
 */
export function goesOn({ call, line, arrives }) {
  if (!call || !arrives || !UNDER_WAY.has(call.state)) return false;
  return line.state !== "open" || call.state === "interrupted";
}

/** Whether no clerk is signed in on the tablet. @param {unknown} you */
export const nobodyHere = (you) => /** @type {{clerk?: unknown} | null} */ (you)?.clerk === null;

/**
 * Whether the tablet is in 研修モード: the call that goes on is, or what would be placed from here.
 * @param {{you: unknown, call: CallNoun | null, practice: boolean}} known
 */
export function isTraining({ you, call, practice }) {
  if (call) return call.training;
  return practice || /** @type {{mode?: string} | null} */ (you)?.mode !== "real";
}

/**
 * `screen` "trouble" is the resident's or clerk's wish to know why a device cannot be used.
 * @param {Known & {screen: "idle" | "blocked" | "consent" | "trouble", trouble: boolean, arrives: boolean}} known
 * @returns {"ended" | "taken" | "broken" | "loading" | "signing" | "trouble" | "idle" | "blocked" | "consent" | "waiting" | "call" | "break-own" | "break-desk" | "result"}
 */
export function counterView(known) {
  const blocked = blockedView(known);
  if (blocked) return blocked;
  const { call, line, screen, trouble } = known;
  if (!call && nobodyHere(known.you)) return "signing";
  if (!call) return screen === "consent" && trouble ? "trouble" : screen;
  if (call.state === "closed") return "result";
  if (goesOn(known)) return "call";
  if (line.state !== "open") return "break-own";
  if (call.state === "waiting" || call.state === "ringing") return "waiting";
  if (call.state === "interrupted") {
    return call.interrupted?.lost.includes("desk") ? "break-desk" : "break-own";
  }
  return "call";
}

/**
 * @param {Known} known
 * @returns {"ended" | "taken" | "broken" | "loading" | "queue" | "call"}
 */
export function deskView(known) {
  const blocked = blockedView(known);
  if (blocked) return blocked;
  const state = known.call?.state;
  return state === "talking" || state === "interrupted" || state === "deciding" ? "call" : "queue";
}

/** Outcomes that wait until nothing of the steps is missing. */
const EARNED = new Set(["verified", "completed"]);

/**
 * Why an outcome cannot be given now, as a key of the words, or null when it can (PROTOCOL.md section 3).
 * @param {import("../lib/protocol.js").Outcome} outcome
 * @param {CallNoun} call
 * @param {Status} line
 * @param {Pick<import("../lib/protocol.js").StepsNoun, "locked" | "missing"> | null} steps
 * @returns {string | null}
 */
export function outcomeLock(outcome, call, line, steps) {
  if (line.state !== "open") return "decide.locked.own";
  const early = outcome === "returned" || outcome === "aborted";
  if (call.state === "interrupted" && !early) return "decide.locked.lost";
  if (EARNED.has(outcome) && steps?.locked) return steps.missing.length ? "decide.locked.steps" : "decide.locked.senior";
  return null;
}
