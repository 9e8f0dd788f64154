/**
 * One RTCPeerConnection of the page and its offers (PROTOCOL.md section 3, `offer`).
 *
 * The page offers, the server answers; there are no candidates to wait for. Offers do not overlap:
 * one that is wanted while another is on its way follows it. A peer made without tracks is warm: its
 * lines stand, and `setTrack` puts something on them later without another offer.
 */
import { preferCodecs } from "./codecs.js";
import { withSoundAgain } from "./sdp.js";

/** Enough for 1280×720 at 30, little enough for a shared line. */
export const MAX_BITRATE = 2_500_000;
/** In three layers of time, so that the server can leave out pictures that no other needs. */
const ENCODING = { maxBitrate: MAX_BITRATE, maxFramerate: 30, scalabilityMode: "L1T3" };

/**
 * @typedef {object} PeerOptions
 * @property {number} number counts the page's connections from 1
 * @property {(number: number, sdp: string) => Promise<{connection: number, sdp: string, media_epoch: string}>} ask
 * @property {new (configuration: RTCConfiguration) => RTCPeerConnection} RTCPeerConnectionClass
 * @property {MediaStream | null} local
 * @property {MediaStreamTrack | null} audio
 * @property {MediaStreamTrack | null} video
 * @property {import("./codecs.js").VideoCodec[]} [videoCodecs] all in the wished order; the browser's order when left out
 * @property {RTCConfiguration} [configuration]
 * @property {number} [places] for how many other parties there are lines; 1 by default
 *
 * @typedef {{mids: (string | null)[], tracks: MediaStreamTrack[]}} Place the lines of one other party: audio, video
 */

export class Peer {
  #ask;
  #audio;
  #video;
  /** @type {[RTCRtpTransceiver, RTCRtpTransceiver][]} lines on which this page only listens */
  #further = [];
  #closed = false;
  #again = false;
  #restart = false;
  /** @type {Promise<void> | null} */
  #running = null;
  /** Whether the last offer was answered. */
  answered = false;
  /** @type {string | null} */
  mediaEpoch = null;

  /** @param {PeerOptions} options */
  constructor(options) {
    this.number = options.number;
    this.#ask = options.ask;
    this.pc = new options.RTCPeerConnectionClass({
      bundlePolicy: "max-bundle",
      rtcpMuxPolicy: "require",
      ...options.configuration,
    });
    const streams = options.local ? [options.local] : [];
    this.#audio = this.pc.addTransceiver(options.audio ?? "audio", {
      direction: "sendrecv",
      streams,
    });
    this.#video = this.pc.addTransceiver(options.video ?? "video", {
      direction: "sendrecv",
      streams,
      sendEncodings: [ENCODING],
    });
    preferCodecs(this.#video, options.videoCodecs);
    this.listenTo(options.places ?? 1);
    void this.#preferResolution();
  }

  get closed() {
    return this.#closed;
  }

  /** Whether an offer waits for its answer. */
  get offering() {
    return this.#running !== null;
  }

  /** What the others send, by the lines of each. @returns {Place[]} */
  places() {
    return [[this.#audio, this.#video], ...this.#further].map((lines) => ({
      mids: lines.map((line) => line.mid),
      tracks: lines.map((line) => line.receiver.track),
    }));
  }

  /** Have lines for so many others, from the next offer on. @param {number} places */
  listenTo(places) {
    while (!this.#closed && this.#further.length + 1 < places) {
      const [audio, video] = /** @type {const} */ (["audio", "video"]).map((kind) =>
        this.pc.addTransceiver(kind, { direction: "recvonly" }),
      );
      this.#further.push([audio, video]);
    }
  }

  /**
   * Use these relays from the next look for a path on.
   * @param {RTCConfiguration} relays `iceServers` and `iceTransportPolicy`
   */
  setRelays(relays) {
    if (this.#closed) return;
    this.pc.setConfiguration({ ...this.pc.getConfiguration(), ...relays });
  }

  /**
   * Send another track from now on, or none.
   * @param {"audio" | "video"} kind
   * @param {MediaStreamTrack | null} track
   */
  async setTrack(kind, track) {
    if (this.#closed) return;
    const { sender } = kind === "audio" ? this.#audio : this.#video;
    await sender.replaceTrack(track);
  }

  /**
   * Offer and apply the answer. Rejects with the connection's `ServerError`; the next offer then
   * looks for the path anew.
   * @param {{restart?: boolean}} [options]
   */
  offer({ restart = false } = {}) {
    this.#restart ||= restart;
    if (this.#running) {
      this.#again = true;
      return this.#running;
    }
    this.#running = this.#offers().finally(() => (this.#running = null));
    return this.#running;
  }

  async #offers() {
    do {
      this.#again = false;
      await this.#once();
    } while (this.#again && !this.#closed);
  }

  async #once() {
    const { pc } = this;
    const restart = this.#restart;
    this.#restart = false;
    this.answered = false;
    try {
      const { type, sdp } = await pc.createOffer({ iceRestart: restart });
      await pc.setLocalDescription({ type, sdp: withSoundAgain(sdp ?? "") });
      const answer = await this.#ask(this.number, pc.localDescription?.sdp ?? "");
      if (this.#closed || answer.connection !== this.number) return;
      await pc.setRemoteDescription({ type: "answer", sdp: answer.sdp });
      this.answered = true;
      this.mediaEpoch = answer.media_epoch;
      // Firefox takes parameters only once codecs are agreed.
      void this.#preferResolution();
    } catch (error) {
      if (this.#closed) return;
      this.#restart ||= restart;
      throw error;
    }
  }

  /** A document that is sharp and slow can be read; one that is fast and small cannot. */
  async #preferResolution() {
    const { sender } = this.#video;
    try {
      const parameters = sender.getParameters();
      /** @type {{degradationPreference?: string}} */ (parameters).degradationPreference =
        "maintain-resolution";
      await sender.setParameters(parameters);
    } catch {
      // A browser without this preference chooses by itself.
    }
  }

  close() {
    this.#closed = true;
    this.pc.onconnectionstatechange = null;
    this.pc.close();
  }
}
