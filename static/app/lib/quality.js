/**
 * How good the call is, in numbers and in one word, from two looks at `getStats`. Pure.
 */

/**
 * @typedef {object} Quality
 * @property {number | null} rtt_ms
 * @property {number | null} loss share of packets lost on the way to us since the last look, 0 to 1
 * @property {number | null} fps shown
 * @property {number | null} width of the picture we receive
 * @property {number | null} height
 * @property {"good" | "fair" | "poor" | "unknown"} level unknown when nothing arrived since the last look
 *
 * @typedef {object} Look what one look at the statistics gives
 * @property {number} at ms
 * @property {number} packets
 * @property {number} lost
 * @property {number | null} rtt_ms
 * @property {number | null} fps
 * @property {number | null} width
 * @property {number | null} height
 */

/** @type {Readonly<Quality>} */
export const UNKNOWN = Object.freeze({
  rtt_ms: null,
  loss: null,
  fps: null,
  width: null,
  height: null,
  level: "unknown",
});

/**
 * Read the reports of `getStats`.
 * @param {Iterable<Record<string, any>>} reports
 * @param {number} at ms
 * @returns {Look}
 */
export function look(reports, at) {
  const all = [...reports];
  const of = (/** @type {string} */ type) => all.filter((r) => r.type === type);
  const video = of("inbound-rtp").find((r) => r.kind === "video");
  const pair = of("candidate-pair").find((r) => r.nominated && r.currentRoundTripTime != null);
  const far = of("remote-inbound-rtp").find((r) => r.roundTripTime != null);
  const seconds = pair?.currentRoundTripTime ?? far?.roundTripTime ?? null;
  return {
    at,
    packets: total(of("inbound-rtp"), "packetsReceived") ?? 0,
    lost: Math.max(0, total(of("inbound-rtp"), "packetsLost") ?? 0),
    rtt_ms: seconds === null ? null : Math.round(seconds * 1000),
    fps: video?.framesPerSecond ?? null,
    width: video?.frameWidth ?? null,
    height: video?.frameHeight ?? null,
  };
}

/**
 * Compare two looks.
 * @param {Look | null} before
 * @param {Look} now
 * @returns {Quality}
 */
export function quality(before, now) {
  const { rtt_ms, fps, width, height } = now;
  const since = before && before.packets <= now.packets ? before : null;
  const loss = since ? lossBetween(since, now) : null;
  return {
    rtt_ms,
    loss,
    fps,
    width,
    height,
    // A delay that is still told says nothing about a picture that stands still.
    level: now.packets > (since?.packets ?? 0) ? level(rtt_ms, loss) : "unknown",
  };
}

/** @param {Look} before @param {Look} now */
function lossBetween(before, now) {
  const lost = Math.max(0, now.lost - before.lost);
  const expected = now.packets - before.packets + lost;
  return expected > 0 ? lost / expected : null;
}

/** @param {number | null} rtt_ms @param {number | null} loss @returns {Quality["level"]} */
function level(rtt_ms, loss) {
  if (rtt_ms === null && loss === null) return "unknown";
  if ((rtt_ms ?? 0) > 500 || (loss ?? 0) > 0.08) return "poor";
  if ((rtt_ms ?? 0) > 200 || (loss ?? 0) > 0.02) return "fair";
  return "good";
}

/** @param {Record<string, any>[]} reports @param {string} field */
function total(reports, field) {
  const numbers = reports.map((r) => r[field]).filter((n) => typeof n === "number");
  return numbers.length ? numbers.reduce((a, b) => a + b, 0) : null;
}
