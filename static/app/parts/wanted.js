/** What a page may hold and sound, from what it knows: camera, microphone, connection, screen lock, ring. Pure. */
import { blockedView } from "./view.js";

/** @typedef {import("./view.js").Known} Known */
/** @typedef {import("../lib/protocol.js").CallNoun} CallNoun */
/** @typedef {import("../lib/protocol.js").QueueNoun} QueueNoun */

const WITH_MEDIA = new Set(["talking", "interrupted", "deciding"]);
const QUEUED = new Set(["waiting", "ringing"]);

/**
 * Tell whether the page still has its seat and its sign-in. A page that only lost its line has;
 * one that was sent away has not, nor one that starts again, until the server has greeted it.
 * @param {Known} known
 */
export const mayRun = (known) => blockedView(known) === null && known.line.state !== "connecting";

/**
 * What is to be on now: the own camera and microphone, the connection for sound and picture, the
 * lock that keeps the screen awake. The devices go on with the yes of who stands or sits there
 * (`agreed`: the resident's consent, the officer's 応対する) and stay until the call is over, so that
 * the other sees a picture at once; without a call in the end they go off again.
 *
 * `flowing` is a connection that carries, `warm` one that is ready and carries nothing: at the counter
 * from 呼出 on, at a desk that is 受付中 between calls, both over a line. `callId` is the call it belongs to.
 * @param {Known & {page: "counter" | "desk", agreed: boolean, open: boolean}} known `agreed`: while 応対する is under way at a desk; `open`: the desk is 受付中
 */
export function mediaWanted(known) {
  const { call, page, agreed, line } = known;
  const state = call?.state ?? "";
  if (!mayRun(known)) return { devices: false, flowing: false, warm: false, awake: false, callId: null };
  const queued = page === "counter" && QUEUED.has(state);
  const flowing = WITH_MEDIA.has(state);
  const warm = line.state === "open" && (queued || (page === "desk" && known.open && !flowing));
  return {
    devices: flowing || queued || (!state && agreed),
    flowing,
    warm,
    awake: flowing || queued,
    callId: flowing || queued ? (call?.id ?? null) : null,
  };
}

/**
 * The call that rings at this desk, or null. Without a line nothing is known of the queue.
 * @param {Known & {queue: QueueNoun | null}} known
 * @returns {CallNoun | null}
 */
export function ringWanted(known) {
  const { call, line, queue } = known;
  if (!mayRun(known) || line.state !== "open" || !queue?.offered) return null;
  if (call && call.state !== "closed") return null;
  return queue.waiting.find(({ id }) => id === queue.offered) ?? null;
}

/**
 * The call that this person is asked into, or null.
 * @param {Known & {queue: QueueNoun | null}} known
 */
export function invitationWanted(known) {
  const { call, line, queue } = known;
  if (!mayRun(known) || line.state !== "open" || (call && call.state !== "closed")) return null;
  return queue?.invited ?? null;
}

/** @typedef {Pick<CallNoun, "id" | "state">} CallMark */

/**
 * What a change of the page's call means: `renewed`, another call or none, so that nothing of the
 * former may stay on the screen; `told`, what has become of the former: "closed" when its end was
 * seen, "vanished" when it was gone after the line had been away.
 * @param {CallMark | null} before
 * @param {CallMark | null} now
 * @returns {{renewed: boolean, told: "closed" | "vanished" | null}}
 */
export function callChange(before, now) {
  const renewed = before?.id !== now?.id;
  const wasOpen = before !== null && before.state !== "closed";
  if (!renewed) return { renewed, told: wasOpen && now?.state === "closed" ? "closed" : null };
  return { renewed, told: wasOpen ? "vanished" : null };
}

/** @typedef {"ready" | "unknown" | "denied" | "none"} DeviceHealth */

/**
 * How a device stands before it is used.
 * @param {string} permission "granted", "denied", "prompt" or "unknown"
 * @param {number | null} found how many there are; null: not looked yet
 * @returns {DeviceHealth}
 */
export function healthOf(permission, found) {
  if (found === null) return "unknown";
  if (found === 0) return "none";
  return permission === "granted" ? "ready" : permission === "denied" ? "denied" : "unknown";
}

/**
 * The procedure that stands chosen: the resident's, as long as it is open, or the first open one.
 * @param {readonly {id: string, status: string}[]} procedures
 * @param {string | null} chosen
 */
export function chosenOf(procedures, chosen) {
  const open = procedures.filter(({ status }) => status === "open");
  return (open.find(({ id }) => id === chosen) ?? open[0])?.id ?? null;
}

/**
 * Why a call cannot be placed from the consent page, as a key of the words, or null when it can.
 * @param {{agreed: boolean | null, busy: boolean, line: {state: string}}} known
 */
export function placeLock({ agreed, busy, line }) {
  if (agreed !== true) return "consent.why";
  if (line.state !== "open") return "idle.why.line";
  return busy ? "consent.placing" : null;
}
