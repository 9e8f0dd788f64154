/**
 * The four sounds of a page, made by Web Audio; nothing is loaded.
 *
 *     const sounds = createSounds();       // unlocks itself, at the latest at the first touch or key
 *     sounds.unlocked.value                // false: show that sound is still asleep
 *     sounds.ring(true); sounds.ring(false); sounds.tryRing();   // the last: once, whatever rings
 *     sounds.chat(); sounds.lost(); sounds.back();
 *     sounds.setSilent(call.veiled);       // no sound at all while a PIN is typed
 *
 * The ring is written a minute ahead into the audio clock, because a background tab's timers sleep.
 */
import { signal } from "../../vendor/signals-core.js";

/** Seconds from one ring to the next. */
export const RING_EVERY_SECONDS = 4;
const AHEAD_SECONDS = 64;
const GESTURES = Object.freeze(["pointerdown", "keydown"]);

/** @typedef {{hertz: number, at: number, seconds: number, volume: number}} Note `at` in seconds from the start */

/** @type {Readonly<Record<"ring" | "chat" | "lost" | "back", readonly Note[]>>} */
export const PATTERNS = Object.freeze({
  ring: [
    { hertz: 659, at: 0, seconds: 0.45, volume: 0.18 },
    { hertz: 523, at: 0.5, seconds: 0.7, volume: 0.18 },
  ],
  chat: [{ hertz: 880, at: 0, seconds: 0.15, volume: 0.1 }],
  lost: [{ hertz: 330, at: 0, seconds: 0.35, volume: 0.14 }],
  back: [{ hertz: 587, at: 0, seconds: 0.25, volume: 0.12 }],
});

/** The notes of `seconds` of ringing. @param {number} seconds @returns {Note[]} */
export function ringing(seconds) {
  const times = Array.from({ length: Math.ceil(seconds / RING_EVERY_SECONDS) }, (_, i) => i);
  return times.flatMap((i) =>
    PATTERNS.ring.map((note) => ({ ...note, at: note.at + i * RING_EVERY_SECONDS })),
  );
}

/**
 * @param {object} [options]
 * @param {new () => AudioContext} [options.AudioContextClass]
 * @param {EventTarget | null} [options.scope] where the first gesture is heard
 * @param {(run: () => void, ms: number) => any} [options.setTimer]
 * @param {(timer: any) => void} [options.clearTimer]
 */
export function createSounds(options = {}) {
  const browser = /** @type {any} */ (globalThis);
  const {
    AudioContextClass = browser.AudioContext,
    scope = browser.document ? browser : null,
    setTimer = (/** @type {() => void} */ run, /** @type {number} */ ms) => setTimeout(run, ms),
    clearTimer = (/** @type {any} */ timer) => clearTimeout(timer),
  } = options;
  const unlocked = signal(false);
  /** @type {AudioContext | null} */
  let context = null;
  /** @type {OscillatorNode[]} */
  let rings = [];
  let timer = /** @type {any} */ (null);
  let wantsRing = false;
  let silent = false;

  /** @param {readonly Note[]} notes @returns {OscillatorNode[]} */
  function play(notes) {
    if (!context || silent || context.state !== "running") return [];
    const audio = context;
    return notes.map((note) => sound(audio, note));
  }

  async function unlock() {
    if (!AudioContextClass) return;
    /** @type {AudioContext} */
    const audio = (context ??= new AudioContextClass());
    audio.onstatechange = () => void unlock();
    if (audio.state !== "running") {
      heed(false);
      await audio.resume().catch(() => {});
    }
    heed(audio.state === "running");
  }

  /** Sound sleeps until a gesture, and again when the system takes it away. @param {boolean} awake */
  function heed(awake) {
    unlocked.value = awake;
    for (const name of GESTURES) {
      if (awake) scope?.removeEventListener(name, unlock);
      else scope?.addEventListener(name, unlock);
    }
    if (!awake) ringOff();
    else if (wantsRing && timer === null) ringOn();
  }

  function ringOn() {
    rings = play(ringing(AHEAD_SECONDS));
    timer = setTimer(ringOn, AHEAD_SECONDS * 1000);
  }

  function ringOff() {
    if (timer !== null) clearTimer(timer);
    timer = null;
    for (const oscillator of rings.splice(0)) oscillator.stop();
  }

  heed(false);
  // After a reload many browsers allow sound at once.
  void unlock();
  return {
    unlocked,
    unlock,
    /** @param {boolean} on */
    ring(on) {
      if (on === wantsRing) return;
      wantsRing = on;
      ringOff();
      if (on && unlocked.value) ringOn();
    },
    async tryRing() {
      await unlock();
      play(PATTERNS.ring);
    },
    chat: () => void play(PATTERNS.chat),
    lost: () => void play(PATTERNS.lost),
    back: () => void play(PATTERNS.back),
    /** @param {boolean} on */
    setSilent(on) {
      if (on === silent) return;
      silent = on;
      ringOff();
      if (!on && wantsRing && unlocked.value) ringOn();
    },
  };
}

/** A soft tone: up in 20 ms, then fading. @param {AudioContext} context @param {Note} note */
function sound(context, note) {
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  const start = context.currentTime + note.at;
  const end = start + note.seconds;
  oscillator.frequency.value = note.hertz;
  gain.gain.setValueAtTime(0.0001, start);
  gain.gain.exponentialRampToValueAtTime(note.volume, start + 0.02);
  gain.gain.exponentialRampToValueAtTime(0.0001, end);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(start);
  oscillator.stop(end + 0.05);
  return oscillator;
}
