import assert from "node:assert/strict";
import { test } from "node:test";
import { look, report } from "../../static/app/lib/quality.js";
import { decisionWords } from "../../static/app/parts/decision.js";
import { deskAdvice, lineAdvice } from "../../static/app/parts/flow.js";
import { call } from "./support/nouns.js";

/** @param {any} [fields] */
const inbound = (fields = {}) => ({
  type: "inbound-rtp",
  kind: "video",
  packetsReceived: 0,
  packetsLost: 0,
  framesDecoded: 0,
  framesPerSecond: 30,
  frameWidth: 1280,
  frameHeight: 720,
  freezeCount: 0,
  totalFreezesDuration: 0,
  jitter: 0.004,
  ...fields,
});
/** @param {any} [fields] */
const outbound = (fields = {}) => ({
  type: "outbound-rtp",
  kind: "video",
  framesSent: 0,
  frameWidth: 640,
  frameHeight: 360,
  qualityLimitationReason: "cpu",
  ...fields,
});
const pair = { type: "candidate-pair", nominated: true, currentRoundTripTime: 0.042 };

test("a report says what happened between two looks", () => {
  const before = look([inbound(), outbound(), pair], 0);
  const now = look(
    [
      inbound({
        packetsReceived: 980,
        packetsLost: 20,
        retransmittedPacketsReceived: 10,
        framesDecoded: 45,
        freezeCount: 2,
        totalFreezesDuration: 0.8,
      }),
      outbound({ framesSent: 30 }),
      pair,
    ],
    3000,
  );
  assert.deepEqual(report(before, now), {
    seconds: 3,
    rtt_ms: 42,
    received: { fps: 15, width: 1280, height: 720, loss: 0.01, jitter_ms: 4, freezes: 2, frozen_ms: 800 },
    sent: { fps: 10, width: 640, height: 360, limited_by: "cpu" },
  });
});

test("sound that is lost is not hidden behind pictures that come", () => {
  const sound = (/** @type {any} */ fields) => inbound({ kind: "audio", packetsReceived: 0, packetsLost: 0, ...fields });
  const before = look([inbound(), sound({})], 0);
  const now = look([inbound({ packetsReceived: 1000 }), sound({ packetsReceived: 80, packetsLost: 20 })], 3000);
  assert.equal(report(before, now).received.loss, 0.2);
});

test("what a browser does not say is null", () => {
  assert.deepEqual(report(look([], 0), look([], 3000)), {
    seconds: 3,
    rtt_ms: null,
    received: { fps: null, width: null, height: null, loss: null, jitter_ms: null, freezes: null, frozen_ms: null },
    sent: { fps: null, width: null, height: null, limited_by: null },
  });
});

test("a browser that counts no frames is believed its rate", () => {
  const reports = [inbound({ framesDecoded: undefined, framesPerSecond: 12 })];
  assert.equal(report(look(reports, 0), look(reports, 3000)).received.fps, 12);
});

test("counters that begin anew give no wild figures", () => {
  const before = look([inbound({ packetsReceived: 9000, packetsLost: 50, framesDecoded: 900, freezeCount: 9 })], 0);
  const { received } = report(before, look([inbound({ packetsReceived: 1 })], 3000));
  assert.deepEqual([received.loss, received.freezes, received.fps], [null, null, 30]);
});

test("a picture that has not begun has neither size nor rate", () => {
  const reports = [inbound({ frameWidth: 0, frameHeight: 0 }), outbound({ frameWidth: undefined })];
  const { received, sent } = report(look(reports, 0), look(reports, 3000));
  assert.deepEqual([received.width, received.fps, sent.width, sent.fps], [null, null, null, null]);
});

test("what no browser would say is kept within what the server takes", () => {
  const wild = inbound({ jitter: 1e9, frameWidth: 1e9, framesDecoded: 1e9, freezeCount: 1e9, totalFreezesDuration: 1e9 });
  const odd = outbound({ qualityLimitationReason: "weather", framesSent: NaN });
  const { received, sent, seconds } = report(
    look([inbound(), odd], 0),
    look([{ ...wild, packetsReceived: 1, packetsLost: -5 }, odd, { ...pair, currentRoundTripTime: 1e9 }], 1e9),
  );
  assert.equal(seconds, 60);
  assert.deepEqual([received.width, received.jitter_ms, received.freezes, received.frozen_ms], [16_384, 60_000, 10_000, 60_000]);
  assert.equal(received.loss, 0);
  assert.deepEqual([sent.limited_by, sent.fps], [null, null]);
});

/** @param {Partial<import("../../static/app/lib/protocol.js").QualityNoun>} fields */
const quality = (fields = {}) => ({
  level: /** @type {const} */ ("poor"),
  cause: /** @type {const} */ ("loss"),
  place: /** @type {const} */ ("counter"),
  abort_offered: false,
  lines: null,
  ...fields,
});
const free = [null, null, null, null];

test("the desk is told what to do, and breaking off goes before advice", () => {
  assert.equal(deskAdvice(quality()), "quality.advice.counter.loss");
  assert.equal(deskAdvice(quality({ level: "good", cause: null, place: null })), null);
  assert.deepEqual(decisionWords(free, call(), quality()), { key: "quality.advice.counter.loss", urgent: true });
  const offered = quality({ abort_offered: true });
  assert.deepEqual(decisionWords(free, call(), offered), { key: "quality.abort", urgent: true });
  assert.deepEqual(decisionWords(["decide.locked.own"], call(), offered), { key: "decide.locked.own", urgent: false });
});

test("with nothing to do the bar says what it always says", () => {
  assert.equal(decisionWords(free, call(), null).key, "decide.any");
  assert.equal(decisionWords(free, call({ state: "deciding" }), quality()).key, "decide.deciding");
});

test("the counter is told of a poor line alone", () => {
  assert.equal(lineAdvice("flowing", null, quality()), "own.poor");
  assert.equal(lineAdvice("flowing", null, quality({ level: "fair" })), "own.good");
  assert.equal(lineAdvice("flowing", null, null), "own.good");
  assert.equal(lineAdvice("flowing", null, quality({ cause: "paused" })), "own.paused");
  assert.equal(lineAdvice("stalled", null, quality()), "own.stalled");
});
