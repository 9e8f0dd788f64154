/** An RTCPeerConnection in memory: it counts offers and says how many packets a test let through. */
import { Track } from "./devices.js";

export class FakePeerConnection {
  /** @type {FakePeerConnection[]} */
  static made = [];
  static packets = 0;

  connectionState = "new";
  /** @type {any} */
  localDescription = null;
  /** @type {any} */
  remoteDescription = null;
  /** @type {any[]} */
  transceivers = [];
  /** @type {boolean[]} whether each offer was a restart */
  offers = [];
  packets = 0;
  rtp = 0;
  closed = false;
  /** @type {(() => void) | null} */
  onconnectionstatechange = null;

  /** @param {any} configuration */
  constructor(configuration) {
    this.configuration = configuration;
    FakePeerConnection.made.push(this);
  }

  /** @param {any} trackOrKind @param {any} init */
  addTransceiver(trackOrKind, init) {
    const kind = typeof trackOrKind === "string" ? trackOrKind : trackOrKind.kind;
    const sender = {
      track: typeof trackOrKind === "string" ? null : trackOrKind,
      parameters: /** @type {any} */ ({ encodings: init.sendEncodings ?? [] }),
      getParameters: () => ({ ...sender.parameters }),
      setParameters: async (/** @type {any} */ p) => void (sender.parameters = p),
      replaceTrack: async (/** @type {any} */ track) => void (sender.track = track),
    };
    const transceiver = {
      mid: String(this.transceivers.length),
      init,
      sender,
      receiver: { track: new Track(kind) },
      codecs: /** @type {any} */ (null),
      setCodecPreferences: (/** @type {any} */ codecs) => void (transceiver.codecs = codecs),
    };
    this.transceivers.push(transceiver);
    return transceiver;
  }

  getConfiguration() {
    return this.configuration;
  }

  /** @param {any} configuration */
  setConfiguration(configuration) {
    this.configuration = configuration;
  }

  /** @param {{iceRestart: boolean}} options */
  async createOffer({ iceRestart }) {
    this.offers.push(iceRestart);
    return { type: "offer", sdp: `offer ${this.offers.length}` };
  }

  /** @param {any} description */
  async setLocalDescription(description) {
    this.localDescription = description;
  }

  /** @param {any} description */
  async setRemoteDescription(description) {
    if (description.sdp === "broken") throw new Error("OperationError");
    this.remoteDescription = description;
    this.connectionState = "connected";
  }

  async getStats() {
    return new Map([
      ["T", { type: "transport", packetsReceived: this.packets }],
      ["I", { type: "inbound-rtp", packetsReceived: this.rtp }],
    ]);
  }

  close() {
    this.closed = true;
  }
}
