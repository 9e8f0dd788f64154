/**
 * 開始前点検 (PROTOCOL.md section 5.4): everything that a call needs, tried by doing it.
 *
 *     const result = await runCheck({ api, connection, level, hear, tell, browser });
 *
 * Two connections of this page meet in the media engine: what `out` sends comes back on `back`.
 * A part that fails is null in the report and the others go on; only what cannot even begin, or
 * whose result cannot be handed in, rejects.
 */
import { audioConstraints, problemOf, videoConstraints } from "./constraints.js";
import { newId } from "./ids.js";
import { Peer } from "./peer.js";
import { look, report } from "./quality.js";
import { withRelay } from "./relay.js";
import { append, create, hex } from "./tus.js";

/** How long sound and pictures go round before they are judged. */
export const LOOP_MS = 6_000;
const CONNECT_MS = 12_000;
const CHAT_MS = 8_000;
/** Of 255: what is brighter shows nothing. */
const WHITE = 250;
/** A PDF of a few kilobytes. */
const FILE_BYTES = 32 * 1024;

/**
 * @typedef {"begin" | "camera" | "line" | "chat" | "file" | "speaker" | "result"} Step what goes on, in this order
 *
 * @typedef {object} Tools
 * @property {Pick<MediaDevices, "getUserMedia">} devices
 * @property {new (configuration: RTCConfiguration) => RTCPeerConnection} RTCPeerConnectionClass
 * @property {typeof fetch} fetch
 * @property {SubtleCrypto} subtle
 * @property {() => number} now ms
 * @property {(ms: number) => Promise<void>} wait
 * @property {(track: MediaStreamTrack) => Promise<Uint8ClampedArray | null>} pixels of a small frame of the camera, RGBA
 *
 * @typedef {object} Check
 * @property {Pick<ReturnType<typeof import("./api.js").createApi>, "post" | "csrf" | "urls">} api
 * @property {{send: (type: "precheck.chat", fields: {text: string}) => Promise<any>}} connection
 * @property {() => number} level the loudest that was heard so far, 0 to 1
 * @property {(stream: MediaStream | null) => void} hear given the stream, to be shown and listened to
 * @property {(step: Step) => void} tell
 * @property {() => Promise<boolean | null>} heard plays a tone and asks; null: nobody answered
 * @property {Tools} tools
 */

/** @param {Check} check @returns {Promise<import("./protocol.js").PrecheckNoun>} */
export async function runCheck({ api, connection, level, hear, tell, heard, tools }) {
  tell("begin");
  const { relay, clock_ms } = await begin(api, tools);
  tell("camera");
  const stream = await devices(tools);
  hear(stream);
  try {
    tell("line");
    const media = await loop(api, stream, relay, tools).catch(() => NO_MEDIA);
    const light = await lightOf(stream, tools);
    const microphone = stream?.getAudioTracks().length ? Math.min(1, level()) : null;
    tell("chat");
    const chat_ms = await echo(connection, tools).catch(() => null);
    tell("file");
    const file = await roundTrip(api, tools).catch(() => NO_FILE);
    tell("speaker");
    const speaker = await heard();
    tell("result");
    const { precheck } = await api.post("precheck/result", { ...media, light, microphone, speaker, chat_ms, ...file, clock_ms });
    return precheck;
  } finally {
    stream?.getTracks().forEach((track) => track.stop());
    hear(null);
  }
}

const NO_MEDIA = Object.freeze({ camera: null, path: null, rtt_ms: null, loss: null });
const NO_FILE = Object.freeze({ file_ms: null, file_sha256: null });

/** Begin, and hold the clock against the server's: half of the way is taken off. @param {Check["api"]} api @param {Tools} tools */
async function begin(api, { now }) {
  const asked = now();
  const { relay, server_time } = await api.post("precheck");
  const half = (asked + now()) / 2;
  return { relay, clock_ms: Math.round(half - Date.parse(server_time)) };
}

/** How bright the picture is, and how much of it is all white. @param {MediaStream | null} stream @param {Tools} tools */
async function lightOf(stream, { pixels }) {
  const track = stream?.getVideoTracks()[0];
  const seen = track ? await pixels(track).catch(() => null) : null;
  return seen && brightness(seen);
}

/**
 * The mean of a picture and the share of it in which nothing can be told any more, 0 to 1 each.
 * @param {Uint8ClampedArray} rgba
 */
export function brightness(rgba) {
  let [sum, white] = [0, 0];
  for (let at = 0; at < rgba.length; at += 4) {
    const [red, green, blue] = [rgba[at], rgba[at + 1], rgba[at + 2]];
    // BT.709 luma.
    sum += 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    white += Number(Math.min(red, green, blue) >= WHITE);
  }
  const count = rgba.length / 4;
  const share = (/** @type {number} */ part) => Math.min(1, Math.round((1000 * part) / count) / 1000);
  return { mean: share(sum / 255), white: share(white) };
}

/** Camera and microphone, or the one of them that there is. @param {Tools} tools @returns {Promise<MediaStream | null>} */
async function devices({ devices: media }) {
  const wanted = { audio: true, video: true };
  const [audio, video] = [audioConstraints(wanted), videoConstraints(wanted)];
  for (const constraints of [{ audio, video }, { video }, { audio }]) {
    try {
      return await media.getUserMedia(constraints);
    } catch (error) {
      // Who was refused is not asked again for the half of it.
      if (problemOf(error) === "not_allowed") return null;
    }
  }
  return null;
}

/**
 * Send and get back, and say what came of it.
 * @param {Check["api"]} api
 * @param {MediaStream | null} stream
 * @param {import("./protocol.js").RelayNoun | null} relay
 * @param {Tools} tools
 */
async function loop(api, stream, relay, tools) {
  const one = (/** @type {"out" | "back"} */ side, /** @type {number} */ number, /** @type {MediaStream | null} */ local) =>
    new Peer({
      number,
      ask: async (connection, sdp) => ({ connection, media_epoch: "", ...(await api.post("precheck/media", { side, sdp })) }),
      RTCPeerConnectionClass: tools.RTCPeerConnectionClass,
      local,
      audio: local?.getAudioTracks()[0] ?? null,
      video: local?.getVideoTracks()[0] ?? null,
      configuration: withRelay(relay),
    });
  const out = one("out", 1, stream);
  const back = one("back", 2, null);
  try {
    await Promise.all([out.offer(), back.offer()]);
    await connected([out.pc, back.pc], tools);
    const before = await looks(out, back, tools);
    await tools.wait(LOOP_MS);
    const after = await looks(out, back, tools);
    return judged(before, after, stream);
  } finally {
    out.close();
    back.close();
  }
}

/** @param {RTCPeerConnection[]} both @param {Tools} tools */
async function connected(both, { now, wait }) {
  const until = now() + CONNECT_MS;
  while (!both.every((pc) => pc.connectionState === "connected")) {
    if (now() > until || both.some((pc) => pc.connectionState === "failed")) throw new Error("not connected");
    await wait(100);
  }
}

/** @typedef {{out: import("./quality.js").Look, back: import("./quality.js").Look, reports: Record<string, any>[]}} Looks */

/** @param {Peer} out @param {Peer} back @param {Tools} tools @returns {Promise<Looks>} */
async function looks(out, back, { now }) {
  const [one, two] = await Promise.all([out.pc.getStats(), back.pc.getStats()]);
  const reports = [...one.values()];
  return { out: look(reports, now()), back: look(two.values(), now()), reports };
}

/** @param {Looks} before @param {Looks} after @param {MediaStream | null} stream */
function judged(before, after, stream) {
  const sent = report(before.out, after.out);
  const got = report(before.back, after.back);
  const trips = [sent.rtt_ms, got.rtt_ms].filter((ms) => ms !== null);
  return {
    camera: cameraOf(before, after, stream, sent),
    path: pathOf(after.reports),
    rtt_ms: trips.length ? Math.max(...trips) : null,
    loss: got.received.loss,
  };
}

/**
 * What the camera gives, before it is made smaller for the line; a browser that does not say so is
 * asked for the size of the track and what was sent of it.
 * @param {Looks} before @param {Looks} after @param {MediaStream | null} stream @param {import("./quality.js").Report} sent
 */
function cameraOf(before, after, stream, sent) {
  const settings = stream?.getVideoTracks()[0]?.getSettings();
  if (!settings) return null;
  const source = (/** @type {Looks} */ { reports }) => reports.find((r) => r.type === "media-source" && r.kind === "video");
  const [first, last] = [source(before), source(after)];
  const seconds = (after.out.at - before.out.at) / 1000;
  const frames = (last?.frames ?? NaN) - (first?.frames ?? NaN);
  const fps = Number.isFinite(frames) && seconds > 0 ? frames / seconds : (last?.framesPerSecond ?? sent.sent.fps);
  const width = last?.width ?? settings.width;
  const height = last?.height ?? settings.height;
  if (!width || !height) return null;
  return { width, height, fps: fps === null ? null : Math.min(240, Math.max(0, Math.round(fps * 10) / 10)) };
}

/** The way of the pair in use. @param {Record<string, any>[]} reports */
export function pathOf(reports) {
  const of = (/** @type {string} */ id) => reports.find((r) => r.id === id);
  const transport = reports.find((r) => r.type === "transport" && r.selectedCandidatePairId);
  const pair =
    of(transport?.selectedCandidatePairId) ?? reports.find((r) => r.type === "candidate-pair" && r.nominated && r.state === "succeeded");
  const local = of(pair?.localCandidateId);
  if (!local) return null;
  const relayed = local.candidateType === "relay";
  // To the relay itself it may go by TCP, which is what makes it slow.
  const protocol = relayed && local.relayProtocol && local.relayProtocol !== "udp" ? "tcp" : local.protocol;
  return protocol === "udp" || protocol === "tcp" ? { protocol, relayed } : null;
}

/** Say something and be answered. @param {Check["connection"]} connection @param {Tools} tools @returns {Promise<number>} ms */
async function echo(connection, { now, wait }) {
  const until = now() + CHAT_MS;
  const text = newId();
  for (;;) {
    const asked = now();
    try {
      const said = await connection.send("precheck.chat", { text });
      if (said.text !== text) throw new Error("something else came back");
      return Math.round(now() - asked);
    } catch (error) {
      // The socket may still be opening.
      if (/** @type {{code?: string}} */ (error)?.code !== "connection_lost" || now() > until) throw error;
      await wait(200);
    }
  }
}

/** Send a small PDF, take it back, and tell what came. @param {Check["api"]} api @param {Tools} tools */
async function roundTrip(api, { fetch, subtle, now }) {
  const began = now();
  const bytes = pdf();
  const digest = await subtle.digest("SHA-256", bytes);
  const csrf = await api.csrf();
  const wire = { fetch, csrf, signal: new AbortController().signal };
  const file = { name: "precheck.pdf", size: bytes.length, sha256: hex(digest) };
  const location = await create(wire, api.urls.precheckFile(), file);
  await append(wire, location, 0, bytes, digest);
  const response = await fetch(location, { headers: { "X-CSRF-Token": csrf }, credentials: "same-origin", cache: "no-store" });
  if (!response.ok) return { file_ms: Math.round(now() - began), file_sha256: null };
  const came = await subtle.digest("SHA-256", await response.arrayBuffer());
  return { file_ms: Math.min(60_000, Math.round(now() - began)), file_sha256: hex(came) };
}

/** @returns {Uint8Array<ArrayBuffer>} */
function pdf() {
  const line = "% madoguchi\n";
  const body = line.repeat(Math.ceil(FILE_BYTES / line.length));
  return new TextEncoder().encode(`%PDF-1.4\n${body}trailer <<>>\n%%EOF\n`);
}
