import assert from "node:assert/strict";
import { test } from "node:test";
import { secondsLeft, warning } from "../../static/app/parts/ending.js";
import { call } from "./support/nouns.js";

const ENDS = "2026-11-23T02:00:00.000Z";
const before = (/** @type {number} */ seconds) => Date.parse(ENDS) - seconds * 1000;
const talk = call({ ends_at: ENDS });

test("nothing is said of an end that is more than five minutes away, or of a call that is over", () => {
  assert.equal(secondsLeft(talk, before(301)), null);
  assert.equal(warning(talk, before(301)), null);
  assert.equal(warning(call({ ends_at: null }), before(10)), null);
  assert.equal(warning(call({ ends_at: ENDS, state: "closed" }), before(10)), null);
  assert.equal(warning(null, before(10)), null);
});

test("the end is told five minutes and one minute before, and counted down to nothing", () => {
  assert.deepEqual([300, 61, 60, 0, -5].map((s) => warning(talk, before(s))), ["call.5", "call.5", "call.1", "call.1", "call.1"]);
  assert.deepEqual([300, 61, 0, -5].map((s) => secondsLeft(talk, before(s))), [300, 61, 0, 0]);
});

test("who waits is told of the end of waiting, and who talks of the end of the call", () => {
  for (const state of /** @type {const} */ (["waiting", "ringing"])) {
    assert.equal(warning(call({ ends_at: ENDS, state }), before(200)), "wait.5");
  }
  for (const state of /** @type {const} */ (["talking", "interrupted", "deciding"])) {
    assert.equal(warning(call({ ends_at: ENDS, state }), before(200)), "call.5");
  }
});
