/**
 * Which codec this device would rather send pictures in. A tablet that makes H.264 in hardware and VP8
 * on its processor stays cool and keeps its pace; PROTOCOL.md section 3.2 says what the server makes of it.
 */

/** Constrained baseline as everybody has it, which is also what the server takes. */
const H264 = "profile-level-id=42e01f";
const PACKETS = "packetization-mode=1";
/** A device that cannot say in this time is not asked further. */
export const ASK_MS = 1_000;

/**
 * @typedef {{mimeType: string, clockRate: number, sdpFmtpLine?: string, channels?: number}} VideoCodec
 * @typedef {object} CodecSource
 * @property {{encodingInfo: (configuration: any) => Promise<{supported: boolean, powerEfficient: boolean}>} | undefined} capabilities
 * @property {(() => {codecs: VideoCodec[]} | null) | undefined} getCapabilities of what can be sent
 * @property {(run: () => void, ms: number) => any} [setTimer]
 */

/** What the browser offers to ask. @returns {CodecSource} */
function browserSource() {
  const browser = /** @type {any} */ (globalThis);
  return {
    capabilities: browser.navigator?.mediaCapabilities,
    getCapabilities: () => browser.RTCRtpSender?.getCapabilities?.("video") ?? null,
  };
}

/** @param {VideoCodec} codec */
const isOurs = ({ mimeType, sdpFmtpLine = "" }) =>
  mimeType.toLowerCase() === "video/h264" && sdpFmtpLine.toLowerCase().includes(H264) && sdpFmtpLine.includes(PACKETS);

/**
 * The codecs in the order in which this device wants them, H.264 first when hardware makes it and VP8
 * not; undefined when the browser's own order is as good. Never rejects.
 * @param {CodecSource} [source]
 * @returns {Promise<VideoCodec[] | undefined>}
 */
export async function wishedCodecs(source = browserSource()) {
  const { capabilities, getCapabilities, setTimer = setTimeout } = source;
  try {
    const all = getCapabilities?.()?.codecs ?? [];
    const ours = all.filter(isOurs);
    if (!capabilities?.encodingInfo || ours.length === 0) return undefined;
    const late = new Promise((resolve) => void setTimer(() => resolve(false), ASK_MS));
    if (!(await Promise.race([inHardware(capabilities), late]))) return undefined;
    return [...ours, ...all.filter((codec) => !isOurs(codec))];
  } catch {
    return undefined;
  }
}

/** @param {NonNullable<CodecSource["capabilities"]>} capabilities */
async function inHardware(capabilities) {
  const ask = (/** @type {string} */ contentType) =>
    capabilities.encodingInfo({
      type: "webrtc",
      video: { contentType, width: 1280, height: 720, bitrate: 1_500_000, framerate: 30 },
    });
  const h264 = await ask(`video/H264;level-asymmetry-allowed=1;${PACKETS};${H264}`);
  if (!h264.supported || !h264.powerEfficient) return false;
  return !(await ask("video/VP8")).powerEfficient;
}

/**
 * Have a transceiver offer these codecs in this order.
 * @param {RTCRtpTransceiver} transceiver
 * @param {VideoCodec[] | undefined} codecs
 */
export function preferCodecs(transceiver, codecs) {
  if (!codecs) return;
  try {
    transceiver.setCodecPreferences(codecs);
  } catch {
    // A browser that does not take the list keeps its own order.
  }
}
