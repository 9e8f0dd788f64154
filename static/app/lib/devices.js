/**
 * The page's own camera and microphone: had, switched, lost and regained.
 *
 * A device is "lost" when it was wanted and gives nothing: unplugged, refused, taken by another
 * app, muted by the system in split view. It is fetched again by itself: when devices change, when
 * the page is looked at, and after 1, 2, 4, 8 … seconds; after a refusal only when something
 * changed, since asking again would pester.
 */
import { computed, signal } from "../../vendor/signals-core.js";
import { backoffMs } from "./backoff.js";
import { audioConstraints, problemOf, videoConstraints } from "./constraints.js";

/** A system that mutes a track for less than this was only blinking. */
export const MUTED_MS = 1_000;
const REGAIN_SECONDS = Object.freeze([1, 2, 4, 8]);

/**
 * @typedef {"audio" | "video"} Kind
 * @typedef {import("./constraints.js").Wanted} Wanted
 * @typedef {ReturnType<typeof problemOf>} Problem
 * @typedef {{id: string, label: string}} Device
 * @typedef {Pick<MediaDevices, "getUserMedia" | "enumerateDevices" | "addEventListener" | "removeEventListener">} DeviceSource
 *
 * @typedef {object} LocalOptions
 * @property {DeviceSource} [mediaDevices]
 * @property {new (tracks: MediaStreamTrack[]) => MediaStream} MediaStreamClass
 * @property {(run: () => void, ms: number) => any} setTimer
 * @property {(timer: any) => void} clearTimer
 * @property {(EventTarget & {visibilityState?: string}) | null} visibility
 * @property {(kind: Kind, track: MediaStreamTrack | null) => void} onTrack
 */

/** One wanted device. */
class Slot {
  /** @type {MediaStreamTrack | null} */
  track = null;
  wanted = false;
  on = true;
  busy = false;
  tries = 0;
  timer = /** @type {any} */ (null);
  lost = signal(false);
  state = signal(/** @type {import("./protocol.js").DeviceState} */ ("off"));
  problem = signal(/** @type {Problem | null} */ (null));

  draw() {
    this.state.value = !this.wanted ? "off" : this.lost.value ? "lost" : this.on ? "on" : "off";
  }
}

export class LocalMedia {
  #options;
  #slots = { audio: new Slot(), video: new Slot() };
  /** @type {Wanted} */
  #wanted = { audio: true, video: true };
  #generation = 0;
  #listening = false;

  /** @param {LocalOptions} options */
  constructor(options) {
    this.#options = options;
    this.local = signal(/** @type {MediaStream | null} */ (null));
    this.camera = this.#slots.video.state;
    this.microphone = this.#slots.audio.state;
    this.problem = computed(() => ({
      camera: this.#slots.video.problem.value,
      microphone: this.#slots.audio.problem.value,
    }));
  }

  /** @param {Kind} kind */
  track(kind) {
    return this.#slots[kind].track;
  }

  /**
   * Get what is wanted; resolves when it is had or known to be lost, never rejects.
   * @param {Partial<Wanted>} [wanted]
   */
  async acquire(wanted = {}) {
    this.#wanted = { ...this.#wanted, ...wanted };
    this.#listen();
    const missing = this.#missing();
    for (const kind of missing) this.#slots[kind].wanted = true;
    if (missing.length === 0) return;
    const generation = this.#generation;
    try {
      const tracks = await this.#ask(missing);
      if (generation !== this.#generation) return tracks.forEach((track) => track.stop());
      for (const kind of missing) this.#use(kind, tracks.find((t) => t.kind === kind) ?? null);
    } catch {
      // One refused device must not cost the other.
      for (const kind of missing) await this.#fetch(kind);
    }
  }

  /** @returns {Kind[]} */
  #missing() {
    const kinds = /** @type {Kind[]} */ (["audio", "video"]);
    return kinds.filter((kind) => this.#wanted[kind] && !this.#alive(kind));
  }

  /** @param {Kind} kind */
  #alive(kind) {
    const { track, lost } = this.#slots[kind];
    return track !== null && track.readyState === "live" && !lost.value;
  }

  /** @param {Kind[]} kinds @returns {Promise<MediaStreamTrack[]>} */
  async #ask(kinds) {
    const { mediaDevices } = this.#options;
    // Without https there is no mediaDevices at all.
    if (!mediaDevices?.getUserMedia) throw new TypeError("no mediaDevices");
    const stream = await mediaDevices.getUserMedia({
      ...(kinds.includes("audio") ? { audio: audioConstraints(this.#wanted) } : {}),
      ...(kinds.includes("video") ? { video: videoConstraints(this.#wanted) } : {}),
    });
    return stream.getTracks();
  }

  /** Get one device; a chosen one that is gone is replaced by any. @param {Kind} kind @returns {Promise<boolean>} */
  async #fetch(kind) {
    const slot = this.#slots[kind];
    if (slot.busy) return false;
    slot.busy = true;
    const generation = this.#generation;
    try {
      const [track] = await this.#askOne(kind);
      if (generation !== this.#generation) track.stop();
      else this.#use(kind, track);
      return true;
    } catch (error) {
      if (generation === this.#generation) this.#lose(kind, problemOf(error));
      return false;
    } finally {
      slot.busy = false;
    }
  }

  /** @param {Kind} kind */
  async #askOne(kind) {
    const chosen = kind === "video" ? "cameraId" : "microphoneId";
    try {
      return await this.#ask([kind]);
    } catch (error) {
      if (!this.#wanted[chosen] || problemOf(error) !== "not_found") throw error;
      this.#wanted = { ...this.#wanted, [chosen]: undefined };
      return this.#ask([kind]);
    }
  }

  /** @param {Kind} kind @param {MediaStreamTrack | null} track */
  #use(kind, track) {
    const slot = this.#slots[kind];
    if (!track) return this.#lose(kind, "failed");
    slot.track?.stop();
    slot.track = track;
    slot.tries = 0;
    slot.lost.value = false;
    slot.problem.value = null;
    this.#clear(slot);
    track.enabled = slot.on;
    // Small print on a paper matters more than smooth movement.
    track.contentHint = kind === "audio" ? "speech" : "detail";
    track.onended = () => this.#lose(kind, "not_found");
    track.onmute = () => this.#muted(kind, track);
    track.onunmute = () => this.#unmuted(kind, track);
    slot.draw();
    this.#publish(kind);
  }

  /** @param {Kind} kind */
  #publish(kind) {
    const { MediaStreamClass, onTrack } = this.#options;
    const tracks = [this.#slots.audio.track, this.#slots.video.track].filter((t) => t !== null);
    this.local.value = tracks.length ? new MediaStreamClass(tracks) : null;
    onTrack(kind, this.#slots[kind].track);
  }

  /** @param {Kind} kind @param {Problem} problem */
  #lose(kind, problem) {
    const slot = this.#slots[kind];
    slot.lost.value = true;
    slot.problem.value = problem;
    slot.draw();
    this.#clear(slot);
    if (problem === "not_allowed" || problem === "not_supported") return;
    const wait = backoffMs(slot.tries, 0, REGAIN_SECONDS);
    slot.tries += 1;
    slot.timer = this.#options.setTimer(() => void this.#fetch(kind), wait);
  }

  /** @param {Kind} kind @param {MediaStreamTrack} track */
  #muted(kind, track) {
    const slot = this.#slots[kind];
    this.#clear(slot);
    slot.timer = this.#options.setTimer(() => {
      if (slot.track === track && track.muted) this.#lose(kind, "in_use");
    }, MUTED_MS);
  }

  /** @param {Kind} kind @param {MediaStreamTrack} track */
  #unmuted(kind, track) {
    const slot = this.#slots[kind];
    if (slot.track !== track) return;
    this.#clear(slot);
    slot.tries = 0;
    slot.lost.value = false;
    slot.problem.value = null;
    slot.draw();
  }

  /** @param {Slot} slot */
  #clear(slot) {
    if (slot.timer !== null) this.#options.clearTimer(slot.timer);
    slot.timer = null;
  }

  /** Try again for everything that is lost. */
  regain() {
    for (const kind of /** @type {Kind[]} */ (["audio", "video"])) {
      if (this.#slots[kind].wanted && !this.#alive(kind)) void this.#fetch(kind);
    }
  }

  /** Let sound or picture go out, or silence and black. @param {Kind} kind @param {boolean} on */
  setOn(kind, on) {
    const slot = this.#slots[kind];
    slot.on = on;
    if (slot.track) slot.track.enabled = on;
    slot.draw();
  }

  /**
   * Change to another device; the former one is stopped first, since tablets open one camera at a
   * time. When the new one cannot be had, the former comes back.
   * @param {Kind} kind
   * @param {Partial<Wanted>} choice
   * @returns {Promise<boolean>} whether the new device is in use
   */
  async choose(kind, choice) {
    const before = this.#wanted;
    this.#wanted = { ...before, ...choice, [kind]: true };
    const slot = this.#slots[kind];
    slot.wanted = true;
    slot.track?.stop();
    const generation = this.#generation;
    try {
      const [track] = await this.#ask([kind]);
      if (generation === this.#generation) this.#use(kind, track);
      else track.stop();
      return true;
    } catch {
      this.#wanted = before;
      if (generation === this.#generation) await this.#fetch(kind);
      return false;
    }
  }

  /** @returns {Promise<{cameras: Device[], microphones: Device[], speakers: Device[]}>} */
  async devices() {
    const all = (await this.#options.mediaDevices?.enumerateDevices()) ?? [];
    const of = (/** @type {string} */ kind) =>
      all.filter((d) => d.kind === kind).map((d) => ({ id: d.deviceId, label: d.label }));
    return { cameras: of("videoinput"), microphones: of("audioinput"), speakers: of("audiooutput") };
  }

  /** Stop everything; the lights go out. The next call begins with the front camera, or a chosen one. */
  release() {
    this.#generation += 1;
    this.#wanted = { ...this.#wanted, facing: undefined };
    this.#unlisten();
    for (const kind of /** @type {Kind[]} */ (["audio", "video"])) {
      const slot = this.#slots[kind];
      this.#clear(slot);
      slot.track?.stop();
      slot.track = null;
      slot.wanted = slot.lost.value = false;
      slot.problem.value = null;
      slot.tries = 0;
      slot.draw();
      this.#options.onTrack(kind, null);
    }
    this.local.value = null;
  }

  #onChange = () => this.regain();

  #onVisible = () => {
    if (this.#options.visibility?.visibilityState !== "hidden") this.regain();
  };

  #listen() {
    if (this.#listening) return;
    this.#listening = true;
    this.#options.mediaDevices?.addEventListener("devicechange", this.#onChange);
    this.#options.visibility?.addEventListener("visibilitychange", this.#onVisible);
  }

  #unlisten() {
    this.#listening = false;
    this.#options.mediaDevices?.removeEventListener("devicechange", this.#onChange);
    this.#options.visibility?.removeEventListener("visibilitychange", this.#onVisible);
  }
}
