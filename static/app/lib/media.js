/**
 * Sound and picture of a page's call.
 *
 *     const media = new MediaSession({connection});
 *     await media.acquire({facing: "user"});   // camera and microphone; never rejects, see `problem`
 *     media.warm(callId);                         // connect for later: nothing goes out, nothing is shown
 *     media.open(callId);                         // when call.state is talking, interrupted or deciding
 *     media.close();                            // when it is closed; the own preview goes on
 *     media.release();                          // the lights go out
 *     media.setMicrophone(false); media.setCamera(true);
 *     await media.switchCamera("environment");  // or a device id; false: the former is back
 *     await media.switchMicrophone(deviceId);
 *     const {cameras, microphones, speakers} = await media.devices();   // [{id, label}]
 *
 * Signals: `local` and `remote` (MediaStream or null, for `srcObject`; a new object when it
 * changes; `remote` is the other end's), `others` (third parties: `[{party, stream}]`), `state` "off | connecting | flowing | stalled", `camera` and
 * `microphone` "on | off | lost", `problem` {camera, microphone} each null or "not_allowed |
 * not_found | in_use | not_supported | failed", `fault` (code of the last refused offer or null), `arrives` (whether packets of the other
 * come now, with or without a line to the server).
 *
 * It repairs itself: see watchdog.js for when, devices.js for cameras. `please-offer` and a change
 * of `media_epoch` are obeyed. `warm` and `open` may be called as often as you like. `callId` is the
 * call that the connection belongs to, null for one that waits for a call; a connection that has
 * been in one call is never taken into another (PROTOCOL.md section 3.1). No camera is opened here.
 */
import { effect, signal } from "../../vendor/signals-core.js";
import { LocalMedia } from "./devices.js";
import { ServerError } from "./errors.js";
import { Peer } from "./peer.js";
import { look, report } from "./quality.js";
import { withRelay } from "./relay.js";
import {
  packetsReceived,
  watchdogHint,
  watchdogRestarted,
  watchdogStart,
  watchdogStep,
  watchdogUsed,
} from "./watchdog.js";

/** How often the watchdog looks. */
export const SAMPLE_MS = 200;
/** Without a packet of the other for this long, nothing arrives. */
const ARRIVES_MS = 1_500;
/** The same while the connection is only kept warm. */
export const IDLE_SAMPLE_MS = 1_000;
/** How often the server is told what is measured. */
export const QUALITY_MS = 3_000;
/** Pictures first: they take longer from here to the other's screen. */
const KINDS = /** @type {const} */ (["video", "audio"]);
const STARTING = ["off", "connecting"];

/**
 * @typedef {object} MediaOptions
 * @property {Pick<import("./connection.js").Connection, "send" | "on" | "status"> & {asked?: import("./tablet-key.js").Asked | null}} connection
 * @property {(asked: import("./tablet-key.js").Asked, number: number, sdp: string) => Promise<string>} [signOffer] a tablet's
 * @property {new (configuration: RTCConfiguration) => RTCPeerConnection} [RTCPeerConnectionClass]
 * @property {new (tracks: MediaStreamTrack[]) => MediaStream} [MediaStreamClass]
 * @property {import("./devices.js").DeviceSource} [mediaDevices]
 * @property {RTCConfiguration} [configuration]
 * @property {import("./codecs.js").VideoCodec[]} [videoCodecs] see peer.js
 * @property {"counter" | "desk"} [other] whose sound and picture `remote` is; the desk's by default
 * @property {() => number} [now]
 * @property {(run: () => void, ms: number) => any} [setTimer]
 * @property {(timer: any) => void} [clearTimer]
 * @property {EventTarget | null} [scope] says `online`
 * @property {(EventTarget & {visibilityState?: string}) | null} [visibility]
 * @property {EventTarget | null} [network] `navigator.connection`, says `change`
 */

export class MediaSession {
  #options;
  #local;
  /** @type {Peer | null} */
  #peer = null;
  /** @type {import("./protocol.js").RelayNoun | null} */
  #relay = null;
  #number = 0;
  #mode = /** @type {"off" | "warm" | "call"} */ ("off");
  /** @type {string | null} */
  #callId = null;
  /** @type {string | null} */
  #epoch = null;
  #places = 1;
  /** @type {Readonly<Record<string, string>>} by mid, who is sent there */
  #lines = {};
  /** @type {MediaStream[]} by place */
  #streams = [];
  #watchdog = watchdogStart(0);
  #rtp = { count: 0, movedAt: -Infinity };
  #timer = /** @type {any} */ (null);
  #sampling = false;
  #reported = "";
  /** @type {import("./quality.js").Look | null} */
  #look = null;
  /** @type {(() => void)[]} */
  #offs = [];

  /** @param {MediaOptions} options */
  constructor(options) {
    const browser = /** @type {any} */ (globalThis);
    this.#options = {
      RTCPeerConnectionClass: browser.RTCPeerConnection,
      MediaStreamClass: browser.MediaStream,
      mediaDevices: browser.navigator?.mediaDevices,
      configuration: {},
      now: Date.now,
      setTimer: (/** @type {() => void} */ run, /** @type {number} */ ms) => setTimeout(run, ms),
      clearTimer: (/** @type {any} */ timer) => clearTimeout(timer),
      scope: browser.document ? browser : null,
      visibility: browser.document ?? null,
      network: browser.navigator?.connection ?? null,
      other: "desk",
      ...options,
    };
    this.#local = new LocalMedia({
      ...this.#options,
      onTrack: (kind, track) => void (this.#mode === "call" && this.#put(kind, track)),
    });
    this.local = this.#local.local;
    this.camera = this.#local.camera;
    this.microphone = this.#local.microphone;
    this.problem = this.#local.problem;
    this.remote = signal(/** @type {MediaStream | null} */ (null));
    this.others = signal(/** @type {readonly {party: string, stream: MediaStream}[]} */ ([]));
    this.state = signal(/** @type {"off" | import("./watchdog.js").Flow} */ ("off"));
    this.fault = signal(/** @type {string | null} */ (null));
    this.arrives = signal(false);
    // Told before and between calls too; a page has one session for as long as it lives.
    this.#options.connection.on("message", (message) => {
      if (message.type === "welcome" || message.type === "relay") this.#useRelay(message.relay);
      if (message.type === "streams") this.#learn(message.lines);
    });
  }

  /** @param {Partial<import("./constraints.js").Wanted>} [wanted] both, front camera, by default */
  acquire(wanted) {
    return this.#local.acquire(wanted);
  }

  devices() {
    return this.#local.devices();
  }

  /** @param {boolean} on */
  setMicrophone(on) {
    this.#local.setOn("audio", on);
  }

  /** @param {boolean} on */
  setCamera(on) {
    this.#local.setOn("video", on);
  }

  /** @param {string} which "user", "environment" or a device id */
  switchCamera(which) {
    const facing = which === "user" || which === "environment" ? which : undefined;
    return this.#local.choose("video", { facing, cameraId: facing ? undefined : which });
  }

  /** @param {string} microphoneId */
  switchMicrophone(microphoneId) {
    return this.#local.choose("audio", { microphoneId });
  }

  /** Stop camera and microphone. */
  release() {
    this.#local.release();
  }

  /** Connect and stay connected; nothing goes out and nothing is shown. @param {string | null} [callId] */
  warm(callId = null) {
    this.#hold("warm", callId);
  }

  /** Connect, or take the warm connection, and let sound and picture go. @param {string | null} [callId] */
  open(callId = null) {
    this.#hold("call", callId);
  }

  /** Let the connection go. */
  close() {
    this.#mode = "off";
    this.#callId = null;
    for (const off of this.#offs.splice(0)) off();
    if (this.#timer !== null) this.#options.clearTimer(this.#timer);
    this.#timer = null;
    this.#peer?.close();
    this.#peer = null;
    this.#reported = "";
    this.#places = 1;
    this.state.value = "off";
    this.#forget();
  }

  /** @param {"warm" | "call"} mode @param {string | null} callId */
  #hold(mode, callId) {
    const before = { mode: this.#mode, callId: this.#callId };
    this.#mode = mode;
    this.#callId = callId;
    if (!this.#peer) {
      this.#follow();
      void this.#renew(0);
      this.#tick();
    } else if (before.callId !== null && before.callId !== callId) {
      this.state.value = "off";
      this.#places = 1;
      this.#forget();
      void this.#renew(0);
    } else if (before.mode !== mode) this.#use(this.#peer);
  }

  /** What was shown and measured of the other side is gone. */
  #forget() {
    this.#look = null;
    this.remote.value = null;
    this.others.value = [];
    this.fault.value = null;
    this.arrives.value = false;
  }

  /** Begin or end to use the connection that is there. @param {Peer} peer */
  #use(peer) {
    const inCall = this.#mode === "call";
    for (const kind of KINDS) this.#put(kind, inCall ? this.#local.track(kind) : null);
    this.#forget();
    this.#reported = "";
    this.state.value = !inCall ? "off" : this.#watchdog.flowed ? "flowing" : "connecting";
    this.#watchdog = watchdogUsed(this.#watchdog, this.#options.now());
    if (!inCall) return;
    if (peer.answered) this.#show(peer);
    this.#report(this.camera.peek(), this.microphone.peek());
  }

  /** @param {"audio" | "video"} kind @param {MediaStreamTrack | null} track */
  #put(kind, track) {
    void this.#peer?.setTrack(kind, track).catch(() => {});
  }

  /** Look for the network path anew, with the same keys. */
  restartIce() {
    this.#watchdog = watchdogRestarted(this.#watchdog, this.#options.now());
    return this.#offer({ restart: true });
  }

  /** @param {number} replaced */
  #renew(replaced) {
    const { RTCPeerConnectionClass, configuration, now, videoCodecs } = this.#options;
    const inCall = this.#mode === "call";
    this.#peer?.close();
    this.#lines = {};
    this.#streams = [];
    this.#look = null;
    this.#watchdog = watchdogStart(now(), replaced);
    this.#rtp = { count: 0, movedAt: -Infinity };
    if (inCall) this.state.value = STARTING.includes(this.state.value) ? "connecting" : "stalled";
    this.#number += 1;
    this.#peer = new Peer({
      number: this.#number,
      ask: (number, sdp) => this.#ask(number, sdp),
      RTCPeerConnectionClass,
      configuration: { ...configuration, ...withRelay(this.#relay) },
      videoCodecs,
      places: this.#places,
      local: inCall ? this.local.value : null,
      audio: inCall ? this.#local.track("audio") : null,
      video: inCall ? this.#local.track("video") : null,
    });
    this.#peer.pc.onconnectionstatechange = () => void this.#sample();
    return this.#offer();
  }

  /**
   * A tablet signs what it offers, for the very socket on which the offer goes.
   * @param {number} number
   * @param {string} sdp
   */
  async #ask(number, sdp) {
    const { connection, signOffer } = this.#options;
    if (!signOffer) return connection.send("offer", { connection: number, sdp });
    for (;;) {
      const asked = connection.asked;
      if (!asked) throw new ServerError("connection_lost", "there is no line now");
      const signature = await signOffer(asked, number, sdp);
      if (asked === connection.asked) return connection.send("offer", { connection: number, sdp, signature });
    }
  }

  /** `restart` looks for the path anew, `again` says that the connection was answered before. @param {{restart?: boolean, again?: boolean}} [how] */
  async #offer({ restart = false, again = restart } = {}) {
    const peer = this.#peer;
    if (!peer) return;
    try {
      await peer.offer({ restart });
    } catch (error) {
      if (peer === this.#peer) this.fault.value = codeOf(error);
      return;
    }
    if (peer !== this.#peer || !peer.answered) return;
    this.fault.value = null;
    if (this.#mode === "call") this.#show(peer);
    const moved = this.#epoch !== null && this.#epoch !== peer.mediaEpoch;
    this.#epoch = peer.mediaEpoch;
    // Another run of the media server does not have the keys of this connection.
    if (moved && again) await this.#renew(0);
  }

  /** @param {Peer} peer */
  #show(peer) {
    const whole = peer.places().map(({ mids, tracks }, place) => ({
      party: this.#lines[mids[0] ?? ""],
      stream: (this.#streams[place] ??= new this.#options.MediaStreamClass(tracks)),
    }));
    // Before the server has said who is where, the first lines are the other end's.
    const main = whole.find(({ party }) => party === this.#options.other) ?? whole[0];
    const others = whole.filter((one) => one !== main && one.party);
    if (this.remote.value !== main.stream) this.remote.value = main.stream;
    const same = (/** @type {{party: string, stream: MediaStream}} */ one, /** @type {number} */ n) =>
      this.others.value[n]?.party === one.party && this.others.value[n].stream === one.stream;
    if (others.length !== this.others.value.length || !others.every(same)) this.others.value = others;
  }

  /** @param {Readonly<Record<string, string>>} lines */
  #learn(lines) {
    this.#lines = lines;
    if (this.#mode === "call" && this.#peer?.answered) this.#show(this.#peer);
  }

  #follow() {
    const { connection, scope, visibility, network } = this.#options;
    this.#offs.push(
      connection.on("message", (message) => {
        if (message.type === "please-offer") this.#obey(message);
      }),
      connection.on("state", (status) => {
        if (status.state === "open") this.#lineIsBack();
      }),
      effect(() => this.#report(this.camera.value, this.microphone.value)),
    );
    this.#hear(scope, "online", () => this.#hint());
    this.#hear(network, "change", () => this.#hint());
    this.#hear(visibility, "visibilitychange", () => {
      if (visibility?.visibilityState !== "hidden") this.#hint();
    });
  }

  /** @param {EventTarget | null} target @param {string} name @param {() => void} handler */
  #hear(target, name, handler) {
    target?.addEventListener(name, handler);
    this.#offs.push(() => target?.removeEventListener(name, handler));
  }

  /** @param {import("./protocol.js").RelayNoun | null} relay */
  #useRelay(relay) {
    const before = this.#relay;
    this.#relay = relay;
    if (!this.#peer || !(relay || before)) return;
    this.#peer.setRelays(withRelay(relay));
    // Another rule holds for the path that stands, too.
    if (relay?.use !== before?.use) void this.restartIce();
  }

  /** @param {import("./protocol.js").PleaseOfferMessage} message */
  #obey({ reason, places = 1 }) {
    if (reason === "new_connection") return void this.#renew(0);
    if (reason === "restart_ice") return void this.restartIce();
    this.#places = Math.max(this.#places, places);
    this.#peer?.listenTo(this.#places);
    void this.#offer({ again: true });
  }

  #lineIsBack() {
    this.#reported = "";
    this.#report(this.camera.peek(), this.microphone.peek());
    // An offer under way is not doubled: after a reload it leaves with the very welcome.
    if (this.#peer && !this.#peer.answered && !this.#peer.offering) void this.restartIce();
    this.#hint();
  }

  #hint() {
    this.#watchdog = watchdogHint(this.#watchdog, this.#options.now());
    void this.#sample();
  }

  /** @param {import("./protocol.js").DeviceState} camera @param {import("./protocol.js").DeviceState} microphone */
  #report(camera, microphone) {
    const { connection } = this.#options;
    const report = `${camera} ${microphone}`;
    if (this.#mode !== "call" || connection.status.state !== "open") return;
    if (report === this.#reported) return;
    this.#reported = report;
    connection.send("call.devices", { camera, microphone }).catch(() => (this.#reported = ""));
  }

  #tick() {
    this.#timer = this.#options.setTimer(() => {
      void this.#sample();
      this.#tick();
    }, this.#mode === "warm" ? IDLE_SAMPLE_MS : SAMPLE_MS);
  }

  async #sample() {
    const peer = this.#peer;
    if (!peer || this.#sampling) return;
    this.#sampling = true;
    try {
      const stats = await peer.pc.getStats();
      if (peer === this.#peer) this.#judge(peer, [...stats.values()]);
    } catch {
      // A connection that is being closed has no statistics.
    } finally {
      this.#sampling = false;
    }
  }

  /** @param {Peer} peer @param {Record<string, any>[]} reports */
  #judge(peer, reports) {
    const now = this.#options.now();
    const sample = {
      packets: packetsReceived(reports),
      connected: peer.pc.connectionState === "connected",
      canSignal: this.#options.connection.status.state === "open",
      idle: this.#mode === "warm",
    };
    const { state, flow, action } = watchdogStep(this.#watchdog, sample, now);
    this.#watchdog = state;
    // A replacement that has not carried anything yet is part of the same stillness.
    const mending = flow === "connecting" && this.state.value === "stalled";
    if (this.#mode === "call") {
      this.state.value = mending ? "stalled" : flow;
      this.#listen(reports, now);
    }
    if (action === "restart") void this.#offer({ restart: true });
    else if (action === "replace") void this.#renew(state.replaced);
    else if (this.#mode === "call") this.#measure(reports, now);
  }

  /** Sound and pictures of the other, apart from what the server itself sends. @param {Record<string, any>[]} reports @param {number} now */
  #listen(reports, now) {
    const count = reports.reduce((sum, r) => sum + (r.type === "inbound-rtp" ? (r.packetsReceived ?? 0) : 0), 0);
    if (count !== this.#rtp.count) this.#rtp = { count, movedAt: count > this.#rtp.count ? now : this.#rtp.movedAt };
    this.arrives.value = this.state.value === "flowing" && now - this.#rtp.movedAt < ARRIVES_MS;
  }

  /** Without what third parties send: the words about a line are those about the two ends. @param {Record<string, any>[]} reports */
  #ofMain(reports) {
    const theirs = new Set(this.others.value.map(({ party }) => party));
    return reports.filter((r) => r.type !== "inbound-rtp" || !theirs.has(this.#lines[r.mid]));
  }

  /** @param {Record<string, any>[]} reports @param {number} now */
  #measure(reports, now) {
    const before = this.#look;
    if (before && now - before.at < QUALITY_MS) return;
    const seen = (this.#look = look(this.#ofMain(reports), now));
    const { connection } = this.#options;
    if (!before || this.state.value !== "flowing" || connection.status.state !== "open") return;
    connection.send("call.quality", report(before, seen)).catch(() => {});
  }
}

/** @param {unknown} error */
function codeOf(error) {
  return error instanceof ServerError ? error.code : "bad_sdp";
}
