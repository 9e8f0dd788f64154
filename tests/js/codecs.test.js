/** Which codec a device wishes for. */
import assert from "node:assert/strict";
import test from "node:test";
import { ASK_MS, preferCodecs, wishedCodecs } from "../../static/app/lib/codecs.js";
import { Clock } from "./support/clock.js";

const VP8 = { mimeType: "video/VP8", clockRate: 90000 };
const OURS = {
  mimeType: "video/H264",
  clockRate: 90000,
  sdpFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42E01F",
};
const HIGH = { ...OURS, sdpFmtpLine: "packetization-mode=1;profile-level-id=640c1f" };
const SINGLE = { ...OURS, sdpFmtpLine: "packetization-mode=0;profile-level-id=42e01f" };
const ALL = [VP8, HIGH, SINGLE, OURS];

/** @param {{h264?: object, vp8?: object, codecs?: any}} change */
const source = ({ h264 = {}, vp8 = {}, codecs = ALL }) => ({
  capabilities: {
    encodingInfo: async (/** @type {any} */ { video }) => ({
      supported: true,
      powerEfficient: false,
      ...(video.contentType.includes("H264") ? h264 : vp8),
    }),
  },
  getCapabilities: () => ({ codecs }),
});

test("a device that makes H.264 in hardware and VP8 not puts its H.264 first and keeps the rest", async () => {
  assert.deepEqual(await wishedCodecs(source({ h264: { powerEfficient: true } })), [OURS, VP8, HIGH, SINGLE]);
});

test("every other device keeps the browser's order", async () => {
  assert.equal(await wishedCodecs(source({})), undefined);
  assert.equal(await wishedCodecs(source({ vp8: { powerEfficient: true } })), undefined);
  assert.equal(await wishedCodecs(source({ h264: { powerEfficient: true }, vp8: { powerEfficient: true } })), undefined);
  assert.equal(await wishedCodecs(source({ h264: { powerEfficient: true, supported: false } })), undefined);
  assert.equal(await wishedCodecs(source({ h264: { powerEfficient: true }, codecs: [VP8, HIGH, SINGLE] })), undefined);
});

test("a browser that cannot be asked, refuses or never answers keeps its order", async () => {
  assert.equal(await wishedCodecs({ ...source({}), capabilities: undefined }), undefined);
  assert.equal(await wishedCodecs({ ...source({}), getCapabilities: undefined }), undefined);
  assert.equal(await wishedCodecs({ ...source({}), getCapabilities: () => null }), undefined);
  const refuses = { encodingInfo: async () => Promise.reject(new TypeError("type")) };
  assert.equal(await wishedCodecs({ ...source({}), capabilities: refuses }), undefined);
  const clock = new Clock();
  const silent = { encodingInfo: () => new Promise(() => {}) };
  const asked = wishedCodecs({ ...source({}), capabilities: silent, setTimer: clock.setTimer });
  await clock.pass(ASK_MS);
  assert.equal(await asked, undefined);
});

test("a wish that a transceiver does not take is let go", () => {
  const seen = /** @type {any[]} */ ([]);
  const taking = /** @type {any} */ ({ setCodecPreferences: (/** @type {any} */ codecs) => seen.push(codecs) });
  preferCodecs(taking, undefined);
  preferCodecs(taking, ALL);
  assert.deepEqual(seen, [ALL]);
  preferCodecs(/** @type {any} */ ({}), ALL);
});
