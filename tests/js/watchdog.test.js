import assert from "node:assert/strict";
import { test } from "node:test";
import {
  REPLACE_MS,
  RESTART_MS,
  LIVELY_STILL_MS,
  STILL_MS,
  packetsReceived,
  watchdogHint,
  watchdogStart,
  watchdogStep,
} from "../../static/app/lib/watchdog.js";

const STEP_MS = 250;

/** A watchdog and the story that a test tells it. */
class Story {
  now = 0;
  packets = 0;
  perStep = 2;
  connected = true;
  canSignal = true;
  state = watchdogStart(0);
  flow = "connecting";
  /** @type {[number, string][]} what was done, and when */
  done = [];

  /** @param {number} ms @param {{flowing: boolean}} how */
  go(ms, { flowing }) {
    for (const end = this.now + ms; this.now < end; ) {
      this.now += STEP_MS;
      if (flowing) this.packets += this.perStep;
      const { packets, connected, canSignal } = this;
      const result = watchdogStep(this.state, { packets, connected, canSignal }, this.now);
      this.state = result.state;
      this.flow = result.flow;
      if (result.action === "none") continue;
      this.done.push([this.now, result.action]);
      if (result.action === "replace") {
        this.packets = 0;
        this.state = watchdogStart(this.now, result.state.replaced);
      }
    }
    return this;
  }
}

test("flowing media is left alone", () => {
  const story = new Story().go(60_000, { flowing: true });
  assert.deepEqual([story.flow, story.done], ["flowing", []]);
});

test("where many packets came, the path is looked for anew sooner, once, and nothing is said yet", () => {
  const story = new Story();
  story.perStep = 10;
  story.go(2000, { flowing: true });
  const from = story.now;
  story.go(LIVELY_STILL_MS + STEP_MS, { flowing: false });
  assert.equal(story.done.length, 1);
  const [[at, action]] = story.done;
  assert.equal(action, "restart");
  assert.ok(at - from >= LIVELY_STILL_MS && at - from < LIVELY_STILL_MS + STEP_MS);
  assert.equal(story.flow, "flowing");
  story.go(STILL_MS, { flowing: false });
  assert.deepEqual([story.flow, story.done.length], ["stalled", 1]);
  story.go(RESTART_MS, { flowing: false });
  assert.equal(story.done[1][1], "replace");
});

test("one and a half seconds of silence restart ICE, three more replace the connection", () => {
  const story = new Story().go(1000, { flowing: true });
  const from = story.now;
  story.go(5000, { flowing: false });
  assert.deepEqual(story.done, [
    [from + STILL_MS, "restart"],
    [from + STILL_MS + RESTART_MS, "replace"],
  ]);
});

test("a pause shorter than the limit is nothing", () => {
  const story = new Story().go(1000, { flowing: true });
  story.go(STILL_MS - STEP_MS, { flowing: false });
  assert.deepEqual([story.flow, story.done], ["flowing", []]);
});

test("media that comes back after a restart is not replaced, and the next break starts afresh", () => {
  const story = new Story().go(1000, { flowing: true });
  story.go(2000, { flowing: false }).go(5000, { flowing: true });
  assert.equal(story.flow, "flowing");
  story.go(2000, { flowing: false });
  assert.deepEqual(story.done.map(([, action]) => action), ["restart", "restart"]);
});

test("a hint that the network changed shortens the wait", () => {
  const story = new Story().go(1000, { flowing: true });
  story.go(500, { flowing: false });
  story.state = watchdogHint(story.state, story.now);
  const from = story.now;
  story.go(250, { flowing: false });
  assert.deepEqual(story.done, [[from + 250, "restart"]]);
});

test("without a socket nothing is tried, and with it at once", () => {
  const story = new Story().go(1000, { flowing: true });
  story.canSignal = false;
  story.go(20_000, { flowing: false });
  assert.deepEqual([story.flow, story.done], ["stalled", []]);
  story.canSignal = true;
  const from = story.now;
  story.go(250, { flowing: false });
  assert.deepEqual(story.done, [[from + 250, "restart"]]);
});

test("a connection that never carries anything is replaced with growing patience", () => {
  const story = new Story();
  story.connected = false;
  story.go(60_000, { flowing: false });
  const times = story.done.map(([at]) => at);
  const gaps = times.map((at, i) => at - (times[i - 1] ?? 0));
  assert.deepEqual(gaps, [...REPLACE_MS, REPLACE_MS[3]].slice(0, gaps.length));
  assert.equal(story.flow, "connecting");
});

test("packets of a handshake that never ends do not count as media", () => {
  const story = new Story();
  story.connected = false;
  story.go(5000, { flowing: true });
  story.go(1000, { flowing: false });
  assert.equal(story.flow, "connecting");
  assert.equal(story.done[0][1], "replace");
});

test("a timer that slept for a minute does not cry wolf", () => {
  const story = new Story().go(1000, { flowing: true });
  story.now += 60_000;
  story.packets += 5;
  const { packets, connected, canSignal } = story;
  const result = watchdogStep(story.state, { packets, connected, canSignal }, story.now);
  assert.deepEqual([result.flow, result.action], ["flowing", "none"]);
});

test("a counter that starts again below its former value is followed from there", () => {
  const story = new Story().go(10_000, { flowing: true });
  story.packets = 0;
  story.go(5000, { flowing: true });
  assert.deepEqual([story.flow, story.done], ["flowing", []]);
});

test("packets are counted on the transport, else on the pair, else over streams and reports", () => {
  const transport = { type: "transport", packetsReceived: 7 };
  const pair = { type: "candidate-pair", nominated: true, packetsReceived: 5 };
  const stream = { type: "inbound-rtp", packetsReceived: 3 };
  const report = { type: "remote-inbound-rtp", timestamp: 100 };
  assert.equal(packetsReceived([transport, pair, stream]), 7);
  assert.equal(packetsReceived([pair, stream]), 5);
  assert.equal(packetsReceived([stream, report]), 103);
  assert.equal(packetsReceived([{ type: "candidate-pair", nominated: true }]), null);
  assert.equal(packetsReceived([]), null);
});
