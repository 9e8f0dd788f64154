/** 開始前点検 in the page: what is asked of the browser, and what is told to the server. */
import assert from "node:assert/strict";
import test from "node:test";
import { brightness, pathOf, runCheck } from "../../static/app/lib/precheck.js";

/** @param {Record<string, any>} local @param {boolean} [selected] */
const stats = (local, selected = true) => [
  ...(selected ? [{ id: "T", type: "transport", selectedCandidatePairId: "P" }] : []),
  { id: "Q", type: "candidate-pair", nominated: false, state: "failed", localCandidateId: "other" },
  { id: "P", type: "candidate-pair", nominated: true, state: "succeeded", localCandidateId: "L" },
  { id: "L", type: "local-candidate", ...local },
];

test("the path is that of the pair in use, however the browser names it", () => {
  assert.deepEqual(pathOf(stats({ protocol: "udp", candidateType: "host" })), { protocol: "udp", relayed: false });
  assert.deepEqual(pathOf(stats({ protocol: "tcp", candidateType: "host" }, false)), { protocol: "tcp", relayed: false });
  assert.deepEqual(pathOf(stats({ protocol: "udp", candidateType: "relay" })), { protocol: "udp", relayed: true });
  assert.deepEqual(pathOf(stats({ protocol: "udp", candidateType: "relay", relayProtocol: "tls" })), { protocol: "tcp", relayed: true });
  assert.equal(pathOf([]), null);
  assert.equal(pathOf(stats({ protocol: "sctp", candidateType: "host" })), null);
});

/** A browser in which nothing works, and a server that takes what it is told. */
function broken() {
  /** @type {[string, any][]} */
  const posted = [];
  /** @type {string[]} */
  const steps = [];
  const check = {
    api: /** @type {any} */ ({
      post: async (/** @type {string} */ path, /** @type {any} */ body) => {
        posted.push([path, body]);
        if (path === "precheck") return { relay: null, server_time: "2026-11-23T00:00:01.000Z" };
        if (path === "precheck/result") return { precheck: { id: "R" } };
        throw new Error("away");
      },
      csrf: async () => "token",
      urls: { precheckFile: () => "https://example.test/api/v1/precheck/file?page=counter" },
    }),
    connection: { send: async () => Promise.reject(Object.assign(new Error("no"), { code: "wrong_state" })) },
    level: () => 0.7,
    hear: () => {},
    tell: (/** @type {string} */ step) => void steps.push(step),
    heard: async () => null,
    tools: /** @type {any} */ ({
      devices: { getUserMedia: async () => Promise.reject(Object.assign(new Error("no"), { name: "NotAllowedError" })) },
      RTCPeerConnectionClass: class {
        constructor() {
          throw new Error("no media here");
        }
      },
      fetch: async () => Promise.reject(new Error("no network")),
      subtle: globalThis.crypto.subtle,
      now: () => Date.parse("2026-11-23T00:00:00.000Z"),
      wait: async () => {},
      pixels: async () => Promise.reject(new Error("no picture")),
    }),
  };
  return { check, posted, steps };
}

test("what does not work is null in the report, and the rest is tried all the same", async () => {
  const { check, posted, steps } = broken();
  assert.deepEqual(await runCheck(check), { id: "R" });
  const [, report] = posted[posted.length - 1];
  assert.deepEqual(report, {
    camera: null,
    light: null,
    microphone: null,
    speaker: null,
    path: null,
    rtt_ms: null,
    loss: null,
    chat_ms: null,
    file_ms: null,
    file_sha256: null,
    clock_ms: -1000,
  });
  assert.deepEqual(steps, ["begin", "camera", "line", "chat", "file", "speaker", "result"]);
});

test("a check that the server does not begin is said and nothing else is tried", async () => {
  const { check, steps } = broken();
  check.api.post = async () => Promise.reject(Object.assign(new Error("no"), { code: "already_in_call" }));
  await assert.rejects(runCheck(check), { code: "already_in_call" });
  assert.deepEqual(steps, ["begin"]);
});

test("brightness is the mean of the picture, and all white is what shows nothing any more", () => {
  const picture = (/** @type {number[][]} */ ...dots) => new Uint8ClampedArray(dots.flatMap(([r, g, b]) => [r, g, b, 255]));
  assert.deepEqual(brightness(picture([0, 0, 0], [0, 0, 0])), { mean: 0, white: 0 });
  assert.deepEqual(brightness(picture([255, 255, 255], [0, 0, 0])), { mean: 0.5, white: 0.5 });
  assert.deepEqual(brightness(picture([255, 255, 0])).white, 0);
  assert.equal(brightness(picture([249, 255, 255])).white, 0);
});
