import assert from "node:assert/strict";
import { test } from "node:test";
import { createAttention, createWakeLock } from "../../static/app/lib/attention.js";
import { leaveWith } from "../../static/app/lib/leave.js";
import {
  HINT_AFTER_MS,
  HINT_FOR_MS,
  LevelMeter,
  NO_HINT,
  PAUSE_MS,
  SILENCE,
  VOICE_MS,
  barOf,
  computeRms,
  hintStep,
  speechStep,
} from "../../static/app/lib/level.js";
import { PATTERNS, RING_EVERY_SECONDS, createSounds, ringing } from "../../static/app/lib/sounds.js";
import { Clock, settle } from "./support/clock.js";
import { Stream, Track } from "./support/devices.js";
import { openLine } from "./support/line.js";

test("loudness is the root of the mean square", () => {
  assert.equal(computeRms([]), 0);
  assert.equal(computeRms([0.5, -0.5, 0.5, -0.5]), 0.5);
  const sine = Array.from({ length: 1000 }, (_, i) => Math.sin((2 * Math.PI * i) / 100));
  assert.ok(Math.abs(computeRms(sine) - Math.SQRT1_2) < 1e-9);
});

test("the bar is empty in silence and full at a loud voice", () => {
  assert.deepEqual([0, 0.001, 1].map(barOf), [0, 0, 1]);
  assert.ok(barOf(0.03) > 0.4 && barOf(0.03) < 0.8);
});

/** @param {[number, number][]} story pairs of [rms, ms] */
function listen(story) {
  let speech = SILENCE;
  let now = 0;
  const heard = [];
  for (const [rms, ms] of story) {
    for (const end = now + ms; now < end; now += 50) speech = speechStep(speech, rms, now);
    heard.push(speech.speaking);
  }
  return heard;
}

test("a voice counts after a moment and a breath does not end it", () => {
  assert.deepEqual(
    listen([
      [0.1, VOICE_MS - 50],
      [0.1, 100],
      [0.001, PAUSE_MS - 100],
      [0.1, 50],
      [0.001, PAUSE_MS + 100],
    ]),
    [false, true, true, true, false],
  );
});

test("a knock is no voice, and a level between the two limits changes nothing", () => {
  assert.deepEqual(listen([[0.5, 100], [0.001, 100], [0.5, 100]]), [false, false, false]);
  assert.deepEqual(listen([[0.02, 2000], [0.1, 400], [0.02, 2000]]), [false, true, true]);
});

test("speaking into a muted microphone brings a hint that stays for a while", () => {
  const speaking = { speaking: true, muted: true };
  let hint = hintStep(NO_HINT, speaking, 0);
  assert.ok(hint.until < 0);
  hint = hintStep(hint, speaking, HINT_AFTER_MS);
  assert.equal(hint.until, HINT_AFTER_MS + HINT_FOR_MS);
  hint = hintStep(hint, { speaking: false, muted: true }, HINT_AFTER_MS + 100);
  assert.equal(hint.until, HINT_AFTER_MS + HINT_FOR_MS);
  assert.deepEqual(hintStep(hint, { speaking: true, muted: false }, 1000), NO_HINT);
});

/** Web Audio in memory: every oscillator that was started, and a microphone that a test plays. */
function audio({ state = "running" } = {}) {
  const world = {
    state,
    /** @type {any[]} */
    oscillators: [],
    loud: 0,
    /** @type {any} */
    context: null,
    /** @param {string} next */
    become(next) {
      world.state = next;
      world.context.onstatechange();
    },
  };
  const param = () => ({ value: 0, setValueAtTime() {}, exponentialRampToValueAtTime() {} });
  class AudioContextClass {
    currentTime = 100;
    constructor() {
      world.context = this;
    }
    get state() {
      return world.state;
    }
    async resume() {}
    createOscillator() {
      const oscillator = {
        frequency: param(),
        connect: (/** @type {any} */ next) => next,
        start: (/** @type {number} */ at) => (oscillator.startAt = at),
        stop: (/** @type {number | undefined} */ at) => (oscillator.stopped = at === undefined),
        startAt: 0,
        stopped: false,
      };
      world.oscillators.push(oscillator);
      return oscillator;
    }
    createGain() {
      return { gain: param(), connect() {} };
    }
    createMediaStreamSource() {
      return { connect() {}, disconnect() {} };
    }
    createAnalyser() {
      return {
        fftSize: 0,
        getFloatTimeDomainData: (/** @type {Float32Array} */ samples) => samples.fill(world.loud),
      };
    }
  }
  return { world, AudioContextClass: /** @type {any} */ (AudioContextClass) };
}

test("the meter hears a muted microphone through its own copy", async () => {
  const { world, AudioContextClass } = audio();
  const clock = new Clock();
  const meter = new LevelMeter({
    AudioContextClass,
    MediaStreamClass: /** @type {any} */ (Stream),
    now: clock.now,
    setTimer: clock.setTimer,
    clearTimer: clock.clearTimer,
  });
  const copy = new Track("audio");
  const track = Object.assign(new Track("audio"), { enabled: false, clone: () => copy });
  copy.enabled = false;
  meter.start(/** @type {any} */ (new Stream([track])));
  meter.setMuted(true);
  assert.equal(copy.enabled, true);
  world.loud = 0.2;
  await clock.pass(1500);
  assert.deepEqual([meter.speaking.value, meter.mutedHint.value], [true, true]);
  assert.ok(meter.level.value > 0.5);
  meter.setMuted(false);
  assert.equal(meter.mutedHint.value, false);
  meter.stop();
  assert.equal(copy.readyState, "ended");
  assert.equal(meter.level.value, 0);
  assert.equal(clock.timers.size, 0);
});

test("a stream without sound is no error", () => {
  const meter = new LevelMeter({ AudioContextClass: audio().AudioContextClass });
  meter.start(null);
  meter.start(/** @type {any} */ (new Stream([new Track("video")])));
  assert.equal(meter.level.value, 0);
});

/** @param {Parameters<typeof audio>[0]} [options] */
function sounds(options) {
  const { world, AudioContextClass } = audio(options);
  const scope = new EventTarget();
  const clock = new Clock();
  const made = createSounds({
    AudioContextClass,
    scope,
    setTimer: clock.setTimer,
    clearTimer: clock.clearTimer,
  });
  return { world, scope, clock, sounds: made };
}

test("nothing sounds before the first gesture, and a waiting ring starts with it", async () => {
  const { world, scope, sounds: s } = sounds({ state: "suspended" });
  s.ring(true);
  s.chat();
  assert.equal(world.oscillators.length, 0);
  world.state = "running";
  scope.dispatchEvent(new Event("pointerdown"));
  await settle();
  assert.equal(s.unlocked.value, true);
  assert.equal(world.oscillators.length, ringing(64).length);
  s.ring(false);
});

test("a browser that allows sound at once is awake without a gesture", async () => {
  const { sounds: s } = sounds();
  await settle();
  assert.equal(s.unlocked.value, true);
});

test("a ring that the system silences says so, and goes on when sound is back", async () => {
  const { world, sounds: s } = sounds();
  await settle();
  s.ring(true);
  world.become("interrupted");
  await settle();
  assert.equal(s.unlocked.value, false);
  const before = world.oscillators.length;
  world.become("running");
  await settle();
  assert.equal(s.unlocked.value, true);
  assert.ok(world.oscillators.length > before);
  s.ring(false);
});

test("trying the ring sounds once and leaves a real ring alone", async () => {
  const { world, clock, sounds: s } = sounds();
  await settle();
  s.ring(true);
  const before = world.oscillators.length;
  await s.tryRing();
  assert.equal(world.oscillators.length, before + PATTERNS.ring.length);
  assert.ok(world.oscillators.every((o) => !o.stopped));
  s.ring(false);
  await s.tryRing();
  assert.equal(clock.timers.size, 0);
});

test("a browser that keeps sound asleep is asked again at the next gesture", async () => {
  const { world, scope, sounds: s } = sounds({ state: "suspended" });
  scope.dispatchEvent(new Event("pointerdown"));
  await settle();
  assert.equal(s.unlocked.value, false);
  world.state = "running";
  scope.dispatchEvent(new Event("keydown"));
  await settle();
  assert.equal(s.unlocked.value, true);
});

test("the ring is two tones every four seconds, written ahead and cut off at once", async () => {
  const { world, clock, sounds: s } = sounds();
  await s.unlock();
  s.ring(true);
  s.ring(true);
  const starts = world.oscillators.map((o) => o.startAt - 100);
  assert.equal(starts.length, 32);
  assert.equal(starts[2] - starts[0], RING_EVERY_SECONDS);
  assert.equal(PATTERNS.ring.length, 2);
  await clock.pass(64_000);
  assert.equal(world.oscillators.length, 64);
  s.ring(false);
  assert.ok(world.oscillators.slice(32).every((o) => o.stopped));
  assert.equal(clock.timers.size, 0);
});

test("nothing sounds while a PIN is typed, and the ring goes on afterwards", async () => {
  const { world, sounds: s } = sounds();
  await s.unlock();
  s.ring(true);
  s.setSilent(true);
  assert.ok(world.oscillators.every((o) => o.stopped));
  const before = world.oscillators.length;
  s.chat();
  s.lost();
  s.back();
  assert.equal(world.oscillators.length, before);
  s.setSilent(false);
  assert.ok(world.oscillators.length > before);
  s.ring(false);
});

/** @param {{hidden: boolean}} fields @returns {any} */
const page = ({ hidden }) =>
  Object.assign(new EventTarget(), {
    hidden,
    title: "窓口",
    visibilityState: hidden ? "hidden" : "visible",
  });

/** @param {string} permission */
function notifications(permission) {
  /** @type {any[]} */
  const shown = [];
  class NotificationClass {
    static permission = permission;
    static async requestPermission() {
      return "granted";
    }
    closed = false;
    /** @param {string} heading @param {any} options */
    constructor(heading, options) {
      Object.assign(this, { heading, ...options });
      shown.push(this);
    }
    close() {
      this.closed = true;
    }
  }
  return { shown, NotificationClass };
}

test("a hidden page is noticed by a notification and a mark, and a visible one is left in peace", () => {
  const { shown, NotificationClass } = notifications("granted");
  const hidden = page({ hidden: true });
  const attention = createAttention({ NotificationClass, page: hidden, focus() {} });
  attention.notify("呼出", "架空中央郵便局");
  attention.mark("呼出中");
  attention.mark("呼出中");
  assert.equal(shown[0].heading, "呼出");
  assert.equal(hidden.title, "● 呼出中 窓口");
  hidden.hidden = false;
  hidden.dispatchEvent(new Event("visibilitychange"));
  assert.ok(shown[0].closed);
  attention.notify("呼出");
  assert.equal(shown.length, 1);
  attention.mark(null);
  assert.equal(hidden.title, "窓口");
});

test("permission is asked for once and a browser without notifications is no error", async () => {
  const { NotificationClass } = notifications("default");
  const attention = createAttention({ NotificationClass, page: page({ hidden: true }) });
  assert.equal(await attention.ask(), "granted");
  assert.equal(attention.permission.value, "granted");
  const bare = createAttention({ NotificationClass: null, page: page({ hidden: true }) });
  bare.notify("呼出");
  assert.equal(await bare.ask(), "unsupported");
});

test("a browser that refuses to construct a notification does not break the ring", () => {
  class NotificationClass {
    static permission = "granted";
    constructor() {
      throw new TypeError("Illegal constructor");
    }
  }
  const attention = createAttention({ NotificationClass, page: page({ hidden: true }) });
  attention.notify("呼出");
});

test("the screen lock is taken again when the page is looked at again", async () => {
  /** @type {EventTarget[]} */
  const given = [];
  const wakeLock = {
    request: async () => {
      const lock = Object.assign(new EventTarget(), {
        release: async () => lock.dispatchEvent(new Event("release")),
      });
      given.push(lock);
      return lock;
    },
  };
  const visible = page({ hidden: false });
  const wake = createWakeLock({ wakeLock: /** @type {any} */ (wakeLock), page: visible });
  await Promise.all([wake.on(), wake.on()]);
  assert.deepEqual([given.length, wake.held.value], [1, true]);
  given[0].dispatchEvent(new Event("release"));
  assert.equal(wake.held.value, false);
  visible.dispatchEvent(new Event("visibilitychange"));
  await settle();
  assert.deepEqual([given.length, wake.held.value], [2, true]);
  await wake.off();
  visible.dispatchEvent(new Event("visibilitychange"));
  await settle();
  assert.deepEqual([given.length, wake.held.value], [2, false]);
});

test("a page that leaves closes its socket and one that the browser kept comes back", async () => {
  const { server, connection } = await openLine();
  const scope = new EventTarget();
  let returns = 0;
  const off = leaveWith({ connection, scope, onReturn: () => (returns += 1) });
  scope.dispatchEvent(new Event("pagehide"));
  assert.ok(server.sockets[0].closedByPage);
  scope.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: false }));
  assert.equal(server.sockets.length, 1);
  scope.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
  await settle();
  assert.deepEqual([connection.status.state, returns], ["open", 1]);
  off();
  connection.stop();
});

test("a page that was told to stay away stays away when it is shown again", async () => {
  const { server, connection } = await openLine();
  const scope = new EventTarget();
  leaveWith({ connection, scope });
  server.socket.end(4002);
  scope.dispatchEvent(new Event("pagehide"));
  scope.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
  assert.equal(connection.status.state, "stopped");
  assert.equal(server.sockets.length, 1);
});
