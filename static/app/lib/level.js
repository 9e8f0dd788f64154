/**
 * How loud the own microphone is, and whether somebody speaks into a muted one.
 *
 *     const meter = new LevelMeter();
 *     meter.start(media.local.value);    // again whenever the stream changes
 *     meter.setMuted(media.microphone.value !== "on");
 *     meter.level.value      // 0 to 1, for a bar
 *     meter.speaking.value   // someone speaks
 *     meter.mutedHint.value  // someone speaks and is not heard
 *     meter.stop();
 *
 * The meter listens to a copy of the track, since a muted track is silent for everybody.
 */
import { signal } from "../../vendor/signals-core.js";

/** Louder than this is a voice, quieter than the second is none: between them nothing changes. */
export const LOUD_RMS = 0.03;
export const QUIET_RMS = 0.015;
/** A voice lasts this long before it counts, and is missed this long before it ends. */
export const VOICE_MS = 200;
export const PAUSE_MS = 700;
/** Muted speech that calls for the hint, and how long the hint stays. */
export const HINT_AFTER_MS = 600;
export const HINT_FOR_MS = 5_000;
const LOOK_MS = 60;

/** Root mean square of samples between -1 and 1. @param {ArrayLike<number>} samples */
export function computeRms(samples) {
  if (samples.length === 0) return 0;
  let sum = 0;
  for (let i = 0; i < samples.length; i += 1) sum += samples[i] * samples[i];
  return Math.sqrt(sum / samples.length);
}

/** The length of a bar: -60 dB is empty, -10 dB is full. @param {number} rms @returns {number} 0 to 1 */
export function barOf(rms) {
  const decibel = 20 * Math.log10(Math.max(rms, 1e-6));
  return Math.min(1, Math.max(0, (decibel + 60) / 50));
}

/**
 * @typedef {object} Speech
 * @property {boolean} speaking
 * @property {number | null} since ms since when the samples disagree with `speaking`
 */
/** @type {Readonly<Speech>} */
export const SILENCE = Object.freeze({ speaking: false, since: null });

/** Judge one sample, with a memory against flicker. @param {Speech} speech @param {number} rms @param {number} now ms @returns {Speech} */
export function speechStep(speech, rms, now) {
  const disagrees = speech.speaking ? rms < QUIET_RMS : rms > LOUD_RMS;
  if (!disagrees) return speech.since === null ? speech : { ...speech, since: null };
  const since = speech.since ?? now;
  const patience = speech.speaking ? PAUSE_MS : VOICE_MS;
  if (now - since < patience) return { ...speech, since };
  return { speaking: !speech.speaking, since: null };
}

/**
 * @typedef {object} Hint
 * @property {number | null} since ms since when someone speaks while muted
 * @property {number} until ms until when the hint is shown
 */
/** @type {Readonly<Hint>} */
export const NO_HINT = Object.freeze({ since: null, until: -Infinity });

/** @param {Hint} hint @param {{speaking: boolean, muted: boolean}} facts @param {number} now ms @returns {Hint} */
export function hintStep(hint, { speaking, muted }, now) {
  if (!muted) return NO_HINT;
  if (!speaking) return { ...hint, since: null };
  const since = hint.since ?? now;
  return { since, until: now - since >= HINT_AFTER_MS ? now + HINT_FOR_MS : hint.until };
}

/**
 * @typedef {object} LevelOptions
 * @property {new () => AudioContext} [AudioContextClass]
 * @property {new (tracks: MediaStreamTrack[]) => MediaStream} [MediaStreamClass]
 * @property {() => number} [now]
 * @property {(run: () => void, ms: number) => any} [setTimer]
 * @property {(timer: any) => void} [clearTimer]
 */

export class LevelMeter {
  #options;
  /** @type {AudioContext | null} */
  #context = null;
  /** @type {MediaStreamTrack | null} */
  #copy = null;
  /** @type {AnalyserNode | null} */
  #analyser = null;
  /** @type {MediaStreamAudioSourceNode | null} */
  #source = null;
  #timer = /** @type {any} */ (null);
  #muted = false;
  #speech = SILENCE;
  #hint = NO_HINT;

  /** @param {LevelOptions} [options] */
  constructor(options = {}) {
    const browser = /** @type {any} */ (globalThis);
    this.#options = {
      AudioContextClass: browser.AudioContext,
      MediaStreamClass: browser.MediaStream,
      now: Date.now,
      setTimer: (/** @type {() => void} */ run, /** @type {number} */ ms) => setTimeout(run, ms),
      clearTimer: (/** @type {any} */ timer) => clearTimeout(timer),
      ...options,
    };
    this.level = signal(0);
    this.speaking = signal(false);
    this.mutedHint = signal(false);
  }

  /** Listen to the first sound track of a stream; without one there is nothing to hear. @param {MediaStream | null} stream */
  start(stream) {
    this.stop();
    const track = stream?.getTracks().find((t) => t.kind === "audio" && t.readyState === "live");
    if (!track || !this.#options.AudioContextClass) return;
    const { AudioContextClass, MediaStreamClass } = this.#options;
    /** @type {AudioContext} */
    const context = (this.#context ??= new AudioContextClass());
    void context.resume().catch(() => {});
    const copy = track.clone();
    copy.enabled = true;
    const analyser = context.createAnalyser();
    analyser.fftSize = 1024;
    this.#source = context.createMediaStreamSource(new MediaStreamClass([copy]));
    this.#source.connect(analyser);
    this.#copy = copy;
    this.#analyser = analyser;
    this.#look(new Float32Array(analyser.fftSize));
  }

  /** @param {boolean} muted whether what is said is not heard */
  setMuted(muted) {
    this.#muted = muted;
    if (!muted) this.mutedHint.value = false;
  }

  /** Let go of the microphone. */
  stop() {
    if (this.#timer !== null) this.#options.clearTimer(this.#timer);
    this.#timer = null;
    this.#source?.disconnect();
    this.#copy?.stop();
    this.#source = this.#copy = this.#analyser = null;
    this.#speech = SILENCE;
    this.#hint = NO_HINT;
    this.level.value = 0;
    this.speaking.value = this.mutedHint.value = false;
  }

  /** @param {Float32Array<ArrayBuffer>} samples */
  #look(samples) {
    this.#analyser?.getFloatTimeDomainData(samples);
    const rms = computeRms(samples);
    const now = this.#options.now();
    this.#speech = speechStep(this.#speech, rms, now);
    const { speaking } = this.#speech;
    this.#hint = hintStep(this.#hint, { speaking, muted: this.#muted }, now);
    // Twenty steps are enough for the eye and spare the page from drawing at every look.
    this.level.value = Math.round(barOf(rms) * 20) / 20;
    this.speaking.value = speaking;
    this.mutedHint.value = now < this.#hint.until;
    this.#timer = this.#options.setTimer(() => this.#look(samples), LOOK_MS);
  }
}
