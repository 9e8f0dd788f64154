/**
 * What the browser measures of its own connection, from two looks at `getStats`. Pure.
 *
 * Only who shows a picture knows what is shown: frame rate, size, freezes, and what stays lost after
 * repair. The server puts this beside its own figures and says in words how good the call is.
 */

/** Bounds of PROTOCOL.md section 3, `call.quality`; a browser that says more is taken to say this. */
const MOST = Object.freeze({ ms: 60_000, px: 16_384, fps: 240, freezes: 10_000 });

/**
 * @typedef {object} Report the fields of `call.quality`; null where the browser cannot say
 * @property {number} seconds since the last report
 * @property {number | null} rtt_ms
 * @property {Picture & {loss: number | null, jitter_ms: number | null, freezes: number | null, frozen_ms: number | null}} received
 * @property {Picture & {limited_by: "none" | "cpu" | "bandwidth" | "other" | null}} sent
 *
 * @typedef {{fps: number | null, width: number | null, height: number | null}} Picture
 *
 * @typedef {object} Look what one look at the statistics gives; counts go on growing
 * @property {number} at ms
 * @property {number | null} rtt_ms
 * @property {{audio: Carried, video: Carried, jitter_ms: number | null}} streams
 * @property {Picture & Counts & {freezes: number | null, frozen: number | null}} received
 * @property {Picture & Counts & {limited_by: Report["sent"]["limited_by"]}} sent
 *
 * @typedef {{frames: number | null}} Counts
 * @typedef {{packets: number, lost: number, repaired: number}} Carried
 */

/** @type {Set<unknown>} */
const LIMITS = new Set(["none", "cpu", "bandwidth", "other"]);

/**
 * Read the reports of `getStats`.
 * @param {Iterable<Record<string, any>>} reports
 * @param {number} at ms
 * @returns {Look}
 */
export function look(reports, at) {
  const all = [...reports];
  const of = (/** @type {string} */ type) => all.filter((r) => r.type === type);
  const inbound = of("inbound-rtp");
  const shown = inbound.find((r) => r.kind === "video");
  const sent = of("outbound-rtp").find((r) => r.kind === "video");
  const jitters = inbound.map((r) => r.jitter).filter(isNumber);
  return {
    at,
    rtt_ms: roundTrip(all),
    streams: {
      audio: carried(inbound, "audio"),
      video: carried(inbound, "video"),
      jitter_ms: jitters.length ? Math.max(...jitters) * 1000 : null,
    },
    received: {
      ...picture(shown),
      frames: number(shown?.framesDecoded),
      freezes: number(shown?.freezeCount),
      frozen: number(shown?.totalFreezesDuration),
    },
    sent: {
      ...picture(sent),
      frames: number(sent?.framesSent ?? sent?.framesEncoded),
      limited_by: LIMITS.has(sent?.qualityLimitationReason) ? sent?.qualityLimitationReason : null,
    },
  };
}

/**
 * Compare two looks at the same connection.
 * @param {Look} before
 * @param {Look} now
 * @returns {Report}
 */
export function report(before, now) {
  const seconds = (now.at - before.at) / 1000;
  const { received, sent, streams } = now;
  return {
    seconds: Math.min(60, Math.max(0.5, seconds)),
    rtt_ms: whole(now.rtt_ms, MOST.ms),
    received: {
      ...size(received),
      fps: rate(before.received, received, seconds),
      loss: worstLoss(before.streams, streams),
      jitter_ms: whole(streams.jitter_ms, MOST.ms),
      freezes: whole(grown(before.received.freezes, received.freezes), MOST.freezes),
      frozen_ms: whole(grown(before.received.frozen, received.frozen, 1000), MOST.ms),
    },
    sent: {
      ...size(sent),
      fps: rate(before.sent, sent, seconds),
      limited_by: sent.limited_by,
    },
  };
}

/** @param {Record<string, any>[]} all @returns {number | null} ms */
function roundTrip(all) {
  const pair = all.find((r) => r.type === "candidate-pair" && r.nominated && r.currentRoundTripTime != null);
  const far = all.find((r) => r.type === "remote-inbound-rtp" && r.roundTripTime != null);
  const seconds = number(pair?.currentRoundTripTime ?? far?.roundTripTime);
  return seconds === null ? null : seconds * 1000;
}

/** @param {Record<string, any> | undefined} stream @returns {Picture} */
function picture(stream) {
  return {
    fps: number(stream?.framesPerSecond),
    width: number(stream?.frameWidth),
    height: number(stream?.frameHeight),
  };
}

/** @param {Picture} of @returns {{width: number | null, height: number | null}} */
function size({ width, height }) {
  // A picture that has not begun has no size.
  return width && height
    ? { width: whole(width, MOST.px), height: whole(height, MOST.px) }
    : { width: null, height: null };
}

/** Frames per second over the whole time: the browser's own figure is of one moment. @param {Picture & Counts} before @param {Picture & Counts} now @param {number} seconds */
function rate(before, now, seconds) {
  if (!now.width || !now.height) return null;
  const frames = grown(before.frames, now.frames);
  const fps = frames !== null && seconds > 0 ? frames / seconds : now.fps;
  return fps === null ? null : Math.min(MOST.fps, Math.round(fps * 10) / 10);
}

/** @param {Record<string, any>[]} inbound @param {"audio" | "video"} kind @returns {Carried} */
function carried(inbound, kind) {
  const own = inbound.filter((r) => r.kind === kind);
  return {
    packets: total(own, "packetsReceived"),
    lost: Math.max(0, total(own, "packetsLost")),
    repaired: total(own, "retransmittedPacketsReceived"),
  };
}

/** Of sound or pictures, whichever lost more: lost words do not count less for many packets of pictures. @param {Look["streams"]} before @param {Look["streams"]} now */
function worstLoss(before, now) {
  const losses = [lossBetween(before.audio, now.audio), lossBetween(before.video, now.video)].filter(isNumber);
  return losses.length ? Math.max(...losses) : null;
}

/** What stayed lost after repair. @param {Carried} before @param {Carried} now */
function lossBetween(before, now) {
  const packets = now.packets - before.packets;
  if (packets <= 0) return null;
  const lost = Math.max(0, now.lost - before.lost);
  const left = Math.max(0, lost - Math.max(0, now.repaired - before.repaired));
  return Math.min(1, left / (packets + lost));
}

/** @param {number | null} before @param {number | null} now @param {number} [times] */
function grown(before, now, times = 1) {
  if (before === null || now === null || now < before) return null;
  return (now - before) * times;
}

/** @param {number | null} value @param {number} most */
function whole(value, most) {
  return value === null ? null : Math.min(most, Math.max(0, Math.round(value)));
}

/** @param {unknown} value */
function number(value) {
  return isNumber(value) ? value : null;
}

/** @param {unknown} value @returns {value is number} */
function isNumber(value) {
  return typeof value === "number" && Number.isFinite(value);
}

/** @param {Record<string, any>[]} reports @param {string} field */
function total(reports, field) {
  return reports.map((r) => r[field]).filter(isNumber).reduce((a, b) => a + b, 0);
}
