/**
 * One picture from a running camera at the camera's own size, as a file to send.
 *
 *     const file = await takeStill(track, {name: "face.jpg", draw, filmed});   // parts/frame.js has both
 *
 * The browser's own ways are tried one after another: `ImageCapture.takePhoto`, `grabFrame`, a frame
 * of the stream drawn on a canvas. The stream itself goes on and is not changed.
 *
 * Rejects with `ServerError` `no_picture` when the camera gives nothing.
 */
import { ServerError } from "./errors.js";

/** A camera that has not answered by then is asked in the next way. */
export const PATIENCE_MS = 3_000;
const TYPE = "image/jpeg";

/**
 * @typedef {object} StillOptions
 * @property {string} name of the file
 * @property {any} [ImageCaptureClass]
 * @property {(source: CanvasImageSource, width: number, height: number) => Promise<Blob | null>} draw as a JPEG
 * @property {(track: MediaStreamTrack) => Promise<Blob | null>} filmed a frame of the stream
 * @property {(run: () => void, ms: number) => any} [setTimer]
 */

/** @param {MediaStreamTrack | null | undefined} track @param {StillOptions} options @returns {Promise<File>} */
export async function takeStill(track, options) {
  const { ImageCaptureClass = /** @type {any} */ (globalThis).ImageCapture, draw, filmed, name, setTimer = setTimeout } = options;
  if (!track || track.readyState !== "live" || !track.enabled) throw new ServerError("no_picture");
  const capture = ImageCaptureClass ? new ImageCaptureClass(track) : null;
  const ways = [
    ...(capture?.takePhoto ? [() => capture.takePhoto()] : []),
    ...(capture?.grabFrame ? [() => capture.grabFrame().then((/** @type {ImageBitmap} */ frame) => draw(frame, frame.width, frame.height))] : []),
    () => filmed(track),
  ];
  for (const way of ways) {
    const blob = await inTime(way, setTimer);
    if (blob?.size) return new File([await asJpeg(blob, draw)], name, { type: TYPE });
  }
  throw new ServerError("no_picture");
}

/** What a way gives, or null when it fails or takes too long. @param {() => Promise<Blob | null>} way @param {(run: () => void, ms: number) => any} setTimer */
async function inTime(way, setTimer) {
  let timer;
  const late = new Promise((resolve) => (timer = setTimer(() => resolve(null), PATIENCE_MS)));
  try {
    return /** @type {Blob | null} */ (await Promise.race([way(), late]));
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}

/** Some cameras give PNG. @param {Blob} blob @param {StillOptions["draw"]} draw */
async function asJpeg(blob, draw) {
  if (blob.type === TYPE) return blob;
  const bitmap = await createImageBitmap(blob);
  return (await draw(bitmap, bitmap.width, bitmap.height)) ?? blob;
}
